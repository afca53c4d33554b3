// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/core/types.hpp>

#include <span>

namespace buffon {

class Archive;

/// How `Gaussian::from_covariance` treats the covariance matrix.
struct GaussianShape {
  bool diagonal = false;       ///< use the diagonal only
  double ridge = 0;            ///< ridge · variance_scale is added to the diagonal at once, ≥ 0; e.g. 1e-6
  Eigen::VectorXd scale = {};  ///< d variances that the ridge is relative to (pooled over components); empty = the diagonal itself
};

/// A d-dimensional normal law N(mean, L Lᵀ), L lower triangular, d ≥ 1.
///
///     const auto g = Gaussian::from_covariance(mean, covariance, {.ridge = 1e-6, .scale = pooled});
///     g.log_density(x, out);  // x: d × n, out: n
///     g.transform(z);         // z: d × n standard normals, become draws
///
/// Log densities: forward substitution for 32 points at once, d² flops per point, no allocation per point; the same bits on
/// every CPU and for every way to split the points into batches.
class Gaussian {
 public:
  Gaussian() = default;  ///< dimension 0, for loading
  static Gaussian standard(Index dimension);
  /// If the factorisation fails (a pivot not clearly above rounding), the ridge is raised tenfold, from 1e-12 if it was 0,
  /// until it succeeds; `ridge()` tells the one used.
  /// @throws Error(numeric) when a mean or covariance is not finite or no ridge up to 1 helps (a scale is 0 or negative)
  static Gaussian from_covariance(const ConstVector& mean, const ConstMatrix& covariance, const GaussianShape& shape = {});
  /// @throws Error(numeric) unless the diagonal of `lower` is positive and finite; entries above it are ignored
  static Gaussian from_cholesky(const ConstVector& mean, const ConstMatrix& lower);

  Index dimension() const { return mean_.size(); }
  const Eigen::VectorXd& mean() const { return mean_; }
  const Eigen::MatrixXd& lower() const { return lower_; }      ///< L, d × d
  Eigen::MatrixXd covariance() const;                          ///< L Lᵀ, the ridge included
  double log_determinant() const { return log_determinant_; }  ///< of the covariance
  double ridge() const { return ridge_; }                      ///< relative ridge that was added, 0 = none
  bool diagonal() const { return diagonal_; }

  /// out[c] = log N(x_c; mean, L Lᵀ); x: d × n, out: n. @throws Error(usage) when sizes do not fit
  void log_density(const ConstMatrix& x, MutVector out) const;

  /// Turns columns of independent standard normals into draws, in place: z ← mean + L z; z: d × n.
  void transform(MutMatrix z) const;

  void describe_state(Archive& archive);

 private:
  friend void log_densities(std::span<const Gaussian> laws, const ConstMatrix& x, MutMatrix out);
  void prepare();
  void tile_log_density(const double* tile, double* scratch, double* out) const;

  Eigen::VectorXd mean_;
  Eigen::MatrixXd lower_;
  double ridge_ = 0;
  bool diagonal_ = false;
  // made of the above by prepare()
  double log_determinant_ = 0;
  double constant_ = 0;               // −½ (d log 2π + log det)
  Eigen::VectorXd rows_;              // strict lower triangle, row by row
  Eigen::VectorXd inverse_diagonal_;  // 1 / L_ii
};

/// out(j, c) = log density of law j at point c, all laws of one dimension; x: d × n, out: J × n. Points are read once for all
/// laws. @throws Error(usage) when sizes do not fit
void log_densities(std::span<const Gaussian> laws, const ConstMatrix& x, MutMatrix out);

}  // namespace buffon
