// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/samplers/diffusion/exact_law.hpp>

#include <Eigen/Core>

#include <cmath>

namespace buffon {

GaussianLaw law_at(const GaussianLaw& data, const NoiseLevel& level) {
  return {level.alpha * data.mean, level.alpha * level.alpha * data.variance + level.sigma * level.sigma};
}

GaussianLaw exact_law(const SolverPlan& plan, const NoiseSchedule& schedule, const GaussianLaw& data, const GaussianLaw& start, Eigen::Index coordinate) {
  // Rows: the number, the coefficient of the start's normal, those of the noises. One column a register.
  Eigen::MatrixXd registers = Eigen::MatrixXd::Zero(plan.noises + 2, plan.registers);
  registers(0, 0) = start.mean;
  registers(1, 0) = std::sqrt(start.variance);
  Eigen::VectorXd value(plan.noises + 2);
  for (const SolverPlan::Operation& operation : plan.operations) {
    if (const auto* call = std::get_if<SolverPlan::Evaluate>(&operation)) {
      const NoiseLevel& level = call->level;
      const GaussianLaw here = law_at(data, level);
      const double gain = level.alpha * data.variance / here.variance;  // D = mean + gain (x − alpha mean)
      const auto x = registers.col(call->source);
      value = gain * x;
      value(0) += data.mean - gain * here.mean;
      if (call->prediction != Prediction::data) {
        const Eigen::VectorXd noise = (x - level.alpha * value) / level.sigma;
        if (call->prediction == Prediction::noise) {
          value = noise;
        } else {
          const NoiseSchedule::Slopes slope = schedule.slopes(level.time);
          value = slope.alpha * value + slope.sigma * noise;
        }
      }
      registers.col(call->target) = value;
    } else {
      const auto& combine = std::get<SolverPlan::Combine>(operation);
      value.setZero();
      for (const SolverPlan::Term& term : combine.terms) value += term.factor * (term.rows ? (*term.rows)(coordinate) : 1.0) * registers.col(term.source);
      if (combine.offset) value(0) += (*combine.offset)(coordinate);
      if (combine.noise != 0) value(2 + static_cast<Eigen::Index>(combine.number)) += combine.noise;
      registers.col(combine.target) = value;
    }
  }
  return {registers(0, 0), registers.col(0).tail(plan.noises + 1).squaredNorm()};
}

double wasserstein_distance(std::span<const GaussianLaw> a, std::span<const GaussianLaw> b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double off = a[i].mean - b[i].mean, spread = std::sqrt(a[i].variance) - std::sqrt(b[i].variance);
    sum += off * off + spread * spread;
  }
  return std::sqrt(sum);
}

}  // namespace buffon
