// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/core/error.hpp>
#include <buffon/model/model_kind.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <numbers>
#include <thread>

using namespace buffon;

namespace {

double value(const std::string& expression, double x = 2, double y = 3) {
  const auto model = expression_model({"x", "y"}, {"z"}, {expression});
  Eigen::MatrixXd z(1, 1);
  model->evaluate(Eigen::Vector2d(x, y), z, {});
  return z(0, 0);
}

std::string refusal(const std::string& expression, std::vector<std::string> inputs = {"x", "y"}) {
  try {
    expression_model(std::move(inputs), {"z"}, {expression});
  } catch (const Error& error) {
    CHECK(error.category() == ErrorCategory::configuration);
    return error.what();
  }
  return "accepted";
}

void check_refusal(const std::string& expression, const std::string& said) {
  CAPTURE(expression);
  const std::string message = refusal(expression);
  CAPTURE(message);
  CHECK(message.find(said) != std::string::npos);
}

}  // namespace

TEST_CASE("operators bind as in mathematics") {
  CHECK(value("-2^2") == -4);
  CHECK(value("2^3^2") == 512);
  CHECK(value("2^-1") == 0.5);
  CHECK(value("2^-x^2") == 1.0 / 16);
  CHECK(value("-x^2 + y") == -1);
  CHECK(value("7/2") == 3.5);
  CHECK(value("8/4/2") == 1);
  CHECK(value("2-3-4") == -5);
  CHECK(value("x*-y") == -6);
  CHECK(value("x--y") == 5);
  CHECK(value("-(-x)") == 2);
  CHECK(value("log2\n(\tx ) +\r\n1") == 2);
  CHECK(value("1 < 2 && 3 < 2 || 1 == 1") == 1);
  CHECK(value("1 || 0 && 0") == 1);
  CHECK(value("x > 1 ? 2 : 3 + 4") == 2);
  CHECK(value("x > 5 ? 2 : 3 + 4") == 7);
  CHECK(value("x > 5 ? 1 : x > 1 ? 10 : 20") == 10);
  CHECK(value("(x > 1 ? y : x) * 2") == 6);
  CHECK(value("x + 1 > 2 ? x : y") == 2);
}

TEST_CASE("numbers and constants have all their digits") {
  CHECK(value("pi") == std::numbers::pi);
  CHECK(value("e") == std::numbers::e);
  CHECK(value("0.1") == 0.1);
  CHECK(value(".5") == 0.5);
  CHECK(value("1e-5") == 1e-5);
  CHECK(value("3.e2") == 300);
  CHECK(value("123456789012345678") == 123456789012345678.0);
  CHECK(value("4.9e-324") == 4.9e-324);
}

TEST_CASE("functions are those of the mathematical library") {
  CHECK(value("log(x)") == std::log(2.0));
  CHECK(value("ln(x)") == std::log(2.0));
  CHECK(value("log10(1000)") == 3);
  CHECK(value("pow(x, y)") == 8);
  CHECK(value("hypot(3, 4)") == 5);
  CHECK(value("min(x, y, 1)") == 1);
  CHECK(value("max(x, y, 1)") == 3);
  CHECK(value("sum(x, y, 1)") == 6);
  CHECK(value("avg(x, y, 1)") == 2);
  CHECK(value("mod(-1, 3)") == 2);
  CHECK(value("sign(-y)") == -1);
  CHECK(value("erf(0.5)") == std::erf(0.5));
  CHECK(value("normcdf(0)") == 0.5);
  CHECK(value("normcdf(-10)") == doctest::Approx(7.619853024160527e-24).scale(0).epsilon(1e-13));
  CHECK(std::isnan(value("min(sqrt(-1), 1)")));
  CHECK(std::isnan(value("max(1, sqrt(-1))")));
}

TEST_CASE("only the branch that is taken is evaluated to a value") {
  CHECK(value("x > 0 ? x : 1/0") == 2);
  CHECK(value("x > 0 ? x : sqrt(-x)") == 2);
}

TEST_CASE("later outputs may use earlier ones, and an input hides a constant") {
  const auto model = expression_model({"a", "e"}, {"b", "c"}, {"2*a + e", "b^2"});
  Eigen::MatrixXd points(2, 3), values(2, 3);
  points << 1, 2, 3, 10, 20, 30;
  CHECK(model->evaluate(points, values, {}).empty());
  CHECK(values.row(0) == Eigen::RowVector3d(12, 24, 36));
  CHECK(values.row(1) == Eigen::RowVector3d(144, 576, 1296));
  CHECK_THROWS_WITH_AS(expression_model({"a"}, {"b", "c"}, {"c", "a"}), doctest::Contains("unknown name \"c\""), Error);
}

TEST_CASE("a wrong expression is refused with the place and what was expected") {
  check_refusal("x + lenght", "at character 5: unknown name \"lenght\". The names are x, y.");
  CHECK(refusal("lenght", {"length"}).find("Did you mean \"length\"?") != std::string::npos);
  check_refusal("sine(x)", "unknown function \"sine\". Did you mean \"sin\"?");
  check_refusal("x = 3", "at character 3: an expression cannot assign");
  check_refusal("x, y", "at character 2: a comma can only separate");
  check_refusal("1,5", "Write decimals with a point");
  check_refusal("x; y", "at character 2: \";\" is not allowed");
  check_refusal("x % y", "Write mod(a, b)");
  check_refusal("x ** y", "at character 3: there is no operator \"**\". Write a power with \"^\"");
  check_refusal("2x", "at character 2: expected an operator before \"x\". Write a product with \"*\"");
  check_refusal("x y", "at character 3: expected an operator before \"y\"");
  check_refusal("x (y)", "x is not a function");
  check_refusal("(x)(y)", "at character 4: expected an operator before \"(\"");
  check_refusal("(x", "at character 1: this \"(\" is never closed");
  check_refusal("x)", "at character 2: there is no \"(\" for this \")\"");
  check_refusal("x +", "at character 4: expected a number, a name or \"(\" but the expression ends here");
  check_refusal("x * / y", "at character 5: expected a number, a name or \"(\" but found \"/\"");
  check_refusal("--x", "at character 2: two signs in a row. Write -(-x)");
  check_refusal("()", "at character 2: expected a number");
  check_refusal("sin", "the function sin needs its arguments in parentheses");
  check_refusal("sin()", "sin takes 1 argument and has 0");
  check_refusal("atan2(x)", "atan2 takes 2 arguments and has 1");
  check_refusal("pow(x, y, 1)", "pow takes 2 arguments and has 3");
  check_refusal("max()", "max takes 1 to 100 arguments and has 0");
  check_refusal("max(x,)", "expected a number, a name or \"(\" before \")\"");
  check_refusal("x < 1 ? 2", "at character 7: this \"?\" has no \":\"");
  check_refusal("x : 2", "there is no \"?\" for this \":\"");
  check_refusal("0 < x < 1", "at character 7: comparisons cannot be chained. Write a < b && b < c");
  check_refusal("!x", "Write \"... == 0\" for not");
  check_refusal("x & y", "expected \"&&\"");
  check_refusal("1e999", "the number 1e999 does not fit a double");
  check_refusal("if(x, 1, 2)", "Write condition ? value : other value");
  check_refusal("\"x\"", "cannot stand in an expression");
  check_refusal("x \xc3\xa9", "the byte 195 cannot stand in an expression");
  check_refusal("", "is empty");
  check_refusal("  ", "is empty");
}

TEST_CASE("length and nesting of an expression are bounded") {
  CHECK(refusal(std::string(90, '(') + "x" + std::string(90, ')')) == "accepted");
  check_refusal(std::string(200, '(') + "x" + std::string(200, ')'), "nested more than 100 deep");
  std::string longest = "x";
  while (longest.size() < 19000) longest += "+x";
  CHECK(refusal(longest) == "accepted");
  CHECK(value(longest) == static_cast<double>(longest.size() + 1));
  check_refusal(longest + longest, "at most 20000 are allowed");
}

TEST_CASE("names that cannot stand in an expression are refused with the reason") {
  CHECK(refusal("1", {"1x"}).find("must begin with a letter") != std::string::npos);
  CHECK(refusal("1", {"flow rate"}).find("contains a character") != std::string::npos);
  CHECK(refusal("gamma * gamma(gamma + 1)", {"gamma"}) == "accepted");  // a name before "(" is the function, else the variable
  CHECK(refusal("1", {"a", "a"}).find("is named twice") != std::string::npos);
  CHECK(refusal("1", {"z"}).find("is named twice") != std::string::npos);
}

TEST_CASE("an expression model gives the same bits from several threads at once") {
  const auto model = expression_model({"x", "y"}, {"a", "b"}, {"sin(x) * exp(y) + x^y", "a > 1 ? log(a) : normcdf(a)"});
  const Eigen::MatrixXd points = Eigen::MatrixXd::Random(2, 2000).array() + 1.5;
  Eigen::MatrixXd expected(2, 2000);
  model->evaluate(points, expected, {});
  CHECK(expected(0, 7) == doctest::Approx(std::sin(points(0, 7)) * std::exp(points(1, 7)) + std::pow(points(0, 7), points(1, 7))).scale(0).epsilon(1e-14));
  std::vector<Eigen::MatrixXd> results(4, Eigen::MatrixXd(2, 2000));
  {
    std::vector<std::jthread> threads;
    for (auto& result : results) {
      threads.emplace_back([&] { model->evaluate(points, result, {}); });
    }
  }
  for (const auto& result : results) CHECK(result == expected);
}

TEST_CASE("quantities are expressions of inputs and outputs of another model") {
  const auto inner = make_model(2, {"sum", "ratio"}, [](const ConstMatrix& x, MutMatrix y) {
    y.row(0) = x.row(0) + x.row(1);
    y.row(1) = x.row(0).cwiseQuotient(x.row(1));
  });
  const auto model = postprocessed_model(inner, {"u", "v"}, {"sum", "P(sum > 2)"}, {"10 * sum", "ratio > 1 && sum > 2 ? u : -v"});
  Eigen::MatrixXd points(2, 3), values(2, 3);
  points << 1, 5, 1, 2, 3, 0;
  const auto failures = model->evaluate(points, values, {});
  CHECK(values(0, 0) == 30);
  CHECK(values(1, 0) == -2);
  CHECK(values(1, 1) == 5);
  REQUIRE(failures.size() == 1);  // ratio = 1/0 would be hidden by its comparison
  CHECK(failures[0].column == 2);
  CHECK(failures[0].message == "output ratio is inf");
  CHECK(std::isnan(values(1, 2)));
  CHECK_THROWS_WITH_AS(postprocessed_model(inner, {"u", "sum"}, {"q"}, {"u"}), doctest::Contains("is named twice"), Error);
}
