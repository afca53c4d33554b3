// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/core/error.hpp>
#include <buffon/random/stream.hpp>
#include <buffon/stats/accumulators.hpp>
#include <buffon/stats/intervals.hpp>

#include <doctest/doctest.h>

#include <cmath>

using namespace buffon;

namespace {

// Exact coverage: the sum of binomial probabilities over the counts whose interval holds p.
template <class Make>
double coverage(std::int64_t n, double p, Make&& make) {
  double total = 0;
  const auto trials = static_cast<double>(n);
  for (std::int64_t successes = 0; successes <= n; ++successes) {
    const Interval i = make(successes, n);
    const auto k = static_cast<double>(successes);
    const double log_probability = std::lgamma(trials + 1) - std::lgamma(k + 1) - std::lgamma(trials - k + 1) + k * std::log(p) + (trials - k) * std::log1p(-p);
    if (i.lower <= p && p <= i.upper) total += std::exp(log_probability);
  }
  return total;
}

}  // namespace

TEST_CASE("normal and Student intervals have the tabulated half widths") {
  CHECK(normal_quantile(0.975) == doctest::Approx(1.959963984540054).scale(0).epsilon(1e-15));
  CHECK(normal_quantile(1e-300) == doctest::Approx(-37.0470965).scale(0).epsilon(1e-7));
  CHECK(normal_quantile(0) == -HUGE_VAL);
  CHECK(normal_interval(3, 2).upper == doctest::Approx(3 + 2 * 1.959963984540054));
  CHECK(student_t_interval(0, 1, 1).upper == doctest::Approx(12.706204736432095));
  CHECK(student_t_interval(1, 2, 10, 0.99).lower == doctest::Approx(1 - 2 * 3.169272672616872));
}

TEST_CASE("intervals of probabilities agree with worked examples and stay in [0, 1]") {
  const Interval exact = clopper_pearson_interval(0, 10);
  CHECK(exact.lower == 0);
  CHECK(exact.upper == doctest::Approx(1 - std::pow(0.025, 0.1)));
  CHECK(clopper_pearson_interval(10, 10).lower == doctest::Approx(std::pow(0.025, 0.1)));
  // Wilson: the ends p solve (k/n − p)² = z² p (1 − p) / n.
  const double z = normal_quantile(0.975);
  const Interval w = wilson_interval(7, 50);
  for (const double p : {w.lower, w.upper}) CHECK((0.14 - p) * (0.14 - p) == doctest::Approx(z * z * p * (1 - p) / 50));
  CHECK(wilson_interval(0, 5).lower == 0);
  CHECK(wilson_interval(5, 5).upper == 1);
  const Estimate e = probability_estimate(7, 50);
  CHECK(e.value == 0.14);
  CHECK(e.lower == w.lower);
  CHECK(e.std_error == doctest::Approx(std::sqrt(0.14 * 0.86 / 50)));
}

TEST_CASE("Clopper–Pearson covers at least at its level, Wilson about, the textbook normal interval does not") {
  double worst_wilson = 1, worst_wald = 1;
  for (double p = 0.02; p < 0.99; p += 0.03) {
    CHECK(coverage(40, p, [](auto k, auto n) { return clopper_pearson_interval(k, n); }) >= 0.95);
    worst_wilson = std::min(worst_wilson, coverage(40, p, [](auto k, auto n) { return wilson_interval(k, n); }));
    worst_wald = std::min(worst_wald, coverage(40, p, [](auto k, auto n) {
                            const Estimate e = probability_estimate(k, n);
                            return normal_interval(e.value, e.std_error);
                          }));
  }
  CHECK(worst_wilson > 0.9);
  CHECK(worst_wald < 0.7);
}

TEST_CASE("Student intervals of 5 normal values cover at 95 %, normal intervals do not") {
  // Binomial band of 20000 intervals at level 1e-6: 0.95 ± 4.9 √(0.95·0.05/20000) = ± 0.0076. The normal interval covers 0.878.
  const int repeats = 20000;
  Eigen::MatrixXd x(5, repeats);
  Stream(20).normals(0, x);
  int t = 0, z = 0;
  for (int r = 0; r < repeats; ++r) {
    Moments m;
    for (int i = 0; i < 5; ++i) m.add(x(i, r));
    const Interval a = student_t_interval(m.mean(), m.std_error(), 4), b = normal_interval(m.mean(), m.std_error());
    t += a.lower <= 0 && 0 <= a.upper;
    z += b.lower <= 0 && 0 <= b.upper;
  }
  CHECK(std::abs(t / 20000.0 - 0.95) <= 0.0076);
  CHECK_FALSE(std::abs(z / 20000.0 - 0.95) <= 0.0076);
}

TEST_CASE("impossible levels and counts are refused") {
  CHECK_THROWS_AS(normal_interval(0, 1, 1), Error);
  CHECK_THROWS_AS(normal_interval(0, 1, std::nan("")), Error);
  CHECK_THROWS_AS(student_t_interval(0, 1, 0), Error);
  CHECK_THROWS_AS(wilson_interval(3, 2), Error);
  CHECK_THROWS_AS(clopper_pearson_interval(-1, 2), Error);
  CHECK_THROWS_AS(wilson_interval(0, 0), Error);
  CHECK(std::isnan(normal_quantile(1.5)));
}
