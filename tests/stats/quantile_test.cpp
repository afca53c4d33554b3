// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/core/error.hpp>
#include <buffon/random/stream.hpp>
#include <buffon/stats/intervals.hpp>
#include <buffon/stats/quantile.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

using namespace buffon;

namespace {
constexpr double infinity = std::numeric_limits<double>::infinity();
}

TEST_CASE("type 7 quantiles of small samples are the worked values") {
  const std::vector<double> x = {10, 2, 4, 7};
  CHECK(sample_quantile(x, 0) == 2);
  CHECK(sample_quantile(x, 1) == 10);
  CHECK(sample_quantile(x, 0.5) == 5.5);
  CHECK(sample_quantile(x, 0.25) == doctest::Approx(3.5));
  CHECK(sample_quantile(x, 0.9) == doctest::Approx(7 + 0.7 * 3));
  const std::vector<double> p = {0.9, 0, 0.5};
  CHECK(sample_quantiles(x, p) == std::vector<double>{sample_quantile(x, 0.9), 2, 5.5});
  CHECK(std::isnan(sample_quantile({}, 0.5)));
  CHECK(std::isnan(sample_quantile(std::vector<double>{1, std::nan("")}, 0.5)));
  CHECK(sample_quantile(std::vector<double>{-infinity, 0, infinity}, 1) == infinity);
  CHECK_THROWS_AS(sample_quantile(x, 1.1), Error);
}

TEST_CASE("the interval of a median of 10 values lies between the 2nd and the 9th, and 5 values give none") {
  // P(K < 2) = 11/1024 = 0.0107 ≤ 0.025 < P(K < 3) = 0.0547.
  std::vector<double> x = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
  const Estimate e = quantile_estimate(x, 0.5);
  CHECK(e.value == 5.5);
  CHECK(e.lower == 2);
  CHECK(e.upper == 9);
  CHECK(e.std_error == doctest::Approx(7 / (2 * 1.959963984540054)));
  x.resize(5);
  const Estimate none = quantile_estimate(x, 0.5);
  CHECK(none.lower == -infinity);
  CHECK(none.upper == infinity);
  CHECK(std::isnan(none.std_error));
}

TEST_CASE("weighted quantiles with equal weights are type 7, zero weights and common factors do not count") {
  std::vector<double> x(57);
  Stream(1).fill_normals(0, x);
  for (const double c : {1e-300, 1.0, 1e300}) {
    std::vector<double> w(x.size(), c);
    for (const double p : {0.0, 0.1, 0.5, 0.77, 1.0}) CHECK(weighted_quantile(x, w, p) == doctest::Approx(sample_quantile(x, p)).scale(0).epsilon(1e-12));
    std::vector<double> more = x;
    more.insert(more.begin(), 20, 1e9);
    w.insert(w.begin(), 20, 0.0);
    CHECK(weighted_quantile(more, w, 0.9) == doctest::Approx(sample_quantile(x, 0.9)).scale(0).epsilon(1e-12));
  }
  CHECK(weighted_quantile(std::vector<double>{5, 6}, std::vector<double>{0, 3}, 0.2) == 6);
  CHECK(std::isnan(weighted_quantile(x, std::vector<double>(57, 0.0), 0.5)));
  CHECK_THROWS_AS(weighted_quantile(x, std::vector<double>(57, -1.0), 0.5), Error);
  CHECK_THROWS_AS(weighted_quantile(x, std::vector<double>(3, 1.0), 0.5), Error);
}

TEST_CASE("order-statistics intervals of a quantile cover at 95 %, those of a neighbouring quantile do not") {
  // n = 1000, p = 0.9: exact coverage is 0.95 … 0.96 by discreteness; binomial band of 4000 repeats at level 1e-6 ± 0.017.
  int right = 0, wrong = 0;
  std::vector<double> x(1000);
  const double q = normal_quantile(0.9);
  for (std::uint64_t r = 0; r < 4000; ++r) {
    Stream(2).fill_normals(r * 1000, x);
    const Estimate a = quantile_estimate(x, 0.9), b = quantile_estimate(x, 0.91);
    right += a.lower <= q && q <= a.upper;
    wrong += b.lower <= q && q <= b.upper;
  }
  CHECK(right / 4000.0 >= 0.95 - 0.017);
  CHECK(right / 4000.0 <= 0.96 + 0.017);
  CHECK_FALSE(wrong / 4000.0 >= 0.95 - 0.017);
}

TEST_CASE("weighted quantile intervals under importance weights cover at 95 %, those that take the weights as equal do not") {
  // Draws of N(1, 1), weights of N(0, 1): w = exp(½ − x). Effective size about 1000/e; band ± 0.017 and 0.02 for the
  // asymptotics at that size.
  int right = 0, wrong = 0;
  std::vector<double> x(1000), w(1000);
  const double q = normal_quantile(0.9);
  for (std::uint64_t r = 0; r < 4000; ++r) {
    Stream(3).fill_normals(r * 1000, x);
    for (std::size_t i = 0; i < x.size(); ++i) {
      x[i] += 1;
      w[i] = std::exp(0.5 - x[i]);
    }
    const Estimate a = weighted_quantile_estimate(x, w, 0.9), b = quantile_estimate(x, 0.9);
    right += a.lower <= q && q <= a.upper;
    wrong += b.lower <= q && q <= b.upper;
  }
  CHECK(std::abs(right / 4000.0 - 0.95) <= 0.037);
  CHECK_FALSE(std::abs(wrong / 4000.0 - 0.95) <= 0.037);
}
