// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/core/archive.hpp>
#include <buffon/core/error.hpp>
#include <buffon/samplers/affine_frame.hpp>

namespace buffon {
namespace {

void check_diagonal(const Eigen::VectorXd& diagonal) {
  if ((diagonal.array() > 0).all() && diagonal.allFinite()) return;
  throw Error(ErrorCategory::numeric, {.doing = "setting the frame of a sampler", .key = "scale", .rule = "must be positive and finite in every direction"});
}

}  // namespace

AffineFrame AffineFrame::identity(Index dimension) { return translation(Eigen::VectorXd::Zero(dimension)); }

AffineFrame AffineFrame::translation(const ConstVector& centre) {
  AffineFrame frame;
  frame.centre_ = centre;
  return frame;
}

AffineFrame AffineFrame::diagonal(const ConstVector& centre, const ConstVector& scale) {
  AffineFrame frame = translation(centre);
  frame.scale_ = scale;
  check_diagonal(frame.scale_);
  return frame;
}

AffineFrame AffineFrame::full(const ConstVector& centre, const ConstMatrix& lower) {
  AffineFrame frame = translation(centre);
  frame.lower_ = lower.triangularView<Eigen::Lower>();
  check_diagonal(frame.lower_.diagonal());
  return frame;
}

AffineFrame AffineFrame::moved(const ConstVector& centre) const {
  AffineFrame frame = *this;
  frame.centre_ = centre;
  return frame;
}

void AffineFrame::direction(const ConstVector& y, Eigen::VectorXd& out) const {
  if (correlated()) {
    out.noalias() = lower_.triangularView<Eigen::Lower>() * y;
  } else if (scaled()) {
    out = scale_.cwiseProduct(y);
  } else {
    out = y;
  }
}

void AffineFrame::coordinates(const ConstVector& x, Eigen::VectorXd& y) const {
  y = x - centre_;
  if (correlated()) {
    lower_.triangularView<Eigen::Lower>().solveInPlace(y);
  } else if (scaled()) {
    y.array() /= scale_.array();
  }
}

void AffineFrame::describe_state(Archive& archive) {
  archive.item("centre", centre_);
  archive.item("scale", scale_);
  archive.item("lower", lower_);
}

}  // namespace buffon
