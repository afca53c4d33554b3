// SPDX-License-Identifier: BSD-3-Clause
// cpu:reference, the definition of every operation: one thread, plain loops in the order of the text.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>

#include <buffon/backend/element.hpp>

#include "host.hpp"

namespace buffon::backend {
namespace {

using element::at;
using element::to;

const char* fill(buffon_queue*, buffon_view target, buffon_law law, double constant, buffon_key key) {
  with_type(target.type, [&](auto type) {
    using T = decltype(type);
    for (int64_t c = 0; c < target.columns; ++c) {
      for (int64_t r = 0; r < target.rows; ++r) {
        *to<T>(target, r, c) = static_cast<T>(element::drawn(law, constant, key, key.first + static_cast<uint64_t>(c), static_cast<uint64_t>(r)));
      }
    }
  });
  return nullptr;
}

const char* combine(buffon_queue*, buffon_view target, const buffon_term* terms, int count, double noise, buffon_key key) {
  with_type(target.type, [&](auto type) {
    using T = decltype(type);
    for (int64_t c = 0; c < target.columns; ++c) {
      for (int64_t r = 0; r < target.rows; ++r) {
        T sum = element::combined<T>(terms, count, r, c);
        if (noise != 0) {
          const double z = element::drawn(BUFFON_NORMAL, 0, key, key.first + static_cast<uint64_t>(c), static_cast<uint64_t>(r));
          sum = element::added(sum, static_cast<T>(noise), static_cast<T>(z));
        }
        *to<T>(target, r, c) = sum;
      }
    }
  });
  return nullptr;
}

/// Σ term(r) over rows, number r in lane r mod 8, the lanes folded by halves.
template <class Term>
double lane_sum(int64_t rows, Term&& term) {
  double lane[element::lanes] = {};
  for (int64_t r = 0; r < rows; ++r) lane[r % element::lanes] += term(r);
  return element::folded(lane);
}

/// The largest number; NaN where there is one.
template <class T>
double largest(const buffon_view& source, int64_t column) {
  double most = -std::numeric_limits<double>::infinity();
  for (int64_t r = 0; r < source.rows; ++r) {
    const auto x = static_cast<double>(*at<T>(source, r, column));
    if (x > most || x != x) most = x;
    if (most != most) break;
  }
  return most;
}

const char* reduce(buffon_queue*, buffon_view result, buffon_view source, buffon_reduction reduction) {
  with_type(source.type, [&](auto type) {
    using T = decltype(type);
    for (int64_t c = 0; c < source.columns; ++c) {
      *to<double>(result, 0, c) =
          reduction == BUFFON_MAX ? largest<T>(source, c)
                                  : lane_sum(source.rows, [&](int64_t r) { return element::reduced(reduction, static_cast<double>(*at<T>(source, r, c))); });
    }
  });
  return nullptr;
}

const char* softmax(buffon_queue*, buffon_view target, buffon_view source, double scale) {
  with_type(source.type, [&](auto type) {
    using T = decltype(type);
    for (int64_t c = 0; c < source.columns; ++c) {
      double most = -std::numeric_limits<double>::infinity();  // of scale x, whose order a negative scale turns
      for (int64_t r = 0; r < source.rows && most == most; ++r) {
        const double x = scale * static_cast<double>(*at<T>(source, r, c));
        if (x > most || x != x) most = x;
      }
      const bool possible = most > -std::numeric_limits<double>::infinity() && most < std::numeric_limits<double>::infinity();
      const auto weight = [&](int64_t r) { return scalar::exp(scale * static_cast<double>(*at<T>(source, r, c)) - most); };
      const double total = possible ? lane_sum(source.rows, weight) : std::numeric_limits<double>::quiet_NaN();
      for (int64_t r = 0; r < source.rows; ++r) *to<T>(target, r, c) = static_cast<T>(possible ? weight(r) / total : total);
    }
  });
  return nullptr;
}

const char* product(buffon_queue*, buffon_view c, buffon_view a, int transposed, buffon_view b, double factor, double keep) {
  with_type(c.type, [&](auto type) {
    using T = decltype(type);
    for (int64_t j = 0; j < c.columns; ++j) {
      for (int64_t i = 0; i < c.rows; ++i) {
        T sum = 0;
        for (int64_t k = 0; k < b.rows; ++k) sum = element::chained(transposed != 0 ? *at<T>(a, k, i) : *at<T>(a, i, k), *at<T>(b, k, j), sum);
        T* out = to<T>(c, i, j);
        *out = element::kept(sum, factor, keep, out);
      }
    }
  });
  return nullptr;
}

const char* apply(buffon_queue*, buffon_view target, buffon_view source, buffon_function function, double low, double high) {
  with_type(source.type, [&](auto type) {
    using T = decltype(type);
    for (int64_t c = 0; c < source.columns; ++c) {
      for (int64_t r = 0; r < source.rows; ++r)
        *to<T>(target, r, c) = static_cast<T>(element::applied(function, static_cast<double>(*at<T>(source, r, c)), low, high));
    }
  });
  return nullptr;
}

const char* gather(buffon_queue*, buffon_view target, buffon_view source, buffon_view index) {
  with_type(source.type, [&](auto type) {
    using T = decltype(type);
    for (int64_t c = 0; c < target.columns; ++c) {
      const int64_t from = *at<int32_t>(index, 0, c);
      for (int64_t r = 0; r < target.rows; ++r) *to<T>(target, r, c) = *at<T>(source, r, from);
    }
  });
  return nullptr;
}

const char* scan(buffon_queue*, buffon_view target, buffon_view source) {
  with_type(source.type, [&](auto type) {
    using T = decltype(type);
    for (int64_t c = 0; c < source.columns; ++c) {
      T sum = 0;
      for (int64_t r = 0; r < source.rows; ++r) *to<T>(target, r, c) = sum += *at<T>(source, r, c);
    }
  });
  return nullptr;
}

// Sample i takes the first k with w_0 + … + w_k > (i + u) total / N; the sums run from the first weight to the last.
const char* resample(buffon_queue*, buffon_view target, buffon_view weights, buffon_key key) {
  double total = 0;
  int64_t last = 0;
  for (int64_t k = 0; k < weights.rows; ++k) {
    const double w = *at<double>(weights, k, 0);
    total += w;
    if (w > 0) last = k;
  }
  const double u = element::drawn(BUFFON_UNIFORM, 0, key, key.first, 0);
  double sum = *at<double>(weights, 0, 0);
  int64_t k = 0;
  for (int64_t i = 0; i < target.columns; ++i) {
    const double point = element::resampling_point(i, target.columns, u, total);
    while (k < last && !(sum > point)) sum += *at<double>(weights, ++k, 0);
    *to<int32_t>(target, 0, i) = static_cast<int32_t>(k);
  }
  return nullptr;
}

const char* convert(buffon_queue*, buffon_view target, buffon_view source) {
  with_type(target.type, [&](auto target_type) {
    with_type(source.type, [&](auto source_type) {
      using T = decltype(target_type);
      using S = decltype(source_type);
      for (int64_t c = 0; c < source.columns; ++c) {
        for (int64_t r = 0; r < source.rows; ++r) *to<T>(target, r, c) = static_cast<T>(*at<S>(source, r, c));
      }
    });
  });
  return nullptr;
}

}  // namespace

const buffon_backend& reference_backend() {
  static const buffon_backend table = [] {
    buffon_backend t = host_memory();
    t.name = "cpu:reference";
    t.describe = [](buffon_device*, char* text, int size) { std::snprintf(text, static_cast<std::size_t>(size), "one thread, plain loops: the definition"); };
    t.fill = fill;
    t.combine = combine;
    t.reduce = reduce;
    t.softmax = softmax;
    t.product = product;
    t.apply = apply;
    t.gather = gather;
    t.scan = scan;
    t.resample = resample;
    t.convert = convert;
    return t;
  }();
  return table;
}

}  // namespace buffon::backend
