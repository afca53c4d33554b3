// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/core/error.hpp>
#include <buffon/samplers/affine_frame.hpp>

#include <doctest/doctest.h>
#include <memory_archive.hpp>

#include <limits>
#include <vector>

using namespace buffon;
using namespace buffon::testing;

namespace {

const Eigen::Vector3d centre(1, -2, 3);

AffineFrame full_frame() {
  Eigen::Matrix3d lower;
  lower << 2, 99, 99, 1, 3, 99, -1, 0.5, 4;
  return AffineFrame::full(centre, lower);
}

}  // namespace

TEST_CASE("coordinates are undone by directions in every kind of frame") {
  const Eigen::Vector3d x(0.3, 7, -5);
  for (const AffineFrame& frame :
       {AffineFrame::identity(3), AffineFrame::translation(centre), AffineFrame::diagonal(centre, Eigen::Vector3d(2, 0.5, 10)), full_frame()}) {
    Eigen::VectorXd y, back;
    frame.coordinates(x, y);
    frame.direction(y, back);
    CHECK((frame.centre() + back - x).norm() < 1e-14);
  }
}

TEST_CASE("the entries above the diagonal of a factor are ignored") {
  Eigen::VectorXd out;
  full_frame().direction(Eigen::Vector3d(1, 1, 1), out);
  CHECK(out == Eigen::Vector3d(2, 4, 3.5));
  CHECK(full_frame().correlated());
  CHECK(full_frame().scaled());
  CHECK_FALSE(AffineFrame::translation(centre).scaled());
}

TEST_CASE("a moved frame keeps its matrix") {
  const AffineFrame moved = full_frame().moved(Eigen::Vector3d::Zero());
  CHECK(moved.centre().norm() == 0);
  CHECK(moved.lower() == full_frame().lower());
}

TEST_CASE("scales that are not positive and finite are refused") {
  for (const double bad : {0.0, -1.0, std::numeric_limits<double>::infinity(), std::numeric_limits<double>::quiet_NaN()}) {
    CHECK_THROWS_AS(AffineFrame::diagonal(centre, Eigen::Vector3d(1, bad, 1)), Error);
    CHECK_THROWS_AS(AffineFrame::full(centre, Eigen::Vector3d(1, bad, 1).asDiagonal().toDenseMatrix()), Error);
  }
}

TEST_CASE("a saved frame is loaded with all its bits") {
  AffineFrame frame = full_frame(), other;
  restore(other, state_of(frame));
  CHECK(other.centre() == frame.centre());
  CHECK(other.lower() == frame.lower());
  CHECK(state_of(other) == state_of(frame));
}
