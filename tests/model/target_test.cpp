// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/core/error.hpp>
#include <buffon/model/model_kind.hpp>
#include <buffon/model/target.hpp>
#include <buffon/random/stream.hpp>

#include <doctest/doctest.h>

#include <Eigen/LU>

#include <cmath>
#include <limits>
#include <numbers>
#include <string>
#include <vector>

using namespace buffon;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

std::shared_ptr<const LogDensity> flat(Index dimension) {
  return make_log_density(dimension, [](const Eigen::VectorXd&) { return 0.0; });
}

Parameter lower(double bound, Index size = 0) { return {.name = "x", .size = size, .constraint = Constraint::lower, .lower = bound}; }
Parameter upper(double bound, Index size = 0) { return {.name = "x", .size = size, .constraint = Constraint::upper, .upper = bound}; }
Parameter interval(double a, double b, Index size = 0) { return {.name = "x", .size = size, .constraint = Constraint::interval, .lower = a, .upper = b}; }
Parameter vector_of(Constraint constraint, Index size) { return {.name = "x", .size = size, .constraint = constraint}; }

/// Every constraint that has a transform, alone.
std::vector<Parameter> transformed() {
  return {lower(0),
          lower(-3.5, 3),
          upper(2, 2),
          interval(0, 1),
          interval(-2, 7, 4),
          vector_of(Constraint::simplex, 2),
          vector_of(Constraint::simplex, 5),
          vector_of(Constraint::ordered, 1),
          vector_of(Constraint::ordered, 4),
          vector_of(Constraint::positive_ordered, 1),
          vector_of(Constraint::positive_ordered, 4)};
}

Eigen::VectorXd constrained(const Target& target, const Eigen::VectorXd& y) {
  Eigen::VectorXd x(target.size());
  target.constrain(y, x);
  return x;
}

double log_density(const Target& target, const Eigen::VectorXd& y) { return target.unconstrained()->at(y, {}); }

/// Whether the components of the only parameter lie strictly inside.
bool inside(const Target& target, const Eigen::VectorXd& x) {
  const Parameter& p = target.parameters().front();
  if (!x.allFinite()) return false;
  bool holds = true;
  for (Index k = 0; k < x.size(); ++k) {
    switch (p.constraint) {
      case Constraint::simplex:
        holds = holds && x(k) > 0 && x(k) < 1;
        break;
      case Constraint::ordered:
      case Constraint::positive_ordered:
        holds = holds && (k == 0 ? p.constraint == Constraint::ordered || x(0) > 0 : x(k) > x(k - 1));
        break;
      default:
        holds = holds && x(k) > p.lower && x(k) < p.upper;
    }
  }
  return holds;
}

/// ∫ exp(value(y)) dy over (−range, range)^n, n ≤ 2, by the trapezoidal rule: errors fall faster than any power of the step for
/// smooth integrands that vanish at both ends.
template <class Value>
double integral(Index n, double range, Index steps, Value&& value) {
  const double h = 2 * range / static_cast<double>(steps);
  double sum = 0;
  Eigen::VectorXd y(n);
  const Index second = n == 2 ? steps : 0;
  for (Index i = 0; i <= steps; ++i) {
    for (Index j = 0; j <= second; ++j) {
      y(0) = -range + h * static_cast<double>(i);
      if (n == 2) y(1) = -range + h * static_cast<double>(j);
      sum += std::exp(value(y));
    }
  }
  return sum * std::pow(h, n);
}

struct Law {
  Parameter parameter;
  std::function<double(const Eigen::VectorXd&)> log_p;
  double range;
};

/// Densities with integral 1 over the constrained set.
std::vector<Law> laws() {
  const double log_root = 0.5 * std::log(2 * std::numbers::pi);
  return {
      {lower(1), [](const Eigen::VectorXd& x) { return 2 * std::log(x(0) - 1) - std::log(2.0) - (x(0) - 1); }, 40},  // 1 + gamma(3)
      {upper(-1), [](const Eigen::VectorXd& x) { return x(0) + 1; }, 40},                                            // −1 − exponential
      {interval(2, 5), [](const Eigen::VectorXd&) { return -std::log(3.0); }, 40},                                   // uniform
      {interval(0, 1), [](const Eigen::VectorXd& x) { return std::log(12 * x(0) * std::pow(1 - x(0), 2)); }, 40},    // beta(2, 3)
      {vector_of(Constraint::simplex, 3), [](const Eigen::VectorXd&) { return std::log(2.0); }, 40},                 // uniform
      {vector_of(Constraint::simplex, 3),                                                                            // Dirichlet(2, 3, 4)
       [](const Eigen::VectorXd& x) { return std::log(3360 * x(0) * std::pow(x(1), 2) * std::pow(x(2), 3)); }, 40},
      {vector_of(Constraint::ordered, 2), [=](const Eigen::VectorXd& x) { return std::log(2.0) - 0.5 * x.squaredNorm() - 2 * log_root; }, 40},
      {vector_of(Constraint::positive_ordered, 2), [](const Eigen::VectorXd& x) { return std::log(2.0) - x.sum(); }, 40},
  };
}

std::string refusal(std::vector<Parameter> parameters, Index dimension, StartPolicy start = {}, std::shared_ptr<const Model> generated = nullptr) {
  try {
    Target(flat(dimension), std::move(parameters), std::move(start), std::move(generated));
  } catch (const Error& error) {
    CHECK(error.category() == ErrorCategory::configuration);
    return error.what();
  }
  return "accepted";
}

#define CHECK_SAYS(message, part)                \
  do {                                           \
    const std::string said = (message);          \
    CAPTURE(said);                               \
    CHECK(said.find(part) != std::string::npos); \
  } while (false)

}  // namespace

TEST_CASE("points come back from the unconstrained scale and lie inside") {
  for (const auto& parameter : transformed()) {
    const Target target(flat(parameter.count()), {parameter});
    CAPTURE(static_cast<int>(parameter.constraint));
    CHECK(target.dimension() == parameter.count() - (parameter.constraint == Constraint::simplex));
    Eigen::MatrixXd ys(target.dimension(), 200);
    Stream(3).normals(0, ys);
    for (Index i = 0; i < ys.cols(); ++i) {
      const Eigen::VectorXd y = 2 * ys.col(i), x = constrained(target, y);
      REQUIRE(inside(target, x));
      if (parameter.constraint == Constraint::simplex) CHECK(x.sum() == doctest::Approx(1).scale(0).epsilon(1e-15));
      Eigen::VectorXd back(target.dimension());
      target.unconstrain(x, back);
      // |y| ≤ 10: x keeps at least 16 − 10 / log 10 − 1 digits relative to its distance from the bound.
      CHECK((back - y).cwiseAbs().maxCoeff() < 1e-9);
    }
  }
}

TEST_CASE("zero on the unconstrained scale is the centre of a simplex") {
  for (const Index size : {2, 3, 10}) {
    const Target target(flat(size), {vector_of(Constraint::simplex, size)});
    const Eigen::VectorXd x = constrained(target, Eigen::VectorXd::Zero(size - 1));
    CHECK((x.array() - 1 / static_cast<double>(size)).abs().maxCoeff() < 1e-15);
  }
}

TEST_CASE("the log Jacobian is that of numeric differentiation") {
  for (const auto& parameter : transformed()) {
    const Target target(flat(parameter.count()), {parameter});
    CAPTURE(static_cast<int>(parameter.constraint));
    const Index n = target.dimension();
    Eigen::MatrixXd ys(n, 20);
    Stream(4).normals(0, ys);
    for (Index i = 0; i < ys.cols(); ++i) {
      const Eigen::VectorXd y = ys.col(i);
      Eigen::MatrixXd jacobian(n, n);
      const double h = 1e-5;
      for (Index k = 0; k < n; ++k) {
        Eigen::VectorXd before = y, after = y;
        before(k) -= h;
        after(k) += h;
        jacobian.col(k) = (constrained(target, after) - constrained(target, before)).head(n) / (2 * h);
      }
      // Central differences: truncation h² and rounding ε / h, both about 1e-10 relative to the entries, times n.
      CHECK(log_density(target, y) == doctest::Approx(std::log(std::abs(jacobian.determinant()))).scale(1).epsilon(1e-7));
    }
  }
}

TEST_CASE("densities keep their integral on the unconstrained scale, and lose it without the Jacobian") {
  for (const auto& law : laws()) {
    CAPTURE(static_cast<int>(law.parameter.constraint));
    const Target target(make_log_density(law.parameter.count(), law.log_p), {law.parameter});
    const Index n = target.dimension(), steps = n == 1 ? 2000 : 640;
    const auto right = [&](const Eigen::VectorXd& y) { return log_density(target, y); };
    const auto without = [&](const Eigen::VectorXd& y) { return law.log_p(constrained(target, y)); };
    CHECK(std::abs(integral(n, law.range, steps, right) - 1) < 1e-9);
    CHECK(std::abs(integral(n, law.range, steps, without) - 1) > 0.1);
  }
}

TEST_CASE("far out nothing overflows and no bound is reached") {
  for (const auto& parameter : transformed()) {
    const Target target(flat(parameter.count()), {parameter});
    CAPTURE(static_cast<int>(parameter.constraint));
    const Index n = target.dimension();
    for (const double size : {30.0, 40.0, 300.0, 700.0}) {
      for (Index pattern = 0; pattern < 8; ++pattern) {
        Eigen::VectorXd y(n);
        for (Index k = 0; k < n; ++k) y(k) = ((pattern >> (k % 3)) & 1) != 0 ? size : -size;
        CHECK(inside(target, constrained(target, y)));
        CHECK(std::isfinite(log_density(target, y)));
      }
    }
    for (const double size : {1e3, 1e6, 1e300}) {
      for (const double sign : {-1.0, 1.0}) {
        const Eigen::VectorXd y = Eigen::VectorXd::Constant(n, sign * size);
        const double value = log_density(target, y);
        CHECK_FALSE(std::isnan(value));
        CHECK(value < (parameter.constraint == Constraint::ordered ? infinity : 0));
        if (size < 1e300) CHECK(inside(target, constrained(target, y)));
      }
    }
    for (const double y : {infinity, -infinity, std::numeric_limits<double>::quiet_NaN()}) {
      CHECK(log_density(target, Eigen::VectorXd::Constant(n, y)) == -infinity);
    }
  }
}

TEST_CASE("batches, points and planes give the same bits, and the density is asked inside only") {
  const auto density = make_log_density(7, [](const Eigen::VectorXd& x) {
    CHECK(x.allFinite());
    return x(0) > 0.3 ? -infinity : -x.squaredNorm();
  });
  const Target target(density, {{.name = "a"},
                                {.name = "s", .constraint = Constraint::lower, .lower = 0},
                                {.name = "p", .size = 3, .constraint = Constraint::simplex},
                                {.name = "o", .size = 2, .constraint = Constraint::ordered}});
  REQUIRE(target.dimension() == 6);
  CHECK(target.constrained());
  Eigen::MatrixXd y(6, 40);
  Stream(5).normals(0, y);
  y(1, 3) = 1000;
  y(2, 5) = infinity;
  Eigen::VectorXd batch(40);
  target.unconstrained()->evaluate(y, batch, {});
  const auto probe = target.unconstrained()->probe();
  int outside = 0;
  for (Index i = 0; i < 40; ++i) {
    CHECK(batch(i) == log_density(target, y.col(i)));
    probe->set_centre(Eigen::VectorXd::Zero(6));
    probe->set_first(y.col(i));
    if (i != 5) CHECK(batch(i) == probe->at(1, 0, {}));
    outside += batch(i) == -infinity;
  }
  CHECK(batch(3) == -infinity);
  CHECK(batch(5) == -infinity);
  CHECK(outside > 2);
  CHECK(outside < 40);
}

TEST_CASE("without constraints the density is itself") {
  const auto density = flat(3);
  const Target target(density);
  CHECK(target.unconstrained() == density);
  CHECK_FALSE(target.constrained());
  CHECK(target.names() == std::vector<std::string>{"x.1", "x.2", "x.3"});
  CHECK_FALSE(target.on_sphere());
  const Target sphere(density, {vector_of(Constraint::unit_vector, 3)});
  CHECK(sphere.on_sphere());
  CHECK(sphere.unconstrained() == density);
  Eigen::VectorXd y(3);
  sphere.unconstrain(Eigen::Vector3d(0.6, 0, 0.8), y);
  CHECK(y.norm() == doctest::Approx(1).scale(0).epsilon(1e-15));
  CHECK_THROWS_AS(sphere.unconstrain(Eigen::Vector3d(0.6, 0, 0.9), y), Error);
}

TEST_CASE("draws are stored as components and generated quantities") {
  const auto generated = make_model(3, {"ratio", "z.1", "z.2", "q.2"}, [](const ConstMatrix& x, MutMatrix out) {
    out.row(0) = x.row(2).cwiseQuotient(x.row(1));
    out.row(1) = x.row(0);
    out.row(2) = 2 * x.row(0);
    out.row(3).setZero();
  });
  const Target target(flat(3), {{.name = "mu"}, {.name = "s", .size = 2, .constraint = Constraint::positive_ordered}}, {}, generated);
  CHECK(target.names() == std::vector<std::string>{"mu", "s.1", "s.2", "ratio", "z.1", "z.2", "q.2"});
  const auto variables = target.variables();
  REQUIRE(variables.size() == 5);
  CHECK((variables[0].name == "mu" && variables[0].size == 0));
  CHECK((variables[1].name == "s" && variables[1].size == 2));
  CHECK((variables[2].name == "ratio" && variables[2].size == 0));
  CHECK((variables[3].name == "z" && variables[3].size == 2));
  CHECK((variables[4].name == "q.2" && variables[4].size == 0));
  Eigen::VectorXd out(7);
  target.stored(Eigen::Vector3d(0.5, 0, 0), out, {});
  CHECK(out == (Eigen::VectorXd(7) << 0.5, 1, 2, 2, 0.5, 1, 0).finished());
}

TEST_CASE("parameters that do not fit are refused with their place and a remedy") {
  CHECK_SAYS(refusal({}, 1), "parameters = none must be at least one");
  CHECK_SAYS(refusal({{.name = "2x"}}, 1), "parameters[0].name = \"2x\" must consist of letters");
  CHECK_SAYS(refusal({{.name = "lp__"}}, 1), "no __ at the end");
  CHECK_SAYS(refusal({{.name = "x", .size = -1}}, 1), "parameters[0].size = -1");
  CHECK_SAYS(refusal({{.name = "x"}, {.name = "x"}}, 2), "must not be that of another");
  CHECK_SAYS(refusal({{.name = "x", .size = 2}}, 3), "2 components in all must be the 3 that the density takes");
  CHECK_SAYS(refusal({{.name = "x"}, {.name = "p", .size = 1, .constraint = Constraint::simplex}}, 2), "parameters[1].size = 1 must be at least 2");
  CHECK_SAYS(refusal({{.name = "x", .constraint = Constraint::ordered}}, 1), "must be at least 1 under the constraint ordered");
  CHECK_SAYS(refusal({{.name = "x"}, {.name = "u", .size = 2, .constraint = Constraint::unit_vector}}, 3), "must be that of the only parameter");
  CHECK_SAYS(refusal({{.name = "x", .constraint = Constraint::lower}}, 1), "parameters[0].lower = -inf must be a finite number");
  CHECK_SAYS(refusal({{.name = "x", .lower = 0}}, 1), "say constraint = \"lower\"");
  CHECK_SAYS(refusal({{.name = "x", .constraint = Constraint::lower, .lower = 0, .upper = 1}}, 1), "say constraint = \"interval\"");
  CHECK_SAYS(refusal({interval(1, 1)}, 1), "must be greater than lower = 1");
  CHECK_SAYS(refusal({interval(2, 1)}, 1), "must be greater than lower = 2");
  CHECK_SAYS(refusal({interval(-1.7e308, 1.7e308)}, 1), "at a distance that a double holds");
  CHECK_SAYS(refusal({interval(0, 1)}, 1), "accepted");
}

TEST_CASE("starts and quantities that do not fit are refused") {
  const std::vector<Parameter> parameters = {{.name = "mu"}, {.name = "p", .size = 2, .constraint = Constraint::simplex}};
  const auto given = [](std::vector<Eigen::VectorXd> points) { return StartPolicy{.kind = StartPolicy::Kind::given, .points = std::move(points)}; };
  CHECK_SAYS(refusal(parameters, 3, given({})), "start.points = none");
  CHECK_SAYS(refusal(parameters, 3, given({Eigen::Vector3d(1, 0.5, 0.5), Eigen::Vector2d(1, 0.5)})), "start.points[1] = 2 numbers");
  CHECK_SAYS(refusal(parameters, 3, given({Eigen::Vector3d(1, -0.5, 1.5)})), "start.points[0] = a point with p.1 = -0.5 lies outside: p.1 must be positive");
  CHECK_SAYS(refusal(parameters, 3, given({Eigen::Vector3d(1, 0.5, 0.6)})), "a point with the sum of p = 1.1 lies outside: the sum of p must be 1");
  CHECK_SAYS(refusal(parameters, 3, given({Eigen::Vector3d(infinity, 0.5, 0.5)})), "mu must be finite");
  CHECK_SAYS(refusal(parameters, 3, given({Eigen::Vector3d(1, 0.25, 0.75)})), "accepted");
  CHECK_SAYS(refusal(parameters, 3, {.radius = 0}), "start.radius = 0");
  CHECK_SAYS(refusal(parameters, 3, {.retries = -1}), "start.retries = -1");
  CHECK_SAYS(refusal(parameters, 3, {.kind = StartPolicy::Kind::law}), "start.laws = 0 laws must be one for each of the 3 components");
  const auto named = [](std::string name, Index inputs = 3) {
    return make_model(inputs, {std::move(name)}, [](const ConstMatrix&, MutMatrix out) { out.setZero(); });
  };
  CHECK_SAYS(refusal(parameters, 3, {}, named("q", 2)), "must be functions of the 3 components");
  CHECK_SAYS(refusal(parameters, 3, {}, named("p")), "must not be that of another parameter");
  CHECK_SAYS(refusal(parameters, 3, {}, named("p.1")), "must not be that of another parameter");
  CHECK_SAYS(refusal(parameters, 3, {}, named("a b")), "must consist of letters");
  CHECK_SAYS(refusal(parameters, 3, {}, named("q")), "accepted");
}
