// SPDX-License-Identifier: BSD-3-Clause
#include "statistical.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

#include <boost/math/special_functions/gamma.hpp>

namespace buffon::testing {
namespace {

/// Upper tail of Kolmogorov's law: 2 Σ (−1)^{k−1} exp(−2k²x²), or 1 − √(2π)/x Σ exp(−(2k−1)²π²/8x²) where that converges faster.
double kolmogorov_tail(double x) {
  constexpr double pi = std::numbers::pi;
  if (x <= 0) return 1;
  if (x < 1.18) {
    double sum = 0;
    for (int k = 1; k <= 5; ++k) sum += std::exp(-std::pow((2 * k - 1) * pi / x, 2) / 8);
    return 1 - std::sqrt(2 * pi) / x * sum;
  }
  double sum = 0;
  for (int k = 1; k <= 5; ++k) sum += (k % 2 == 1 ? 2 : -2) * std::exp(-2 * k * k * x * x);
  return sum;
}

double kolmogorov_p(double distance, double n) {
  const double root = std::sqrt(n);
  return kolmogorov_tail((root + 0.12 + 0.11 / root) * distance);
}

}  // namespace

double normal_cdf(double x) { return 0.5 * std::erfc(-x / std::numbers::sqrt2); }

double z_p(double z) { return std::erfc(std::abs(z) / std::numbers::sqrt2); }

double z_test_p(double value, double expected, double std_error) { return z_p((value - expected) / std_error); }

double mean_p(std::span<const double> sample, double expected) {
  const double n = static_cast<double>(sample.size());
  const double mean = std::accumulate(sample.begin(), sample.end(), 0.0) / n;
  double squares = 0;
  for (const double x : sample) squares += (x - mean) * (x - mean);
  return z_test_p(mean, expected, std::sqrt(squares / (n - 1) / n));
}

double poisson_p(double count, double mean) {
  const double at_most = boost::math::gamma_q(count + 1, mean);
  const double at_least = count > 0 ? boost::math::gamma_p(count, mean) : 1;
  return std::min(1.0, 2 * std::min(at_most, at_least));
}

double chi_square_tail(double statistic, double degrees) { return boost::math::gamma_q(degrees / 2, statistic / 2); }

double chi_square_p(std::span<const double> observed, std::span<const double> expected, double least_expected, int fitted) {
  std::vector<double> o, e;
  double open_o = 0, open_e = 0;
  for (std::size_t i = 0; i < observed.size(); ++i) {
    open_o += observed[i];
    open_e += expected[i];
    if (open_e >= least_expected) {
      o.push_back(open_o);
      e.push_back(open_e);
      open_o = open_e = 0;
    }
  }
  if (o.empty()) return 1;
  o.back() += open_o;
  e.back() += open_e;
  double statistic = 0;
  for (std::size_t i = 0; i < o.size(); ++i) statistic += (o[i] - e[i]) * (o[i] - e[i]) / e[i];
  const double degrees = static_cast<double>(o.size()) - 1 - fitted;
  return degrees > 0 ? chi_square_tail(statistic, degrees) : 1;
}

double chi_square_two_sample_p(std::span<const double> a, std::span<const double> b, double least_expected) {
  const double total_a = std::accumulate(a.begin(), a.end(), 0.0), total_b = std::accumulate(b.begin(), b.end(), 0.0);
  const double share_a = total_a / (total_a + total_b), share_b = 1 - share_a;
  std::vector<double> left, right;
  double open_a = 0, open_b = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    open_a += a[i];
    open_b += b[i];
    if ((open_a + open_b) * std::min(share_a, share_b) >= least_expected) {
      left.push_back(open_a);
      right.push_back(open_b);
      open_a = open_b = 0;
    }
  }
  if (left.empty()) return 1;
  left.back() += open_a;
  right.back() += open_b;
  double statistic = 0;
  for (std::size_t i = 0; i < left.size(); ++i) {
    const double sum = left[i] + right[i];
    const double difference = left[i] - sum * share_a;
    statistic += difference * difference / (sum * share_a * share_b);
  }
  const double degrees = static_cast<double>(left.size()) - 1;
  return degrees > 0 ? chi_square_tail(statistic, degrees) : 1;
}

double ks_p(std::vector<double> sample, const std::function<double(double)>& cdf) {
  std::sort(sample.begin(), sample.end());
  const double n = static_cast<double>(sample.size());
  double distance = 0;
  for (std::size_t i = 0; i < sample.size(); ++i) {
    const double f = cdf(sample[i]);
    distance = std::max({distance, f - static_cast<double>(i) / n, static_cast<double>(i + 1) / n - f});
  }
  return kolmogorov_p(distance, n);
}

double ks_two_sample_p(std::vector<double> a, std::vector<double> b) {
  std::sort(a.begin(), a.end());
  std::sort(b.begin(), b.end());
  const double n = static_cast<double>(a.size()), m = static_cast<double>(b.size());
  double distance = 0;
  std::size_t i = 0, j = 0;
  while (i < a.size() && j < b.size()) {
    const double x = std::min(a[i], b[j]);
    while (i < a.size() && a[i] == x) ++i;
    while (j < b.size() && b[j] == x) ++j;
    distance = std::max(distance, std::abs(static_cast<double>(i) / n - static_cast<double>(j) / m));
  }
  return kolmogorov_p(distance, n * m / (n + m));
}

}  // namespace buffon::testing
