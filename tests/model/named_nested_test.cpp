// SPDX-License-Identifier: BSD-3-Clause
// The known values of the named nested problems, by deterministic quadrature through their own functions.
#include <buffon/core/error.hpp>
#include <buffon/model/nested_problem.hpp>
#include <buffon/random/stream.hpp>

#include <doctest/doctest.h>

#include <boost/math/distributions/non_central_t.hpp>
#include <boost/math/distributions/normal.hpp>
#include <boost/math/quadrature/gauss.hpp>
#include <boost/math/quadrature/gauss_kronrod.hpp>

#include <Eigen/Eigenvalues>

#include <statistical.hpp>

#include <algorithm>
#include <cmath>
#include <functional>
#include <iterator>
#include <limits>
#include <numbers>
#include <string>
#include <vector>

using namespace buffon;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

double known_value(const std::string& name) {
  const auto& known = named_nested_problem(name).known;
  REQUIRE(known.size() == 1);
  CHECK(known[0].quantity == "value");
  CHECK_FALSE(known[0].source.empty());
  return known[0].value;
}

/// Nodes and weights of E f(Z), Z standard normal (Golub and Welsch: eigenvalues of the Jacobi matrix of the Hermite polynomials).
struct Rule {
  Eigen::VectorXd nodes, weights;
};
Rule hermite_rule(Index n) {
  const Eigen::VectorXd off = Eigen::VectorXd::LinSpaced(n - 1, 1, static_cast<double>(n - 1)).cwiseSqrt();
  Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver;
  solver.computeFromTridiagonal(Eigen::VectorXd::Zero(n), off);
  return {solver.eigenvalues(), solver.eigenvectors().row(0).transpose().cwiseAbs2()};
}

/// Directions in the normals of a depth that matter, as orthonormal columns, with a rule for each.
struct Directions {
  Eigen::MatrixXd basis;
  std::vector<Rule> rules;
};

/// γ_d(past) of a problem that is smooth in its normals, by a tensor rule at every depth.
double nested_quadrature(const NestedProblem& problem, const std::vector<Directions>& depths, Index d, const Eigen::VectorXd& past) {
  const Directions& directions = depths[static_cast<std::size_t>(d)];
  Eigen::MatrixXd scores(0, 1);
  Eigen::VectorXd weights = Eigen::VectorXd::Ones(1);
  for (const Rule& rule : directions.rules) {
    const Index m = scores.cols(), n = rule.nodes.size();
    Eigen::MatrixXd next(scores.rows() + 1, m * n);
    Eigen::VectorXd products(m * n);
    for (Index i = 0; i < n; ++i) {
      next.middleCols(i * m, m) << scores, Eigen::RowVectorXd::Constant(m, rule.nodes(i));
      products.segment(i * m, m) = weights * rule.weights(i);
    }
    scores = next;
    weights = products;
  }
  const Index count = weights.size();
  Eigen::MatrixXd y(static_cast<Index>(problem.names(d).size()), count);
  problem.sample(d, past.replicate(1, count), directions.basis * scores, y);
  Eigen::MatrixXd path(past.size() + y.rows(), count);
  path << past.replicate(1, count), y;
  Eigen::VectorXd inner = Eigen::VectorXd::Zero(count), out(count);
  if (d < problem.depth()) {
    for (Index i = 0; i < count; ++i) inner(i) = nested_quadrature(problem, depths, d + 1, path.col(i));
  }
  problem.link(d, path, inner, out);
  return weights.dot(out);
}

/// For problems with one normal at every depth.
double by_quadrature(const std::string& name, Index nodes) {
  const auto problem = named_nested_problem(name).make();
  const Directions directions{Eigen::MatrixXd::Identity(1, 1), {hermite_rule(nodes)}};
  return nested_quadrature(*problem, std::vector<Directions>(static_cast<std::size_t>(problem->depth()) + 1, directions), 0, Eigen::VectorXd());
}

/// The residuals of the design depend on one direction of the parameters, and on the noise.
double design_by_quadrature(Index outer, Index inner) {
  const Eigen::Vector2d u = Eigen::Vector2d(1, 2) / std::sqrt(5.0);
  Eigen::MatrixXd basis = Eigen::MatrixXd::Zero(3, 2);
  basis.col(0).head(2) = u;
  basis(2, 1) = 1;
  const Rule rule = hermite_rule(outer);
  return nested_quadrature(*named_nested_problem("linear_design").make(), {{basis, {rule, rule}}, {u, {hermite_rule(inner)}}}, 0, Eigen::VectorXd());
}

/// E[ f(Z); Z > low ] for f smooth between the kinks.
double normal_mean(const std::function<double(double)>& f, double kink = infinity, double low = -10) {
  const auto density = [&](double z) { return f(z) * std::exp(-0.5 * z * z) / std::sqrt(2 * std::numbers::pi); };
  std::vector<double> ends = {-10, -5, 0, 5, 10, low, kink};
  ends.erase(std::remove_if(ends.begin(), ends.end(), [&](double z) { return z < low || z > 10; }), ends.end());
  std::sort(ends.begin(), ends.end());
  double sum = 0;
  for (std::size_t i = 0; i + 1 < ends.size(); ++i) {
    if (ends[i] < ends[i + 1]) sum += boost::math::quadrature::gauss<double, 30>::integrate(density, ends[i], ends[i + 1]);
  }
  return sum;
}

/// Where f changes its sign between low and high; infinity when it does not.
double sign_change(const std::function<double(double)>& f, double low = -10, double high = 10) {
  const bool below = f(low) < 0;
  if ((f(high) < 0) == below) return infinity;
  for (int i = 0; i < 60; ++i) {
    const double middle = 0.5 * (low + high);
    ((f(middle) < 0) == below ? low : high) = middle;
  }
  return low;
}

/// Black–Scholes price of the European put that is left after the last but one date.
double european_put(double spot, double years) {
  const boost::math::normal law;
  const double spread = 0.2 * std::sqrt(years);
  const double d1 = (std::log(spot / 40) + (0.06 + 0.02) * years) / spread;
  return 40 * std::exp(-0.06 * years) * boost::math::cdf(law, spread - d1) - spot * boost::math::cdf(law, -d1);
}

/// γ_d of a Bermudan put, integrated in pieces between its kinks. A link with inner value 0 is the payoff.
/// @param closed use the closed form at the last depth
double stopping_value(const NestedProblem& problem, Index d, const Eigen::VectorXd& past, bool closed) {
  const double step = 1.0 / static_cast<double>(problem.depth() + 1);
  if (d == problem.depth() && closed) return std::exp(-0.06 * step * static_cast<double>(d)) * european_put(past(d - 1), step);
  const auto path_of = [&](double z) {
    Eigen::MatrixXd y(1, 1);
    problem.sample(d, past, Eigen::MatrixXd::Constant(1, 1, z), y);
    Eigen::VectorXd path(d + 1);
    path << past, y(0);
    return path;
  };
  const auto link = [&](const Eigen::VectorXd& path, double inner) {
    Eigen::VectorXd out(1);
    problem.link(d, path, Eigen::VectorXd::Constant(1, inner), out);
    return out(0);
  };
  if (d == problem.depth()) {
    return normal_mean([&](double z) { return link(path_of(z), 0); }, sign_change([&](double z) { return link(path_of(z), 0) > 0 ? 1.0 : -1.0; }));
  }
  const auto gain = [&](double z) {
    const Eigen::VectorXd path = path_of(z);
    return link(path, 0) - stopping_value(problem, d + 1, path, closed);
  };
  return normal_mean(
      [&](double z) {
        const Eigen::VectorXd path = path_of(z);
        return link(path, stopping_value(problem, d + 1, path, closed));
      },
      sign_change(gain));
}

/// Black–Scholes call on a stock of the max-call problem over one of its steps, not discounted.
double forward_call(double spot, double strike) {
  const boost::math::normal law;
  const double spread = 0.2 * std::sqrt(1.5);
  const double forward = spot * std::exp(-0.05 * 1.5);
  const double d1 = std::log(forward / strike) / spread + 0.5 * spread;
  return forward * boost::math::cdf(law, d1) - strike * boost::math::cdf(law, d1 - spread);
}

/// E[(max(A, B) − 100)^+] after one step from a and b: B given A is a call on B with strike max(A, 100).
double forward_max_call(double a, double b) {
  const double spread = 0.2 * std::sqrt(1.5);
  const auto stock = [&](double z) { return a * std::exp(-0.07 * 1.5 + spread * z); };
  return normal_mean([&](double z) { return std::max(stock(z) - 100, 0.0) + forward_call(b, std::max(stock(z), 100.0)); },
                     (std::log(100 / a) + 0.07 * 1.5) / spread);
}

/// γ_0 of the max-call, twice the part where the first stock is the greater: there exercise begins at one smooth boundary.
double max_call_value() {
  const auto problem = named_nested_problem("max_call_1").make();
  const auto later_and_link = [&](double z1, double z2, bool payoff) {
    Eigen::MatrixXd y(2, 1);
    problem->sample(0, Eigen::MatrixXd(0, 1), Eigen::Vector2d(z1, z2), y);
    const double later = std::exp(-0.05 * 3) * forward_max_call(y(0), y(1));
    Eigen::VectorXd out(1);
    problem->link(0, y, Eigen::VectorXd::Constant(1, payoff ? 0 : later), out);
    return std::pair{later, out(0)};
  };
  return 2 * normal_mean([&](double z2) {
           const auto gain = [&](double z1) {
             const auto [later, payoff] = later_and_link(z1, z2, true);
             return payoff - later;
           };
           return normal_mean([&](double z1) { return later_and_link(z1, z2, false).second; }, sign_change(gain, z2, 10), z2);
         });
}

}  // namespace

TEST_CASE("known values of the smooth problems hold by nested Gauss-Hermite quadrature") {
  struct Case {
    const char* name;
    Index nodes;  ///< enough for an error below the tolerance: twice as many change nothing
    double tolerance;
  };
  // Polynomial links are exact; entire functions converge faster than geometrically; the logistic function has poles at distance π.
  for (const Case& c : {Case{"sin_gaussian", 24, 1e-13},
                        {"sigmoid_gaussian", 64, 1e-10},
                        {"cos_of_mean", 24, 1e-13},
                        {"square_of_cos", 32, 1e-13},
                        {"deep_cos", 24, 1e-10},
                        {"quadratic_1", 6, 1e-14},
                        {"quadratic_2", 10, 1e-13},
                        {"quadratic_3", 18, 1e-11}}) {
    CAPTURE(c.name);
    CHECK(std::abs(by_quadrature(c.name, c.nodes) - known_value(c.name)) < c.tolerance);
  }
}

TEST_CASE("the known values of the Bermudan puts hold by quadrature between the exercise boundaries") {
  for (const auto& [name, depth] : {std::pair{"bermudan_put_1", 1}, std::pair{"bermudan_put_2", 2}}) {
    const auto& case_name = name;
    CAPTURE(std::string(case_name));
    const auto problem = named_nested_problem(name).make();
    REQUIRE(problem->depth() == depth);
    CHECK(std::abs(stopping_value(*problem, 0, Eigen::VectorXd(), true) - known_value(name)) < 1e-10);
    // The links of the last depth against the closed form of the European put.
    for (const double spot : {30.0, 40.0, 47.0}) {
      const Eigen::VectorXd past = Eigen::VectorXd::Constant(depth, spot);
      CHECK(std::abs(stopping_value(*problem, depth, past, true) - stopping_value(*problem, depth, past, false)) < 1e-11);
    }
  }
  // More dates are worth more; the European put is worth least.
  CHECK(european_put(36, 1) < known_value("bermudan_put_1"));
  CHECK(known_value("bermudan_put_1") < known_value("bermudan_put_2"));
}

TEST_CASE("the known value of the max-call holds by quadrature between the exercise boundaries") {
  CHECK(std::abs(max_call_value() - known_value("max_call_1")) < 1e-10);
  CHECK(std::abs(forward_max_call(90, 115) - forward_max_call(115, 90)) < 1e-11);
  // The link of the last depth against the same expectation by a rule of 160 × 160 nodes, which does not know its kinks.
  const auto problem = named_nested_problem("max_call_1").make();
  const Rule rule = hermite_rule(160);
  const std::vector<Directions> depths(2, Directions{Eigen::MatrixXd::Identity(2, 2), {rule, rule}});
  CHECK(nested_quadrature(*problem, depths, 1, Eigen::Vector2d(105, 98)) ==
        doctest::Approx(std::exp(-0.15) * forward_max_call(105, 98)).scale(0).epsilon(2e-3));
}

TEST_CASE("the known value of the Bayesian design holds by nested quadrature") {
  // log γ_1 is a quadratic of y, so few outer nodes are exact.
  CHECK(std::abs(design_by_quadrature(6, 120) - known_value("linear_design")) < 1e-12);
  CHECK(std::abs(design_by_quadrature(6, 240) - known_value("linear_design")) < 1e-12);
}

TEST_CASE("the known value of the second experiment holds by quadrature of the noncentral t law, and its draws have this law") {
  const boost::math::non_central_t_distribution<double> law(10, 0.5);
  const auto expectation = [&](auto&& f) {
    const auto integrand = [&](double t) { return f(t) * boost::math::pdf(law, t); };
    double sum = 0;
    const double ends[] = {-40, -10, -4, -1, 0, 1, 2, 4, 10, 40};  // the density falls like t^−11
    for (std::size_t i = 0; i + 1 < std::size(ends); ++i)
      sum += boost::math::quadrature::gauss_kronrod<double, 31>::integrate(integrand, ends[i], ends[i + 1], 5, 1e-12);
    return sum;
  };
  const double mean = expectation([](double y) { return y; });
  const double inner = expectation([&](double y) { return std::sin(y - mean); });
  CHECK(std::abs(expectation([&](double y) { return std::sin(y + inner); }) - known_value("sin_student")) < 1e-10);

  const auto problem = named_nested_problem("sin_student").make();
  const Index n = 20000;
  Eigen::MatrixXd z(problem->normals(1), n), y(1, n);
  Stream(3).child("noncentral t").normals(0, z);
  problem->sample(1, Eigen::MatrixXd::Zero(1, n), z, y);
  const std::vector<double> sample(y.data(), y.data() + n);
  CHECK(testing::ks_p(sample, [&](double t) { return boost::math::cdf(law, t); }) > testing::level);
  const boost::math::non_central_t_distribution<double> wrong(10, 0.55);  // a shift of 7 standard errors of the mean
  CHECK(testing::ks_p(sample, [&](double t) { return boost::math::cdf(wrong, t); }) < testing::level);
  // Its links are those of the first experiment.
  const auto other = named_nested_problem("sin_gaussian").make();
  for (Index d = 0; d <= 2; ++d) {
    const Eigen::MatrixXd path = z.topRows(d + 1).leftCols(50);
    const Eigen::VectorXd values = z.row(10).head(50);
    Eigen::VectorXd g(50), h(50);
    problem->link(d, path, values, g);
    other->link(d, path, values, h);
    CHECK(g == h);
  }
}

TEST_CASE("named nested problems have distinct names, a value, and functions that do not look at other paths") {
  std::vector<std::string> names;
  for (const auto& entry : named_nested_problems()) {
    CAPTURE(entry.name);
    CHECK(std::find(names.begin(), names.end(), entry.name) == names.end());
    names.push_back(entry.name);
    CHECK(std::isfinite(known_value(entry.name)));
    CHECK_FALSE(entry.summary.empty());
    const auto problem = entry.make();
    const Index n = 20;
    Eigen::MatrixXd path(0, n);
    for (Index d = 0; d <= problem->depth(); ++d) {
      Eigen::MatrixXd z(problem->normals(d), n), y(static_cast<Index>(problem->names(d).size()), n);
      Stream(1).child(entry.name).child("depth " + std::to_string(d)).normals(0, z);
      problem->sample(d, path, z, y);
      Eigen::MatrixXd longer(path.rows() + y.rows(), n);
      longer << path, y;
      const Eigen::VectorXd inner = Eigen::VectorXd::LinSpaced(n, 0.1, 2);
      Eigen::VectorXd out(n);
      problem->link(d, longer, inner, out);
      CHECK(out.allFinite());
      for (const Index i : {Index{0}, Index{7}, n - 1}) {
        Eigen::MatrixXd alone(y.rows(), 1);
        Eigen::VectorXd one(1);
        problem->sample(d, path.col(i), z.col(i), alone);
        problem->link(d, longer.col(i), inner.segment(i, 1), one);
        CHECK(alone == y.col(i));
        CHECK(one(0) == out(i));
      }
      path = longer;
    }
  }
  CHECK_THROWS_WITH_AS(named_nested_problem("sin_gausian"), doctest::Contains("did you mean sin_gaussian?"), Error);
}
