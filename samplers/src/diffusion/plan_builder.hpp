// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/samplers/diffusion/solver_plan.hpp>

#include <string>
#include <utility>
#include <vector>

namespace buffon {

/// Writes a plan, one fresh register per value; `finish` lets registers share places where their lives do not overlap.
class PlanBuilder {
 public:
  using Term = SolverPlan::Term;

  /// The model's answer for a state at a level, in a fresh register.
  int call(int state, const NoiseLevel& level, Prediction prediction);
  /// Σ terms + noise z in a fresh register.
  int combine(std::vector<Term> terms, double noise = 0);
  /// A node is reached with this state.
  void reached(int state);

  SolverPlan finish();

 private:
  SolverPlan plan_;
  int next_ = 1;
  std::vector<int> states_;
};

/// First-order maps from level s to t: x_t = of_x x_s + of_model times the model's answer at s.
struct FirstOrder {
  double x, model;
};
FirstOrder first_order(const NoiseLevel& s, const NoiseLevel& t, Prediction prediction);

/// ∫ from 0 to h of e^{−(h − z)} L_j(z) dz for the Lagrange polynomials of the nodes z_j, at most 8.
std::vector<double> exponential_weights(const std::vector<double>& nodes, double h);

/// phi_k(z), k >= 0: phi_0 = e^z, phi_{k+1} = (phi_k − 1/k!) / z.
double phi(int k, double z);

[[noreturn]] void refuse_solver(const std::string& solver, std::string key, std::string value, std::string rule, std::string remedy);

/// A family of solvers: writes the steps of a plan. Nothing where the name is not its own.
using SolverFamily = bool (*)(const SolverSetting&, const NoiseSchedule&, const std::vector<NoiseLevel>&, PlanBuilder&);
bool single_step_family(const SolverSetting&, const NoiseSchedule&, const std::vector<NoiseLevel>&, PlanBuilder&);
bool multistep_family(const SolverSetting&, const NoiseSchedule&, const std::vector<NoiseLevel>&, PlanBuilder&);
bool adams_family(const SolverSetting&, const NoiseSchedule&, const std::vector<NoiseLevel>&, PlanBuilder&);
bool unipc_family(const SolverSetting&, const NoiseSchedule&, const std::vector<NoiseLevel>&, PlanBuilder&);
bool flow_family(const SolverSetting&, const NoiseSchedule&, const std::vector<NoiseLevel>&, PlanBuilder&);
bool stochastic_family(const SolverSetting&, const NoiseSchedule&, const std::vector<NoiseLevel>&, PlanBuilder&);

}  // namespace buffon
