// SPDX-License-Identifier: BSD-3-Clause
#include "checked_weights.hpp"

#include <algorithm>
#include <cmath>

namespace buffon::draws {

void check_weight(double weight, std::int64_t row, const std::string& doing) {
  if (weight >= 0 && std::isfinite(weight)) return;
  throw Error(ErrorCategory::usage,
              {.doing = doing, .key = "weights[" + std::to_string(row) + "]", .value = to_text(weight), .rule = "must be finite and not negative"});
}

std::vector<double> cumulative_weights(std::span<const double> weights, const std::string& doing) {
  std::vector<double> sums(weights.size());
  double total = 0, error = 0, reached = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const double w = weights[i];
    check_weight(w, static_cast<std::int64_t>(i), doing);
    const double next = total + w;  // TwoSum
    const double part = next - total;
    error += (total - (next - part)) + (w - part);
    total = next;
    if (w > 0) reached = std::max(reached, total + error);
    sums[i] = reached;
  }
  if (!(reached > 0) || !std::isfinite(total)) {
    throw Error(ErrorCategory::usage, {.doing = doing,
                                       .key = "sum of the weights",
                                       .value = to_text(total),
                                       .rule = "must be positive and finite",
                                       .remedy = "give at least one positive weight"});
  }
  return sums;
}

void check_count(std::int64_t count, std::int64_t minimum, const std::string& key, const std::string& doing) {
  if (count >= minimum) return;
  throw Error(ErrorCategory::usage, {.doing = doing, .key = key, .value = std::to_string(count), .rule = "must be at least " + std::to_string(minimum)});
}

}  // namespace buffon::draws
