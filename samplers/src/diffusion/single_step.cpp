// SPDX-License-Identifier: BSD-3-Clause
// Solvers that begin anew at every node: DPM-Solver-2 and -3 (noise), DPM-Solver++ 2S and 3S (data), Runge-Kutta in rho, lists of orders.
#include "plan_builder.hpp"

#include <cmath>

namespace buffon {
namespace {

using Term = SolverPlan::Term;
using Grid = std::vector<NoiseLevel>;

/// A step from s to t with stages at the levels between, s and t included; stages that are nodes of the grid are told to the plan.
struct Way {
  std::vector<NoiseLevel> levels;
  bool taylor = false, stages_are_nodes = false;

  const NoiseLevel& s() const { return levels.front(); }
  const NoiseLevel& t() const { return levels.back(); }
  double h() const { return t().lambda - s().lambda; }
  double r(std::size_t stage) const { return (levels[stage].lambda - s().lambda) / h(); }
};

int first_order_step(PlanBuilder& plan, int x, int model, const NoiseLevel& s, const NoiseLevel& t, Prediction prediction) {
  const FirstOrder c = first_order(s, t, prediction);
  return plan.combine({{x, c.x}, {model, c.model}});
}

int ddim_step(PlanBuilder& plan, int x, const NoiseLevel& s, const NoiseLevel& t, Prediction prediction) {
  return first_order_step(plan, x, plan.call(x, s, prediction), s, t, prediction);
}

int stage_call(PlanBuilder& plan, const Way& way, int u, std::size_t stage, Prediction prediction) {
  if (way.stages_are_nodes) plan.reached(u);
  return plan.call(u, way.levels[stage], prediction);
}

/// DPM-Solver-2 by the midpoint rule or Taylor's formula.
int noise_2(PlanBuilder& plan, int x, const Way& way) {
  const NoiseLevel &s = way.s(), &m = way.levels[1], &t = way.t();
  const int e0 = plan.call(x, s, Prediction::noise), u = first_order_step(plan, x, e0, s, m, Prediction::noise);
  const int e1 = stage_call(plan, way, u, 1, Prediction::noise);
  const double r = way.r(1), h = way.h(), big = std::expm1(h);
  const double difference = way.taylor ? -t.sigma / r * (big / h - 1) : -t.sigma * big / (2 * r);
  return plan.combine({{x, t.alpha / s.alpha}, {e0, -t.sigma * big - difference}, {e1, difference}});
}

int noise_3(PlanBuilder& plan, int x, const Way& way) {
  const NoiseLevel &s = way.s(), &m1 = way.levels[1], &m2 = way.levels[2], &t = way.t();
  const double r1 = way.r(1), r2 = way.r(2), h = way.h();
  const int e0 = plan.call(x, s, Prediction::noise), u1 = first_order_step(plan, x, e0, s, m1, Prediction::noise);
  const int e1 = stage_call(plan, way, u1, 1, Prediction::noise);
  const double d = -m2.sigma * (r2 / r1) * (std::expm1(r2 * h) / (r2 * h) - 1);
  const int u2 = plan.combine({{x, m2.alpha / s.alpha}, {e0, -m2.sigma * std::expm1(r2 * h) - d}, {e1, d}});
  const int e2 = stage_call(plan, way, u2, 2, Prediction::noise);
  const double last = -t.sigma / r2 * (std::expm1(h) / h - 1);
  return plan.combine({{x, t.alpha / s.alpha}, {e0, -t.sigma * std::expm1(h) - last}, {e2, last}});
}

int data_2(PlanBuilder& plan, int x, const Way& way) {
  const NoiseLevel &s = way.s(), &m = way.levels[1], &t = way.t();
  const int d0 = plan.call(x, s, Prediction::data), u = first_order_step(plan, x, d0, s, m, Prediction::data);
  const int d1 = stage_call(plan, way, u, 1, Prediction::data);
  const double r = way.r(1), c = -t.alpha * std::expm1(-way.h());
  return plan.combine({{x, t.sigma / s.sigma}, {d0, c * (1 - 1 / (2 * r))}, {d1, c / (2 * r)}});
}

int data_3(PlanBuilder& plan, int x, const Way& way) {
  const NoiseLevel &s = way.s(), &m1 = way.levels[1], &m2 = way.levels[2], &t = way.t();
  const double r1 = way.r(1), r2 = way.r(2), h = way.h();
  const int d0 = plan.call(x, s, Prediction::data), u1 = first_order_step(plan, x, d0, s, m1, Prediction::data);
  const int d1 = stage_call(plan, way, u1, 1, Prediction::data);
  const double d = (r2 / r1) * m2.alpha * (std::expm1(-r2 * h) / (r2 * h) + 1);
  const int u2 = plan.combine({{x, m2.sigma / s.sigma}, {d0, -m2.alpha * std::expm1(-r2 * h) - d}, {d1, d}});
  const int d2 = stage_call(plan, way, u2, 2, Prediction::data);
  const double p1 = std::expm1(-h), p2 = p1 / h + 1, p3 = p2 / h - 0.5;
  if (!way.taylor) {
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
const Tableau rho_kutta_3 = {{0, 0.5, 1}, {{}, {0.5}, {-1, 2}}, {1.0 / 6, 4.0 / 6, 1.0 / 6}};
const Tableau rho_kutta_4 = {{0, 0.5, 0.5, 1}, {{}, {0.5}, {0, 0.5}, {0, 0, 1}}, {1.0 / 6, 2.0 / 6, 2.0 / 6, 1.0 / 6}};

/// Orders that spend so many calls: as many of the highest as fit, lower ones in the end.
std::vector<int> order_list(int order, int calls) {
  std::vector<int> list;
  if (order == 3) {
    const int groups = calls / 3 + 1, rest = calls % 3;
    list.assign(static_cast<std::size_t>(rest == 0 ? groups - 2 : groups - 1), 3);
    if (rest != 1) list.push_back(2);
    if (rest != 2) list.push_back(1);
  } else {
    list.assign(static_cast<std::size_t>(calls / 2), 2);
    if (calls % 2 == 1) list.push_back(1);
  }
  return list;
}

/// A call for every node: steps over several nodes, whose stages lie on the nodes between.
void plan_order_list(const SolverSetting& setting, const Grid& grid, bool noise, PlanBuilder& plan) {
  if (setting.order != 0 && setting.order != 2 && setting.order != 3) {
    refuse_solver(setting.solver, "order", std::to_string(setting.order), "must be 2 or 3", "take 3");
  }
  const Prediction form = noise ? Prediction::noise : Prediction::data;
  int x = 0;
  std::size_t at = 0;
  for (const int order : order_list(setting.order == 0 ? 3 : setting.order, static_cast<int>(grid.size()) - 1)) {
    const auto stages = static_cast<std::size_t>(order);
    Way way{{grid.begin() + static_cast<std::ptrdiff_t>(at), grid.begin() + static_cast<std::ptrdiff_t>(at + stages + 1)}, setting.variant == "taylor", true};
    if (way.t().sigma == 0 || way.s().alpha == 0) {  // no formula of higher order there
      for (std::size_t k = 0; k < stages; ++k) {
        x = ddim_step(plan, x, way.levels[k], way.levels[k + 1], way.levels[k].alpha == 0 ? Prediction::data : form);
        plan.reached(x);
      }
    } else {
      if (order == 1) x = ddim_step(plan, x, way.s(), way.t(), form);
      if (order == 2) x = noise ? noise_2(plan, x, way) : data_2(plan, x, way);
      if (order == 3) x = noise ? noise_3(plan, x, way) : data_3(plan, x, way);
      plan.reached(x);
    }
    at += stages;
  }
}

}  // namespace

bool single_step_family(const SolverSetting& setting, const NoiseSchedule& schedule, const Grid& grid, PlanBuilder& plan) {
  const std::string& name = setting.solver;
  if (name == "dpm_solver_fast" || name == "dpmpp_fast") {
    plan_order_list(setting, grid, name == "dpm_solver_fast", plan);
    return true;
  }
  const bool kutta_3 = name == "rho_kutta_3", kutta_4 = name == "rho_kutta_4", heun = name == "rho_heun";
  const bool noise = name == "dpm_solver_2" || name == "dpm_solver_3", data = name == "dpmpp_2s" || name == "dpmpp_3s";
  if (!kutta_3 && !kutta_4 && !heun && !noise && !data) return false;
  const bool third = name == "dpm_solver_3" || name == "dpmpp_3s";
  int x = 0;
  for (std::size_t i = 0; i + 1 < grid.size(); ++i) {
    const NoiseLevel &s = grid[i], &t = grid[i + 1];
    if (t.sigma == 0 || s.alpha == 0) {  // no second evaluation there
      x = ddim_step(plan, x, s, t, s.alpha == 0 || !noise ? Prediction::data : Prediction::noise);
    } else if (heun) {
      x = heun_step(plan, x, s, t);
    } else if (kutta_3 || kutta_4) {
      x = rho_step(plan, schedule, x, s, t, kutta_3 ? rho_kutta_3 : rho_kutta_4);
    } else {
      const auto between = [&](double r) { return schedule.at_lambda(s.lambda + r * (t.lambda - s.lambda)); };
      Way way{third ? Grid{s, between(1.0 / 3), between(2.0 / 3), t} : Grid{s, between(0.5), t}, setting.variant == "taylor", false};
      if (noise) x = third ? noise_3(plan, x, way) : noise_2(plan, x, way);
      if (data) x = third ? data_3(plan, x, way) : data_2(plan, x, way);
    }
    plan.reached(x);
  }
  return true;
}

}  // namespace buffon
