// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/stats/estimate.hpp>
#include <buffon/stats/outcome.hpp>

#include <boost/math/special_functions/erf.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

namespace buffon {

double Estimate::relative_error() const { return value == 0 ? std::numeric_limits<double>::infinity() : std_error / std::abs(value); }

Estimate normal_estimate(double value, double std_error, double effective_size, double level) {
  const double z = std::sqrt(2.0) * boost::math::erf_inv(level);
  return {
      .value = value, .std_error = std_error, .lower = value - z * std_error, .upper = value + z * std_error, .level = level, .effective_size = effective_size};
}

Estimate mean_estimate(double mean, double variance, double n, double level) { return normal_estimate(mean, std::sqrt(variance / n), n, level); }

std::string_view spent_on(const Outcome& outcome) {
  const auto losses = [](const Diagnostic& diagnostic) { return diagnostic.name == "loss_queries"; };
  if (std::any_of(outcome.diagnostics.begin(), outcome.diagnostics.end(), losses)) return "losses evaluated";
  if (outcome.selection) return "distances computed";
  return outcome.table("summary") == nullptr ? "model evaluations" : "density evaluations";
}

const NamedEstimate* Outcome::find(std::string_view wanted) const {
  for (const auto& e : estimates) {
    if (e.name == wanted) return &e;
  }
  return nullptr;
}

const Table* Outcome::table(std::string_view wanted) const {
  for (const auto& t : tables) {
    if (t.name == wanted) return &t;
  }
  return nullptr;
}

}  // namespace buffon
