// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/samplers/diffusion/host_run.hpp>

#include <algorithm>
#include <cmath>

#include <buffon/core/error.hpp>
#include <buffon/samplers/diffusion/batch_solver.hpp>

#include "plan_builder.hpp"

namespace buffon {

DataModel data_model(DiffusionModel model, backend::Queue& queue, Index columns, buffon_type type) {
  struct Memory {
    BatchSolver solver;
    backend::Matrix x, data;
  };
  const Index rows = model.denoiser->dimension();
  const auto memory = std::make_shared<Memory>(Memory{BatchSolver(std::move(model), queue, columns, type), backend::Matrix(queue.device(), rows, columns, type),
                                                      backend::Matrix(queue.device(), rows, columns, type)});
  return [memory, &queue, columns](const Eigen::MatrixXd& x, const NoiseLevel& level) {
    Eigen::MatrixXd data(x.rows(), x.cols());
    for (Index first = 0; first < x.cols(); first += columns) {
      const Index count = std::min(columns, x.cols() - first);
      const backend::View states = memory->x.columns(0, count), answers = memory->data.columns(0, count);
      queue.upload(states, x.middleCols(first, count));
      memory->solver.predict(answers, Prediction::data, {states, {&level, 1}});
      data.middleCols(first, count) = queue.download(answers);
    }
    return data;
  };
}

std::vector<Eigen::MatrixXd> states_at_nodes(const SolverPlan& plan, const DataModel& model, const NoiseSchedule& schedule, const Eigen::MatrixXd& start,
                                             std::size_t last) {
  if (plan.noises > 0) {
    throw Error(ErrorCategory::usage, {.doing = "following a plan on the host",
                                       .key = "plan",
                                       .value = std::to_string(plan.noises) + " noises",
                                       .rule = "must be without noise",
                                       .remedy = "take a solver of the probability flow"});
  }
  std::vector<Eigen::MatrixXd> registers(static_cast<std::size_t>(plan.registers)), states;
  registers[0] = start;
  const std::size_t nodes = last == 0 ? plan.ends.size() : std::min(last, plan.ends.size());
  for (std::size_t k = 0; k < plan.operations.size() && states.size() < nodes; ++k) {
    int target = 0;
    if (const auto* call = std::get_if<SolverPlan::Evaluate>(&plan.operations[k])) {
      const NoiseLevel& level = call->level;
      const Eigen::MatrixXd& x = registers[static_cast<std::size_t>(call->source)];
      Eigen::MatrixXd answer = model(x, level);
      if (call->prediction != Prediction::data) {
        const Eigen::MatrixXd noise = (x - level.alpha * answer) / level.sigma;
        const NoiseSchedule::Slopes slope = schedule.slopes(level.time);
        answer = call->prediction == Prediction::noise ? noise : Eigen::MatrixXd(slope.alpha * answer + slope.sigma * noise);
      }
      target = call->target;
      registers[static_cast<std::size_t>(target)] = std::move(answer);
    } else {
      const auto& combine = std::get<SolverPlan::Combine>(plan.operations[k]);
      Eigen::MatrixXd sum = Eigen::MatrixXd::Zero(start.rows(), start.cols());
      for (const SolverPlan::Term& term : combine.terms) {
        const Eigen::MatrixXd& source = registers[static_cast<std::size_t>(term.source)];
        if (term.rows) {
          sum += term.factor * (term.rows->asDiagonal() * source);
        } else {
          sum += term.factor * source;
        }
      }
      if (combine.offset) sum.colwise() += *combine.offset;
      target = combine.target;
      registers[static_cast<std::size_t>(target)] = std::move(sum);
    }
    while (states.size() < nodes && plan.ends[states.size()] == k + 1) states.push_back(registers[static_cast<std::size_t>(target)]);
  }
  return states;
}

std::vector<Eigen::MatrixXd> teacher_states(const DataModel& model, const NoiseSchedule& schedule, const std::vector<NoiseLevel>& grid,
                                            const Eigen::MatrixXd& start, int substeps) {
  std::vector<NoiseLevel> fine = {grid[0]};
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i + 1 < grid.size(); ++i) {
    const double h = grid[i + 1].lambda - grid[i].lambda, width = grid[i + 1].time - grid[i].time;
    const bool far = !std::isfinite(h);  // divided in time
    if (grid[i + 1].sigma > 0) {
      for (int k = 1; k < substeps; ++k) {
        const double share = static_cast<double>(k) / substeps;
        fine.push_back(far ? schedule.at_time(grid[i].time + share * width) : schedule.at_lambda(grid[i].lambda + share * h));
      }
    }
    fine.push_back(grid[i + 1]);
    places.push_back(fine.size() - 2);
  }
  SolverSetting setting;
  setting.solver = "unipc";
  setting.order = 3;
  const std::vector<Eigen::MatrixXd> all = states_at_nodes(plan_solver(setting, schedule, fine), model, schedule, start);
  std::vector<Eigen::MatrixXd> states;
  for (const std::size_t place : places) states.push_back(all[place]);
  return states;
}

std::vector<double> fit_dc_ratios(const SolverSetting& setting, const DataModel& model, const NoiseSchedule& schedule, const std::vector<NoiseLevel>& grid,
                                  const Eigen::MatrixXd& start, std::span<const Eigen::MatrixXd> teacher) {
  const std::size_t steps = grid.size() - 1;
  if (teacher.size() != steps) {
    refuse_solver(setting.solver, "teacher", std::to_string(teacher.size()) + " nodes", "must have the " + std::to_string(steps) + " nodes after the first",
                  "follow the teacher on the same grid");
  }
  SolverSetting trial = setting;
  trial.ratios.assign(steps, 1.0);
  for (std::size_t i = 2; i < steps; ++i) {
    const auto loss = [&](double ratio) {
      trial.ratios[i] = ratio;
      return (states_at_nodes(plan_solver(trial, schedule, grid), model, schedule, start, i + 1).back() - teacher[i]).squaredNorm();
    };
    // The best of equally spaced ratios, then golden section around it.
    constexpr int pieces = 10;
    double best = 1, least = loss(1);
    for (int k = 0; k <= pieces; ++k) {
      const double ratio = 2.0 * k / pieces, value = loss(ratio);
      if (value < least) {
        least = value;
        best = ratio;
      }
    }
    const double golden = 0.5 * (std::sqrt(5.0) - 1);
    double low = std::max(0.0, best - 2.0 / pieces), high = std::min(2.0, best + 2.0 / pieces);
    double a = high - golden * (high - low), b = low + golden * (high - low), at_a = loss(a), at_b = loss(b);
    while (high - low > 1e-4) {
      if (at_a < at_b) {
        high = b;
        b = a;
        at_b = at_a;
        a = high - golden * (high - low);
        at_a = loss(a);
      } else {
        low = a;
        a = b;
        at_a = at_b;
        b = low + golden * (high - low);
        at_b = loss(b);
      }
    }
    const double middle = 0.5 * (low + high);
    trial.ratios[i] = loss(middle) < least ? middle : best;
  }
  return trial.ratios;
}

}  // namespace buffon
