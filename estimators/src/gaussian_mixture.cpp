// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/estimators/gaussian_mixture.hpp>
#include <buffon/linalg/vector_math.hpp>

#include <Eigen/Cholesky>

#include <cmath>
#include <limits>
#include <utility>

namespace buffon {
namespace {

constexpr double log_two_pi = 1.8378770664093454836;
constexpr double infinity = std::numeric_limits<double>::infinity();

std::span<double> span_of(MutVector v) { return {v.data(), static_cast<std::size_t>(v.size())}; }

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
GaussianPart fit_compressed(const Eigen::MatrixXd& x, const Eigen::VectorXd& weights, const GaussianFit& fit) {
  const double total = weights.sum();
  const Eigen::VectorXd mean = x * weights / total;
  Eigen::MatrixXd centred = x.colwise() - mean;
  const Eigen::VectorXd root = (weights / total).cwiseSqrt();
  centred.array().rowwise() *= root.transpose().array();
  if (fit.diagonal) return GaussianPart(mean, (centred.rowwise().squaredNorm() + fit.ridge).cwiseSqrt());
  Eigen::MatrixXd covariance = Eigen::MatrixXd::Zero(x.rows(), x.rows());
  covariance.selfadjointView<Eigen::Lower>().rankUpdate(centred);
  for (double factor = 1;; factor *= 10) {
    Eigen::MatrixXd raised = covariance;
    raised.diagonal() += factor * fit.ridge;
    const Eigen::LLT<Eigen::MatrixXd, Eigen::Lower> cholesky(raised);
    if (cholesky.info() == Eigen::Success) return GaussianPart(mean, cholesky.matrixL());
  }
}

}  // namespace

GaussianPart::GaussianPart(Eigen::VectorXd mean, Eigen::MatrixXd factor) : mean_(std::move(mean)), factor_(std::move(factor)) { prepare(); }

void GaussianPart::prepare() {
  const auto sizes = diagonal() ? Eigen::VectorXd(factor_.col(0)) : Eigen::VectorXd(factor_.diagonal());
  log_norm_ = -0.5 * static_cast<double>(mean_.size()) * log_two_pi;
  for (const double s : sizes) log_norm_ -= std::log(s);
}

void GaussianPart::log_density_rows(const ConstMatrix& points, MutMatrix work, MutVector log_density) const {
  log_density.setZero();
  for (Index r = 0; r < size(); ++r) {  // forward substitution z = L⁻¹ (x − μ), coordinate by coordinate for all points
    auto z = work.col(r).array();
    z = points.col(r).array() - mean_(r);
    if (!diagonal() || size() == 1) {
      for (Index k = 0; k < r; ++k) z -= factor_(r, k) * work.col(k).array();
      z /= factor_(r, r);
    } else {
      z /= factor_(r, 0);
    }
    log_density.array() += z.square();
  }
  log_density.array() = log_norm_ - 0.5 * log_density.array();
}

void GaussianPart::transform(const ConstVector& z, MutVector x) const {
  if (diagonal()) {
    x = mean_ + factor_.col(0).cwiseProduct(z);
  } else {
    for (Index r = 0; r < size(); ++r) x(r) = mean_(r) + factor_.row(r).head(r + 1).dot(z.head(r + 1));
  }
}

void GaussianPart::describe_state(Archive& archive) {
  archive.item("mean", mean_);
  archive.item("factor", factor_);
  if (archive.loading()) prepare();
}

void GaussianMixture::log_density_rows(const ConstMatrix& points, MutMatrix work, MutVector log_density) const {
  parts.front().log_density_rows(points, work, log_density);
  if (parts.size() == 1) return;
  Eigen::MatrixXd terms(points.rows(), static_cast<Index>(parts.size()));
  for (std::size_t c = 0; c < parts.size(); ++c) {
    auto column = terms.col(static_cast<Index>(c));
    parts[c].log_density_rows(points, work, column);
    column.array() += std::log(probabilities[c]);
  }
  const Eigen::VectorXd peak = terms.rowwise().maxCoeff();
  terms.colwise() -= peak;
  vector_exp({terms.data(), static_cast<std::size_t>(terms.size())}, {terms.data(), static_cast<std::size_t>(terms.size())});
  log_density = terms.rowwise().sum();
  vector_log(span_of(log_density), span_of(log_density));
  log_density += peak;
}

void GaussianMixture::describe_state(Archive& archive) {
  archive.item("probabilities", probabilities);
  archive.item("parts", parts);
}

GaussianPart fit_gaussian(const ConstMatrix& x, const ConstVector& weights, const GaussianFit& fit) {
  const auto [points, shares] = compress(x, weights);
  return fit_compressed(points, shares, fit);
}

GaussianMixture fit_gaussian_mixture(const ConstMatrix& x, const ConstVector& weights, const GaussianFit& fit, const Stream& stream) {
  const auto [points, shares] = compress(x, weights);
  const Index n = points.cols();
  const auto parts = static_cast<Index>(fit.parts);
  if (parts == 1 || n < 2 * parts) return GaussianMixture(fit_compressed(points, shares, fit));

  // Starting labels: the nearest of `parts` points drawn by weight; drawn again while a label has no point.
  Eigen::VectorXd cumulative(n);
  double sum = 0;
  for (Index i = 0; i < n; ++i) cumulative(i) = sum += shares(i);
  const Eigen::VectorXd unit = fit.ridge.cwiseInverse();
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
  if (!complete) return GaussianMixture(fit_compressed(points, shares, fit));

  GaussianMixture mixture;
  const Eigen::MatrixXd rows = points.transpose();
  Eigen::MatrixXd work(n, points.rows());
  double last = -infinity;
  for (int iteration = 0; iteration < 500; ++iteration) {
    mixture.probabilities.clear();
    mixture.parts.clear();
    for (Index c = 0; c < membership.cols(); ++c) {
      const Eigen::VectorXd part_weights = membership.col(c).cwiseProduct(shares);
      const double share = part_weights.sum();
      if (!(share > 1e-12)) continue;  // an empty part is dropped
      mixture.probabilities.push_back(share);
      mixture.parts.push_back(fit_compressed(points, part_weights, fit));
    }
    double total = 0;
    for (const double p : mixture.probabilities) total += p;
    for (double& p : mixture.probabilities) p /= total;

    membership.resize(n, static_cast<Index>(mixture.parts.size()));
    for (Index c = 0; c < membership.cols(); ++c) {
      mixture.parts[static_cast<std::size_t>(c)].log_density_rows(rows, work, membership.col(c));
      membership.col(c).array() += std::log(mixture.probabilities[static_cast<std::size_t>(c)]);
    }
    const Eigen::VectorXd peak = membership.rowwise().maxCoeff();
    membership.colwise() -= peak;
    vector_exp({membership.data(), static_cast<std::size_t>(membership.size())}, {membership.data(), static_cast<std::size_t>(membership.size())});
    Eigen::VectorXd density = membership.rowwise().sum();
    membership.array().colwise() /= density.array();
    vector_log(span_of(density), span_of(density));
    const double likelihood = shares.dot(density + peak);
    if (std::abs(likelihood - last) < 1e-5 * std::abs(likelihood)) break;
    last = likelihood;
  }
  return mixture;
}

}  // namespace buffon
