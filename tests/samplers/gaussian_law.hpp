// SPDX-License-Identifier: BSD-3-Clause
#pragma once

// The exact law of what a plan makes of Gaussian data: every solver is affine in its start and its noises.

#include <buffon/samplers/diffusion/solver_plan.hpp>

#include <cmath>
#include <functional>
#include <utility>
#include <vector>

namespace buffon::test {

/// constant + gain x: the model's data of one coordinate.
struct AffineData {
  double constant, gain;
};
using AffineModel = std::function<AffineData(const NoiseLevel&)>;

/// E[x₀ | x] of N(mean, variance).
inline AffineModel gaussian_model(double mean, double variance) {
  return [=](const NoiseLevel& l) {
    const double gain = l.alpha * variance / (l.alpha * l.alpha * variance + l.sigma * l.sigma);
    return AffineData{mean - gain * l.alpha * mean, gain};
  };
}

/// Law of a sample in one coordinate: a number and coefficients of independent standard normals (start, then noises).
inline Eigen::VectorXd law_of(const SolverPlan& plan, const AffineModel& model, double start_mean, double start_deviation, const NoiseSchedule& schedule,
                              Eigen::Index coordinate = 0) {
  std::vector<Eigen::VectorXd> registers(static_cast<std::size_t>(plan.registers), Eigen::VectorXd::Zero(plan.noises + 2));
  registers[0](0) = start_mean;
  registers[0](1) = start_deviation;
  for (const SolverPlan::Operation& operation : plan.operations) {
    if (const auto* call = std::get_if<SolverPlan::Evaluate>(&operation)) {
      const NoiseLevel& l = call->level;
      const AffineData known = model(l);
      const Eigen::VectorXd x = registers[static_cast<std::size_t>(call->source)];
      Eigen::VectorXd answer = known.gain * x;
      answer(0) += known.constant;
      if (call->prediction != Prediction::data) {
        const Eigen::VectorXd noise = (x - l.alpha * answer) / l.sigma;
        const NoiseSchedule::Slopes slope = schedule.slopes(l.time);
        answer = call->prediction == Prediction::noise ? noise : Eigen::VectorXd(slope.alpha * answer + slope.sigma * noise);
      }
      registers[static_cast<std::size_t>(call->target)] = answer;
    } else {
      const auto& combine = std::get<SolverPlan::Combine>(operation);
      Eigen::VectorXd sum = Eigen::VectorXd::Zero(plan.noises + 2);
      for (const SolverPlan::Term& term : combine.terms) {
        sum += term.factor * (term.rows ? (*term.rows)(coordinate) : 1.0) * registers[static_cast<std::size_t>(term.source)];
      }
      if (combine.offset) sum(0) += (*combine.offset)(coordinate);
      if (combine.noise != 0) sum(2 + combine.number) += combine.noise;
      registers[static_cast<std::size_t>(combine.target)] = sum;
    }
  }
  return registers[0];
}

/// Mean and variance of three independent coordinates: the Gaussian data of the reference tables.
inline const std::vector<std::pair<double, double>>& reference_data() {
  static const std::vector<std::pair<double, double>> data = {{0.5, 1.0}, {-1.0, 0.25}, {0.2, 0.01}};
  return data;
}

/// Wasserstein distance of a plan's law to the true one at the end of the grid, started from the true law at its first node.
inline double wasserstein(const SolverPlan& plan, const NoiseSchedule& schedule, const std::vector<NoiseLevel>& grid) {
  const NoiseLevel &first = grid.front(), &end = grid.back();
  double sum = 0;
  Eigen::Index coordinate = 0;
  for (const auto& [mean, variance] : reference_data()) {
    const Eigen::VectorXd law = law_of(plan, gaussian_model(mean, variance), first.alpha * mean,
                                       std::sqrt(first.alpha * first.alpha * variance + first.sigma * first.sigma), schedule, coordinate++);
    const double off = law(0) - end.alpha * mean,
                 spread = law.tail(law.size() - 1).norm() - std::sqrt(end.alpha * end.alpha * variance + end.sigma * end.sigma);
    sum += off * off + spread * spread;
  }
  return std::sqrt(sum);
}

}  // namespace buffon::test
