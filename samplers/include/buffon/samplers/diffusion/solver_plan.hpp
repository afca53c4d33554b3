// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/model/noise_schedule.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include <Eigen/Core>

namespace buffon {

/// What a solver keeps of the model's answer.
enum class Prediction { noise, data, velocity };

/// Numbers over the coordinates, shared by copies of what holds them; none = absent.
using RowNumbers = std::shared_ptr<const Eigen::VectorXd>;

/// A run of a solver with fixed nodes, worked out before it begins: evaluations of the model, and fused linear combinations with coefficients
/// computed in double. Registers hold one batch each, register 0 the state. The same plan runs on every backend, and on
/// the coefficients of an exact law.
class SolverPlan {
 public:
  struct Term {
    int source;  ///< register
    double factor;
    RowNumbers rows{};  ///< further factors, one for each coordinate
  };
  /// target ← answer of the model for the state in `source` at a level
  struct Evaluate {
    int target, source;
    NoiseLevel level;
    Prediction prediction;
  };
  /// target ← Σ factor_k register_k + offset + noise z; z standard normal, addressed by (seed, sample, number)
  struct Combine {
    int target;
    std::vector<Term> terms;
    double noise = 0;
    std::uint32_t number = 0;  ///< of the noise, 0 where there is none
    RowNumbers offset{};       ///< the same for every sample
  };
  using Operation = std::variant<Evaluate, Combine>;

  std::vector<Operation> operations;
  std::vector<std::size_t> ends;  ///< for every node reached: operations done by then
  std::vector<int> states;        ///< and the register that the state lies in
  int registers = 1;
  int calls = 0;   ///< of the model
  int noises = 0;  ///< normals a coordinate
};

/// A part of the way that `restart` goes again (Xu and others, "Restart sampling", 2023): from the node nearest to rho_min up to rho_max by
/// noise, and down again in nodes − 1 steps of Heun, `times` times.
struct RestartLevel {
  int nodes = 3, times = 1;
  double rho_min = 0, rho_max = 0;  ///< rho = sigma / alpha
};

class EmpiricalStatistics;

/// Options that several solvers share; each reads what it knows.
struct SolverSetting {
  std::string solver = "unipc";
  int order = 0;                                                        ///< 0 = the solver's own
  double eta = 0;                                                       ///< share of noise: of ddim in [0, 1], of the SDE forms any
  std::string variant = "";                                             ///< of the solver, see `solver_names`
  Prediction prediction = Prediction::data;                             ///< unipc: what is interpolated
  double beta = 0.8;                                                    ///< momentum
  double churn = 0, churn_from = 0, churn_to = 1e300, churn_noise = 1;  ///< edm
  std::vector<RestartLevel> restarts{};                                 ///< restart
  bool lower_order_final = false;                                       ///< multistep solvers: order at most the steps that are left
  bool denoise_to_zero = false;                                         ///< one more call in the end: the state becomes the model's data
  double blend = 0;                                                     ///< share of the noise predicted before in every prediction of noise (DualFast)
  bool blend_first = false;                                             ///< take it from the first node, not from the one before
  std::vector<double> ratios{};                                         ///< dc_solver: one for each step, 1 in the first two
  std::shared_ptr<const EmpiricalStatistics> statistics{};              ///< dpm_solver_v3
  bool any_steps = false;                                               ///< fewer steps than `SolverName::least_steps` too: to look at single steps
};

/// @param grid two nodes or more, lambda strictly rising
/// @throws Error(configuration) for grids that are none, fewer steps than the solver needs and settings that do not fit: unknown variants, eta where there is
/// none or out of its range
SolverPlan plan_solver(const SolverSetting& setting, const NoiseSchedule& schedule, const std::vector<NoiseLevel>& grid);

/// What to say of a grid whose steps are too long for a solver of order 3 or more: steps of lambda over 3 throw such solvers off. Empty where there are none.
std::string warn_of_long_steps(const SolverSetting& setting, const std::vector<NoiseLevel>& grid);

/// Every solver with one line of explanation.
struct SolverName {
  std::string name, meaning;
  std::string order;    ///< in the largest step, weak for solvers with noise; p = the option; empty = has none
  std::string calls;    ///< of the model in a step
  std::string noise;    ///< empty = none; always, or the option that brings it in
  std::string options;  ///< of SolverSetting that it reads; `denoise_to_zero` and `blend` are for all (blend not on velocities)
  std::string source;
  std::vector<std::string> variants{};  ///< that `SolverSetting::variant` may name; empty = has none
  int least_steps = 1;
};
const std::vector<SolverName>& solver_names();

/// The solvers as a table of the documentation.
std::string solver_markdown_table();

}  // namespace buffon
