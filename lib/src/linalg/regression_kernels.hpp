// SPDX-License-Identifier: BSD-3-Clause
#pragma once

// Included by the kernel sources, which are compiled for several instruction sets: no library headers here.

#include <stdint.h>

namespace buffon {

inline constexpr uint64_t design_rows = 64;         ///< rows per block of a design; arrays over observations have a multiple of it
inline constexpr double missing_predictor = -1000;  ///< linear predictor that fills the last block; e^−1000 counts for nothing

/// η = c + (a p + b q) at the observations, on a plane of coefficients.
struct PredictorPlane {
  const double* c;
  const double* p;
  const double* q;
  double a, b;
};

/// Loops of regression densities as compiled for one instruction set; all variants give the same bits. n is a multiple of `design_rows`; arrays
/// are aligned to 64 bytes.
struct RegressionKernels {
  const char* compiled_for;
  /// out = X v. X in blocks of `design_rows` rows, each column by column.
  void (*product)(const double* x, uint64_t n, uint64_t d, const double* v, double* out);
  void (*predictors)(const PredictorPlane& plane, uint64_t n, double* eta);
  /// p ← a p + b q
  void (*turn)(double* p, const double* q, double a, double b, uint64_t n);
  /// −Σ log(1 + e^t), t = η with its sign changed where the sign bit of `flip` (y = 1) is set.
  double (*logistic)(const PredictorPlane& plane, const double* flip, uint64_t n);
  /// Σ y η − e^η; −∞ where an η is above 709.
  double (*poisson)(const PredictorPlane& plane, const double* y, uint64_t n);
  /// Σ (y − η)².
  double (*squares)(const PredictorPlane& plane, const double* y, uint64_t n);
};

/// The variant that `kernel_variant()` names.
const RegressionKernels& regression_kernels();

}  // namespace buffon
