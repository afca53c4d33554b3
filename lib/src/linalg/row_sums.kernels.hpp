// SPDX-License-Identifier: BSD-3-Clause
#pragma once

// Vectors of a register and sums of distances over rows, for row_distance.kernels.cpp: everything lies in the unnamed namespace of one
// instruction set.

#include <buffon/linalg/row_distance_kernels.hpp>

#if defined(__SSE2__)
#include <immintrin.h>
#endif

namespace buffon::BUFFON_KERNELS {
namespace {

#if defined(__AVX512F__)
constexpr int vector_bytes = 64;
#elif defined(__AVX2__)
constexpr int vector_bytes = 32;
#else
constexpr int vector_bytes = 16;
#endif

template <class T, int n>
struct VectorOf {
  typedef T type __attribute__((vector_size(n * sizeof(T))));
};
template <class T, int n>
using Vector = typename VectorOf<T, n>::type;

template <class T>
struct MaskOf;
template <>
struct MaskOf<float> {
  using type = int32_t;
};
template <>
struct MaskOf<double> {
  using type = int64_t;
};
template <class T>
using Mask = typename MaskOf<T>::type;

template <class V, class T>
inline V load(const T* p) {
  V v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}
template <class V, class T>
inline void store(T* p, V v) {
  __builtin_memcpy(p, &v, sizeof v);
}

template <class V>
inline bool any(V mask) {
#if defined(__AVX512F__)
  if constexpr (sizeof(V) == 64) return _mm512_test_epi32_mask((__m512i)mask, (__m512i)mask) != 0;
#endif
#if defined(__AVX2__)
  if constexpr (sizeof(V) == 32) return _mm256_testz_si256((__m256i)mask, (__m256i)mask) == 0;
#endif
#if defined(__SSE2__)
  if constexpr (sizeof(V) == 16) return _mm_movemask_epi8((__m128i)mask) != 0;
#endif
  uint64_t words[sizeof(V) / sizeof(uint64_t)], all = 0;
  __builtin_memcpy(words, &mask, sizeof mask);
  for (const uint64_t word : words) all |= word;
  return all != 0;
}

// Sums of lanes ---------------------------------------------------------------------------------------------------------

/// Lanes by halves.
inline double fold(Vector<double, 2> v) { return v[0] + v[1]; }
#if defined(__AVX2__)
inline double fold(Vector<double, 4> v) { return fold(__builtin_shufflevector(v, v, 0, 1) + __builtin_shufflevector(v, v, 2, 3)); }
#endif
#if defined(__AVX512F__)
inline double fold(Vector<double, 8> v) { return fold(__builtin_shufflevector(v, v, 0, 1, 2, 3) + __builtin_shufflevector(v, v, 4, 5, 6, 7)); }
#endif

constexpr int double_width = vector_bytes / int(sizeof(double));
constexpr int sum_lanes = 16;

template <class D, class V>
inline D widened(V v) {
#if defined(__AVX512F__)
  if constexpr (sizeof(V) == 32) return (D)_mm512_cvtps_pd((__m256)v);  // in one instruction, where gcc 12 makes four of __builtin_convertvector
#endif
  return __builtin_convertvector(v, D);
}

template <class T, bool weighted>
inline double leaf_sum_of(const T* squared, const double* weights) {
  using D = Vector<double, double_width>;
  using V = Vector<T, double_width>;
  constexpr int vectors = sum_lanes / double_width;
  D total[vectors];
#pragma GCC unroll 8
  for (int v = 0; v < vectors; ++v) {
    total[v] = D{};
#pragma GCC unroll 4
    for (int q = 0; q < leaf_rows; q += sum_lanes) {
      D x = widened<D>(load<V>(squared + q + v * double_width));
      if constexpr (weighted) x *= load<D>(weights + q + v * double_width);
      total[v] += x;
    }
  }
#pragma GCC unroll 8
  for (int half = vectors / 2; half > 0; half /= 2) {
#pragma GCC unroll 8
    for (int v = 0; v < half; ++v) total[v] += total[v + half];
  }
  return fold(total[0]);
}

template <class T>
double leaf_sum(const T* squared, const double* weights) {
  return weights == nullptr ? leaf_sum_of<T, false>(squared, weights) : leaf_sum_of<T, true>(squared, weights);
}

template <class T>
void leaf_sums(const T* squared, const double* weights, int64_t leaves, double* sums) {
  if (weights == nullptr) {
    for (int64_t i = 0; i < leaves; ++i) sums[i] = leaf_sum_of<T, false>(squared + i * leaf_rows, weights);
  } else {
    for (int64_t i = 0; i < leaves; ++i) sums[i] = leaf_sum_of<T, true>(squared + i * leaf_rows, weights + i * leaf_rows);
  }
}

}  // namespace
}  // namespace buffon::BUFFON_KERNELS
