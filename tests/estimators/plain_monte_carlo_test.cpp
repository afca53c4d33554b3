// SPDX-License-Identifier: BSD-3-Clause
#include "aiscv_cases.hpp"

#include <buffon/core/error.hpp>
#include <buffon/estimators/plain_monte_carlo.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <functional>

#include <memory_archive.hpp>
#include <statistical.hpp>

using namespace buffon;
using namespace buffon::testing;

namespace {

// Mean x, mean of squares, and P(x > 1) of N(0, 1) and of N(0.5, 1.2).
Problem two_laws() {
  auto model = make_model(1, {"x", "x2", "above"}, [](const ConstMatrix& x, MutMatrix out) {
    out.row(0) = x.row(0);
    out.row(1) = x.row(0).array().square();
    out.row(2) = x.row(0).array() - 1;
  });
  return Problem(CheckedModel(model, {"x"}), {{"x", false}, {"x2", false}, {"above", true}},
                 {{"base", JointLaw({{"x", normal_law(0, 1)}})}, {"moved", JointLaw({{"x", normal_law(0.5, 1.2)}})}});
}

// One quantity, or one event, of a ~ N(0, 1).
Problem of_normal(const std::function<double(double)>& function, bool event = false) {
  auto model = make_model(1, {"y"}, [function](const ConstMatrix& x, MutMatrix v) {
    for (Index i = 0; i < x.cols(); ++i) v(0, i) = function(x(0, i));
  });
  return Problem(CheckedModel(model, {"a"}), {{"y", event}}, {{"law", JointLaw({{"a", normal_law(0, 1)}})}});
}

// Runs among `runs` with a warning that the interval cannot be trusted.
int distrusted(const Problem& problem, std::int64_t evaluations, std::uint64_t runs) {
  int count = 0;
  for (std::uint64_t seed = 0; seed < runs; ++seed) {
    Context context(1);
    const auto r = plain_monte_carlo(problem, {.max_evaluations = evaluations}, Stream(seed), context);
    count += std::any_of(r.warnings.begin(), r.warnings.end(), [](const std::string& w) { return w.find("cannot be trusted") != std::string::npos; }) ? 1 : 0;
  }
  return count;
}

const std::vector<double> two_laws_exact = {0, 1, normal_cdf(-1), 0.5, 0.25 + 1.44, normal_cdf(-0.5 / 1.2)};

}  // namespace

TEST_CASE("plain Monte Carlo over the mixture of two laws is unbiased for both, and its errors are right") {
  const Problem problem = two_laws();
  std::vector<std::vector<double>> values(6);
  double covered = 0, runs = 0;
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    Context context(1);
    const auto r = plain_monte_carlo(problem, {.max_evaluations = 3000}, Stream(seed), context);
    for (std::size_t j = 0; j < 6; ++j) {
      const Estimate& e = r.estimates[j].estimate;
      values[j].push_back(e.value);
      covered += e.lower <= two_laws_exact[j] && two_laws_exact[j] <= e.upper ? 1 : 0;
      runs += 1;
    }
  }
  for (std::size_t j = 0; j < 6; ++j) CHECK(mean_p(values[j], two_laws_exact[j]) > level);
  // Without the balance weights the second law's mean would be that of the mixture, 0.25.
  CHECK(mean_p(values[3], 0.25) < level);
  // 1800 intervals in 300 independent groups: a standard deviation of at most 0.0126, five of them around 0.95.
  CHECK(std::abs(covered / runs - 0.95) < 0.063);
}

TEST_CASE("names of expectations are quantity and scenario") {
  Context context(1);
  const auto r = plain_monte_carlo(two_laws(), {.max_evaluations = 2000}, Stream(1), context);
  CHECK(r.estimates[2].name == "above@base");
  CHECK(r.estimates[3].name == "x@moved");
  CHECK(r.evaluations == 2000);
  CHECK(r.stop_reason == "the budget was spent");
  CHECK(r.covariance.rows() == 6);
}

TEST_CASE("an event that was never seen has an exact upper limit and a warning") {
  Context context(1);
  const auto r = plain_monte_carlo(linear_event(2, {7.0}), {.max_evaluations = 3000}, Stream(1), context);
  const Estimate& e = r.estimates[0].estimate;
  CHECK(e.value == 0);
  CHECK(e.lower == 0);
  // Clopper–Pearson with no success: 1 − (α/2)^{1/n}.
  CHECK(e.upper == doctest::Approx(1 - std::pow(0.025, 1.0 / 3000)).scale(0).epsilon(1e-9));
  REQUIRE(r.warnings.size() == 1);
  CHECK(r.warnings[0].find("rare event") != std::string::npos);
}

TEST_CASE("a target error ends the run between rounds") {
  Context context(1);
  const auto r = plain_monte_carlo(linear_event(1, {1.0}), {.max_evaluations = 10000000, .target_std_error = 2e-3}, Stream(3), context);
  CHECK(r.stop_reason == "the target error was reached");
  CHECK(r.estimates[0].estimate.std_error <= 2e-3);
  CHECK(r.evaluations % 1024 == 0);
  // p (1 − p) / n = 4e-6 at n = 33400; rounds grow by a quarter.
  CHECK(r.evaluations < 1.3 * normal_cdf(-1) * (1 - normal_cdf(-1)) / 4e-6);
  const auto relative = plain_monte_carlo(linear_event(1, {1.0}), {.max_evaluations = 10000000, .target_relative_error = 0.05}, Stream(3), context);
  CHECK(relative.estimates[0].estimate.relative_error() <= 0.05);
}

TEST_CASE("plain Monte Carlo: saved and loaded at every round, on any thread count, stopped on request") {
  const Problem problem = two_laws();
  const PlainMonteCarloOptions options{.max_evaluations = 9000};
  Context one(1);
  PlainMonteCarlo whole(problem, options, Stream(5));
  run_to_end(whole, one);
  const std::string expected = state_of(whole);
  for (const int threads : {2, 3, 8}) {
    Context context(threads);
    auto method = std::make_unique<PlainMonteCarlo>(problem, options, Stream(5));
    while (!method->finished()) {
      method->step(context);
      const std::string saved = state_of(*method);
      method = std::make_unique<PlainMonteCarlo>(problem, options, Stream(5));
      restore(*method, saved);
    }
    CHECK(state_of(*method) == expected);
  }
  PlainMonteCarlo stopped(problem, options, Stream(5));
  stopped.step(one);
  stopped.stop("the time limit was reached");
  CHECK(stopped.finished());
  CHECK(stopped.outcome().stop_reason == "the time limit was reached");
  CHECK(stopped.outcome().estimates.size() == 6);
  CHECK(whole.outcome().tables[0].name == "convergence");
  CHECK(whole.outcome().tables[0].rows(whole.outcome().tables[0].rows.rows() - 1, 0) == 9000);
}

TEST_CASE("plain Monte Carlo refuses bad options by name") {
  const auto message = [](const PlainMonteCarloOptions& o) {
    try {
      PlainMonteCarlo(linear_event(1, {0.0}), o, Stream(1));
    } catch (const Error& e) {
      return e.text().key;
    }
    return std::string("accepted");
  };
  CHECK(message({.max_evaluations = 0}) == "options.max_evaluations");
  CHECK(message({.target_std_error = -1.0}) == "options.target_std_error");
  CHECK(message({.target_relative_error = 0.0}) == "options.target_relative_error");
  CHECK(message({.level = 1.0}) == "options.level");
}

TEST_CASE("an interval that a heavy tail spoils is said not to be trusted, around any centre and on either side") {
  const double pi = std::acos(-1.0);
  // exp(3a) at 10000 evaluations: cov 90, the interval of 95 % covers 75 %. Measured over 2000 runs: 99.9 % are warned of.
  int missed = 0, missed_unwarned = 0;
  const Problem wide = of_normal([](double a) { return std::exp(3 * a); });
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    Context context(1);
    const auto r = plain_monte_carlo(wide, {.max_evaluations = 10000}, Stream(seed), context);
    const Estimate& e = r.estimates[0].estimate;
    const bool miss = std::exp(4.5) < e.lower || e.upper < std::exp(4.5);
    missed += miss ? 1 : 0;
    missed_unwarned += miss && r.warnings.empty() ? 1 : 0;
  }
  CHECK(missed > 25);  // the case is as bad as said: 50 expected, and 10 from an honest interval
  CHECK(missed_unwarned <= 2);
  CHECK(distrusted(of_normal([](double a) { return 1e4 - std::exp(3 * a); }), 10000, 50) >= 48);
  CHECK(distrusted(of_normal([](double a) { return a > 3.5 ? 1e6 : 1; }), 10000, 50) >= 42);  // 2.3 such points expected: none in one run of ten
  // Student t with 2 degrees of freedom, quantile (2u − 1) / √(2u(1 − u)): warned of in 74 % of runs; binomial, level 1e-6.
  const Problem student = of_normal([](double a) {
    const double u = normal_cdf(a), v = normal_cdf(-a);
    return (u - v) / std::sqrt(2 * u * v);
  });
  CHECK(distrusted(student, 10000, 200) > 200 * 0.74 - 4.9 * std::sqrt(200 * 0.74 * 0.26));
  CHECK(distrusted(of_normal([pi](double a) { return std::tan(pi * (normal_cdf(a) - 0.5)); }), 1000, 50) >= 45);  // Cauchy
}

TEST_CASE("laws without a heavy tail are not suspected") {
  const double sigma = std::sqrt(std::log(2.0));
  // Each at several sample sizes. Rates measured over 2000 runs: lognormal of cov 1 at most 4.3 %, exponential 0.1 %, others 0.
  for (const std::int64_t n : {200, 1000, 10000}) {
    const std::uint64_t runs = 200;
    CHECK(distrusted(of_normal([](double a) { return 1e6 + a; }), n, runs) == 0);
    CHECK(distrusted(of_normal([](double a) { return normal_cdf(a); }), n, runs) == 0);
    CHECK(distrusted(of_normal([](double a) { return -std::log(normal_cdf(a)); }), n, runs) <= 4);
    CHECK(distrusted(of_normal([](double a) { return std::exp(0.47 * a); }), n, runs) <= 4);  // cov 0.5
    CHECK(distrusted(of_normal([sigma](double a) { return std::exp(sigma * a); }), n, runs) < 200 * 0.043 + 4.9 * std::sqrt(200 * 0.043));
    CHECK(distrusted(of_normal([](double a) { return a > 0 ? 2.0 : 1.0; }), n, runs) == 0);
  }
  const double z = 3.090232306167813;  // P(a > z) = 1e-3
  CHECK(distrusted(of_normal([z](double a) { return a - z; }, true), 10000, 200) == 0);
  CHECK(distrusted(of_normal([z](double a) { return a > z ? 1.0 : 0.0; }), 10000, 200) == 0);
}

TEST_CASE("the measures of the tail are those of the sample") {
  // A law of two points, 1 and 10: deviations of 0 and 9 from its median, all large ones equal.
  Context context(1);
  PlainMonteCarlo method(of_normal([](double a) { return a > 1.5 ? 10.0 : 1.0; }), {.max_evaluations = 5000}, Stream(2));
  run_to_end(method, context);
  const Outcome outcome = method.outcome();
  const double p = (method.result().estimates[0].estimate.value - 1) / 9;
  for (const auto& d : outcome.diagnostics) {
    if (d.name == "deviations.largest_share") CHECK(std::get<std::vector<double>>(d.value)[0] == doctest::Approx(1 / (5000 * p)).scale(0).epsilon(1e-9));
    if (d.name == "deviations.tail_index") CHECK(std::get<std::vector<double>>(d.value)[0] == 0);
  }
}
