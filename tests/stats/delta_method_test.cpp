// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/core/error.hpp>
#include <buffon/random/stream.hpp>
#include <buffon/stats/accumulators.hpp>
#include <buffon/stats/delta_method.hpp>

#include <doctest/doctest.h>

#include <cmath>

using namespace buffon;

namespace {

double ratio(const Eigen::VectorXd& x) { return x[0] / x[1]; }
double log_first(const Eigen::VectorXd& x) { return std::log(x[0]); }

// Central differences with steps ε^{1/3} x: relative error about ε^{2/3} = 4e-11 for functions that vary on the scale of x.
constexpr double tolerance = 1e-9;

}  // namespace

TEST_CASE("the delta method gives the closed forms of a ratio and a logarithm") {
  Eigen::Matrix2d s;
  s << 0.04, -0.01, -0.01, 0.09;
  const Eigen::Vector2d x(3, 5);
  const double r = 3.0 / 5, relative = 0.04 / 9 + 0.09 / 25 + 2 * 0.01 / 15;
  const Estimate e = delta_method(ratio, x, s);
  CHECK(e.value == r);
  CHECK(e.std_error == doctest::Approx(r * std::sqrt(relative)).scale(0).epsilon(tolerance));
  CHECK(e.upper == doctest::Approx(r + 1.959963984540054 * r * std::sqrt(relative)).scale(0).epsilon(tolerance));
  CHECK(delta_method(log_first, x, s, 0.5).std_error == doctest::Approx(0.2 / 3).scale(0).epsilon(tolerance));
  CHECK(delta_method(r, Eigen::Vector2d(1.0 / 5, -3.0 / 25), s).std_error == doctest::Approx(r * std::sqrt(relative)).scale(0).epsilon(1e-14));
  // Dropping the covariance gives another number.
  const Eigen::Matrix2d independent = Eigen::Vector2d(0.04, 0.09).asDiagonal();
  CHECK(delta_method(ratio, x, independent).std_error != doctest::Approx(e.std_error).scale(0).epsilon(1e-3));
}

TEST_CASE("units do not matter: estimates of size 1e60 and 1e-60 give the same relative error") {
  Eigen::Matrix2d s;
  s << 0.04, -0.01, -0.01, 0.09;
  const Eigen::Vector2d x(3, 5);
  const double reference = delta_method(ratio, x, s).relative_error();
  for (const double a : {1e-150, 1e-60, 1e60, 1e150}) {
    for (const double b : {1e-60, 1.0, 1e60}) {
      const Eigen::Vector2d unit(a, b);
      const Eigen::Matrix2d scaled = unit.asDiagonal() * s * unit.asDiagonal();
      CHECK(delta_method(ratio, x.cwiseProduct(unit), scaled).relative_error() == doctest::Approx(reference).scale(0).epsilon(tolerance));
    }
  }
}

TEST_CASE("several functions come with their covariance") {
  Eigen::Matrix2d s;
  s << 0.04, -0.01, -0.01, 0.09;
  const Eigen::Vector2d x(3, 5);
  const auto result = delta_method_vector([](const Eigen::VectorXd& v) { return Eigen::Vector3d(v[0] / v[1], v[0] * v[1], v[0] - 2 * v[1]); }, x, s);
  Eigen::Matrix<double, 3, 2> d;
  d << 1.0 / 5, -3.0 / 25, 5, 3, 1, -2;
  CHECK((result.jacobian - d).cwiseAbs().maxCoeff() <= tolerance);
  CHECK((result.covariance - d * s * d.transpose()).cwiseAbs().maxCoeff() <= tolerance);
  CHECK(result.estimate(0).std_error == doctest::Approx(delta_method(ratio, x, s).std_error));
}

TEST_CASE("the border of the domain, constants and undefined values are handled without exceptions") {
  const Eigen::Matrix2d unit = Eigen::Matrix2d::Identity();
  // A logarithm at a value far below its error: the step shrinks to the scale of the value.
  const Eigen::Vector2d tiny(1e-9, 1);
  CHECK(delta_method(log_first, tiny, unit).std_error == doctest::Approx(1e9).scale(0).epsilon(1e-6));
  // A one-sided derivative at the border: x^{3/2} at 0 has slope 0, met by the quotient √h.
  const Estimate border = delta_method([](const Eigen::VectorXd& x) { return std::pow(x[0], 1.5); }, Eigen::Vector2d(0, 1), unit);
  CHECK(border.std_error >= 0);
  CHECK(border.std_error < 0.01);
  // Variance 0: a constant, even where g has no derivative; NaN elsewhere in Σ must not leak into g's value.
  Eigen::Matrix2d one = Eigen::Matrix2d::Zero();
  one(1, 1) = 4;
  CHECK(delta_method([](const Eigen::VectorXd& x) { return std::abs(x[0]) + x[1]; }, Eigen::Vector2d(0, 1), one).std_error == doctest::Approx(2));
  Eigen::Matrix2d unknown = Eigen::Matrix2d::Constant(std::nan(""));
  unknown(0, 0) = 9;
  CHECK(delta_method([](const Eigen::VectorXd& x) { return 2 * x[0]; }, Eigen::Vector2d(1, 1), unknown).std_error == doctest::Approx(6));
  const Estimate lost = delta_method([](const Eigen::VectorXd& x) { return x[0] + x[1]; }, Eigen::Vector2d(1, 1), unknown);
  CHECK(lost.value == 2);
  CHECK(std::isnan(lost.std_error));
  const Estimate undefined = delta_method(log_first, Eigen::Vector2d(-1, 1), unit);
  CHECK(std::isnan(undefined.value));
  CHECK(std::isnan(undefined.upper));
  const auto both = delta_method_vector([](const Eigen::VectorXd& x) { return Eigen::Vector2d(std::log(-x[0]), x[1]); }, Eigen::Vector2d(1, 1), unit);
  CHECK(std::isnan(both.estimate(0).std_error));
  CHECK(both.estimate(1).std_error == doctest::Approx(1));
  CHECK_THROWS_AS(delta_method(ratio, Eigen::Vector2d(1, 1), Eigen::Matrix3d::Identity()), Error);
}

TEST_CASE("intervals of a ratio of correlated means cover at 95 %, those that ignore the correlation do not") {
  // 4000 intervals from n = 400 pairs; at level 1e-6 the binomial band is ± 4.9 √(0.95·0.05/4000) = ± 0.017, and the
  // curvature of the ratio moves the coverage by less than 0.003.
  const int repeats = 4000;
  const Index n = 400;
  int right = 0, wrong = 0;
  Eigen::MatrixXd z(2, n);
  for (int r = 0; r < repeats; ++r) {
    Stream(77).normals(static_cast<std::uint64_t>(r) * n, z);
    Eigen::MatrixXd x(2, n);
    x.row(0) = 3 + z.row(0).array();
    x.row(1) = 5 + 0.9 * z.row(0).array() + std::sqrt(0.19) * z.row(1).array();
    CovarianceAccumulator sums;
    sums.add(x);
    const Eigen::MatrixXd s = sums.mean_covariance(), diagonal = s.diagonal().asDiagonal();
    const Estimate a = delta_method(ratio, sums.mean(), s), b = delta_method(ratio, sums.mean(), diagonal);
    right += a.lower <= 0.6 && 0.6 <= a.upper;
    wrong += b.lower <= 0.6 && 0.6 <= b.upper;
  }
  CHECK(std::abs(right / 4000.0 - 0.95) <= 0.02);
  CHECK_FALSE(std::abs(wrong / 4000.0 - 0.95) <= 0.02);
}
