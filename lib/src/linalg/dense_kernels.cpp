// SPDX-License-Identifier: BSD-3-Clause
#include "dense_kernels.hpp"

#include <buffon/random/kernel_variant.hpp>

namespace buffon {

namespace kernels_base {
extern const DenseKernels dense;
}
#if defined(BUFFON_X86_KERNELS)
namespace kernels_v3 {
extern const DenseKernels dense;
}
namespace kernels_v4 {
extern const DenseKernels dense;
}
#endif

const DenseKernels& dense_kernels() {
#if defined(BUFFON_X86_KERNELS)
  const std::string_view wanted = kernel_variant();
  for (const DenseKernels* k : {&kernels_v4::dense, &kernels_v3::dense}) {
    if (wanted == k->compiled_for) return *k;
  }
#endif
  return kernels_base::dense;
}

}  // namespace buffon
