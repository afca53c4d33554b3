// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>

#include <buffon/io/result.hpp>

namespace buffon::cli {

/// The summary of a sampler's run for a terminal: at most 40 lines of quantities, how time was counted, the verdict.
std::string chain_summary_text(const Result& result);

/// What `buffon diagnose` prints: every quantity that exceeds a threshold, what the sampler met, advice; the verdict is the last line.
/// @throws Error(usage) when the result is not of a sampler
std::string diagnosis_text(const Result& result, const std::string& name);

}  // namespace buffon::cli
