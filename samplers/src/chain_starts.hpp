// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/model/target.hpp>
#include <buffon/random/stream.hpp>
#include <buffon/samplers/slice_kernel.hpp>

#include <cstdint>
#include <stop_token>
#include <string>

namespace buffon {

/// Where one chain begins.
struct ChainStart {
  Eigen::VectorXd point;  ///< on the unconstrained scale
  double log_density = 0;
  SliceCounts spent;  ///< evaluations, and those of them that gave NaN
};

/// @throws Error(configuration) when the given points fit neither the chains nor the parameters
void check_starts(const Target& target, std::int64_t chains, const std::string& method);

/// The start of chain `chain` by the target's policy; attempt a takes item a of `stream`.
/// @throws Error(configuration) naming chain, point, log density and remedy when no attempt found a finite log density,
///         Error(numeric) where the density is infinite
ChainStart find_start(const Target& target, std::int64_t chain, const Stream& stream, const std::string& method, const std::stop_token& stop);

}  // namespace buffon
