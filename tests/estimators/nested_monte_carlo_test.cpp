// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/core/error.hpp>
#include <buffon/estimators/nested_monte_carlo.hpp>
#include <buffon/parallel/context.hpp>
#include <buffon/stats/outcome.hpp>

#include <cmath>

#include <doctest/doctest.h>

#include <memory_archive.hpp>

using namespace buffon;
using namespace buffon::testing;

namespace {

constexpr double z_limit = 4.892;  // level 1e-6

NestedMonteCarloResult run(const std::string& name, const NestedMonteCarloOptions& options, std::uint64_t seed = 1) {
  Context context(2);
  return nested_monte_carlo(named_nested_problem(name).make(), options, Stream(seed), context);
}

}  // namespace

TEST_CASE("nested Monte Carlo has exactly the bias of the theory") {
  // quadratic_1: E[(mean of N draws)²] = s² + s²/N = 0.25 (1 + 1/N).
  for (const std::int64_t n : {1, 2, 5}) {
    const auto r = run("quadratic_1", {.samples = {200000, n}});
    CHECK(std::abs(r.value.value - 0.25 * (1 + 1 / static_cast<double>(n))) < z_limit * r.value.std_error);
    CHECK(std::abs(r.value.value - 0.25) > z_limit * r.value.std_error);
    CHECK(r.evaluations == 200000 * n);
    REQUIRE(r.warnings.size() == 1);
    CHECK(r.warnings.front().find("BIASED") == 0);
  }
}

TEST_CASE("the default design spends the budget") {
  CHECK(default_samples(1000000, 2) == std::vector<std::int64_t>{1040, 31, 31});
  CHECK(default_samples(1000000, 1) == std::vector<std::int64_t>{1000, 1000});
  CHECK(default_samples(500, 0) == std::vector<std::int64_t>{500});
  const auto r = run("sin_gaussian", {.max_evaluations = 100000});
  CHECK(static_cast<double>(r.evaluations) == doctest::Approx(100000).scale(0).epsilon(0.15));
  CHECK(r.samples.size() == 3);
}

TEST_CASE("bits of nested Monte Carlo do not depend on threads") {
  const auto state = [](int threads) {
    Context context(threads);
    NestedMonteCarlo method(named_nested_problem("square_of_cos").make(), {.samples = {500, 20, 10}}, Stream(5));
    run_to_end(method, context);
    return state_of(method);
  };
  CHECK(state(3) == state(1));
}

TEST_CASE("sample sizes that do not fit the depth are refused") {
  const auto refused = [](const NestedMonteCarloOptions& options) {
    CHECK_THROWS_AS(NestedMonteCarlo(named_nested_problem("sin_gaussian").make(), options, Stream(1)), Error);
  };
  refused({.samples = {10, 10}});
  refused({.samples = {10, 10, 0}});
  refused({.samples = {std::int64_t{1} << 30, std::int64_t{1} << 30, std::int64_t{1} << 30}});
}
