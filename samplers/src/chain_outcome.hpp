// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/samplers/chains.hpp>

namespace buffon {

/// Everything to report of chains; names with NaN for values when there are no draws.
Outcome chain_outcome(ChainResult result, const ChainOptions& options);

}  // namespace buffon
