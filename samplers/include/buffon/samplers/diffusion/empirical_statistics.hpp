// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/random/stream.hpp>
#include <buffon/samplers/diffusion/host_run.hpp>

#include <vector>

namespace buffon {

/// What DPM-Solver-v3 (Zheng and others, 2023) knows of a model: numbers l, s, b of every coordinate on levels equally spaced in lambda. The solver
/// integrates exactly what is linear in f = (sigma ε − l x) / alpha with df/dlambda ≈ e^{−lambda} … = s f + b.
class EmpiricalStatistics {
 public:
  double first = 0, last = 0;  ///< lambda of the first and the last column
  Eigen::MatrixXd l, s, b;     ///< dimension × (nodes + 1)

  double spacing() const { return (last - first) / static_cast<double>(l.cols() - 1); }
};

/// The same numbers everywhere. l = 1, s = b = 0 gives the exponential solvers of the data (DPM-Solver++), l = 0, s = −1, b = 0 those of the noise.
EmpiricalStatistics constant_statistics(Eigen::Index dimension, double first, double last, int nodes, double l, double s, double b);

struct StatisticsOptions {
  int nodes = 240;     ///< intervals of lambda; the rounding of the solver falls as their number squared
  int probes = 0;      ///< random signs for the diagonal of the Jacobian (Hutchinson); 0: every coordinate by itself, exact but for rounding
  double step = 1e-4;  ///< of finite differences, in units of sigma
};

/// Estimates the numbers on the trajectories of the model from given states, with one call for a node and two for each probe (coordinate) and node. l is the
/// mean of the diagonal of sigma dε/dx, s and b the least-squares line of df/dlambda along a trajectory on f; s = 0 where f does not vary.
/// @param start states at `first`, at least two columns
/// @param stream random signs from child "probes"
EmpiricalStatistics estimate_statistics(const DataModel& model, const NoiseSchedule& schedule, const NoiseLevel& first, const NoiseLevel& last,
                                        const Eigen::MatrixXd& start, const Stream& stream, const StatisticsOptions& options = {});

}  // namespace buffon
