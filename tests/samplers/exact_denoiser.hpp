// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/samplers/diffusion/solver_plan.hpp>

#include <array>
#include <cmath>
#include <functional>
#include <vector>

#include <Eigen/LU>

namespace buffon::test {

/// E[x₀ | x] of a level.
using Denoiser = std::function<Eigen::VectorXd(const Eigen::VectorXd& x, const NoiseLevel& level)>;

/// The answer that a solver asks for, from the denoiser's.
inline Eigen::VectorXd answer_of(const Denoiser& denoiser, const Eigen::VectorXd& x, const SolverPlan::Evaluate& call, const NoiseSchedule& schedule) {
  const NoiseLevel& level = call.level;
  const Eigen::VectorXd data = denoiser(x, level);
  if (call.prediction == Prediction::data) return data;
  const Eigen::VectorXd noise = (x - level.alpha * data) / level.sigma;
  if (call.prediction == Prediction::noise) return noise;
  const NoiseSchedule::Slopes slope = schedule.slopes(level.time);
  return slope.alpha * data + slope.sigma * noise;  // alpha′ x₀ + sigma′ ε
}

/// One sample through a plan without noise.
inline Eigen::VectorXd run_plan(const SolverPlan& plan, const Denoiser& denoiser, const NoiseSchedule& schedule, const Eigen::VectorXd& start) {
  std::vector<Eigen::VectorXd> registers(static_cast<std::size_t>(plan.registers));
  registers[0] = start;
  for (const SolverPlan::Operation& operation : plan.operations) {
    if (const auto* call = std::get_if<SolverPlan::Evaluate>(&operation)) {
      registers[static_cast<std::size_t>(call->target)] = answer_of(denoiser, registers[static_cast<std::size_t>(call->source)], *call, schedule);
    } else {
      const auto& combine = std::get<SolverPlan::Combine>(operation);
      Eigen::VectorXd sum = Eigen::VectorXd::Zero(start.size());
      for (const SolverPlan::Term& term : combine.terms) {
        const Eigen::VectorXd& source = registers[static_cast<std::size_t>(term.source)];
        sum += term.rows ? Eigen::VectorXd(term.factor * term.rows->cwiseProduct(source)) : Eigen::VectorXd(term.factor * source);
      }
      if (combine.offset) sum += *combine.offset;
      registers[static_cast<std::size_t>(combine.target)] = sum;
    }
  }
  return registers[0];
}

/// The mixture G3: three Gaussians in the plane.
inline Eigen::VectorXd denoise_g3(const Eigen::VectorXd& x, const NoiseLevel& level) {
  static const std::array<double, 3> shares = {0.5, 0.3, 0.2};
  static const std::array<Eigen::Vector2d, 3> means = {Eigen::Vector2d(1, 0.5), Eigen::Vector2d(-1, 0.8), Eigen::Vector2d(0.2, -1.2)};
  static const std::array<Eigen::Matrix2d, 3> covariances = [] {
    std::array<Eigen::Matrix2d, 3> c;
    c[0] << 0.20, 0.05, 0.05, 0.10;
    c[1] << 0.10, -0.03, -0.03, 0.15;
    c[2] << 0.15, 0, 0, 0.08;
    return c;
  }();
  std::array<double, 3> log_weight{};
  std::array<Eigen::Vector2d, 3> posterior;
  double most = -INFINITY;
  for (std::size_t k = 0; k < 3; ++k) {
    const Eigen::Matrix2d spread = level.alpha * level.alpha * covariances[k] + level.sigma * level.sigma * Eigen::Matrix2d::Identity();
    const Eigen::Vector2d off = x - level.alpha * means[k], scaled = spread.inverse() * off;
    log_weight[k] = std::log(shares[k]) - 0.5 * off.dot(scaled) - 0.5 * std::log(spread.determinant());
    posterior[k] = means[k] + level.alpha * covariances[k] * scaled;
    most = std::max(most, log_weight[k]);
  }
  double total = 0;
  Eigen::Vector2d sum(0, 0);
  for (std::size_t k = 0; k < 3; ++k) {
    const double weight = std::exp(log_weight[k] - most);
    total += weight;
    sum += weight * posterior[k];
  }
  return sum / total;
}

/// Starts of the reference numbers: all pairs of eight equally spaced coordinates.
inline std::vector<Eigen::VectorXd> starts_g3() {
  std::vector<Eigen::VectorXd> starts;
  for (int i = 0; i < 8; ++i) {
    for (int j = 0; j < 8; ++j) starts.push_back(Eigen::Vector2d(-1.75 + 0.5 * i, -1.75 + 0.5 * j));
  }
  return starts;
}

}  // namespace buffon::test
