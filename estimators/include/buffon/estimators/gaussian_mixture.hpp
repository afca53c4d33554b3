// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/core/archive.hpp>
#include <buffon/core/types.hpp>
#include <buffon/linalg/gaussian.hpp>
#include <buffon/random/stream.hpp>

#include <cstdint>
#include <vector>

namespace buffon {

/// Density Σ_c π_c N(μ_c, L_c L_cᵀ).
struct GaussianMixture {
  std::vector<double> probabilities;  ///< π_c, positive, sum 1
  std::vector<Gaussian> parts;

  GaussianMixture() = default;
  explicit GaussianMixture(Gaussian part) : probabilities{1.0}, parts{std::move(part)} {}

  /// out[i] = log density at column i of x; x: d × n, out: n.
  void log_density(const ConstMatrix& x, MutVector out) const;
  void describe_state(Archive& archive);
};

/// How weighted points become Gaussians.
struct GaussianFit {
  double ridge = 1e-6;     ///< ridge · scale is added to the variances; raised tenfold while a factorisation fails
  Eigen::VectorXd scale;   ///< variances that the ridge is relative to; also the unit of distances (d)
  bool diagonal = false;   ///< keep variances only
  std::int64_t parts = 1;  ///< Gaussians per density; more than one: weighted EM
};

/// The density of the family that comes closest to the weighted points in cross-entropy.
/// One Gaussian: μ = Σω x / Σω, Σ = Σω (x−μ)(x−μ)ᵀ / Σω + ridge. Several: weighted EM from hard labels by the nearest of as
/// many drawn points, until the mean log likelihood changes by less than 1e-5 of itself (at most 500 iterations); parts that
/// lose all weight are dropped.
/// @param x       d × n
/// @param weights n, non-negative with positive sum, any scale; points of weight 0 cost nothing
/// @param stream  draws the starting labels; read through `uniforms` from item 0 on
GaussianMixture fit_gaussian_mixture(const ConstMatrix& x, const ConstVector& weights, const GaussianFit& fit, const Stream& stream);

}  // namespace buffon
