// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/core/types.hpp>
#include <buffon/model/denoiser.hpp>
#include <buffon/random/stream.hpp>
#include <buffon/samplers/diffusion/solver_plan.hpp>

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <vector>

namespace buffon {

/// How a schedule is searched for. All but klub measure the distance to the exact end of the flow; K is `fine_steps`, N the number of starts.
enum class ScheduleMethod {
  /// Bellman optimal step sizes: the path of `steps` arcs through a fine grid with the least sum of squared errors of single steps, each from the exact
  /// state. A step has no history: for a multistep solver it is the first one. K model evaluations a start, times the stages of the solver.
  boss,
  /// Learned discretisation: L-BFGS with finite differences on the logarithms of the step sizes, and on the levels that the model is asked at where
  /// `decoupled`. Minimises the error of the whole run, for any solver. Up to `budget` runs on all starts.
  descent,
  /// "Align your steps": the least bound on the divergence between the reverse process and the one whose denoiser is frozen at the left end of every
  /// step, ∫ e^{2 lambda} E|D − D_left|² dlambda. Made for stochastic solvers; a bound on paths, not on endpoints. K evaluations a start.
  klub,
  /// Evolution of subsets of the fine grid. Minimises the error of the whole run. Up to `budget` candidates.
  evolution
};

/// A search. Sources: Watson, Ho, Norouzi, Chan, "Learning to efficiently sample from diffusion probabilistic models", 2021, and Nguyen, Nguyen, Nguyen,
/// "Bellman optimal stepsize straightening of flow-matching models", 2024 (boss); Tong and others, "Learning to discretize denoising diffusion ODEs", 2025
/// (descent); Sabour, Fidler, Kreis, "Align your steps", 2024 (klub); Li and others, "AutoDiffusion", 2023 (evolution).
struct ScheduleSearch {
  ScheduleMethod method = ScheduleMethod::boss;
  /// The grid is made for it; without noise, except for klub. `denoise_to_zero` is left out: ends of the flow hold the noise of the last node.
  SolverSetting solver = {.solver = "ddim"};
  int steps = 10;                                         ///< of the grid, ≥ 1
  std::optional<double> first_time = {}, last_time = {};  ///< ends; the schedule's own unless given
  int fine_steps = 120;                                   ///< K ≥ 1, of the fine grid: uniform in lambda, in time where an end has none
  std::int64_t budget = 0;                                ///< of runs or candidates; 0: 2,000 for descent, 600 for evolution
  bool decoupled = false;                                 ///< descent: levels of the model of their own
};

/// A grid's errors: root mean square distance of the solver's ends from the exact ones.
struct ScheduleLine {
  std::string grid;                                                  ///< "log_snr", "time", "quadratic", "karras", "found"
  double error = std::numeric_limits<double>::quiet_NaN();           ///< on the starts of the search
  double held_out_error = std::numeric_limits<double>::quiet_NaN();  ///< on the others
  double bound = std::numeric_limits<double>::quiet_NaN();           ///< klub: of the nearest nodes of the fine grid
  /// Solvers with noise: Wasserstein distance of Gaussians with the first two moments of the held-out ends (those of the search, where there are none) and
  /// of the exact ones; some of it is chance.
  double moment_distance = std::numeric_limits<double>::quiet_NaN();
};

struct FoundSchedule {
  std::vector<NoiseLevel> grid = {};          ///< steps + 1 nodes
  std::vector<NoiseLevel> model_levels = {};  ///< that the model is asked at, for `at_model_levels`; empty unless decoupled
  double value = 0;                           ///< what was minimised: sum of squared errors (boss), bound (klub), error (descent, evolution)
  std::vector<ScheduleLine> lines = {};       ///< four grids of everyday use where the schedule allows them, then the one found
  std::int64_t calls = 0;                     ///< model evaluations of one state each
  std::int64_t runs = 0;                      ///< of the solver, or candidates
};

/// Searches a grid. The same numbers for the same arguments on any number of threads.
/// @param starts dimension × N, states at the first time; ends of the flow are worked out from them with Runge-Kutta steps of at most 0.08 in lambda
/// @param held_out other starts, which the search does not see; without columns ({} does) there are none
/// @param stream of klub's noise (child "paths") and of evolution (child "candidates", item = number of the candidate)
/// @param model whose classes the columns of either set take in turn
/// @throws Error(configuration) for settings and starts that do not fit
/// @throws Error(model) where no grid has a finite value
FoundSchedule search_schedule(const ScheduleSearch& search, const DiffusionModel& model, backend::Queue& queue, const ConstMatrix& starts,
                              const Eigen::MatrixXd& held_out, const Stream& stream);

/// The plan with the model asked at other levels than the nodes of its grid.
SolverPlan at_model_levels(SolverPlan plan, const std::vector<NoiseLevel>& grid, const std::vector<NoiseLevel>& model_levels);

/// The parts of the searches.
namespace schedule {

/// A path of a given number of arcs 0 = n₀ < n₁ < … = K.
struct Path {
  std::vector<Index> nodes;
  double cost = 0;
};
/// The cheapest one by dynamic programming, of equally cheap ones that with the smallest next node. O(steps K²).
/// @param costs (K + 1) × (K + 1); costs(i, j) of the arc from i to j > i; arcs that cost infinity or NaN are not taken
/// @throws Error(configuration) for more steps than K
/// @throws Error(model) where every path costs infinity or NaN
Path cheapest_path(const ConstMatrix& costs, int steps);

/// Costs of klub: Σ over the cells between i and j of the weight ∫ e^{2 lambda} dlambda times the mean of E|D_i − D_k|² at the cell's ends.
/// @param changes E|D_i − D_j|², (K + 1) × (K + 1)
/// @throws Error(configuration) where the grid ends at sigma = 0, whose weight is infinite
Eigen::MatrixXd klub_costs(const ConstMatrix& changes, const std::vector<NoiseLevel>& fine);

using Objective = std::function<double(const Eigen::VectorXd&)>;
/// A smooth function without derivatives made smaller: L-BFGS on central differences of width 1e-4, steps of length at most 1.
struct Minimum {
  Eigen::VectorXd at;
  double value = 0;
  std::int64_t runs = 0;
};
Minimum descend(const Objective& objective, Eigen::VectorXd from, std::int64_t budget);

using Fitness = std::function<double(const std::vector<Index>& nodes)>;
/// Evolution of paths 0 = n₀ < … < n_steps = K: 50 candidates a generation, the best ten are parents of 20 mutated (each inner node replaced by an unused one
/// with probability 0.1), 15 crossed (of two parents node by node, duplicates replaced, sorted) and 5 random ones. What is known is not worked out again.
/// Candidate c draws from item c of the stream.
Path evolve(const Fitness& fitness, const std::vector<std::vector<Index>>& seeds, Index fine_steps, int steps, std::int64_t budget, const Stream& stream,
            std::int64_t* runs = nullptr);

}  // namespace schedule
}  // namespace buffon
