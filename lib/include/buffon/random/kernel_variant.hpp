// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string_view>
#include <vector>

namespace buffon {

/// Instruction set of the number kernels in use: "x86-64" (SSE2), "x86-64-v3" (AVX2), "x86-64-v4" (AVX-512), or "portable" on
/// other processors; as told by the compiler's macros inside the kernels that run. The best one that the CPU has is chosen at
/// first use; the environment variable BUFFON_ISA, read once, forces another. All give the same bits.
std::string_view kernel_variant();

/// Variants that this build contains and this CPU can run, slowest first.
std::vector<std::string_view> available_kernel_variants();

/// Uses the named variant from now on, in the whole process. Throws a usage error when the build or the CPU lacks it.
void force_kernel_variant(std::string_view name);

}  // namespace buffon
