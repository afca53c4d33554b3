// SPDX-License-Identifier: BSD-3-Clause
#pragma once

// Included by the kernel sources, which are compiled for several instruction sets: no library headers here.

#include <stdint.h>

#include <buffon/backend/operations.h>

namespace buffon::backend {

inline constexpr int product_rows = 96;    ///< of a packed panel of A: a multiple of every vector tile
inline constexpr int product_columns = 8;  ///< of a packed panel of B

/// Loops of the backend `cpu` as compiled for one instruction set; all variants give the bits of cpu:reference.
struct BackendKernels {
  const char* compiled_for;
  /// out = 0 + Σ factor_k x_k, each product and sum rounded; `out` may be one of the x
  void (*combine_f32)(float* out, const float* const* x, const float* factors, int count, int64_t n);
  void (*combine_f64)(double* out, const double* const* x, const double* factors, int count, int64_t n);
  /// the same with a factor for every number
  void (*combine_rows_f32)(float* out, const float* const* x, const float* const* factors, int count, int64_t n);
  void (*combine_rows_f64)(double* out, const double* const* x, const double* const* factors, int count, int64_t n);
  /// out += factor (T) z
  void (*add_noise_f32)(float* out, const double* z, float factor, int64_t n);
  void (*add_noise_f64)(double* out, const double* z, double factor, int64_t n);
  /// the largest number, NaN left out, −∞ of nothing; the smallest, ∞ of nothing
  double (*largest_f32)(const float* x, int64_t n);
  double (*largest_f64)(const double* x, int64_t n);
  double (*smallest_f32)(const float* x, int64_t n);
  double (*smallest_f64)(const double* x, int64_t n);
  /// Σ of `element::reduced`, number i in lane i mod 8, the lanes folded by halves
  double (*sum_f32)(const float* x, int64_t n, buffon_reduction reduction);
  double (*sum_f64)(const double* x, int64_t n, buffon_reduction reduction);
  /// out = scale x − most
  void (*exponents_f32)(double* out, const float* x, double scale, double most, int64_t n);
  void (*exponents_f64)(double* out, const double* x, double scale, double most, int64_t n);
  /// out = x / total
  void (*shares_f32)(float* out, const double* x, double total, int64_t n);
  void (*shares_f64)(double* out, const double* x, double total, int64_t n);
  /// sums (rows × columns of panels, column by column) = Σ_k a[k][row] b[k][column], a chain of fused multiply-adds from 0; of
  /// the first `rows` rows of the panel at least
  void (*product_f32)(const float* a, const float* b, int64_t inner, int rows, float* sums);
  void (*product_f64)(const double* a, const double* b, int64_t inner, int rows, double* sums);
};

/// The variant that `kernel_variant()` names.
const BackendKernels& backend_kernels();

}  // namespace buffon::backend
