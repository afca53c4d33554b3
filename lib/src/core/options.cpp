// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/core/error.hpp>
#include <buffon/core/options.hpp>

#include <cmath>

namespace buffon {

std::string Range::rule() const {
  const bool below = std::isfinite(min);
  const bool above = std::isfinite(max);
  if (below && above) return "must be in " + std::string(open_min ? "(" : "[") + to_text(min) + ", " + to_text(max) + (open_max ? ")" : "]");
  if (below) return (open_min ? "must be greater than " : "must be at least ") + to_text(min);
  if (above) return (open_max ? "must be less than " : "must be at most ") + to_text(max);
  return {};
}

}  // namespace buffon
