// SPDX-License-Identifier: BSD-3-Clause
#include "regression_kernels.hpp"

#include <buffon/random/kernel_variant.hpp>

namespace buffon {

namespace kernels_base {
extern const RegressionKernels regression;
}
#if defined(BUFFON_X86_KERNELS)
namespace kernels_v3 {
extern const RegressionKernels regression;
}
namespace kernels_v4 {
extern const RegressionKernels regression;
}
#endif

const RegressionKernels& regression_kernels() {
#if defined(BUFFON_X86_KERNELS)
  const std::string_view wanted = kernel_variant();
  for (const RegressionKernels* k : {&kernels_v4::regression, &kernels_v3::regression}) {
    if (wanted == k->compiled_for) return *k;
  }
#endif
  return kernels_base::regression;
}

}  // namespace buffon
