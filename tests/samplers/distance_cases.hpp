// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include <buffon/model/data_set.hpp>
#include <buffon/random/stream.hpp>

namespace buffon::test {

/// Rows of numbers of one kind, held by the data set.
template <class T>
std::shared_ptr<const DataSet> dense_rows(std::vector<T> numbers, Index rows, Index columns, std::vector<double> weights = {}) {
  auto held = std::make_shared<const std::vector<T>>(std::move(numbers));
  return std::make_shared<DataSet>(DenseRows<T>{held->data(), rows, columns, columns}, DataSet::About{.weights = std::move(weights), .storage = held});
}

/// The entries of dense rows that are not 0.
template <class T>
std::shared_ptr<const DataSet> sparse_rows(const std::vector<T>& numbers, Index rows, Index columns, std::vector<double> weights = {}) {
  struct Held {
    std::vector<std::int64_t> first = {0};
    std::vector<std::int32_t> column;
    std::vector<T> value;
  };
  auto held = std::make_shared<Held>();
  for (Index i = 0; i < rows; ++i) {
    for (Index j = 0; j < columns; ++j) {
      const T v = numbers[static_cast<std::size_t>(i * columns + j)];
      if (v == 0) continue;
      held->column.push_back(static_cast<std::int32_t>(j));
      held->value.push_back(v);
    }
    held->first.push_back(static_cast<std::int64_t>(held->value.size()));
  }
  return std::make_shared<DataSet>(SparseRows<T>{held->first.data(), held->column.data(), held->value.data(), rows, columns},
                                   DataSet::About{.weights = std::move(weights), .storage = held});
}

/// Normal numbers of several scales, every seventh row equal to the one before it, about `zeros` of the numbers 0.
template <class T>
std::vector<T> random_numbers(Index rows, Index columns, double zeros = 0) {
  const Stream stream(17);
  std::vector<double> z(static_cast<std::size_t>(rows * columns)), u(z.size());
  stream.child("numbers").fill_normals(0, z);
  stream.child("zeros").fill_uniforms(0, u);
  std::vector<T> x(z.size());
  for (Index i = 0; i < rows; ++i) {
    for (Index j = 0; j < columns; ++j) {
      const auto at = static_cast<std::size_t>(i * columns + j);
      x[at] = u[at] < zeros ? T{0} : static_cast<T>(z[at] * (j % 3 == 1 ? 100 : 1) + (i % 5 == 0 ? 10 : 0));
      if (i % 7 == 6) x[at] = x[at - static_cast<std::size_t>(columns)];
    }
  }
  return x;
}

inline std::vector<double> random_weights(Index rows) {
  std::vector<double> w(static_cast<std::size_t>(rows));
  Stream(18).fill_uniforms(0, w);
  for (std::size_t i = 0; i < w.size(); i += 10) w[i] = 0;
  return w;
}

/// The definition, written out: 8 lanes folded by halves, or one sum below 8 columns.
template <class T>
T defined_distance(const T* a, const T* b, Index d) {
  T lane[8] = {};
  for (Index j = 0; j < d; ++j) {
    const T u = a[j] - b[j];
    lane[d < 8 ? 0 : j % 8] += u * u;
  }
  return ((lane[0] + lane[4]) + (lane[2] + lane[6])) + ((lane[1] + lane[5]) + (lane[3] + lane[7]));
}

}  // namespace buffon::test
