// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/backend/backend.hpp>

#include <span>
#include <string>
#include <vector>

#include <buffon/core/error.hpp>

namespace buffon {

/// Factors of every column, several kinds of them, on the device.
class ColumnFactors {
 public:
  ColumnFactors(backend::Queue& queue, Index columns, Index kinds)
      : values(Eigen::MatrixXd::Zero(columns, kinds)), queue_(&queue), device_(queue.device(), columns, kinds, BUFFON_F64) {}
  Eigen::MatrixXd values;  ///< columns × kinds
  void send() { queue_->upload(device_, values); }
  buffon_term term(backend::View source, Index kind, double factor = 1) const {
    return {source, factor, nullptr, static_cast<const double*>(device_.columns(kind, 1).data)};
  }

 private:
  backend::Queue* queue_;
  backend::Matrix device_;
};

inline buffon_term plain_term(backend::View source, double factor = 1) { return {source, factor, nullptr, nullptr}; }

/// @throws Error(usage) for states that a driver has no room for
inline void check_states(const char* driver, backend::View x, Index rows, Index columns) {
  if (x.rows == rows && x.columns <= columns) return;
  throw Error(ErrorCategory::usage, {.doing = std::string("running the driver ") + driver,
                                     .key = "x",
                                     .value = std::to_string(x.rows) + " x " + std::to_string(x.columns),
                                     .rule = "must have " + std::to_string(rows) + " rows and at most " + std::to_string(columns) + " columns",
                                     .remedy = "make the driver for the largest batch"});
}

inline backend::View first_columns(backend::View view, Index count) {
  view.columns = count;
  return view;
}
inline backend::View column_of(backend::View view, Index column) {
  const Index size = view.type == BUFFON_F64 ? 8 : 4;
  view.data = static_cast<char*>(view.data) + column * view.stride * size;
  view.columns = 1;
  return view;
}
inline void copy(backend::Queue& queue, backend::View to, backend::View from) {
  const std::vector<buffon_term> terms = {plain_term(from)};
  queue.combine(to, terms);
}
/// target column c ← source column index[c]
inline void gather(backend::Queue& queue, backend::View target, backend::View source, backend::View index, const std::vector<std::int32_t>& columns) {
  Eigen::MatrixXd numbers(1, static_cast<Index>(columns.size()));
  for (std::size_t c = 0; c < columns.size(); ++c) numbers(0, static_cast<Index>(c)) = columns[c];
  queue.upload(first_columns(index, numbers.cols()), numbers);
  queue.gather(first_columns(target, numbers.cols()), source, first_columns(index, numbers.cols()));
}

}  // namespace buffon
