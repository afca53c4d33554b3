// SPDX-License-Identifier: BSD-3-Clause
// Every operation of every backend against cpu:reference on awkward shapes: the same bits on every instruction set, number of threads and device.
#include <buffon/backend/backend.hpp>
#include <buffon/core/error.hpp>
#include <buffon/random/kernel_variant.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "../../lib/src/backend/backend_kernels.hpp"

using namespace buffon;
using namespace buffon::backend;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();

struct Shape {
  Index rows, columns;
};
const std::vector<Shape> shapes = {{0, 3}, {3, 0}, {1, 1}, {2, 7}, {7, 2}, {17, 31}, {64, 5}, {1, 1031}, {1031, 3}, {9001, 2}};

/// Numbers with a few that are not finite where asked for.
Eigen::MatrixXd numbers(Index rows, Index columns, std::uint64_t seed, bool awkward) {
  Eigen::MatrixXd x(rows, columns);
  if (x.size() == 0) return x;
  Stream(seed).normals(0, x);
  if (awkward && x.size() > 12) {
    x(0, 0) = nan;
    x(x.rows() - 1, x.cols() - 1) = infinity;
    x(x.rows() / 2, x.cols() / 2) = -infinity;
    x(x.rows() / 3, 0) = 0.0;
  }
  return x;
}

/// Same bits; every NaN counts as one.
bool same(const Eigen::MatrixXd& a, const Eigen::MatrixXd& b) {
  if (a.rows() != b.rows() || a.cols() != b.cols()) return false;
  for (Index i = 0; i < a.size(); ++i) {
    const double x = a.data()[i], y = b.data()[i];
    if (std::isnan(x) && std::isnan(y)) continue;
    if (std::memcmp(&x, &y, sizeof x) != 0) return false;
  }
  return true;
}

/// A matrix of a backend with some rows of padding between its columns.
class Padded {
 public:
  Padded(Queue& queue, const Eigen::MatrixXd& values, buffon_type type, Index padding)
      : memory_(queue.device(), values.rows() + padding, values.cols(), type), view_(memory_.view()) {
    Eigen::MatrixXd all = Eigen::MatrixXd::Constant(values.rows() + padding, values.cols(), 7);
    all.topRows(values.rows()) = values;
    queue.upload(memory_, all);
    view_.rows = values.rows();
    padding_ = padding;
  }
  View view() const { return view_; }
  /// What stands in the padding is nobody's business.
  bool untouched(Queue& queue) const { return padding_ == 0 || (queue.download(memory_).bottomRows(padding_).array() == 7).all(); }

 private:
  Matrix memory_;
  View view_;
  Index padding_ = 0;
};

/// A run of an operation on one backend: results as doubles.
using Case = std::function<std::vector<Eigen::MatrixXd>(Queue&, Shape, buffon_type, Index padding, bool awkward)>;
struct Named {
  std::string name;
  Case run;
};

const std::vector<Named>& cases() {
  static const std::vector<Named> all = {
      {"fill",
       [](Queue& q, Shape s, buffon_type type, Index padding, bool) {
         std::vector<Eigen::MatrixXd> out;
         for (const buffon_law law : {BUFFON_CONSTANT, BUFFON_UNIFORM, BUFFON_NORMAL}) {
           const Padded x(q, Eigen::MatrixXd::Zero(s.rows, s.columns), type, padding);
           q.fill(x.view(), law, 2.5, Stream(3), (std::uint64_t{1} << 32) - 2);
           out.push_back(q.download(x.view()));
           CHECK(x.untouched(q));
         }
         return out;
       }},
      {"combine",
       [](Queue& q, Shape s, buffon_type type, Index padding, bool awkward) {
         std::vector<Eigen::MatrixXd> out;
         for (int count = 0; count <= 8; ++count) {
           std::vector<Padded> sources;
           for (int k = 0; k <= count; ++k) sources.emplace_back(q, numbers(s.rows, s.columns, static_cast<std::uint64_t>(k), awkward), type, padding);
           std::vector<buffon_term> terms;
           for (int k = 0; k < count; ++k) terms.push_back({sources[static_cast<std::size_t>(k)].view(), 0.3 * k - 1.1, nullptr, nullptr});
           const Padded& target = sources[static_cast<std::size_t>(count % 3 == 0 ? 0 : count)];  // over a source as well
           if (count % 2 == 0) {
             q.combine(target.view(), terms);
           } else {
             q.combine(target.view(), terms, 0.7, Stream(5), 11);
           }
           out.push_back(q.download(target.view()));
           CHECK(target.untouched(q));
         }
         return out;
       }},
      {"combine with factors of rows and columns",
       [](Queue& q, Shape s, buffon_type type, Index padding, bool awkward) {
         std::vector<Eigen::MatrixXd> out;
         Matrix rows(q.device(), s.rows, 1, BUFFON_F64), columns(q.device(), s.columns, 1, BUFFON_F64);
         q.upload(rows, numbers(s.rows, 1, 21, false));
         q.upload(columns, numbers(s.columns, 1, 22, false));
         const auto* r = static_cast<const double*>(rows.view().data);
         const auto* c = static_cast<const double*>(columns.view().data);
         for (const auto& [of_rows, of_columns] : {std::pair{r, static_cast<const double*>(nullptr)}, {static_cast<const double*>(nullptr), c}, {r, c}}) {
           const Padded x(q, numbers(s.rows, s.columns, 1, awkward), type, padding), y(q, numbers(s.rows, s.columns, 2, awkward), type, padding);
           std::vector<buffon_term> terms = {{x.view(), 1.5, of_rows, of_columns}};
           for (int count = 1; count <= 5; ++count) {
             q.combine(x.view(), terms, 0.25, Stream(6), 3);
             out.push_back(q.download(x.view()));
             terms.push_back({y.view(), -0.5 + 0.2 * count, nullptr, nullptr});
           }
         }
         return out;
       }},
      {"reduce",
       [](Queue& q, Shape s, buffon_type type, Index padding, bool awkward) {
         std::vector<Eigen::MatrixXd> out;
         const Padded x(q, numbers(s.rows, s.columns, 1, awkward), type, padding);
         for (const buffon_reduction reduction : {BUFFON_SUM, BUFFON_SUM_SQUARES, BUFFON_MAX, BUFFON_NOT_FINITE}) {
           const Matrix result(q.device(), 1, s.columns, BUFFON_F64);
           q.reduce(result, x.view(), reduction);
           const Eigen::MatrixXd found = q.download(result);
           out.push_back(reduction == BUFFON_MAX ? Eigen::MatrixXd(found.array() + 0.0) : found);  // −0 + 0 = 0: the sign of a zero is left open
         }
         return out;
       }},
      {"softmax",
       [](Queue& q, Shape s, buffon_type type, Index padding, bool awkward) {
         std::vector<Eigen::MatrixXd> out;
         for (const double scale : {1.0, -3.0, 200.0, 0.0}) {
           const Padded x(q, numbers(s.rows, s.columns, 1, awkward), type, padding);
           q.softmax(x.view(), x.view(), scale);
           out.push_back(q.download(x.view()));
           CHECK(x.untouched(q));
         }
         return out;
       }},
      {"product",
       [](Queue& q, Shape s, buffon_type type, Index padding, bool awkward) {
         std::vector<Eigen::MatrixXd> out;
         for (const Index inner : {Index(0), Index(1), Index(13), Index(64)}) {
           for (const bool transposed : {false, true}) {
             const Padded a(q, transposed ? numbers(inner, s.rows, 1, false) : numbers(s.rows, inner, 1, false), type, padding);
             const Padded b(q, numbers(inner, s.columns, 2, awkward), type, padding);
             const Padded c(q, numbers(s.rows, s.columns, 3, false), type, padding);
             q.product(c.view(), a.view(), transposed, b.view(), 0.5, transposed ? 2.0 : 0.0);
             out.push_back(q.download(c.view()));
             CHECK(c.untouched(q));
           }
         }
         return out;
       }},
      {"apply",
       [](Queue& q, Shape s, buffon_type type, Index padding, bool awkward) {
         std::vector<Eigen::MatrixXd> out;
         for (const buffon_function function : {BUFFON_EXP, BUFFON_SILU, BUFFON_GELU, BUFFON_TANH, BUFFON_CLAMP}) {
           const Padded x(q, numbers(s.rows, s.columns, 1, awkward), type, padding);
           q.apply(x.view(), x.view(), function, -0.5, 0.75);
           out.push_back(q.download(x.view()));
         }
         return out;
       }},
      {"gather",
       [](Queue& q, Shape s, buffon_type type, Index padding, bool awkward) {
         const Padded x(q, numbers(s.rows, s.columns, 1, awkward), type, padding);
         const Index count = s.columns == 0 ? 0 : 2 * s.columns + 1;
         Eigen::MatrixXd index(1, count);
         for (Index i = 0; i < count; ++i) index(0, i) = static_cast<double>((i * 7 + 3) % s.columns);
         const Matrix chosen(q.device(), 1, count, BUFFON_I32);
         q.upload(chosen, index);
         const Padded target(q, Eigen::MatrixXd::Zero(s.rows, count), type, padding);
         q.gather(target.view(), x.view(), chosen);
         return std::vector<Eigen::MatrixXd>{q.download(target.view())};
       }},
      {"scan",
       [](Queue& q, Shape s, buffon_type type, Index padding, bool awkward) {
         const Padded x(q, numbers(s.rows, s.columns, 1, awkward), type, padding);
         q.scan(x.view(), x.view());
         return std::vector<Eigen::MatrixXd>{q.download(x.view())};
       }},
      {"resample",
       [](Queue& q, Shape s, buffon_type, Index, bool) {
         const Matrix weights(q.device(), s.rows, 1, BUFFON_F64), chosen(q.device(), 1, s.columns, BUFFON_I32);
         q.upload(weights, numbers(s.rows, 1, 4, false).cwiseAbs2());
         if (s.rows == 0) {
           CHECK_THROWS_WITH_AS(q.resample(chosen, weights, Stream(8), 5), doctest::Contains("must have at least one weight"), Error);
           return std::vector<Eigen::MatrixXd>{};
         }
         q.resample(chosen, weights, Stream(8), 5);
         return std::vector<Eigen::MatrixXd>{q.download(chosen)};
       }},
      {"convert", [](Queue& q, Shape s, buffon_type type, Index padding, bool awkward) {
         const Padded x(q, numbers(s.rows, s.columns, 1, awkward), type, padding);
         const Padded y(q, Eigen::MatrixXd::Zero(s.rows, s.columns), type == BUFFON_F32 ? BUFFON_F64 : BUFFON_F32, padding);
         q.convert(y.view(), x.view());
         return std::vector<Eigen::MatrixXd>{q.download(y.view())};
       }}};
  return all;
}

/// Every case of one backend against the reference.
void compare(Queue& queue) {
  Queue reference(Device::open("cpu:reference"));
  for (const Named& named : cases()) {
    for (const Shape shape : shapes) {
      for (const buffon_type type : {BUFFON_F32, BUFFON_F64}) {
        for (const Index padding : {Index(0), Index(5)}) {
          for (const bool awkward : {false, true}) {
            CAPTURE(named.name);
            CAPTURE(shape.rows);
            CAPTURE(shape.columns);
            CAPTURE(static_cast<int>(type));
            CAPTURE(padding);
            CAPTURE(awkward);
            const auto ours = named.run(queue, shape, type, padding, awkward), wanted = named.run(reference, shape, type, padding, awkward);
            REQUIRE(ours.size() == wanted.size());
            for (std::size_t i = 0; i < ours.size(); ++i) {
              CAPTURE(i);
              CHECK(same(ours[i], wanted[i]));
            }
          }
        }
      }
    }
  }
}

}  // namespace

TEST_CASE("the backend cpu has the bits of the reference, with every instruction set and number of threads") {
  const std::string variant(kernel_variant());
  for (const std::string_view isa : available_kernel_variants()) {
    force_kernel_variant(isa);
    CAPTURE(isa);
    CHECK(backend_kernels().compiled_for == isa);
    for (const int threads : {1, 3}) {
      Queue queue(Device::open("cpu"), threads);
      compare(queue);
    }
  }
  force_kernel_variant(variant);
}

TEST_CASE("every other backend that has a device has the bits of the reference") {
  for (const Listed& listed : list()) {
    if (listed.name.starts_with("cpu")) continue;
    if (!listed.why_not.empty()) {
      MESSAGE("skipped, ", listed.name, ": ", listed.why_not);
      CHECK_THROWS_WITH_AS(Device::open(listed.name), doctest::Contains((listed.why_not + ". take backend = \"cpu\"").c_str()), Error);
      continue;
    }
    Queue queue(Device::open(listed.name));
    compare(queue);
  }
}

TEST_CASE("a column of numbers does not depend on the columns beside it") {
  Queue queue(Device::open("cpu"), 2);
  const Index n = 37;
  const auto sample = [&](std::uint64_t first, Index columns) {
    const Matrix x(queue.device(), n, columns), y(queue.device(), n, columns);
    queue.fill(x, BUFFON_NORMAL, 0, Stream(1), first);
    const std::vector<buffon_term> terms = {{x, 0.5, nullptr, nullptr}};
    queue.combine(y, terms, 0.1, Stream(2), first);
    queue.softmax(y, y);
    const Matrix left(queue.device(), n, n), z(queue.device(), n, columns);
    queue.fill(left, BUFFON_NORMAL, 0, Stream(3), 0);
    queue.product(z, left, false, y);
    return queue.download(z);
  };
  const Eigen::MatrixXd batch = sample(0, 64);
  CHECK(same(sample(7, 1), batch.col(7)));
  CHECK(same(sample(5, 8).col(2), batch.col(7)));
}

TEST_CASE("the definition, by hand") {
  Queue queue(Device::open("cpu:reference"));
  const Matrix a(queue.device(), 2, 3, BUFFON_F64), b(queue.device(), 3, 1, BUFFON_F64), c(queue.device(), 2, 1, BUFFON_F64);
  Eigen::MatrixXd left(2, 3);
  left << 1, 2, 3, 4, 5, 6;
  queue.upload(a, left);
  queue.upload(b, Eigen::Vector3d(1, 0, -1));
  queue.product(c, a, false, b, 2);
  CHECK(queue.download(c) == Eigen::Vector2d(-4, -4));
  const Matrix sums(queue.device(), 1, 3, BUFFON_F64), scanned(queue.device(), 2, 3, BUFFON_F64);
  queue.reduce(sums, a, BUFFON_SUM_SQUARES);
  CHECK(queue.download(sums) == Eigen::RowVector3d(17, 29, 45));
  queue.scan(scanned, a);
  CHECK(queue.download(scanned).row(1) == Eigen::RowVector3d(5, 7, 9));
  const Matrix weights(queue.device(), 3, 1, BUFFON_F64), chosen(queue.device(), 1, 4, BUFFON_I32);
  queue.upload(weights, Eigen::Vector3d(1, 0, 3));
  queue.resample(chosen, weights, Stream(1), 0);
  CHECK(queue.download(chosen) == Eigen::RowVector4d(0, 2, 2, 2));  // exactly 1 and 3 of 4, whatever the uniform is
  Eigen::MatrixXd normals(5, 3);
  Stream(9).normals(4, normals);
  const Matrix drawn(queue.device(), 5, 3, BUFFON_F64);
  queue.fill(drawn, BUFFON_NORMAL, 0, Stream(9), 4);
  CHECK(queue.download(drawn) == normals);
}

TEST_CASE("wrong shapes and names are refused") {
  Queue queue(Device::open("cpu"), 1);
  const Matrix a(queue.device(), 3, 4), b(queue.device(), 4, 3);
  const std::vector<buffon_term> terms = {{a, 1, nullptr, nullptr}};
  CHECK_THROWS_WITH_AS(queue.combine(b, terms), doctest::Contains("shapes = 4 x 3 f32 and 3 x 4 f32 must be equal"), Error);
  CHECK_THROWS_WITH_AS(queue.product(a, a, false, b), doctest::Contains("must give 3 x 4 f32"), Error);
  CHECK_THROWS_WITH_AS(Device::open("gpu"), doctest::Contains("take one of cpu, cpu:reference, cuda"), Error);
  CHECK_THROWS_WITH_AS(Device::open("cpu:3"), doctest::Contains("has only 1 device"), Error);
}

TEST_CASE("whole numbers are refused where floating-point numbers are computed with") {
  for (const char* name : {"cpu", "cpu:reference"}) {
    Queue queue(Device::open(name), 1);
    const Matrix whole(queue.device(), 2, 3, BUFFON_I32), wide(queue.device(), 2, 3, BUFFON_F64), sums(queue.device(), 1, 3, BUFFON_F64);
    const Matrix square(queue.device(), 3, 3, BUFFON_I32), index(queue.device(), 1, 3, BUFFON_I32);
    queue.upload(index, Eigen::RowVector3d(0, 1, 2));
    const std::vector<buffon_term> terms = {{whole, 1, nullptr, nullptr}};
    const std::vector<std::function<void()>> all = {[&] { queue.fill(whole, BUFFON_CONSTANT, 1, Stream(1), 0); },
                                                    [&] { queue.combine(whole, terms); },
                                                    [&] { queue.combine(whole, terms, 1, Stream(1), 0); },
                                                    [&] { queue.reduce(sums, whole, BUFFON_SUM); },
                                                    [&] { queue.softmax(whole, whole); },
                                                    [&] { queue.product(whole, whole, false, square); },
                                                    [&] { queue.apply(whole, whole, BUFFON_EXP); },
                                                    [&] { queue.gather(whole, whole, index); },
                                                    [&] { queue.scan(whole, whole); },
                                                    [&] { queue.convert(wide, whole); },
                                                    [&] { queue.convert(whole, wide); }};
    for (std::size_t i = 0; i < all.size(); ++i) {
      CAPTURE(i);
      CHECK_THROWS_WITH_AS(all[i](), doctest::Contains("matrix = 2 x 3 i32 must be of type f32 or f64. give a matrix of floating-point numbers"), Error);
    }
  }
}

TEST_CASE("indices, numbers of terms and sizes beyond what there is are refused") {
  Queue queue(Device::open("cpu"), 1);
  const Matrix x(queue.device(), 2, 3), y(queue.device(), 2, 2), index(queue.device(), 1, 2, BUFFON_I32);
  queue.fill(x, BUFFON_CONSTANT, 1, Stream(1), 0);
  for (const double wrong : {-1.0, 3.0}) {
    queue.upload(index, Eigen::RowVector2d(2, wrong));
    CHECK_THROWS_WITH_AS(queue.gather(y, x, index), doctest::Contains("must be a column of the source, which has 3. count columns from 0"), Error);
  }
  queue.upload(index, Eigen::RowVector2d(2, 0));
  CHECK_NOTHROW(queue.gather(y, x, index));

  std::vector<buffon_term> terms(BUFFON_MOST_TERMS, {x, 1, nullptr, nullptr});
  const Matrix sum(queue.device(), 2, 3);
  queue.combine(sum, terms);
  CHECK((queue.download(sum).array() == BUFFON_MOST_TERMS).all());
  terms.push_back(terms.front());
  for (const char* name : {"cpu", "cpu:reference"}) {
    Queue other(Device::open(name), 1);
    CHECK_THROWS_WITH_AS(other.combine(sum, terms), doctest::Contains("terms = 33 must be at most 32. combine them in several steps"), Error);
  }

  const Index large = Index{1} << 31;  // 2^31 · 2^31 · 4 bytes are 0 in 64 bits
  CHECK_THROWS_WITH_AS(Matrix(queue.device(), large, large), doctest::Contains("its bytes must be fewer than 2^63. use smaller batches"), Error);
  CHECK_THROWS_WITH_AS(Matrix(queue.device(), -1, 2), doctest::Contains("shape = -1 x 2 must not be negative"), Error);
}
