// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/core/types.hpp>
#include <buffon/model/denoiser.hpp>

#include <cstdint>
#include <span>

namespace buffon {

/// How exactly the flow is integrated.
struct ReferenceSetting {
  double tolerance = 1e-12;  ///< of a step, absolute on x / sigma up to 1 and relative beyond, the worst of all starts
  int most_steps = 100000;
};

/// Where the probability flow takes starts (one column each, at `first`) at `last`, for comparisons: dz/dlambda = e^lambda D(sigma z), z = x / sigma, by
/// extrapolated midpoint steps whose length follows the error (Gragg, Bulirsch and Stoer; Hairer, Nørsett and Wanner, "Solving ordinary differential
/// equations I", section II.9), in float64 on one thread of the CPU. Beyond |lambda| = 18 the
/// denoiser is taken to stand still.
/// @throws Error(numeric) where the steps do not suffice
Eigen::MatrixXd reference_endpoints(const DiffusionModel& model, const ConstMatrix& starts, const NoiseLevel& first, const NoiseLevel& last,
                                    std::span<const std::int32_t> labels = {}, const ReferenceSetting& setting = {});

}  // namespace buffon
