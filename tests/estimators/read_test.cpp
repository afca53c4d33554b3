// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/core/error.hpp>
#include <buffon/estimators/read.hpp>
#include <buffon/model/model.hpp>
#include <buffon/parallel/context.hpp>
#include <buffon/stats/accumulators.hpp>
#include <buffon/stats/outcome.hpp>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>

#include <doctest/doctest.h>

#include <memory_archive.hpp>

#include "nested_recursion.hpp"

using namespace buffon;
using namespace buffon::testing;

namespace {

// Two-sided z-tests at level 1e-6 reject beyond 4.892.
constexpr double z_limit = 4.892;

ReadResult run(const std::string& name, const ReadOptions& options, std::uint64_t seed = 1, int threads = 2) {
  Context context(threads);
  return read(named_nested_problem(name).make(), options, Stream(seed), context);
}

double exact(const std::string& name) { return named_nested_problem(name).known.front().value; }

double z_score(const std::string& name, const ReadResult& r) { return (r.value.value - exact(name)) / r.value.std_error; }

/// The test of unbiasedness: the mean at level 1e-6, and a standard error that belongs to a variance of at most 25 (those of the
/// toys used here are about 2): an estimator whose levels do not cancel is lost in its own noise.
bool accepted(const std::string& name, std::vector<double> rates, Flaw flaw, int copies) {
  const auto problem = named_nested_problem(name).make();
  NestedRecursion recursion(*problem, std::move(rates), 1, flaw, 3);
  Moments moments;
  for (int i = 0; i < copies; ++i) moments.add(recursion.copy());
  return std::abs(moments.mean() - exact(name)) < z_limit * moments.std_error() && moments.variance() < 25;
}

/// A walk y0 ~ N(0, 1), y1 ~ N(y0, 1) with g_1 = y1 and the given g_0(z).
std::shared_ptr<const NestedProblem> walk_with(double (*g)(double)) {
  NestedFunctions f;
  f.names = {{"y0"}, {"y1"}};
  f.sample = [](Index d, const ConstMatrix& past, const ConstMatrix& z, MutMatrix y) {
    y = z;
    if (d == 1) y += past;
  };
  f.link = [g](Index d, const ConstMatrix& path, const ConstVector& inner, MutVector out) {
    for (Index i = 0; i < out.size(); ++i) out(i) = d == 1 ? path(1, i) : g(inner(i));
  };
  return make_nested_problem(std::move(f));
}

bool warned(const std::vector<std::string>& warnings, const std::string& words) {
  return std::any_of(warnings.begin(), warnings.end(), [&](const std::string& w) { return w.find(words) != std::string::npos; });
}

std::string message(const ReadOptions& options, const std::string& problem = "sin_gaussian") {
  try {
    Read(named_nested_problem(problem).make(), options, Stream(1));
  } catch (const Error& error) {
    CHECK(error.category() == ErrorCategory::configuration);
    return error.what();
  }
  return "accepted";
}

}  // namespace

TEST_CASE("READ is unbiased on every toy with an exact answer") {
  CHECK(std::abs(z_score("sin_gaussian", run("sin_gaussian", {.max_copies = 400000}))) < z_limit);
  CHECK(std::abs(z_score("sin_gaussian", run("sin_gaussian", {.max_copies = 400000, .rates = {0.74, 0.60}}))) < z_limit);
  CHECK(std::abs(z_score("sin_student", run("sin_student", {.max_copies = 200000}))) < z_limit);
  CHECK(std::abs(z_score("sigmoid_gaussian", run("sigmoid_gaussian", {.max_copies = 400000}))) < z_limit);
  CHECK(std::abs(z_score("cos_of_mean", run("cos_of_mean", {.max_copies = 400000}))) < z_limit);
  CHECK(std::abs(z_score("square_of_cos", run("square_of_cos", {.max_copies = 50000, .base_samples = {4, 4}}))) < z_limit);
  CHECK(std::abs(z_score("square_of_cos", run("square_of_cos", {.max_copies = 50000, .base_samples = {3, 5}}))) < z_limit);
  CHECK(std::abs(z_score("deep_cos", run("deep_cos", {.max_copies = 1000, .base_samples = {8, 8, 8}}))) < z_limit);
  CHECK(std::abs(z_score("quadratic_1", run("quadratic_1", {.max_copies = 400000}))) < z_limit);
}

TEST_CASE("the same test rejects wrong estimators") {
  for (const auto& [name, rates] : {std::pair<std::string, std::vector<double>>{"cos_of_mean", {0.65}}, {"sin_gaussian", {0.65, 0.60}}}) {
    const auto& case_name = name;
    CAPTURE(case_name);
    CHECK(accepted(name, rates, Flaw::none, 20000));
    CHECK_FALSE(accepted(name, rates, Flaw::no_split_weight, 20000));
    CHECK_FALSE(accepted(name, rates, Flaw::probability_off_by_one, 20000));
  }
  // In sin_gaussian the inner values cancel, so sharing is seen on the others.
  CHECK_FALSE(accepted("cos_of_mean", {0.65}, Flaw::children_share_numbers, 20000));
  CHECK_FALSE(accepted("quadratic_1", {0.65}, Flaw::children_share_numbers, 20000));
}

TEST_CASE("batched and recursive copies have the same mean, variance and work") {
  const auto problem = named_nested_problem("sin_student").make();
  NestedRecursion recursion(*problem, {0.65, 0.60}, 1, Flaw::none, 5);
  Moments moments;
  for (int i = 0; i < 20000; ++i) moments.add(recursion.copy());
  const ReadResult r = run("sin_student", {.max_copies = 200000});
  CHECK(std::abs(r.value.value - moments.mean()) < z_limit * std::hypot(r.value.std_error, moments.std_error()));
  // The expectation of the leaves of a copy is (0.65 / 0.3)(0.6 / 0.2) = 6.5; their standard deviation is about 40.
  CHECK(std::abs(static_cast<double>(r.evaluations) / 200000 - 6.5) < z_limit * 40 / std::sqrt(200000));
}

TEST_CASE("intervals cover at their level") {
  // 300 intervals of 10,000 copies; 95 % ± 5 standard deviations of the count.
  for (const std::string name : {"sin_gaussian", "cos_of_mean"}) {
    int covered = 0;
    for (std::uint64_t seed = 0; seed < 300; ++seed) {
      const ReadResult r = run(name, {.max_copies = 10000}, seed);
      covered += r.value.lower <= exact(name) && exact(name) <= r.value.upper ? 1 : 0;
    }
    CHECK(covered > 300 * (0.95 - 5 * std::sqrt(0.95 * 0.05 / 300)));
    CHECK(covered < 300);
  }
}

TEST_CASE("bits do not depend on threads, and any round boundary can be saved and continued") {
  const auto problem = named_nested_problem("square_of_cos").make();
  const ReadOptions options{.max_copies = 20000, .base_samples = {2, 2}};
  const auto finish = [&](Read& method, int threads) {
    Context context(threads);
    run_to_end(method, context);
    return state_of(method);
  };
  Read first(problem, options, Stream(7));
  const std::string expected = finish(first, 1);
  for (const int threads : {2, 3, 8}) {
    Read method(problem, options, Stream(7));
    CHECK(finish(method, threads) == expected);
  }
  Read stepped(problem, options, Stream(7));
  Context context(2);
  int rounds = 0;
  while (!stepped.finished()) {
    Read resumed(problem, options, Stream(7));
    restore(resumed, state_of(stepped));
    CHECK(finish(resumed, 3) == expected);
    stepped.step(context);
    ++rounds;
  }
  CHECK(rounds > 3);
  CHECK(state_of(stepped) == expected);
}

TEST_CASE("a function of a mean: nothing is drawn at depth 0") {
  NestedFunctions f;
  f.names = {{}, {"x"}};
  f.sample = [](Index d, const ConstMatrix&, const ConstMatrix& z, MutMatrix y) {
    if (d == 1) y = z.array() + 0.5;
  };
  f.link = [](Index d, const ConstMatrix& path, const ConstVector& inner, MutVector out) {
    if (d == 1) {
      out = path.row(0).transpose();
    } else {
      out = inner.array().sin();
    }
  };
  Context context(2);
  const ReadResult r = read(make_nested_problem(f), {.max_copies = 200000}, Stream(2), context);
  CHECK(std::abs(r.value.value - std::sin(0.5)) < z_limit * r.value.std_error);
  CHECK(r.warnings.empty());
}

TEST_CASE("depth 0 is plain Monte Carlo") {
  NestedFunctions f;
  f.names = {{"x"}};
  f.sample = [](Index, const ConstMatrix&, const ConstMatrix& z, MutMatrix y) { y = z; };
  f.link = [](Index, const ConstMatrix& path, const ConstVector&, MutVector out) { out = path.row(0).transpose().array().square(); };
  Context context(1);
  const ReadResult r = read(make_nested_problem(f), {.max_copies = 100000}, Stream(2), context);
  CHECK(std::abs(r.value.value - 1) < z_limit * std::sqrt(2.0 / 100000));
  CHECK(r.variance_per_copy == doctest::Approx(2).scale(0).epsilon(0.1));
}

TEST_CASE("heavy tails, kinks and jumps are told in words, good problems are not") {
  CHECK(run("sin_gaussian", {.max_copies = 100000}).warnings.empty());
  CHECK(run("sigmoid_gaussian", {.max_copies = 100000}).warnings.empty());
  CHECK(run("cos_of_mean", {.max_copies = 100000}).warnings.empty());
  CHECK(run("square_of_cos", {.max_copies = 20000, .base_samples = {4, 4}}).warnings.empty());

  const ReadResult heavy = run("quadratic_3", {.max_copies = 20000});
  CHECK(warned(heavy.warnings, "cannot be trusted"));
  CHECK(heavy.value.std_error > 1);
  CHECK(warned(run("square_of_cos", {.max_copies = 100000}).warnings, "heavy"));

  Context context(2);
  const ReadResult kink = read(walk_with([](double z) { return std::max(z, 0.0); }), {.max_copies = 200000}, Stream(1), context);
  CHECK(warned(kink.warnings, "kink"));
  CHECK(read(walk_with([](double z) { return std::max(z, 0.0); }), {.max_copies = 200000, .rates = {0.6}}, Stream(1), context).warnings.empty());
  const ReadResult jump = read(walk_with([](double z) { return z > 0 ? 1.0 : 0.0; }), {.max_copies = 100000}, Stream(1), context);
  CHECK(warned(jump.warnings, "jumps"));
  // E max(y0, 0) = 1 / sqrt(2 pi)
  CHECK(kink.median_of_means.lower < 1 / std::sqrt(2 * std::numbers::pi));
  CHECK(kink.median_of_means.upper > 1 / std::sqrt(2 * std::numbers::pi));
}

TEST_CASE("median of means covers where the normal interval does not") {
  // 24 group means and order statistics: at least 95 % for the median of the law of a group mean. Its skewness shifts that median
  // from the mean, so the count is tested on the mild problem only.
  int covered = 0;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    const ReadResult r = run("cos_of_mean", {.max_copies = 50000}, seed);
    covered += r.median_of_means.lower <= exact("cos_of_mean") && exact("cos_of_mean") <= r.median_of_means.upper ? 1 : 0;
  }
  CHECK(covered > 200 * (0.95 - 5 * std::sqrt(0.95 * 0.05 / 200)));
}

TEST_CASE("Lipschitz links: the median of means is the value, and it is said") {
  Context context(2);
  const auto problem = walk_with([](double z) { return std::abs(z); });
  const ReadResult r = read(problem, {.max_copies = 100000, .regime = LinkRegime::lipschitz}, Stream(1), context);
  CHECK(r.value.value == r.median_of_means.value);
  CHECK(warned(r.warnings, "Lipschitz"));
  CHECK(r.value.lower < std::sqrt(2 / std::numbers::pi));
  CHECK(r.value.upper > std::sqrt(2 / std::numbers::pi));
}

TEST_CASE("levels that are cut off are called biased") {
  const ReadResult r = run("cos_of_mean", {.max_copies = 400000, .max_level = 1});
  CHECK(warned(r.warnings, "BIASED"));
  // With two inner draws E cos(m) = exp(-(1 + 1/2) / 2).
  CHECK(std::abs(r.value.value - std::exp(-0.75)) < z_limit * r.value.std_error);
  CHECK(std::abs(r.value.value - exact("cos_of_mean")) > z_limit * r.value.std_error);
}

TEST_CASE("stopping rules look at the end of rounds and finish what has begun") {
  const ReadResult budget = run("sin_gaussian", {.max_copies = 0, .max_evaluations = 300000});
  CHECK(budget.stop_reason == "the budget was spent");
  CHECK(budget.evaluations >= 300000);
  CHECK(budget.evaluations < 400000);
  const ReadResult target = run("sin_gaussian", {.max_copies = 0, .target_std_error = 0.005});
  CHECK(target.stop_reason == "the target error was reached");
  CHECK(target.value.std_error <= 0.005);
  CHECK(target.value.std_error > 0.004);
  CHECK(run("sin_gaussian", {.max_copies = 777}).copies == 777);

  Context context(1);
  Read asked(named_nested_problem("sin_gaussian").make(), {}, Stream(1));
  asked.stop("enough");
  run_to_end(asked, context);
  CHECK(asked.result().stop_reason == "enough");
  CHECK(asked.result().copies > 0);
}

TEST_CASE("rates and sizes that cannot work are refused by name") {
  CHECK(message({.rates = {0.65}}).find("must have one number for each depth but the last: 2") != std::string::npos);
  CHECK(message({.rates = {0.76, 0.60}}).find("options.rates = [0.76, 0.6] must give depth 0 a rate in (0.5, 0.75)") != std::string::npos);
  CHECK(message({.rates = {0.65, 0.605}}).find("depth 1") != std::string::npos);
  CHECK(message({.rates = {0.5, 0.6}}).find("rates") != std::string::npos);
  CHECK(message({.regime = LinkRegime::lipschitz, .rates = {0.65, 0.6}}).find("lipschitz") != std::string::npos);
  CHECK(message({.base_samples = {0, 1}}).find("base_samples") != std::string::npos);
  CHECK(message({.base_samples = {1}}).find("base_samples") != std::string::npos);
  CHECK(message({.max_copies = 0}).find("max_copies") != std::string::npos);
  CHECK(message({}) == "accepted");
}

TEST_CASE("the limits of the rates are those of the theory") {
  CHECK(rate_limit(LinkRegime::smooth, 0, 0, 2) == doctest::Approx(0.75));
  CHECK(rate_limit(LinkRegime::smooth, 0, 1, 2) == doctest::Approx(1 - std::exp2(-4.0 / 3)));
  CHECK(rate_limit(LinkRegime::smooth, 0, 2, 3) == doctest::Approx(0.5471).scale(0).epsilon(1e-4));
  CHECK(rate_limit(LinkRegime::lipschitz, 0.21, 0, 2) == doctest::Approx(1 - std::exp2(-1.1)));
  CHECK(default_rates(LinkRegime::smooth, 0, 3) == std::vector<double>{0.65, 0.60, 0.54});
}

TEST_CASE("a link that is not finite stops the run and names depth and path") {
  Context context(2);
  try {
    read(walk_with([](double z) { return std::log(z); }), {.max_copies = 1000}, Stream(1), context);
    FAIL("accepted");
  } catch (const ModelError& error) {
    const std::string text = error.what();
    CHECK(text.find("link of depth 0") != std::string::npos);
    CHECK(text.find("y0 = ") != std::string::npos);
    CHECK(text.find(", z = -") != std::string::npos);
    CHECK(error.input_names() == std::vector<std::string>{"y0"});
  }
}
