// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "table.hpp"

namespace buffon::io_detail {

/// Sparse rows that grow at the end. The entries of a row come in the order of their columns.
class SparseCollector {
 public:
  explicit SparseCollector(const Request& request);

  /// Zeros are left out.
  void entry(std::int64_t column, double value);
  void end_row();
  /// All entries at once, in any order. @param rows how many rows there are @throws Error(data) for two entries at one place
  void take_entries(std::int64_t rows, const Numbers<std::int32_t>& row, const Numbers<std::int32_t>& column, const Numbers<double>& value);

  /// Leaves out the columns that were not chosen, numbers the others anew and takes the weights out.
  /// @param columns of the source @param source_rows as in Table
  Table finish(std::int64_t columns, std::int64_t source_rows) &&;

 private:
  void keep(const ColumnChoice& choice, std::int64_t columns, std::vector<double>& weights);

  const Request& request_;
  Numbers<std::int64_t> first_;
  Numbers<std::int32_t> column_;
  Numbers<double> value_;
  std::int64_t rows_ = 0;
};

}  // namespace buffon::io_detail
