// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/samplers/diffusion/pfgm.hpp>

#include <cmath>

#include <buffon/core/error.hpp>
#include <buffon/model/callable_denoiser.hpp>

namespace buffon {
namespace {

void check(Index further) {
  if (further >= 1) return;
  throw Error(ErrorCategory::configuration, {.doing = "setting up a Poisson flow",
                                             .key = "further",
                                             .value = std::to_string(further),
                                             .rule = "needs one further coordinate at least",
                                             .remedy = "take 64, 128 or 2048 as in the publication"});
}

}  // namespace

void pfgm_start(const Stream& stream, std::uint64_t first, double radius, Index further, MutMatrix x) {
  check(further);
  stream.peek("numerator").normals(first, x);
  Eigen::MatrixXd h(further, 1);
  for (Index c = 0; c < x.cols(); ++c) {
    stream.peek("denominator").normals(first + static_cast<std::uint64_t>(c), h);
    double square = 0;
    for (Index r = 0; r < further; ++r) square += h(r, 0) * h(r, 0);
    x.col(c) *= radius / std::sqrt(square);
  }
}

std::shared_ptr<const Denoiser> pfgm_points_denoiser(const Eigen::MatrixXd& points, Index further) {
  check(further);
  const auto function = [points, further](const ConstMatrix& x, std::span<const NoiseLevel> levels, std::span<const std::int32_t>, MutMatrix answer) {
    const double exponent = 0.5 * static_cast<double>(points.rows() + further);
    Eigen::ArrayXd log_weight(points.cols());
    for (Index c = 0; c < x.cols(); ++c) {
      const NoiseLevel& level = levels[levels.size() == 1 ? 0 : static_cast<std::size_t>(c)];
      const double r_square = level.rho() * level.rho() * static_cast<double>(further);
      // Relative to the nearest point: −(n + D)/2 log((d² + r²) / (d₀² + r²)), d² − d₀² small beside r² or not.
      for (Index i = 0; i < points.cols(); ++i) log_weight(i) = (x.col(c) / level.alpha - points.col(i)).squaredNorm();
      const double nearest = log_weight.minCoeff();
      log_weight = (log_weight - nearest).unaryExpr([&](double more) { return more == 0 ? 0.0 : -exponent * std::log1p(more / (nearest + r_square)); });
      double total = 0;
      Eigen::VectorXd sum = Eigen::VectorXd::Zero(points.rows());
      for (Index i = 0; i < points.cols(); ++i) {
        const double weight = std::exp(log_weight(i));
        total += weight;
        sum += weight * points.col(i);
      }
      answer.col(c) = sum / total;
    }
  };
  return callable_denoiser({.dimension = points.rows(), .answers = Answer::data, .function = function, .name = "points of a Poisson flow"});
}

}  // namespace buffon
