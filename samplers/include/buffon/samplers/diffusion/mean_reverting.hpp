// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/model/denoiser.hpp>

#include <memory>

#include <Eigen/Core>

namespace buffon {

/// Mean-reverting diffusion (Luo and others, 2023): dx = theta (m − x) dt + g dW with g² = 2 s² theta has x = m + alpha (x₀ − m) + sigma ε, alpha = e^{−A},
/// A = ∫ theta, sigma = s √(1 − alpha²). For x − m it is a schedule like any other, so that every solver is a sampler of it (MRS): it runs on
/// x − m with `shifted_denoiser`, and m is added in the end. Derived from the equation, not compared with the authors' code.

/// theta(t) ∝ 1 − cos²(π/2 (t + o) / (1 + o)) / cos²(π/2 o / (1 + o)), t in [0, 1], scaled so that alpha(1) = last_alpha.
/// @param stationary s
/// @param last_alpha alpha where sampling begins, 0.005 … 0.01 in the publication
std::shared_ptr<const NoiseSchedule> mean_reverting_schedule(double stationary, double last_alpha = 0.005, double offset = 0.008, double last_time = 0.01);

/// The model of x − m, from one of x. @throws Error(configuration) for models that answer v or EDM's F: they have no meaning there
std::shared_ptr<const Denoiser> shifted_denoiser(std::shared_ptr<const Denoiser> denoiser, const Eigen::VectorXd& mean);

}  // namespace buffon
