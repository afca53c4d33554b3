// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/model/denoiser.hpp>

namespace buffon {

/// "data", "noise", …
const char* name(Answer answer);

/// Deviation of the data that networks with Answer::edm are scaled for.
inline constexpr double edm_deviation = 0.5;

/// One answer from another: x_factor x + answer_factor answer.
struct Conversion {
  double x_factor, answer_factor;
};

/// All answers say the same of x, as long as the level lets one follow from the other; data of the network of EDM have deviation 1/2.
/// @throws Error(configuration) where the two do not determine each other at the level: noise of data at sigma = 0, data of noise at alpha = 0, v
/// where alpha² + sigma² is not 1
Conversion conversion(Answer from, Answer to, const NoiseLevel& level, const NoiseSchedule& schedule);

}  // namespace buffon
