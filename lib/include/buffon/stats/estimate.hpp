// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>

namespace buffon {

/// A number with its uncertainty.
struct Estimate {
  double value = 0;      ///< the estimate
  double std_error = 0;  ///< its standard error (NaN when it cannot be known yet)
  double lower = 0;      ///< confidence interval at `level`
  double upper = 0;
  double level = 0.95;        ///< confidence level of the interval, in (0, 1)
  double effective_size = 0;  ///< number of independent draws that would carry the same information; 0 = not defined

  double relative_error() const;  ///< std_error / |value|, infinity when value = 0
};

/// Estimate with the normal interval value ± z std_error.
/// @param level confidence level in (0, 1)
Estimate normal_estimate(double value, double std_error, double effective_size = 0, double level = 0.95);

/// Estimate of a mean from n independent draws with sample variance `variance` (divisor n − 1), normal interval.
Estimate mean_estimate(double mean, double variance, double n, double level = 0.95);

}  // namespace buffon
