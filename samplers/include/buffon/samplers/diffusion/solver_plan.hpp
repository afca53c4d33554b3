// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/model/noise_schedule.hpp>

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace buffon {

/// What a solver keeps of the model's answer.
enum class Prediction { noise, data, velocity };

/// A run of a solver with fixed nodes, worked out before it begins: evaluations of the model, and fused linear combinations with coefficients
/// computed in double. Registers hold one batch each, register 0 the state. The same plan runs on every backend, and on
/// the coefficients of an exact law.
class SolverPlan {
 public:
  struct Term {
    int source;  ///< register
    double factor;
  };
  /// target ← answer of the model for the state in `source` at a level
  struct Evaluate {
    int target, source;
    NoiseLevel level;
    Prediction prediction;
  };
  /// target ← Σ factor_k register_k + noise z; z standard normal, addressed by (seed, sample, number)
  struct Combine {
    int target;
    std::vector<Term> terms;
    double noise = 0;
    std::uint32_t number = 0;  ///< of the noise, 0 where there is none
  };
  using Operation = std::variant<Evaluate, Combine>;

  std::vector<Operation> operations;
  std::vector<std::size_t> ends;  ///< for every node reached: operations done by then
  int registers = 1;
  int calls = 0;   ///< of the model
  int noises = 0;  ///< normals a coordinate
};

/// Options that several solvers share; each reads what it knows.
struct SolverSetting {
  std::string solver = "unipc";
  int order = 0;                                                        ///< 0 = the solver's own
  double eta = 0;                                                       ///< ddim, dpmpp_2m_sde: share of noise
  std::string variant = "";                                             ///< of the solver, see `solver_names`
  Prediction prediction = Prediction::data;                             ///< unipc: what is interpolated
  double beta = 0.8;                                                    ///< momentum
  double churn = 0, churn_from = 0, churn_to = 1e300, churn_noise = 1;  ///< edm
};

/// @throws Error(configuration) for fewer steps than the solver needs and settings that do not fit
SolverPlan plan_solver(const SolverSetting& setting, const NoiseSchedule& schedule, const std::vector<NoiseLevel>& grid);

/// Every solver with one line of explanation.
struct SolverName {
  std::string name, meaning;
};
const std::vector<SolverName>& solver_names();

}  // namespace buffon
