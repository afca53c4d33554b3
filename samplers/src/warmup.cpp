// SPDX-License-Identifier: BSD-3-Clause
#include "warmup.hpp"

#include <buffon/core/error.hpp>
#include <buffon/parallel/blocks.hpp>
#include <buffon/stats/accumulators.hpp>
#include <buffon/stats/chain_diagnostics.hpp>
#include <buffon/stats/quantile.hpp>

#include <Eigen/Cholesky>

#include <algorithm>
#include <array>
#include <cmath>
#include <span>

namespace buffon {
namespace {

constexpr std::array<std::string_view, 5> tuning_words = {"none", "centre", "diagonal", "covariance", "robust"};

/// Median and 1.4826 median |x − median|, the standard deviation of a normal law, of every coordinate.
struct RobustScale {
  Eigen::VectorXd centre, scale;
};

RobustScale robust_scale(Context& context, const ConstMatrix& points) {
  constexpr double normal_consistency = 1.4826;
  RobustScale found{Eigen::VectorXd(points.rows()), Eigen::VectorXd(points.rows())};
  for_blocks(context, points.rows(), 1, [&](const Block& b) {
    Eigen::VectorXd x = points.row(b.begin);
    const std::span<const double> values(x.data(), static_cast<std::size_t>(x.size()));
    const double median = sample_quantile(values, 0.5);
    x = (x.array() - median).abs();
    found.centre(b.begin) = median;
    found.scale(b.begin) = normal_consistency * sample_quantile(values, 0.5);
  });
  return found;
}

struct MeanScale {
  Eigen::VectorXd mean, std_dev;
};

MeanScale mean_scale(Context& context, const ConstMatrix& points) {
  MeanScale found{Eigen::VectorXd(points.rows()), Eigen::VectorXd(points.rows())};
  for_blocks(context, points.rows(), 1, [&](const Block& b) {
    const Eigen::VectorXd x = points.row(b.begin);
    const double mean = x.mean();
    found.mean(b.begin) = mean;
    found.std_dev(b.begin) = std::sqrt((x.array() - mean).square().sum() / static_cast<double>(x.size() - 1));
  });
  return found;
}

/// Coordinate whose standard deviation is the most times its robust value, and how many times. Atoms (robust value 0) tell nothing.
std::pair<Index, double> heaviest(const Eigen::VectorXd& std_dev, const RobustScale& robust) {
  std::pair<Index, double> worst{0, 0};
  for (Index j = 0; j < std_dev.size(); ++j) {
    const double ratio = robust.scale(j) > 0 ? std_dev(j) / robust.scale(j) : 0;
    if (!(ratio <= worst.second)) worst = {j, ratio};
  }
  return worst;
}

/// Mean over the coordinates of 1 / effective size of the mean; chains too short for that count as one draw each.
double inverse_effective_size(Context& context, const ConstMatrix& points, std::int64_t chains) {
  constexpr Index fewest = 12;
  const Index length = points.cols() / chains;
  if (length < fewest) return 1 / static_cast<double>(chains);
  Eigen::VectorXd inverse(points.rows());
  for_blocks(context, points.rows(), 1, [&](const Block& b) {
    const Eigen::VectorXd x = points.row(b.begin);
    inverse(b.begin) = 1 / ess_mean(Eigen::Map<const Eigen::MatrixXd>(x.data(), length, chains));
  });
  return inverse.mean();
}

/// How far correlations are drawn to 0. The least mean squared error has λ* = Σ var r_ij / Σ r_ij² over i ≠ j (Schäfer and Strimmer, "A shrinkage
/// approach to large-scale covariance matrix estimation", 2005), here with var r = (1 − r²)² / effective size. While chains disagree
/// the effective size says too little of the narrow directions, on which mixing depends: 0.7 λ* tunes faster and costs little where all
/// correlations are 0.
double shrinkage(const Eigen::MatrixXd& correlation, double inverse_size) {
  const double variance = inverse_size * (1 - correlation.array().square()).square().sum();
  const double signal = correlation.squaredNorm() - static_cast<double>(correlation.rows());
  constexpr double boldness = 0.7;
  return signal > variance ? boldness * variance / signal : boldness;
}

std::string coordinate(Index j) { return "coordinate " + std::to_string(j + 1); }

}  // namespace

std::string_view name(Tuning tuning) { return tuning_words[static_cast<std::size_t>(tuning)]; }

WarmupStage warmup_stage(std::int64_t t, std::int64_t warmup, std::int64_t chains, Index dimension) {
  constexpr std::int64_t parts = (1 << warmup_stages) - 1;
  // End of stage k: the fraction (2^{k+1} − 1) / 15 of the warm-up.
  const auto end = [&](std::int64_t k) { return warmup / parts * ((2 << k) - 1) + warmup % parts * ((2 << k) - 1) / parts; };
  WarmupStage stage;
  while (end(stage.index) <= t) stage.begin = end(stage.index++);
  stage.end = end(stage.index);
  stage.pooled = stage.begin + (stage.end - stage.begin) / 2;
  const std::int64_t most = std::max<std::int64_t>(10000, 20 * dimension), half = stage.end - stage.pooled;
  stage.stride = std::clamp<std::int64_t>((half * chains + most - 1) / most, 1, half);
  return stage;
}

LearntFrame learn_frame(Context& context, Tuning wanted, const ConstMatrix& points, std::int64_t chains) {
  const Index d = points.rows();
  const auto n = static_cast<double>(points.cols());
  constexpr double fewest = 10;
  if (wanted == Tuning::none) return {AffineFrame::identity(d), Tuning::none, ""};
  if (n < fewest) return {AffineFrame::identity(d), Tuning::none, "only " + std::to_string(points.cols()) + " points to learn from"};
  if (!points.allFinite()) return {AffineFrame::identity(d), Tuning::none, "not all points are finite"};

  const RobustScale robust = robust_scale(context, points);
  const auto robust_frame = [&](std::string note) -> LearntFrame {
    Index j = 0;
    if (robust.scale.minCoeff(&j) > 0) return {AffineFrame::diagonal(robust.centre, robust.scale), Tuning::robust, std::move(note)};
    return {AffineFrame::translation(robust.centre), Tuning::centre, "half of the points or more are equal in " + coordinate(j)};
  };
  if (wanted == Tuning::robust) return robust_frame("");

  const MeanScale moments = mean_scale(context, points);
  const Eigen::VectorXd& std_dev = moments.std_dev;
  constexpr double heavy = 10;
  if (const auto [j, ratio] = heaviest(std_dev, robust); !(ratio <= heavy)) {
    const std::string note = "moments look infinite: the standard deviation of " + coordinate(j) + " is " + to_text(std::round(ratio)) +
                             " times its robust value, so that median and median deviation were taken";
    if (wanted == Tuning::centre) return {AffineFrame::translation(robust.centre), Tuning::robust, note};
    return robust_frame(note);
  }
  if (wanted == Tuning::centre) return {AffineFrame::translation(moments.mean), Tuning::centre, ""};
  if (Index j = 0; !(std_dev.minCoeff(&j) > 0)) return {AffineFrame::translation(moments.mean), Tuning::centre, coordinate(j) + " did not vary"};

  const auto diagonal = [&](std::string note) -> LearntFrame { return {AffineFrame::diagonal(moments.mean, std_dev), Tuning::diagonal, std::move(note)}; };
  if (wanted == Tuning::diagonal) return diagonal("");
  if (points.cols() < 2 * d) {
    return diagonal("only " + std::to_string(points.cols()) + " points to learn a covariance of " + std::to_string(d) + " coordinates from, less than " +
                    std::to_string(2 * d));
  }
  const auto sums = reduce_blocks<CovarianceAccumulator>(
      context, points.cols(), 1024,
      [&](const Block& b) {
        CovarianceAccumulator part(d);
        part.add(points.middleCols(b.begin, b.size()));
        return part;
      },
      [](CovarianceAccumulator& into, const CovarianceAccumulator& from) { into.merge(from); });
  // On the scale of correlations, where the size of the pivots says how near to singular the matrix is whatever the units are.
  const Eigen::VectorXd inverse = std_dev.cwiseInverse();
  Eigen::MatrixXd shrunk = inverse.asDiagonal() * sums.covariance() * inverse.asDiagonal();
  const double lambda = shrinkage(shrunk, inverse_effective_size(context, points, chains));
  shrunk *= (1 - lambda) * (n / (n + 5));
  shrunk.diagonal().array() += lambda + 1e-3 * 5 / (n + 5);
  const Eigen::LLT<Eigen::MatrixXd> factor(shrunk);
  if (factor.info() != Eigen::Success) return diagonal("the covariance is not positive definite");
  return {AffineFrame::full(sums.mean(), std_dev.asDiagonal() * factor.matrixL().toDenseMatrix()), Tuning::covariance, ""};
}

AffineFrame keep_off(const AffineFrame& frame, const ConstMatrix& points) {
  const Index d = frame.dimension();
  // In units of the frame; without a scale, of the size of the centre.
  const double size = frame.centre().norm();
  const double unit = frame.scaled() || size == 0 ? 1 : size;
  Eigen::VectorXd y, step;
  frame.direction(Eigen::VectorXd::Constant(d, unit / std::sqrt(static_cast<double>(d))), step);
  const auto touches = [&](const AffineFrame& f) {
    for (Index c = 0; c < points.cols(); ++c) {
      f.coordinates(points.col(c), y);
      if (y.norm() <= 1e-9 * unit) return true;
    }
    return false;
  };
  AffineFrame moved = frame;
  for (int k = 1; touches(moved); ++k) moved = frame.moved(frame.centre() + (k * 1e-6) * step);
  return moved;
}

}  // namespace buffon
