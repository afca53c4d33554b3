// SPDX-License-Identifier: BSD-3-Clause
// Solvers that begin anew at every node: DDIM, DPM-Solver-2 and -3 (noise), DPM-Solver++ 2S and 3S (data), Runge-Kutta in rho.
#include "plan_builder.hpp"

#include <cmath>

namespace buffon {
namespace {

using Term = SolverPlan::Term;
using Grid = std::vector<NoiseLevel>;

NoiseLevel between(const NoiseSchedule& schedule, const NoiseLevel& s, const NoiseLevel& t, double r) {
  return schedule.at_lambda(s.lambda + r * (t.lambda - s.lambda));
}

int first_order_step(PlanBuilder& plan, int x, int model, const NoiseLevel& s, const NoiseLevel& t, Prediction prediction) {
  const FirstOrder c = first_order(s, t, prediction);
  return plan.combine({{x, c.x}, {model, c.model}});
}

int ddim_step(PlanBuilder& plan, int x, const NoiseLevel& s, const NoiseLevel& t, Prediction prediction) {
  return first_order_step(plan, x, plan.call(x, s, prediction), s, t, prediction);
}

/// DPM-Solver-2, r = 1/2, by midpoint or by Taylor's formula.
int noise_2(PlanBuilder& plan, const NoiseSchedule& schedule, int x, const NoiseLevel& s, const NoiseLevel& t, bool taylor) {
  constexpr double r = 0.5;
  const NoiseLevel m = between(schedule, s, t, r);
  const int e0 = plan.call(x, s, Prediction::noise), u = first_order_step(plan, x, e0, s, m, Prediction::noise), e1 = plan.call(u, m, Prediction::noise);
  const double h = t.lambda - s.lambda, big = std::expm1(h);
  const double difference = taylor ? -t.sigma / r * (big / h - 1) : -t.sigma * big / (2 * r);
  return plan.combine({{x, t.alpha / s.alpha}, {e0, -t.sigma * big - difference}, {e1, difference}});
}

int noise_3(PlanBuilder& plan, const NoiseSchedule& schedule, int x, const NoiseLevel& s, const NoiseLevel& t) {
  constexpr double r1 = 1.0 / 3, r2 = 2.0 / 3;
  const NoiseLevel m1 = between(schedule, s, t, r1), m2 = between(schedule, s, t, r2);
  const double h = t.lambda - s.lambda;
  const int e0 = plan.call(x, s, Prediction::noise), u1 = first_order_step(plan, x, e0, s, m1, Prediction::noise), e1 = plan.call(u1, m1, Prediction::noise);
  const double d = -m2.sigma * (r2 / r1) * (std::expm1(r2 * h) / (r2 * h) - 1);
  const int u2 = plan.combine({{x, m2.alpha / s.alpha}, {e0, -m2.sigma * std::expm1(r2 * h) - d}, {e1, d}});
  const int e2 = plan.call(u2, m2, Prediction::noise);
  const double last = -t.sigma / r2 * (std::expm1(h) / h - 1);
  return plan.combine({{x, t.alpha / s.alpha}, {e0, -t.sigma * std::expm1(h) - last}, {e2, last}});
}

int data_2(PlanBuilder& plan, const NoiseSchedule& schedule, int x, const NoiseLevel& s, const NoiseLevel& t) {
  constexpr double r = 0.5;
  const NoiseLevel m = between(schedule, s, t, r);
  const int d0 = plan.call(x, s, Prediction::data), u = first_order_step(plan, x, d0, s, m, Prediction::data), d1 = plan.call(u, m, Prediction::data);
  const double c = -t.alpha * std::expm1(-(t.lambda - s.lambda));
  return plan.combine({{x, t.sigma / s.sigma}, {d0, c * (1 - 1 / (2 * r))}, {d1, c / (2 * r)}});
}

int data_3(PlanBuilder& plan, const NoiseSchedule& schedule, int x, const NoiseLevel& s, const NoiseLevel& t, bool taylor) {
  constexpr double r1 = 1.0 / 3, r2 = 2.0 / 3;
  const NoiseLevel m1 = between(schedule, s, t, r1), m2 = between(schedule, s, t, r2);
  const double h = t.lambda - s.lambda;
  const int d0 = plan.call(x, s, Prediction::data), u1 = first_order_step(plan, x, d0, s, m1, Prediction::data), d1 = plan.call(u1, m1, Prediction::data);
  const double d = (r2 / r1) * m2.alpha * (std::expm1(-r2 * h) / (r2 * h) + 1);
  const int u2 = plan.combine({{x, m2.sigma / s.sigma}, {d0, -m2.alpha * std::expm1(-r2 * h) - d}, {d1, d}});
  const int d2 = plan.call(u2, m2, Prediction::data);
  const double p1 = std::expm1(-h), p2 = p1 / h + 1, p3 = p2 / h - 0.5;
  if (!taylor) {
    const double last = t.alpha / r2 * p2;
    return plan.combine({{x, t.sigma / s.sigma}, {d0, -t.alpha * p1 - last}, {d2, last}});
  }
  // g1 = (r2 D10 − r1 D11)/(r2 − r1), g2 = 2 (D11 − D10)/(r2 − r1); D10 = (D1 − D0)/r1, D11 = (D2 − D0)/r2
  const double on_10 = t.alpha * (p2 * r2 + 2 * p3) / (r2 - r1), on_11 = t.alpha * (-p2 * r1 - 2 * p3) / (r2 - r1);
  return plan.combine({{x, t.sigma / s.sigma}, {d0, -t.alpha * p1 - on_10 / r1 - on_11 / r2}, {d1, on_10 / r1}, {d2, on_11 / r2}});
}

/// A step of an explicit Runge-Kutta method for dy/d rho = noise, y = x / alpha.
struct Tableau {
  std::vector<double> nodes;
  std::vector<std::vector<double>> stages;
  std::vector<double> weights;
};
int rho_step(PlanBuilder& plan, const NoiseSchedule& schedule, int x, const NoiseLevel& s, const NoiseLevel& t, const Tableau& tableau) {
  const double d = t.rho() - s.rho();
  std::vector<int> slopes;
  const auto state = [&](const NoiseLevel& level, const std::vector<double>& weights) {
    std::vector<Term> terms = {{x, level.alpha / s.alpha}};
    for (std::size_t j = 0; j < weights.size(); ++j) terms.push_back({slopes[j], level.alpha * d * weights[j]});
    return plan.combine(terms);
  };
  for (std::size_t i = 0; i < tableau.nodes.size(); ++i) {
    const double c = tableau.nodes[i];
    const NoiseLevel level = c == 0 ? s : (c == 1 ? t : schedule.at_lambda(-std::log(s.rho() + c * d)));
    slopes.push_back(plan.call(i == 0 ? x : state(level, tableau.stages[i]), level, Prediction::noise));
  }
  return state(t, tableau.weights);
}
const Tableau rho_heun = {{0, 1}, {{}, {1}}, {0.5, 0.5}};
const Tableau rho_kutta_3 = {{0, 0.5, 1}, {{}, {0.5}, {-1, 2}}, {1.0 / 6, 4.0 / 6, 1.0 / 6}};
const Tableau rho_kutta_4 = {{0, 0.5, 0.5, 1}, {{}, {0.5}, {0, 0.5}, {0, 0, 1}}, {1.0 / 6, 2.0 / 6, 2.0 / 6, 1.0 / 6}};

}  // namespace

bool single_step_family(const SolverSetting& setting, const NoiseSchedule& schedule, const Grid& grid, PlanBuilder& plan) {
  const std::string& name = setting.solver;
  const bool taylor = setting.variant == "taylor";
  using Step = int (*)(PlanBuilder&, const NoiseSchedule&, int, const NoiseLevel&, const NoiseLevel&, bool);
  Step step = nullptr;
  const Tableau* tableau = nullptr;
  if (name == "dpm_solver_2") {
    step = noise_2;
  } else if (name == "dpm_solver_3") {
    step = [](PlanBuilder& p, const NoiseSchedule& c, int x, const NoiseLevel& s, const NoiseLevel& t, bool) { return noise_3(p, c, x, s, t); };
  } else if (name == "dpmpp_2s") {
    step = [](PlanBuilder& p, const NoiseSchedule& c, int x, const NoiseLevel& s, const NoiseLevel& t, bool) { return data_2(p, c, x, s, t); };
  } else if (name == "dpmpp_3s") {
    step = data_3;
  } else if (name == "rho_heun" || name == "rho_kutta_3" || name == "rho_kutta_4") {
    tableau = name == "rho_heun" ? &rho_heun : (name == "rho_kutta_3" ? &rho_kutta_3 : &rho_kutta_4);
  } else {
    return false;
  }
  int x = 0;
  for (std::size_t i = 0; i + 1 < grid.size(); ++i) {
    const NoiseLevel &s = grid[i], &t = grid[i + 1];
    const bool plain = t.sigma == 0 || s.alpha == 0;  // no second evaluation there
    const auto form = step == noise_2 || name == "dpm_solver_3" ? Prediction::noise : Prediction::data;
    if (plain) {
      x = ddim_step(plan, x, s, t, s.alpha == 0 ? Prediction::data : form);
    } else {
      x = tableau != nullptr ? rho_step(plan, schedule, x, s, t, *tableau) : step(plan, schedule, x, s, t, taylor);
    }
    plan.reached(x);
  }
  return true;
}

}  // namespace buffon
