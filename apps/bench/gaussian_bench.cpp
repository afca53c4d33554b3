// SPDX-License-Identifier: BSD-3-Clause
// Log densities of J normal laws at n points, and the log density of their mixture: the loop that adaptive importance sampling
// with many components spends its time in; then co-moments of 100 components. Against the same work written with Eigen.
#include <buffon/linalg/gaussian.hpp>
#include <buffon/linalg/log_space.hpp>
#include <buffon/random/kernel_variant.hpp>
#include <buffon/random/stream.hpp>
#include <buffon/stats/accumulators.hpp>

#include <Eigen/Cholesky>

#include <cmath>
#include <string>
#include <vector>

#include "interleave.hpp"

using namespace buffon;

int main(int argc, char** argv) {
  bench::Report report("gaussian_bench", argc, argv);
  const Index n = 2000, count = 100;
  const double pairs = 1e-6 * static_cast<double>(n * count);
  for (const Index d : {6, 12, 20}) {
    std::vector<Gaussian> laws;
    Eigen::MatrixXd x(d, n), out(count, n);
    Stream(1).normals(0, x);
    for (Index j = 0; j < count; ++j) {
      Eigen::MatrixXd a(d, d);
      Stream(2).normals(static_cast<std::uint64_t>(j * d), a);
      laws.push_back(Gaussian::from_covariance(x.col(j), a * a.transpose() + Eigen::MatrixXd::Identity(d, d)));
    }
    const double half_log_2pi = 0.5 * static_cast<double>(d) * std::log(2 * M_PI);
    const auto batch = [&] {
      for (Index j = 0; j < count; ++j) {
        const auto& g = laws[static_cast<std::size_t>(j)];
        const Eigen::MatrixXd z = g.lower().triangularView<Eigen::Lower>().solve(x.colwise() - g.mean());
        out.row(j) = -half_log_2pi - 0.5 * g.log_determinant() - 0.5 * z.colwise().squaredNorm().array();
      }
    };
    const auto single = [&] {
      for (Index c = 0; c < n; ++c) {
        for (Index j = 0; j < count; ++j) {
          const auto& g = laws[static_cast<std::size_t>(j)];
          const Eigen::VectorXd z = g.lower().triangularView<Eigen::Lower>().solve(x.col(c) - g.mean());
          out(j, c) = -half_log_2pi - 0.5 * g.log_determinant() - 0.5 * z.squaredNorm();
        }
      }
    };
    for (const auto variant : available_kernel_variants()) {
      force_kernel_variant(variant);
      report.compare("log densities, " + std::string(variant) + ", 100 laws, d = " + std::to_string(d), "M/s", pairs,
                     {{"log_densities", [&] { log_densities(laws, x, out); }}, {"Eigen, solve of the whole batch", batch}, {"Eigen, point by point", single}});
    }
  }

  Eigen::MatrixXd terms(count, n);
  Stream(4).normals(0, terms);
  terms *= 10;
  const Eigen::VectorXd weights = Eigen::VectorXd::Constant(count, -std::log(static_cast<double>(count)));
  Eigen::VectorXd mixture(n);
  report.compare("log of sums of 100 exponentials", "M/s", pairs,
                 {{"log_sum_exp_columns", [&] { log_sum_exp_columns(terms, weights, mixture); }}, {"std::exp, column by column", [&] {
                                                                                                     for (Index c = 0; c < n; ++c) {
                                                                                                       const double m = (terms.col(c) + weights).maxCoeff();
                                                                                                       double s = 0;
                                                                                                       for (Index j = 0; j < count; ++j)
                                                                                                         s += std::exp(terms(j, c) + weights[j] - m);
                                                                                                       mixture[c] = m + std::log(s);
                                                                                                     }
                                                                                                   }}});

  Eigen::MatrixXd c(count, count);
  report.compare("co-moments of 100 components", "M points/s", 1e-6 * static_cast<double>(n),
                 {{"CovarianceAccumulator",
                   [&] {
                     CovarianceAccumulator sums;
                     sums.add(terms);
                   }},
                  {"Eigen, centred rank update", [&] {
                     const Eigen::MatrixXd z = terms.colwise() - terms.rowwise().mean().eval();
                     c.setZero();
                     c.selfadjointView<Eigen::Lower>().rankUpdate(z);
                   }}});
  return report.finish();
}
