// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/core/constants.hpp>
#include <buffon/stats/normal.hpp>

#include <cmath>
#include <limits>

#include <boost/math/policies/policy.hpp>
#include <boost/math/special_functions/erf.hpp>

#include <buffon/random/scalar_kernels.hpp>

namespace buffon {
namespace {

namespace policies = boost::math::policies;
using Quiet = policies::policy<policies::domain_error<policies::ignore_error>, policies::pole_error<policies::ignore_error>,
                               policies::overflow_error<policies::ignore_error>, policies::underflow_error<policies::ignore_error>,
                               policies::evaluation_error<policies::ignore_error>, policies::promote_double<false>>;

using constants::infinity;
constexpr double half_sqrt2 = 0.7071067811865476;           // 1/√2 rounded
constexpr double sqrt_two_pi = 2.50662827463100050242;      // √(2π)
constexpr double log_sqrt_two_pi = 0.91893853320467274178;  // log √(2π)
constexpr double asymptotic_from = 20;                      // the ninth term of the series is 1.3e-16 here

/// Σ (−1)^k (2k−1)!! / x^{2k} − 1, so that 1 − Φ(x) = φ(x)/x (1 + this); for x ≥ asymptotic_from.
double mills_series(double x) {
  const double r = 1 / (x * x);
  double term = 1;
  double sum = 0;
  for (int k = 1; k <= 9; ++k) {
    term *= -(2 * k - 1) * r;
    sum += term;
  }
  return sum;
}

}  // namespace

double normal_cdf(double x) { return scalar::normal_cdf(x); }

double normal_mills_ratio(double x) {
  if (x >= asymptotic_from) return (1 + mills_series(x)) / x;
  return sqrt_two_pi * scalar::normal_tail_factor(x);
}

double log_normal_cdf(double x) {
  if (x >= -asymptotic_from) return scalar::log_normal_cdf(x);
  if (x == -infinity) return -infinity;
  if (std::isnan(x)) return x;
  return -0.5 * x * x - std::log(-x) - log_sqrt_two_pi + std::log1p(mills_series(-x));
}

double normal_quantile(double p) {
  if (!(p >= 0 && p <= 1)) return std::numeric_limits<double>::quiet_NaN();
  if (p == 0) return -infinity;
  if (p == 1) return infinity;
  return -2 * half_sqrt2 * boost::math::erfc_inv(2 * p, Quiet());
}

double normal_quantile_from_log(double log_p) {
  constexpr double log_half = -0.69314718055994530942;
  if (log_p > log_half) return -normal_quantile(-std::expm1(log_p));  // NaN for log_p > 0
  if (log_p > -690 || std::isnan(log_p)) return normal_quantile(std::exp(log_p));
  if (log_p < -1e300) return -2 * half_sqrt2 * std::sqrt(-log_p);  // the logarithmic terms are lost in rounding
  // Newton on log Φ(x) − log_p, whose derivative is 1/mills(−x); the start is off by O(log log / x), the steps are quadratic.
  double x = -std::sqrt(-2 * log_p - std::log(-4 * 3.14159265358979323846 * log_p));
  for (int step = 0; step < 3; ++step) x -= (log_normal_cdf(x) - log_p) * normal_mills_ratio(-x);
  return x;
}

}  // namespace buffon
