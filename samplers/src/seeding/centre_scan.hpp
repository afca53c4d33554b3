// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/samplers/row_distances.hpp>

#include <cstdint>
#include <memory>
#include <vector>

namespace buffon {

/// A growing list of centres, rows themselves, against which single rows are tested: the newest first, since a row that was likely before is likely to
/// have been taken away by one of the last.
class CentreScan {
 public:
  explicit CentreScan(std::shared_ptr<const RowDistances> distances) : distances_(std::move(distances)) {}

  void clear() { centres_.clear(); }
  void add(Index centre) { centres_.push_back(centre); }
  const std::vector<Index>& centres() const { return centres_; }

  /// Whether every centre is further from the row than `bound`, squared. Ends at the first that is not; with bound u B(row), 0 < u < 1,
  /// this is the event u B < min_c ‖x − c‖². Adds to `evaluations`. Thread-safe.
  bool beyond(Index row, double bound, std::int64_t& evaluations) const;

 private:
  std::shared_ptr<const RowDistances> distances_;
  std::vector<Index> centres_;
};

}  // namespace buffon
