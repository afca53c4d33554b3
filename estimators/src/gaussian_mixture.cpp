// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/core/constants.hpp>
#include <buffon/estimators/gaussian_mixture.hpp>
#include <buffon/linalg/log_space.hpp>
#include <buffon/linalg/vector_math.hpp>

#include <cmath>
#include <utility>

namespace buffon {
namespace {

using constants::infinity;

Eigen::VectorXd log_probabilities(const std::vector<double>& p) {
  return Eigen::Map<const Eigen::VectorXd>(p.data(), static_cast<Index>(p.size())).array().log();
}

// The columns of x whose weight is positive, and those weights divided by their sum.
std::pair<Eigen::MatrixXd, Eigen::VectorXd> compress(const ConstMatrix& x, const ConstVector& weights) {
  const Index kept = (weights.array() > 0).count();
  Eigen::MatrixXd points(x.rows(), kept);
  Eigen::VectorXd shares(kept);
  Index c = 0;
  for (Index i = 0; i < x.cols(); ++i) {
    if (!(weights(i) > 0)) continue;
    points.col(c) = x.col(i);
    shares(c++) = weights(i);
  }
  shares /= shares.maxCoeff();
  shares /= shares.sum();
  return {std::move(points), std::move(shares)};
}

// Moments of points under weights with positive sum; the mean is taken first, so that nothing cancels.
Gaussian fit_gaussian(const Eigen::MatrixXd& x, const Eigen::VectorXd& weights, const GaussianFit& fit) {
  const double total = weights.sum();
  const Eigen::VectorXd mean = x * weights / total;
  Eigen::MatrixXd centred = x.colwise() - mean;
  const Eigen::VectorXd root = (weights / total).cwiseSqrt();
  centred.array().rowwise() *= root.transpose().array();
  Eigen::MatrixXd covariance = Eigen::MatrixXd::Zero(x.rows(), x.rows());
  if (fit.diagonal) {
    covariance.diagonal() = centred.rowwise().squaredNorm();
  } else {
    covariance.selfadjointView<Eigen::Lower>().rankUpdate(centred);
    covariance.triangularView<Eigen::StrictlyUpper>() = covariance.transpose();
  }
  return Gaussian::from_covariance(mean, covariance, {.diagonal = fit.diagonal, .ridge = fit.ridge, .scale = fit.scale});
}

}  // namespace

void GaussianMixture::log_density(const ConstMatrix& x, MutVector out) const {
  if (parts.size() == 1) {
    parts.front().log_density(x, out);
    return;
  }
  Eigen::MatrixXd terms(static_cast<Index>(parts.size()), x.cols());
  log_densities(parts, x, terms);
  log_sum_exp_columns(terms, log_probabilities(probabilities), out);
}

void GaussianMixture::describe_state(Archive& archive) {
  archive.item("probabilities", probabilities);
  archive.item("parts", parts);
}

GaussianMixture fit_gaussian_mixture(const ConstMatrix& x, const ConstVector& weights, const GaussianFit& fit, const Stream& stream) {
  const auto [points, shares] = compress(x, weights);
  const Index n = points.cols();
  const auto parts = static_cast<Index>(fit.parts);
  if (parts == 1 || n < 2 * parts) return GaussianMixture(fit_gaussian(points, shares, fit));

  // Starting labels: the nearest of `parts` points drawn by weight; drawn again while a label has no point.
  Eigen::VectorXd cumulative(n);
  double sum = 0;
  for (Index i = 0; i < n; ++i) cumulative(i) = sum += shares(i);
  const Eigen::VectorXd unit = fit.scale.cwiseInverse();
  Eigen::MatrixXd membership(n, parts);
  constexpr std::uint64_t most_draws = 100;
  bool complete = false;
  for (std::uint64_t draw = 0; draw < most_draws && !complete; ++draw) {
    Eigen::MatrixXd u(parts, 1);
    stream.uniforms(draw, u);
    Eigen::MatrixXd distance(n, parts);
    for (Index c = 0; c < parts; ++c) {
      Index seed = 0;
      while (seed + 1 < n && cumulative(seed) < u(c, 0) * sum) ++seed;
      distance.col(c) = (unit.transpose() * (points.colwise() - points.col(seed)).cwiseAbs2()).transpose();
    }
    membership.setZero();
    for (Index i = 0; i < n; ++i) {
      Index nearest = 0;
      distance.row(i).minCoeff(&nearest);
      membership(i, nearest) = 1;
    }
    complete = (membership.colwise().sum().array() > 0).all();
  }
  if (!complete) return GaussianMixture(fit_gaussian(points, shares, fit));

  GaussianMixture mixture;
  double last = -infinity;
  for (int iteration = 0; iteration < 500; ++iteration) {
    mixture.probabilities.clear();
    mixture.parts.clear();
    double total = 0;
    for (Index c = 0; c < membership.cols(); ++c) {
      const Eigen::VectorXd part_weights = membership.col(c).cwiseProduct(shares);
      const double share = part_weights.sum();
      if (!(share > 1e-12)) continue;  // an empty part is dropped
      mixture.probabilities.push_back(share);
      mixture.parts.push_back(fit_gaussian(points, part_weights, fit));
      total += share;
    }
    for (double& p : mixture.probabilities) p /= total;

    const auto left = static_cast<Index>(mixture.parts.size());
    const Eigen::VectorXd log_p = log_probabilities(mixture.probabilities);
    Eigen::MatrixXd terms(left, n);
    log_densities(mixture.parts, points, terms);
    Eigen::VectorXd density(n);
    log_sum_exp_columns(terms, log_p, density);
    terms.colwise() += log_p;
    terms.rowwise() -= density.transpose();
    vector_exp({terms.data(), static_cast<std::size_t>(terms.size())}, {terms.data(), static_cast<std::size_t>(terms.size())});
    membership = terms.transpose();
    const double likelihood = shares.dot(density);
    if (std::abs(likelihood - last) < 1e-5 * std::abs(likelihood)) break;
    last = likelihood;
  }
  return mixture;
}

}  // namespace buffon
