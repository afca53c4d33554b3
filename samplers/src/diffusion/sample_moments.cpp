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
  Eigen::MatrixXd products, squares;  ///< Σ y y′ and Σ (y ∘ y) (y ∘ y)′; empty without a law
  double overall = 0, square = 0;     ///< squared deviations of the averages of a sample
};

void add(Powers& into, const Powers& from) {
  into.second += from.second;
  into.fourth += from.fourth;
  into.products += from.products;
  into.squares += from.squares;
  into.overall += from.overall;
  into.square += from.square;
}

/// W₂² of N(a, A) and N(b, diag(d)) but for the means: tr(A) + tr(D) − 2 tr (D^½ A D^½)^½.
double bures(const Eigen::MatrixXd& a, const Eigen::VectorXd& d) {
  const Eigen::VectorXd root = d.cwiseMax(0).cwiseSqrt();
  const Eigen::MatrixXd inner = root.asDiagonal() * a * root.asDiagonal();
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> eigen(inner, Eigen::EigenvaluesOnly);
  return std::max(0.0, a.trace() + d.sum() - 2 * eigen.eigenvalues().cwiseMax(0).cwiseSqrt().sum());
}

LawDistance distance_to(const KnownLaw& law, const Eigen::VectorXd& mean, const Eigen::VectorXd& mean_variance, const Powers& powers,
                        const Eigen::VectorXd& exact, double n) {
  LawDistance out;
  out.mean = (mean - law.mean).norm();
  out.mean_by_chance = std::sqrt(mean_variance.sum());
  out.covariance = out.covariance_by_chance = out.w2 = out.w2_by_chance = nan;
  if (exact.size() == 0 || n < 2) return out;
  const Eigen::MatrixXd sample = powers.products / (n - 1);
  const Eigen::MatrixXd error_variance = ((powers.squares / n).array() - (powers.products / n).array().square()).matrix() / n;
  Eigen::MatrixXd difference = sample;
  difference.diagonal() -= exact;
  out.covariance = difference.norm();
  out.covariance_by_chance = std::sqrt(error_variance.sum());
  out.w2 = std::sqrt((mean - law.mean).squaredNorm() + bures(sample, exact));
  // To second order, the squared Bures distance of diag(d) and diag(d) + E is ½ Σ E_ij² / (d_i + d_j).
  double chance = mean_variance.sum();
  for (Index i = 0; i < exact.size(); ++i) {
    for (Index j = 0; j < exact.size(); ++j) {
      if (exact(i) + exact(j) > 0) chance += 0.5 * error_variance(i, j) / (exact(i) + exact(j));
    }
  }
  out.w2_by_chance = std::sqrt(chance);
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
    exact = eigen.eigenvalues();
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
          const Eigen::MatrixXd y = basis.transpose() * off, squares = y.cwiseAbs2();
          p.products = y * y.transpose();
          p.squares = squares * squares.transpose();
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
    out.distance = distance_to(*law, mean, variance / n, powers, exact, n);
  }
  return out;
}

}  // namespace buffon
