// SPDX-License-Identifier: BSD-3-Clause
// Exponential multistep solvers in data form: DPM-Solver++ 2M and 3M, exponential Adams-Bashforth of any order; stochastic forms of 2M.
#include "plan_builder.hpp"

#include <algorithm>
#include <cmath>

namespace buffon {
namespace {

using Term = SolverPlan::Term;
using Grid = std::vector<NoiseLevel>;

/// The last answers of the model, newest first.
struct History {
  std::vector<int> answers;
  std::vector<double> lambdas;
  void add(int answer, double lambda, std::size_t most) {
    answers.insert(answers.begin(), answer);
    lambdas.insert(lambdas.begin(), lambda);
    if (answers.size() > most) {
      answers.resize(most);
      lambdas.resize(most);
    }
  }
};

}  // namespace

bool multistep_family(const SolverSetting& setting, const NoiseSchedule&, const Grid& grid, PlanBuilder& plan) {
  const std::string& name = setting.solver;
  const bool sde = name == "dpmpp_2m_sde" || name == "dpmpp_1_sde", second = name == "dpmpp_2m" || name == "dpmpp_2m_sde", third = name == "dpmpp_3m",
             adams = name == "exponential_adams";
  const bool single = name == "ddim" || name == "ddpm" || name == "dpmpp_1_sde";
  if (!second && !third && !adams && !single) return false;
  const bool heun = setting.variant == "heun", compatible = setting.variant == "compat";
  const int order = single ? 1 : (second ? 2 : (third ? 3 : (setting.order > 0 ? setting.order : 3)));
  if (order > 6) refuse_solver(name, "order", std::to_string(setting.order), "must be at most 6", "higher orders are unstable");
  const double eta = name == "ddpm" ? 1 : setting.eta;
  History history;
  int x = 0;
  for (std::size_t i = 0; i + 1 < grid.size(); ++i) {
    const NoiseLevel &s = grid[i], &t = grid[i + 1];
    history.add(plan.call(x, s, Prediction::data), s.lambda, static_cast<std::size_t>(order));
    const std::vector<int>& d = history.answers;
    const double h = t.lambda - s.lambda;
    // Nodes at infinity carry no slope; the last step to sigma = 0 is x ← D.
    std::size_t used = allowed_answers(setting, d.size(), i, grid.size() - 1);
    while (used > 1 && !std::isfinite(history.lambdas[used - 1])) --used;
    if (t.sigma == 0 || !std::isfinite(h)) used = 1;
    if (used == 1) {
      if ((name == "ddim" || name == "ddpm") && eta > 0 && t.sigma > 0 && s.alpha > 0) {
        const double variance = -eta * eta * t.sigma * t.sigma * std::expm1(-2 * h), rest = std::sqrt(std::max(0.0, t.sigma * t.sigma - variance));
        const double noise =
            setting.variant == "large" ? std::sqrt(s.sigma * s.sigma - s.alpha * s.alpha / (t.alpha * t.alpha) * t.sigma * t.sigma) : std::sqrt(variance);
        x = plan.combine({{x, rest / s.sigma}, {d[0], t.alpha - s.alpha * rest / s.sigma}}, noise);
      } else if (sde && eta > 0 && t.sigma > 0 && std::isfinite(h)) {
        x = plan.combine({{x, t.sigma / s.sigma * std::exp(-eta * h)}, {d[0], -t.alpha * std::expm1(-(1 + eta) * h)}},
                         t.sigma * std::sqrt(-std::expm1(-2 * eta * h)));
      } else {
        const FirstOrder c = first_order(s, t, Prediction::data);
        x = plan.combine({{x, c.x}, {d[0], c.model}});
      }
      plan.reached(x);
      continue;
    }
    const double r0 = (s.lambda - history.lambdas[1]) / h;
    if (second) {
      const double g = (1 + (sde ? eta : 0)) * h, e = std::expm1(-g);
      const double slope = heun ? t.alpha * (e / g + 1) / r0 : -t.alpha * e / (2 * r0);
      const double noise = g > h ? t.sigma * std::sqrt(-std::expm1(-2 * eta * h)) : 0;
      x = plan.combine({{x, t.sigma / s.sigma * std::exp(h - g)}, {d[0], -t.alpha * e + slope}, {d[1], -slope}}, noise);
    } else if (third && compatible) {  // the formula of public code, whose last term is halved: of order 2
      const double p1 = std::expm1(-h), p2 = p1 / h + 1, p3 = p2 / h - 0.5;
      if (used == 2) {
        const double slope = -t.alpha * p1 / (2 * r0);
        x = plan.combine({{x, t.sigma / s.sigma}, {d[0], -t.alpha * p1 + slope}, {d[1], -slope}});
      } else {
        const double r1 = (history.lambdas[1] - history.lambdas[2]) / h;
        // g1 = A + r0/(r0+r1) (A − B), q = (A − B)/(r0 + r1); A = (D0 − D1)/r0, B = (D1 − D2)/r1
        const double on_a = t.alpha * (p2 * (1 + r0 / (r0 + r1)) - p3 / (r0 + r1)), on_b = t.alpha * (-p2 * r0 / (r0 + r1) + p3 / (r0 + r1));
        x = plan.combine({{x, t.sigma / s.sigma}, {d[0], -t.alpha * p1 + on_a / r0}, {d[1], -on_a / r0 + on_b / r1}, {d[2], -on_b / r1}});
      }
    } else {
      std::vector<double> nodes;
      for (std::size_t j = 0; j < used; ++j) nodes.push_back(history.lambdas[j] - s.lambda);
      const std::vector<double> weights = exponential_weights(nodes, h);
      std::vector<Term> terms = {{x, t.sigma / s.sigma}};
      for (std::size_t j = 0; j < used; ++j) terms.push_back({d[j], t.alpha * weights[j]});
      x = plan.combine(terms);
    }
    plan.reached(x);
  }
  return true;
}

}  // namespace buffon
