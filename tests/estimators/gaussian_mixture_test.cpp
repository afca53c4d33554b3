// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/estimators/gaussian_mixture.hpp>

#include <doctest/doctest.h>

#include <memory_archive.hpp>

#include <cmath>

using namespace buffon;
using namespace buffon::testing;

namespace {

GaussianFit settings(Index dimension, std::int64_t parts = 1) { return {.ridge = 1e-6, .scale = Eigen::VectorXd::Ones(dimension), .parts = parts}; }

// 4000 points: 30 % of N(−3, 1), 70 % of N(2, 0.25).
Eigen::MatrixXd two_groups() {
  Eigen::MatrixXd x(1, 4000), u(1, 4000);
  Stream(3).peek("x").normals(0, x);
  Stream(3).peek("u").uniforms(0, u);
  for (Index i = 0; i < x.cols(); ++i) x(0, i) = u(0, i) < 0.3 ? x(0, i) - 3 : 0.5 * x(0, i) + 2;
  return x;
}

double mean_log_density(const GaussianMixture& mixture, const Eigen::MatrixXd& x) {
  Eigen::VectorXd density(x.cols());
  mixture.log_density(x, density);
  return density.mean();
}

}  // namespace

TEST_CASE("one Gaussian has the weighted moments, the ridge added") {
  Eigen::MatrixXd x(2, 4);
  x << 0, 2, 4, 100, 1, 1, 5, -100;
  const Eigen::Vector4d weights(1, 2, 1, 0);  // mean (2, 2); the last point does not count
  const GaussianMixture fit = fit_gaussian_mixture(x, weights, settings(2), Stream(1));
  REQUIRE(fit.parts.size() == 1);
  CHECK(fit.probabilities[0] == 1);
  CHECK((fit.parts[0].mean() - Eigen::Vector2d(2, 2)).norm() < 1e-14);
  // Σω(x−μ)(x−μ)ᵀ/4: variances (4 + 0 + 4)/4 = 2 and (1 + 2 + 9)/4 = 3, covariance (2 + 0 + 6)/4 = 2.
  Eigen::Matrix2d exact;
  exact << 2 + 1e-6, 2, 2, 3 + 1e-6;
  CHECK((fit.parts[0].covariance() - exact).norm() < 1e-12);
  // Without weights the variances would be others.
  CHECK((fit_gaussian_mixture(x, Eigen::Vector4d::Ones(), settings(2), Stream(1)).parts[0].covariance() - exact).norm() > 1);
  // Any unit of the weights.
  CHECK((fit_gaussian_mixture(x, 1e-300 * weights, settings(2), Stream(1)).parts[0].covariance() - exact).norm() < 1e-12);

  GaussianFit diagonal = settings(2);
  diagonal.diagonal = true;
  CHECK((fit_gaussian_mixture(x, weights, diagonal, Stream(1)).parts[0].covariance() - Eigen::Matrix2d(exact.diagonal().asDiagonal())).norm() < 1e-12);
}

TEST_CASE("the density of a mixture is that of its parts, and integrates to one") {
  GaussianMixture mixture;
  mixture.probabilities = {0.25, 0.75};
  mixture.parts = {Gaussian::from_covariance(Eigen::VectorXd::Constant(1, -1), Eigen::MatrixXd::Constant(1, 1, 4)),
                   Gaussian::from_covariance(Eigen::VectorXd::Constant(1, 2), Eigen::MatrixXd::Constant(1, 1, 0.25))};
  const Eigen::MatrixXd x = Eigen::RowVectorXd::LinSpaced(20001, -20, 20);
  Eigen::VectorXd log_density(x.cols());
  mixture.log_density(x, log_density);
  // Trapezoids of a smooth function that vanishes at both ends: exact to rounding.
  CHECK(log_density.array().exp().sum() * 0.002 == doctest::Approx(1).scale(0).epsilon(1e-12));
  const double at_zero = 0.25 * std::exp(-0.125) / (2 * std::sqrt(2 * std::acos(-1.0))) + 0.75 * std::exp(-8.0) / (0.5 * std::sqrt(2 * std::acos(-1.0)));
  CHECK(std::exp(log_density(10000)) == doctest::Approx(at_zero).scale(0).epsilon(1e-12));
}

TEST_CASE("expectation maximisation finds two groups, and one Gaussian does not") {
  const Eigen::MatrixXd x = two_groups();
  const Eigen::VectorXd weights = Eigen::VectorXd::Ones(x.cols());
  GaussianMixture fit = fit_gaussian_mixture(x, weights, settings(1, 2), Stream(5));
  REQUIRE(fit.parts.size() == 2);
  const std::size_t left = fit.parts[0].mean()(0) < fit.parts[1].mean()(0) ? 0 : 1, right = 1 - left;
  // Five standard errors: √(0.3 · 0.7 / 4000) of the share, 1/√1200 and 0.5/√2800 of the means, √2 as much of the variances; the
  // groups are 5 and 10 of their standard deviations apart.
  CHECK(std::abs(fit.probabilities[left] - 0.3) < 0.037);
  CHECK(std::abs(fit.parts[left].mean()(0) + 3) < 0.15);
  CHECK(std::abs(fit.parts[right].mean()(0) - 2) < 0.048);
  CHECK(std::abs(fit.parts[left].covariance()(0, 0) - 1) < 0.21);
  CHECK(std::abs(fit.parts[right].covariance()(0, 0) - 0.25) < 0.034);
  CHECK(mean_log_density(fit, x) > mean_log_density(fit_gaussian_mixture(x, weights, settings(1), Stream(5)), x) + 0.3);
  // Weights that see the left group alone leave no second group.
  const Eigen::VectorXd one_sided = (x.row(0).transpose().array() < -0.5).cast<double>();
  for (const Gaussian& part : fit_gaussian_mixture(x, one_sided, settings(1, 2), Stream(5)).parts) CHECK(part.mean()(0) < -0.5);
}

TEST_CASE("fewer points than two for every part give one Gaussian, coinciding points a Gaussian of the ridge") {
  Eigen::MatrixXd x(1, 3);
  x << 0, 1, 5;
  CHECK(fit_gaussian_mixture(x, Eigen::Vector3d::Ones(), settings(1, 2), Stream(1)).parts.size() == 1);
  const GaussianMixture point = fit_gaussian_mixture(Eigen::MatrixXd::Constant(1, 10, 7), Eigen::VectorXd::Ones(10), settings(1, 2), Stream(1));
  REQUIRE(point.parts.size() == 1);
  CHECK(point.parts[0].mean()(0) == doctest::Approx(7).scale(0).epsilon(1e-14));  // ten weights of a tenth
  CHECK(point.parts[0].covariance()(0, 0) == doctest::Approx(1e-6));
}

TEST_CASE("a fit depends on its stream alone, and is saved with all bits") {
  const Eigen::MatrixXd x = two_groups();
  const Eigen::VectorXd weights = x.row(0).transpose().array().square();
  GaussianMixture one = fit_gaussian_mixture(x, weights, settings(1, 3), Stream(5)), same = fit_gaussian_mixture(x, weights, settings(1, 3), Stream(5)), loaded;
  CHECK(state_of(one) == state_of(same));
  restore(loaded, state_of(one));
  CHECK(state_of(loaded) == state_of(one));
  CHECK(mean_log_density(loaded, x) == mean_log_density(one, x));
}
