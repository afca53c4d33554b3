// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

// Special functions behind the gamma, beta, Student and Weibull laws, in log space; private to the library.

namespace buffon::laws {

/// log Γ(x), x > 0 (thread-safe, unlike the C library's).
double log_gamma(double x);

/// log Γ(x) − [(x − ½) log x − x + ½ log 2π]: about 1/(12x).
double stirling_rest(double x);

/// log(z^a e^{−z} / Γ(a)) without cancellation for large a; z > 0.
double log_gamma_term(double a, double z);

/// log of the regularised incomplete gamma functions P(a, z), Q(a, z), also below the smallest double.
/// @param log_z log z, used where z underflows
double log_gamma_p(double a, double z, double log_z);
double log_gamma_q(double a, double z);

/// log(x^a y^b / B(a, b)), y = 1 − x, without cancellation for large a, b.
double log_beta_term(double a, double b, double x, double y, double log_x);

/// log I_x(a, b), y = 1 − x, also below the smallest double. @param log_x used where x underflows
double log_beta_p(double a, double b, double x, double y, double log_x);

/// I_x(a, b) and its inverse as plain doubles. `beta_p_inverse` returns x and stores 1 − x in y.
double beta_p(double a, double b, double x, double y);
double beta_p_inverse(double a, double b, double p, double& y);

/// log z with log P(a, z) = log_p, and with log Q(a, z) = log_q, for probabilities below ½ however small.
double log_gamma_p_quantile(double a, double log_p);
double log_gamma_q_quantile(double a, double log_q);

/// log x with log I_x(a, b) = log_p, for probabilities below ½ however small.
double log_beta_p_quantile(double a, double b, double log_p);

double gamma_p(double a, double z);
double gamma_q(double a, double z);
double gamma_p_inverse(double a, double p);
double gamma_q_inverse(double a, double q);

struct ValueAndSlope {
  double value, slope;
};

/// Root of a monotone f by Newton steps kept inside the bracket that the signs seen so far give.
/// @param direction sign of the slope
template <class F>
double monotone_root(F f, double y, double direction) {
  double low = -std::numeric_limits<double>::infinity();
  double high = -low;
  double stride = 1;
  for (int step = 0; step < 300; ++step) {
    const auto [value, slope] = f(y);
    if (value == 0) return y;
    ((value > 0) == (direction > 0) ? high : low) = y;
    double next = y - value / slope;
    if (std::abs(next - y) <= 2 * std::numeric_limits<double>::epsilon() * std::max(1.0, std::abs(y))) return next;
    if (!(next > low && next < high)) {
      if (std::isinf(low)) {
        next = high - stride;
      } else if (std::isinf(high)) {
        next = low + stride;
      } else {
        next = 0.5 * (low + high);
      }
      stride *= 2;
      if (next == y) return y;
    }
    y = next;
  }
  return y;
}

}  // namespace buffon::laws
