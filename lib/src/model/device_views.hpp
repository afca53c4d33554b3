// SPDX-License-Identifier: BSD-3-Clause
#pragma once

// Other ways to look at matrices on a device, and terms of `combine`.

#include <buffon/backend/backend.hpp>
#include <buffon/model/denoiser.hpp>

#include <buffon/core/error.hpp>

#include <algorithm>
#include <string>

namespace buffon::device {

/// What a model at work with memory for `most` columns is asked must fit there.
inline void check_columns(const std::string& model, const DenoiserCall& call, Index most) {
  const auto columns = static_cast<std::size_t>(call.x.columns);
  const auto refuse = [&](std::string key, std::size_t value, std::string rule, std::string remedy) {
    throw Error(
        ErrorCategory::usage,
        {.doing = "asking the model " + model, .key = std::move(key), .value = std::to_string(value), .rule = std::move(rule), .remedy = std::move(remedy)});
  };
  if (call.x.columns > most) refuse("columns", columns, "must be at most " + std::to_string(most), "give `on` the most columns of one call");
  if (call.levels.size() != 1 && call.levels.size() != columns) {
    refuse("levels", call.levels.size(), "must be 1 or " + std::to_string(columns), "give one for all columns, or one for each");
  }
  if (!call.labels.empty() && call.labels.size() != columns) {
    refuse("labels", call.labels.size(), "must be 0 or " + std::to_string(columns), "give none, or one for each column");
  }
}

inline Index size_of(buffon_type type) { return type == BUFFON_F64 ? 8 : 4; }

inline backend::View columns(backend::View view, Index first, Index count) {
  view.data = static_cast<char*>(view.data) + first * view.stride * size_of(view.type);
  view.columns = count;
  return view;
}
inline backend::View rows(backend::View view, Index first, Index count) {
  view.data = static_cast<char*>(view.data) + first * size_of(view.type);
  view.rows = count;
  return view;
}
/// The numbers of a matrix in one piece, in columns of another length.
inline backend::View reshaped(const backend::View& view, Index rows) { return {view.data, rows, view.rows * view.columns / rows, rows, view.type}; }
/// The first column again and again.
inline backend::View repeated(backend::View view, Index count) {
  view.columns = count;
  view.stride = 0;
  return view;
}

/// Numbers of the host in a matrix of their own.
inline backend::Matrix uploaded(backend::Queue& queue, const ConstMatrix& values, buffon_type type) {
  backend::Matrix matrix(queue.device(), values.rows(), values.cols(), type);
  queue.upload(matrix, values);
  return matrix;
}

/// The numbers of a column of an f64 matrix, as factors.
inline const double* factors(const backend::Matrix& matrix, Index column = 0) {
  return static_cast<const double*>(matrix.view().data) + column * matrix.view().stride;
}

inline buffon_term term(const backend::View& source, double factor) { return {source, factor, nullptr, nullptr}; }
inline buffon_term rows_times(const backend::View& source, const double* of_rows) { return {source, 1, of_rows, nullptr}; }
inline buffon_term columns_times(const backend::View& source, const double* of_columns) { return {source, 1, nullptr, of_columns}; }

/// body(first, count, level) for pieces of at most `most` columns that share a level.
template <class Body>
void for_levels(const DenoiserCall& call, Index most, Body&& body) {
  const bool common = call.levels.size() == 1;
  const auto same = [](const NoiseLevel& a, const NoiseLevel& b) { return a.alpha == b.alpha && a.sigma == b.sigma; };
  for (Index first = 0; first < call.x.columns;) {
    const NoiseLevel& level = call.levels[common ? 0 : static_cast<std::size_t>(first)];
    const Index end = std::min(call.x.columns, first + most);
    Index last = common ? end : first + 1;
    while (last < end && same(call.levels[static_cast<std::size_t>(last)], level)) ++last;
    body(first, last - first, level);
    first = last;
  }
}

}  // namespace buffon::device
