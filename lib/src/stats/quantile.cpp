// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/core/constants.hpp>
#include <buffon/core/error.hpp>
#include <buffon/stats/intervals.hpp>
#include <buffon/stats/quantile.hpp>

#include <boost/math/distributions/binomial.hpp>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>

namespace buffon {
namespace {

using constants::infinity;
using constants::nan;
constexpr const char* doing = "computing a quantile";

void check_probability(double p) {
  if (!(p >= 0 && p <= 1)) throw Error(ErrorCategory::usage, {.doing = doing, .key = "p", .value = to_text(p), .rule = "must be in [0, 1]"});
}

bool has_nan(std::span<const double> x) {
  return std::any_of(x.begin(), x.end(), [](double v) { return std::isnan(v); });
}

double between(double a, double b, double t) { return t == 0 || a == b ? a : (1 - t) * a + t * b; }

double of_sorted(const std::vector<double>& x, double p) {
  const double h = static_cast<double>(x.size() - 1) * p, below = std::floor(h);
  const auto i = static_cast<std::size_t>(below);
  return between(x[i], x[std::min(i + 1, x.size() - 1)], h - below);
}

Estimate with_ends(double value, double lower, double upper, double level, double size) {
  const double length = upper - lower;
  return {.value = value,
          .std_error = std::isfinite(length) ? length / (2 * normal_quantile((1 + level) / 2)) : nan,
          .lower = lower,
          .upper = upper,
          .level = level,
          .effective_size = size};
}

// A weighted sample by increasing x, weights divided by their sum.
struct Weighted {
  std::vector<double> x, w;
  double effective_size = 0;

  Weighted(std::span<const double> values, std::span<const double> weights) {
    if (values.size() != weights.size()) {
      throw Error(ErrorCategory::usage, {.doing = doing,
                                         .key = "weights",
                                         .value = std::to_string(weights.size()) + " entries",
                                         .rule = "must be as many as the values, " + std::to_string(values.size())});
    }
    std::vector<std::size_t> order(values.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    if (has_nan(values)) order.clear();
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return values[a] < values[b]; });
    double largest = 0;
    for (const double v : weights) {
      if (!(v >= 0 && v < infinity)) {
        throw Error(ErrorCategory::usage, {.doing = doing, .key = "weight", .value = to_text(v), .rule = "must be finite and not negative"});
      }
      largest = std::max(largest, v);
    }
    double sum = 0, squares = 0;
    for (const std::size_t i : order) {
      if (weights[i] == 0) continue;
      x.push_back(values[i]);
      w.push_back(weights[i] / largest);
      sum += w.back();
      squares += w.back() * w.back();
    }
    for (double& v : w) v /= sum;
    effective_size = sum * sum / squares;
  }

  double quantile(double p) const {
    if (x.empty()) return nan;
    const double start = (effective_size - 1) * p;  // of the window, times n*
    double total = 0, before = 0, sum = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
      sum += w[i];
      const double part = i + 1 == x.size() ? 1 : std::clamp(sum * effective_size - start, 0.0, 1.0);
      if (part > before) total += (part - before) * x[i];
      before = std::max(before, part);
    }
    return total;
  }
};

}  // namespace

double sample_quantile(std::span<const double> x, double p) {
  check_probability(p);
  if (x.empty() || has_nan(x)) return nan;
  std::vector<double> y(x.begin(), x.end());
  const double h = static_cast<double>(y.size() - 1) * p, below = std::floor(h);
  const auto i = static_cast<std::ptrdiff_t>(below);
  std::nth_element(y.begin(), y.begin() + i, y.end());
  const double a = y[static_cast<std::size_t>(i)];
  return below == h ? a : between(a, *std::min_element(y.begin() + i + 1, y.end()), h - below);
}

std::vector<double> sample_quantiles(std::span<const double> x, std::span<const double> p) {
  for (const double v : p) check_probability(v);
  if (x.empty() || has_nan(x)) return std::vector<double>(p.size(), nan);
  std::vector<double> sorted(x.begin(), x.end()), out;
  std::sort(sorted.begin(), sorted.end());
  for (const double v : p) out.push_back(of_sorted(sorted, v));
  return out;
}

Estimate quantile_estimate(std::span<const double> x, double p, double level) {
  check_probability(p);
  normal_interval(0, 1, level);  // checks the level
  const auto n = static_cast<std::int64_t>(x.size());
  if (n == 0 || has_nan(x)) return with_ends(nan, nan, nan, level, static_cast<double>(n));
  std::vector<double> sorted(x.begin(), x.end());
  std::sort(sorted.begin(), sorted.end());
  const boost::math::binomial law(static_cast<double>(n), p);
  const double tail = (1 - level) / 2;
  const auto below = [&](std::int64_t k) { return k <= 0 ? 0.0 : k > n ? 1.0 : boost::math::cdf(law, static_cast<double>(k - 1)); };  // P(K < k)
  const auto above = [&](std::int64_t k) { return 1.0 - below(k); };                                                                  // P(K ≥ k)
  // Largest l with P(K < l) ≤ tail, smallest u with P(K ≥ u) ≤ tail, by bisection.
  std::int64_t l = 0, l_end = n + 1;
  while (l_end - l > 1) {
    const std::int64_t k = l + (l_end - l) / 2;
    (below(k) <= tail ? l : l_end) = k;
  }
  std::int64_t u = n + 1, u_end = 0;
  while (u - u_end > 1) {
    const std::int64_t k = u_end + (u - u_end) / 2;
    (above(k) <= tail ? u : u_end) = k;
  }
  const double lower = l < 1 ? -infinity : sorted[static_cast<std::size_t>(l - 1)];
  const double upper = u > n ? infinity : sorted[static_cast<std::size_t>(u - 1)];
  return with_ends(of_sorted(sorted, p), lower, upper, level, static_cast<double>(n));
}

double weighted_quantile(std::span<const double> x, std::span<const double> w, double p) {
  check_probability(p);
  return Weighted(x, w).quantile(p);
}

Estimate weighted_quantile_estimate(std::span<const double> x, std::span<const double> w, double p, double level) {
  check_probability(p);
  const Interval unit = normal_interval(0, 1, level);
  const Weighted sample(x, w);
  const double q = sample.quantile(p);
  if (std::isnan(q)) return with_ends(nan, nan, nan, level, 0);
  double square = 0;
  for (std::size_t i = 0; i < sample.x.size(); ++i) {
    const double d = sample.w[i] * ((sample.x[i] <= q ? 1 : 0) - p);
    square += d * d;
  }
  const double low = p + unit.lower * std::sqrt(square), high = p + unit.upper * std::sqrt(square);
  return with_ends(q, low < 0 ? -infinity : sample.quantile(low), high > 1 ? infinity : sample.quantile(high), level, sample.effective_size);
}

}  // namespace buffon
