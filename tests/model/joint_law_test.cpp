// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/core/error.hpp>
#include <buffon/model/joint_law.hpp>
#include <buffon/stats/normal.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <Eigen/LU>
#include <boost/math/quadrature/gauss_kronrod.hpp>

#include "statistical.hpp"

using namespace buffon;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

Eigen::MatrixXd correlation3(double r01, double r02, double r12) {
  Eigen::MatrixXd r = Eigen::MatrixXd::Identity(3, 3);
  r(0, 1) = r(1, 0) = r01;
  r(0, 2) = r(2, 0) = r02;
  r(1, 2) = r(2, 1) = r12;
  return r;
}

std::vector<Input> three_inputs() { return {{"load", gumbel_law(10, 2)}, {"strength", lognormal_law_by_moments(50, 0.2)}, {"gap", gamma_law(2, 0.1)}}; }

JointLaw coupled() { return JointLaw(three_inputs(), correlation3(-0.3, 0.5, 0.2)); }

ErrorText refusal(std::vector<Input> inputs, Eigen::MatrixXd correlation = {}) {
  try {
    const JointLaw law(std::move(inputs), std::move(correlation));
    FAIL("made a joint law");
  } catch (const Error& error) {
    CHECK(error.category() == ErrorCategory::configuration);
    return error.text();
  }
  return {};
}

double sample_correlation(const Eigen::MatrixXd& z, Index i, Index j) {
  const Eigen::ArrayXd a = z.row(i).array() - z.row(i).mean();
  const Eigen::ArrayXd b = z.row(j).array() - z.row(j).mean();
  return (a * b).sum() / std::sqrt(a.square().sum() * b.square().sum());
}

}  // namespace

TEST_CASE("the transform to standard space undoes the transform from it") {
  for (const bool copula : {false, true}) {
    const JointLaw law = copula ? coupled() : JointLaw(three_inputs());
    CHECK(law.independent() == !copula);
    Eigen::MatrixXd u(3, 1000);
    Stream(11).child("scores").normals(0, u);
    u.col(0).setConstant(-8);
    u.col(1).setConstant(8);
    u.col(2) << 8, -8, 8;
    Eigen::MatrixXd x(3, 1000);
    Eigen::MatrixXd back(3, 1000);
    law.from_standard(u, x);
    law.to_standard(x, back);
    // u loses what rounding of x costs: 1e-16 |x| f/φ, below 1e-11 for these laws to 8 sigma, times ‖L⁻¹‖ < 3
    CHECK((back - u).cwiseAbs().maxCoeff() < 1e-10);
  }
}

TEST_CASE("the transforms work in place and treat every column on its own") {
  const JointLaw law = coupled();
  Eigen::MatrixXd u(3, 700);
  Stream(12).child("scores").normals(0, u);
  Eigen::MatrixXd x(3, 700);
  law.from_standard(u, x);
  Eigen::MatrixXd inside = u;
  law.from_standard(inside, inside);
  CHECK(inside == x);
  Eigen::MatrixXd single(3, 700);
  for (Index c = 0; c < 700; ++c) law.from_standard(u.col(c), single.col(c));
  CHECK(single == x);
  Eigen::MatrixXd padded(5, 700);
  law.from_standard(u, padded.middleRows(1, 3));
  CHECK(padded.middleRows(1, 3) == x);
  Eigen::MatrixXd back(3, 700);
  law.to_standard(x, back);
  law.to_standard(inside, inside);
  CHECK(inside == back);
}

TEST_CASE("draws are addressed by item") {
  const JointLaw law = coupled();
  const Stream stream = Stream(13).child("draws");
  Eigen::MatrixXd all(3, 500);
  law.sample(stream, 0, all);
  Eigen::MatrixXd part(3, 100);
  law.sample(stream, 321, part);
  CHECK(part == all.middleCols(321, 100));
}

TEST_CASE("the normal scores have the given correlation") {
  // Fisher: atanh r is normal with standard error 1/√(n−3); level 1e-6 per pair. The wrong law has one correlation moved by 0.06.
  constexpr Index n = 20000;
  const Eigen::MatrixXd r = coupled().correlation();
  Eigen::MatrixXd x(3, n);
  coupled().sample(Stream(14).child("draws"), 0, x);
  const auto p_value = [&](const Eigen::MatrixXd& points, Index i, Index j) {
    Eigen::MatrixXd z(3, n);
    JointLaw(three_inputs()).to_standard(points, z);
    return testing::z_test_p(std::atanh(sample_correlation(z, i, j)), std::atanh(r(i, j)), 1 / std::sqrt(n - 3.0));
  };
  CHECK(p_value(x, 0, 1) > testing::level);
  CHECK(p_value(x, 0, 2) > testing::level);
  CHECK(p_value(x, 1, 2) > testing::level);
  JointLaw(three_inputs(), correlation3(-0.3, 0.44, 0.2)).sample(Stream(14).child("draws"), 0, x);
  CHECK(p_value(x, 0, 2) < testing::level);
}

TEST_CASE("the joint density integrates to the marginal densities") {
  const Eigen::MatrixXd r = (Eigen::MatrixXd(2, 2) << 1, 0.6, 0.6, 1).finished();
  const Marginal first = lognormal_law(0.3, 0.5);
  const Marginal second = gumbel_law(1, 2);
  const JointLaw law({{"a", first}, {"b", second}}, r);
  const auto density = [&](double a, double b) {
    Eigen::VectorXd value(1);
    law.log_density(Eigen::Vector2d(a, b), value);
    return std::exp(value(0));
  };
  using Kronrod = boost::math::quadrature::gauss_kronrod<double, 31>;
  for (const double u : {-2.5, -0.4, 1.0, 3.0}) {
    const double a = first.from_standard(u);
    const double b = second.from_standard(u);
    // beyond 10 sigma there is less than 1e-13 of either conditional law
    CHECK(Kronrod::integrate([&](double y) { return density(a, y); }, second.from_standard(-10), second.from_standard(10), 12, 1e-10) ==
          doctest::Approx(std::exp(first.log_pdf(a))).scale(0).epsilon(1e-8));
    CHECK(Kronrod::integrate([&](double y) { return density(y, b); }, first.from_standard(-10), first.from_standard(10), 12, 1e-10) ==
          doctest::Approx(std::exp(second.log_pdf(b))).scale(0).epsilon(1e-8));
  }
}

TEST_CASE("a copula of normals is the multivariate normal") {
  const JointLaw law({{"a", normal_law(1, 2)}, {"b", normal_law(-3, 0.5)}, {"c", normal_law(0, 1)}}, correlation3(0.7, -0.2, 0.1));
  const Eigen::Vector3d scale(2, 0.5, 1);
  const Eigen::Matrix3d covariance = scale.asDiagonal() * law.correlation() * scale.asDiagonal();
  const Eigen::Vector3d x(2.5, -3.4, 0.7);
  const Eigen::Vector3d centred = x - Eigen::Vector3d(1, -3, 0);
  Eigen::VectorXd value(1);
  law.log_density(x, value);
  const double expected =
      -0.5 * centred.dot(covariance.inverse() * centred) - 0.5 * std::log(covariance.determinant()) - 1.5 * std::log(2 * 3.14159265358979323846);
  CHECK(value(0) == doctest::Approx(expected).scale(0).epsilon(1e-13));
}

TEST_CASE("the density is zero outside the support and NaN points stay NaN") {
  for (const JointLaw& law : {coupled(), JointLaw(three_inputs())}) {
    Eigen::MatrixXd x(3, 3);
    x.col(0) << 10, -1, 0.2;
    x.col(1) << 10, 50, -0.1;
    x.col(2) << NAN, 50, 0.2;
    Eigen::VectorXd value(3);
    law.log_density(x, value);
    CHECK(value(0) == -infinity);
    CHECK(value(1) == -infinity);
    CHECK(std::isnan(value(2)));
    Eigen::MatrixXd u(3, 3);
    law.to_standard(x, u);
    for (Index c = 0; c < 3; ++c) CHECK_FALSE(u.col(c).allFinite());
  }
}

TEST_CASE("the identity correlation is independence") {
  const JointLaw law(three_inputs(), Eigen::MatrixXd::Identity(3, 3));
  CHECK(law.independent());
  CHECK(law.correlation().size() == 0);
}

TEST_CASE("wrong joint laws are refused with the inputs' names") {
  CHECK(refusal({}).key == "inputs");
  CHECK(refusal({{"", Marginal()}}).rule == "must not be empty");
  const ErrorText twice = refusal({{"a", Marginal()}, {"b", Marginal()}, {"a", Marginal()}});
  CHECK(twice.value == "\"a\"");
  CHECK(twice.rule == "is given to two inputs");
  CHECK(refusal(three_inputs(), Eigen::MatrixXd::Identity(2, 2)).rule == "must be 3 x 3");
  for (const double bad : {1.0, -1.0, 1.5, double(NAN), infinity}) {
    const ErrorText error = refusal(three_inputs(), correlation3(0, bad, 0));
    CHECK(error.key == "correlation between \"load\" and \"gap\"");
    CHECK(error.rule == "must be in (-1, 1)");
  }
  Eigen::MatrixXd r = correlation3(0.1, 0.2, 0.3);
  r(2, 1) = 0.4;
  CHECK(refusal(three_inputs(), r).key == "correlation between \"strength\" and \"gap\"");
  r = correlation3(0, 0, 0);
  r(1, 1) = 2;
  CHECK(refusal(three_inputs(), r).key == "correlation of \"strength\" with itself");
  // load goes with strength and strength with gap, so load and gap cannot go against each other
  const ErrorText contradiction = refusal(three_inputs(), correlation3(0.9, -0.9, 0.9));
  CHECK(contradiction.key.starts_with("correlation between"));
  CHECK(contradiction.rule.find("smallest eigenvalue is -0.8") != std::string::npos);
}

TEST_CASE("matrices of the wrong shape are refused before anything is read") {
  const JointLaw law = coupled();
  Eigen::MatrixXd u(2, 5);
  Eigen::MatrixXd x(3, 5);
  Eigen::VectorXd value(4);
  CHECK_THROWS_AS(law.from_standard(u, x), Error);
  CHECK_THROWS_AS(law.to_standard(x, u), Error);
  CHECK_THROWS_AS(law.log_density(x, value), Error);
}
