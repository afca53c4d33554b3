// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/core/types.hpp>
#include <buffon/parallel/context.hpp>

#include <vector>

namespace buffon {

/// Smallest mixture weight: with α_j > 0 the ratios g_j / g_α stay bounded.
inline constexpr double smallest_mixture_weight = 9e-12;

struct MixtureWeights {
  Eigen::VectorXd alpha;       ///< in the simplex, every element at least about `smallest_mixture_weight`
  std::vector<double> values;  ///< F before the first and after every iteration, never increasing (up to the floor's effect)
};

/// Minimises the convex F(α) = Σ_i c_i / Σ_j α_j r_ij over the simplex.
/// Iteration: α_j ← α_j √A_j / Σ_l α_l √A_l, A_j = Σ_i c_i r_ij / (Σ_l α_l r_il)². By Jensen's inequality for 1/x,
/// Σ_j A_j α_j² / α'_j is an upper bound of F(α') that touches F at α' = α, and the update minimises it: F never increases.
/// Stops when F falls by less than `tolerance` of itself, or after `iterations`. Cost O(nJ) per iteration.
/// @param ratios n × J, r_ij = g_j(X_i) / h(X_i) up to a factor that depends on i only and is shared with c_i
/// @param costs  n, c_i ≥ 0
/// @param start  α at the beginning, in the simplex
MixtureWeights minimise_mixture_weights(Context& context, const ConstMatrix& ratios, const ConstVector& costs, const ConstVector& start, int iterations = 200,
                                        double tolerance = 1e-9);

}  // namespace buffon
