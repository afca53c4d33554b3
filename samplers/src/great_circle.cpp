// SPDX-License-Identifier: BSD-3-Clause
#include "great_circle.hpp"

#include <cmath>

namespace buffon::slices {

bool GreatCircle::draw(const ConstVector& normals) {
  tangent_ = normals - point_.dot(normals) * point_;
  const double length = tangent_.norm();
  if (!(length > 1e-8)) return false;
  inverse_length_ = 1 / length;
  return true;
}

double GreatCircle::turn(double a, double b) {
  point_ = a * point_ + b * tangent_;
  const double factor = 1 / point_.norm();
  point_ *= factor;
  return factor;
}

}  // namespace buffon::slices
