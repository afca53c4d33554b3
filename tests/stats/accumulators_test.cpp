// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/core/error.hpp>
#include <buffon/parallel/blocks.hpp>
#include <buffon/stats/accumulators.hpp>

#include <doctest/doctest.h>
#include <memory_archive.hpp>

#include <cmath>
#include <random>
#include <span>
#include <vector>

using namespace buffon;
using buffon::testing::restore;
using buffon::testing::state_of;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

// A skewed law: squares of uniforms around 1000.
std::vector<double> sample(std::size_t n, std::uint64_t seed = 1) {
  std::mt19937_64 bits(seed);
  std::vector<double> x(n);
  for (double& v : x) {
    const double u = static_cast<double>(bits() >> 11) * 0x1p-53;
    v = 1000 + u * u;
  }
  return x;
}

struct Reference {  // two passes in long double
  long double mean = 0, m2 = 0, m3 = 0, m4 = 0;
  explicit Reference(std::span<const double> x) {
    for (const double v : x) mean += v;
    mean /= static_cast<long double>(x.size());
    for (const double v : x) {
      const long double d = v - mean;
      m2 += d * d;
      m3 += d * d * d;
      m4 += d * d * d * d;
    }
  }
};

void check_close(double value, long double reference, double relative) {
  CHECK(std::abs(value - static_cast<double>(reference)) <= relative * std::abs(static_cast<double>(reference)));
}

Moments merged(std::span<const double> x, std::size_t block, bool singles) {
  std::vector<Moments> parts;
  for (std::size_t first = 0; first < x.size(); first += block) {
    auto& m = parts.emplace_back();
    const auto part = x.subspan(first, std::min(block, x.size() - first));
    if (singles) {
      for (const double v : part) m.add(v);
    } else {
      m.add(part);
    }
  }
  return merge_tree(std::move(parts), [](Moments& into, const Moments& from) { into.merge(from); });
}

// sd of the sample is 0.3 at mean 1000, so a rounding of x costs 4e3 ε per deviation; one-by-one updates of n values add
// up to about √n of them: 1e4 × 4e3 × 1e-16 ≈ 1e-9 for n = 1e4 at worst.
constexpr double tolerance = 1e-9;

void check_moments(const Moments& m, std::span<const double> x) {
  const Reference r(x);
  const auto n = static_cast<long double>(x.size());
  CHECK(m.count() == static_cast<std::int64_t>(x.size()));
  check_close(m.mean(), r.mean, 1e-14);
  check_close(m.variance(), r.m2 / (n - 1), tolerance);
  CHECK(std::abs(m.skewness() - static_cast<double>(std::sqrt(n) * r.m3 / std::pow(r.m2, 1.5L))) <= tolerance);  // a number of order 1
  check_close(m.kurtosis(), n * r.m4 / (r.m2 * r.m2), tolerance);
}

}  // namespace

TEST_CASE("moments of 1, 2, 3, 4, 10 are the exact fractions") {
  // mean 4; deviations −3 −2 −1 0 6: M2 = 50, M3 = 180, M4 = 1394.
  Moments one_by_one, at_once;
  const std::vector<double> x = {1, 2, 3, 4, 10};
  for (const double v : x) one_by_one.add(v);
  at_once.add(x);
  for (const Moments& m : {one_by_one, at_once}) {
    CHECK(m.mean() == doctest::Approx(4).scale(0).epsilon(1e-15));
    CHECK(m.variance() == doctest::Approx(12.5).scale(0).epsilon(1e-15));
    CHECK(m.std_error() == doctest::Approx(std::sqrt(2.5)).scale(0).epsilon(1e-15));
    CHECK(m.skewness() == doctest::Approx(std::sqrt(5.0) * 180 / std::pow(50.0, 1.5)).scale(0).epsilon(1e-14));
    CHECK(m.kurtosis() == doctest::Approx(5 * 1394.0 / 2500).scale(0).epsilon(1e-14));
  }
}

TEST_CASE("moments merged in any partition equal two passes in long double") {
  for (const std::size_t n : {2, 3, 1023, 1024, 1025, 10000}) {
    const auto x = sample(n);
    for (const std::size_t block : {std::size_t{1}, std::size_t{7}, std::size_t{1000}, n}) {
      check_moments(merged(x, block, true), x);
      check_moments(merged(x, block, false), x);
    }
  }
}

TEST_CASE("a merge that forgets the distance of the means is noticed by the same tolerance") {
  const auto x = sample(1000);
  const std::span<const double> all(x);
  const Reference whole(all), a(all.first(500)), b(all.last(500));
  const double wrong = static_cast<double>((a.m2 + b.m2) / 999), right = static_cast<double>(whole.m2 / 999);
  CHECK(std::abs(wrong - right) > tolerance * right);
}

TEST_CASE("moments scale exactly from 1e-290 to 1e250") {
  auto x = sample(3000);
  Moments reference;
  reference.add(x);
  for (const int k : {-974, -200, 200, 840}) {
    Moments m, singles, reference_singles;
    std::vector<double> y;
    for (const double v : x) y.push_back(std::ldexp(v, k));
    m.add(y);
    for (const double v : y) singles.add(v);
    for (const double v : x) reference_singles.add(v);
    CHECK(m.mean() == std::ldexp(reference.mean(), k));
    CHECK(m.std_dev() == std::ldexp(reference.std_dev(), k));
    CHECK(m.skewness() == reference.skewness());
    CHECK(m.kurtosis() == reference.kurtosis());
    CHECK(singles.kurtosis() == reference_singles.kurtosis());
  }
}

TEST_CASE("moments of values from 1e-150 to 1e150 are those of the largest") {
  Moments m;
  for (const double v : {1e-150, -1e-150, 0.0, 1e150}) m.add(v);
  CHECK(m.mean() == doctest::Approx(0.25e150));
  CHECK(m.std_dev() == doctest::Approx(0.5e150));
  CHECK(m.kurtosis() == doctest::Approx(7.0 / 3));
}

TEST_CASE("moments of nothing, of one value, of equal values and of a NaN say so") {
  Moments m;
  CHECK(std::isnan(m.mean()));
  m.merge(Moments{});
  CHECK(m.count() == 0);
  m.add(3);
  CHECK(m.mean() == 3);
  CHECK(std::isnan(m.variance()));
  m.add(3);
  CHECK(m.variance() == 0);
  CHECK(std::isnan(m.kurtosis()));
  m.add(std::nan(""));
  CHECK(std::isnan(m.mean()));
}

TEST_CASE("weighted moments equal the formulas, weights given plainly or by logarithms of any size") {
  const auto x = sample(1000, 2), u = sample(1000, 3);
  for (const double shift : {0.0, -5000.0, 5000.0}) {
    WeightedMoments plain, logs, one, two;
    long double sw = 0, sw2 = 0, swx = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double w = i % 10 == 0 ? 0.0 : u[i] - 1000 + 0.01;
      plain.add(x[i], w);
      logs.add_log(x[i], std::log(w) + shift);
      (i < 300 ? one : two).add_log(x[i], std::log(w) + shift);
      sw += w;
      sw2 += static_cast<long double>(w) * w;
      swx += static_cast<long double>(w) * x[i];
    }
    const long double mu = swx / sw;
    long double v = 0, s = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
      const long double w = i % 10 == 0 ? 0.0 : u[i] - 1000 + 0.01, d = x[i] - mu;
      v += w * d * d;
      s += w * w * d * d;
    }
    one.merge(two);
    CHECK(one.count() == 1000);
    // log w + 5000 is rounded to 1e-12: relative error of the weights.
    for (const auto& m : {plain, logs, one}) {
      check_close(m.mean(), mu, 1e-13);
      check_close(m.effective_size(), sw * sw / sw2, 1e-11);
      check_close(m.variance(), v / sw, 1e-9);
      check_close(m.std_error(), std::sqrt(s) / sw, 1e-9);
    }
    CHECK(logs.log_sum_of_weights() == doctest::Approx(std::log(static_cast<double>(sw)) + shift).scale(0).epsilon(1e-12));
    check_close(plain.sum_of_weights(), sw, 1e-13);
    // The naive standard error, as if all weights were equal, is another number.
    CHECK(std::abs(plain.std_error() - std::sqrt(plain.variance() / 1000)) > 1e-2 * plain.std_error());
  }
}

TEST_CASE("weighted moments do not change when weights or values are scaled by 1e±60") {
  const auto x = sample(500, 4), u = sample(500, 5);
  WeightedMoments reference;
  for (std::size_t i = 0; i < x.size(); ++i) reference.add(x[i], u[i] - 1000);
  for (const double c : {1e-150, 1e-60, 1e60, 1e150}) {
    WeightedMoments weights, values;
    for (std::size_t i = 0; i < x.size(); ++i) {
      weights.add(x[i], c * (u[i] - 1000));
      values.add(c * x[i], u[i] - 1000);
    }
    CHECK(weights.std_error() == doctest::Approx(reference.std_error()).scale(0).epsilon(1e-10));
    CHECK(weights.effective_size() == doctest::Approx(reference.effective_size()).scale(0).epsilon(1e-12));
    CHECK(values.std_error() / c == doctest::Approx(reference.std_error()).scale(0).epsilon(1e-10));
  }
}

TEST_CASE("weighted moments refuse a negative weight and survive zero weights") {
  WeightedMoments m;
  CHECK_THROWS_AS(m.add(1, -1), Error);
  m.add(1, 0);
  m.add_log(2, -infinity);
  CHECK(m.count() == 2);
  CHECK(m.effective_size() == 0);
  CHECK(m.log_sum_of_weights() == -infinity);
  CHECK(std::isnan(m.mean()));
  CHECK(std::isnan(m.std_error()));
  m.add(5, 2);
  CHECK(m.mean() == 5);
  CHECK(m.effective_size() == 1);
  const std::vector<double> three(3, 1), two(2, 1);
  CHECK_THROWS_AS(m.add(three, two), Error);
}

TEST_CASE("covariances equal the definition in any partition, each component at its own scale") {
  const Index J = 5, n = 1003;
  std::mt19937_64 bits(7);
  Eigen::MatrixXd x(J, n);
  const double scale[J] = {1, 1e60, 1e-60, 1e150, 1e-140};
  for (Index c = 0; c < n; ++c) {
    const double common = static_cast<double>(bits() >> 11) * 0x1p-53;
    for (Index j = 0; j < J; ++j) x(j, c) = scale[j] * (10 + common + static_cast<double>(j) * (static_cast<double>(bits() >> 11) * 0x1p-53));
  }
  const auto definition = [&](Index i, Index j) {
    long double mi = 0, mj = 0, s = 0;
    for (Index c = 0; c < n; ++c) {
      mi += static_cast<long double>(x(i, c)) / static_cast<long double>(n);
      mj += static_cast<long double>(x(j, c)) / static_cast<long double>(n);
    }
    for (Index c = 0; c < n; ++c) s += (x(i, c) - mi) * (x(j, c) - mj);
    return s / static_cast<long double>(n - 1);
  };
  for (const Index block : {Index{1}, Index{9}, Index{256}, Index{300}, n}) {
    std::vector<CovarianceAccumulator> parts;
    for (Index first = 0; first < n; first += block) parts.emplace_back().add(x.middleCols(first, std::min(block, n - first)));
    const auto sums = merge_tree(std::move(parts), [](auto& into, const auto& from) { into.merge(from); });
    CHECK(sums.count() == n);
    const Eigen::MatrixXd c = sums.covariance();
    CHECK(c == c.transpose());
    // Relative to √(v_i v_j): n deviations of relative rounding 30 ε each.
    for (Index i = 0; i < J; ++i) {
      for (Index j = 0; j < J; ++j) {
        const double unit = std::sqrt(static_cast<double>(definition(i, i))) * std::sqrt(static_cast<double>(definition(j, j)));
        CHECK(std::abs(c(i, j) - static_cast<double>(definition(i, j))) <= 1e-12 * unit);
      }
      CHECK(sums.std_errors()[i] == doctest::Approx(std::sqrt(c(i, i) / n)).scale(0).epsilon(1e-15));
      CHECK(sums.estimate(i).std_error == doctest::Approx(sums.std_errors()[i]).scale(0).epsilon(1e-15));
    }
    CHECK(sums.mean_covariance()(0, 1) == doctest::Approx(c(0, 1) / n));
  }
}

TEST_CASE("a covariance refuses points of another dimension and says NaN for one point") {
  CovarianceAccumulator sums(2);
  CHECK_THROWS_AS(sums.add(Eigen::MatrixXd::Zero(3, 4)), Error);
  sums.add(Eigen::MatrixXd::Ones(2, 1));
  CHECK(std::isnan(sums.covariance()(0, 0)));
  CHECK(sums.mean()[1] == 1);
}

TEST_CASE("log sums equal exact sums, with infinities and empty parts") {
  LogSum s;
  CHECK(s.value() == -infinity);
  s.add(-infinity);
  CHECK(s.value() == -infinity);
  for (int k = 1; k <= 100; ++k) s.add(std::log(k) - 2000);
  CHECK(s.value() == doctest::Approx(std::log(5050.0) - 2000).scale(0).epsilon(1e-15));
  CHECK(s.log_mean() == doctest::Approx(std::log(50.0) - 2000).scale(0).epsilon(1e-15));

  std::vector<double> l;
  for (int k = 1; k <= 1000; ++k) l.push_back(std::log(k) + 3000);
  LogSum a, b;
  a.add(std::span(l).first(700));
  b.add(std::span(l).last(300));
  b.merge(LogSum{});
  b.merge(a);
  CHECK(b.value() == doctest::Approx(std::log(500500.0) + 3000).scale(0).epsilon(1e-15));
  CHECK(b.count() == 1000);

  b.add(infinity);
  b.add(infinity);
  b.add(0.0);
  CHECK(b.value() == infinity);
  LogSum nothing;
  nothing.add(std::vector<double>(3, -infinity));
  b.merge(nothing);
  CHECK(b.value() == infinity);
  CHECK(nothing.value() == -infinity);
  for (const bool last : {false, true}) {
    LogSum bad;
    if (last) bad.add(1.0);
    bad.add(std::nan(""));
    bad.add(2.0);
    bad.add(std::vector<double>{1.0, infinity});
    CHECK(std::isnan(bad.value()));
  }
  LogSum inside;
  inside.add(std::vector<double>{1.0, std::nan(""), 2.0});
  CHECK(std::isnan(inside.value()));
}

TEST_CASE("a saved accumulator goes on with the same bits") {
  const auto x = sample(500, 8);
  const auto check = [&](auto original, auto fresh, auto&& add) {
    for (std::size_t i = 0; i < 250; ++i) add(original, i);
    restore(fresh, state_of(original));
    for (std::size_t i = 250; i < 500; ++i) {
      add(original, i);
      add(fresh, i);
    }
    CHECK(state_of(original) == state_of(fresh));
  };
  check(Moments{}, Moments{}, [&](Moments& m, std::size_t i) { m.add(x[i]); });
  check(WeightedMoments{}, WeightedMoments{}, [&](WeightedMoments& m, std::size_t i) { m.add_log(x[i], x[499 - i]); });
  check(LogSum{}, LogSum{}, [&](LogSum& m, std::size_t i) { m.add(x[i]); });
  check(CovarianceAccumulator(2), CovarianceAccumulator{}, [&](CovarianceAccumulator& m, std::size_t i) { m.add(Eigen::Vector2d(x[i], x[499 - i])); });
}

TEST_CASE("accumulators reduced over blocks have the same bits on 1, 2, 3 and 8 threads") {
  const auto x = sample(50000, 9);
  const auto reduced = [&](int threads) {
    Context context(threads);
    auto moments = reduce_blocks<Moments>(
        context, 50000, 512,
        [&](const Block& b) {
          Moments m;
          m.add(std::span(x).subspan(static_cast<std::size_t>(b.begin), static_cast<std::size_t>(b.size())));
          return m;
        },
        [](Moments& into, const Moments& from) { into.merge(from); });
    auto sums = reduce_blocks<CovarianceAccumulator>(
        context, 25000, 512,
        [&](const Block& b) {
          CovarianceAccumulator m;
          m.add(Eigen::Map<const Eigen::MatrixXd>(x.data() + 2 * b.begin, 2, b.size()));
          return m;
        },
        [](CovarianceAccumulator& into, const CovarianceAccumulator& from) { into.merge(from); });
    return state_of(moments) + state_of(sums);
  };
  const std::string reference = reduced(1);
  for (const int threads : {2, 3, 8}) CHECK(reduced(threads) == reference);
}
