// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/linalg/row_distance_kernels.hpp>

#include <buffon/random/kernel_variant.hpp>

namespace buffon {

namespace kernels_base {
extern const RowDistanceKernels<float> row_distance_float;
extern const RowDistanceKernels<double> row_distance_double;
}  // namespace kernels_base
#if defined(BUFFON_X86_KERNELS)
namespace kernels_v3 {
extern const RowDistanceKernels<float> row_distance_float;
extern const RowDistanceKernels<double> row_distance_double;
}  // namespace kernels_v3
namespace kernels_v4 {
extern const RowDistanceKernels<float> row_distance_float;
extern const RowDistanceKernels<double> row_distance_double;
}  // namespace kernels_v4
#endif

template <>
const RowDistanceKernels<float>& row_distance_kernels() {
#if defined(BUFFON_X86_KERNELS)
  const std::string_view wanted = kernel_variant();
  for (const auto* k : {&kernels_v4::row_distance_float, &kernels_v3::row_distance_float}) {
    if (wanted == k->compiled_for) return *k;
  }
#endif
  return kernels_base::row_distance_float;
}

template <>
const RowDistanceKernels<double>& row_distance_kernels() {
#if defined(BUFFON_X86_KERNELS)
  const std::string_view wanted = kernel_variant();
  for (const auto* k : {&kernels_v4::row_distance_double, &kernels_v3::row_distance_double}) {
    if (wanted == k->compiled_for) return *k;
  }
#endif
  return kernels_base::row_distance_double;
}

}  // namespace buffon
