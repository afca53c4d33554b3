// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/backend/element.hpp>

// What one thread does at one place of the backend `cuda`: all of it runs on the host too, in tests. Every operation is one body or a few after each other,
// in the order of operations.h, so that a device gives the bits of cpu:reference.

namespace buffon::backend::cuda {

using element::at;
using element::to;

inline constexpr int most_terms = BUFFON_MOST_TERMS;

/// Pairs of draws: place (pair, column).
template <class T>
struct Fill {
  buffon_view target;
  buffon_law law;
  double constant;
  buffon_key key;
  BUFFON_HOST_DEVICE void operator()(int64_t pair, int64_t c) const {
    const scalar::Pair drawn = element::drawn_pair(law, constant, key, key.first + static_cast<uint64_t>(c), static_cast<uint64_t>(pair));
    *to<T>(target, 2 * pair, c) = static_cast<T>(drawn.a);
    if (2 * pair + 1 < target.rows) *to<T>(target, 2 * pair + 1, c) = static_cast<T>(drawn.b);
  }
};

/// Several numbers that are read and written at once.
template <class T, int width>
struct alignas(sizeof(T) * width) Pack {
  T of[width];
};

/// Terms without factors of rows and columns on matrices in one piece: place (pack, 0). The number of terms is known where it is small.
template <class T, int known, int width>
struct CombineFlat {
  const T* x[known > 0 ? known : most_terms];
  T factors[known > 0 ? known : most_terms];
  int count;
  T* target;
  BUFFON_HOST_DEVICE void operator()(int64_t i, int64_t) const {
    Pack<T, width> sum{};
    for (int k = 0; k < (known > 0 ? known : count); ++k) {
      const Pack<T, width> term = reinterpret_cast<const Pack<T, width>*>(x[k])[i];
      for (int l = 0; l < width; ++l) sum.of[l] = element::added(sum.of[l], factors[k], term.of[l]);
    }
    reinterpret_cast<Pack<T, width>*>(target)[i] = sum;
  }
};

struct Terms {
  buffon_term term[most_terms];
  int count;
};

/// Every other combination: pairs of rows, whose normals belong together; place (pair, column).
template <class T>
struct Combine {
  buffon_view target;
  Terms terms;
  double noise;
  buffon_key key;
  BUFFON_HOST_DEVICE void operator()(int64_t pair, int64_t c) const {
    scalar::Pair z{0, 0};
    if (noise != 0) z = element::drawn_pair(BUFFON_NORMAL, 0, key, key.first + static_cast<uint64_t>(c), static_cast<uint64_t>(pair));
    for (int half = 0; half < 2 && 2 * pair + half < target.rows; ++half) {
      const int64_t r = 2 * pair + half;
      T sum = element::combined<T>(terms.term, terms.count, r, c);
      if (noise != 0) sum = element::added(sum, static_cast<T>(noise), static_cast<T>(half == 0 ? z.a : z.b));
      *to<T>(target, r, c) = sum;
    }
  }
};

/// Numbers l, l + 8, … of a column: place (lane, column) of lanes, 8 × columns.
template <class T>
struct ReduceLane {
  buffon_view source;
  buffon_reduction reduction;
  double* lanes;
  BUFFON_HOST_DEVICE void operator()(int64_t lane, int64_t c) const {
    const bool maximum = reduction == BUFFON_MAX;
    double value = maximum ? -element::infinity() : 0.0;
    for (int64_t r = lane; r < source.rows; r += element::lanes) {
      const auto x = static_cast<double>(*at<T>(source, r, c));
      value = maximum ? element::larger(value, x) : value + element::reduced(reduction, x);
    }
    lanes[element::lanes * c + lane] = value;
  }
};

BUFFON_SCALAR double largest_lane(const double* lanes) {
  double most = lanes[0];
  for (int l = 1; l < element::lanes; ++l) most = element::larger(most, lanes[l]);
  return most;
}

/// The lanes of a column together: place (0, column). Of equal zeros the maximum may have either sign.
struct ReduceFold {
  buffon_view result;
  buffon_reduction reduction;
  const double* lanes;
  BUFFON_HOST_DEVICE void operator()(int64_t, int64_t c) const {
    const double* of_column = lanes + element::lanes * c;
    *to<double>(result, 0, c) = reduction == BUFFON_MAX ? largest_lane(of_column) : element::folded(of_column);
  }
};

/// The largest scale · x of a lane.
template <class T>
struct SoftmaxLargest {
  buffon_view source;
  double scale;
  double* lanes;
  BUFFON_HOST_DEVICE void operator()(int64_t lane, int64_t c) const {
    double most = -element::infinity();
    for (int64_t r = lane; r < source.rows; r += element::lanes) most = element::larger(most, scale * static_cast<double>(*at<T>(source, r, c)));
    lanes[element::lanes * c + lane] = most;
  }
};

/// Of every column the largest, before the lanes are used again.
struct SoftmaxMost {
  const double* lanes;
  double* most;
  BUFFON_HOST_DEVICE void operator()(int64_t, int64_t c) const { most[c] = largest_lane(lanes + element::lanes * c); }
};

template <class T>
struct SoftmaxLane {
  buffon_view source;
  double scale;
  const double* most;
  double* lanes;
  BUFFON_HOST_DEVICE void operator()(int64_t lane, int64_t c) const {
    double sum = 0;
    for (int64_t r = lane; r < source.rows; r += element::lanes) sum += scalar::exp(scale * static_cast<double>(*at<T>(source, r, c)) - most[c]);
    lanes[element::lanes * c + lane] = sum;
  }
};

template <class T>
struct SoftmaxWrite {
  buffon_view target, source;
  double scale;
  const double* most;
  const double* lanes;
  BUFFON_HOST_DEVICE void operator()(int64_t r, int64_t c) const {
    const double highest = most[c];
    const bool possible = highest > -element::infinity() && highest < element::infinity();
    const double weight = scalar::exp(scale * static_cast<double>(*at<T>(source, r, c)) - highest);
    *to<T>(target, r, c) = static_cast<T>(possible ? weight / element::folded(lanes + element::lanes * c) : element::not_a_number());
  }
};

template <class T>
struct Apply {
  buffon_view target, source;
  buffon_function function;
  double low, high;
  BUFFON_HOST_DEVICE void operator()(int64_t r, int64_t c) const {
    *to<T>(target, r, c) = static_cast<T>(element::applied(function, static_cast<double>(*at<T>(source, r, c)), low, high));
  }
};

template <class T>
struct Gather {
  buffon_view target, source, index;
  BUFFON_HOST_DEVICE void operator()(int64_t r, int64_t c) const { *to<T>(target, r, c) = *at<T>(source, r, *at<int32_t>(index, 0, c)); }
};

/// One thread a column: sums in the order of the definition.
template <class T>
struct Scan {
  buffon_view target, source;
  BUFFON_HOST_DEVICE void operator()(int64_t, int64_t c) const {
    T sum = 0;
    for (int64_t r = 0; r < source.rows; ++r) *to<T>(target, r, c) = sum += *at<T>(source, r, c);
  }
};

/// Running sums of the weights, by one thread: their order decides. sums[K] holds the last index with a positive weight.
struct ResampleSums {
  buffon_view weights;
  double* sums;
  BUFFON_HOST_DEVICE void operator()(int64_t, int64_t) const {
    double sum = 0;
    int64_t last = 0;
    for (int64_t k = 0; k < weights.rows; ++k) {
      const double w = *at<double>(weights, k, 0);
      sums[k] = sum += w;
      if (w > 0) last = k;
    }
    sums[weights.rows] = static_cast<double>(last);
  }
};

/// The first of the running sums beyond the point of a target, by halves.
struct ResampleFind {
  buffon_view target;
  const double* sums;
  int64_t count;
  buffon_key key;
  BUFFON_HOST_DEVICE void operator()(int64_t i, int64_t) const {
    const double u = element::drawn(BUFFON_UNIFORM, 0, key, key.first, 0);
    const double point = element::resampling_point(i, target.columns, u, sums[count - 1]);
    int64_t low = 0, high = static_cast<int64_t>(sums[count]);
    while (low < high) {
      const int64_t middle = (low + high) / 2;
      if (sums[middle] > point) {
        high = middle;
      } else {
        low = middle + 1;
      }
    }
    *to<int32_t>(target, 0, i) = static_cast<int32_t>(low);
  }
};

template <class T, class S>
struct Convert {
  buffon_view target, source;
  BUFFON_HOST_DEVICE void operator()(int64_t r, int64_t c) const { *to<T>(target, r, c) = static_cast<T>(*at<S>(source, r, c)); }
};

/// A product in tiles: a block of 16 × 16 threads makes 64 × 64 elements, 16 numbers of the inner index at a time; thread (x, y) those of the rows
/// x + 16 m and columns y + 16 n, each one chain of fused multiply-adds in the order of the inner index.
template <class T>
struct Product {
  static constexpr int side = 16, each = 4, tile = side * each, depth = 16, threads = side * side;
  struct Shared {
    T a[depth][tile];
    T b[depth][tile + 1];  // the column beyond keeps threads off each other's banks
  };
  struct Sums {
    T of[each][each];
  };

  buffon_view c, a, b;
  int transposed;
  double factor, keep;

  /// Brings the tiles that begin at `inner`; zeros beyond the ends.
  BUFFON_HOST_DEVICE void bring(Shared& shared, int thread, int64_t row, int64_t column, int64_t inner) const {
    for (int i = thread; i < tile * depth; i += threads) {
      // neighbouring threads read neighbouring numbers
      const int k = transposed != 0 ? i % depth : i / tile, m = transposed != 0 ? i / depth : i % tile;
      const bool inside = row + m < c.rows && inner + k < b.rows;
      shared.a[k][m] = inside ? (transposed != 0 ? *at<T>(a, inner + k, row + m) : *at<T>(a, row + m, inner + k)) : T(0);
      const int l = i % depth, n = i / depth;
      shared.b[l][n] = column + n < c.columns && inner + l < b.rows ? *at<T>(b, inner + l, column + n) : T(0);
    }
  }

  BUFFON_HOST_DEVICE void add(Sums& sums, const Shared& shared, int thread, int64_t inner) const {
    const int x = thread % side, y = thread / side;
    const int64_t left = b.rows - inner;
    const int end = left < depth ? static_cast<int>(left) : depth;
    for (int k = 0; k < end; ++k) {
      T of_a[each], of_b[each];
      for (int m = 0; m < each; ++m) of_a[m] = shared.a[k][x + side * m];
      for (int n = 0; n < each; ++n) of_b[n] = shared.b[k][y + side * n];
      for (int n = 0; n < each; ++n) {
        for (int m = 0; m < each; ++m) sums.of[n][m] = element::chained(of_a[m], of_b[n], sums.of[n][m]);
      }
    }
  }

  BUFFON_HOST_DEVICE void leave(const Sums& sums, int thread, int64_t row, int64_t column) const {
    const int x = thread % side, y = thread / side;
    for (int n = 0; n < each; ++n) {
      for (int m = 0; m < each; ++m) {
        const int64_t r = row + x + side * m, j = column + y + side * n;
        if (r >= c.rows || j >= c.columns) continue;
        T* out = to<T>(c, r, j);
        *out = element::kept(sums.of[n][m], factor, keep, out);
      }
    }
  }
};

}  // namespace buffon::backend::cuda
