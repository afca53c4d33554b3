// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/core/types.hpp>
#include <buffon/model/denoiser.hpp>
#include <buffon/random/stream.hpp>

#include <memory>

namespace buffon {

/// Poisson flows with D further coordinates (Xu and others, 2023, PFGM++), as far as sampling goes: any solver runs on them with
/// rho = sigma / alpha = r / √D; only the law of the start and the exact denoiser of a set of points differ from the Gaussian case, which D → ∞ gives.
/// Jumps of Restart between radii are not here: plans would take them with normal noise.

/// x ← R times a uniform direction, R = r √(q / (1 − q)), q ~ Beta(n/2, D/2): columns are r g / |h| of normals g in n and h in D coordinates, from the children
/// "numerator" and "denominator" of the stream, item first + column.
/// @param radius r = rho √D
void pfgm_start(const Stream& stream, std::uint64_t first, double radius, Index further, MutMatrix x);

/// The exact denoiser of points y_i, each as likely as every other: D(x) = Σ w_i y_i, w_i ∝ (|x/alpha − y_i|² + r²)^{−(n + D)/2}, r = rho √D. On the host.
/// @param points n × N
std::shared_ptr<const Denoiser> pfgm_points_denoiser(const Eigen::MatrixXd& points, Index further);

}  // namespace buffon
