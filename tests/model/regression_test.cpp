// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/core/error.hpp>
#include <buffon/model/regression.hpp>
#include <buffon/random/kernel_variant.hpp>
#include <buffon/random/stream.hpp>

#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include <doctest/doctest.h>

using namespace buffon;

namespace {

enum class Family { logistic, poisson, gaussian, known_sigma };
constexpr double sigma = 1.7;

std::shared_ptr<const RegressionLikelihood> likelihood(Family family, const Eigen::VectorXd& y) {
  switch (family) {
    case Family::logistic:
      return logistic_likelihood(y);
    case Family::poisson:
      return poisson_likelihood(y);
    case Family::gaussian:
      return gaussian_likelihood(y);
    case Family::known_sigma:
      return gaussian_likelihood(y, sigma);
  }
  return nullptr;
}

// log p(y | η) in long double, up to the constants that the likelihoods leave out.
long double naive(Family family, const Eigen::VectorXd& y, const Eigen::VectorXd& eta, double log_sigma = 0) {
  long double sum = 0;
  for (Index i = 0; i < y.size(); ++i) {
    const long double e = eta(i), t = y(i) == 1 ? -e : e;
    switch (family) {
      case Family::logistic:
        sum -= t > 0 ? t + std::log1p(std::exp(-t)) : std::log1p(std::exp(t));
        break;
      case Family::poisson:
        sum += y(i) * e - std::exp(e);
        break;
      case Family::gaussian:
        sum += -static_cast<long double>(log_sigma) - 0.5L * (y(i) - e) * (y(i) - e) * std::exp(-2.0L * log_sigma);
        break;
      case Family::known_sigma:
        sum -= 0.5L * (y(i) - e) * (y(i) - e) / (static_cast<long double>(sigma) * sigma);
        break;
    }
  }
  return sum;
}

struct Data {
  Eigen::MatrixXd design;
  Eigen::VectorXd y, offset;
};

Data make_data(Family family, Index n, Index d, std::uint64_t seed) {
  Data data{Eigen::MatrixXd(n, d), Eigen::VectorXd(n), Eigen::VectorXd(n)};
  const Stream stream(seed);
  stream.child("design").normals(0, data.design);
  stream.child("offset").normals(0, Eigen::Map<Eigen::MatrixXd>(data.offset.data(), 1, n));
  Eigen::MatrixXd u(1, n);
  stream.child("response").uniforms(0, u);
  for (Index i = 0; i < n; ++i) data.y(i) = family == Family::logistic ? u(0, i) < 0.4 : family == Family::poisson ? std::floor(4 * u(0, i)) : 3 * u(0, i);
  return data;
}

Eigen::VectorXd normals(std::uint64_t item, Index d) {
  Eigen::MatrixXd z(d, 1);
  Stream(77).normals(item, z);
  return z;
}

constexpr Family families[] = {Family::logistic, Family::poisson, Family::gaussian, Family::known_sigma};

}  // namespace

TEST_CASE("likelihoods equal their formulas in extended precision, for every number of observations around a block and for η up to ±800") {
  for (const Family family : families) {
    for (const Index n : {1, 2, 15, 16, 17, 63, 64, 65, 500, 959, 960, 961, 3000}) {
      const Data data = make_data(family, n, 1, 5);
      const auto model = likelihood(family, data.y);
      for (const double scale : {0.0, 1e-3, 1.0, 20.0, family == Family::poisson ? 100.0 : 250.0}) {
        CAPTURE(static_cast<int>(family));
        CAPTURE(n);
        CAPTURE(scale);
        Eigen::VectorXd eta = scale * data.design.col(0);
        if (scale > 20) {
          eta(0) = family == Family::poisson ? 700 : 800;
          eta(n - 1) = -800;
        }
        const double own = -0.7, value = model->value(eta.data(), &own);
        const double exact = static_cast<double>(naive(family, data.y, eta, own));
        CHECK(std::abs(value - exact) <= 1e-13 * std::max(std::abs(exact), 1.0));
      }
    }
  }
}

TEST_CASE("one observation of logistic regression at extreme η: the exact limits, and no number stays none") {
  const double log_2 = std::log(2.0);
  for (const double y : {0.0, 1.0}) {
    const auto model = logistic_likelihood(Eigen::VectorXd::Constant(1, y));
    const double s = y == 1 ? -1 : 1;
    for (const double t : {800.0, 1e6, 1e300}) {
      double eta = s * t;
      CHECK(model->value(&eta, nullptr) == -t);
      eta = -s * t;
      CHECK(model->value(&eta, nullptr) == 0);
    }
    double eta = 0;
    CHECK(model->value(&eta, nullptr) == doctest::Approx(-log_2).scale(0).epsilon(1e-15));
    eta = std::numeric_limits<double>::quiet_NaN();
    CHECK(std::isnan(model->value(&eta, nullptr)));
  }
  const auto counts = poisson_likelihood(Eigen::VectorXd::Constant(1, 3));
  double eta = 710;
  CHECK(counts->value(&eta, nullptr) == -std::numeric_limits<double>::infinity());
  eta = std::numeric_limits<double>::quiet_NaN();
  CHECK(std::isnan(counts->value(&eta, nullptr)));
}

TEST_CASE("the density is likelihood times prior, and its probe agrees on planes, after turns too") {
  for (const Family family : families) {
    for (const Index n : {7, 64, 500}) {
      CAPTURE(static_cast<int>(family));
      CAPTURE(n);
      constexpr Index d = 6;
      const Data data = make_data(family, n, d, 9);
      const auto model = likelihood(family, data.y);
      const Index dimension = d + model->own_parameters();
      RegressionPrior prior{0.3 * normals(1, dimension), Eigen::VectorXd::LinSpaced(dimension, 0.5, 4)};
      prior.std_dev(2) = std::numeric_limits<double>::infinity();
      const auto density = regression_density(data.design, data.offset, model, prior);
      REQUIRE(density->dimension() == dimension);
      const auto expected = [&](const Eigen::VectorXd& x) {
        const Eigen::VectorXd eta = data.offset + data.design * x.head(d);
        return static_cast<double>(naive(family, data.y, eta, x(dimension - 1))) - 0.5 * (x - prior.mean).cwiseQuotient(prior.std_dev).squaredNorm();
      };
      const Eigen::VectorXd centre = 0.4 * normals(2, dimension), first = 0.4 * normals(3, dimension);
      CHECK(density->at(centre, {}) == doctest::Approx(expected(centre)).scale(0).epsilon(1e-12));
      Eigen::MatrixXd both(dimension, 2);
      both << centre, first;
      Eigen::VectorXd values(2);
      density->evaluate(both, values, {});
      CHECK(values(1) == density->at(first, {}));

      const auto probe = density->probe();
      probe->set_centre(centre);
      probe->set_first(first);
      Eigen::VectorXd x;
      for (std::uint64_t step = 0; step < 50; ++step) {
        probe->set_second(0.4 * normals(10 + step, dimension));
        const double angle = 0.7 * static_cast<double>(step);
        for (const double r : {0.0, 0.5, 1.0, 3.0}) {
          probe->point(r * std::cos(angle), r * std::sin(angle), x);
          CHECK(probe->at(r * std::cos(angle), r * std::sin(angle), {}) == doctest::Approx(expected(x)).scale(0).epsilon(1e-11));
        }
        probe->turn(std::cos(angle), std::sin(angle));
        probe->point(1, 0, x);
        CHECK(probe->at(1, 0, {}) == doctest::Approx(expected(x)).scale(0).epsilon(1e-11));
      }
    }
  }
}

TEST_CASE("a likelihood of one's own works through its values alone") {
  // y_i ~ Laplace(η_i, 1)
  class Laplace final : public RegressionLikelihood {
   public:
    explicit Laplace(Eigen::VectorXd y) : y_(std::move(y)) {}
    Index observations() const override { return y_.size(); }
    double value(const double* eta, const double*) const override {
      double sum = 0;
      for (Index i = 0; i < y_.size(); ++i) sum -= std::abs(y_(i) - eta[i]);
      return sum;
    }

   private:
    Eigen::VectorXd y_;
  };
  const Data data = make_data(Family::gaussian, 70, 3, 2);
  const auto density = regression_density(data.design, {}, std::make_shared<Laplace>(data.y), {Eigen::VectorXd::Zero(3), Eigen::VectorXd::Constant(3, 2)});
  const Eigen::VectorXd x = normals(4, 3), u = normals(5, 3);
  const auto expected = [&](const Eigen::VectorXd& point) { return -(data.y - data.design * point).cwiseAbs().sum() - 0.5 * point.squaredNorm() / 4; };
  CHECK(density->at(x, {}) == doctest::Approx(expected(x)).scale(0).epsilon(1e-13));
  const auto probe = density->probe();
  probe->set_centre(x);
  probe->set_first(u);
  CHECK(probe->at(-0.3, 0, {}) == doctest::Approx(expected(x - 0.3 * u)).scale(0).epsilon(1e-13));
}

TEST_CASE("regression densities have the same bits on every instruction set") {
  const std::string usual(kernel_variant());
  for (const Family family : families) {
    constexpr Index n = 1000, d = 7;
    const Data data = make_data(family, n, d, 3);
    std::vector<double> reference;
    for (const auto variant : available_kernel_variants()) {
      force_kernel_variant(variant);
      const auto model = likelihood(family, data.y);
      const Index dimension = d + model->own_parameters();
      const auto density = regression_density(data.design, data.offset, model, {Eigen::VectorXd::Zero(dimension), Eigen::VectorXd::Constant(dimension, 3)});
      const auto probe = density->probe();
      probe->set_centre(normals(1, dimension));
      probe->set_first(normals(2, dimension));
      probe->set_second(normals(3, dimension));
      std::vector<double> values;
      for (int k = 0; k < 20; ++k) {
        values.push_back(probe->at(0.1 * k, 0.3 - 0.02 * k, {}));
        probe->turn(0.8, 0.6);
      }
      if (reference.empty()) reference = values;
      CAPTURE(std::string(variant));
      CHECK(values == reference);
    }
  }
  force_kernel_variant(usual);
}

TEST_CASE("data and priors that cannot be are refused with their place") {
  const Eigen::MatrixXd design = Eigen::MatrixXd::Ones(3, 2);
  const Eigen::Vector3d y(0, 1, 1);
  const auto model = logistic_likelihood(y);
  const RegressionPrior prior{Eigen::Vector2d(0, 0), Eigen::Vector2d(1, 1)};
  const auto made = [&](const Eigen::MatrixXd& x, const Eigen::VectorXd& offset, const RegressionPrior& p) {
    return [=] { regression_density(x, offset, model, p); };
  };
  const auto refused = [](const std::function<void()>& action, const char* text) { CHECK_THROWS_WITH_AS(action(), doctest::Contains(text), Error); };
  Eigen::MatrixXd hole = design;
  hole(1, 1) = std::numeric_limits<double>::quiet_NaN();
  refused(made(hole, {}, prior), "column 2 of the design(2) = nan");
  refused(made(design.topRows(2), {}, prior), "rows of the design");
  refused(made(design, Eigen::VectorXd::Zero(2), prior), "offset");
  refused(made(design, {}, {Eigen::Vector3d(0, 0, 0), Eigen::Vector2d(1, 1)}), "prior mean");
  refused(made(design, {}, {Eigen::Vector2d(0, 0), Eigen::Vector2d(1, 0)}), "prior standard deviation(2) = 0");
  refused([] { logistic_likelihood(Eigen::Vector2d(0, 2)); }, "y(2) = 2 must be 0 or 1");
  refused([] { poisson_likelihood(Eigen::Vector2d(0, 0.5)); }, "y(2) = 0.5");
  refused([] { gaussian_likelihood(Eigen::Vector2d(0, 1), 0); }, "sigma");
}
