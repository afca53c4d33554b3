// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/core/constants.hpp>
#include <buffon/core/error.hpp>
#include <buffon/stats/delta_method.hpp>
#include <buffon/stats/intervals.hpp>

#include <algorithm>
#include <cmath>
#include <string>

namespace buffon {
namespace {

using constants::nan;

void check_sizes(Index values, const ConstMatrix& covariance) {
  if (covariance.rows() == values && covariance.cols() == values) return;
  throw Error(ErrorCategory::usage, {.doing = "propagating errors to a function of estimates",
                                     .key = "covariance",
                                     .value = std::to_string(covariance.rows()) + " × " + std::to_string(covariance.cols()),
                                     .rule = "must be square with one row per estimate, " + std::to_string(values)});
}

// Standard deviations; NaN for a negative or NaN variance.
Eigen::VectorXd deviations(const ConstMatrix& covariance) { return covariance.diagonal().cwiseSqrt(); }

// aᵀ Σ b over terms that matter: with u = a σ, v = b σ and correlations ρ no intermediate overflows.
double bilinear(const ConstVector& a, const ConstVector& b, const Eigen::VectorXd& sigma, const ConstMatrix& covariance) {
  double sum = 0, largest_a = 0, largest_b = 0;
  const Index n = sigma.size();
  const auto share = [&](const ConstVector& x, Index i) { return x[i] == 0 || sigma[i] == 0 ? 0.0 : x[i] * sigma[i]; };
  for (Index i = 0; i < n; ++i) {
    const double u = std::abs(share(a, i)), v = std::abs(share(b, i));
    if (std::isnan(u) || std::isnan(v)) return nan;
    largest_a = std::max(largest_a, u);
    largest_b = std::max(largest_b, v);
  }
  if (largest_a == 0 || largest_b == 0) return 0;
  for (Index i = 0; i < n; ++i) {
    const double u = share(a, i) / largest_a;
    if (u == 0) continue;
    for (Index j = 0; j < n; ++j) {
      const double v = share(b, j) / largest_b;
      if (v != 0) sum += u * v * (i == j ? 1.0 : covariance(i, j) / sigma[i] / sigma[j]);
    }
  }
  return sum * largest_a * largest_b;
}

double std_error(const ConstVector& gradient, const Eigen::VectorXd& sigma, const ConstMatrix& covariance) {
  // Scaled before the square root, so that a standard error of 1e-200 survives.
  double largest = 0;
  for (Index i = 0; i < sigma.size(); ++i) {
    if (gradient[i] != 0 && sigma[i] != 0) {
      const double u = std::abs(gradient[i] * sigma[i]);
      if (!std::isfinite(u)) return nan;
      largest = std::max(largest, u);
    }
  }
  if (largest == 0) return 0;
  const double square = bilinear(gradient / largest, gradient / largest, sigma, covariance);
  return largest * std::sqrt(square < 0 ? 0 : square);
}

Estimate with_interval(double value, double error, double level) {
  const Interval interval = normal_interval(value, error, level);
  return {.value = value, .std_error = error, .lower = interval.lower, .upper = interval.upper, .level = level};
}

// The derivative along component j: a central difference with the wide step, else with the narrow one, else one-sided.
double derivative(const ScalarFunction& g, const Eigen::VectorXd& at, double value, Index j, double sigma) {
  const double cube_root = 6.055454452393343e-6;  // ε^{1/3}
  const double x = at[j], wide = cube_root * std::max(std::abs(x), sigma), narrow = cube_root * std::abs(x);
  Eigen::VectorXd moved = at;
  const auto evaluate = [&](double y) {
    moved[j] = y;
    return g(moved);
  };
  double one_sided = nan;
  for (const double h : {wide, narrow}) {
    if (h == 0) break;
    const double up = x + h, down = x - h, above = evaluate(up), below = evaluate(down);
    const double central = (above - below) / (up - down), right = (above - value) / (up - x), left = (below - value) / (down - x);
    if (std::isfinite(central)) return central;
    one_sided = std::isfinite(right) ? right : std::isfinite(left) ? left : one_sided;
  }
  return one_sided;
}

Eigen::VectorXd gradient_of(const ScalarFunction& g, const Eigen::VectorXd& at, double value, const Eigen::VectorXd& sigma) {
  Eigen::VectorXd gradient(at.size());
  for (Index j = 0; j < at.size(); ++j) {
    // Where the error is unknown (NaN), whether g depends on the component may still be known.
    gradient[j] = sigma[j] == 0 ? 0.0 : derivative(g, at, value, j, std::isfinite(sigma[j]) ? sigma[j] : 0);
  }
  return gradient;
}

}  // namespace

Estimate delta_method(double value, const ConstVector& gradient, const ConstMatrix& covariance, double level) {
  check_sizes(gradient.size(), covariance);
  return with_interval(value, std_error(gradient, deviations(covariance), covariance), level);
}

Estimate delta_method(const ScalarFunction& g, const ConstVector& values, const ConstMatrix& covariance, double level) {
  check_sizes(values.size(), covariance);
  const Eigen::VectorXd at = values, sigma = deviations(covariance);
  const double value = g(at);
  if (!std::isfinite(value)) return with_interval(value, nan, level);
  return with_interval(value, std_error(gradient_of(g, at, value, sigma), sigma, covariance), level);
}

DeltaResult delta_method_vector(const VectorFunction& g, const ConstVector& values, const ConstMatrix& covariance) {
  check_sizes(values.size(), covariance);
  const Eigen::VectorXd at = values, sigma = deviations(covariance);
  DeltaResult result{.values = g(at), .covariance = {}, .jacobian = {}};
  const Index count = result.values.size();
  // Each function by itself: one that cannot be differentiated must not spoil the others.
  result.jacobian.setConstant(count, at.size(), nan);
  for (Index k = 0; k < count; ++k) {
    const double value = result.values[k];
    if (std::isfinite(value)) result.jacobian.row(k) = gradient_of([&](const Eigen::VectorXd& x) { return g(x)[k]; }, at, value, sigma);
  }
  const Eigen::MatrixXd gradients = result.jacobian.transpose();
  result.covariance.resize(count, count);
  for (Index k = 0; k < count; ++k) {
    for (Index l = 0; l <= k; ++l) {
      const double c = bilinear(gradients.col(k), gradients.col(l), sigma, covariance);
      result.covariance(k, l) = result.covariance(l, k) = k == l ? (c < 0 ? 0 : c) : c;
    }
  }
  return result;
}

Estimate DeltaResult::estimate(Index k, double level) const { return with_interval(values[k], std::sqrt(covariance(k, k)), level); }

}  // namespace buffon
