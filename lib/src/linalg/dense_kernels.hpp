// SPDX-License-Identifier: BSD-3-Clause
#pragma once

// Included by the kernel sources, which are compiled for several instruction sets: no library headers here.

#include <stdint.h>

namespace buffon {

inline constexpr uint64_t sum_leaf = 4096;  ///< values per leaf of the summation tree
inline constexpr int tile_points = 32;      ///< points per tile; a tile holds coordinate i of its points at [i · 32, i · 32 + 32)

/// A number as an unevaluated sum, high + low.
struct DoubleDouble {
  double high, low;
};

/// Dense loops as compiled for one instruction set; all variants give the same bits.
struct DenseKernels {
  const char* compiled_for;
  /// Sums of complete leaves, one after the other: value i of a leaf goes to lane i mod 32, then the lanes are folded by halves.
  /// `in_memory` says that the values are probably in no cache and worth fetching ahead; it changes no bit.
  void (*leaf_sums)(const double* x, uint64_t leaves, bool in_memory, double* sums);
  /// The sum of a leaf of fewer than `sum_leaf` values, in the same order.
  double (*part_sum)(const double* x, uint64_t n);
  /// The sum of at most `sum_leaf` values with the rounding errors of every addition carried along.
  DoubleDouble (*compensated_sum_leaf)(const double* x, uint64_t n);
  /// out[p] = constant − ½ |L⁻¹ (x_p − mean)|² for the 32 points of a tile. `rows` holds the strict lower triangle of L row
  /// by row without gaps, `inverse_diagonal` 1 / L_ii; `z` is scratch for d · 32 values.
  void (*gaussian)(const double* tile, uint64_t d, const double* mean, const double* rows, const double* inverse_diagonal, double constant, double* z,
                   double* out);
  /// The same for a diagonal L.
  void (*diagonal_gaussian)(const double* tile, uint64_t d, const double* mean, const double* inverse_diagonal, double constant, double* out);
};

/// The variant that `kernel_variant()` names.
const DenseKernels& dense_kernels();

}  // namespace buffon
