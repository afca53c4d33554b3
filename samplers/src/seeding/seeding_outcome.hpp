// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/samplers/kmeans_seeding.hpp>
#include <buffon/stats/outcome.hpp>

#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <vector>

namespace buffon {

class Archive;

/// What a seeding has found so far: all of its state but that of the rule, and no more than numbers per centre.
struct SeedingRecord {
  std::vector<Index> rows;
  std::vector<std::int64_t> trials;  ///< for every centre; 0 for the first and for those chosen again
  SeedingCounts counts;
  std::int64_t distinct = 0;                                        ///< centres chosen when every row of positive weight lay on one; 0 = that did not happen
  std::vector<double> curve_centres, curve_totals;                  ///< Σ w D after so many centres, where it is known
  double spread = std::numeric_limits<double>::quiet_NaN();         ///< Σ w ‖x − mean‖²
  double outlier_share = std::numeric_limits<double>::quiet_NaN();  ///< part of it in the heaviest thousandth of the rows
  Eigen::MatrixXd refined;                                          ///< centres of Lloyd's iteration, once it has begun
  std::vector<double> lloyd_costs;                                  ///< before every round, and the last
  bool converged = false;                                           ///< Lloyd's iteration
  std::string lloyd_stop;                                           ///< why it ended
  double cost = std::numeric_limits<double>::quiet_NaN();           ///< Σ w × squared distance to the nearest of the final centres
  std::int64_t assigned = 0;                                        ///< distances computed for labels and Lloyd's iteration

  void describe_state(Archive& archive);
};

Outcome seeding_outcome(const DataSet& data, const KmeansSeedingOptions& options, const SeedingRecord& record, const Assignment* assignment,
                        const std::string& stop_reason);

}  // namespace buffon
