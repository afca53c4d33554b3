// SPDX-License-Identifier: BSD-3-Clause
// cpu: blocks of columns on all threads, loops for the instruction set of the machine; the bits of cpu:reference.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <exception>
#include <limits>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <buffon/backend/element.hpp>
#include <buffon/linalg/vector_math.hpp>
#include <buffon/parallel/blocks.hpp>
#include <buffon/random/kernel_variant.hpp>

#include "../random/kernel_table.hpp"
#include "backend_kernels.hpp"
#include "host.hpp"

namespace buffon::backend {
namespace {

using element::at;
using element::to;

/// Columns and rows of a block are a matter of speed alone: no number depends on them.
constexpr int64_t block_elements = 16384;

struct CpuQueue {
  explicit CpuQueue(int threads) : context(threads) {}
  Context context;
};

CpuQueue& of(buffon_queue* queue) { return *reinterpret_cast<CpuQueue*>(queue); }

/// The sentence of an exception, which must not cross a table of C functions.
template <class Body>
const char* guarded(Body&& body) {
  thread_local std::string text;
  try {
    body();
    return nullptr;
  } catch (const std::exception& error) {
    text = error.what();
    return text.c_str();
  }
}

int64_t columns_of_block(int64_t rows) { return std::max<int64_t>(1, block_elements / std::max<int64_t>(1, rows)); }

/// Draws of the columns [begin, end), packed column by column.
const double* draws_of(buffon_law law, const buffon_key& key, int64_t rows, const Block& block, std::vector<double>& room) {
  room.resize(static_cast<std::size_t>(rows * block.size()));
  const KernelStream stream{key.key0, key.key1, key.id};
  const auto make = law == BUFFON_NORMAL ? kernels().normals : kernels().uniforms;
  make(stream, key.first + static_cast<uint64_t>(block.begin), static_cast<uint64_t>(block.size()), static_cast<uint64_t>(rows), room.data(),
       static_cast<uint64_t>(rows));
  return room.data();
}

const char* fill(buffon_queue* queue, buffon_view target, buffon_law law, double constant, buffon_key key) {
  return guarded([&] {
    with_type(target.type, [&](auto type) {
      using T = decltype(type);
      for_blocks(of(queue).context, target.columns, columns_of_block(target.rows), [&](const Block& block) {
        std::vector<double> room;
        const double* drawn = law == BUFFON_CONSTANT ? nullptr : draws_of(law, key, target.rows, block, room);
        for (int64_t c = block.begin; c < block.end; ++c) {
          T* out = to<T>(target, 0, c);
          if (drawn == nullptr) {
            std::fill(out, out + target.rows, static_cast<T>(constant));
          } else {
            std::transform(drawn + (c - block.begin) * target.rows, drawn + (c - block.begin + 1) * target.rows, out,
                           [](double x) { return static_cast<T>(x); });
          }
        }
      });
    });
  });
}

/// The kernels of a type.
template <class T>
struct KernelsOf;
template <>
struct KernelsOf<float> {
  static void combine(float* out, const float* const* x, const float* factors, int count, int64_t n) {
    backend_kernels().combine_f32(out, x, factors, count, n);
  }
  static void combine_rows(float* out, const float* const* x, const float* const* factors, int count, int64_t n) {
    backend_kernels().combine_rows_f32(out, x, factors, count, n);
  }
  static void add_noise(float* out, const double* z, float factor, int64_t n) { backend_kernels().add_noise_f32(out, z, factor, n); }
  static auto largest(const float* x, int64_t n) { return backend_kernels().largest_f32(x, n); }
  static auto smallest(const float* x, int64_t n) { return backend_kernels().smallest_f32(x, n); }
  static auto sum(const float* x, int64_t n, buffon_reduction reduction) { return backend_kernels().sum_f32(x, n, reduction); }
  static void exponents(double* out, const float* x, double scale, double most, int64_t n) { backend_kernels().exponents_f32(out, x, scale, most, n); }
  static void shares(float* out, const double* x, double total, int64_t n) { backend_kernels().shares_f32(out, x, total, n); }
};
template <>
struct KernelsOf<double> {
  static void combine(double* out, const double* const* x, const double* factors, int count, int64_t n) {
    backend_kernels().combine_f64(out, x, factors, count, n);
  }
  static void combine_rows(double* out, const double* const* x, const double* const* factors, int count, int64_t n) {
    backend_kernels().combine_rows_f64(out, x, factors, count, n);
  }
  static void add_noise(double* out, const double* z, double factor, int64_t n) { backend_kernels().add_noise_f64(out, z, factor, n); }
  static auto largest(const double* x, int64_t n) { return backend_kernels().largest_f64(x, n); }
  static auto smallest(const double* x, int64_t n) { return backend_kernels().smallest_f64(x, n); }
  static auto sum(const double* x, int64_t n, buffon_reduction reduction) { return backend_kernels().sum_f64(x, n, reduction); }
  static void exponents(double* out, const double* x, double scale, double most, int64_t n) { backend_kernels().exponents_f64(out, x, scale, most, n); }
  static void shares(double* out, const double* x, double total, int64_t n) { backend_kernels().shares_f64(out, x, total, n); }
};

constexpr int most_terms = BUFFON_MOST_TERMS;

template <class T>
void combine_range(const buffon_view& target, const buffon_term* terms, int count, int64_t row, int64_t column, int64_t n, const double* z, double noise) {
  std::array<const T*, most_terms> x;
  std::array<T, most_terms> factors;
  for (int k = 0; k < count; ++k) {
    const auto i = static_cast<std::size_t>(k);
    x[i] = at<T>(terms[k].source, row, column);
    factors[i] = element::factor_of<T>(terms[k], 0, column);
  }
  T* out = to<T>(target, row, column);
  KernelsOf<T>::combine(out, x.data(), factors.data(), count, n);
  if (z != nullptr) KernelsOf<T>::add_noise(out, z, static_cast<T>(noise), n);
}

/// Factors of terms for every row, those without factors of columns worked out once for a block.
template <class T>
class RowFactors {
 public:
  RowFactors(const buffon_term* terms, int count, int64_t rows) : terms_(terms), count_(count), rows_(rows), numbers_(static_cast<std::size_t>(count * rows)) {
    for (int k = 0; k < count; ++k) {
      list_[static_cast<std::size_t>(k)] = numbers_.data() + k * rows;
      if (terms[k].columns_factor == nullptr) fill(k, 0);
    }
  }
  const T* const* of_column(int64_t column) {
    for (int k = 0; k < count_; ++k) {
      if (terms_[k].columns_factor != nullptr) fill(k, column);
    }
    return list_.data();
  }

 private:
  void fill(int k, int64_t column) {
    T* out = numbers_.data() + k * rows_;
    for (int64_t r = 0; r < rows_; ++r) out[r] = element::factor_of<T>(terms_[k], r, column);
  }
  const buffon_term* terms_;
  int count_;
  int64_t rows_;
  std::vector<T> numbers_;
  std::array<const T*, most_terms> list_;
};

bool in_one_piece(const buffon_view& view) { return view.stride == view.rows || view.columns == 1; }

const char* combine(buffon_queue* queue, buffon_view target, const buffon_term* terms, int count, double noise, buffon_key key) {
  return guarded([&] {
    const auto of_rows = [](const buffon_term& term) { return term.rows_factor != nullptr; };
    const auto of_columns = [](const buffon_term& term) { return term.columns_factor != nullptr; };
    const bool row_factors = std::any_of(terms, terms + count, of_rows), column_factors = std::any_of(terms, terms + count, of_columns);
    const bool flat = !row_factors && !column_factors && in_one_piece(target) &&
                      std::all_of(terms, terms + count, [](const buffon_term& term) { return in_one_piece(term.source); });
    with_type(target.type, [&](auto type) {
      using T = decltype(type);
      if (flat && noise == 0) {
        for_blocks(of(queue).context, target.rows * target.columns, block_elements,
                   [&](const Block& block) { combine_range<T>(target, terms, count, block.begin, 0, block.size(), nullptr, 0); });
        return;
      }
      for_blocks(of(queue).context, target.columns, columns_of_block(target.rows), [&](const Block& block) {
        std::vector<double> room;
        const double* z = noise == 0 ? nullptr : draws_of(BUFFON_NORMAL, key, target.rows, block, room);
        if (flat) {
          combine_range<T>(target, terms, count, block.begin * target.rows, 0, block.size() * target.rows, z, noise);
          return;
        }
        std::optional<RowFactors<T>> factors;
        if (row_factors) factors.emplace(terms, count, target.rows);
        for (int64_t c = block.begin; c < block.end; ++c) {
          const double* of_column = z == nullptr ? nullptr : z + (c - block.begin) * target.rows;
          if (!factors) {
            combine_range<T>(target, terms, count, 0, c, target.rows, of_column, noise);
            continue;
          }
          std::array<const T*, most_terms> x;
          for (int k = 0; k < count; ++k) x[static_cast<std::size_t>(k)] = at<T>(terms[k].source, 0, c);
          T* out = to<T>(target, 0, c);
          KernelsOf<T>::combine_rows(out, x.data(), factors->of_column(c), count, target.rows);
          if (of_column != nullptr) KernelsOf<T>::add_noise(out, of_column, static_cast<T>(noise), target.rows);
        }
      });
    });
  });
}

const char* reduce(buffon_queue* queue, buffon_view result, buffon_view source, buffon_reduction reduction) {
  return guarded([&] {
    with_type(source.type, [&](auto type) {
      using T = decltype(type);
      for_blocks(of(queue).context, source.columns, columns_of_block(source.rows), [&](const Block& block) {
        for (int64_t c = block.begin; c < block.end; ++c) {
          const T* x = at<T>(source, 0, c);
          const bool largest = reduction == BUFFON_MAX;
          double value = KernelsOf<T>::sum(x, source.rows, largest ? BUFFON_SUM : reduction);
          if (largest && (value == value || std::none_of(x, x + source.rows, [](T v) { return v != v; }))) value = KernelsOf<T>::largest(x, source.rows);
          *to<double>(result, 0, c) = value;
        }
      });
    });
  });
}

/// The largest of scale x, NaN left out: rounding keeps the order of x, or turns it.
template <class T>
double largest_scaled(const T* x, int64_t n, double scale) {
  if (scale > 0) return scale * KernelsOf<T>::largest(x, n);
  if (scale < 0) return scale * KernelsOf<T>::smallest(x, n);
  if (n == 0) return -std::numeric_limits<double>::infinity();
  return KernelsOf<T>::sum(x, n, BUFFON_NOT_FINITE) > 0 ? std::numeric_limits<double>::quiet_NaN() : 0;
}

const char* softmax(buffon_queue* queue, buffon_view target, buffon_view source, double scale) {
  return guarded([&] {
    with_type(source.type, [&](auto type) {
      using T = decltype(type);
      for_blocks(of(queue).context, source.columns, columns_of_block(source.rows), [&](const Block& block) {
        constexpr double infinity = std::numeric_limits<double>::infinity();
        std::vector<double> weight(static_cast<std::size_t>(source.rows));
        for (int64_t c = block.begin; c < block.end; ++c) {
          const T* x = at<T>(source, 0, c);
          T* out = to<T>(target, 0, c);
          const double most = largest_scaled(x, source.rows, scale);
          if (!(most > -infinity && most < infinity)) {
            std::fill(out, out + source.rows, std::numeric_limits<T>::quiet_NaN());
            continue;
          }
          // A number that is NaN makes the sum NaN, and so the column.
          KernelsOf<T>::exponents(weight.data(), x, scale, most, source.rows);
          vector_exp(weight, weight);
          KernelsOf<T>::shares(out, weight.data(), KernelsOf<double>::sum(weight.data(), source.rows, BUFFON_SUM), source.rows);
        }
      });
    });
  });
}

/// op(A) in panels of `product_rows` rows, every panel inner × rows with zeros below.
template <class T>
std::vector<T> packed_left(Context& context, const buffon_view& a, bool transposed, int64_t rows, int64_t inner) {
  const int64_t panels = block_count(rows, product_rows);
  std::vector<T> packed(static_cast<std::size_t>(panels * product_rows * inner));
  for_blocks(context, panels, 1, [&](const Block& block) {
    T* panel = packed.data() + block.begin * product_rows * inner;
    const int64_t first = block.begin * product_rows, count = std::min<int64_t>(product_rows, rows - first);
    if (transposed) {
      for (int64_t i = 0; i < count; ++i) {
        const T* column = at<T>(a, 0, first + i);
        for (int64_t k = 0; k < inner; ++k) panel[k * product_rows + i] = column[k];
      }
    } else {
      for (int64_t k = 0; k < inner; ++k) std::copy_n(at<T>(a, first, k), count, panel + k * product_rows);
    }
  });
  return packed;
}

const char* product(buffon_queue* queue, buffon_view c, buffon_view a, int transposed, buffon_view b, double factor, double keep) {
  return guarded([&] {
    with_type(c.type, [&](auto type) {
      using T = decltype(type);
      const int64_t inner = b.rows, panels = block_count(c.rows, product_rows);
      const std::vector<T> left = packed_left<T>(of(queue).context, a, transposed != 0, c.rows, inner);
      constexpr int64_t group = 4 * product_columns;
      for_blocks(of(queue).context, c.columns, group, [&](const Block& block) {
        const int64_t strips = block_count(block.size(), product_columns);
        std::vector<T> right(static_cast<std::size_t>(strips * product_columns * inner)), sums(product_rows * product_columns);
        for (int64_t j = block.begin; j < block.end; ++j) {
          const T* column = at<T>(b, 0, j);
          T* strip = right.data() + (j - block.begin) / product_columns * product_columns * inner + (j - block.begin) % product_columns;
          for (int64_t k = 0; k < inner; ++k) strip[k * product_columns] = column[k];
        }
        for (int64_t p = 0; p < panels; ++p) {
          const int64_t first = p * product_rows, count = std::min<int64_t>(product_rows, c.rows - first);
          for (int64_t s = 0; s < strips; ++s) {
            const T* panel = left.data() + first * inner;
            const T* strip = right.data() + s * product_columns * inner;
            if constexpr (std::is_same_v<T, float>) {
              backend_kernels().product_f32(panel, strip, inner, static_cast<int>(count), sums.data());
            } else {
              backend_kernels().product_f64(panel, strip, inner, static_cast<int>(count), sums.data());
            }
            const int64_t begin = block.begin + s * product_columns, end = std::min(begin + product_columns, block.end);
            for (int64_t j = begin; j < end; ++j) {
              T* out = to<T>(c, first, j);
              const T* sum = sums.data() + (j - begin) * product_rows;
              if (keep == 0) {
                for (int64_t i = 0; i < count; ++i) out[i] = static_cast<T>(factor) * sum[i];
              } else {
                for (int64_t i = 0; i < count; ++i) out[i] = static_cast<T>(factor) * sum[i] + static_cast<T>(keep) * out[i];
              }
            }
          }
        }
      });
    });
  });
}

/// An operation of the reference on blocks of columns that do not touch each other.
template <class Operation>
const char* by_columns(buffon_queue* queue, const buffon_view& target, Operation&& operation) {
  return guarded([&] { for_blocks(of(queue).context, target.columns, columns_of_block(target.rows), operation); });
}

buffon_view part(buffon_view view, const Block& block) {
  const int64_t size = view.type == BUFFON_F64 ? 8 : 4;
  view.data = static_cast<char*>(view.data) + block.begin * view.stride * size;
  view.columns = block.size();
  return view;
}

const char* apply(buffon_queue* queue, buffon_view target, buffon_view source, buffon_function function, double low, double high) {
  return by_columns(queue, target,
                    [&](const Block& block) { reference_backend().apply(nullptr, part(target, block), part(source, block), function, low, high); });
}

const char* gather(buffon_queue* queue, buffon_view target, buffon_view source, buffon_view index) {
  return by_columns(queue, target, [&](const Block& block) { reference_backend().gather(nullptr, part(target, block), source, part(index, block)); });
}

const char* scan(buffon_queue* queue, buffon_view target, buffon_view source) {
  return by_columns(queue, target, [&](const Block& block) { reference_backend().scan(nullptr, part(target, block), part(source, block)); });
}

const char* convert(buffon_queue* queue, buffon_view target, buffon_view source) {
  return by_columns(queue, target, [&](const Block& block) { reference_backend().convert(nullptr, part(target, block), part(source, block)); });
}

}  // namespace

const buffon_backend& cpu_backend() {
  static const buffon_backend table = [] {
    buffon_backend t = host_memory();
    t.name = "cpu";
    t.describe = [](buffon_device*, char* text, int size) {
      std::snprintf(text, static_cast<std::size_t>(size), "%d threads, %s", available_cpus(), std::string(kernel_variant()).c_str());
    };
    t.make_queue = [](buffon_device*, int threads, buffon_queue** queue) -> const char* {
      return guarded([&] { *queue = reinterpret_cast<buffon_queue*>(new CpuQueue(threads)); });
    };
    t.end_queue = [](buffon_queue* queue) { delete reinterpret_cast<CpuQueue*>(queue); };
    t.fill = fill;
    t.combine = combine;
    t.reduce = reduce;
    t.softmax = softmax;
    t.product = product;
    t.apply = apply;
    t.gather = gather;
    t.scan = scan;
    t.resample = reference_backend().resample;
    t.convert = convert;
    return t;
  }();
  return table;
}

}  // namespace buffon::backend
