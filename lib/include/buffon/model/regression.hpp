// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/core/types.hpp>
#include <buffon/model/log_density.hpp>

#include <memory>

namespace buffon {

/// log L of all observations from their linear predictors. Thread-safe.
class RegressionLikelihood {
 public:
  virtual ~RegressionLikelihood() = default;
  virtual Index observations() const = 0;
  /// Parameters of its own beside the coefficients (the log of a standard deviation), appended to them.
  virtual Index own_parameters() const { return 0; }
  /// Σ_i log p(y_i | η_i, own) up to a constant; eta: n, own: own_parameters()
  virtual double value(const double* eta, const double* own) const = 0;
  /// The same for η = centre + (a first + b second), without a pass of its own to form η where a likelihood can do so. Arrays have
  /// `padded(n)` entries and begin at multiples of 64 bytes; past n the centre is −1000 and the directions 0.
  /// @param eta  room for η, `padded(n)` entries
  virtual double value_on_plane(const double* centre, const double* first, const double* second, double a, double b, const double* own, double* eta) const;
  /// n rounded up to the blocks in which observations are stored.
  static Index padded(Index n) { return (n + 63) / 64 * 64; }
};

/// The likelihoods cost one exponential per observation (Gaussian: none) and one logarithm per 960; relative errors below 1e-13, or
/// absolute ones below n ε. Same bits on every CPU. Their makers throw Error(configuration) for a y that cannot be.

/// y_i ∈ {0, 1}, P(y_i = 1) = 1 / (1 + e^{−η_i}).
std::shared_ptr<const RegressionLikelihood> logistic_likelihood(const ConstVector& y);
/// y_i ∈ {0, 1, 2, …}, E y_i = e^{η_i}.
std::shared_ptr<const RegressionLikelihood> poisson_likelihood(const ConstVector& y);
/// y_i ~ N(η_i, σ²), log σ the own parameter.
std::shared_ptr<const RegressionLikelihood> gaussian_likelihood(const ConstVector& y);
/// y_i ~ N(η_i, σ²) with σ known.
std::shared_ptr<const RegressionLikelihood> gaussian_likelihood(const ConstVector& y, double sigma);

/// Independent priors N(mean_j, std_dev_j²) of all coefficients and own parameters; an infinite standard deviation is a flat prior.
struct RegressionPrior {
  Eigen::VectorXd mean, std_dev;
};

/// The posterior of a generalised linear model, η = offset + X β, as a density of (β, own parameters). On a plane it costs one product with X
/// per new direction and O(n) per point, in place of O(n d) per point. Constants are left out.
/// @param design  X, n × d
/// @param offset  n, or empty for 0
/// @throws Error(configuration) when sizes do not fit or a number is not finite
std::shared_ptr<const LogDensity> regression_density(Eigen::MatrixXd design, Eigen::VectorXd offset, std::shared_ptr<const RegressionLikelihood> likelihood,
                                                     RegressionPrior prior);

}  // namespace buffon
