// SPDX-License-Identifier: BSD-3-Clause

// Distances between rows, compiled once per instruction set as dense.kernels.cpp is. Nothing with external linkage may enter from a header.

#include <buffon/linalg/row_distance_kernels.hpp>

#include "../compiled_for.hpp"
#include "row_sums.kernels.hpp"

namespace buffon::BUFFON_KERNELS {
namespace {

// Rows in one piece -----------------------------------------------------------------------------------------------------

constexpr int lanes = int(distance_lanes);

#if defined(__AVX512VL__)
/// The first n of 8 numbers, 0 < n < 8, and zeros; nothing beyond is read.
inline Vector<float, 8> load_some(const float* p, int64_t n) { return (Vector<float, 8>)_mm256_maskz_loadu_ps(static_cast<__mmask8>((1u << n) - 1), p); }
inline Vector<double, 8> load_some(const double* p, int64_t n) { return (Vector<double, 8>)_mm512_maskz_loadu_pd(static_cast<__mmask8>((1u << n) - 1), p); }
#elif defined(__AVX2__)
inline Vector<float, 8> load_some(const float* p, int64_t n) {
  static constexpr int32_t mask[16] = {-1, -1, -1, -1, -1, -1, -1, -1};
  return (Vector<float, 8>)_mm256_maskload_ps(p, (__m256i)load<Vector<int32_t, 8>>(mask + 8 - n));
}
#endif

/// The 8 lanes of one row.
template <class T>
struct Lanes {
  static constexpr int width = vector_bytes / int(sizeof(T)) < lanes ? vector_bytes / int(sizeof(T)) : lanes;
  static constexpr int vectors = lanes / width;
  using V = Vector<T, width>;
  using M = Vector<Mask<T>, width>;
  V v[vectors];

  void clear() {
#pragma GCC unroll 8
    for (int i = 0; i < vectors; ++i) v[i] = V{};
  }
  void add(const T* a, const T* b) {
#pragma GCC unroll 8
    for (int i = 0; i < vectors; ++i) {
      const V u = load<V>(a + i * width) - load<V>(b + i * width);
      v[i] += u * u;
    }
  }
  /// The lanes whose mask is set.
  void add(const T* a, const T* b, const M* used) {
#pragma GCC unroll 8
    for (int i = 0; i < vectors; ++i) {
      const V u = reinterpret_cast<V>(reinterpret_cast<M>(load<V>(a + i * width) - load<V>(b + i * width)) & used[i]);
      v[i] += u * u;
    }
  }
  void add_some(const T* a, const T* b, int64_t n) {
#if defined(__AVX512VL__) || defined(__AVX2__)
    if constexpr (vectors == 1) {
      const V u = load_some(a, n) - load_some(b, n);
      v[0] += u * u;
      return;
    }
#endif
    T rest[lanes] = {};
    for (int64_t j = 0; j < n; ++j) rest[j] = a[j] - b[j];
#pragma GCC unroll 8
    for (int i = 0; i < vectors; ++i) {
      const V u = load<V>(rest + i * width);
      v[i] += u * u;
    }
  }
  T fold() const {
    V w[vectors];
#pragma GCC unroll 8
    for (int i = 0; i < vectors; ++i) w[i] = v[i];
#pragma GCC unroll 8
    for (int half = vectors / 2; half > 0; half /= 2) {
#pragma GCC unroll 8
      for (int i = 0; i < half; ++i) w[i] += w[i + half];
    }
    if constexpr (width == 8) {
      using H = Vector<T, 4>;
      const H h = __builtin_shufflevector(w[0], w[0], 0, 1, 2, 3) + __builtin_shufflevector(w[0], w[0], 4, 5, 6, 7);
      return (h[0] + h[2]) + (h[1] + h[3]);
    } else if constexpr (width == 4) {
      return (w[0][0] + w[0][2]) + (w[0][1] + w[0][3]);
    } else {
      return w[0][0] + w[0][1];
    }
  }
};

template <class T>
T pair(const T* a, const T* b, int64_t d) {
  if (d < lanes) {
    T sum = 0;
    for (int64_t j = 0; j < d; ++j) sum += (a[j] - b[j]) * (a[j] - b[j]);
    return sum;
  }
  Lanes<T> total;
  total.clear();
  const int64_t full = d / lanes * lanes;
  for (int64_t j = 0; j < full; j += lanes) total.add(a + j, b + j);
  if (full < d) total.add_some(a + full, b + full, d - full);
  return total.fold();
}

/// Folds the lanes of `width` rows at once; row r goes to place r.
template <class T, int width>
struct Folded {
  static Vector<T, width> of(const Lanes<T>* total) {
    Vector<T, width> out;
#pragma GCC unroll 8
    for (int r = 0; r < width; ++r) out[r] = total[r].fold();
    return out;
  }
};

#if defined(__AVX2__)
// Two rows of four lanes each in one vector, then four of two, then eight.
template <>
struct Folded<float, 8> {
  using V = Vector<float, 8>;
  static V of(const Lanes<float>* total) {
    V u[4];
#pragma GCC unroll 4
    for (int r = 0; r < 4; ++r) {
      const V a = total[r].v[0], b = total[r + 4].v[0];
      u[r] = __builtin_shufflevector(a, b, 0, 1, 2, 3, 8, 9, 10, 11) + __builtin_shufflevector(a, b, 4, 5, 6, 7, 12, 13, 14, 15);
    }
    const V a = __builtin_shufflevector(u[0], u[1], 0, 1, 8, 9, 4, 5, 12, 13) + __builtin_shufflevector(u[0], u[1], 2, 3, 10, 11, 6, 7, 14, 15);
    const V b = __builtin_shufflevector(u[2], u[3], 0, 1, 8, 9, 4, 5, 12, 13) + __builtin_shufflevector(u[2], u[3], 2, 3, 10, 11, 6, 7, 14, 15);
    return __builtin_shufflevector(a, b, 0, 2, 8, 10, 4, 6, 12, 14) + __builtin_shufflevector(a, b, 1, 3, 9, 11, 5, 7, 13, 15);
  }
};
#else
template <>
struct Folded<float, 4> {
  using V = Vector<float, 4>;
  static V of(const Lanes<float>* total) {
    V u[4];
#pragma GCC unroll 4
    for (int r = 0; r < 4; ++r) u[r] = total[r].v[0] + total[r].v[1];
    const V a = __builtin_shufflevector(u[0], u[1], 0, 1, 4, 5) + __builtin_shufflevector(u[0], u[1], 2, 3, 6, 7);
    const V b = __builtin_shufflevector(u[2], u[3], 0, 1, 4, 5) + __builtin_shufflevector(u[2], u[3], 2, 3, 6, 7);
    return __builtin_shufflevector(a, b, 0, 2, 4, 6) + __builtin_shufflevector(a, b, 1, 3, 5, 7);
  }
};
#endif

template <class T, bool labelled>
inline void lower_one(T distance, T* squared, int32_t* labels, int32_t label, uint8_t* changed) {
  if (!(distance < *squared)) return;
  if (changed != nullptr) *changed = 1;
  *squared = distance;
  if constexpr (labelled) *labels = label;
}

// The processor's own prefetching stops where pages end: numbers are fetched two pages ahead.
template <class T>
constexpr int64_t two_pages = 8192 / int64_t(sizeof(T));

/// `shortest`: rows of 8 columns without gaps.
template <class T, bool labelled, bool shortest>
void lower_rows_of(const T* rows, int64_t stride, int64_t n, int64_t d, bool beyond, const T* centre, T* squared, int32_t* labels, int32_t label,
                   uint8_t* changed) {
  if constexpr (shortest) stride = d = lanes;
  using L = Lanes<T>;
  constexpr int rows_at_once = L::width;
  using V = typename L::V;
  const int64_t full = d / lanes * lanes, rest = d - full;
  T last[lanes] = {};
  Mask<T> used[lanes] = {};
  for (int64_t j = 0; j < rest; ++j) {
    last[j] = centre[full + j];
    used[j] = -1;
  }
  typename L::M mask[L::vectors];
  for (int i = 0; i < L::vectors; ++i) mask[i] = load<typename L::M>(used + i * L::width);
  // The last row of all may end where the memory does.
  const int64_t whole = (rest == 0 || beyond ? n : n - 1) / rows_at_once * rows_at_once;
  constexpr int together = rows_at_once < 4 ? rows_at_once : 4;
  // At least the rows that come next.
  const int64_t ahead = together * stride > two_pages<T> ? together * stride : two_pages<T>;
  int64_t i = 0;
  for (; i < whole; i += rows_at_once) {
    L total[rows_at_once];
#pragma GCC unroll 2
    for (int first = 0; first < rows_at_once; first += together) {
      const T* row = rows + (i + first) * stride;
      L sum[together];
#pragma GCC unroll 4
      for (int r = 0; r < together; ++r) sum[r].clear();
      for (int64_t j = 0; j < full; j += lanes) {
#pragma GCC unroll 4
        for (int r = 0; r < together; ++r) {
          if (!shortest || r * lanes * int(sizeof(T)) % 64 == 0) __builtin_prefetch(row + r * stride + j + ahead);
          sum[r].add(row + r * stride + j, centre + j);
        }
      }
      if (rest > 0) {
#pragma GCC unroll 4
        for (int r = 0; r < together; ++r) sum[r].add(row + r * stride + full, last, mask);
      }
#pragma GCC unroll 4
      for (int r = 0; r < together; ++r) total[first + r] = sum[r];
    }
    __builtin_prefetch(squared + i + two_pages<T>);
    const V distance = Folded<T, rows_at_once>::of(total), before = load<V>(squared + i);
    const auto lower = distance < before;
    if (!any(lower)) continue;
    if (changed != nullptr) changed[i / leaf_rows] = 1;
    store(squared + i, lower ? distance : before);
    if constexpr (labelled) {
      for (int r = 0; r < rows_at_once; ++r) {
        if (lower[r] != 0) labels[i + r] = label;
      }
    }
  }
  for (; i < n; ++i)
    lower_one<T, labelled>(pair(rows + i * stride, centre, d), squared + i, labels + i, label, changed == nullptr ? nullptr : changed + i / leaf_rows);
}

template <class T>
void lower_rows(const T* rows, int64_t stride, int64_t n, int64_t d, bool beyond, const T* centre, T* squared, int32_t* labels, int32_t label,
                uint8_t* changed) {
  const bool shortest = d == lanes && stride == lanes;
  const auto pass = labels == nullptr ? (shortest ? lower_rows_of<T, false, true> : lower_rows_of<T, false, false>)
                                      : (shortest ? lower_rows_of<T, true, true> : lower_rows_of<T, true, false>);
  pass(rows, stride, n, d, beyond, centre, squared, labels, label, changed);
}

// Points in lanes -------------------------------------------------------------------------------------------------------

template <class T>
inline void gather_columns(const T* rows, int64_t stride, int64_t d, T* tile) {
  for (int64_t j = 0; j < d; ++j) {
#pragma GCC unroll 16
    for (int r = 0; r < tile_rows; ++r) tile[j * tile_rows + r] = rows[r * stride + j];
  }
}

/// Transposes a square.
#if defined(__AVX2__)
constexpr int square = 8;
inline void transpose(const float* rows, int64_t stride, float* columns) {
  using V = Vector<float, 8>;
  V x[8], y[8];
#pragma GCC unroll 8
  for (int r = 0; r < 8; ++r) x[r] = load<V>(rows + r * stride);
#pragma GCC unroll 4
  for (int r = 0; r < 8; r += 2) {
    y[r] = __builtin_shufflevector(x[r], x[r + 1], 0, 8, 1, 9, 4, 12, 5, 13);
    y[r + 1] = __builtin_shufflevector(x[r], x[r + 1], 2, 10, 3, 11, 6, 14, 7, 15);
  }
#pragma GCC unroll 2
  for (int r = 0; r < 8; r += 4) {
#pragma GCC unroll 2
    for (int h = 0; h < 2; ++h) {
      x[r + 2 * h] = __builtin_shufflevector(y[r + h], y[r + h + 2], 0, 1, 8, 9, 4, 5, 12, 13);
      x[r + 2 * h + 1] = __builtin_shufflevector(y[r + h], y[r + h + 2], 2, 3, 10, 11, 6, 7, 14, 15);
    }
  }
#pragma GCC unroll 4
  for (int c = 0; c < 4; ++c) {
    store(columns + c * tile_rows, __builtin_shufflevector(x[c], x[c + 4], 0, 1, 2, 3, 8, 9, 10, 11));
    store(columns + (c + 4) * tile_rows, __builtin_shufflevector(x[c], x[c + 4], 4, 5, 6, 7, 12, 13, 14, 15));
  }
}
#else
constexpr int square = 4;
inline void transpose(const float* rows, int64_t stride, float* columns) {
  using V = Vector<float, 4>;
  const V a = load<V>(rows), b = load<V>(rows + stride), c = load<V>(rows + 2 * stride), d = load<V>(rows + 3 * stride);
  const V p = __builtin_shufflevector(a, b, 0, 4, 1, 5), q = __builtin_shufflevector(a, b, 2, 6, 3, 7);
  const V r = __builtin_shufflevector(c, d, 0, 4, 1, 5), s = __builtin_shufflevector(c, d, 2, 6, 3, 7);
  store(columns, __builtin_shufflevector(p, r, 0, 1, 4, 5));
  store(columns + tile_rows, __builtin_shufflevector(p, r, 2, 3, 6, 7));
  store(columns + 2 * tile_rows, __builtin_shufflevector(q, s, 0, 1, 4, 5));
  store(columns + 3 * tile_rows, __builtin_shufflevector(q, s, 2, 3, 6, 7));
}
#endif

inline void gather_columns(const float* rows, int64_t stride, int64_t d, float* tile) {
  if (d < square) {
    gather_columns<float>(rows, stride, d, tile);
    return;
  }
  const int64_t ahead = tile_rows * stride > two_pages<float> ? tile_rows * stride : two_pages<float>;
  for (int64_t j = 0; j < d; j += square) {
    const int64_t at = j + square <= d ? j : d - square;
#pragma GCC unroll 16
    for (int r = 0; r < tile_rows; ++r) __builtin_prefetch(rows + r * stride + at + ahead);
#pragma GCC unroll 4
    for (int r = 0; r < tile_rows; r += square) transpose(rows + r * stride + at, stride, tile + at * tile_rows + r);
  }
}

template <class T>
void gather(const T* rows, int64_t stride, int64_t n, int64_t d, T* tile) {
  if (n == tile_rows) {
    gather_columns(rows, stride, d, tile);
    return;
  }
  for (int64_t r = 0; r < tile_rows; ++r) {
    const T* row = rows + (r < n ? r : n - 1) * stride;
    for (int64_t j = 0; j < d; ++j) tile[j * tile_rows + r] = row[j];
  }
}

constexpr int width_in(int size) { return vector_bytes / size < int(tile_rows) ? vector_bytes / size : int(tile_rows); }
template <class T>
constexpr int width = width_in(int(sizeof(T)));
template <class T>
using Points = Vector<T, width<T>>;

template <class T>
inline Points<T> squared_difference(const T* x, T c) {
  const Points<T> u = load<Points<T>>(x) - (Points<T>{} + c);
  return u * u;
}

/// Squared distances of the points of one vector to a centre, `columns` of them or, if 0, d >= 8.
template <class T, int columns>
inline Points<T> distances(const T* x, int64_t d, const T* centre) {
  if constexpr (columns > 0) {
    Points<T> sum = squared_difference(x, centre[0]);
#pragma GCC unroll 8
    for (int j = 1; j < columns; ++j) sum += squared_difference(x + j * tile_rows, centre[j]);
    return sum;
  } else {
    Points<T> sum[lanes];
#pragma GCC unroll 8
    for (int l = 0; l < lanes; ++l) sum[l] = squared_difference(x + l * tile_rows, centre[l]);
    int64_t j = lanes;
    for (; j + lanes <= d; j += lanes) {
#pragma GCC unroll 8
      for (int l = 0; l < lanes; ++l) sum[l] += squared_difference(x + (j + l) * tile_rows, centre[j + l]);
    }
    x += j * tile_rows;
    centre += j;
    switch (d - j) {
      case 7:
        sum[6] += squared_difference(x + 6 * tile_rows, centre[6]);
        [[fallthrough]];
      case 6:
        sum[5] += squared_difference(x + 5 * tile_rows, centre[5]);
        [[fallthrough]];
      case 5:
        sum[4] += squared_difference(x + 4 * tile_rows, centre[4]);
        [[fallthrough]];
      case 4:
        sum[3] += squared_difference(x + 3 * tile_rows, centre[3]);
        [[fallthrough]];
      case 3:
        sum[2] += squared_difference(x + 2 * tile_rows, centre[2]);
        [[fallthrough]];
      case 2:
        sum[1] += squared_difference(x + 1 * tile_rows, centre[1]);
        [[fallthrough]];
      case 1:
        sum[0] += squared_difference(x, centre[0]);
        break;
      default:
        break;
    }
    return ((sum[0] + sum[4]) + (sum[2] + sum[6])) + ((sum[1] + sum[5]) + (sum[3] + sum[7]));
  }
}

template <class T, int columns, bool labelled>
void lower_tiles_of(const T* tile, int64_t tiles, int64_t d, const T* centres, int64_t count, T* squared, int32_t* labels, int32_t first_label,
                    uint8_t* changed) {
  using P = Points<T>;
  using M = Vector<Mask<T>, width<T>>;
  using I = Vector<int32_t, width<T>>;
  const int64_t step = columns > 0 ? columns : d;
  for (int64_t t = 0; t < tiles; ++t) {
    if constexpr (columns > 0) {
#pragma GCC unroll 8
      for (int j = 0; j < columns * tile_rows; j += 64 / int(sizeof(T))) __builtin_prefetch(tile + j + two_pages<T>);
      __builtin_prefetch(squared + two_pages<T>);
    }
#pragma GCC unroll 8
    for (int first = 0; first < tile_rows; first += width<T>) {
      const T* x = tile + first;
      const P before = load<P>(squared + first);
      P best = before;
      M label = M{};
      const T* centre = centres;
      for (int64_t c = 0; c < count; ++c, centre += step) {
        const P distance = distances<T, columns>(x, d, centre);
        const M lower = distance < best;
        best = lower ? distance : best;
        if constexpr (labelled) label = lower ? M{} + static_cast<Mask<T>>(first_label + c) : label;
      }
      const M lowered = best < before;
      if (!any(lowered)) continue;
      if (changed != nullptr) changed[t * tile_rows / leaf_rows] = 1;
      store(squared + first, best);
      if constexpr (labelled) {
        const M old = __builtin_convertvector(load<I>(labels + first), M);
        store(labels + first, __builtin_convertvector(lowered ? label : old, I));
      }
    }
    tile += tile_rows * step;
    squared += tile_rows;
    if constexpr (labelled) labels += tile_rows;
  }
}

template <class T, int columns>
void leaf_totals_of(const T* tile, int64_t d, const T* centres, int64_t count, const T* squared, const double* weights, double* totals) {
  using P = Points<T>;
  const int64_t step = columns > 0 ? columns : d;
  T lowered[leaf_rows];
  for (int64_t c = 0; c < count; ++c) {
    const T* centre = centres + c * step;
    for (int64_t t = 0; t < leaf_rows; t += tile_rows) {
#pragma GCC unroll 8
      for (int first = 0; first < tile_rows; first += width<T>) {
        const P distance = distances<T, columns>(tile + t * step + first, d, centre), before = load<P>(squared + t + first);
        store(lowered + t + first, distance < before ? distance : before);
      }
    }
    totals[c] = leaf_sum<T>(lowered, weights);
  }
}

/// Calls body with the number of columns as a constant where it is below 8, else 0.
template <class Body>
inline void with_columns(int64_t d, Body body) {
  switch (d) {
    case 1:
      body.template run<1>();
      break;
    case 2:
      body.template run<2>();
      break;
    case 3:
      body.template run<3>();
      break;
    case 4:
      body.template run<4>();
      break;
    case 5:
      body.template run<5>();
      break;
    case 6:
      body.template run<6>();
      break;
    case 7:
      body.template run<7>();
      break;
    default:
      body.template run<0>();
      break;
  }
}

template <class T>
struct LowerTiles {
  const T* tile;
  int64_t tiles, d;
  const T* centres;
  int64_t count;
  T* squared;
  int32_t* labels;
  int32_t first_label;
  uint8_t* changed;
  template <int columns>
  void run() const {
    if (labels == nullptr) {
      lower_tiles_of<T, columns, false>(tile, tiles, d, centres, count, squared, labels, first_label, changed);
    } else {
      lower_tiles_of<T, columns, true>(tile, tiles, d, centres, count, squared, labels, first_label, changed);
    }
  }
};

template <class T>
void lower_tiles(const T* tile, int64_t tiles, int64_t d, const T* centres, int64_t count, T* squared, int32_t* labels, int32_t first_label, uint8_t* changed) {
  with_columns(d, LowerTiles<T>{tile, tiles, d, centres, count, squared, labels, first_label, changed});
}

template <class T>
struct LeafTotals {
  const T* tile;
  int64_t d;
  const T* centres;
  int64_t count;
  const T* squared;
  const double* weights;
  double* totals;
  template <int columns>
  void run() const {
    leaf_totals_of<T, columns>(tile, d, centres, count, squared, weights, totals);
  }
};

template <class T>
void leaf_totals(const T* tile, int64_t d, const T* centres, int64_t count, const T* squared, const double* weights, double* totals) {
  with_columns(d, LeafTotals<T>{tile, d, centres, count, squared, weights, totals});
}

}  // namespace

extern const RowDistanceKernels<float> row_distance_float;
extern const RowDistanceKernels<double> row_distance_double;
const RowDistanceKernels<float> row_distance_float = {BUFFON_COMPILED_FOR, pair<float>,        lower_rows<float>, gather<float>,
                                                      lower_tiles<float>,  leaf_totals<float>, leaf_sums<float>};
const RowDistanceKernels<double> row_distance_double = {BUFFON_COMPILED_FOR, pair<double>,        lower_rows<double>, gather<double>,
                                                        lower_tiles<double>, leaf_totals<double>, leaf_sums<double>};

}  // namespace buffon::BUFFON_KERNELS
