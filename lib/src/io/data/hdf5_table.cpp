// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/core/error.hpp>
#include <buffon/hdf5/hdf5.hpp>

#include <algorithm>
#include <limits>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include "table.hpp"

namespace buffon::io_detail {
namespace {

constexpr std::int64_t block_bytes = 1 << 25;

/// @tparam In what the library is asked for, @tparam T what is held
template <class In, class T>
Table read_as(Hdf5Array& array, const Request& request) {
  RowCollector<T> out(request, choose_columns(request.options, {}, array.columns(), request.source));
  const RowRange& range = request.rows;
  const std::int64_t d = out.choice().count(), end = std::min(range.end, array.rows()), kept = range.count(array.rows());
  out.reserve(kept);
  const std::int64_t row_bytes = product(array.columns(), sizeof(In), request.source);
  const std::int64_t block = std::clamp<std::int64_t>(block_bytes / row_bytes, 1, array.rows());
  if constexpr (std::is_same_v<In, T>) {
    if (out.choice().all && range.step == 1) {  // where they belong at once
      for (std::int64_t first = range.begin; first < end; first += block) {
        const std::int64_t rows = std::min(block, end - first);
        array.read(first, rows, out.append(rows));
      }
      return std::move(out).finish(kept, array.rows());
    }
  }
  Numbers<In> buffer(request.budget);
  buffer.append(product(block, array.columns(), request.source));
  const auto number = [&](std::int64_t i, std::int64_t first, std::int64_t j) {
    const In value = buffer[i * array.columns() + j];
    if constexpr (std::is_integral_v<In>) {
      constexpr std::int64_t most = std::int64_t{1} << std::numeric_limits<double>::digits;
      if (value > most || value < -most) {
        throw Error(ErrorCategory::data, {.doing = "reading " + request.source,
                                          .key = "row " + std::to_string(first + i) + ", column " + std::to_string(j) + " (both from 0)",
                                          .value = std::to_string(value),
                                          .rule = "is beyond 2^53, where double precision no longer holds every whole number",
                                          .remedy = "leave the column out, or subtract a constant from it"});
      }
    }
    return value;
  };
  for (std::int64_t first = range.begin; first < end; first += block) {
    const std::int64_t rows = std::min(block, end - first);
    array.read(first, rows, buffer.data());
    for (std::int64_t i = 0; i < rows; ++i) {
      if (!range.holds(first + i)) continue;
      T* to = out.append(1);
      for (std::int64_t k = 0; k < d; ++k) to[k] = static_cast<T>(number(i, first, out.choice().used[static_cast<std::size_t>(k)]));
      if (out.weighted()) *out.append_weights(1) = static_cast<double>(number(i, first, out.choice().weights));
    }
  }
  return std::move(out).finish(kept, array.rows());
}

}  // namespace

Table read_hdf5_table(Source& bytes, const Request& request, const std::filesystem::path& file) {
  std::optional<Numbers<char>> image;
  std::unique_ptr<Hdf5Array> array;
  if (file.empty()) {
    image = read_all(bytes, request.budget);
    request.budget.take(product(2, image->size(), request.source));  // copies that the library makes
    array = open_hdf5_bytes({image->data(), static_cast<std::size_t>(image->size())}, request.options.dataset, request.source);
  } else {
    array = open_hdf5_file(file.string(), request.options.dataset);
  }
  if (array->rows() == 0 || array->columns() == 0)
    throw Error(ErrorCategory::data, {.doing = "reading " + request.source, .rule = "the array is empty", .remedy = "choose another one with data.dataset"});
  request.rows.check(array->rows(), request.source);
  request.budget.take(array->working_bytes());
  request.budget.take(product(array->columns(), 3 * sizeof(std::int64_t), request.source));  // the choice of columns
  switch (array->type()) {
    case Hdf5Array::Type::single_precision:
      return read_as<float, float>(*array, request);
    case Hdf5Array::Type::whole_numbers:
      return read_as<std::int64_t, double>(*array, request);
    case Hdf5Array::Type::double_precision:
      break;
  }
  return read_as<double, double>(*array, request);
}

}  // namespace buffon::io_detail
