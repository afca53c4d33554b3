// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/estimators/mixture_weights.hpp>
#include <buffon/random/stream.hpp>

#include <doctest/doctest.h>

#include <cmath>

using namespace buffon;

namespace {

// 8 random densities at 500 points.
struct Random {
  Eigen::MatrixXd ratios;
  Eigen::VectorXd costs;
  Random() {
    Eigen::MatrixXd u(8, 500), c(1, 500);
    Stream(4).peek("ratios").uniforms(0, u);
    Stream(4).peek("costs").uniforms(0, c);
    ratios = (-8 * u.transpose().array()).exp();
    costs = c.row(0).transpose();
  }
};

const Eigen::VectorXd equal_start = Eigen::VectorXd::Constant(8, 0.125);

}  // namespace

TEST_CASE("the update of the mixture weights never raises the criterion and stays in the simplex") {
  const auto [ratios, costs] = Random();
  Context context(2);
  const MixtureWeights best = minimise_mixture_weights(context, ratios, costs, equal_start);
  REQUIRE(best.values.size() > 2);
  for (std::size_t i = 1; i < best.values.size(); ++i) CHECK(best.values[i] <= best.values[i - 1]);
  CHECK(best.alpha.sum() == doctest::Approx(1).scale(0).epsilon(1e-14));
  CHECK(best.alpha.minCoeff() > 8e-12);
  // At the minimum over the simplex the pulls A_j are equal on the support and no larger elsewhere.
  const Eigen::VectorXd mixture = ratios * best.alpha;
  const Eigen::VectorXd pull = ratios.transpose() * costs.cwiseQuotient(mixture.cwiseAbs2());
  const double value = costs.cwiseQuotient(mixture).sum();
  for (Index j = 0; j < 8; ++j) CHECK(pull(j) <= 1.02 * value);
}

TEST_CASE("densities that share no point get weights as the square roots of their costs") {
  // F = Σ_j C_j / α_j with C_j the costs where density j lives: the minimum over the simplex is α_j = √C_j / Σ √C.
  Eigen::MatrixXd ratios = Eigen::MatrixXd::Zero(6, 3);
  Eigen::VectorXd costs(6);
  costs << 1, 3, 10, 15, 0, 0;
  for (Index i = 0; i < 6; ++i) ratios(i, i / 2) = 1;
  Context context(1);
  const Eigen::VectorXd alpha = minimise_mixture_weights(context, ratios, costs, Eigen::Vector3d(0.2, 0.2, 0.6)).alpha;
  CHECK(alpha(0) == doctest::Approx(2.0 / 7).scale(0).epsilon(1e-6));
  CHECK(alpha(1) == doctest::Approx(5.0 / 7).scale(0).epsilon(1e-6));
  CHECK(alpha(2) < 1e-6);  // lives where nothing costs
  CHECK(alpha(2) > 0);     // but stays in the mixture
  // Weights as the costs themselves, 4/29 and 25/29, are another answer.
  CHECK(std::abs(alpha(0) - 4.0 / 29) > 0.1);
}

TEST_CASE("a density that is larger everywhere takes all of the weight") {
  Eigen::MatrixXd ratios(4, 2);
  ratios << 1, 2, 0.5, 3, 1, 1.5, 2, 2.5;
  Context context(1);
  const MixtureWeights best = minimise_mixture_weights(context, ratios, Eigen::Vector4d::Ones(), Eigen::Vector2d(0.5, 0.5));
  CHECK(best.alpha(1) > 1 - 1e-6);
  CHECK(best.values.back() < best.values.front());
}

TEST_CASE("without costs the start is kept") {
  Context context(1);
  const MixtureWeights best = minimise_mixture_weights(context, Eigen::MatrixXd::Ones(5, 2), Eigen::VectorXd::Zero(5), Eigen::Vector2d(0.3, 0.7));
  CHECK(best.alpha(0) == doctest::Approx(0.3));
  CHECK(best.values.empty());
}

TEST_CASE("the unit of the costs does not matter, nor the number of threads") {
  const auto [ratios, costs] = Random();
  Context one(1);
  const Eigen::VectorXd alpha = minimise_mixture_weights(one, ratios, costs, equal_start).alpha;
  for (const double unit : {0x1p+900, 0x1p-900}) CHECK((minimise_mixture_weights(one, ratios, unit * costs, equal_start).alpha.array() == alpha.array()).all());
  for (const int threads : {2, 3, 8}) {
    Context context(threads);
    CHECK((minimise_mixture_weights(context, ratios, costs, equal_start).alpha.array() == alpha.array()).all());
  }
}
