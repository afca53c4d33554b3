// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/backend/backend.hpp>
#include <buffon/model/noise_schedule.hpp>

#include <Eigen/Core>

namespace buffon {

/// The probability flow of Gaussian data between two levels, in one jump and without a call of a model (Wang and Vastola, 2023): far up in the noise every
/// data look Gaussian. With mean m and covariance U diag(d) U′ + c (I − U U′),
///   x_t = alpha_t m + q (x_s − alpha_s m) + U diag(g − q) U′ (x_s − alpha_s m),   g_i = √((alpha_t² d_i + sigma_t²) / (alpha_s² d_i + sigma_s²)), q = g of c.
/// From there any solver goes on with a grid that begins at the level reached.
class Teleport {
 public:
  /// All directions of a covariance. @throws Error(configuration) where it is not symmetric or has a negative eigenvalue
  Teleport(Eigen::VectorXd mean, const Eigen::MatrixXd& covariance);
  /// A few directions, the others alike.
  /// @param directions n × r, orthonormal columns
  /// @param variances r, along them
  /// @param rest variance along every other direction; 0: x shrinks there as sigma_t / sigma_s
  Teleport(Eigen::VectorXd mean, Eigen::MatrixXd directions, Eigen::VectorXd variances, double rest = 0);

  /// x ← the flow's state at `to`, column by column. @throws Error(configuration) where sigma = 0 at `from`
  void operator()(backend::Queue& queue, backend::View x, const NoiseLevel& from, const NoiseLevel& to) const;

 private:
  Eigen::VectorXd mean_, variances_;
  Eigen::MatrixXd directions_;
  double rest_;
};

}  // namespace buffon
