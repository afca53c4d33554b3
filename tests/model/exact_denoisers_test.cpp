// SPDX-License-Identifier: BSD-3-Clause
// Exact denoisers against formulas written out here, on both CPU backends, in both types, at all levels of noise.
#include <buffon/core/error.hpp>
#include <buffon/model/exact_denoisers.hpp>

#include <doctest/doctest.h>

#include <Eigen/Dense>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "statistical.hpp"

using namespace buffon;

namespace {

/// Σ w_k N(m_k, S_k), by the textbook.
struct Law {
  Eigen::VectorXd weights;
  Eigen::MatrixXd means;
  std::vector<Eigen::MatrixXd> covariances;

  Eigen::VectorXd log_terms(const Eigen::VectorXd& x, const NoiseLevel& l) const {
    Eigen::VectorXd terms(weights.size());
    for (Index k = 0; k < weights.size(); ++k) {
      const Eigen::LLT<Eigen::MatrixXd> root(spread(k, l));
      const Eigen::VectorXd off = x - l.alpha * means.col(k);
      terms(k) = std::log(weights(k)) - 0.5 * off.dot(root.solve(off)) - Eigen::MatrixXd(root.matrixL()).diagonal().array().log().sum();
    }
    return terms;
  }
  double log_density(const Eigen::VectorXd& x, const NoiseLevel& l) const {
    const Eigen::VectorXd terms = log_terms(x, l);
    return terms.maxCoeff() + std::log((terms.array() - terms.maxCoeff()).exp().sum());
  }
  Eigen::VectorXd data(const Eigen::VectorXd& x, const NoiseLevel& l) const {
    const Eigen::VectorXd terms = log_terms(x, l);
    Eigen::VectorXd shares = (terms.array() - terms.maxCoeff()).exp(), sum = Eigen::VectorXd::Zero(x.size());
    shares /= shares.sum();
    for (Index k = 0; k < shares.size(); ++k) {
      sum += shares(k) * (means.col(k) + l.alpha * covariances[static_cast<std::size_t>(k)] * spread(k, l).llt().solve(x - l.alpha * means.col(k)));
    }
    return sum;
  }

 private:
  Eigen::MatrixXd spread(Index k, const NoiseLevel& l) const {
    return l.alpha * l.alpha * covariances[static_cast<std::size_t>(k)] + l.sigma * l.sigma * Eigen::MatrixXd::Identity(means.rows(), means.rows());
  }
};

NoiseLevel level(double alpha, double sigma) { return {sigma, alpha, sigma, std::log(alpha / sigma)}; }

Eigen::MatrixXd normals(Index rows, Index columns, std::uint64_t seed) {
  Eigen::MatrixXd z(rows, columns);
  Stream(seed).normals(0, z);
  return z;
}

Law some_law(Index n, Index count, const std::string& kind) {
  Law law{Eigen::VectorXd(count), 2 * normals(n, count, 4), {}};
  for (Index k = 0; k < count; ++k) {
    law.weights(k) = 1.0 + static_cast<double>(k % 3);
    const Eigen::MatrixXd a = normals(n, n, 100 + static_cast<std::uint64_t>(k));
    const double spread = kind == "shared" ? 0.3 : 0.1 + 0.2 * static_cast<double>(k % 4);
    law.covariances.push_back(kind == "general" ? Eigen::MatrixXd(0.1 * a * a.transpose()) : Eigen::MatrixXd(spread * Eigen::MatrixXd::Identity(n, n)));
  }
  law.weights /= law.weights.sum();
  return law;
}

std::shared_ptr<const ExactDenoiser> denoiser_of(const Law& law, const std::string& kind) {
  if (kind == "general") return mixture_denoiser(law.weights, law.means, law.covariances);
  Eigen::VectorXd variances(law.weights.size());
  for (Index k = 0; k < variances.size(); ++k) variances(k) = law.covariances[static_cast<std::size_t>(k)](0, 0);
  return mixture_denoiser(law.weights, law.means, variances);
}

Eigen::MatrixXd asked(const Denoiser& denoiser, const Eigen::MatrixXd& x, std::span<const NoiseLevel> levels, buffon_type type = BUFFON_F64,
                      const std::string& device = "cpu", std::span<const std::int32_t> labels = {}) {
  backend::Queue queue(backend::Device::open(device), 1);
  const auto work = denoiser.on(queue, x.cols(), type);
  const backend::Matrix states(queue.device(), x.rows(), x.cols(), type), answers(queue.device(), x.rows(), x.cols(), type);
  queue.upload(states, x);
  (*work)({states, levels, labels}, answers);
  return queue.download(answers);
}
Eigen::MatrixXd asked(const Denoiser& denoiser, const Eigen::MatrixXd& x, const NoiseLevel& level, buffon_type type = BUFFON_F64,
                      const std::string& device = "cpu", std::span<const std::int32_t> labels = {}) {
  return asked(denoiser, x, {&level, 1}, type, device, labels);
}

/// Largest difference relative to the size of the data.
double far(const Eigen::MatrixXd& ours, const Eigen::MatrixXd& wanted) { return ((ours - wanted).array().abs() / (1 + wanted.array().abs())).maxCoeff(); }

const std::vector<NoiseLevel>& levels() {
  static const std::vector<NoiseLevel> all = {level(0, 1),     level(0.05, 0.999), level(0.5, 0.8), level(1, 80),
                                              level(0.9, 0.3), level(1, 0.05),     level(1, 1e-3),  level(1, 1e-6)};
  return all;
}

/// States as they occur at a level.
Eigen::MatrixXd states(const ExactDenoiser& denoiser, const NoiseLevel& l, Index count) {
  Eigen::MatrixXd x(denoiser.dimension(), count);
  denoiser.sample(Stream(12), 0, l, x);
  return x;
}

}  // namespace

TEST_CASE("exact denoisers give the textbook's E[x0 | x]") {
  for (const char* kind : {"general", "shared", "varied"}) {
    for (const Index n : {1, 2, 5, 13}) {
      const Index count = n == 13 ? 40 : n + 1;
      const Law law = some_law(n, count, kind);
      const auto denoiser = denoiser_of(law, kind);
      for (const NoiseLevel& l : levels()) {
        CAPTURE(kind);
        CAPTURE(n);
        CAPTURE(l.sigma);
        const Eigen::MatrixXd x = states(*denoiser, l, 20);
        Eigen::MatrixXd wanted(n, 20);
        for (Index c = 0; c < 20; ++c) wanted.col(c) = law.data(x.col(c), l);
        // The covariances are not nearly singular beside sigma², but for general ones at small sigma, where both lose digits.
        const Eigen::MatrixXd ours = asked(*denoiser, x, l);
        CHECK(far(ours, wanted) < (std::string(kind) == "general" ? 1e-9 : 1e-11));
        CHECK(asked(*denoiser, x, l, BUFFON_F64, "cpu:reference") == ours);
        // In float32 x itself is known to 6e-8, and the answer moves alpha d / v times as much, at most 1 / alpha.
        if (l.alpha > 0.4 || l.alpha == 0) CHECK(far(asked(*denoiser, x, l, BUFFON_F32), wanted) < 3e-4);
        CHECK(asked(*denoiser, x, l, BUFFON_F32) == asked(*denoiser, x, l, BUFFON_F32, "cpu:reference"));
      }
    }
  }
}

TEST_CASE("the denoiser is (x + sigma² score) / alpha, and other formulas are not") {
  for (const char* kind : {"general", "shared", "varied"}) {
    const Law law = some_law(3, 4, kind);
    const auto denoiser = denoiser_of(law, kind);
    for (const NoiseLevel& l : {level(0.5, 0.8), level(0.9, 0.3), level(1, 2)}) {
      const Eigen::MatrixXd x = states(*denoiser, l, 10), ours = asked(*denoiser, x, l);
      double tweedie = 0, without_square = 0;
      for (Index c = 0; c < 10; ++c) {
        for (Index j = 0; j < 3; ++j) {
          const double h = 1e-4;
          Eigen::VectorXd above = x.col(c), below = x.col(c);
          above(j) += h;
          below(j) -= h;
          const double score = (law.log_density(above, l) - law.log_density(below, l)) / (2 * h);
          tweedie = std::max(tweedie, std::abs((x(j, c) + l.sigma * l.sigma * score) / l.alpha - ours(j, c)));
          without_square = std::max(without_square, std::abs((x(j, c) + l.sigma * score) / l.alpha - ours(j, c)));
        }
      }
      CHECK(tweedie < 1e-6);  // h² times third derivatives
      CHECK(without_square > 1e-2);
    }
  }
}

TEST_CASE("weights, determinants and covariances all count") {
  const NoiseLevel l = level(0.8, 0.6);
  const Law law = some_law(3, 4, "general");
  const Eigen::MatrixXd x = states(*denoiser_of(law, "general"), l, 20), ours = asked(*denoiser_of(law, "general"), x, l);
  Law equal = law;
  equal.weights.setConstant(0.25);
  CHECK(far(asked(*denoiser_of(equal, "general"), x, l), ours) > 1e-3);
  Law exchanged = law;
  std::swap(exchanged.covariances[0], exchanged.covariances[1]);
  CHECK(far(asked(*denoiser_of(exchanged, "general"), x, l), ours) > 1e-2);
  CHECK(far(asked(*denoiser_of(law, "general"), x, level(0.8, 0.62)), ours) > 1e-3);
}

TEST_CASE("independent coordinates and a rotation change nothing") {
  // G3 beside four independent normals, turned at random: D(Q x) = Q D(x).
  const auto plane = named_denoiser("g3");
  const Index n = 6;
  Law law{Eigen::Vector3d(0.5, 0.3, 0.2), Eigen::MatrixXd::Zero(n, 3), std::vector<Eigen::MatrixXd>(3, Eigen::MatrixXd::Identity(n, n))};
  law.means.topRows(2) << 1, -1, 0.2, 0.5, 0.8, -1.2;
  law.covariances[0].topLeftCorner(2, 2) << 0.20, 0.05, 0.05, 0.10;
  law.covariances[1].topLeftCorner(2, 2) << 0.10, -0.03, -0.03, 0.15;
  law.covariances[2].topLeftCorner(2, 2) << 0.15, 0, 0, 0.08;
  const Eigen::MatrixXd turn = Eigen::HouseholderQR<Eigen::MatrixXd>(normals(n, n, 7)).householderQ();
  law.means = turn * law.means;
  for (Eigen::MatrixXd& s : law.covariances) s = (turn * s * turn.transpose()).selfadjointView<Eigen::Lower>();
  const auto padded = denoiser_of(law, "general");
  for (const NoiseLevel& l : {level(0.1, 0.99), level(0.7, 0.7), level(0.999, 0.04)}) {
    const Eigen::MatrixXd x = turn.transpose() * states(*padded, l, 30), whole = turn.transpose() * asked(*padded, turn * x, l);
    CHECK(far(whole.topRows(2), asked(*plane, x.topRows(2), l)) < 1e-11);
    CHECK(far(whole.bottomRows(4), x.bottomRows(4) * l.alpha / (l.alpha * l.alpha + l.sigma * l.sigma)) < 1e-11);
  }
}

TEST_CASE("one Gaussian: diagonal and full covariances agree, and the flow is a formula") {
  const Eigen::VectorXd mean = Eigen::Vector3d(0.5, -1, 0.2), variances = Eigen::Vector3d(1, 0.25, 0);
  const auto diagonal = gaussian_denoiser(mean, variances), full = gaussian_denoiser(mean, Eigen::MatrixXd(variances.asDiagonal()));
  for (const NoiseLevel& l : levels()) {
    const Eigen::MatrixXd x = states(*diagonal, l, 10);
    CHECK(far(asked(*diagonal, x, l), asked(*full, x, l)) < 1e-12);
  }
  // dx/dlambda along the endpoints is what the denoiser says: for alpha = 1, dx/dsigma = (x − D) / sigma.
  const Eigen::MatrixXd a = normals(3, 3, 2);
  const auto turned = gaussian_denoiser(mean, Eigen::MatrixXd(a * a.transpose()));
  const Eigen::MatrixXd x = normals(3, 10, 3);
  const double sigma = 0.7, h = 1e-5;
  const Eigen::MatrixXd ahead = *turned->endpoints(x, level(1, sigma), level(1, sigma + h)),
                        behind = *turned->endpoints(x, level(1, sigma), level(1, sigma - h));
  CHECK(far((ahead - behind) / (2 * h), (x - asked(*turned, x, level(1, sigma))) / sigma) < 1e-8);
  CHECK(!named_denoiser("g3")->endpoints(x.topRows(2), level(1, 1), level(1, 0.5)).has_value());
}

TEST_CASE("labels choose components, -1 the whole mixture") {
  for (const char* kind : {"general", "shared", "varied"}) {
    CAPTURE(kind);
    const Law law = some_law(4, 5, kind);
    const auto denoiser = denoiser_of(law, kind);
    CHECK(denoiser->classes() == 5);
    const std::vector<std::int32_t> labels = {3, -1, 0, 4, -1};
    for (const NoiseLevel& l : {level(0.6, 0.8), level(1, 1e-4)}) {
      const Eigen::MatrixXd x = states(*denoiser, l, 5), ours = asked(*denoiser, x, l, BUFFON_F64, "cpu", labels), whole = asked(*denoiser, x, l);
      for (Index c = 0; c < 5; ++c) {
        const std::int32_t label = labels[static_cast<std::size_t>(c)];
        if (label < 0) {
          CHECK(ours.col(c) == whole.col(c));
          continue;
        }
        const auto alone = gaussian_denoiser(law.means.col(label), law.covariances[static_cast<std::size_t>(label)]);
        CHECK(far(ours.col(c), asked(*alone, x.col(c), l)) < 1e-10);
      }
    }
    const std::vector<std::int32_t> wrong = {5};
    CHECK_THROWS_WITH_AS(asked(*denoiser, Eigen::MatrixXd::Zero(4, 1), level(1, 1), BUFFON_F64, "cpu", wrong), doctest::Contains("label = 5 must be below 5"),
                         Error);
  }
}

TEST_CASE("points without deviation draw every state onto the nearest of them") {
  const Eigen::MatrixXd points = normals(6, 200, 5);
  const auto denoiser = points_denoiser(points);
  CHECK(denoiser->classes() == 0);
  for (const buffon_type type : {BUFFON_F32, BUFFON_F64}) {
    const NoiseLevel l = level(1, 1e-4);
    const Eigen::MatrixXd x = points.leftCols(50) + 1e-4 * normals(6, 50, 6);
    CHECK(far(asked(*denoiser, x, l, type), points.leftCols(50)) < (type == BUFFON_F32 ? 2e-7 : 1e-14));
  }
  // Far up the answer is the mean of all; at sigma = 0 the state itself.
  CHECK(far(asked(*denoiser, normals(6, 3, 8), level(0, 1)), points.rowwise().mean().replicate(1, 3)) < 1e-13);
  CHECK(asked(*denoiser, points.leftCols(3), level(1, 0)) == points.leftCols(3));
}

TEST_CASE("every column may have a level of its own") {
  for (const char* kind : {"general", "shared", "varied"}) {
    const Law law = some_law(3, 4, kind);
    const auto denoiser = denoiser_of(law, kind);
    const std::vector<NoiseLevel> each = {level(0.5, 0.8), level(0.5, 0.8), level(1, 1e-3), level(0.9, 0.3), level(1, 0), level(0.5, 0.8)};
    const Eigen::MatrixXd x = normals(3, 6, 9), ours = asked(*denoiser, x, each);
    for (Index c = 0; c < 6; ++c) CHECK(ours.col(c) == asked(*denoiser, x.col(c), each[static_cast<std::size_t>(c)]));
  }
}

TEST_CASE("draws of a mixture have its mean and covariance at every level") {
  const Index count = 100000;
  for (const char* name : {"g3", "f4", "p2"}) {
    CAPTURE(name);
    const auto denoiser = named_denoiser(name);
    for (const NoiseLevel& l : {level(1, 0), level(0.6, 0.8)}) {
      Eigen::MatrixXd x(2, count);
      denoiser->sample(Stream(3), 0, l, x);
      const Eigen::VectorXd mean = l.alpha * denoiser->mean();
      const Eigen::MatrixXd covariance = l.alpha * l.alpha * denoiser->covariance() + l.sigma * l.sigma * Eigen::Matrix2d::Identity();
      // 30 checks of level 1e-6.
      const auto p = [&](Index i, Index j, double expected) {
        const Eigen::VectorXd products = (x.row(i).array() - mean(i)) * (x.row(j).array() - mean(j));
        return testing::mean_p({products.data(), static_cast<std::size_t>(products.size())}, expected);
      };
      for (Index i = 0; i < 2; ++i) {
        const Eigen::VectorXd row = x.row(i);
        CHECK(testing::mean_p({row.data(), static_cast<std::size_t>(row.size())}, mean(i)) > testing::level / 30);
        for (Index j = 0; j <= i; ++j) CHECK(p(i, j, covariance(i, j)) > testing::level / 30);
      }
      CHECK(p(0, 0, 1.05 * covariance(0, 0)) < testing::level / 30);
    }
  }
  // G3's moments in closed form.
  CHECK(far(named_denoiser("g3")->mean(), Eigen::Vector2d(0.24, 0.25)) < 1e-15);
  Eigen::Matrix2d covariance;
  covariance << 0.9104, -0.082, -0.082, 0.6535;
  CHECK(far(named_denoiser("g3")->covariance(), covariance) < 1e-14);
}

TEST_CASE("models that cannot be are refused") {
  const Eigen::VectorXd two = Eigen::Vector2d(0.5, 0.5), zero = Eigen::Vector2d(0.5, 0);
  const Eigen::MatrixXd means = normals(3, 2, 1);
  Eigen::MatrixXd skew = Eigen::MatrixXd::Identity(3, 3), negative = Eigen::MatrixXd::Identity(3, 3);
  skew(0, 1) = 0.1;
  negative(2, 2) = -1;
  const Eigen::VectorXd mean = means.col(0), short_one = Eigen::VectorXd::Ones(2);
  CHECK_THROWS_WITH_AS(mixture_denoiser(zero, means, two), doctest::Contains("weights[1] = 0 must be finite and greater than 0"), Error);
  CHECK_THROWS_WITH_AS(mixture_denoiser(two, means, short_one.head(1).eval()), doctest::Contains("variances"), Error);
  CHECK_THROWS_WITH_AS(mixture_denoiser(two, means, std::vector<Eigen::MatrixXd>{skew, skew}),
                       doctest::Contains("covariances[0] = a matrix must be finite and symmetric"), Error);
  CHECK_THROWS_WITH_AS(gaussian_denoiser(mean, negative), doctest::Contains("no eigenvalue below 0"), Error);
  CHECK_THROWS_WITH_AS(gaussian_denoiser(mean, short_one), doctest::Contains("variances = 2 numbers must be 3"), Error);
  CHECK_THROWS_WITH_AS(points_denoiser(means, -1), doctest::Contains("deviation = -1"), Error);
  CHECK_THROWS_WITH_AS(points_denoiser(Eigen::MatrixXd(3, 0)), doctest::Contains("must not be empty"), Error);
  CHECK_THROWS_WITH_AS(named_denoiser("g4"), doctest::Contains("take one of g3, f4, p1, p2, t1"), Error);
}
