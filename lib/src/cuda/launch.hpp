// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/random/scalar_kernels.hpp>

#include <stdint.h>

// Nearly every thread has one element: counting the turns of its loop beforehand, to unroll it, would cost a division of 64-bit numbers.
#if defined(__CUDA_ARCH__)
#define BUFFON_ROLLED _Pragma("unroll 1")
#else
#define BUFFON_ROLLED
#endif

// How the threads of a device share the elements of a matrix. No CUDA here, so that the host runs the same arithmetic in tests.

namespace buffon::backend::cuda {

struct Launch {
  int threads_x, threads_y;  ///< of a block, along rows and columns
  int64_t blocks_x, blocks_y;
};

struct Place {
  int64_t block_x, block_y;
  int thread_x, thread_y;
};

inline constexpr int block_threads = 256;
inline constexpr int64_t most_blocks_x = 65536, most_blocks_y = 16384;  ///< beyond, threads take several elements

/// Blocks of 256 threads, as wide as the columns are long; for at least one element.
inline Launch launch_over(int64_t rows, int64_t columns) {
  Launch l{1, 1, 1, 1};
  while (l.threads_x < block_threads && l.threads_x < rows) l.threads_x *= 2;
  l.threads_y = block_threads / l.threads_x;
  const auto blocks = [](int64_t elements, int threads, int64_t most) {
    const int64_t wanted = (elements + threads - 1) / threads;
    return wanted < most ? wanted : most;
  };
  l.blocks_x = blocks(rows, l.threads_x, most_blocks_x);
  l.blocks_y = blocks(columns, l.threads_y, most_blocks_y);
  return l;
}

/// What one thread does: body(row, column) for its elements.
template <class Body>
BUFFON_SCALAR void elements_of(const Place& place, const Launch& launch, int64_t rows, int64_t columns, const Body& body) {
  BUFFON_ROLLED
  for (int64_t c = place.block_y * launch.threads_y + place.thread_y; c < columns; c += launch.blocks_y * launch.threads_y) {
    BUFFON_ROLLED
    for (int64_t r = place.block_x * launch.threads_x + place.thread_x; r < rows; r += launch.blocks_x * launch.threads_x) body(r, c);
  }
}

}  // namespace buffon::backend::cuda
