// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/core/error.hpp>
#include <buffon/linalg/gaussian.hpp>
#include <buffon/linalg/log_space.hpp>
#include <buffon/random/kernel_variant.hpp>
#include <buffon/random/stream.hpp>

#include <doctest/doctest.h>
#include <memory_archive.hpp>

#include <Eigen/Cholesky>
#include <Eigen/LU>

#include <cmath>
#include <vector>

using namespace buffon;

namespace {

struct Case {
  Eigen::VectorXd mean;
  Eigen::MatrixXd covariance;
};

Case random_case(Index d, std::uint64_t seed) {
  const Stream stream(seed);
  Eigen::MatrixXd a(d, d), m(d, 1);
  stream.normals(0, a);
  stream.normals(1000, m);
  return {m.col(0), a * a.transpose() + Eigen::MatrixXd::Identity(d, d)};
}

// The definition, by inverse and determinant in long double.
double direct(const Case& c, const Eigen::VectorXd& x) {
  using Matrix = Eigen::Matrix<long double, Eigen::Dynamic, Eigen::Dynamic>;
  const Matrix s = c.covariance.cast<long double>();
  const Eigen::Matrix<long double, Eigen::Dynamic, 1> u = (x - c.mean).cast<long double>();
  const long double q = u.dot(s.inverse() * u);
  return static_cast<double>(-0.5L * (q + std::log(s.determinant()) + static_cast<long double>(x.size()) * std::log(2 * std::acos(-1.0L))));
}

}  // namespace

TEST_CASE("log densities equal the definition for every dimension and batch size") {
  for (const Index d : {1, 2, 3, 6, 7, 20}) {
    const Case c = random_case(d, 11);
    const auto g = Gaussian::from_covariance(c.mean, c.covariance);
    CHECK(g.ridge() == 0);
    CHECK((g.covariance() - c.covariance).norm() <= 1e-14 * c.covariance.norm());
    Eigen::MatrixXd x(d, 300);
    Stream(12).normals(0, x);
    Eigen::VectorXd all(300);
    g.log_density(x, all);
    // |S⁻¹| ≤ 1, so rounding of x − mean and of L changes the quadratic form by about d² ε (|x|² + …).
    for (Index i = 0; i < 300; ++i) CHECK(std::abs(all[i] - direct(c, x.col(i))) <= 1e-12 * (1 + std::abs(all[i])));
    for (const Index n : {1, 31, 32, 33, 255, 257}) {
      Eigen::VectorXd some(n);
      g.log_density(x.middleCols(3, n), some);
      CHECK(some == all.segment(3, n));
    }
  }
}

TEST_CASE("a batch over many laws has the bits of single calls on every instruction set") {
  const Index d = 7, n = 300;
  Eigen::MatrixXd x(d, n);
  Stream(5).normals(0, x);
  std::vector<Gaussian> laws;
  for (std::uint64_t j = 0; j < 11; ++j) {
    const Case c = random_case(d, 100 + j);
    laws.push_back(Gaussian::from_covariance(c.mean, c.covariance, {.diagonal = j % 4 == 3}));
  }
  const std::string before(kernel_variant());
  Eigen::MatrixXd reference;
  for (const auto variant : available_kernel_variants()) {
    force_kernel_variant(variant);
    Eigen::MatrixXd out(11, n);
    log_densities(laws, x, out);
    if (reference.size() == 0) reference = out;
    CHECK(out == reference);
    for (Index j = 0; j < 11; ++j) {
      Eigen::VectorXd row(n);
      laws[static_cast<std::size_t>(j)].log_density(x, row);
      CHECK(row.transpose() == out.row(j));
    }
  }
  force_kernel_variant(before);
}

TEST_CASE("a diagonal law is the product of one-dimensional laws and ignores correlations") {
  Case c = random_case(4, 21);
  const auto g = Gaussian::from_covariance(c.mean, c.covariance, {.diagonal = true});
  c.covariance = Eigen::MatrixXd(c.covariance.diagonal().asDiagonal());
  Eigen::MatrixXd x(4, 40);
  Stream(22).normals(0, x);
  Eigen::VectorXd out(40);
  g.log_density(x, out);
  for (Index i = 0; i < 40; ++i) CHECK(out[i] == doctest::Approx(direct(c, x.col(i))).scale(0).epsilon(1e-13));
  Eigen::MatrixXd z = x;
  g.transform(z);
  CHECK((z - ((g.lower() * x).colwise() + c.mean)).norm() <= 1e-13);
}

TEST_CASE("draws are mean + L z, and the density of a draw is that of its normals less log det L") {
  const Case c = random_case(9, 31);
  const auto g = Gaussian::from_covariance(c.mean, c.covariance);
  Eigen::MatrixXd z(9, 50);
  Stream(32).normals(0, z);
  Eigen::MatrixXd x = z;
  g.transform(x);
  CHECK((x - ((g.lower() * z).colwise() + c.mean)).norm() <= 1e-12);
  Eigen::VectorXd lx(50), lz(50);
  g.log_density(x, lx);
  Gaussian::standard(9).log_density(z, lz);
  CHECK((lx.array() - (lz.array() - 0.5 * g.log_determinant())).abs().maxCoeff() <= 1e-12);
}

TEST_CASE("a degenerate covariance gets the smallest ridge of the ladder that makes it definite, relative to the scale") {
  const Eigen::Vector3d mean(1, 2, 3);
  Eigen::Matrix3d s;  // rank 1 plus nothing in the last coordinate
  s << 1, 1e8, 0, 1e8, 1e16, 0, 0, 0, 0;
  const Eigen::Vector3d scale(1, 1e16, 1e-4);
  const auto g = Gaussian::from_covariance(mean, s, {.ridge = 1e-6, .scale = scale});
  CHECK(g.ridge() == 1e-6);
  CHECK(g.lower()(2, 2) == doctest::Approx(1e-5));
  const auto h = Gaussian::from_covariance(mean, s, {.scale = scale});
  CHECK(h.ridge() == 1e-12);
  // A matrix with eigenvalue −0.01 in units of the scale needs a ridge above 0.01.
  Eigen::Matrix2d negative;
  negative << 1, 1.01, 1.01, 1;
  const auto k = Gaussian::from_covariance(Eigen::Vector2d::Zero(), negative, {.ridge = 1e-6});
  CHECK(k.ridge() == doctest::Approx(0.1));
  CHECK((k.covariance() - negative - 0.1 * Eigen::Matrix2d::Identity()).norm() <= 1e-14);
}

TEST_CASE("a law scaled coordinate by coordinate with 1e±60 keeps its densities up to the Jacobian") {
  const Case c = random_case(3, 41);
  const Eigen::Vector3d unit(1, 0x1p200, 0x1p-200);
  Eigen::VectorXd mean = c.mean.cwiseProduct(unit);
  Eigen::MatrixXd s = unit.asDiagonal() * c.covariance * unit.asDiagonal();
  Eigen::MatrixXd x(3, 10);
  Stream(42).normals(0, x);
  Eigen::MatrixXd y = unit.asDiagonal() * x;
  Eigen::VectorXd a(10), b(10);
  Gaussian::from_covariance(c.mean, c.covariance, {.ridge = 1e-6}).log_density(x, a);
  Gaussian::from_covariance(mean, s, {.ridge = 1e-6}).log_density(y, b);
  CHECK((a - b).cwiseAbs().maxCoeff() <= 1e-12);
}

TEST_CASE("impossible laws are refused") {
  const Eigen::Vector2d mean(0, 0);
  Eigen::Matrix2d s = Eigen::Matrix2d::Identity();
  s(1, 1) = 0;
  CHECK_THROWS_AS(Gaussian::from_covariance(mean, s, {.ridge = 1e-6}), Error);  // nothing to make a ridge of
  s(1, 1) = std::nan("");
  CHECK_THROWS_AS(Gaussian::from_covariance(mean, s), Error);
  CHECK_THROWS_AS(Gaussian::from_covariance(mean, Eigen::Matrix3d::Identity()), Error);
  CHECK_THROWS_AS(Gaussian::from_covariance(mean, Eigen::Matrix2d::Identity(), {.ridge = -1}), Error);
  CHECK_THROWS_AS(Gaussian::from_cholesky(mean, Eigen::Matrix2d::Zero()), Error);
  Eigen::VectorXd out(3);
  CHECK_THROWS_AS(Gaussian::standard(2).log_density(Eigen::MatrixXd::Zero(2, 4), out), Error);
  CHECK_THROWS_AS(Gaussian::standard(2).log_density(Eigen::MatrixXd::Zero(3, 3), out), Error);
}

TEST_CASE("a law is saved and loaded with all its bits") {
  const Case c = random_case(5, 51);
  auto g = Gaussian::from_covariance(c.mean, c.covariance, {.ridge = 1e-6});
  Gaussian h;
  testing::restore(h, testing::state_of(g));
  Eigen::MatrixXd x(5, 20);
  Stream(52).normals(0, x);
  Eigen::VectorXd a(20), b(20);
  g.log_density(x, a);
  h.log_density(x, b);
  CHECK(a == b);
  CHECK(h.ridge() == 1e-6);
  CHECK(testing::state_of(h) == testing::state_of(g));
}

TEST_CASE("log sums over columns equal long double sums, with silent rows and infinities") {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  for (const Index rows : {1, 2, 9, 100, 3000}) {
    Eigen::MatrixXd x(rows, 70), w(rows, 1);
    Stream(61).normals(0, x);
    Stream(62).normals(0, w);
    x *= 300;
    Eigen::VectorXd out(70);
    log_sum_exp_columns(x, w.col(0), out);
    for (Index c = 0; c < 70; ++c) {
      long double s = 0;
      const long double m = (x.col(c) + w.col(0)).maxCoeff();
      for (Index j = 0; j < rows; ++j) s += std::exp(static_cast<long double>(x(j, c)) + static_cast<long double>(w(j, 0)) - m);
      CHECK(out[c] == doctest::Approx(static_cast<double>(m + std::log(s))).scale(0).epsilon(1e-14));
    }
    CHECK(log_sum_exp(x.col(0) + w.col(0)) == doctest::Approx(out[0]).scale(0).epsilon(1e-15));
  }
  Eigen::MatrixXd x(3, 5);
  x << 0, -infinity, infinity, 0, 1,  //
      0, -infinity, 0, std::nan(""), 2, std::nan(""), infinity, infinity, 5, 3;
  const Eigen::Vector3d w(0, std::log(2.0), -infinity);
  Eigen::VectorXd out(5);
  log_sum_exp_columns(x, w, out);
  CHECK(out[0] == doctest::Approx(std::log(3.0)));
  CHECK(out[1] == -infinity);
  CHECK(out[2] == infinity);
  CHECK(std::isnan(out[3]));
  CHECK(out[4] == doctest::Approx(std::log(std::exp(1) + 2 * std::exp(2))));
  CHECK(log_sum_exp(Eigen::VectorXd()) == -infinity);
  CHECK_THROWS_AS(log_sum_exp_columns(x, w.head(2), out), Error);
}
