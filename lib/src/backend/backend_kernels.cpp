// SPDX-License-Identifier: BSD-3-Clause
#include "backend_kernels.hpp"

#include <buffon/random/kernel_variant.hpp>

namespace buffon {

namespace kernels_base {
extern const backend::BackendKernels backend_loops;
}
#if defined(BUFFON_X86_KERNELS)
namespace kernels_v3 {
extern const backend::BackendKernels backend_loops;
}
namespace kernels_v4 {
extern const backend::BackendKernels backend_loops;
}
#endif

const backend::BackendKernels& backend::backend_kernels() {
#if defined(BUFFON_X86_KERNELS)
  const std::string_view wanted = kernel_variant();
  for (const BackendKernels* k : {&kernels_v4::backend_loops, &kernels_v3::backend_loops}) {
    if (wanted == k->compiled_for) return *k;
  }
#endif
  return kernels_base::backend_loops;
}

}  // namespace buffon
