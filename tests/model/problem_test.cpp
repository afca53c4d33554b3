// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/core/error.hpp>
#include <buffon/model/problem.hpp>

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace buffon;

namespace {

std::shared_ptr<const Model> sum_and_difference() {
  return make_model(2, {"sum", "difference"}, [](const ConstMatrix& x, MutMatrix y) {
    y.row(0) = x.row(0) + x.row(1);
    y.row(1) = x.row(0) - x.row(1);
  });
}

JointLaw two(const char* a, const char* b) { return JointLaw({{a, normal_law(0, 1)}, {b, uniform_law(0, 1)}}); }

std::string refusal(std::vector<Quantity> quantities, std::vector<Scenario> scenarios) {
  try {
    const Problem problem(CheckedModel(sum_and_difference(), {"a", "b"}), std::move(quantities), std::move(scenarios));
    FAIL("made a problem");
  } catch (const Error& error) {
    CHECK(error.category() == ErrorCategory::configuration);
    return error.what();
  }
  return {};
}

bool contains(const std::string& text, const char* part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("a problem with one law has its quantities as expectations") {
  const Problem problem(sum_and_difference(), two("a", "b"));
  CHECK(problem.dimension() == 2);
  CHECK(problem.expectation_names() == std::vector<std::string>{"sum", "difference"});
  CHECK(problem.single_law("plain_monte_carlo").names() == std::vector<std::string>{"a", "b"});
}

TEST_CASE("several scenarios make pairs of quantity and scenario") {
  const Problem problem(CheckedModel(sum_and_difference(), {"a", "b"}), {{.name = "s"}, {.name = "d"}}, {{"base", two("a", "b")}, {"stiff", two("a", "b")}});
  CHECK(problem.expectation_names() == std::vector<std::string>{"s@base", "d@base", "s@stiff", "d@stiff"});
  try {
    problem.single_law("sobol");
    FAIL("a single law of two");
  } catch (const Error& error) {
    CHECK(error.category() == ErrorCategory::configuration);
    CHECK(contains(error.what(), "sobol"));
    CHECK(contains(error.what(), "scenarios = 2"));
  }
}

TEST_CASE("evaluation gives levels and is counted; events become zero or one") {
  const Problem problem(CheckedModel(sum_and_difference(), {"a", "b"}), {{.name = "sum"}, {.name = "ahead", .event = true}}, {{"base", two("a", "b")}});
  Context context(1);
  Eigen::MatrixXd x(2, 3);
  x << 3, 1, 2, 1, 4, 2;
  Eigen::MatrixXd values(2, 3);
  problem.evaluate(context, x, values);
  CHECK(context.evaluations() == 3);
  CHECK(values == (Eigen::MatrixXd(2, 3) << 4, 5, 4, 2, -3, 0).finished());
  problem.apply_events(values);
  CHECK(values == (Eigen::MatrixXd(2, 3) << 4, 5, 4, 1, 0, 0).finished());
}

TEST_CASE("problems whose parts do not fit are refused") {
  const std::vector<Quantity> both = {{.name = "s"}, {.name = "d"}};
  CHECK(contains(refusal({}, {{"base", two("a", "b")}}), "quantities is empty"));
  CHECK(contains(refusal(both, {}), "scenarios is empty"));
  CHECK(contains(refusal({{.name = "s"}}, {{"base", two("a", "b")}}), "as many as the model has outputs, 2"));
  CHECK(contains(refusal({{.name = "s"}, {.name = "s"}}, {{"base", two("a", "b")}}), "\"s\" is given to more than one quantity"));
  CHECK(contains(refusal({{.name = "s"}, {.name = ""}}, {{"base", two("a", "b")}}), "must not be empty"));
  CHECK(contains(refusal(both, {{"base", two("a", "b")}, {"base", two("a", "b")}}), "\"base\" is given to more than one scenario"));
  CHECK(contains(refusal(both, {{"base", JointLaw({{"a", Marginal()}})}}), "as many as the model takes, 2"));
  CHECK(
      contains(refusal(both, {{"base", two("a", "b")}, {"swapped", two("b", "a")}}), "[b, a] must have the names and the order of scenario \"base\", [a, b]"));
  CHECK_THROWS_AS(Problem(nullptr, two("a", "b")), Error);
}
