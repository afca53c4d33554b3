// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/core/types.hpp>

namespace buffon::slices {

/// Great circles of the unit sphere through a point θ that moves along them: θ cos ω + z/|z| sin ω.
class GreatCircle {
 public:
  void set_point(const ConstVector& y) { point_ = y / y.norm(); }
  const Eigen::VectorXd& point() const { return point_; }

  /// A uniform circle through θ from standard normals. False for normals along θ, which give none.
  bool draw(const ConstVector& normals);
  const Eigen::VectorXd& tangent() const { return tangent_; }  ///< z, orthogonal to θ, not normalised
  double inverse_length() const { return inverse_length_; }    ///< 1/|z|

  /// θ ← a θ + b z, of length 1 but for rounding, then normalised. Returns the factor that did it.
  double turn(double a, double b);

 private:
  Eigen::VectorXd point_, tangent_;
  double inverse_length_ = 0;
};

}  // namespace buffon::slices
