// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/core/error.hpp>
#include <buffon/model/marginal.hpp>
#include <buffon/model/model.hpp>
#include <buffon/model/nested_expressions.hpp>
#include <buffon/random/stream.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <numbers>
#include <string>
#include <thread>
#include <vector>

using namespace buffon;

namespace {

using Parameters = std::vector<NestedParameter>;

struct LawCase {
  std::string law;
  Parameters parameters;
};

Eigen::MatrixXd normals(const char* name, Index rows, Index columns) {
  Eigen::MatrixXd z(rows, columns);
  Stream(5).child(name).normals(0, z);
  return z;
}

std::vector<NestedStage> sine_stages() {
  return {{{{"y0", "normal", {{"mean", "pi/2"}, {"std_dev", 1.0}}}}, "sin(y0 + z)"},
          {{{"y1", "normal", {{"mean", "y0"}, {"std_dev", 1.0}}}}, "sin(y1 - z)"},
          {{{"y2", "normal", {{"mean", "y1"}, {"std_dev", 1.0}}}}, "y2"}};
}

std::string refusal(std::vector<NestedStage> stages) {
  try {
    expression_nested_problem(std::move(stages));
  } catch (const Error& error) {
    CHECK(error.category() == ErrorCategory::configuration);
    return error.what();
  }
  return "accepted";
}

void check_refusal(std::vector<NestedStage> stages, const std::string& said) {
  const std::string message = refusal(std::move(stages));
  CAPTURE(message);
  CHECK(message.find(said) != std::string::npos);
}

/// Two stages: `first` variables, then one variable of the given law.
std::vector<NestedStage> with_law(const std::string& law, Parameters parameters) {
  return {{{{"a", "uniform", {{"min", 0.5}, {"max", 2.0}}}, {"b", "normal", {{"mean", 0.0}, {"std_dev", 1.0}}}}, "z"},
          {{{"y", law, std::move(parameters)}}, "y"}};
}

Eigen::MatrixXd sample(const NestedProblem& problem, Index d, const Eigen::MatrixXd& past, const Eigen::MatrixXd& z) {
  Eigen::MatrixXd y(static_cast<Index>(problem.names(d).size()), z.cols());
  problem.sample(d, past, z, y);
  return y;
}

}  // namespace

TEST_CASE("expressions say the same as the named problem") {
  const auto ours = expression_nested_problem(sine_stages());
  const auto named = named_nested_problem("sin_gaussian").make();
  REQUIRE(ours->depth() == 2);
  const Index n = 300;
  Eigen::MatrixXd path(0, n);
  for (Index d = 0; d <= 2; ++d) {
    CHECK(ours->names(d) == named->names(d));
    CHECK(ours->normals(d) == 1);
    const Eigen::MatrixXd z = normals(d == 0 ? "z0" : d == 1 ? "z1" : "z2", 1, n);
    const Eigen::MatrixXd y = sample(*ours, d, path, z);
    CHECK(y == sample(*named, d, path, z));
    Eigen::MatrixXd longer(d + 1, n);
    longer << path, y;
    path = longer;
    const Eigen::VectorXd inner = normals("inner", 1, n).row(0);
    Eigen::VectorXd g(n), h(n);
    ours->link(d, path, inner, g);
    named->link(d, path, inner, h);
    CHECK((g - h).cwiseAbs().maxCoeff() < 1e-15);  // two ulp: the named problem has a sine of its own
  }
}

TEST_CASE("a draw is that of the law with the parameters of its path, alone or in a batch") {
  const std::vector<LawCase> cases = {
      {"normal", {{"mean", "b"}, {"std_dev", "a"}}},
      {"normal", {{"mean", "3 + b"}, {"cov", "a"}}},
      {"normal", {{"mean", "b"}, {"std_dev", 2.5}}},
      {"lognormal", {{"mean", "a"}, {"cov", "a / 3"}}},
      {"lognormal", {{"sigma_log", "a"}, {"mu_log", "b"}}},
      {"uniform", {{"min", "b"}, {"max", "b + a"}}},
      {"exponential", {{"rate", "a"}}},
      {"exponential", {{"rate", "a"}, {"location", "b"}}},
      {"truncated_normal", {{"mean", "b"}, {"std_dev", "a"}, {"min", "b - 1"}}},
      {"beta", {{"alpha", "a"}, {"beta", 2.0}}},
      {"gamma", {{"shape", "a"}, {"scale", "exp(b)"}}},
      {"gumbel", {{"location", "b"}, {"scale", "a"}}},
      {"weibull", {{"shape", "a"}, {"scale", 2.0}}},
      {"triangular", {{"min", "b"}, {"mode", "b + a/2"}, {"max", "b + a"}}},
      {"student_t", {{"degrees", "1 + a"}, {"location", "b"}}},
  };
  const Index n = 700;
  Eigen::MatrixXd z = normals("draw", 1, n);
  z(0, 0) = -8.5;
  z(0, 1) = 8.5;
  z(0, 2) = 0;
  z(0, 3) = -40;
  for (const LawCase& c : cases) {
    CAPTURE(c.law);
    const auto problem = expression_nested_problem(with_law(c.law, c.parameters));
    const Eigen::MatrixXd past = sample(*problem, 0, Eigen::MatrixXd(0, n), normals("past", 2, n));
    const Eigen::MatrixXd y = sample(*problem, 1, past, z);
    for (Index i = 0; i < n; ++i) {
      CHECK(sample(*problem, 1, past.col(i), z.col(i))(0) == y(0, i));
      if (i % 7 != 0 && i > 5) continue;
      Parameters numbers = c.parameters;
      for (auto& parameter : numbers) {
        if (!std::holds_alternative<std::string>(parameter.value)) continue;
        const auto value = expression_nested_problem({{{{"u", "uniform", {{"min", 0.0}, {"max", 1.0}}}}, "z"},
                                                      {{{"a", "normal", {{"mean", 0.0}, {"std_dev", 1.0}}}, {"b", "normal", {{"mean", 0.0}, {"std_dev", 1.0}}}},
                                                       std::get<std::string>(parameter.value)}});
        Eigen::VectorXd point(3), out(1);
        point << 0, past.col(i);
        value->link(1, point, Eigen::VectorXd::Zero(1), out);
        parameter.value = out(0);
      }
      // A law with numbers is made by its family and drawn in bulk.
      const auto constant = expression_nested_problem(with_law(c.law, numbers));
      CHECK(sample(*constant, 1, past.col(i), z.col(i))(0) == y(0, i));
    }
  }
}

TEST_CASE("parameters that the formula in bulk leaves to the family draw the law of the family") {
  // Narrow and wide lognormal and exponential laws around the limits of the bulk formulas.
  for (const double location : {0.0, 1.0, 1e9}) {
    const auto problem = expression_nested_problem(with_law("exponential", {{"rate", "1e7 * a"}, {"location", location}}));
    const Eigen::MatrixXd past = Eigen::Vector2d(1, 0);
    const Eigen::MatrixXd z = Eigen::MatrixXd::Constant(1, 1, 0.7);
    const Marginal law = exponential_law(1e7, location);
    double x = 0.7;
    law.from_standard(&x, &x, 1, 1);
    CHECK(sample(*problem, 1, past, z)(0) == x);
  }
  const auto wide = expression_nested_problem(with_law("lognormal", {{"mu_log", "0 * a"}, {"sigma_log", "78 + 0 * a"}}));
  double x = 0.7;
  lognormal_law(0, 78).from_standard(&x, &x, 1, 1);
  CHECK(sample(*wide, 1, Eigen::MatrixXd(Eigen::Vector2d(1, 0)), Eigen::MatrixXd::Constant(1, 1, 0.7))(0) == x);
}

TEST_CASE("a stage may draw nothing: a function of a mean") {
  const auto problem = expression_nested_problem({{{}, "exp(z)"}, {{{"y", "exponential", {{"rate", 2.0}}}}, "y"}});
  CHECK(problem->depth() == 1);
  CHECK(problem->normals(0) == 0);
  CHECK(sample(*problem, 0, Eigen::MatrixXd(0, 3), Eigen::MatrixXd(0, 3)).size() == 0);
  Eigen::VectorXd out(3);
  problem->link(0, Eigen::MatrixXd(0, 3), Eigen::Vector3d(0, 1, 2), out);
  CHECK(out == Eigen::Vector3d(1, std::exp(1.0), std::exp(2.0)));
}

TEST_CASE("a variable may use those before it in its stage") {
  const auto problem = expression_nested_problem(
      {{{{"x", "normal", {{"mean", 0.0}, {"std_dev", 1.0}}}, {"y", "normal", {{"mean", "10 * x"}, {"std_dev", "1 + x^2"}}}}, "x + y"}});
  const Eigen::MatrixXd y = sample(*problem, 0, Eigen::MatrixXd(0, 2), (Eigen::MatrixXd(2, 2) << 1, 2, 0, 3).finished());
  CHECK(y == (Eigen::MatrixXd(2, 2) << 1, 2, 10, 35).finished());
}

TEST_CASE("a parameter out of range at a path is an error of the model that names the path") {
  const auto problem = expression_nested_problem(with_law("normal", {{"mean", 0.0}, {"std_dev", "a + b"}}));
  const Eigen::MatrixXd past = (Eigen::MatrixXd(2, 3) << 1, 1, 1, 0.5, -1.25, -2).finished();
  try {
    sample(*problem, 1, past, Eigen::MatrixXd::Zero(1, 3));
    FAIL("no error");
  } catch (const ModelError& error) {
    CHECK(error.category() == ErrorCategory::model);
    CHECK(std::string(error.what()) == "drawing y at the path a = 1, b = -1.25: std_dev = -0.25 must be greater than 0. std_dev is the standard deviation.");
    CHECK(error.input_names() == std::vector<std::string>{"a", "b"});
    CHECK(error.point() == Eigen::Vector2d(1, -1.25));
    CHECK(error.output_names() == std::vector<std::string>{"y"});
  }
  for (const LawCase& c : std::vector<LawCase>{{"lognormal", {{"mean", "b"}, {"cov", 0.1}}},
                                               {"lognormal", {{"mean", 1.0}, {"cov", "b"}}},
                                               {"lognormal", {{"mu_log", "log(b)"}, {"sigma_log", 1.0}}},
                                               {"uniform", {{"min", 0.0}, {"max", "b"}}},
                                               {"exponential", {{"rate", "b"}}},
                                               {"normal", {{"mean", 1.0}, {"cov", "b"}}},
                                               {"normal", {{"mean", "1/(b + 1)"}, {"std_dev", 1.0}}},
                                               {"gamma", {{"shape", "b"}, {"scale", 1.0}}}}) {
    CAPTURE(c.law);
    auto stages = with_law(c.law, c.parameters);
    stages[0].variables[1] = {"b", "uniform", {{"min", -0.5}, {"max", 1.0}}};  // positive at the path that is drawn at once
    const auto bad = expression_nested_problem(stages);
    CHECK_THROWS_AS(sample(*bad, 1, Eigen::MatrixXd(Eigen::Vector2d(1, -1)), Eigen::MatrixXd::Zero(1, 1)), ModelError);
  }
}

TEST_CASE("several threads draw the same") {
  const auto problem = expression_nested_problem(with_law("gamma", {{"shape", "a"}, {"scale", "exp(b)"}}));
  const Index n = 200;
  const Eigen::MatrixXd past = sample(*problem, 0, Eigen::MatrixXd(0, n), normals("past", 2, n));
  const Eigen::MatrixXd z = normals("draw", 1, n);
  const Eigen::MatrixXd expected = sample(*problem, 1, past, z);
  std::vector<Eigen::MatrixXd> drawn(4);
  std::vector<std::thread> threads;
  for (auto& y : drawn) threads.emplace_back([&] { y = sample(*problem, 1, past, z); });
  for (auto& thread : threads) thread.join();
  for (const auto& y : drawn) CHECK(y == expected);
}

TEST_CASE("faults are refused with their place") {
  using std::numbers::pi;
  const NestedVariable y{"y", "normal", {{"mean", 0.0}, {"std_dev", 1.0}}};
  check_refusal({}, "stages must hold at least one stage");
  check_refusal({{{y}, "y + z"}}, "stages[0].link = \"y + z\" uses z, but the last stage has no inner value");
  check_refusal({{{y}, "y + q"}}, "stages[0].link = \"y + q\" at character 5: unknown name \"q\"");
  check_refusal({{{y}, "y"}, {{y}, "y"}}, "stages[1].variables[0].name = \"y\" is already the name of another variable");
  check_refusal({{{{"z", "normal", {}}}, "1"}}, "stages[0].variables[0].name = \"z\" is the name of the inner value");
  check_refusal({{{{"2x", "normal", {}}}, "1"}}, "stages[0].variables[0].name = \"2x\"");
  check_refusal({{{{"x", "norml", {}}}, "1"}}, "stages[0].variables[0].law = \"norml\" is not a law. did you mean \"normal\"?");
  check_refusal({{{{"x", "normal", {{"maen", 0.0}}}}, "1"}}, "stages[0].variables[0].maen is not a parameter of law normal. did you mean \"mean\"?");
  check_refusal({{{{"x", "normal", {{"std_dev", 1.0}}}}, "1"}}, "stages[0].variables[0].mean is required and missing");
  check_refusal({{{{"x", "normal", {{"mean", 1.0}, {"mean", 1.0}}}}, "1"}}, "stages[0].variables[0].mean is given twice");
  check_refusal({{{{"x", "normal", {{"mean", "x"}, {"std_dev", 1.0}}}}, "1"}}, "stages[0].variables[0].mean = \"x\" unknown name \"x\"");
  check_refusal({{{y, {"x", "normal", {{"mean", "yy"}, {"std_dev", 1.0}}}}, "1"}}, "Did you mean \"y\"?");
  check_refusal({{{{"x", "normal", {{"mean", 0.0}, {"std_dev", "2 - 3"}}}}, "1"}}, "stages[0].variables[0].std_dev = -1 must be greater than 0");
  check_refusal({{{{"x", "normal", {{"mean", 0.0}}}}, "1"}}, "stages[0].variables[0].std_dev is missing. give exactly one of std_dev and cov");
  // Parameters that never go together, and that are out of range at the path drawn at once.
  check_refusal({{{y, {"x", "normal", {{"mean", "y"}}}}, "1"}}, "stages[0].variables[1].std_dev is missing");
  check_refusal({{{y, {"x", "lognormal", {{"mean", "exp(y)"}, {"sigma_log", 1.0}}}}, "1"}},
                "stages[0].variables[1] = {mean, sigma_log} given must be exactly one pair");
  check_refusal({{{y, {"x", "normal", {{"mean", 1.0}, {"std_dev", "y"}, {"cov", "y"}}}}, "1"}}, "says the spread twice");
  check_refusal({{{y, {"x", "normal", {{"mean", 1.0}, {"std_dev", "y - 9"}}}}, "1"}},
                "drawing x at the path y = 0.3: stages[0].variables[1].std_dev = -8.7 must be greater than 0");
  check_refusal(std::vector<NestedStage>(max_nested_stages + 1, NestedStage{{}, "1"}), "stages = 65 stages must be at most 64");
}
