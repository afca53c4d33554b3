// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/model/denoiser.hpp>
#include <buffon/samplers/diffusion/solver_plan.hpp>

#include <functional>
#include <span>
#include <vector>

namespace buffon {

/// D = E[x₀ | x] of a model for the columns of x, all at one level, in double on the host: for what is worked out once before sampling.
using DataModel = std::function<Eigen::MatrixXd(const Eigen::MatrixXd& x, const NoiseLevel& level)>;

/// Any model as a function on the host, run on a queue in batches of at most `columns`. The queue must outlive it.
DataModel data_model(DiffusionModel model, backend::Queue& queue, Index columns = 256, buffon_type type = BUFFON_F64);

/// States at the nodes 1 … of a plan without noise, from states at node 0; no further than to node `last` where that is not 0.
/// @throws Error(usage) for a plan with noise
std::vector<Eigen::MatrixXd> states_at_nodes(const SolverPlan& plan, const DataModel& model, const NoiseSchedule& schedule, const Eigen::MatrixXd& start,
                                             std::size_t last = 0);

/// States at the nodes 1 … of a grid from the exact flow, as far as UniPC of order 3 with `substeps` steps between neighbours gives it.
/// Ends at a node without noise in one step.
std::vector<Eigen::MatrixXd> teacher_states(const DataModel& model, const NoiseSchedule& schedule, const std::vector<NoiseLevel>& grid,
                                            const Eigen::MatrixXd& start, int substeps);

/// Ratios of dynamic compensation (Zhao and others, 2024, DC-Solver) for `setting` on a grid: step by step the ratio in [0, 2] that brings the mean square
/// distance of the states after the step to the teacher's states down furthest. Steps before the third have ratio 1, the last as well as the others.
/// Calls of the model: about 30 for each node before the step.
/// @param teacher states at the nodes 1 …, for instance `teacher_states`
/// @throws Error(configuration) where the teacher has other nodes than the grid
std::vector<double> fit_dc_ratios(const SolverSetting& setting, const DataModel& model, const NoiseSchedule& schedule, const std::vector<NoiseLevel>& grid,
                                  const Eigen::MatrixXd& start, std::span<const Eigen::MatrixXd> teacher);

}  // namespace buffon
