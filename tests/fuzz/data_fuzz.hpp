// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/core/error.hpp>

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string_view>
#include <type_traits>
#include <variant>

#include "io/data/table.hpp"

namespace buffon::fuzz {

/// What a reader hands over holds the promises of its type.
inline void check(const DataSet& data) {
  if (data.rows() < 1 || data.columns() < 1) std::abort();
  std::visit(
      [](const auto& x) {
        if constexpr (requires { x.stride; }) {
          for (Index i = 0; i < x.rows; ++i) {
            for (Index j = 0; j < x.columns; ++j) {
              if (!std::isfinite(x.row(i)[j])) std::abort();
            }
          }
        } else {
          if (x.first[0] != 0) std::abort();
          for (Index i = 0; i < x.rows; ++i) {
            if (x.first[i + 1] < x.first[i]) std::abort();
            for (std::int64_t e = x.first[i]; e < x.first[i + 1]; ++e) {
              if (x.column[e] < 0 || x.column[e] >= x.columns || (e > x.first[i] && x.column[e] <= x.column[e - 1])) std::abort();
            }
          }
        }
      },
      data.numbers());
}

/// Reads the bytes with these options in little memory. Nothing but Error may come out.
inline void read(DataFileOptions options, std::string_view bytes) {
  try {
    io_detail::MemoryBudget budget("the data", std::int64_t{1} << 22);
    const io_detail::Request request{options, io_detail::parse_rows(options.rows), budget.source(), budget};
    check(*io_detail::scaled(io_detail::read_table(std::make_unique<io_detail::MemoryBytes>(bytes), {}, request), options.scale));
  } catch (const Error& error) {
    if (error.category() != ErrorCategory::data && error.category() != ErrorCategory::configuration) std::abort();
    if (std::string_view(error.what()).find('\n') != std::string_view::npos) std::abort();
  }
}

/// All of it; some of it; scaled.
inline int read_as(DataFormat format, const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  read({.format = format}, bytes);
  read({.format = format, .columns = {"2", "1"}, .rows = "1:4:2", .weights = "0"}, bytes);
  read({.format = format, .scale = DataScale::standardise}, bytes);
  return 0;
}

}  // namespace buffon::fuzz
