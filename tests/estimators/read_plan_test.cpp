// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/core/error.hpp>
#include <buffon/estimators/read_plan.hpp>
#include <buffon/parallel/context.hpp>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include <doctest/doctest.h>

using namespace buffon;

namespace {

using Rates = std::vector<double>;
using Bases = std::vector<std::int64_t>;

double leaves(const Rates& rates, const Bases& bases) {
  double product = 1;
  for (std::size_t d = 0; d < rates.size(); ++d) product *= static_cast<double>(bases[d]) * rates[d] / (2 * rates[d] - 1);
  return product;
}

/// Work × variance from an independent run of 2·10^7 leaves.
double measured(const std::string& name, const Rates& rates, const Bases& bases) {
  Context context(2);
  const double l = leaves(rates, bases);
  return l * read(named_nested_problem(name).make(), {.max_copies = std::llround(2e7 / l), .rates = rates, .base_samples = bases}, Stream(77), context)
                 .variance_per_copy;
}

ReadPlan plan(const std::string& name, std::uint64_t seed, int threads = 2, std::int64_t evaluations = 10000000) {
  Context context(threads);
  return plan_read(named_nested_problem(name).make(), {.pilot_evaluations = evaluations}, Stream(seed), context);
}

}  // namespace

TEST_CASE("proposals come near the best settings known") {
  struct Known {
    std::string name;
    std::vector<std::pair<Rates, Bases>> good;
    std::pair<Rates, Bases> poor;
  };
  const std::vector<Known> problems = {
      {"sin_gaussian", {{{0.65, 0.60}, {1, 1}}, {{0.65, 0.60}, {2, 1}}, {{0.70, 0.60}, {2, 1}}}, {{0.65, 0.54}, {1, 1}}},
      {"square_of_cos", {{{0.70, 0.60}, {8, 2}}, {{0.70, 0.58}, {8, 2}}, {{0.65, 0.60}, {8, 2}}}, {{0.65, 0.60}, {1, 1}}},
      {"cos_of_mean", {{{0.65}, {1}}, {{0.65}, {2}}, {{0.70}, {2}}, {{0.70}, {4}}}, {{0.55}, {1}}},
  };
  for (const Known& problem : problems) {
    CAPTURE(problem.name);
    double best = 1e300;
    for (const auto& [rates, bases] : problem.good) best = std::min(best, measured(problem.name, rates, bases));
    for (std::uint64_t seed = 1; seed <= 2; ++seed) {
      const ReadPlan p = plan(problem.name, seed);
      CHECK(measured(problem.name, p.best().rates, p.best().base_samples) < 1.3 * best);
      CHECK(p.warnings.empty());
    }
    CHECK_FALSE(measured(problem.name, problem.poor.first, problem.poor.second) < 1.3 * best);
  }
}

TEST_CASE("what is predicted for a budget is what a run of that budget reports") {
  const ReadPlan p = plan("square_of_cos", 3);
  Context context(2);
  const ReadResult r = read(named_nested_problem("square_of_cos").make(),
                            {.max_copies = 0, .max_evaluations = 20000000, .rates = p.best().rates, .base_samples = p.best().base_samples}, Stream(5), context);
  // The variance is known to about 10 %, the error to 5 %; three of these.
  CHECK(r.value.std_error == doctest::Approx(p.std_error(2e7)).scale(0).epsilon(0.15));
  CHECK(p.needed_evaluations(p.std_error(2e7)) == doctest::Approx(2e7));
}

TEST_CASE("a plan does not depend on threads and keeps near its pilot") {
  const ReadPlan one = plan("sin_gaussian", 4, 1, 2000000), three = plan("sin_gaussian", 4, 3, 2000000);
  REQUIRE(one.candidates.size() == three.candidates.size());
  for (std::size_t i = 0; i < one.candidates.size(); ++i) {
    CHECK(one.candidates[i].rates == three.candidates[i].rates);
    CHECK(one.candidates[i].base_samples == three.candidates[i].base_samples);
    CHECK(one.candidates[i].variance == three.candidates[i].variance);
  }
  CHECK(one.evaluations < 3000000);
  CHECK(one.levels.rows.rows() > 5);
}

TEST_CASE("depth 0 needs no parameters, depth 3 is searched, kinks and small pilots are told") {
  NestedFunctions f;
  f.names = {{"x"}};
  f.sample = [](Index, const ConstMatrix&, const ConstMatrix& z, MutMatrix y) { y = z; };
  f.link = [](Index, const ConstMatrix& path, const ConstVector&, MutVector out) { out = path.row(0).transpose(); };
  Context context(2);
  const ReadPlan flat = plan_read(make_nested_problem(f), {.pilot_evaluations = 100000}, Stream(1), context);
  CHECK(flat.best().rates.empty());
  CHECK(flat.best().work_times_variance() == doctest::Approx(1).scale(0).epsilon(0.05));

  const ReadPlan deep = plan("deep_cos", 1);
  CHECK(deep.best().rates.size() == 3);
  CHECK(deep.best().base_samples[0] > 1);
  CHECK(deep.best().largest_share < 0.5);

  f.names = {{"y0"}, {"y1"}};
  f.sample = [](Index d, const ConstMatrix& past, const ConstMatrix& z, MutMatrix y) {
    y = z;
    if (d == 1) y += past;
  };
  f.link = [](Index d, const ConstMatrix& path, const ConstVector& inner, MutVector out) {
    for (Index i = 0; i < out.size(); ++i) out(i) = d == 1 ? path(1, i) : std::max(inner(i), 0.0);
  };
  CHECK(plan_read(make_nested_problem(f), {.pilot_evaluations = 4000000}, Stream(1), context).best().rates[0] < 0.65);
  CHECK_THROWS_AS(plan("sin_gaussian", 1, 1, 1000), const Error&);
}
