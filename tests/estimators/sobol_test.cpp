// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/estimators/sobol.hpp>

#include <memory_archive.hpp>

#include <buffon/core/error.hpp>
#include <buffon/model/model_kind.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <map>
#include <string>
#include <vector>

using namespace buffon;

namespace {

constexpr SobolEstimator every_estimator[] = {SobolEstimator::martinez, SobolEstimator::mauntz_kucherenko, SobolEstimator::saltelli, SobolEstimator::jansen};

Problem named(const std::string& name) {
  const NamedProblem& p = named_problem(name);
  return Problem(p.model(), p.law());
}

JointLaw normals(const std::vector<std::string>& names) {
  std::vector<Input> inputs;
  for (const auto& name : names) inputs.push_back({name, normal_law(0, 1)});
  return JointLaw(inputs);
}

/// y = 3 + 2 a + b, c idle; z = a b: S = T = 0.8, 0.2, 0 for y; S = 0, T = 1, 1, 0 and S[a,b] = 1 for z.
Problem linear_and_product() {
  return Problem(make_model(3, {"y", "z"},
                            [](const ConstMatrix& x, MutMatrix v) {
                              v.row(0) = (3 + 2 * x.row(0).array() + x.row(1).array()).matrix();
                              v.row(1) = x.row(0).cwiseProduct(x.row(1));
                            }),
                 normals({"a", "b", "c"}));
}

Problem single_output(double scale) {
  return Problem(
      make_model(2, {"y"}, [scale](const ConstMatrix& x, MutMatrix v) { v.row(0) = scale * (x.row(0).array() + x.row(1).array().square()).matrix(); }),
      normals({"a", "b"}));
}

std::map<std::string, Estimate> run(const Problem& problem, const SobolOptions& options, std::uint64_t seed, int threads = 2) {
  Context context(threads);
  std::map<std::string, Estimate> map;
  for (const auto& index : sobol_indices(problem, options, Stream(seed), context).indices) map[index.name] = index.estimate;
  return map;
}

// Two-sided normal test. Bound 5.6: 2e-8 per comparison, below 1e-6 for the at most 40 comparisons of a test case.
bool agrees(double value, double std_error, double exact) { return std::abs(value - exact) <= 5.6 * std_error + 1e-12; }
bool agrees(const Estimate& e, double exact) { return agrees(e.value, e.std_error, exact); }

const std::map<std::string, double> ishigami = [] {
  const double p4 = std::pow(M_PI, 4), p8 = p4 * p4;
  const double v1 = 0.5 * std::pow(1 + 0.1 * p4 / 5, 2), v2 = 49.0 / 8, v13 = 8 * 0.01 * p8 / 225, v = v1 + v2 + v13;
  return std::map<std::string, double>{{"S1[x1]", v1 / v},           {"S1[x2]", v2 / v},           {"S1[x3]", 0},
                                       {"ST[x1]", (v1 + v13) / v},   {"ST[x2]", v2 / v},           {"ST[x3]", v13 / v},
                                       {"S[x1,x3]", (v1 + v13) / v}, {"ST[x1,x3]", (v1 + v13) / v}};
}();

std::string complaint(const Problem& problem, const SobolOptions& options) {
  try {
    Sobol method(problem, options, Stream(1));
  } catch (const Error& error) {
    CHECK(error.category() == ErrorCategory::configuration);
    return error.what();
  }
  return "accepted";
}

}  // namespace

TEST_CASE("every estimator finds the closed-form indices of the Ishigami function, and wrong estimators are rejected") {
  for (const auto estimator : every_estimator) {
    CAPTURE(sobol_estimator_names[static_cast<std::size_t>(estimator)]);
    const SobolOptions options{.max_evaluations = 300000, .estimator = estimator, .subsets = {{"x3", "x1"}}};
    Context context(2);
    const SobolResult result = sobol_indices(named("ishigami"), options, Stream(11), context);
    std::map<std::string, Estimate> estimates;
    for (const auto& index : result.indices) estimates[index.name] = index.estimate;
    REQUIRE(estimates.size() == ishigami.size());
    for (const auto& [name, exact] : ishigami) {
      const auto& case_name = name;
      CAPTURE(case_name);
      CHECK(agrees(estimates.at(name), exact));
    }
    // Columns of A and B exchanged: the first-order formula then estimates the closed index of the other inputs.
    const auto exchanged = run(named("ishigami"), {.max_evaluations = 300000, .estimator = estimator, .orders = {}, .subsets = {{"x2", "x3"}}}, 11);
    CHECK_FALSE(agrees(exchanged.at("S[x2,x3]"), ishigami.at("S1[x1]")));
    // The square of the mean not subtracted.
    const double square = result.means(0) * result.means(0) / result.variances(0);
    CHECK_FALSE(agrees(estimates.at("S1[x2]").value + square, estimates.at("S1[x2]").std_error, ishigami.at("S1[x2]")));
    // The total index taken for 1 − S of the same input instead of the others.
    CHECK_FALSE(agrees(1 - estimates.at("S1[x1]").value, estimates.at("S1[x1]").std_error, ishigami.at("ST[x1]")));
  }
}

TEST_CASE("closed, first and total indices of the g-function agree with its product formulas") {
  const double a[] = {0, 1, 4.5, 9, 99, 99, 99, 99};
  double product = 1, pair = 1;
  std::vector<double> v;
  for (const double ai : a) {
    v.push_back(1 / (3 * (1 + ai) * (1 + ai)));
    product *= 1 + v.back();
  }
  pair = (1 + v[0]) * (1 + v[2]);
  const auto estimates = run(named("sobol_g"), {.max_evaluations = 200000, .subsets = {{"x1", "x3"}}}, 5);
  CHECK(estimates.size() == 18);
  for (std::size_t i = 0; i < 8; ++i) {
    const std::string x = "[x" + std::to_string(i + 1) + "]";
    CHECK(agrees(estimates.at("S1" + x), v[i] / (product - 1)));
    CHECK(agrees(estimates.at("ST" + x), v[i] * product / (1 + v[i]) / (product - 1)));
  }
  CHECK(agrees(estimates.at("S[x1,x3]"), (pair - 1) / (product - 1)));
  CHECK(agrees(estimates.at("ST[x1,x3]"), 1 - (product / pair - 1) / (product - 1)));
  const auto strong = run(named("sobol_g"), {.max_evaluations = 400000, .orders = {}, .subsets = {{"x1", "x2"}}}, 5).at("S[x1,x2]");
  CHECK(agrees(strong, ((1 + v[0]) * (1 + v[1]) - 1) / (product - 1)));
  CHECK_FALSE(agrees(strong, (v[0] + v[1]) / (product - 1)));  // the interaction left out
}

TEST_CASE("linear and product models of two outputs have their known indices, and an idle input says so") {
  Context context(2);
  const SobolResult result = sobol_indices(linear_and_product(), {.max_evaluations = 100000, .subsets = {{"a", "b"}}}, Stream(3), context);
  std::map<std::string, SobolIndex> by_name;
  for (const auto& index : result.indices) by_name[index.name] = index;
  REQUIRE(by_name.size() == 16);
  const std::map<std::string, double> exact = {{"S1[y:a]", 0.8}, {"S1[y:b]", 0.2}, {"S1[y:c]", 0}, {"ST[y:a]", 0.8}, {"ST[y:b]", 0.2},
                                               {"ST[y:c]", 0},   {"S[y:a,b]", 1},  {"S1[z:a]", 0}, {"S1[z:b]", 0},   {"S1[z:c]", 0},
                                               {"ST[z:a]", 1},   {"ST[z:b]", 1},   {"ST[z:c]", 0}, {"S[z:a,b]", 1}};
  for (const auto& [name, value] : exact) {
    const auto& case_name = name;
    CAPTURE(case_name);
    CHECK(agrees(by_name.at(name).estimate, value));
    CHECK(by_name.at(name).note.empty() == (value > 0 || by_name.at(name).estimate.lower > 1e-12));
  }
  // The output does not depend on c at all: its total index is zero to rounding, whatever the sample.
  CHECK(std::abs(by_name.at("ST[y:c]").estimate.value) < 1e-12);
  CHECK(by_name.at("ST[y:c]").note.find("not distinguishable from zero") == 0);
  CHECK(by_name.at("S1[y:a]").group == "first");
  CHECK(by_name.at("S[y:a,b]").group == "closed");
  CHECK(by_name.at("S[y:a,b]").inputs == std::vector<std::string>{"a", "b"});
  CHECK(agrees(result.means(0), std::sqrt(5.0 / 50000), 3.0));
  CHECK(result.covariance.size() == 0);
}

TEST_CASE("a negative estimate is reported as it is, with a note") {
  bool seen = false;
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    Context context(1);
    for (const auto& index : sobol_indices(linear_and_product(), {.max_evaluations = 2000, .outputs = {"z"}}, Stream(seed), context).indices) {
      if (index.group == "first" && index.estimate.value < 0) {
        seen = true;
        CHECK(index.note.find("negative by sampling error") != std::string::npos);
        CHECK(index.estimate.lower < index.estimate.value);
      }
    }
  }
  CHECK(seen);
}

TEST_CASE("intervals cover the exact indices and reported errors match the spread over runs") {
  constexpr int runs = 300;
  for (const auto estimator : every_estimator) {
    CAPTURE(sobol_estimator_names[static_cast<std::size_t>(estimator)]);
    std::map<std::string, int> covered, covered_when_too_narrow;
    std::map<std::string, double> sum, squares, reported;
    const Problem problem = named("ishigami");
    for (int r = 0; r < runs; ++r) {
      for (const auto& [name, e] : run(problem, {.max_evaluations = 5064, .estimator = estimator}, 1000 + static_cast<std::uint64_t>(r), 1)) {
        const double exact = ishigami.at(name);
        covered[name] += e.lower <= exact && exact <= e.upper ? 1 : 0;
        covered_when_too_narrow[name] += std::abs(e.value - exact) < 1.96 * e.std_error / std::sqrt(2.0) ? 1 : 0;
        sum[name] += e.value - exact;
        squares[name] += (e.value - exact) * (e.value - exact);
        reported[name] += e.std_error * e.std_error;
      }
    }
    for (const auto& [name, count] : covered) {
      const auto& case_name = name;
      CAPTURE(case_name);
      // 300 intervals of 95 %: the binomial count has standard deviation 3.8; the bounds are 90 and 99 % of the runs.
      CHECK(count >= 270);
      CHECK(count <= 297);
      CHECK(covered_when_too_narrow.at(name) < 270);  // errors too small by √2 are noticed
      // Spread over reported variance: relative standard deviation √(2/300) = 8 %, five of them.
      CHECK(squares.at(name) / reported.at(name) == doctest::Approx(1).scale(0).epsilon(0.41));
      // Mean error: the bias of ratios is of the order of 1/n = 1e-3, against which the mean over 300 runs has about 2e-3.
      CHECK(std::abs(sum.at(name) / runs) <= 5.6 * std::sqrt(reported.at(name)) / runs + 1.0 / 1000);
    }
  }
}

TEST_CASE("the covariance of the indices has the squares of the standard errors on its diagonal") {
  Context context(2);
  const SobolResult r = sobol_indices(named("ishigami"), {.max_evaluations = 20000}, Stream(2), context);
  REQUIRE(r.covariance.rows() == 6);
  for (Index i = 0; i < 6; ++i) {
    CHECK(std::sqrt(r.covariance(i, i)) == doctest::Approx(r.indices[static_cast<std::size_t>(i)].estimate.std_error).scale(0).epsilon(1e-10));
  }
}

TEST_CASE("bootstrap intervals have the width of delta-method intervals") {
  const auto delta = run(named("ishigami"), {.max_evaluations = 50000}, 9);
  const auto boot = run(named("ishigami"), {.max_evaluations = 50000, .bootstrap = 1000}, 9);
  for (const auto& [name, e] : delta) {
    const auto& case_name = name;
    CAPTURE(case_name);
    CHECK(boot.at(name).value == e.value);
    // Quantiles of 1000 replicates: the width has a relative standard deviation of about 3.5 %; five of them.
    CHECK(boot.at(name).upper - boot.at(name).lower == doctest::Approx(e.upper - e.lower).scale(0).epsilon(0.18));
  }
}

TEST_CASE("the state after every round has the same bytes on 1, 2, 3 and 8 threads and after saving and loading") {
  const Problem problem = linear_and_product();
  const SobolOptions options{.max_evaluations = 30000, .subsets = {{"a", "c"}}, .bootstrap = 20};
  std::vector<std::string> reference;
  {
    Context context(1);
    Sobol method(problem, options, Stream(4));
    while (!method.finished()) {
      method.step(context);
      reference.push_back(testing::state_of(method));
    }
    CHECK(context.evaluations() == method.result().evaluations);
    CHECK(method.result().evaluations <= 30000);
    CHECK(method.result().evaluations > 30000 - method.evaluations_per_sample());
  }
  REQUIRE(reference.size() > 10);
  for (const int threads : {2, 3, 8}) {
    Context context(threads);
    auto method = std::make_unique<Sobol>(problem, options, Stream(4));
    for (std::size_t round = 0; round < reference.size(); ++round) {
      method->step(context);
      REQUIRE((testing::state_of(*method) == reference[round]));
      method = std::make_unique<Sobol>(problem, options, Stream(4));
      testing::restore(*method, reference[round]);
    }
    CHECK(method->finished());
  }
}

TEST_CASE("units of the output do not matter") {
  const auto plain = run(single_output(1), {.max_evaluations = 10000}, 6);
  for (const double scale : {1e60, 1e-60, -1.0}) {
    for (const auto& [name, e] : run(single_output(scale), {.max_evaluations = 10000}, 6)) {
      CHECK(e.value == doctest::Approx(plain.at(name).value).scale(0).epsilon(1e-10));
      CHECK(e.std_error == doctest::Approx(plain.at(name).std_error).scale(0).epsilon(1e-10));
    }
  }
}

TEST_CASE("a target half-width ends the run early, a stop request ends it with a valid result") {
  Context context(2);
  const SobolResult r = sobol_indices(named("ishigami"), {.max_evaluations = 1000000, .target_half_width = 0.05}, Stream(7), context);
  CHECK(r.evaluations < 500000);
  CHECK(r.stop_reason.find("half-width") != std::string::npos);
  for (const auto& index : r.indices) CHECK(index.estimate.upper - index.estimate.lower <= 0.1);

  Sobol method(named("ishigami"), {.max_evaluations = 100000}, Stream(7));
  method.stop("the time limit was reached");
  CHECK_FALSE(method.finished());
  run_to_end(method, context);
  const Outcome outcome = method.outcome();
  CHECK(outcome.stop_reason == "the time limit was reached");
  CHECK(outcome.estimates.size() == 6);
  CHECK(outcome.evaluations < 10000);
}

TEST_CASE("one input alone explains everything") {
  const Problem problem(make_point_model(1, "y", [](const Eigen::VectorXd& x) { return std::exp(x(0)); }), normals({"a"}));
  CHECK(run(problem, {.max_evaluations = 5000, .estimator = SobolEstimator::martinez}, 1).at("S1[a]").value == doctest::Approx(1).scale(0).epsilon(1e-12));
  for (const auto estimator : every_estimator) {
    for (const auto& [name, e] : run(problem, {.max_evaluations = 50000, .estimator = estimator}, 1)) CHECK(agrees(e, 1));
  }
}

TEST_CASE("a constant output is refused in plain words, early") {
  for (const double noise : {0.0, 1e-17}) {
    const Problem problem(make_point_model(2, "y", [noise](const Eigen::VectorXd& x) { return 5 + noise * x(0); }), normals({"a", "b"}));
    Context context(1);
    Sobol method(problem, {.max_evaluations = 100000}, Stream(1));
    try {
      run_to_end(method, context);
      FAIL("accepted");
    } catch (const Error& error) {
      CHECK(error.category() == ErrorCategory::numeric);
      CHECK(std::string(error.what()).find("variance") != std::string::npos);
      CHECK(context.evaluations() < 5000);
    }
  }
}

TEST_CASE("every invalid option is refused with its key") {
  const Problem p = linear_and_product();
  CHECK(complaint(p, {}) == "accepted");
  CHECK(complaint(p, {.max_evaluations = 19}).find("options.max_evaluations") != std::string::npos);
  CHECK(complaint(p, {.max_evaluations = 100}).find("give at least 114") != std::string::npos);
  CHECK(complaint(p, {.max_evaluations = 114}) == "accepted");
  CHECK(complaint(p, {.orders = {"third"}}).find("options.orders") != std::string::npos);
  CHECK(complaint(p, {.orders = {"first", "first"}}).find("options.orders") != std::string::npos);
  CHECK(complaint(p, {.orders = {}}).find("options.orders") != std::string::npos);
  CHECK(complaint(p, {.subsets = {{"q"}}}).find("options.subsets = q") != std::string::npos);
  CHECK(complaint(p, {.subsets = {{}}}).find("options.subsets") != std::string::npos);
  CHECK(complaint(p, {.subsets = {{"a", "a"}}}).find("options.subsets") != std::string::npos);
  CHECK(complaint(p, {.subsets = {{"a", "b"}, {"b", "a"}}}).find("options.subsets") != std::string::npos);
  CHECK(complaint(p, {.subsets = {{"a", "b", "c"}}}).find("is 1 by definition") != std::string::npos);
  CHECK(complaint(p, {.outputs = {"x"}}).find("options.outputs") != std::string::npos);
  CHECK(complaint(p, {.outputs = {"y", "y"}}).find("options.outputs") != std::string::npos);
  CHECK(complaint(p, {.pilot = 1}).find("options.pilot") != std::string::npos);
  CHECK(complaint(p, {.level = 1}).find("options.level") != std::string::npos);
  CHECK(complaint(p, {.bootstrap = -1}).find("options.bootstrap") != std::string::npos);
  CHECK(complaint(p, {.target_half_width = -0.1}).find("options.target_half_width") != std::string::npos);
}

TEST_CASE("correlated inputs are refused with the reason") {
  Eigen::MatrixXd r(2, 2);
  r << 1, 0.5, 0.5, 1;
  const JointLaw law({{"a", normal_law(0, 1)}, {"b", normal_law(0, 1)}}, r);
  const Problem problem(make_point_model(2, "y", [](const Eigen::VectorXd& x) { return x.sum(); }), law);
  CHECK(complaint(problem, {}).find("independent") != std::string::npos);
}

TEST_CASE("an output whose variance rests on a few points is warned of, and no other") {
  const auto outcome = [](double rate) {
    const Problem problem(
        make_model(2, {"y"}, [rate](const ConstMatrix& x, MutMatrix v) { v.row(0) = ((rate * x.row(0).array()).exp() + x.row(1).array()).matrix(); }),
        normals({"a", "b"}));
    Context context(1);
    Sobol method(problem, {.max_evaluations = 20000}, Stream(1));
    run_to_end(method, context);
    return method.outcome();
  };
  const Outcome heavy = outcome(4);
  REQUIRE(heavy.warnings.size() == 1);
  CHECK(heavy.warnings[0].find("cannot be trusted") != std::string::npos);
  for (const auto& e : heavy.estimates) {
    const bool reaches_zero = e.estimate.lower <= 1e-12 && e.estimate.upper >= -1e-12;
    CHECK((e.note.find("not distinguishable") == 0) == reaches_zero);
  }
  CHECK(outcome(0.5).warnings.empty());
}

TEST_CASE("a round is bounded whatever max_evaluations is, and so is the table of convergence") {
  Context context(2);
  Sobol huge(linear_and_product(), {.max_evaluations = 1'000'000'000'000'000}, Stream(1));
  huge.step(context);
  huge.step(context);
  CHECK(context.evaluations() == 64 + 65536 * huge.evaluations_per_sample());
  Sobol many(linear_and_product(), {.max_evaluations = 64 + 65536 * 40 * huge.evaluations_per_sample()}, Stream(1));
  run_to_end(many, context);
  for (const auto& table : many.outcome().tables) {
    if (table.name == "convergence") CHECK(table.rows.rows() <= 33);
    if (table.name == "convergence") CHECK(table.rows.rows() >= 20);
  }
}
