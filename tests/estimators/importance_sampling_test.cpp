// SPDX-License-Identifier: BSD-3-Clause
#include "aiscv_cases.hpp"

#include <buffon/core/error.hpp>
#include <buffon/estimators/importance_sampling.hpp>

#include <doctest/doctest.h>

#include <memory_archive.hpp>
#include <statistical.hpp>

using namespace buffon;
using namespace buffon::testing;

TEST_CASE("importance sampling around the design point is unbiased for a rare event") {
  // β = 4 in two dimensions: Φ(−4) = 3.167e-5; design point (4/√2, 4/√2).
  const Problem problem = linear_event(2, {4.0});
  ImportanceSamplingOptions options{.max_evaluations = 2000, .center = {4 / std::sqrt(2.0), 4 / std::sqrt(2.0)}};
  std::vector<double> values, second;
  double covered = 0;
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    Context context(1);
    const auto r = importance_sampling(problem, options, Stream(seed), context);
    values.push_back(r.estimates[0].estimate.value);
    covered += r.estimates[0].estimate.lower <= normal_cdf(-4) && normal_cdf(-4) <= r.estimates[0].estimate.upper ? 1 : 0;
  }
  CHECK(mean_p(values, normal_cdf(-4)) > level);
  // A density without its defensive part in the denominator would be wrong by 1 / 0.9.
  for (const double v : values) second.push_back(v / 0.9);
  CHECK(mean_p(second, normal_cdf(-4)) < level);
  CHECK(covered / 300 > 0.95 - 5 * std::sqrt(0.95 * 0.05 / 300));
}

TEST_CASE("several centres with shares and scales of their own are unbiased") {
  const Problem problem = linear_event(1, {2.0, 2.5}, {1.0, -1.0});
  ImportanceSamplingOptions options{.max_evaluations = 2000, .center = {2.2, -2.7}, .scale = {0.8, 1.1}, .shares = {1, 2}, .initial_share = 0.2};
  std::vector<double> up, down;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    Context context(1);
    const auto r = importance_sampling(problem, options, Stream(seed), context);
    up.push_back(r.estimates[0].estimate.value);
    down.push_back(r.estimates[1].estimate.value);
  }
  CHECK(mean_p(up, normal_cdf(-2)) > level);
  CHECK(mean_p(down, normal_cdf(-2.5)) > level);
}

TEST_CASE("a law that is too narrow is reported in words") {
  // E[x²] of N(0, 1) from N(0, 0.15²): weights grow as exp(21.7 x²), tail index 0.98 of the weights, more for the terms.
  Context context(1);
  const Problem problem(make_model(1, {"x2"}, [](const ConstMatrix& x, MutMatrix out) { out = x.cwiseAbs2(); }), JointLaw({{"x", normal_law(0, 1)}}));
  ImportanceSamplingOptions options{.max_evaluations = 10000, .center = {0}, .scale = {0.15}, .initial_share = 0};
  int warned = 0, false_alarms = 0;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    options.scale = {0.15};
    warned += importance_sampling(problem, options, Stream(seed), context).warnings.empty() ? 0 : 1;
    options.scale = {1.5};
    false_alarms += importance_sampling(problem, options, Stream(seed), context).warnings.empty() ? 0 : 1;
  }
  CHECK(warned >= 15);
  CHECK(false_alarms == 0);
}

TEST_CASE("importance sampling: saved and loaded at every round, on any thread count") {
  const Problem problem = linear_event(3, {2.0});
  const ImportanceSamplingOptions options{.max_evaluations = 6000, .center = {1, 1, 1}};
  Context one(1);
  ImportanceSampling whole(problem, options, Stream(5));
  run_to_end(whole, one);
  for (const int threads : {2, 3, 8}) {
    Context context(threads);
    auto method = std::make_unique<ImportanceSampling>(problem, options, Stream(5));
    while (!method->finished()) {
      method->step(context);
      const std::string saved = state_of(*method);
      method = std::make_unique<ImportanceSampling>(problem, options, Stream(5));
      restore(*method, saved);
    }
    CHECK(state_of(*method) == state_of(whole));
  }
}

TEST_CASE("importance sampling refuses bad options by name") {
  const auto key = [](const ImportanceSamplingOptions& o) {
    try {
      ImportanceSampling(linear_event(2, {0.0}), o, Stream(1));
    } catch (const Error& e) {
      return e.text().key;
    }
    return std::string("accepted");
  };
  CHECK(key({.center = {0, 0}}) == "accepted");
  CHECK(key({.center = {}}) == "options.center");
  CHECK(key({.center = {0, 0, 0}}) == "options.center");
  CHECK(key({.center = {0, 0}, .scale = {1, 1, 1}}) == "options.scale");
  CHECK(key({.center = {0, 0}, .scale = {-1}}) == "options.scale");
  CHECK(key({.center = {0, 0}, .shares = {1, 1}}) == "options.shares");
  CHECK(key({.center = {0, 0}, .initial_share = 1}) == "options.initial_share");
  CHECK(key({.max_evaluations = 0, .center = {0, 0}}) == "options.max_evaluations");
}
