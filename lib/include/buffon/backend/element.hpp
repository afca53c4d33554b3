// SPDX-License-Identifier: BSD-3-Clause
#pragma once

// One element of every operation of a backend, for loops on the CPU and kernels on a device alike; contraction must be off. The order of every sum
// is written here or said in operations.h.

#include <buffon/backend/operations.h>
#include <buffon/random/scalar_kernels.hpp>

#include <stdint.h>

namespace buffon::backend::element {

/// Draw `row` of an item.
BUFFON_SCALAR double drawn(buffon_law law, double constant, const buffon_key& key, uint64_t item, uint64_t row) {
  if (law == BUFFON_CONSTANT) return constant;
  const scalar::Words w = scalar::item_words(key.key0, key.key1, key.id, item, static_cast<uint32_t>(row / 2));
  if (law == BUFFON_UNIFORM) return row % 2 == 0 ? scalar::uniform(w.w[0], w.w[1]) : scalar::uniform(w.w[2], w.w[3]);
  const scalar::Pair pair = scalar::normal_pair(w.w[0], w.w[1], w.w[2], w.w[3]);
  return row % 2 == 0 ? pair.a : pair.b;
}

/// sum + factor x, the product and the sum rounded once each.
template <class T>
BUFFON_SCALAR T added(T sum, T factor, T x) {
  return sum + factor * x;
}

/// Factor of a term at (row, column), rounded to the type of the data.
template <class T>
BUFFON_SCALAR T factor_of(const buffon_term& term, int64_t row, int64_t column) {
  double factor = term.factor;
  if (term.rows_factor != nullptr) factor *= term.rows_factor[row];
  if (term.columns_factor != nullptr) factor *= term.columns_factor[column];
  return static_cast<T>(factor);
}

template <class T>
BUFFON_SCALAR const T* at(const buffon_view& view, int64_t row, int64_t column) {
  return static_cast<const T*>(view.data) + column * view.stride + row;
}
template <class T>
BUFFON_SCALAR T* to(const buffon_view& view, int64_t row, int64_t column) {
  return static_cast<T*>(view.data) + column * view.stride + row;
}

/// One element of `combine`, without and with noise.
template <class T>
BUFFON_SCALAR T combined(const buffon_term* terms, int count, int64_t row, int64_t column) {
  T sum = 0;
  for (int k = 0; k < count; ++k) sum = added(sum, factor_of<T>(terms[k], row, column), *at<T>(terms[k].source, row, column));
  return sum;
}

/// What a number adds to a reduction.
BUFFON_SCALAR double reduced(buffon_reduction reduction, double x) {
  if (reduction == BUFFON_SUM_SQUARES) return x * x;
  if (reduction == BUFFON_NOT_FINITE) return x - x == 0.0 ? 0.0 : 1.0;
  return x;
}

inline constexpr int lanes = 8;

}  // namespace buffon::backend::element
