// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/samplers/diffusion/solver_plan.hpp>

namespace buffon {

const std::vector<SolverName>& solver_names() {
  static const std::vector<SolverName> names = {
      {"ddim", "first order; eta mixes in noise, 1 = ddpm", "1", "1", "eta", "eta, variant large", "Song, Meng, Ermon, 2021"},
      {"ddpm", "ancestral sampling; variant large: the larger of its two variances", "1", "1", "always", "variant large", "Ho, Jain, Abbeel, 2020"},
      {"dpm_solver_2", "single step, order 2, noise; variants midpoint, taylor", "2", "2", "", "variant", "Lu and others, 2022 (DPM-Solver)"},
      {"dpm_solver_3", "single step, order 3, noise", "3", "3", "", "", "Lu and others, 2022 (DPM-Solver)"},
      {"dpm_solver_fast", "single steps of orders 3 (or 2) and less, noise: a call for every node", "3", "1", "", "order 2, 3, variant taylor",
       "Lu and others, 2022 (DPM-Solver)"},
      {"dpmpp_2s", "single step, order 2, data", "2", "2", "", "", "Lu and others, 2022 (DPM-Solver++)"},
      {"dpmpp_3s", "single step, order 3, data; variant taylor", "3", "3", "", "variant taylor", "Lu and others, 2022 (DPM-Solver++)"},
      {"dpmpp_fast", "single steps of orders 3 (or 2) and less, data: a call for every node", "3", "1", "", "order 2, 3, variant taylor",
       "Lu and others, 2022 (DPM-Solver++)"},
      {"dpmpp_2m", "multistep, order 2, data; variants midpoint, heun", "2", "1", "", "variant, lower_order_final", "Lu and others, 2022 (DPM-Solver++)"},
      {"dpmpp_1_sde", "first order with noise (eta): 1 = ddpm", "1", "1", "eta", "eta", "Lu and others, 2022 (DPM-Solver++)"},
      {"dpmpp_2m_sde", "dpmpp_2m with noise (eta)", "2", "1", "eta", "eta, variant, lower_order_final", "Lu and others, 2022 (DPM-Solver++)"},
      {"dpmpp_sde", "two stages with noise (eta), the same path of noise in both", "2", "2", "eta", "eta", "Lu and others, 2022 (DPM-Solver++)"},
      {"dpmpp_3m", "multistep, order 3, data; variant compat: the formula of public code, of order 2", "3", "1", "", "variant compat, lower_order_final",
       "Lu and others, 2022 (DPM-Solver++)"},
      {"exponential_adams", "exponential Adams-Bashforth, any order to 6, data", "p", "1", "", "order, lower_order_final", "Hochbruck, Ostermann, 2010"},
      {"unipc", "predictor and corrector, order p and p + 1; variants bh2, bh1", "p + 1", "1", "", "order, variant, prediction, lower_order_final",
       "Zhao and others, 2023 (UniPC)"},
      {"dc_solver", "unipc with the newest answer moved in time by fitted ratios", "p + 1", "1", "", "order, variant, prediction, ratios, lower_order_final",
       "Zhao and others, 2024 (DC-Solver)"},
      {"dpm_solver_v3", "multistep with fitted tables of the model; variants corrector, pseudo, pseudo_corrector", "p; p + 1 with corrector", "1", "",
       "order, variant, statistics, lower_order_final", "Zheng and others, 2023 (DPM-Solver-v3)"},
      {"unip", "the predictor of unipc alone", "p", "1", "", "order, variant, prediction, lower_order_final", "Zhao and others, 2023 (UniPC)"},
      {"deis_tab", "Adams-Bashforth with polynomials in time, order = points", "p", "1", "", "order, lower_order_final", "Zhang, Chen, 2023 (DEIS)"},
      {"deis_rhoab", "the same in rho", "p", "1", "", "order, lower_order_final", "Zhang, Chen, 2023 (DEIS)"},
      {"rho_heun", "Heun in rho: the deterministic EDM solver", "2", "2", "", "", "Karras and others, 2022 (EDM)"},
      {"rho_kutta_3", "Kutta's third-order method in rho", "3", "3", "", "", "Zhang, Chen, 2023 (DEIS)"},
      {"rho_kutta_4", "Runge-Kutta 4 in rho; 8 steps at least", "4", "4", "", "", "Zhang, Chen, 2023 (DEIS)"},
      {"edm", "Heun in rho with churn", "2", "2", "churn", "churn, churn_from, churn_to, churn_noise", "Karras and others, 2022 (EDM)"},
      {"restart", "Heun in rho that goes parts of the way again after new noise", "2", "2", "restarts", "restarts, churn_noise",
       "Xu and others, 2023 (Restart)"},
      {"ipndm", "improved PNDM: Adams-Bashforth weights of equal steps", "2", "1", "", "order, lower_order_final", "Zhang, Chen, 2023 (DEIS)"},
      {"s_pndm", "PNDM with a second-order start", "2", "1", "", "order, lower_order_final", "Liu and others, 2022 (PNDM)"},
      {"f_pndm", "PNDM with a Runge-Kutta start of 9 more calls", "2", "1", "", "order, lower_order_final", "Liu and others, 2022 (PNDM)"},
      {"ghvb", "generalised heavy ball, order and beta", "2", "1", "", "order, beta", "Wizadwongsa and others, 2023"},
      {"plms_hb", "Polyak's heavy ball on PLMS", "1", "1", "", "order, beta, lower_order_final", "Wizadwongsa and others, 2023"},
      {"plms_nt", "Nesterov's momentum on PLMS", "1", "1", "", "order, beta, lower_order_final", "Wizadwongsa and others, 2023"},
      {"flow_euler", "Euler on the velocity", "1", "1", "", "", ""},
      {"flow_heun", "Heun on the velocity", "2", "2", "", "", ""},
      {"flow_midpoint", "midpoint on the velocity", "2", "2", "", "", ""},
      {"flow_adams_2", "Adams-Bashforth 2 on the velocity, unequal steps", "2", "1", "", "", ""},
      {"flow_kutta_4", "Runge-Kutta 4 on the velocity", "4", "4", "", "", ""},
      {"flow_pseudo_corrector", "Heun with the velocity of the last prediction: one call a step", "2", "1", "", "", "Zhao and others, 2024 (FlowTurbo)"},
      {"euler_maruyama", "Euler-Maruyama on the reverse equation", "1", "1", "always", "", "Song and others, 2021"},
      {"interpolant_sde", "stochastic interpolant on the velocity with noise k = eta sigma; eta 0: the flow; variant heun", "1, 2 with heun", "1, 2 with heun",
       "eta", "eta, variant heun", "Albergo, Boffi, Vanden-Eijnden, 2023"},
      {"consistency", "multistep consistency sampling: data predictions as samples, noised to the next level", "", "1", "always", "", "Song and others, 2023"},
  };
  return names;
}

std::string solver_markdown_table() {
  std::string table = "| solver | what it does | order | calls a step | noise | options | source |\n|---|---|---|---|---|---|---|\n";
  for (const SolverName& solver : solver_names()) {
    table += "| `" + solver.name + "`";
    for (const std::string* field : {&solver.meaning, &solver.order, &solver.calls, &solver.noise, &solver.options, &solver.source}) {
      table += " | " + *field;
    }
    table += " |\n";
  }
  return table;
}

}  // namespace buffon
