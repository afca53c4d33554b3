// SPDX-License-Identifier: BSD-3-Clause

// Loops of the backend `cpu`, compiled once per instruction set (lib/CMakeLists.txt); BUFFON_KERNELS names the namespace of this compilation. Every
// element is computed by the same operations in the same order whatever the vector width. Nothing with external linkage may enter from a header.

#include "../compiled_for.hpp"
#include "backend_kernels.hpp"

#if defined(__FMA__)
#include <immintrin.h>
#endif

namespace buffon::BUFFON_KERNELS {
namespace {

using backend::product_columns;
using backend::product_rows;

// ------------------------------------------------------------------------------------------------------------------
// linear combinations

template <class T, int count>
void combine_of(T* out, const T* const* x, const T* factors, int64_t n) {
  for (int64_t i = 0; i < n; ++i) {
    T sum = 0;
    for (int k = 0; k < count; ++k) sum += factors[k] * x[k][i];
    out[i] = sum;
  }
}

template <class T>
void combine(T* out, const T* const* x, const T* factors, int count, int64_t n) {
  // With the number of terms known the loop vectorises; sources may be the target, element by element.
  switch (count) {
    case 0:
      return combine_of<T, 0>(out, x, factors, n);
    case 1:
      return combine_of<T, 1>(out, x, factors, n);
    case 2:
      return combine_of<T, 2>(out, x, factors, n);
    case 3:
      return combine_of<T, 3>(out, x, factors, n);
    case 4:
      return combine_of<T, 4>(out, x, factors, n);
    case 5:
      return combine_of<T, 5>(out, x, factors, n);
    case 6:
      return combine_of<T, 6>(out, x, factors, n);
    default:
      for (int64_t i = 0; i < n; ++i) {
        T sum = 0;
        for (int k = 0; k < count; ++k) sum += factors[k] * x[k][i];
        out[i] = sum;
      }
  }
}

template <class T, int count>
void combine_rows_of(T* out, const T* const* x, const T* const* factors, int64_t n) {
  for (int64_t i = 0; i < n; ++i) {
    T sum = 0;
    for (int k = 0; k < count; ++k) sum += factors[k][i] * x[k][i];
    out[i] = sum;
  }
}

template <class T>
void combine_rows(T* out, const T* const* x, const T* const* factors, int count, int64_t n) {
  switch (count) {
    case 1:
      return combine_rows_of<T, 1>(out, x, factors, n);
    case 2:
      return combine_rows_of<T, 2>(out, x, factors, n);
    case 3:
      return combine_rows_of<T, 3>(out, x, factors, n);
    case 4:
      return combine_rows_of<T, 4>(out, x, factors, n);
    default:
      for (int64_t i = 0; i < n; ++i) {
        T sum = 0;
        for (int k = 0; k < count; ++k) sum += factors[k][i] * x[k][i];
        out[i] = sum;
      }
  }
}

template <class T>
void add_noise(T* out, const double* z, T factor, int64_t n) {
  for (int64_t i = 0; i < n; ++i) out[i] += factor * static_cast<T>(z[i]);
}

// ------------------------------------------------------------------------------------------------------------------
// reductions and the passes of a softmax

/// The largest or smallest number, the same in any order; NaN counts as none.
template <class T, bool largest>
double extreme(const T* x, int64_t n) {
  typedef T Vector __attribute__((vector_size(64), aligned(sizeof(T)), may_alias));
  constexpr int width = 64 / sizeof(T);
  constexpr T infinity = static_cast<T>(__builtin_inf()), none = largest ? -infinity : infinity;
  Vector best[4];
  for (Vector& lanes : best) lanes = none - Vector{};
  int64_t i = 0;
  for (; i + 4 * width <= n; i += 4 * width) {
    for (int k = 0; k < 4; ++k) {
      const Vector v = *reinterpret_cast<const Vector*>(x + i + k * width);
      best[k] = (largest ? v > best[k] : v < best[k]) ? v : best[k];
    }
  }
  T found = none;
  const auto take = [&](T v) { found = (largest ? v > found : v < found) ? v : found; };
  for (; i < n; ++i) take(x[i]);
  for (const Vector& lanes : best) {
    for (int l = 0; l < width; ++l) take(lanes[l]);
  }
  return static_cast<double>(found);
}

template <class T, class Term>
double lane_sum(const T* x, int64_t n, Term&& term) {
  constexpr int lanes = 8;
  double lane[lanes] = {};
  const int64_t whole = n / lanes * lanes;
  for (int64_t i = 0; i < whole; i += lanes) {
    for (int l = 0; l < lanes; ++l) lane[l] += term(static_cast<double>(x[i + l]));
  }
  for (int64_t i = whole; i < n; ++i) lane[i - whole] += term(static_cast<double>(x[i]));
  for (int half = lanes / 2; half > 0; half /= 2) {
    for (int l = 0; l < half; ++l) lane[l] += lane[l + half];
  }
  return lane[0];
}

template <class T>
double sum(const T* x, int64_t n, buffon_reduction reduction) {
  if (reduction == BUFFON_SUM_SQUARES) return lane_sum(x, n, [](double v) { return v * v; });
  if (reduction == BUFFON_NOT_FINITE) return lane_sum(x, n, [](double v) { return v - v == 0.0 ? 0.0 : 1.0; });
  return lane_sum(x, n, [](double v) { return v; });
}

template <class T>
void exponents(double* out, const T* x, double scale, double most, int64_t n) {
  for (int64_t i = 0; i < n; ++i) out[i] = scale * static_cast<double>(x[i]) - most;
}

template <class T>
void shares(T* out, const double* x, double total, int64_t n) {
  for (int64_t i = 0; i < n; ++i) out[i] = static_cast<T>(x[i] / total);
}

// ------------------------------------------------------------------------------------------------------------------
// products: a tile of rows × columns of sums stays in registers over the whole inner index

#if defined(__AVX512F__)
template <class T>
struct Lanes;
template <>
struct Lanes<float> {
  using V = __m512;
  static constexpr int width = 16;
  static V zero() { return _mm512_setzero_ps(); }
  static V load(const float* p) { return _mm512_loadu_ps(p); }
  static V all(float x) { return _mm512_set1_ps(x); }
  static V fma(V a, V b, V c) { return _mm512_fmadd_ps(a, b, c); }
  static void store(float* p, V v) { _mm512_storeu_ps(p, v); }
};
template <>
struct Lanes<double> {
  using V = __m512d;
  static constexpr int width = 8;
  static V zero() { return _mm512_setzero_pd(); }
  static V load(const double* p) { return _mm512_loadu_pd(p); }
  static V all(double x) { return _mm512_set1_pd(x); }
  static V fma(V a, V b, V c) { return _mm512_fmadd_pd(a, b, c); }
  static void store(double* p, V v) { _mm512_storeu_pd(p, v); }
};
constexpr int tile_vectors = 3, tile_columns = 8;
#elif defined(__FMA__)
template <class T>
struct Lanes;
template <>
struct Lanes<float> {
  using V = __m256;
  static constexpr int width = 8;
  static V zero() { return _mm256_setzero_ps(); }
  static V load(const float* p) { return _mm256_loadu_ps(p); }
  static V all(float x) { return _mm256_set1_ps(x); }
  static V fma(V a, V b, V c) { return _mm256_fmadd_ps(a, b, c); }
  static void store(float* p, V v) { _mm256_storeu_ps(p, v); }
};
template <>
struct Lanes<double> {
  using V = __m256d;
  static constexpr int width = 4;
  static V zero() { return _mm256_setzero_pd(); }
  static V load(const double* p) { return _mm256_loadu_pd(p); }
  static V all(double x) { return _mm256_set1_pd(x); }
  static V fma(V a, V b, V c) { return _mm256_fmadd_pd(a, b, c); }
  static void store(double* p, V v) { _mm256_storeu_pd(p, v); }
};
constexpr int tile_vectors = 3, tile_columns = 4;
#else
template <class T>
struct Lanes {
  using V = T;
  static constexpr int width = 1;
  static V zero() { return 0; }
  static V load(const T* p) { return *p; }
  static V all(T x) { return x; }
  static V fma(V a, V b, V c) {
    if constexpr (sizeof(T) == sizeof(float)) {
      return __builtin_fmaf(a, b, c);
    } else {
      return __builtin_fma(a, b, c);
    }
  }
  static void store(T* p, V v) { *p = v; }
};
constexpr int tile_vectors = 2, tile_columns = 4;
#endif

/// One tile of `vectors` vectors of rows.
template <class T, int vectors>
void product_tile(const T* a, const T* b, int64_t inner, T* sums) {
  using L = Lanes<T>;
  typename L::V sum[tile_columns][vectors];
#pragma GCC unroll 8
  for (int j = 0; j < tile_columns; ++j) {
#pragma GCC unroll 8
    for (int v = 0; v < vectors; ++v) sum[j][v] = L::zero();
  }
  for (int64_t k = 0; k < inner; ++k, a += product_rows, b += product_columns) {
    typename L::V va[vectors];
#pragma GCC unroll 8
    for (int v = 0; v < vectors; ++v) va[v] = L::load(a + v * L::width);
#pragma GCC unroll 8
    for (int j = 0; j < tile_columns; ++j) {
      const typename L::V vb = L::all(b[j]);
#pragma GCC unroll 8
      for (int v = 0; v < vectors; ++v) sum[j][v] = L::fma(va[v], vb, sum[j][v]);
    }
  }
#pragma GCC unroll 8
  for (int j = 0; j < tile_columns; ++j) {
#pragma GCC unroll 8
    for (int v = 0; v < vectors; ++v) L::store(sums + j * product_rows + v * L::width, sum[j][v]);
  }
}

template <class T>
void product(const T* a, const T* b, int64_t inner, int rows, T* sums) {
  constexpr int width = Lanes<T>::width;
  static_assert(product_rows % (tile_vectors * width) == 0 && product_columns % tile_columns == 0);
  for (int row = 0; row < rows; row += tile_vectors * width) {
    const int vectors = (rows - row + width - 1) / width;  // beyond them there is nothing but zeros
    for (int column = 0; column < product_columns; column += tile_columns) {
      T* out = sums + column * product_rows + row;
      if (vectors >= tile_vectors) {
        product_tile<T, tile_vectors>(a + row, b + column, inner, out);
      } else if (vectors == 1) {
        product_tile<T, 1>(a + row, b + column, inner, out);
      } else {
        product_tile<T, 2>(a + row, b + column, inner, out);
      }
    }
  }
}

}  // namespace

extern const backend::BackendKernels backend_loops;
const backend::BackendKernels backend_loops = {BUFFON_COMPILED_FOR,    combine<float>,    combine<double>,      combine_rows<float>,   combine_rows<double>,
                                               add_noise<float>,       add_noise<double>, extreme<float, true>, extreme<double, true>, extreme<float, false>,
                                               extreme<double, false>, sum<float>,        sum<double>,          exponents<float>,      exponents<double>,
                                               shares<float>,          shares<double>,    product<float>,       product<double>};

}  // namespace buffon::BUFFON_KERNELS
