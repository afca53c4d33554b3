// SPDX-License-Identifier: BSD-3-Clause
// What the threads of the backend cuda do, run by the host: every body at every place of its launch, block by block and thread by thread, against
// cpu:reference.
#include <buffon/backend/backend.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

#include "../../lib/src/cuda/bodies.hpp"
#include "../../lib/src/cuda/launch.hpp"

using namespace buffon;
using namespace buffon::backend;

namespace {

/// A launch of a device, its threads one after the other.
template <class Body>
void start(int64_t rows, int64_t columns, const Body& body) {
  if (rows <= 0 || columns <= 0) return;
  const cuda::Launch l = cuda::launch_over(rows, columns);
  for (int64_t by = 0; by < l.blocks_y; ++by) {
    for (int64_t bx = 0; bx < l.blocks_x; ++bx) {
      for (int ty = 0; ty < l.threads_y; ++ty) {
        for (int tx = 0; tx < l.threads_x; ++tx) cuda::elements_of({bx, by, tx, ty}, l, rows, columns, body);
      }
    }
  }
}

/// The blocks of a product: all threads come to every barrier before one goes on.
template <class T>
void start_product(const cuda::Product<T>& product) {
  using P = cuda::Product<T>;
  const auto shared = std::make_unique<typename P::Shared>();
  for (int64_t row = 0; row < product.c.rows; row += P::tile) {
    for (int64_t column = 0; column < product.c.columns; column += P::tile) {
      std::vector<typename P::Sums> sums(P::threads);
      for (int64_t inner = 0; inner < product.b.rows; inner += P::depth) {
        for (int thread = 0; thread < P::threads; ++thread) product.bring(*shared, thread, row, column, inner);
        for (int thread = 0; thread < P::threads; ++thread) product.add(sums[static_cast<std::size_t>(thread)], *shared, thread, inner);
      }
      for (int thread = 0; thread < P::threads; ++thread) product.leave(sums[static_cast<std::size_t>(thread)], thread, row, column);
    }
  }
}

/// A matrix on the host, a few rows of padding after each column.
template <class T>
struct Host {
  Host(Index rows, Index columns, Index padding, std::uint64_t seed, bool awkward = false)
      : numbers(static_cast<std::size_t>((rows + padding) * columns), T(7)), rows_(rows), columns_(columns), padding_(padding) {
    Eigen::MatrixXd x(rows, columns);
    if (x.size() > 0) Stream(seed).normals(0, x);
    if (awkward && x.size() > 12) {
      x(0, 0) = std::numeric_limits<double>::quiet_NaN();
      x(rows - 1, columns - 1) = INFINITY;
      x(rows / 2, columns / 2) = -INFINITY;
      x(rows / 3, 0) = -0.0;
    }
    for (Index c = 0; c < columns; ++c) {
      for (Index r = 0; r < rows; ++r) numbers[static_cast<std::size_t>(c * (rows + padding) + r)] = static_cast<T>(x(r, c));
    }
  }
  View view() {
    const auto type = std::is_same_v<T, float> ? BUFFON_F32 : (std::is_same_v<T, double> ? BUFFON_F64 : BUFFON_I32);
    return {numbers.data(), rows_, columns_, rows_ + padding_, type};
  }
  std::vector<T> numbers;

 private:
  Index rows_, columns_, padding_;
};

template <class T>
bool same(const Host<T>& a, const Host<T>& b) {
  for (std::size_t i = 0; i < a.numbers.size(); ++i) {
    if (a.numbers[i] != a.numbers[i] && b.numbers[i] != b.numbers[i]) continue;
    if (std::memcmp(&a.numbers[i], &b.numbers[i], sizeof(T)) != 0) return false;
  }
  return true;
}

struct Shape {
  Index rows, columns;
};
const std::vector<Shape> shapes = {{0, 3}, {3, 0}, {1, 1}, {2, 7}, {7, 2}, {17, 31}, {64, 65}, {1, 1031}, {1031, 3}};

buffon_key key_of(const Stream& s, std::uint64_t first) { return {s.key0(), s.key1(), s.id(), first}; }

/// Calls test(T{}, shape, padding, awkward).
template <class Test>
void everywhere(Test&& test) {
  for (const Shape shape : shapes) {
    for (const Index padding : {Index(0), Index(5)}) {
      for (const bool awkward : {false, true}) {
        CAPTURE(shape.rows);
        CAPTURE(shape.columns);
        CAPTURE(padding);
        CAPTURE(awkward);
        test(float{}, shape, padding, awkward);
        test(double{}, shape, padding, awkward);
      }
    }
  }
}

Queue& reference() {
  static Queue queue(Device::open("cpu:reference"));
  return queue;
}

}  // namespace

TEST_CASE("a launch comes to every element once") {
  for (const Shape shape : {Shape{1, 1}, {3, 5}, {255, 2}, {256, 1}, {257, 9}, {8, 20000}, {70000, 1}, {1, 100000}}) {
    CAPTURE(shape.rows);
    CAPTURE(shape.columns);
    std::vector<int> visits(static_cast<std::size_t>(shape.rows * shape.columns), 0);
    start(shape.rows, shape.columns, [&](int64_t r, int64_t c) { ++visits[static_cast<std::size_t>(c * shape.rows + r)]; });
    CHECK(std::count(visits.begin(), visits.end(), 1) == shape.rows * shape.columns);
  }
  // What one launch cannot hold is taken in strides.
  const cuda::Launch l = cuda::launch_over(int64_t{1} << 40, int64_t{1} << 40);
  CHECK(l.blocks_x == cuda::most_blocks_x);
  CHECK(l.blocks_y == cuda::most_blocks_y);
  CHECK(l.threads_x * l.threads_y == cuda::block_threads);
  std::int64_t seen = 0;
  cuda::elements_of({3, 5, 7, 0}, cuda::Launch{256, 1, 10, 10}, 256 * 25, 27, [&](int64_t r, int64_t c) {
    CHECK(r % 2560 == 3 * 256 + 7);
    CHECK(c % 10 == 5);
    ++seen;
  });
  CHECK(seen == 2 * 3 + 3);  // rows of blocks 3, 13 and 23; columns 5, 15 and 25
}

TEST_CASE("bodies of random numbers and combinations have the bits of the reference") {
  everywhere([](auto type, Shape s, Index padding, bool awkward) {
    using T = decltype(type);
    const Stream stream(3);
    const std::uint64_t first = (std::uint64_t{1} << 32) - 2;
    for (const buffon_law law : {BUFFON_CONSTANT, BUFFON_UNIFORM, BUFFON_NORMAL}) {
      Host<T> ours(s.rows, s.columns, padding, 1), wanted(s.rows, s.columns, padding, 2);
      start((s.rows + 1) / 2, s.columns, cuda::Fill<T>{ours.view(), law, 2.5, key_of(stream, first)});
      reference().fill(wanted.view(), law, 2.5, stream, first);
      CHECK(same(ours, wanted));
    }
    Host<T> x(s.rows, s.columns, padding, 1, awkward), y(s.rows, s.columns, padding, 2, awkward), ours(s.rows, s.columns, padding, 3), wanted = ours;
    Host<double> rows(s.rows, 1, 0, 4), columns(1, s.columns, 0, 5);
    const std::vector<buffon_term> terms = {
        {x.view(), 1.5, rows.numbers.data(), columns.numbers.data()}, {y.view(), -0.5, nullptr, nullptr}, {ours.view(), 0.3, nullptr, nullptr}};
    std::vector<buffon_term> of_reference = terms;
    of_reference[2].source = wanted.view();
    for (const double noise : {0.0, 0.25}) {
      cuda::Combine<T> body{ours.view(), {}, noise, key_of(stream, first)};
      std::copy(terms.begin(), terms.end(), body.terms.term);
      body.terms.count = 3;
      start((s.rows + 1) / 2, s.columns, body);
      reference().combine(wanted.view(), of_reference, noise, stream, first);
      CHECK(same(ours, wanted));
    }
    if (padding == 0) {
      const auto flat = [&](auto known, auto width) {
        constexpr int pack = decltype(width)::value;
        if (s.rows * s.columns % pack != 0) return;
        cuda::CombineFlat<T, decltype(known)::value, pack> body{};
        body.x[0] = x.numbers.data();
        body.x[1] = ours.numbers.data();
        body.factors[0] = static_cast<T>(0.7);
        body.factors[1] = static_cast<T>(-1.1);
        body.count = 2;
        body.target = ours.numbers.data();
        start(s.rows * s.columns / pack, 1, body);
        const std::vector<buffon_term> two = {{x.view(), 0.7, nullptr, nullptr}, {wanted.view(), -1.1, nullptr, nullptr}};
        reference().combine(wanted.view(), two);
        CHECK(same(ours, wanted));
      };
      flat(std::integral_constant<int, 2>{}, std::integral_constant<int, 1>{});
      flat(std::integral_constant<int, 0>{}, std::integral_constant<int, 1>{});
      flat(std::integral_constant<int, 2>{}, std::integral_constant<int, 2>{});
    }
  });
}

TEST_CASE("bodies of sums, softmax and functions have the bits of the reference") {
  everywhere([](auto type, Shape s, Index padding, bool awkward) {
    using T = decltype(type);
    Host<T> x(s.rows, s.columns, padding, 1, awkward);
    std::vector<double> lanes(static_cast<std::size_t>(element::lanes * s.columns + 1)), most(static_cast<std::size_t>(s.columns + 1));
    for (const buffon_reduction reduction : {BUFFON_SUM, BUFFON_SUM_SQUARES, BUFFON_MAX, BUFFON_NOT_FINITE}) {
      Host<double> ours(1, s.columns, 0, 2), wanted(1, s.columns, 0, 3);
      start(element::lanes, s.columns, cuda::ReduceLane<T>{x.view(), reduction, lanes.data()});
      start(1, s.columns, cuda::ReduceFold{ours.view(), reduction, lanes.data()});
      reference().reduce(wanted.view(), x.view(), reduction);
      CHECK(same(ours, wanted));
    }
    for (const double scale : {1.0, -3.0, 200.0}) {
      Host<T> ours = x, wanted = x;
      start(element::lanes, s.columns, cuda::SoftmaxLargest<T>{ours.view(), scale, lanes.data()});
      start(1, s.columns, cuda::SoftmaxMost{lanes.data(), most.data()});
      start(element::lanes, s.columns, cuda::SoftmaxLane<T>{ours.view(), scale, most.data(), lanes.data()});
      start(s.rows, s.columns, cuda::SoftmaxWrite<T>{ours.view(), ours.view(), scale, most.data(), lanes.data()});
      reference().softmax(wanted.view(), wanted.view(), scale);
      CHECK(same(ours, wanted));
    }
    for (const buffon_function function : {BUFFON_EXP, BUFFON_SILU, BUFFON_GELU, BUFFON_TANH, BUFFON_CLAMP}) {
      Host<T> ours = x, wanted = x;
      start(s.rows, s.columns, cuda::Apply<T>{ours.view(), ours.view(), function, -0.5, 0.75});
      reference().apply(wanted.view(), wanted.view(), function, -0.5, 0.75);
      CHECK(same(ours, wanted));
    }
    Host<T> ours = x, wanted = x;
    start(1, s.columns, cuda::Scan<T>{ours.view(), ours.view()});
    reference().scan(wanted.view(), wanted.view());
    CHECK(same(ours, wanted));

    Host<float> narrow(s.rows, s.columns, padding, 6), narrow_wanted = narrow;
    start(s.rows, s.columns, cuda::Convert<float, T>{narrow.view(), x.view()});
    reference().convert(narrow_wanted.view(), x.view());
    CHECK(same(narrow, narrow_wanted));

    const Index count = s.columns == 0 ? 0 : 2 * s.columns + 1;
    Host<int32_t> index(1, count, 0, 7);
    for (Index i = 0; i < count; ++i) index.numbers[static_cast<std::size_t>(i)] = static_cast<int32_t>((7 * i + 3) % s.columns);
    Host<T> gathered(s.rows, count, padding, 8), gathered_wanted = gathered;
    start(s.rows, count, cuda::Gather<T>{gathered.view(), x.view(), index.view()});
    reference().gather(gathered_wanted.view(), x.view(), index.view());
    CHECK(same(gathered, gathered_wanted));
  });
}

TEST_CASE("bodies of resampling take the decisions of the reference") {
  for (const Index count : {1, 2, 17, 1031}) {
    for (const Index targets : {1, 5, 4096}) {
      for (const bool zeros : {false, true}) {
        CAPTURE(count);
        CAPTURE(targets);
        Host<double> weights(count, 1, 0, 4);
        for (std::size_t k = 0; k < weights.numbers.size(); ++k) {
          weights.numbers[k] = zeros && (k % 3 == 0 || k + 3 > weights.numbers.size()) ? 0 : weights.numbers[k] * weights.numbers[k];
        }
        Host<int32_t> ours(1, targets, 0, 5), wanted(1, targets, 0, 6);
        std::vector<double> sums(weights.numbers.size() + 1);
        start(1, 1, cuda::ResampleSums{weights.view(), sums.data()});
        start(targets, 1, cuda::ResampleFind{ours.view(), sums.data(), count, key_of(Stream(8), 5)});
        reference().resample(wanted.view(), weights.view(), Stream(8), 5);
        CHECK(same(ours, wanted));
      }
    }
  }
}

TEST_CASE("tiles of a product are chains in the order of the definition") {
  everywhere([](auto type, Shape s, Index padding, bool awkward) {
    using T = decltype(type);
    for (const Index inner : {Index(0), Index(1), Index(13), Index(16), Index(37)}) {
      for (const bool transposed : {false, true}) {
        for (const double keep : {0.0, 2.0}) {
          CAPTURE(inner);
          CAPTURE(transposed);
          Host<T> a(transposed ? inner : s.rows, transposed ? s.rows : inner, padding, 1), b(inner, s.columns, padding, 2, awkward);
          Host<T> ours(s.rows, s.columns, padding, 3), wanted = ours;
          start_product(cuda::Product<T>{ours.view(), a.view(), b.view(), transposed ? 1 : 0, 0.5, keep});
          reference().product(wanted.view(), a.view(), transposed, b.view(), 0.5, keep);
          CHECK(same(ours, wanted));
        }
      }
    }
  });
}
