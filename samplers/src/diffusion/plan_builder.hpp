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

  /// @param blend share of the noise predicted before in every prediction; before: at the node before, or at the first node
  explicit PlanBuilder(double blend = 0, bool blend_first = false) : blend_(blend), blend_first_(blend_first) {}

  /// The model's answer for a state at a level, in a fresh register.
  int call(int state, const NoiseLevel& level, Prediction prediction);
  /// Σ terms + offset + noise z in a fresh register.
  int combine(std::vector<Term> terms, double noise = 0, RowNumbers offset = {});
  /// A node is reached with this state.
  void reached(int state);
  /// The state at the last node gives way to the model's data for it.
  void denoise_last(const NoiseLevel& level);

  SolverPlan finish();

 private:
  int evaluate(int state, const NoiseLevel& level, Prediction prediction);

  SolverPlan plan_;
  int next_ = 1;
  std::vector<int> states_;
  double blend_;
  bool blend_first_;
  int kept_noise_ = -1, newest_noise_ = -1;  ///< of the node to blend with, of the last node
  double newest_lambda_ = 0;
};

/// A step of Heun's method for dy/d rho = noise, y = x / alpha; Euler's down to sigma = 0.
int heun_step(PlanBuilder& plan, int x, const NoiseLevel& s, const NoiseLevel& t);

/// First-order maps from level s to t: x_t = of_x x_s + of_model times the model's answer at s.
struct FirstOrder {
  double x, model;
};
FirstOrder first_order(const NoiseLevel& s, const NoiseLevel& t, Prediction prediction);

/// ∫ from 0 to h of e^{−(h − z)} L_j(z) dz for the Lagrange polynomials of the nodes z_j, at most 8.
std::vector<double> exponential_weights(const std::vector<double>& nodes, double h);

/// Answers that a multistep formula may use in step `step` of `steps`: no more than the steps left where the setting asks so.
std::size_t allowed_answers(const SolverSetting& setting, std::size_t answers, std::size_t step, std::size_t steps);

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
bool v3_family(const SolverSetting&, const NoiseSchedule&, const std::vector<NoiseLevel>&, PlanBuilder&);
bool stochastic_family(const SolverSetting&, const NoiseSchedule&, const std::vector<NoiseLevel>&, PlanBuilder&);

}  // namespace buffon
