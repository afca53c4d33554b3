// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/core/types.hpp>
#include <buffon/model/data_set.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace buffon {

class Context;

/// Every row with its nearest centre.
struct Assignment {
  std::vector<std::int32_t> labels;  ///< n: column of the first of the nearest centres
  std::vector<float> squared;        ///< n: squared distance to it
  double cost = 0;                   ///< Σ w_i × squared distance, summed in double
  std::int64_t evaluations = 0;      ///< distances computed
};

/// Assigns rows to points given as columns (d × k). Same bits for any number of threads.
Assignment assign(const DataSet& data, const ConstMatrix& centres, Context& context);

/// Lloyd's iteration (S. Lloyd, "Least squares quantization in PCM", 1982): assign, move every centre to the weighted mean of its rows. A centre without rows
/// goes to the row that lies farthest from its own centre.
struct LloydOptions {
  std::int64_t max_rounds = 300;
  double tolerance =
      1e-4;  ///< ends when Σ_j ‖centre_j − new centre_j‖² <= tolerance × the mean variance of a column (scikit-learn's rule), or no label changes
};

struct LloydResult {
  Eigen::MatrixXd centres;    ///< d × k
  Assignment assignment;      ///< of the final centres
  std::vector<double> costs;  ///< before every round, and the final one: never rising
  bool converged = false;
  std::string stop_reason;
};

LloydResult lloyd(const DataSet& data, Eigen::MatrixXd centres, const LloydOptions& options, Context& context);

}  // namespace buffon
