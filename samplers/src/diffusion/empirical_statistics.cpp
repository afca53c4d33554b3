// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/samplers/diffusion/empirical_statistics.hpp>

#include <array>
#include <cmath>

#include <buffon/core/error.hpp>

namespace buffon {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;

/// Derivative in the place `at` of values on equally spaced nodes, by five of them (fewer where there are fewer).
struct Stencil {
  Index from;
  std::array<double, 5> weights;
};
Stencil stencil(Index at, Index count) {
  if (count < 5) {
    const Index from = std::min(at, count - 2);
    return {from, {-1, 1, 0, 0, 0}};
  }
  static constexpr std::array<std::array<double, 5>, 5> rows = {{{-25.0 / 12, 4, -3, 4.0 / 3, -0.25},
                                                                 {-0.25, -5.0 / 6, 1.5, -0.5, 1.0 / 12},
                                                                 {1.0 / 12, -2.0 / 3, 0, 2.0 / 3, -1.0 / 12},
                                                                 {-1.0 / 12, 0.5, -1.5, 5.0 / 6, 0.25},
                                                                 {0.25, -4.0 / 3, 3, -4, 25.0 / 12}}};
  const Index from = std::min(std::max<Index>(at - 2, 0), count - 5);
  return {from, rows[static_cast<std::size_t>(at - from)]};
}

}  // namespace

EmpiricalStatistics constant_statistics(Index dimension, double first, double last, int nodes, double l, double s, double b) {
  const auto all = [&](double value) { return MatrixXd::Constant(dimension, nodes + 1, value); };
  return {first, last, all(l), all(s), all(b)};
}

EmpiricalStatistics estimate_statistics(const DataModel& model, const NoiseSchedule& schedule, const NoiseLevel& first, const NoiseLevel& last,
                                        const MatrixXd& start, const Stream& stream, const StatisticsOptions& options) {
  const Index n = start.rows(), samples = start.cols(), columns = options.nodes + 1;
  if (options.nodes < 2 || samples < 2 || !std::isfinite(first.lambda) || !std::isfinite(last.lambda)) {
    throw Error(ErrorCategory::configuration, {.doing = "estimating the statistics of a model",
                                               .key = "nodes",
                                               .value = std::to_string(options.nodes) + " nodes, " + std::to_string(samples) + " states",
                                               .rule = "needs 2 nodes and 2 states at least, and levels with both data and noise",
                                               .remedy = "take more nodes, or a first and last time inside the schedule"});
  }
  std::vector<NoiseLevel> levels = {first};
  for (Index k = 1; k + 1 < columns; ++k) {
    levels.push_back(schedule.at_lambda(first.lambda + (last.lambda - first.lambda) * static_cast<double>(k) / options.nodes));
  }
  levels.push_back(last);
  const double spacing = (last.lambda - first.lambda) / options.nodes;
  SolverSetting setting;
  setting.solver = "unipc";
  setting.order = 3;
  std::vector<MatrixXd> states = states_at_nodes(plan_solver(setting, schedule, levels), model, schedule, start);
  states.insert(states.begin(), start);

  EmpiricalStatistics result{first.lambda, last.lambda, MatrixXd(n, columns), MatrixXd(n, columns), MatrixXd(n, columns)};
  std::vector<MatrixXd> noises;
  for (Index k = 0; k < columns; ++k) {
    const NoiseLevel& level = levels[static_cast<std::size_t>(k)];
    const MatrixXd& x = states[static_cast<std::size_t>(k)];
    noises.push_back((x - level.alpha * model(x, level)) / level.sigma);
    // sigma dε_i/dx_i = 1 − alpha dD_i/dx_i
    const double step = options.step * level.sigma;
    Eigen::VectorXd slope = Eigen::VectorXd::Zero(n);
    const auto probe = [&](const MatrixXd& direction) {
      const MatrixXd difference = (model(x + step * direction, level) - model(x - step * direction, level)) / (2 * step);
      slope += difference.cwiseProduct(direction).rowwise().mean();
    };
    if (options.probes == 0) {
      for (Index i = 0; i < n; ++i) {
        MatrixXd direction = MatrixXd::Zero(n, samples);
        direction.row(i).setOnes();
        probe(direction);
      }
    } else {
      for (int p = 0; p < options.probes; ++p) {
        MatrixXd direction(n, samples);
        stream.peek("probes", static_cast<std::uint64_t>(k)).normals(static_cast<std::uint64_t>(p) * static_cast<std::uint64_t>(samples), direction);
        probe(direction.unaryExpr([](double z) { return z < 0 ? -1.0 : 1.0; }));
      }
      slope /= options.probes;
    }
    result.l.col(k) = (1 - level.alpha * slope.array()).matrix();
  }
  for (Index k = 0; k < columns; ++k) {
    const NoiseLevel& level = levels[static_cast<std::size_t>(k)];
    const MatrixXd &x = states[static_cast<std::size_t>(k)], &e = noises[static_cast<std::size_t>(k)];
    const Stencil near = stencil(k, columns);
    MatrixXd slope_e = MatrixXd::Zero(n, samples);
    Eigen::VectorXd slope_l = Eigen::VectorXd::Zero(n);
    for (std::size_t j = 0; j < near.weights.size(); ++j) {
      if (near.weights[j] == 0) continue;
      const Index at = near.from + static_cast<Index>(j);
      slope_e += near.weights[j] / spacing * noises[static_cast<std::size_t>(at)];
      slope_l += near.weights[j] / spacing * result.l.col(at);
    }
    // f = e^{−lambda} ε − l x / alpha, f′ = e^{−lambda} ((l − 1) ε + ε′) − l′ x / alpha
    const double shrink = std::exp(-level.lambda);
    const Eigen::VectorXd l = result.l.col(k);
    const MatrixXd f = shrink * e - l.asDiagonal() * x / level.alpha;
    const MatrixXd slope_f = shrink * ((l.array() - 1).matrix().asDiagonal() * e + slope_e) - slope_l.asDiagonal() * x / level.alpha;
    for (Index i = 0; i < n; ++i) {
      const double mean = f.row(i).mean(), mean_slope = slope_f.row(i).mean();
      const Eigen::ArrayXd off = f.row(i).array() - mean;
      const double variance = off.square().mean(), scale = (x.row(i).array() / level.alpha).square().mean();
      const double covariance = (off * (slope_f.row(i).transpose().array() - mean_slope)).mean();
      // f varies by rounding alone where the data are Gaussian.
      const double s = variance > 1e-14 * scale ? covariance / variance : 0;
      result.s(i, k) = s;
      result.b(i, k) = mean_slope - s * mean;
    }
  }
  return result;
}

}  // namespace buffon
