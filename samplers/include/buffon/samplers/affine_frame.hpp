// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/core/types.hpp>

namespace buffon {

class Archive;

/// Coordinates y of a point x = centre + A y in which a kernel works, A lower triangular, diagonal or the identity.
class AffineFrame {
 public:
  AffineFrame() = default;
  /// x = y
  static AffineFrame identity(Index dimension);
  static AffineFrame translation(const ConstVector& centre);
  /// @param scale entries of the diagonal, positive
  static AffineFrame diagonal(const ConstVector& centre, const ConstVector& scale);
  /// @param lower its upper triangle is ignored; the diagonal is positive. @throws Error(numeric) otherwise
  static AffineFrame full(const ConstVector& centre, const ConstMatrix& lower);

  /// The same A around another centre.
  AffineFrame moved(const ConstVector& centre) const;

  Index dimension() const { return centre_.size(); }
  const Eigen::VectorXd& centre() const { return centre_; }
  bool scaled() const { return scale_.size() > 0 || lower_.size() > 0; }  ///< A is not the identity
  bool correlated() const { return lower_.size() > 0; }                   ///< A is not diagonal
  const Eigen::VectorXd& scale() const { return scale_; }                 ///< diagonal of A where A is diagonal, else empty
  const Eigen::MatrixXd& lower() const { return lower_; }                 ///< A where it is not diagonal, else empty

  /// out = A y
  void direction(const ConstVector& y, Eigen::VectorXd& out) const;
  /// y = A⁻¹ (x − centre)
  void coordinates(const ConstVector& x, Eigen::VectorXd& y) const;

  void describe_state(Archive& archive);

 private:
  Eigen::VectorXd centre_, scale_;
  Eigen::MatrixXd lower_;
};

}  // namespace buffon
