// SPDX-License-Identifier: BSD-3-Clause
#pragma once

// Included by the kernel sources, which are compiled for several instruction sets: no library headers here.

#include <stdint.h>

namespace buffon {

struct KernelStream {
  uint32_t key0, key1, id;
};

/// The number kernels as compiled for one instruction set.
struct KernelTable {
  const char* compiled_for;  ///< from the compiler's own macros, not from the build system
  void (*words)(const KernelStream&, uint64_t first, uint64_t items, uint64_t rows, uint64_t* out, uint64_t stride);
  void (*uniforms)(const KernelStream&, uint64_t first, uint64_t items, uint64_t rows, double* out, uint64_t stride);
  void (*normals)(const KernelStream&, uint64_t first, uint64_t items, uint64_t rows, double* out, uint64_t stride);
  void (*inverse_normals)(const KernelStream&, uint64_t first, uint64_t items, uint64_t rows, double* out, uint64_t stride);
  void (*exp)(const double* x, double* y, uint64_t n);
  void (*log)(const double* x, double* y, uint64_t n);
  void (*sin)(const double* x, double* y, uint64_t n);  ///< for |x| ≤ 1e6
  void (*cos)(const double* x, double* y, uint64_t n);  ///< for |x| ≤ 1e6
  void (*normal_cdf)(const double* x, double* y, uint64_t n);
  void (*log_normal_cdf)(const double* x, double* y, uint64_t n);  ///< for x ≥ −20
};

/// The table in use; see <buffon/random/kernel_variant.hpp>.
const KernelTable& kernels();

}  // namespace buffon
