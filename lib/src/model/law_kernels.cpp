// SPDX-License-Identifier: BSD-3-Clause
#include "law_kernels.hpp"

#include <algorithm>
#include <cmath>
#include <exception>
#include <limits>

#include <boost/math/special_functions/beta.hpp>
#include <boost/math/special_functions/gamma.hpp>
#include <boost/math/special_functions/log1p.hpp>

namespace buffon::laws {
namespace {

namespace policies = boost::math::policies;
using Quiet = policies::policy<policies::domain_error<policies::ignore_error>, policies::pole_error<policies::ignore_error>,
                               policies::overflow_error<policies::ignore_error>, policies::underflow_error<policies::ignore_error>,
                               policies::denorm_error<policies::ignore_error>, policies::evaluation_error<policies::ignore_error>,
                               policies::rounding_error<policies::ignore_error>, policies::promote_double<false>>;

constexpr double least_plain = 1e-290;
constexpr double log_two_pi = 1.83787706640934548356;
constexpr double epsilon = std::numeric_limits<double>::epsilon();
constexpr double far_tail = 1e-15;  ///< below, inverses are found by our own Newton iteration on the logarithm
constexpr int most_terms = 1000000;

/// a log(a/m) + m − a ≥ 0 without cancellation for m near a.
double deviance(double a, double m, double log_m) {
  const double relative = (m - a) / a;
  if (std::abs(relative) < 0.5) return -a * boost::math::log1pmx(relative, Quiet());
  return a * (std::log(a) - log_m) + m - a;
}

}  // namespace

double log_gamma(double x) { return boost::math::lgamma(x, Quiet()); }

double stirling_rest(double x) {
  if (x < 16) return log_gamma(x) - (x - 0.5) * std::log(x) + x - 0.5 * log_two_pi;
  const double r = 1 / (x * x);  // Σ B_{2k} / (2k (2k−1) x^{2k−1}); the first term left out is below 2e-16 from 16 on
  return (1.0 / 12 - r * (1.0 / 360 - r * (1.0 / 1260 - r * (1.0 / 1680 - r * (1.0 / 1188 - r * 691.0 / 360360))))) / x;
}

double log_gamma_term(double a, double z) { return -deviance(a, z, std::log(z)) - stirling_rest(a) + 0.5 * (std::log(a) - log_two_pi); }

double log_gamma_p(double a, double z, double log_z) {
  const double p = gamma_p(a, z);
  if (std::isnan(p)) return p;
  if (p > 0.5) return std::log1p(-gamma_q(a, z));
  if (p > least_plain) return std::log(p);
  // P = z^a e^{−z} / Γ(a+1) Σ z^n / ((a+1) … (a+n))
  double term = 1;
  double sum = 1;
  for (int n = 1; n < most_terms && term > epsilon * sum; ++n) {
    term *= z / (a + n);
    sum += term;
  }
  const double log_term = -deviance(a, z, log_z) - stirling_rest(a) + 0.5 * (std::log(a) - log_two_pi);
  return log_term - std::log(a) + std::log(sum);
}

double log_gamma_q(double a, double z) {
  const double q = gamma_q(a, z);
  if (std::isnan(q)) return q;
  if (q > 0.5) return std::log1p(-gamma_p(a, z));
  if (q > least_plain) return std::log(q);
  if (z == std::numeric_limits<double>::infinity()) return -z;
  // Q = z^a e^{−z} / Γ(a) · 1/(z+1−a− 1(1−a)/(z+3−a− 2(2−a)/(z+5−a− …))), by Lentz's forward evaluation
  double b = z + 1 - a;
  double c = std::numeric_limits<double>::max();
  double d = 1 / b;
  double fraction = d;
  for (int n = 1; n < most_terms; ++n) {
    const double numerator = -n * (n - a);
    b += 2;
    d = 1 / (numerator * d + b);
    c = b + numerator / c;
    const double factor = c * d;
    fraction *= factor;
    if (std::abs(factor - 1) < epsilon) break;
  }
  return log_gamma_term(a, z) + std::log(fraction);
}

double log_beta_term(double a, double b, double x, double y, double log_x) {
  const double n = a + b;
  // x^a y^b Γ(n) / (Γ(a) Γ(b)) with every Γ by Stirling: the large parts combine into the two deviances
  return -deviance(a, n * x, std::log(n) + log_x) - deviance(b, n * y, std::log(n) + std::log(y)) +
         0.5 * (std::log(a) + std::log(b) - std::log(n) - log_two_pi) - stirling_rest(a) - stirling_rest(b) + stirling_rest(n);
}

double log_beta_p(double a, double b, double x, double y, double log_x) {
  const double p = beta_p(a, b, x, y);
  if (std::isnan(p)) return p;
  if (p > 0.5) return std::log1p(-beta_p(b, a, y, x));
  if (p > least_plain) return std::log(p);
  // I_x = x^a y^b / (a B) Σ (a+b)_n / (a+1)_n x^n
  double term = 1;
  double sum = 1;
  for (int n = 1; n < most_terms && term > epsilon * sum; ++n) {
    term *= (a + b + n - 1) / (a + n) * x;
    sum += term;
  }
  return log_beta_term(a, b, x, y, log_x) - std::log(a) + std::log(sum);
}

double log_gamma_p_quantile(double a, double log_p) {
  const double start = (log_p + log_gamma(a + 1)) / a;  // P = z^a / Γ(a+1) (1 + O(z))
  if (start < -50) return start;
  const auto f = [&](double log_z) -> ValueAndSlope {
    const double z = std::exp(log_z);
    const double value = log_gamma_p(a, z, log_z);
    return {value - log_p, std::exp(log_gamma_term(a, z) - value)};
  };
  return monotone_root(f, std::min(start, std::log(a)), 1);
}

double log_gamma_q_quantile(double a, double log_q) {
  const auto f = [&](double log_z) -> ValueAndSlope {
    const double z = std::exp(log_z);
    const double value = log_gamma_q(a, z);
    return {value - log_q, -std::exp(log_gamma_term(a, z) - value)};
  };
  return monotone_root(f, std::log(a - log_q), -1);
}

double log_beta_p_quantile(double a, double b, double log_p) {
  const double log_b = log_gamma(a) + log_gamma(b) - log_gamma(a + b);
  const double start = (log_p + std::log(a) + log_b) / a;  // I_x = x^a / (a B) (1 + O(bx))
  if (start < -50 - std::log1p(b)) return start;
  const auto f = [&](double log_x) -> ValueAndSlope {
    const double x = std::exp(log_x);
    const double y = -std::expm1(log_x);
    if (!(y > 0)) return {-log_p, 0};
    const double value = log_beta_p(a, b, x, y, log_x);
    // d log I / d log x = x f / I, x f = x^a y^(b−1) / B
    return {value - log_p, std::exp(log_beta_term(a, b, x, y, log_x) - std::log(y) - value)};
  };
  return monotone_root(f, std::min(start, std::log(a) - std::log(a + b)), 1);
}

double beta_p(double a, double b, double x, double y) {
  if (std::isnan(x)) return x;  // Boost throws on NaN whatever its policy
  if (x <= 0) return 0;
  if (y <= 0) return 1;
  return x <= 0.5 ? boost::math::ibeta(a, b, x, Quiet()) : boost::math::ibetac(b, a, y, Quiet());
}

double beta_p_inverse(double a, double b, double p, double& y) {
  if (p > far_tail) {
    try {
      return boost::math::ibeta_inv(a, b, p, &y, Quiet());
    } catch (const std::exception&) {  // its root finder gives up for some a, b, whatever the policy says
    }
  }
  const double log_x = p <= 0.5 ? log_beta_p_quantile(a, b, std::log(p)) : std::log(-std::expm1(log_beta_p_quantile(b, a, std::log1p(-p))));
  y = -std::expm1(log_x);
  return std::exp(log_x);
}

double gamma_p(double a, double z) { return std::isnan(z) ? z : z == std::numeric_limits<double>::infinity() ? 1 : boost::math::gamma_p(a, z, Quiet()); }
double gamma_q(double a, double z) { return std::isnan(z) ? z : z == std::numeric_limits<double>::infinity() ? 0 : boost::math::gamma_q(a, z, Quiet()); }
double gamma_p_inverse(double a, double p) {
  if (p > far_tail) {
    try {
      return boost::math::gamma_p_inv(a, p, Quiet());
    } catch (const std::exception&) {
    }
  }
  return std::exp(log_gamma_p_quantile(a, std::log(p)));
}

double gamma_q_inverse(double a, double q) {
  if (q > far_tail) {
    try {
      return boost::math::gamma_q_inv(a, q, Quiet());
    } catch (const std::exception&) {
    }
  }
  return std::exp(log_gamma_q_quantile(a, std::log(q)));
}

}  // namespace buffon::laws
