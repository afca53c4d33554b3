// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/samplers/diffusion/solver_plan.hpp>

#include <span>

namespace buffon {

/// Law of one coordinate that is independent of the others.
struct GaussianLaw {
  double mean = 0, variance = 1;
};

/// Law of x = alpha x₀ + sigma ε.
GaussianLaw law_at(const GaussianLaw& data, const NoiseLevel& level);

/// The exact law that a plan gives on Gaussian data, without sampling. The denoiser of Gaussian data is affine in x, and so is every operation of a plan:
/// each register is a number plus coefficients of independent standard normals, the start's and one for each noise. Costs operations × noises.
/// @param data law of x₀
/// @param start law of the state at the first node; `law_at(data, first level)` is the right one
/// @param coordinate of the plan's numbers over coordinates
GaussianLaw exact_law(const SolverPlan& plan, const NoiseSchedule& schedule, const GaussianLaw& data, const GaussianLaw& start, Eigen::Index coordinate = 0);

/// Wasserstein distance of order 2 of laws with independent Gaussian coordinates: √Σ ((m₁ − m₂)² + (s₁ − s₂)²).
double wasserstein_distance(std::span<const GaussianLaw> a, std::span<const GaussianLaw> b);

}  // namespace buffon
