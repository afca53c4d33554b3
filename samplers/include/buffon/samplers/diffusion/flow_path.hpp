// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/core/types.hpp>
#include <buffon/samplers/diffusion/batch_solver.hpp>

#include <cstdint>
#include <span>
#include <vector>

namespace buffon {

/// States of the probability flow at every node of a grid, by Runge-Kutta 4 on z = x / sigma, dz / dlambda = e^lambda D, with steps of at most `widest` in
/// lambda: the reference that solvers are measured against. From pure noise the first step goes to lambda = −9 (or the second node, where that is nearer)
/// with the D of the start, an error of e^−18; a last node with sigma = 0 takes the D at lambda = 9 (or at the node before, where that is beyond), with an
/// error of e^−18 for data with a smooth density.
/// @param starts dimension × N in float64, states at the first node
/// @param solver of float64, for at least N columns
/// @param labels classes, one for each column; empty: none
std::vector<Eigen::MatrixXd> flow_path(BatchSolver& solver, backend::Queue& queue, const NoiseSchedule& schedule, const std::vector<NoiseLevel>& grid,
                                       const ConstMatrix& starts, double widest = 0.08, std::span<const std::int32_t> labels = {});

}  // namespace buffon
