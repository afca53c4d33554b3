// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/core/error.hpp>
#include <buffon/estimators/multilevel_monte_carlo.hpp>
#include <buffon/parallel/context.hpp>
#include <buffon/stats/outcome.hpp>

#include <atomic>
#include <cmath>

#include <doctest/doctest.h>

#include <memory_archive.hpp>

using namespace buffon;
using namespace buffon::testing;

namespace {

MultilevelMonteCarloResult run(std::shared_ptr<const NestedProblem> problem, const MultilevelMonteCarloOptions& options, std::uint64_t seed = 1,
                               int threads = 2) {
  Context context(threads);
  return multilevel_monte_carlo(std::move(problem), options, Stream(seed), context);
}

std::shared_ptr<const NestedProblem> cosine() { return named_nested_problem("cos_of_mean").make(); }

/// y0 ~ N(0, 1), y1 ~ N(y0, 1); g_1 = y1, g_0 = g(z).
NestedFunctions walk_with(double (*g)(double)) {
  NestedFunctions f;
  f.names = {{"y0"}, {"y1"}};
  f.sample = [](Index d, const ConstMatrix& past, const ConstMatrix& z, MutMatrix y) {
    y = z;
    if (d == 1) y += past;
  };
  f.link = [g](Index d, const ConstMatrix& path, const ConstVector& inner, MutVector out) {
    for (Index i = 0; i < out.size(); ++i) out(i) = d == 1 ? path(1, i) : g(inner(i));
  };
  return f;
}

}  // namespace

TEST_CASE("multilevel Monte Carlo keeps its root mean squared error") {
  constexpr double target = 0.01;
  double squares = 0;
  constexpr int runs = 60;
  for (std::uint64_t seed = 0; seed < runs; ++seed) {
    const auto r = run(cosine(), {.target_rmse = target}, seed);
    const double error = r.value.value - std::exp(-0.5);
    squares += error * error;
    CHECK(r.stop_reason == "the target error was reached");
  }
  // With mean squared error ε² the sum over 60 runs of (error/ε)² is about χ²_60, which exceeds 120 with probability 6e-6.
  CHECK(squares / (target * target) < 120);
  // The same bound rejects runs whose error is half as large again as promised: E = 60 · 2.25.
  CHECK(2.25 * 60 > 120);
}

TEST_CASE("the fitted rates are those of the link") {
  const auto smooth = run(cosine(), {.target_rmse = 0.002});
  CHECK(smooth.weak_rate == doctest::Approx(1).scale(0).epsilon(0.2));
  CHECK(smooth.variance_rate == doctest::Approx(2).scale(0).epsilon(0.15));
  CHECK(smooth.copies.front() > 50 * smooth.copies.back());
  const auto kink = run(make_nested_problem(walk_with([](double z) { return std::max(z, 0.0); })), {.target_rmse = 0.002});
  CHECK(kink.variance_rate == doctest::Approx(1.5).scale(0).epsilon(0.15));
  const auto jump = run(make_nested_problem(walk_with([](double z) { return z > 0 ? 1.0 : 0.0; })), {.target_rmse = 0.01});
  CHECK(jump.variance_rate < 1);
  CHECK_FALSE(jump.warnings.empty());
}

TEST_CASE("links that are linear in the inner value need no levels and no warning") {
  const auto r = run(make_nested_problem(walk_with([](double z) { return 2 * z; })), {.target_rmse = 0.02});
  CHECK(r.warnings.empty());
  CHECK(std::abs(r.value.value) < 5 * r.value.std_error);
  CHECK(run(make_nested_problem(walk_with([](double) { return 1.0; })), {.target_rmse = 0.02}).warnings.empty());
}

TEST_CASE("a bias that is left is told") {
  const auto r = run(cosine(), {.target_rmse = 0.001, .max_level = 3});
  CHECK(r.stop_reason == "the highest level was reached");
  REQUIRE_FALSE(r.warnings.empty());
  CHECK(r.warnings.front().find("bias") != std::string::npos);
  // 2^3 inner draws: E cos(m) = exp(-(1 + 1/8) / 2), below exp(-1/2) by 0.0368.
  const double exact = std::exp(-0.5) - std::exp(-9.0 / 16);
  CHECK(r.bias > exact);
  CHECK(r.bias < 1.5 * exact);
}

TEST_CASE("levels that do not fit together are told") {
  // The sampler remembers how often it was called, and its law changes after the first level.
  const auto calls = std::make_shared<std::atomic<int>>(0);
  NestedFunctions f = walk_with([](double z) { return std::cos(z); });
  f.sample = [calls](Index d, const ConstMatrix& past, const ConstMatrix& z, MutMatrix y) {
    const bool later = (*calls)++ >= 8;
    y = z;
    if (d == 1) y += past;
    if (later && d == 1) y.array() += 1.0;
  };
  const auto r = run(make_nested_problem(f), {.target_rmse = 0.05, .max_level = 3}, 1, 1);
  bool told = false;
  for (const std::string& warning : r.warnings) told |= warning.find("same expectation") != std::string::npos;
  CHECK(told);
  for (const std::string& warning : run(cosine(), {.target_rmse = 0.005}).warnings) CHECK(warning == "");
}

TEST_CASE("bits of multilevel Monte Carlo do not depend on threads, and rounds can be continued") {
  const MultilevelMonteCarloOptions options{.target_rmse = 0.01};
  const auto finish = [](MultilevelMonteCarlo& method, int threads) {
    Context context(threads);
    run_to_end(method, context);
    return state_of(method);
  };
  MultilevelMonteCarlo first(cosine(), options, Stream(3)), second(cosine(), options, Stream(3)), stepped(cosine(), options, Stream(3));
  const std::string expected = finish(first, 1);
  CHECK(finish(second, 3) == expected);
  Context context(2);
  while (!stepped.finished()) {
    MultilevelMonteCarlo resumed(cosine(), options, Stream(3));
    restore(resumed, state_of(stepped));
    CHECK(finish(resumed, 2) == expected);
    stepped.step(context);
  }
}

TEST_CASE("other depths than 1 are refused with the method that does them") {
  try {
    MultilevelMonteCarlo(named_nested_problem("sin_gaussian").make(), {}, Stream(1));
    FAIL("accepted");
  } catch (const Error& error) {
    CHECK(std::string(error.what()).find("has depth 2 and must have depth 1. use the method read") != std::string::npos);
  }
}
