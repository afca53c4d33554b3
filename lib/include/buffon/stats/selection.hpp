// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <Eigen/Core>

#include <cstdint>
#include <string>
#include <vector>

namespace buffon {

/// Rows chosen from a data set, and what follows from them. Written to files of their own, not to result.json.
struct Selection {
  std::vector<std::int64_t> rows;           ///< numbers in the source, from 0, in the order of the draws
  std::vector<double> weights = {};         ///< one for every chosen row; empty = none
  Eigen::MatrixXd centres = {};             ///< d × k, in the units that the method saw; empty = none
  std::vector<std::string> columns = {};    ///< d names of the rows of `centres`
  Eigen::VectorXd centre = {}, scale = {};  ///< d each: units of the source = centre + scale × units of the method; empty = the same
  std::vector<std::int64_t> all_rows = {};  ///< for labels of a part of the source: number in the source of every row used; empty = 0, 1, 2, …
  std::vector<std::int32_t> labels = {};    ///< of every row used: position in `rows` (or column of `centres`) of its nearest centre; empty = not asked for
  std::vector<float> distances = {};        ///< of every row used: Euclidean distance to that centre; empty = not asked for
};

}  // namespace buffon
