// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/stats/estimate.hpp>
#include <buffon/stats/normal.hpp>

#include <cstdint>

namespace buffon {

/// A confidence interval; ends may be infinite.
struct Interval {
  double lower = 0;
  double upper = 0;
};

/// value ± z std_error. In all of these `level` is the confidence level in (0, 1), else Error(usage).
Interval normal_interval(double value, double std_error, double level = 0.95);

/// value ± t std_error with Student's t; for a mean of n normal values `degrees` = n − 1. @param degrees > 0
Interval student_t_interval(double value, double std_error, double degrees, double level = 0.95);

/// Score interval of a probability (Wilson, "Probable inference, the law of succession, and statistical inference", 1927):
/// close to its level on average, short, never outside [0, 1].
/// @param successes in [0, trials]; @param trials ≥ 1
Interval wilson_interval(std::int64_t successes, std::int64_t trials, double level = 0.95);

/// Exact interval of a probability (Clopper and Pearson, 1934): covers at least at its level, whatever the probability.
Interval clopper_pearson_interval(std::int64_t successes, std::int64_t trials, double level = 0.95);

/// successes / trials with standard error √(p (1 − p) / trials) and Wilson interval.
Estimate probability_estimate(std::int64_t successes, std::int64_t trials, double level = 0.95);

}  // namespace buffon
