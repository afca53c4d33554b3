// SPDX-License-Identifier: BSD-3-Clause
// Solvers with noise beside those of the multistep family: EDM with churn, Restart, two stages with noise, Euler-Maruyama on the reverse
// equation, stochastic interpolants, consistency sampling.
#include "plan_builder.hpp"

#include <algorithm>
#include <cmath>

#include <buffon/core/error.hpp>

namespace buffon {
namespace {

using Grid = std::vector<NoiseLevel>;

/// x to more noise, by the kernel that leads from one level of the forward process to another.
int raise(PlanBuilder& plan, int x, const NoiseLevel& low, const NoiseLevel& high, double share) {
  const double factor = high.alpha / low.alpha, added = high.rho() * high.rho() - low.rho() * low.rho();
  return plan.combine({{x, factor}}, high.alpha * std::sqrt(added) * share);
}

void plan_edm(const SolverSetting& setting, const NoiseSchedule& schedule, const Grid& grid, PlanBuilder& plan) {
  // No level lies before the first node: the model is asked where the schedule reaches, whatever the churn.
  const double gamma_of_churn = std::min(setting.churn / static_cast<double>(grid.size() - 1), std::sqrt(2.0) - 1);
  int x = 0;
  for (std::size_t i = 0; i + 1 < grid.size(); ++i) {
    NoiseLevel s = grid[i];
    const double rho = s.rho(), room = std::isfinite(rho) ? grid[0].rho() / rho - 1 : 0;
    const double gamma = rho >= setting.churn_from && rho <= setting.churn_to ? std::min(gamma_of_churn, room) : 0;
    if (gamma > 0) {  // more noise in y = x / alpha
      const NoiseLevel raised = schedule.at_lambda(-std::log(rho * (1 + gamma)));
      x = raise(plan, x, s, raised, setting.churn_noise);
      s = raised;
    }
    x = heun_step(plan, x, s, grid[i + 1]);
    plan.reached(x);
  }
}

/// Nodes of a restart from rho_max down to rho_min: equal steps in rho^{1/7}.
Grid restart_nodes(const NoiseSchedule& schedule, const RestartLevel& level, const NoiseLevel& low) {
  Grid nodes;
  const double high = std::pow(level.rho_max, 1.0 / 7), end = std::pow(low.rho(), 1.0 / 7);
  for (int k = 0; k + 1 < level.nodes; ++k) {
    const double root = high + static_cast<double>(k) / (level.nodes - 1) * (end - high);
    nodes.push_back(schedule.at_lambda(-7 * std::log(root)));
  }
  nodes.push_back(low);
  return nodes;
}

void plan_restart(const SolverSetting& setting, const NoiseSchedule& schedule, const Grid& grid, PlanBuilder& plan) {
  std::vector<std::vector<const RestartLevel*>> at(grid.size());
  for (const RestartLevel& level : setting.restarts) {
    if (level.nodes < 2 || level.times < 0 || !(level.rho_min > 0) || !(level.rho_max > level.rho_min)) {
      refuse_solver(
          setting.solver, "restarts",
          "[" + std::to_string(level.nodes) + ", " + std::to_string(level.times) + ", " + to_text(level.rho_min) + ", " + to_text(level.rho_max) + "]",
          "needs 2 nodes or more, and 0 < rho_min < rho_max", "give [nodes, times, rho_min, rho_max], for instance [3, 2, 0.06, 0.3]");
    }
    std::size_t nearest = 1;
    for (std::size_t i = 1; i < grid.size(); ++i) {
      if (grid[i].sigma > 0 && std::abs(grid[i].rho() - level.rho_min) < std::abs(grid[nearest].rho() - level.rho_min)) nearest = i;
    }
    if (!(grid[nearest].rho() < level.rho_max) || grid[nearest].sigma == 0) {
      refuse_solver(setting.solver, "restarts", "rho_max = " + to_text(level.rho_max),
                    "must lie above the node nearest to rho_min, rho = " + to_text(grid[nearest].rho()), "raise rho_max or take more steps");
    }
    if (level.rho_max > grid[0].rho()) {
      refuse_solver(setting.solver, "restarts", "rho_max = " + to_text(level.rho_max), "must be at most rho of the first node, " + to_text(grid[0].rho()),
                    "lower rho_max");
    }
    at[nearest].push_back(&level);
  }
  int x = 0;
  for (std::size_t i = 0; i + 1 < grid.size(); ++i) {
    x = heun_step(plan, x, grid[i], grid[i + 1]);
    for (const RestartLevel* level : at[i + 1]) {
      const Grid nodes = restart_nodes(schedule, *level, grid[i + 1]);
      for (int k = 0; k < level->times; ++k) {
        x = raise(plan, x, grid[i + 1], nodes.front(), setting.churn_noise);
        for (std::size_t j = 0; j + 1 < nodes.size(); ++j) x = heun_step(plan, x, nodes[j], nodes[j + 1]);
      }
    }
    plan.reached(x);
  }
}

/// Two stages with noise (DPM-Solver++ SDE): to the middle in lambda, then the whole step with the data found there. Both stages follow the same path of
/// the noise: z₁ over the first half, z₂ over the second.
void plan_two_stages(const SolverSetting& setting, const NoiseSchedule& schedule, const Grid& grid, PlanBuilder& plan) {
  const double eta = setting.eta;
  int x = 0;
  for (std::size_t i = 0; i + 1 < grid.size(); ++i) {
    const NoiseLevel &s = grid[i], &t = grid[i + 1];
    const int d0 = plan.call(x, s, Prediction::data);
    const double h = t.lambda - s.lambda;
    if (t.sigma == 0 || !std::isfinite(h)) {
      const FirstOrder c = first_order(s, t, Prediction::data);
      x = plan.combine({{x, c.x}, {d0, c.model}});
    } else {
      const NoiseLevel m = schedule.at_lambda(s.lambda + 0.5 * h);
      const double half = std::sqrt(-std::expm1(-eta * h));  // noise of half a step in units of its sigma
      const int z1 = eta > 0 ? plan.combine({}, 1) : x;
      const int u = plan.combine(
          {{x, m.sigma / s.sigma * std::exp(-0.5 * eta * h)}, {d0, -m.alpha * std::expm1(-0.5 * (1 + eta) * h)}, {z1, eta > 0 ? m.sigma * half : 0}});
      const int d1 = plan.call(u, m, Prediction::data);
      x = plan.combine({{x, t.sigma / s.sigma * std::exp(-eta * h)},
                        {d1, -t.alpha * std::expm1(-(1 + eta) * h)},
                        {z1, eta > 0 ? t.sigma * std::exp(-0.5 * eta * h) * half : 0}},
                       t.sigma * half);
    }
    plan.reached(x);
  }
}

/// dx = (f x + g² ε / sigma) dt + g dW backwards; f = d log alpha / dt, g² = 2 sigma (sigma′ − f sigma).
void plan_euler_maruyama(const NoiseSchedule& schedule, const Grid& grid, PlanBuilder& plan) {
  if (grid[0].alpha == 0) {
    refuse_solver("euler_maruyama", "nodes", "time " + to_text(grid[0].time), "must begin where there is data (alpha > 0): this equation has no drift there",
                  "set first_time a little later, or take interpolant_sde or dpmpp_2m_sde");
  }
  int x = 0;
  for (std::size_t i = 0; i + 1 < grid.size(); ++i) {
    const NoiseLevel& s = grid[i];
    const double d = grid[i + 1].time - s.time;
    const NoiseSchedule::Slopes slope = schedule.slopes(s.time);
    const double f = slope.alpha / s.alpha, g_square = 2 * s.sigma * (slope.sigma - f * s.sigma);
    const int e = plan.call(x, s, Prediction::noise);
    x = plan.combine({{x, 1 + f * d}, {e, g_square / s.sigma * d}}, std::sqrt(g_square * std::abs(d)));
    plan.reached(x);
  }
}

/// Stochastic interpolants (Albergo and others, 2023), dX = (u − k score) dt + √(2 k) dW backwards with k = eta sigma, so that k score = −eta ε stays
/// bounded; u the velocity, ε = (alpha u − alpha′ x) / (alpha sigma′ − alpha′ sigma). Euler-Maruyama, or Heun with the same noise in both stages.
void plan_interpolant(const SolverSetting& setting, const NoiseSchedule& schedule, const Grid& grid, PlanBuilder& plan) {
  const double eta = setting.eta;
  const bool heun = setting.variant == "heun";
  int x = 0;
  // share of x and of u in u + eta ε
  const auto drift = [&](const NoiseLevel& level) {
    const NoiseSchedule::Slopes slope = schedule.slopes(level.time);
    const double bottom = level.alpha * slope.sigma - slope.alpha * level.sigma;
    return std::pair{-eta * slope.alpha / bottom, 1 + eta * level.alpha / bottom};
  };
  for (std::size_t i = 0; i + 1 < grid.size(); ++i) {
    const NoiseLevel &s = grid[i], &t = grid[i + 1];
    const double d = t.time - s.time;
    const int u = plan.call(x, s, Prediction::velocity);
    const auto [on_x, on_u] = drift(s);
    if (!heun || t.sigma == 0) {
      x = plan.combine({{x, 1 + d * on_x}, {u, d * on_u}}, std::sqrt(2 * eta * s.sigma * std::abs(d)));
    } else {
      const double noise = std::sqrt(eta * (s.sigma + t.sigma) * std::abs(d));  // √(2 k |d|), k at the middle of both ends
      const int z = eta > 0 ? plan.combine({}, 1) : x;
      const int ahead = plan.combine({{x, 1 + d * on_x}, {u, d * on_u}, {z, noise}});
      const int u1 = plan.call(ahead, t, Prediction::velocity);
      const auto [on_x1, on_u1] = drift(t);
      x = plan.combine({{x, 1 + 0.5 * d * on_x}, {u, 0.5 * d * on_u}, {ahead, 0.5 * d * on_x1}, {u1, 0.5 * d * on_u1}, {z, noise}});
    }
    plan.reached(x);
  }
}

/// Multistep consistency sampling (Song and others, 2023): the model's data are samples at the last level; each is brought back to the next level by noise.
void plan_consistency(const Grid& grid, PlanBuilder& plan) {
  const NoiseLevel& end = grid.back();
  int x = 0;
  for (std::size_t i = 0; i + 1 < grid.size(); ++i) {
    const int sample = plan.call(x, grid[i], Prediction::data);
    const NoiseLevel& t = grid[i + 1];
    x = i + 2 == grid.size() ? plan.combine({{sample, 1}}) : raise(plan, sample, end, t, 1);
    plan.reached(x);
  }
}

}  // namespace

bool stochastic_family(const SolverSetting& setting, const NoiseSchedule& schedule, const Grid& grid, PlanBuilder& plan) {
  const std::string& name = setting.solver;
  if (name == "edm") {
    plan_edm(setting, schedule, grid, plan);
  } else if (name == "restart") {
    plan_restart(setting, schedule, grid, plan);
  } else if (name == "dpmpp_sde") {
    plan_two_stages(setting, schedule, grid, plan);
  } else if (name == "euler_maruyama") {
    plan_euler_maruyama(schedule, grid, plan);
  } else if (name == "interpolant_sde") {
    plan_interpolant(setting, schedule, grid, plan);
  } else if (name == "consistency") {
    plan_consistency(grid, plan);
  } else {
    return false;
  }
  return true;
}

}  // namespace buffon
