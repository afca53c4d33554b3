// SPDX-License-Identifier: BSD-3-Clause
#include "../../samplers/src/warmup.hpp"

#include <buffon/parallel/context.hpp>
#include <buffon/random/stream.hpp>
#include <buffon/stats/accumulators.hpp>

#include <doctest/doctest.h>
#include <Eigen/Cholesky>
#include <Eigen/SVD>

#include <cmath>
#include <vector>

using namespace buffon;

namespace {

Eigen::MatrixXd normals(Index d, Index n, std::uint64_t seed) {
  Eigen::MatrixXd z(d, n);
  Stream(seed).normals(0, z);
  return z;
}

/// Correlated, with standard deviations 1e-6, 1 and 1e6 around 5, -2, 3e6.
Eigen::MatrixXd awkward_points(Index n, std::uint64_t seed) {
  Eigen::Matrix3d lower;
  lower << 1e-6, 0, 0, 0.8, 0.6, 0, -6e5, 5e5, 6.25e5;
  return (lower * normals(3, n, seed)).colwise() + Eigen::Vector3d(5, -2, 3e6);
}

/// Multivariate Cauchy.
Eigen::MatrixXd cauchy_points(Index d, Index n, std::uint64_t seed) {
  const Eigen::MatrixXd z = normals(d + 1, n, seed);
  return (z.topRows(d).array().rowwise() / z.row(d).array().abs()).matrix();
}

Eigen::MatrixXd matrix_of(const AffineFrame& f) {
  Eigen::MatrixXd a(f.dimension(), f.dimension());
  Eigen::VectorXd column;
  for (Index j = 0; j < f.dimension(); ++j) {
    f.direction(Eigen::VectorXd::Unit(f.dimension(), j), column);
    a.col(j) = column;
  }
  return a;
}

LearntFrame learn(Tuning wanted, const Eigen::MatrixXd& points, int threads = 1, std::int64_t chains = 1) {
  Context context(threads);
  return learn_frame(context, wanted, points, chains);
}

}  // namespace

TEST_CASE("a warm-up has stages of lengths 1 : 2 : 4 : 8 whose second halves are pooled") {
  std::vector<std::int64_t> ends;
  for (std::int64_t t = 0; t < 1500; t = ends.back()) {
    const WarmupStage stage = warmup_stage(t, 1500, 4, 10);
    CHECK(stage.index == static_cast<std::int64_t>(ends.size()));
    CHECK(stage.begin == t);
    CHECK(stage.pooled - stage.begin == stage.end - stage.pooled);
    CHECK(stage.stride == 1);
    CHECK_FALSE(stage.keeps(stage.pooled - 1));
    CHECK(stage.keeps(stage.pooled));
    ends.push_back(stage.end);
  }
  CHECK(ends == std::vector<std::int64_t>{100, 300, 700, 1500});
  CHECK(warmup_stage(99, 1500, 4, 10).end == 100);
  CHECK(warmup_stage(1499, 1500, 4, 10).begin == 700);
}

TEST_CASE("warm-ups of any length are divided without a gap, and many chains keep about 10,000 points together") {
  for (std::int64_t warmup = 1; warmup < 50; ++warmup) {
    std::int64_t t = 0;
    while (t < warmup) {
      const WarmupStage stage = warmup_stage(t, warmup, 1, 1);
      REQUIRE(stage.end > t);
      REQUIRE(stage.pooled < stage.end);
      t = stage.end;
    }
    CHECK(t == warmup);
  }
  for (const std::int64_t chains : {4, 100, 1000, 100000}) {
    const WarmupStage stage = warmup_stage(700, 1500, chains, 10);
    std::int64_t kept = 0;
    for (std::int64_t t = stage.begin; t < stage.end; ++t) kept += stage.keeps(t);
    CHECK(kept == stage.kept());
    CHECK(kept >= 1);
    CHECK(kept * chains <= std::max<std::int64_t>(10000, chains));
  }
}

TEST_CASE("the frame of a covariance is the Cholesky factor of the shrunk matrix around the mean, whatever the units") {
  const Eigen::MatrixXd x = awkward_points(3000, 1);
  const LearntFrame f = learn(Tuning::covariance, x);
  CHECK(f.tuned == Tuning::covariance);
  CHECK(f.note.empty());
  CovarianceAccumulator sums;
  sums.add(x);
  const Eigen::MatrixXd s = sums.covariance(), a = matrix_of(f.frame), product = a * a.transpose();
  for (Index i = 0; i < 3; ++i) {
    CHECK(f.frame.centre()(i) == doctest::Approx(sums.mean()(i)).scale(0).epsilon(1e-12));
    for (Index j = 0; j < 3; ++j) {
      // The first coordinate is rounded to 5 · 2⁻⁵³ / 1e-6 = 6e-10 of its standard deviation.
      const double unit = std::sqrt(s(i, i) * s(j, j)), share = product(1, 0) / s(1, 0);
      CHECK(share > 0.99);
      CHECK(share < 1);
      if (i != j) CHECK(std::abs(product(i, j) - share * s(i, j)) < 1e-9 * unit);
    }
    CHECK(product(i, i) == doctest::Approx(s(i, i)).scale(0).epsilon(0.002));
  }
  // Units of other powers of two change the frame by them and nothing else.
  const Eigen::Vector3d units(std::exp2(40), 1, std::exp2(-30));
  const LearntFrame g = learn(Tuning::covariance, units.asDiagonal() * x);
  CHECK(matrix_of(g.frame) == units.asDiagonal() * a);
  CHECK(g.frame.centre() == units.asDiagonal() * f.frame.centre());
}

TEST_CASE("shrunk correlations make a frame of few effective points better than the covariance as it is, with and without correlation") {
  constexpr Index d = 30;
  for (const double correlation : {0.0, 0.9}) {
    // 4 chains whose points are repeated 8 times: 75 effective points of 600.
    Eigen::MatrixXd lower = Eigen::MatrixXd::Zero(d, d);
    for (Index i = 0; i < d; ++i) {
      for (Index j = 0; j <= i; ++j) lower(i, j) = std::pow(correlation, static_cast<double>(i - j)) * (j == 0 ? 1 : std::sqrt(1 - correlation * correlation));
    }
    const Eigen::MatrixXd z = lower * normals(d, 76, 9);
    Eigen::MatrixXd x(d, 608);
    for (Index i = 0; i < x.cols(); ++i) x.col(i) = z.col(i / 8);
    CovarianceAccumulator sums;
    sums.add(x);
    const auto spread = [&](const Eigen::MatrixXd& a) {
      const Eigen::VectorXd singular = a.triangularView<Eigen::Lower>().solve(lower).jacobiSvd().singularValues();
      return singular(0) / singular(d - 1);
    };
    const double shrunk = spread(matrix_of(learn(Tuning::covariance, x, 1, 4).frame));
    CHECK(shrunk < 0.8 * spread(sums.covariance().llt().matrixL().toDenseMatrix()));
    if (correlation > 0) CHECK(shrunk < 0.75 * spread(Eigen::MatrixXd::Identity(d, d)));
  }
}

TEST_CASE("a frame has the same bits on any number of threads") {
  const Eigen::MatrixXd x = awkward_points(5000, 2);
  for (const Tuning tuning : {Tuning::covariance, Tuning::robust}) {
    const LearntFrame one = learn(tuning, x);
    for (const int threads : {2, 3, 8}) {
      const LearntFrame other = learn(tuning, x, threads);
      CHECK(matrix_of(other.frame) == matrix_of(one.frame));
      CHECK(other.frame.centre() == one.frame.centre());
    }
  }
}

TEST_CASE("tuning goes down its ladder and says why") {
  const Eigen::MatrixXd x = awkward_points(1000, 3);
  const auto expect = [](const LearntFrame& f, Tuning tuned, const std::string& why) {
    CHECK(f.tuned == tuned);
    CHECK(f.frame.correlated() == (tuned == Tuning::covariance));
    CHECK(f.frame.scaled() == (tuned != Tuning::centre && tuned != Tuning::none));
    if (why.empty()) {
      CHECK(f.note.empty());
    } else {
      CHECK(f.note.find(why) != std::string::npos);
    }
  };
  expect(learn(Tuning::covariance, x), Tuning::covariance, "");
  expect(learn(Tuning::diagonal, x), Tuning::diagonal, "");
  expect(learn(Tuning::centre, x), Tuning::centre, "");
  expect(learn(Tuning::none, x), Tuning::none, "");
  expect(learn(Tuning::robust, x), Tuning::robust, "");
  const Eigen::MatrixXd wide = normals(20, 100, 8);
  expect(learn(Tuning::covariance, wide.leftCols(40)), Tuning::covariance, "");
  expect(learn(Tuning::covariance, wide.leftCols(39)), Tuning::diagonal, "only 39 points to learn a covariance of 20 coordinates from, less than 40");
  expect(learn(Tuning::covariance, x.leftCols(9)), Tuning::none, "only 9 points");
  Eigen::MatrixXd constant = x;
  constant.row(1).setConstant(7);
  for (const Tuning wanted : {Tuning::covariance, Tuning::diagonal}) expect(learn(wanted, constant), Tuning::centre, "coordinate 2 did not vary");
  CHECK(learn(Tuning::diagonal, constant).frame.centre()(1) == 7);
  expect(learn(Tuning::robust, constant), Tuning::centre, "equal in coordinate 2");
  Eigen::MatrixXd infinite = x;
  infinite(0, 5) = std::numeric_limits<double>::infinity();
  expect(learn(Tuning::covariance, infinite), Tuning::none, "not all points are finite");
  // Two equal coordinates: shrinkage keeps the matrix positive definite.
  Eigen::MatrixXd equal = x;
  equal.row(2) = equal.row(1);
  expect(learn(Tuning::covariance, equal), Tuning::covariance, "");
}

TEST_CASE("moments that look infinite are replaced by median and median deviation; a finite variance is not mistaken for that") {
  const Eigen::MatrixXd x = cauchy_points(5, 2000, 4);
  for (const Tuning wanted : {Tuning::covariance, Tuning::diagonal}) {
    const LearntFrame f = learn(wanted, x);
    CHECK(f.tuned == Tuning::robust);
    CHECK(f.note.find("moments look infinite") != std::string::npos);
    for (Index j = 0; j < 5; ++j) {
      // Median of n standard Cauchy values: standard error π / (2 √n); median deviation 1, the same standard error. Level 1e-6: 4.9.
      const double bound = 4.9 * 3.1416 / (2 * std::sqrt(2000.0));
      CHECK(std::abs(f.frame.centre()(j)) < bound);
      CHECK(std::abs(f.frame.scale()(j) / 1.4826 - 1) < bound);
    }
  }
  CHECK(learn(Tuning::centre, x).frame.centre() == learn(Tuning::robust, x).frame.centre());
  // What would have been used otherwise is far off.
  CovarianceAccumulator sums;
  sums.add(x);
  CHECK(sums.variance().cwiseSqrt().maxCoeff() > 10);
  // Student with 3 degrees of freedom has a variance.
  const Eigen::MatrixXd z = normals(8, 2000, 5);
  const Eigen::ArrayXd chi = (z.bottomRows(3).colwise().squaredNorm() / 3).array().sqrt();
  const Eigen::MatrixXd student = (z.topRows(5).array().rowwise() / chi.transpose()).matrix();
  CHECK(learn(Tuning::covariance, student).tuned == Tuning::covariance);
}

TEST_CASE("a centre moves off chains that sit in it, by very little, and stays otherwise") {
  const AffineFrame frame = learn(Tuning::covariance, awkward_points(1000, 6)).frame;
  Eigen::MatrixXd points = awkward_points(4, 7);
  CHECK(keep_off(frame, points).centre() == frame.centre());
  points.col(2) = frame.centre();
  const AffineFrame moved = keep_off(frame, points);
  Eigen::VectorXd y;
  moved.coordinates(points.col(2), y);
  CHECK(y.norm() > 1e-7);
  CHECK(y.norm() < 1e-4);
  CHECK(matrix_of(moved) == matrix_of(frame));
  // Chains that never moved: no scale is known, and the centre may be 0.
  for (const double value : {0.0, 1e-30, 1e30}) {
    const Eigen::Vector3d stuck = Eigen::Vector3d::Constant(value);
    const AffineFrame apart = keep_off(AffineFrame::translation(stuck), Eigen::MatrixXd(stuck));
    CHECK((apart.centre() - stuck).norm() > 0);
    CHECK((apart.centre() - stuck).norm() <= 1e-3 * std::max(value * 2, value == 0 ? 1.0 : 0.0));
  }
}
