// SPDX-License-Identifier: BSD-3-Clause
#pragma once

// One element of every operation of a backend, for loops on the CPU and kernels on a device alike; contraction must be off. The order of every sum
// is written here or said in operations.h.

#include <buffon/backend/operations.h>
#include <buffon/random/scalar_kernels.hpp>

#include <stdint.h>

namespace buffon::backend::element {

BUFFON_SCALAR double infinity() { return scalar::double_of(0x7FF0000000000000u); }
BUFFON_SCALAR double not_a_number() { return scalar::double_of(0x7FF8000000000000u); }

/// Draws 2 `pair` and 2 `pair` + 1 of an item.
BUFFON_SCALAR scalar::Pair drawn_pair(buffon_law law, double constant, const buffon_key& key, uint64_t item, uint64_t pair) {
  if (law == BUFFON_CONSTANT) return {constant, constant};
  const scalar::Words w = scalar::item_words(key.key0, key.key1, key.id, item, static_cast<uint32_t>(pair));
  if (law == BUFFON_UNIFORM) return {scalar::uniform(w.w[0], w.w[1]), scalar::uniform(w.w[2], w.w[3])};
  return scalar::normal_pair(w.w[0], w.w[1], w.w[2], w.w[3]);
}

/// Draw `row` of an item.
BUFFON_SCALAR double drawn(buffon_law law, double constant, const buffon_key& key, uint64_t item, uint64_t row) {
  const scalar::Pair pair = drawn_pair(law, constant, key, item, row / 2);
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

/// Sum of the lanes, folded by halves.
BUFFON_SCALAR double folded(const double* lane) {
  const double a = lane[0] + lane[4], b = lane[1] + lane[5], c = lane[2] + lane[6], d = lane[3] + lane[7];
  return (a + c) + (b + d);
}

/// The larger of two, NaN where one is NaN.
BUFFON_SCALAR double larger(double most, double x) { return x > most || x != x ? x : most; }

/// One element of `apply`.
BUFFON_SCALAR double applied(buffon_function function, double x, double low, double high) {
  if (function == BUFFON_EXP) return scalar::exp(x);
  if (function == BUFFON_SILU) return x / (1 + scalar::exp(-x));
  if (function == BUFFON_GELU) return x * scalar::normal_cdf(x);
  if (function == BUFFON_CLAMP) return x < low ? low : (x > high ? high : x);
  // tanh |x| = (1 − e) / (1 + e), e = exp(−2 |x|), with the sign of x
  const uint64_t sign = uint64_t{1} << 63;
  const double e = scalar::exp(-2 * scalar::double_of(scalar::bits_of(x) & ~sign));
  return scalar::double_of(scalar::bits_of((1 - e) / (1 + e)) | (scalar::bits_of(x) & sign));
}

/// sum + a b, rounded once.
BUFFON_SCALAR float chained(float a, float b, float sum) { return __builtin_fmaf(a, b, sum); }
BUFFON_SCALAR double chained(double a, double b, double sum) { return __builtin_fma(a, b, sum); }

/// What a product leaves where `before` stands, which is not read where keep = 0.
template <class T>
BUFFON_SCALAR T kept(T sum, double factor, double keep, const T* before) {
  const T scaled = static_cast<T>(factor) * sum;
  return keep == 0 ? scaled : scaled + static_cast<T>(keep) * *before;
}

/// The point of target i of N that resampling looks for among the running sums of weights.
BUFFON_SCALAR double resampling_point(int64_t i, int64_t n, double u, double total) { return (static_cast<double>(i) + u) / static_cast<double>(n) * total; }

}  // namespace buffon::backend::element
