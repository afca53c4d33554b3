// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/samplers/row_distances.hpp>

#include <cstdint>
#include <memory>
#include <variant>
#include <vector>

namespace buffon {

/// A growing list of centres, rows themselves, against which single rows are tested: the newest first, since a row that was likely before is likely to
/// have been taken away by one of the last. Dense centres are kept in eights, centres in lanes; their squares are added column by column in the
/// precision of the data, so that a distance may differ from that of `RowDistances` in its last bits, and is 0 for equal rows.
class CentreScan {
 public:
  explicit CentreScan(std::shared_ptr<const RowDistances> distances);

  void clear();
  void add(Index centre);
  const std::vector<Index>& centres() const { return centres_; }

  /// Whether every centre is further from the row than `bound`, squared. Ends at the first eight of which one is not; with bound u B(row), 0 < u < 1,
  /// this is the event u B < min_c ‖x − c‖². Adds to `evaluations`. Thread-safe.
  bool beyond(Index row, double bound, std::int64_t& evaluations) const;
  /// Fetches the row into the cache.
  void prefetch(Index row) const;

 private:
  std::shared_ptr<const RowDistances> distances_;
  std::vector<Index> centres_;
  std::variant<std::vector<float>, std::vector<double>> lanes_;  ///< of every eight centres column after column; NaN where there is none
};

}  // namespace buffon
