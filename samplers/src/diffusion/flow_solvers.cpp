// SPDX-License-Identifier: BSD-3-Clause
// Solvers of dx/dt = u(x, t), the velocity of the flow: Euler, Heun, midpoint, Adams-Bashforth 2, Runge-Kutta 4, pseudo-corrector.
#include "plan_builder.hpp"

namespace buffon {

bool flow_family(const SolverSetting& setting, const NoiseSchedule& schedule, const std::vector<NoiseLevel>& grid, PlanBuilder& plan) {
  const std::string& name = setting.solver;
  const bool euler = name == "flow_euler", heun = name == "flow_heun", midpoint = name == "flow_midpoint", adams = name == "flow_adams_2",
             kutta = name == "flow_kutta_4", pseudo = name == "flow_pseudo_corrector";
  if (!euler && !heun && !midpoint && !adams && !kutta && !pseudo) return false;
  constexpr auto form = Prediction::velocity;
  int x = 0, cached = -1;
  double before = 0;
  for (std::size_t i = 0; i + 1 < grid.size(); ++i) {
    const NoiseLevel &s = grid[i], &t = grid[i + 1];
    const double d = t.time - s.time;
    const bool last = t.sigma == 0;  // the velocity is not defined without noise
    const auto euler_to = [&](int from, int slope, double length) { return plan.combine({{from, 1}, {slope, length}}); };
    if (pseudo && cached >= 0 && !last) {
      const int u = plan.call(euler_to(x, cached, d), t, form);
      x = plan.combine({{x, 1}, {cached, d / 2}, {u, d / 2}});
      cached = u;
    } else if (euler || last) {
      x = euler_to(x, plan.call(x, s, form), d);
    } else if (heun || pseudo) {
      const int u0 = plan.call(x, s, form), u1 = plan.call(euler_to(x, u0, d), t, form);
      x = plan.combine({{x, 1}, {u0, d / 2}, {u1, d / 2}});
      if (pseudo) cached = u1;
    } else if (midpoint) {
      const int u0 = plan.call(x, s, form), u1 = plan.call(euler_to(x, u0, d / 2), schedule.at_time(s.time + d / 2), form);
      x = euler_to(x, u1, d);
    } else if (adams) {
      const int u = plan.call(x, s, form);
      x = cached < 0 ? euler_to(x, u, d) : plan.combine({{x, 1}, {u, d * (1 + d / (2 * before))}, {cached, -d * d / (2 * before)}});
      cached = u;
      before = d;
    } else {
      const NoiseLevel m = schedule.at_time(s.time + d / 2);
      const int u0 = plan.call(x, s, form), u1 = plan.call(euler_to(x, u0, d / 2), m, form), u2 = plan.call(euler_to(x, u1, d / 2), m, form);
      const int u3 = plan.call(euler_to(x, u2, d), t, form);
      x = plan.combine({{x, 1}, {u0, d / 6}, {u1, d / 3}, {u2, d / 3}, {u3, d / 6}});
    }
    plan.reached(x);
  }
  return true;
}

}  // namespace buffon
