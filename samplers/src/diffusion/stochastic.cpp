// SPDX-License-Identifier: BSD-3-Clause
// Solvers with noise beside those of the multistep family: EDM with churn, Euler-Maruyama on the reverse equation.
#include "plan_builder.hpp"

#include <algorithm>
#include <cmath>

namespace buffon {

bool stochastic_family(const SolverSetting& setting, const NoiseSchedule& schedule, const std::vector<NoiseLevel>& grid, PlanBuilder& plan) {
  const std::string& name = setting.solver;
  int x = 0;
  if (name == "edm") {
    const double gamma_of_churn = std::min(setting.churn / static_cast<double>(grid.size() - 1), std::sqrt(2.0) - 1);
    for (std::size_t i = 0; i + 1 < grid.size(); ++i) {
      NoiseLevel s = grid[i];
      const NoiseLevel& t = grid[i + 1];
      const double rho = s.rho(), gamma = rho >= setting.churn_from && rho <= setting.churn_to ? gamma_of_churn : 0;
      if (gamma > 0) {  // more noise in y = x / alpha
        const NoiseLevel raised = schedule.at_lambda(-std::log(rho * (1 + gamma)));
        const double added = std::sqrt(raised.rho() * raised.rho() - rho * rho) * setting.churn_noise;
        x = plan.combine({{x, raised.alpha / s.alpha}}, raised.alpha * added);
        s = raised;
      }
      const double d = t.rho() - s.rho();
      const int e0 = plan.call(x, s, Prediction::noise), euler = plan.combine({{x, t.alpha / s.alpha}, {e0, t.alpha * d}});
      if (t.sigma == 0) {
        x = euler;
      } else {
        const int e1 = plan.call(euler, t, Prediction::noise);
        x = plan.combine({{x, t.alpha / s.alpha}, {e0, 0.5 * t.alpha * d}, {e1, 0.5 * t.alpha * d}});
      }
      plan.reached(x);
    }
    return true;
  }
  if (name == "euler_maruyama") {
    // dx = (f x + g² ε / sigma) dt + g dW backwards; f = d log alpha / dt, g² = 2 sigma (sigma′ − f sigma)
    for (std::size_t i = 0; i + 1 < grid.size(); ++i) {
      const NoiseLevel &s = grid[i], &t = grid[i + 1];
      const double d = t.time - s.time;
      const NoiseSchedule::Slopes slope = schedule.slopes(s.time);
      const double f = slope.alpha / s.alpha, g_square = 2 * s.sigma * (slope.sigma - f * s.sigma);
      const int e = plan.call(x, s, Prediction::noise);
      x = plan.combine({{x, 1 + f * d}, {e, g_square / s.sigma * d}}, std::sqrt(g_square * std::abs(d)));
      plan.reached(x);
    }
    return true;
  }
  return false;
}

const std::vector<SolverName>& solver_names() {
  static const std::vector<SolverName> names = {
      {"ddim", "first order; eta mixes in noise, 1 = ddpm"},
      {"ddpm", "ancestral sampling; variant large: the larger of its two variances"},
      {"dpm_solver_2", "single step, order 2, noise; variants midpoint, taylor"},
      {"dpm_solver_3", "single step, order 3, noise"},
      {"dpmpp_2s", "single step, order 2, data"},
      {"dpmpp_3s", "single step, order 3, data; variant taylor"},
      {"dpmpp_2m", "multistep, order 2, data; variants midpoint, heun"},
      {"dpmpp_1_sde", "first order with noise (eta): 1 = ddpm"},
      {"dpmpp_2m_sde", "dpmpp_2m with noise (eta)"},
      {"dpmpp_3m", "multistep, order 3, data; variant compat: the formula of public code, of order 2"},
      {"exponential_adams", "exponential Adams-Bashforth, any order to 6, data"},
      {"unipc", "predictor and corrector, order p and p + 1; variants bh2, bh1"},
      {"unip", "its predictor alone"},
      {"deis_tab", "Adams-Bashforth with polynomials in time, order = points"},
      {"deis_rhoab", "the same in rho"},
      {"rho_heun", "Heun in rho: the deterministic EDM solver"},
      {"rho_kutta_3", "Kutta's third-order method in rho"},
      {"rho_kutta_4", "Runge-Kutta 4 in rho; 8 steps at least"},
      {"edm", "Heun in rho with churn"},
      {"ipndm", "improved PNDM: Adams-Bashforth weights of equal steps"},
      {"s_pndm", "PNDM with a second-order start"},
      {"f_pndm", "PNDM with a Runge-Kutta start of 9 more calls"},
      {"ghvb", "generalised heavy ball, order and beta"},
      {"plms_hb", "Polyak's heavy ball on PLMS"},
      {"plms_nt", "Nesterov's momentum on PLMS"},
      {"flow_euler", "Euler on the velocity"},
      {"flow_heun", "Heun on the velocity"},
      {"flow_midpoint", "midpoint on the velocity"},
      {"flow_adams_2", "Adams-Bashforth 2 on the velocity, unequal steps"},
      {"flow_kutta_4", "Runge-Kutta 4 on the velocity"},
      {"flow_pseudo_corrector", "Heun with the velocity of the last prediction: one call a step"},
      {"euler_maruyama", "Euler-Maruyama on the reverse equation"},
  };
  return names;
}

}  // namespace buffon
