// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/core/error.hpp>
#include <buffon/model/model_kind.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <numbers>
#include <set>

using namespace buffon;

namespace {

double known(const NamedProblem& problem, const std::string& quantity) {
  for (const auto& value : problem.known) {
    if (value.quantity == quantity) return value.value;
  }
  FAIL("unknown " << quantity);
  return 0;
}

double value_at(const std::string& problem, const Eigen::VectorXd& x) {
  const auto model = named_problem(problem).model();
  Eigen::MatrixXd y(model->output_size(), 1);
  CHECK(model->evaluate(x, y, {}).empty());
  return y(0, 0);
}

}  // namespace

TEST_CASE("every named problem has a model, a summary and sourced values, and names are distinct") {
  std::set<std::string> names;
  for (const auto& problem : named_problems()) {
    CAPTURE(problem.name);
    CHECK(names.insert(problem.name).second);
    CHECK(!problem.summary.empty());
    const auto model = problem.model();
    CHECK(model->output_size() >= 1);
    CHECK(problem.law().size() == model->input_size());
    CHECK(!problem.known.empty());
    for (const auto& value : problem.known) {
      CHECK(!value.source.empty());
      CHECK(value.digits >= 6);
    }
  }
}

TEST_CASE("an unknown named problem is refused with the nearest name") {
  CHECK_THROWS_WITH_AS(named_problem("cantilver"), doctest::Contains("Did you mean \"cantilever\"?"), Error);
  CHECK_THROWS_WITH_AS(named_problem("zzzzzzzzzzzzzzzzz"), doctest::Contains("There are cantilever, ishigami"), Error);
}

TEST_CASE("named models give hand-computed values") {
  constexpr double pi = std::numbers::pi;
  // 4·4.29³/(200e9·0.062·0.0987)·hypot(556.8/0.062², 453.6/0.0987²)
  CHECK(value_at("cantilever", Eigen::VectorXd{{556.8, 453.6, 200, 0.062, 0.0987, 4.29}}) == doctest::Approx(0.03926110309710241).scale(0).epsilon(1e-14));
  CHECK(value_at("ishigami", Eigen::VectorXd{{pi / 2, pi / 2, 1}}) == doctest::Approx(8.1).scale(0).epsilon(1e-14));
  CHECK(value_at("sobol_g", Eigen::VectorXd::Constant(8, 0.5)) == 0);  // |4·0.5 − 2| + a_1 = 0
  CHECK(value_at("four_branch", Eigen::VectorXd{{0, 0}}) == -3);
  CHECK(value_at("four_branch", Eigen::VectorXd{{3.5, -3.5}}) == doctest::Approx(7 - 7 / std::sqrt(2.0)));
  CHECK(value_at("parabolic", Eigen::VectorXd{{0.1, 5}}) == 0);
  CHECK(value_at("hyperplane", Eigen::VectorXd::Constant(20, 1)) == doctest::Approx(std::sqrt(20.0) - 4.5));
  CHECK(value_at("flood", Eigen::VectorXd{{-10, 30, 50, 55}}) == -8.5);
  CHECK(value_at("borehole", Eigen::VectorXd{{0.1, 0.1 * std::exp(1.0), 1e5, 1000, 100, 900, 1500, 10000}}) ==
        doctest::Approx(2 * pi * 1e5 * 100 / (1 + 3e8 / 100 + 1e3)).scale(0).epsilon(1e-12));
}

TEST_CASE("closed-form values of the Ishigami function and of the g-function agree with the literature") {
  const auto& ishigami = named_problem("ishigami");
  CHECK(known(ishigami, "variance(y)") == doctest::Approx(13.844587940719254).scale(0).epsilon(1e-14));
  CHECK(known(ishigami, "first_order(y, x1)") == doctest::Approx(0.31390519114781146).scale(0).epsilon(1e-14));
  CHECK(known(ishigami, "first_order(y, x2)") == doctest::Approx(0.44241114479004084).scale(0).epsilon(1e-14));
  CHECK(known(ishigami, "total(y, x3)") == doctest::Approx(0.24368366406214773).scale(0).epsilon(1e-13));
  CHECK(known(named_problem("sobol_g"), "first_order(y, x1)") == doctest::Approx(0.7162).scale(0).epsilon(1e-4));
  CHECK(known(named_problem("gaussian_moments"), "mean(moment_20)") == 654729075);
}
