// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/model/regression.hpp>
#include <buffon/parallel/context.hpp>
#include <buffon/random/stream.hpp>
#include <buffon/samplers/hit_and_run_slice.hpp>
#include <buffon/samplers/polar_slice.hpp>

#include <cmath>
#include <functional>

#include <doctest/doctest.h>

using namespace buffon;

namespace {

// Level 1e-6 for every comparison: 4.9 standard errors.
constexpr double level_1e6 = 4.9;

struct Moments2 {
  Eigen::Vector2d mean, second;
};

/// E x_j and E x_j² of a density on the plane by the trapezoidal rule on [−8, 8]², whose error is far below 1e-8 for smooth densities that
/// vanish at the rim.
Moments2 by_quadrature(const std::function<double(double, double)>& log_p) {
  constexpr int cells = 800;
  Moments2 m{Eigen::Vector2d::Zero(), Eigen::Vector2d::Zero()};
  double total = 0;
  const double top = log_p(0, 0);
  for (int i = 0; i <= cells; ++i) {
    for (int j = 0; j <= cells; ++j) {
      const Eigen::Vector2d x(-8 + 16.0 * i / cells, -8 + 16.0 * j / cells);
      const double weight = std::exp(log_p(x(0), x(1)) - top);
      total += weight;
      m.mean += weight * x;
      m.second += weight * x.cwiseAbs2();
    }
  }
  m.mean /= total;
  m.second /= total;
  return m;
}

struct Data {
  Eigen::MatrixXd design;
  Eigen::VectorXd y;
};

Data make_data(bool counts) {
  constexpr Index n = 25;
  Eigen::MatrixXd x(1, n), u(1, n);
  Stream(4).child("design").normals(0, x);
  Stream(4).child("response").uniforms(0, u);
  Data data{Eigen::MatrixXd::Ones(n, 2), Eigen::VectorXd(n)};
  data.design.col(1) = x.transpose();
  for (Index i = 0; i < n; ++i) data.y(i) = counts ? std::floor(3 * u(0, i)) : u(0, i) < 1 / (1 + std::exp(-0.5 - x(0, i))) ? 1 : 0;
  return data;
}

/// Largest deviation of the moments of the chains from those given, in standard errors.
double deviation(const ChainResult& result, const Moments2& exact) {
  double worst = 0;
  for (Index j = 0; j < 2; ++j) {
    const Eigen::MatrixXd x = column_of(result.draws, j), squares = x.cwiseAbs2();
    worst = std::max(worst, std::abs(x.mean() - exact.mean(j)) / mcse_mean(x));
    worst = std::max(worst, std::abs(squares.mean() - exact.second(j)) / mcse_mean(squares));
  }
  return worst;
}

}  // namespace

TEST_CASE("posteriors of logistic and Poisson regression have the moments of quadrature; another prior is told apart") {
  for (const bool counts : {false, true}) {
    CAPTURE(counts);
    const Data data = make_data(counts);
    const auto likelihood = counts ? poisson_likelihood(data.y) : logistic_likelihood(data.y);
    const RegressionPrior prior{Eigen::Vector2d(0.2, 0), Eigen::Vector2d(1.5, 1)};
    // Formulas of the test's own.
    const auto exact_of = [&](double std_dev) {
      return by_quadrature([&, std_dev](double a, double b) {
        double sum = -0.5 * (a - 0.2) * (a - 0.2) / 2.25 - 0.5 * b * b / (std_dev * std_dev);
        for (Index i = 0; i < data.y.size(); ++i) {
          const double eta = a + b * data.design(i, 1);
          sum += counts ? data.y(i) * eta - std::exp(eta) : data.y(i) * eta - std::log1p(std::exp(eta));
        }
        return sum;
      });
    };
    const auto target = std::make_shared<const Target>(regression_density(data.design, {}, likelihood, prior), "beta");
    Context context(2);
    PolarSliceRunOptions polar;
    polar.draws = 20000;
    const ChainResult by_polar = polar_slice(target, polar, Stream(1), context);
    CHECK(deviation(by_polar, exact_of(1)) < level_1e6);
    CHECK(deviation(by_polar, exact_of(1.5)) > level_1e6);
    HitAndRunSliceRunOptions lines;
    lines.draws = 20000;
    CHECK(deviation(hit_and_run_slice(target, lines, Stream(2), context), exact_of(1)) < level_1e6);
  }
}
