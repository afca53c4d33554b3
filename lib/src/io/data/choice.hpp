// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/io/data_file.hpp>

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace buffon::io_detail {

/// Rows begin, begin + step, … before end.
struct RowRange {
  std::int64_t begin = 0, end = std::numeric_limits<std::int64_t>::max(), step = 1;

  bool all() const { return begin == 0 && end == std::numeric_limits<std::int64_t>::max() && step == 1; }
  bool holds(std::int64_t row) const { return row >= begin && row < end && (row - begin) % step == 0; }
  std::int64_t count(std::int64_t rows) const;
  /// @throws Error(data) when a source of so many rows lacks some of these
  void check(std::int64_t rows, const std::string& source) const;
  /// Numbers in the source of so many rows of the data set; empty where they are 0, 1, 2, …
  std::vector<std::int64_t> numbers(std::int64_t count) const;
};
/// @param text "begin:end" or "begin:end:step"; empty = all @throws Error(configuration)
RowRange parse_rows(const std::string& text);

/// Columns of a source that become columns of the data set.
struct ColumnChoice {
  std::vector<std::int64_t> used;  ///< in the order of the data set
  std::vector<std::string> names;  ///< theirs; empty = none
  std::int64_t weights = -1;       ///< column of the weights; −1 = none
  bool all = false;                ///< `used` is 0, 1, 2, … of the source

  std::int64_t count() const { return static_cast<std::int64_t>(used.size()); }
  /// Whether the columns stand side by side.
  bool adjacent() const;
  /// Of every column of the source its column in the data set, `count()` for the weights, −1 for none
  std::vector<std::int64_t> places(std::int64_t columns) const;
};
/// @param names of the source's columns; empty = it has none @throws Error(configuration) for columns that are not there, or twice
ColumnChoice choose_columns(const DataFileOptions& options, const std::vector<std::string>& names, std::int64_t columns, const std::string& source);

}  // namespace buffon::io_detail
