// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/core/types.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace buffon {

/// Independent samples, as the bytes that their file holds. Written to files of their own, not to result.json.
struct SampleSet {
  std::int64_t count = 0;
  Index dimension = 0;
  std::vector<std::int64_t> shape = {};           ///< of one sample: {dimension}, or {channels, height, width} of images
  bool single = true;                             ///< float32, else float64
  std::shared_ptr<const std::string> bytes = {};  ///< little-endian numbers, sample after sample
  bool image = false;

  /// Samples [first, first + n), one column each.
  Eigen::MatrixXd columns(std::int64_t first, std::int64_t n) const;
};

}  // namespace buffon
