// SPDX-License-Identifier: BSD-3-Clause
#pragma once

// Included by the kernel sources, which are compiled for several instruction sets: no library headers here.

#include <stdint.h>

namespace buffon {

inline constexpr int64_t distance_lanes = 8;  ///< rows of so many columns or more add their squares in lanes
inline constexpr int64_t tile_rows = 16;      ///< rows per tile; a tile holds column j of its rows at [16 j, 16 j + 16)
inline constexpr int64_t leaf_rows = 64;      ///< rows per leaf of sums of distances, four tiles

/// Squared Euclidean distances between rows of d numbers: column j goes to lane j mod 8 and the lanes are folded by halves; for d < 8 one sum from the
/// first column to the last. Compiled for one instruction set; all variants and all functions give the same bits. `centres` stand one after the
/// other, d numbers each.
template <class T>
struct RowDistanceKernels {
  const char* compiled_for;
  T (*pair)(const T* a, const T* b, int64_t d);
  /// D ← min(D, distance to the centre) for n rows that begin `stride` numbers apart; d >= 8. Labels, unless null, become `label` where D is lowered.
  /// `changed`, unless null, has a place for every 64 rows, which becomes 1 where a D is lowered.
  /// Numbers are read, though not used, up to 7 places beyond the end of a row if `beyond` allows it.
  void (*lower_rows)(const T* rows, int64_t stride, int64_t n, int64_t d, bool beyond, const T* centre, T* squared, int32_t* labels, int32_t label,
                     uint8_t* changed);
  /// n <= 16 rows into a tile, which is filled up with copies of the last.
  void (*gather)(const T* rows, int64_t stride, int64_t n, int64_t d, T* tile);
  /// The same minimum for the rows of `tiles` consecutive tiles and all centres in their order; centre c has label first_label + c.
  void (*lower_tiles)(const T* tile, int64_t tiles, int64_t d, const T* centres, int64_t count, T* squared, int32_t* labels, int32_t first_label,
                      uint8_t* changed);
  /// totals[c] = Σ w_i min(D_i, distance to centre c) over the 64 rows of four tiles, summed as by `leaf_sums`.
  void (*leaf_totals)(const T* tile, int64_t d, const T* centres, int64_t count, const T* squared, const double* weights, double* totals);
  /// sums[l] = Σ w_i D_i of every leaf, in double: row i of the leaf goes to lane i mod 16, lanes are folded by halves. Weights are all 1 if null.
  void (*leaf_sums)(const T* squared, const double* weights, int64_t leaves, double* sums);
};

/// The variant that `kernel_variant()` names; T is float or double.
template <class T>
const RowDistanceKernels<T>& row_distance_kernels();

}  // namespace buffon
