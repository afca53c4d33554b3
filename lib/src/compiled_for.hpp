// SPDX-License-Identifier: BSD-3-Clause
#pragma once

// Included by the kernel sources: the instruction set that they are being compiled for, from the compiler's own macros.

#if defined(__AVX512F__)
#define BUFFON_COMPILED_FOR "x86-64-v4"
#elif defined(__AVX2__)
#define BUFFON_COMPILED_FOR "x86-64-v3"
#else
#define BUFFON_COMPILED_FOR BUFFON_BASE_VARIANT
#endif

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"  // gcc 12 about registers that its own intrinsics leave undefined
#endif
