// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <buffon/core/error.hpp>

namespace buffon::draws {

/// @throws Error(usage) naming the row of a weight that is negative or not finite
void check_weight(double weight, std::int64_t row, const std::string& doing);
/// Checks all weights and returns their sums from the first on: never decreasing, constant where a weight is 0, with the error of
/// compensated sums. @throws Error(usage) as above, or when the total is not positive and finite
std::vector<double> cumulative_weights(std::span<const double> weights, const std::string& doing);
/// @throws Error(usage) unless minimum <= count
void check_count(std::int64_t count, std::int64_t minimum, const std::string& key, const std::string& doing);

}  // namespace buffon::draws
