// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/core/types.hpp>
#include <buffon/model/data_set.hpp>
#include <buffon/stats/selection.hpp>

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace buffon {
class Archive;
}

namespace buffon::draws {

/// Distinct rows in the order of their first draw, each with how often it was drawn and the weight that makes sums over it estimates of sums over all rows.
struct ChosenRows {
  std::vector<Index> rows;
  std::vector<std::int64_t> counts;
  std::vector<double> weights;

  /// @param weight_of_draw of every drawn row, the same for the same row; repeated rows add their weights
  static ChosenRows merged(std::span<const Index> drawn, std::span<const double> weight_of_draw);

  /// (Σ w)² / Σ w².
  double effective_size() const;
  /// In numbers of the source.
  std::shared_ptr<Selection> selection(const DataSet& data) const;
  void describe_state(Archive& archive);
};

/// Σ w.
double total_weight(const DataSet& data);

}  // namespace buffon::draws
