// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/stats/outcome.hpp>

#include <string_view>

namespace buffon::report_detail {

/// A table of the outcome that has rows, and as many columns as a figure needs; null where there is none.
inline const Table* table_of(const Outcome& outcome, std::string_view name, Index columns) {
  const Table* table = outcome.table(name);
  return table != nullptr && table->rows.rows() > 0 && table->rows.cols() >= columns ? table : nullptr;
}

}  // namespace buffon::report_detail
