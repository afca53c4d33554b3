// SPDX-License-Identifier: BSD-3-Clause
#include "aiscv_cases.hpp"

#include <buffon/core/error.hpp>
#include <buffon/estimators/plain_monte_carlo.hpp>

#include <doctest/doctest.h>

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
  CHECK(e.upper == doctest::Approx(1 - std::pow(0.025, 1.0 / 3000)).epsilon(1e-9));
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
