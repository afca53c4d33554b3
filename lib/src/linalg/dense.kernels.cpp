// SPDX-License-Identifier: BSD-3-Clause

// Dense loops, compiled once per instruction set (lib/CMakeLists.txt); BUFFON_KERNELS names the namespace of this
// compilation. Every lane is computed by the same operations whatever the vector width, so the bits do not depend on it.
// Nothing with external linkage may enter from a header.

#include "../compiled_for.hpp"
#include "dense_kernels.hpp"

namespace buffon::BUFFON_KERNELS {
namespace {

#if defined(__AVX512F__)
constexpr int width = 8;
#elif defined(__AVX2__)
constexpr int width = 4;
#else
constexpr int width = 2;
#endif
typedef double Vector __attribute__((vector_size(width * sizeof(double))));

inline Vector load(const double* p) {
  Vector v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}
inline void store(double* p, Vector v) { __builtin_memcpy(p, &v, sizeof v); }
inline Vector all(double x) { return Vector{} + x; }

// x + y = s + (rounding error), exactly (Knuth's TwoSum).
template <class T>
inline T two_sum(T x, T y, T& error) {
  const T s = x + y, t = s - x;
  error = (x - (s - t)) + (y - t);
  return s;
}

// All 32 lanes are carried through one pass over the leaf; the carried vectors live in registers where there are enough.
constexpr int lanes = 32;

constexpr int vectors = lanes / width;

// Lanes by halves, from the 32 lanes down to one. Written with constant bounds so that the totals stay in registers.
inline double fold(Vector* total) {
#pragma GCC unroll 16
  for (int half = vectors / 2; half > 0; half /= 2) {
#pragma GCC unroll 16
    for (int v = 0; v < half; ++v) total[v] += total[v + half];
  }
  double lane[width];
  store(lane, total[0]);
#pragma GCC unroll 16
  for (int half = width / 2; half > 0; half /= 2) {
#pragma GCC unroll 16
    for (int l = 0; l < half; ++l) lane[l] += lane[l + half];
  }
  return lane[0];
}

constexpr int ahead = 512;  // values, a page: the processor's own prefetching stops where pages end

// The folding of a leaf overlaps with the additions of the next one.
template <bool prefetch>
inline void leaf_sums_of(const double* x, uint64_t leaves, double* sums) {
  for (uint64_t leaf = 0; leaf < leaves; ++leaf, x += sum_leaf) {
    Vector total[vectors];
#pragma GCC unroll 16
    for (int v = 0; v < vectors; ++v) total[v] = all(0);
#pragma GCC unroll 4
    for (uint64_t i = 0; i < sum_leaf; i += lanes) {
      if constexpr (prefetch) {
#pragma GCC unroll 16
        for (int l = 0; l < lanes; l += 8) __builtin_prefetch(x + i + l + ahead);
      }
#pragma GCC unroll 16
      for (int v = 0; v < vectors; ++v) total[v] += load(x + i + v * width);
    }
    sums[leaf] = fold(total);
  }
}

void leaf_sums(const double* x, uint64_t leaves, bool in_memory, double* sums) {
  if (in_memory) {
    leaf_sums_of<true>(x, leaves, sums);
  } else {
    leaf_sums_of<false>(x, leaves, sums);
  }
}

double part_sum(const double* x, uint64_t n) {
  Vector total[vectors];
  for (int v = 0; v < vectors; ++v) total[v] = all(0);
  const uint64_t full = n / lanes * lanes;
  for (uint64_t i = 0; i < full; i += lanes) {
    for (int v = 0; v < vectors; ++v) total[v] += load(x + i + v * width);
  }
  double rest[lanes] = {};
  for (uint64_t i = full; i < n; ++i) rest[i - full] = x[i];
  for (int v = 0; v < vectors; ++v) total[v] += load(rest + v * width);
  return fold(total);
}

// Passes of four vectors and their errors fit the registers; the lanes of a pass are independent of the others.
constexpr int pair_vectors = 4;
constexpr int pair_pass = pair_vectors * width;

DoubleDouble compensated_leaf_sum(const double* x, uint64_t n) {
  double high[lanes], low[lanes];
  const uint64_t full = n / lanes * lanes;
  for (int first = 0; first < lanes; first += pair_pass) {
    Vector s[pair_vectors], e[pair_vectors];
    for (int v = 0; v < pair_vectors; ++v) s[v] = e[v] = all(0);
    for (uint64_t i = 0; i < full; i += lanes) {
      for (int v = 0; v < pair_vectors; ++v) {
        Vector error;
        s[v] = two_sum(s[v], load(x + i + first + v * width), error);
        e[v] += error;
      }
    }
    for (int v = 0; v < pair_vectors; ++v) {
      store(high + first + v * width, s[v]);
      store(low + first + v * width, e[v]);
    }
  }
  double error;
  for (uint64_t i = full; i < n; ++i) {
    high[i - full] = two_sum(high[i - full], x[i], error);
    low[i - full] += error;
  }
  for (int half = lanes / 2; half > 0; half /= 2) {
    for (int l = 0; l < half; ++l) {
      high[l] = two_sum(high[l], high[l + half], error);
      low[l] += low[l + half] + error;
    }
  }
  return {high[0], low[0]};
}

constexpr int point_vectors = tile_points / width < 4 ? tile_points / width : 4;
constexpr int group = point_vectors * width;

// Forward substitution L z = x − mean, two rows of L at a time, `group` points in registers.
void gaussian(const double* tile, uint64_t d, const double* mean, const double* rows, const double* inverse_diagonal, double constant, double* z, double* out) {
  for (int first = 0; first < tile_points; first += group) {
    const double* x = tile + first;
    double* y = z + first;
    Vector q[point_vectors];
    for (int v = 0; v < point_vectors; ++v) q[v] = all(0);
    uint64_t i = 0;
    const double* row = rows;
    for (; i + 1 < d; i += 2) {
      const double* next = row + i;
      Vector a[point_vectors], b[point_vectors];
      for (int v = 0; v < point_vectors; ++v) a[v] = load(x + i * tile_points + v * width) - all(mean[i]);
      for (int v = 0; v < point_vectors; ++v) b[v] = load(x + (i + 1) * tile_points + v * width) - all(mean[i + 1]);
      for (uint64_t k = 0; k < i; ++k) {
        const Vector l = all(row[k]), m = all(next[k]);
        for (int v = 0; v < point_vectors; ++v) {
          const Vector w = load(y + k * tile_points + v * width);
          a[v] -= l * w;
          b[v] -= m * w;
        }
      }
      const Vector s = all(inverse_diagonal[i]), t = all(inverse_diagonal[i + 1]), m = all(next[i]);
      for (int v = 0; v < point_vectors; ++v) {
        a[v] *= s;
        b[v] = (b[v] - m * a[v]) * t;
        store(y + i * tile_points + v * width, a[v]);
        store(y + (i + 1) * tile_points + v * width, b[v]);
        q[v] = (q[v] + a[v] * a[v]) + b[v] * b[v];
      }
      row = next + i + 1;
    }
    if (i < d) {
      Vector a[point_vectors];
      for (int v = 0; v < point_vectors; ++v) a[v] = load(x + i * tile_points + v * width) - all(mean[i]);
      for (uint64_t k = 0; k < i; ++k) {
        const Vector l = all(row[k]);
        for (int v = 0; v < point_vectors; ++v) a[v] -= l * load(y + k * tile_points + v * width);
      }
      const Vector s = all(inverse_diagonal[i]);
      for (int v = 0; v < point_vectors; ++v) {
        a[v] *= s;
        q[v] += a[v] * a[v];
      }
    }
    for (int v = 0; v < point_vectors; ++v) store(out + first + v * width, all(constant) - all(0.5) * q[v]);
  }
}

void diagonal_gaussian(const double* tile, uint64_t d, const double* mean, const double* inverse_diagonal, double constant, double* out) {
  for (int first = 0; first < tile_points; first += group) {
    Vector q[point_vectors];
    for (int v = 0; v < point_vectors; ++v) q[v] = all(0);
    for (uint64_t i = 0; i < d; ++i) {
      const Vector m = all(mean[i]), s = all(inverse_diagonal[i]);
      for (int v = 0; v < point_vectors; ++v) {
        const Vector a = (load(tile + i * tile_points + first + v * width) - m) * s;
        q[v] += a * a;
      }
    }
    for (int v = 0; v < point_vectors; ++v) store(out + first + v * width, all(constant) - all(0.5) * q[v]);
  }
}

}  // namespace

extern const DenseKernels dense;
const DenseKernels dense = {BUFFON_COMPILED_FOR, leaf_sums, part_sum, compensated_leaf_sum, gaussian, diagonal_gaussian};

}  // namespace buffon::BUFFON_KERNELS
