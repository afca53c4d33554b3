// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/core/archive.hpp>
#include <buffon/core/types.hpp>
#include <buffon/random/stream.hpp>

#include <cstdint>
#include <vector>

namespace buffon {

/// N(μ, L Lᵀ), or independent coordinates.
class GaussianPart {
 public:
  GaussianPart() = default;
  /// @param factor lower Cholesky factor L (d × d), or standard deviations (d × 1); positive diagonal
  GaussianPart(Eigen::VectorXd mean, Eigen::MatrixXd factor);

  const Eigen::VectorXd& mean() const { return mean_; }
  const Eigen::MatrixXd& factor() const { return factor_; }
  bool diagonal() const { return factor_.cols() == 1; }
  Index size() const { return mean_.size(); }

  /// log density of points that stand in the *rows* of `points` (n × d), so that the work runs along points.
  /// @param work n × d scratch
  void log_density_rows(const ConstMatrix& points, MutMatrix work, MutVector log_density) const;
  /// x = μ + L z for one point.
  void transform(const ConstVector& z, MutVector x) const;

  void describe_state(Archive& archive);

 private:
  void prepare();
  Eigen::VectorXd mean_;
  Eigen::MatrixXd factor_;
  double log_norm_ = 0;
};

/// Density Σ_c π_c N(μ_c, L_c L_cᵀ).
struct GaussianMixture {
  std::vector<double> probabilities;  ///< positive, sum 1
  std::vector<GaussianPart> parts;

  GaussianMixture() = default;
  explicit GaussianMixture(GaussianPart part) : probabilities{1.0}, parts{std::move(part)} {}

  /// As GaussianPart::log_density_rows.
  void log_density_rows(const ConstMatrix& points, MutMatrix work, MutVector log_density) const;
  void describe_state(Archive& archive);
};

/// How weighted points become a Gaussian.
struct GaussianFit {
  Eigen::VectorXd ridge;   ///< variance added to every coordinate; also the scale of distances (d)
  bool diagonal = false;   ///< keep variances only
  std::int64_t parts = 1;  ///< Gaussians per density; more than one: weighted EM
};

/// The Gaussian that minimises the cross-entropy to the weighted points: μ = Σω x / Σω, Σ = Σω (x−μ)(x−μ)ᵀ / Σω + ridge.
/// A covariance whose Cholesky factorisation fails gets ten times the ridge, repeatedly.
/// @param x d × n
/// @param weights n, non-negative with positive sum, any scale
GaussianPart fit_gaussian(const ConstMatrix& x, const ConstVector& weights, const GaussianFit& fit);

/// Mixture of `fit.parts` Gaussians by weighted EM: hard labels by the nearest of as many drawn points, then soft EM until
/// the mean log likelihood changes by less than 1e-5 of itself (at most 500 iterations). Parts that lose all weight are dropped.
GaussianMixture fit_gaussian_mixture(const ConstMatrix& x, const ConstVector& weights, const GaussianFit& fit, const Stream& stream);

}  // namespace buffon
