// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/samplers/diffusion/solver_plan.hpp>

#include <string>
#include <utility>
#include <vector>

namespace buffon::reproduce::diffusion_solvers {

/// A line of the reference table.
struct ReferenceSolver {
  std::string name;       ///< in the table
  SolverSetting setting;  ///< ours
  double order;           ///< of convergence, on smooth grids
};

inline SolverSetting solver(std::string name, int order = 0, std::string variant = "", Prediction prediction = Prediction::data) {
  return {.solver = std::move(name), .order = order, .variant = std::move(variant), .prediction = prediction, .any_steps = true};
}

/// The 34 solvers. Orders: a solver through p points of history has order p, a corrector adds one; weights made for equal steps, and a cold start of
/// a momentum, leave order 2.
inline const std::vector<ReferenceSolver>& reference_solvers() {
  static const std::vector<ReferenceSolver> solvers = {{"ddim", solver("ddim"), 1},
                                                       {"dpm2s-mid", solver("dpm_solver_2"), 2},
                                                       {"dpm2s-taylor", solver("dpm_solver_2", 0, "taylor"), 2},
                                                       {"dpm3s", solver("dpm_solver_3"), 3},
                                                       {"dpmpp2s", solver("dpmpp_2s"), 2},
                                                       {"dpmpp3s", solver("dpmpp_3s"), 3},
                                                       {"dpmpp2m-mid", solver("dpmpp_2m"), 2},
                                                       {"dpmpp2m-heun", solver("dpmpp_2m", 0, "heun"), 2},
                                                       {"dpmpp3m-consistent", solver("dpmpp_3m"), 3},
                                                       {"dpmpp3m-public", solver("dpmpp_3m", 0, "compat"), 2},
                                                       {"expab4-x0", solver("exponential_adams", 4), 4},
                                                       {"tab1", solver("deis_tab", 2), 2},
                                                       {"tab2", solver("deis_tab", 3), 3},
                                                       {"tab3", solver("deis_tab", 4), 4},
                                                       {"rhoab1", solver("deis_rhoab", 2), 2},
                                                       {"rhoab2", solver("deis_rhoab", 3), 3},
                                                       {"rhoab3", solver("deis_rhoab", 4), 4},
                                                       {"rho-heun(edm)", solver("rho_heun"), 2},
                                                       {"rho-kutta3", solver("rho_kutta_3"), 3},
                                                       {"rho-rk4", solver("rho_kutta_4"), 4},
                                                       {"ipndm2", solver("ipndm", 2), 2},
                                                       {"ipndm4", solver("ipndm", 4), 2},
                                                       {"s-pndm", solver("s_pndm"), 2},
                                                       {"f-pndm", solver("f_pndm"), 2},
                                                       {"unip2-x0-bh2", solver("unip", 2), 2},
                                                       {"unip3-x0-bh2", solver("unip", 3), 3},
                                                       {"unipc1-x0-bh2", solver("unipc", 1), 2},
                                                       {"unipc2-x0-bh1", solver("unipc", 2, "bh1"), 3},
                                                       {"unipc2-x0-bh2", solver("unipc", 2), 3},
                                                       {"unipc2-eps-bh2", solver("unipc", 2, "", Prediction::noise), 3},
                                                       {"unipc3-x0-bh2", solver("unipc", 3), 4},
                                                       {"unipc3-eps-bh2", solver("unipc", 3, "", Prediction::noise), 4},
                                                       {"ghvb-1.8", solver("ghvb", 2), 2},
                                                       {"ghvb-2.8", solver("ghvb", 3), 2}};
  return solvers;
}

}  // namespace buffon::reproduce::diffusion_solvers
