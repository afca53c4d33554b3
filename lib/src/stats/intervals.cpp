// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/core/error.hpp>
#include <buffon/stats/intervals.hpp>

#include <boost/math/distributions/beta.hpp>
#include <boost/math/distributions/students_t.hpp>

#include <algorithm>
#include <cmath>
#include <string>

namespace buffon {
namespace {

constexpr const char* doing = "making a confidence interval";

void check_level(double level) {
  if (level > 0 && level < 1) return;
  throw Error(ErrorCategory::usage, {.doing = doing, .key = "level", .value = to_text(level), .rule = "must be in (0, 1)"});
}

void check_counts(std::int64_t successes, std::int64_t trials) {
  if (trials >= 1 && successes >= 0 && successes <= trials) return;
  throw Error(ErrorCategory::usage, {.doing = doing,
                                     .key = "successes, trials",
                                     .value = std::to_string(successes) + ", " + std::to_string(trials),
                                     .rule = "needs 0 ≤ successes ≤ trials and at least one trial"});
}

}  // namespace

Interval normal_interval(double value, double std_error, double level) {
  check_level(level);
  const double z = normal_quantile((1 + level) / 2);
  return {value - z * std_error, value + z * std_error};
}

Interval student_t_interval(double value, double std_error, double degrees, double level) {
  check_level(level);
  if (!(degrees > 0)) throw Error(ErrorCategory::usage, {.doing = doing, .key = "degrees", .value = to_text(degrees), .rule = "must be positive"});
  const double t = boost::math::quantile(boost::math::complement(boost::math::students_t(degrees), (1 - level) / 2));
  return {value - t * std_error, value + t * std_error};
}

Interval wilson_interval(std::int64_t successes, std::int64_t trials, double level) {
  check_level(level);
  check_counts(successes, trials);
  const auto k = static_cast<double>(successes), n = static_cast<double>(trials);
  const double z = normal_quantile((1 + level) / 2), z2 = z * z;
  const double centre = (k + z2 / 2) / (n + z2);
  const double half = z / (n + z2) * std::sqrt(k * (n - k) / n + z2 / 4);
  // At 0 and n one end is exactly 0 or 1.
  return {successes == 0 ? 0 : std::max(0.0, centre - half), successes == trials ? 1 : std::min(1.0, centre + half)};
}

Interval clopper_pearson_interval(std::int64_t successes, std::int64_t trials, double level) {
  check_level(level);
  check_counts(successes, trials);
  const auto k = static_cast<double>(successes), n = static_cast<double>(trials);
  const double tail = (1 - level) / 2;
  return {successes == 0 ? 0 : boost::math::ibeta_inv(k, n - k + 1, tail), successes == trials ? 1 : boost::math::ibetac_inv(k + 1, n - k, tail)};
}

Estimate probability_estimate(std::int64_t successes, std::int64_t trials, double level) {
  const Interval interval = wilson_interval(successes, trials, level);
  const auto n = static_cast<double>(trials);
  const double p = static_cast<double>(successes) / n;
  return {.value = p, .std_error = std::sqrt(p * (1 - p) / n), .lower = interval.lower, .upper = interval.upper, .level = level, .effective_size = n};
}

}  // namespace buffon
