// SPDX-License-Identifier: BSD-3-Clause
#include "sample_moments.hpp"

#include <buffon/core/archive.hpp>
#include <buffon/core/constants.hpp>
#include <buffon/parallel/blocks.hpp>

#include <algorithm>
#include <cmath>

#include <Eigen/Eigenvalues>

namespace buffon {
namespace {

using constants::nan;
constexpr std::int64_t block_samples = 1024;

std::vector<double> list_of(const Eigen::VectorXd& v) { return {v.data(), v.data() + v.size()}; }

/// Sums of the centred powers of every coordinate, and of products in a basis of the exact law.
struct Powers {
  Eigen::VectorXd second, fourth;
  Eigen::MatrixXd products;        ///< Σ y y′; empty without a law
  double overall = 0, square = 0;  ///< squared deviations of the averages of a sample
};

void add(Powers& into, const Powers& from) {
  into.second += from.second;
  into.fourth += from.fourth;
  into.products += from.products;
  into.overall += from.overall;
  into.square += from.square;
}

/// W₂² of N(a, A) and N(b, diag(d)) but for the means: tr(A) + tr(D) − 2 tr (D^½ A D^½)^½.
double bures(const Eigen::MatrixXd& a, const Eigen::VectorXd& d) {
  const Eigen::VectorXd root = d.cwiseSqrt();
  const Eigen::MatrixXd inner = root.asDiagonal() * a * root.asDiagonal();
  if (!inner.allFinite()) return constants::infinity;
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> eigen(inner, Eigen::EigenvaluesOnly);
  return std::max(0.0, a.trace() + d.sum() - 2 * eigen.eigenvalues().cwiseMax(0).cwiseSqrt().sum());
}

/// Variances of the entries of the covariance of n samples of the law, in the eigenbasis of its own C = diag(d):
/// (E[y_i² y_j²] − C_ij²) / n + (d_i d_j + C_ij²) / (n (n − 1)).
Eigen::MatrixXd covariance_errors(const KnownLaw& law, const Eigen::MatrixXd& basis, const Eigen::VectorXd& d, double n) {
  const Eigen::MatrixXd products = d * d.transpose();
  Eigen::MatrixXd c_squared = Eigen::MatrixXd::Zero(d.size(), d.size());
  c_squared.diagonal() = d.cwiseAbs2();
  const Eigen::MatrixXd squares = law.squares ? law.squares(basis) : Eigen::MatrixXd(products + 2 * c_squared);
  return ((squares - c_squared) / n + (products + c_squared) / (n * (n - 1))).cwiseMax(0);
}

LawDistance distance_to(const KnownLaw& law, const Eigen::VectorXd& mean, const Powers& powers, const Eigen::MatrixXd& basis, const Eigen::VectorXd& exact,
                        double n) {
  LawDistance out;
  const double total = law.total_variance >= 0 ? law.total_variance : (exact.size() > 0 ? exact.sum() : nan);
  out.mean = (mean - law.mean).norm();
  out.mean_by_chance = std::sqrt(total / n);
  out.covariance = out.covariance_by_chance = out.w2 = out.w2_by_chance = nan;
  if (exact.size() == 0 || n < 2) return out;
  const Eigen::MatrixXd sample = powers.products / (n - 1), error_variance = covariance_errors(law, basis, exact, n);
  Eigen::MatrixXd difference = sample;
  difference.diagonal() -= exact;
  out.covariance = difference.norm();
  out.covariance_by_chance = std::sqrt(error_variance.sum());
  out.w2 = std::sqrt((mean - law.mean).squaredNorm() + bures(sample, exact));
  // To second order, the squared Bures distance of diag(d) and diag(d) + E is ½ Σ E_ij² / (d_i + d_j). It is at most the sum of both traces, whatever E is.
  double second_order = 0;
  for (Index i = 0; i < exact.size(); ++i) {
    for (Index j = 0; j < exact.size(); ++j) {
      if (exact(i) + exact(j) > 0) second_order += 0.5 * error_variance(i, j) / (exact(i) + exact(j));
    }
  }
  out.w2_by_chance = std::sqrt(total / n + std::min(second_order, 2 * exact.sum()));
  return out;
}

}  // namespace

void SampleMoments::describe_state(Archive& archive) {
  archive.item("mean", mean);
  archive.item("mean_error", mean_error);
  archive.item("variance", variance);
  archive.item("variance_error", variance_error);
  archive.item("overall", overall);
  archive.item("overall_error", overall_error);
  archive.item("square", square);
  archive.item("square_error", square_error);
  archive.item("compared", compared);
  archive.item("distance_mean", distance.mean);
  archive.item("distance_mean_by_chance", distance.mean_by_chance);
  archive.item("distance_covariance", distance.covariance);
  archive.item("distance_covariance_by_chance", distance.covariance_by_chance);
  archive.item("w2", distance.w2);
  archive.item("w2_by_chance", distance.w2_by_chance);
}

SampleMoments sample_moments(const SampleSet& samples, const std::optional<KnownLaw>& law, Context& context) {
  const Index d = samples.dimension;
  const auto n = static_cast<double>(samples.count), size = static_cast<double>(d);
  struct Sums {
    Eigen::VectorXd x;
    double square = 0;
  };
  const Sums sums = reduce_blocks<Sums>(
      context, samples.count, block_samples,
      [&](const Block& block) {
        const Eigen::MatrixXd x = samples.columns(block.begin, block.size());
        return Sums{x.rowwise().sum(), x.squaredNorm() / size};
      },
      [](Sums& into, const Sums& from) {
        into.x += from.x;
        into.square += from.square;
      });
  const Eigen::VectorXd mean = sums.x / n;
  Eigen::MatrixXd basis;
  Eigen::VectorXd exact;
  if (law && law->covariance.size() > 0) {
    const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> eigen(law->covariance);
    basis = eigen.eigenvectors();
    exact = eigen.eigenvalues().cwiseMax(0);
  }
  SampleMoments out;
  out.overall = mean.mean();
  out.square = sums.square / n;
  const Powers powers = reduce_blocks<Powers>(
      context, samples.count, block_samples,
      [&](const Block& block) {
        const Eigen::MatrixXd x = samples.columns(block.begin, block.size());
        const Eigen::MatrixXd off = x.colwise() - mean;
        Powers p;
        p.second = off.cwiseAbs2().rowwise().sum();
        p.fourth = off.cwiseAbs2().cwiseAbs2().rowwise().sum();
        if (basis.size() > 0) {
          const Eigen::MatrixXd y = basis.transpose() * off;
          p.products = y * y.transpose();
        }
        p.overall = (x.colwise().mean().array() - out.overall).square().sum();
        p.square = (x.cwiseAbs2().colwise().mean().array() - out.square).square().sum();
        return p;
      },
      add);
  const bool errors = samples.count > 1;
  const Eigen::VectorXd variance = errors ? Eigen::VectorXd(powers.second / (n - 1)) : Eigen::VectorXd::Constant(d, nan);
  const Eigen::VectorXd of_variance = ((powers.fourth / n).array() - (powers.second / n).array().square()).max(0).matrix() / n;
  out.mean = list_of(mean);
  out.mean_error = list_of((variance / n).cwiseSqrt());
  out.variance = list_of(variance);
  out.variance_error = list_of(errors ? Eigen::VectorXd(of_variance.cwiseSqrt()) : Eigen::VectorXd::Constant(d, nan));
  out.overall_error = errors ? std::sqrt(powers.overall / (n - 1) / n) : nan;
  out.square_error = errors ? std::sqrt(powers.square / (n - 1) / n) : nan;
  if (law) {
    out.compared = true;
    out.distance = distance_to(*law, mean, powers, basis, exact, n);
  }
  return out;
}

}  // namespace buffon
