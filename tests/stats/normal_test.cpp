// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/linalg/vector_math.hpp>
#include <buffon/random/kernel_variant.hpp>
#include <buffon/stats/normal.hpp>

#include <doctest/doctest.h>

#include <boost/math/constants/constants.hpp>
#include <boost/math/special_functions/erf.hpp>
#include <boost/multiprecision/cpp_bin_float.hpp>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

using namespace buffon;

namespace {

using Exact = boost::multiprecision::cpp_bin_float_50;

constexpr double epsilon = std::numeric_limits<double>::epsilon();
constexpr double infinity = std::numeric_limits<double>::infinity();

Exact exact_cdf(double x) { return boost::math::erfc(-Exact(x) / sqrt(Exact(2))) / 2; }
Exact exact_pdf(double x) { return exp(-Exact(x) * Exact(x) / 2) / sqrt(2 * boost::math::constants::pi<Exact>()); }
double relative_error(double value, const Exact& exact) { return std::abs(static_cast<double>((Exact(value) - exact) / exact)); }

/// Points of both tails and the middle that are no round numbers.
std::vector<double> points(double from, double to, double step) {
  std::vector<double> list;
  for (double x = from; x <= to; x += step) list.push_back(x);
  return list;
}

}  // namespace

TEST_CASE("the normal cdf has a small relative error down to the smallest doubles") {
  double worst = 0;
  for (const double x : points(-37.49, 9, 0.1237)) worst = std::max(worst, relative_error(normal_cdf(x), exact_cdf(x)));
  CHECK(worst <= 4 * epsilon);
  CHECK(normal_cdf(-infinity) == 0);
  CHECK(normal_cdf(infinity) == 1);
  CHECK(normal_cdf(-50) == 0);
  CHECK(std::isnan(normal_cdf(NAN)));
}

TEST_CASE("the normal cdf is continuous at 0 and underflows gradually") {
  CHECK(normal_cdf(0) == 0.5);
  CHECK(normal_cdf(-0.0) == 0.5);
  bool ordered = true;
  for (double x = 0x1p-60; x < 1; x *= 1.01) ordered = ordered && normal_cdf(-x) <= 0.5 && normal_cdf(x) >= 0.5;
  CHECK(ordered);
  // subnormal results: within 4 ε and one unit of the last place
  for (const double x : points(-38.4, -37.5, 0.0123)) CHECK(abs(Exact(normal_cdf(x)) - exact_cdf(x)) <= 4 * epsilon * exact_cdf(x) + Exact(5e-324));
  CHECK(normal_cdf(-38.6) == 0);
}

TEST_CASE("the vector forms of the normal cdf give the bits of the single ones on every instruction set, also beyond their range") {
  std::vector<double> x = points(-60, 45, 0.0173);
  for (const double special : {-infinity, infinity, -1e300, 1e300, 0.0, -0.0, -20.0, std::nextafter(-20.0, -21.0), 5e-324}) x.push_back(special);
  const std::string before(kernel_variant());
  for (const auto variant : available_kernel_variants()) {
    force_kernel_variant(variant);
    std::vector<double> cdf(x.size()), log_cdf = x;
    vector_normal_cdf(x, cdf);
    vector_log_normal_cdf(log_cdf, log_cdf);
    bool same = true;
    for (std::size_t i = 0; i < x.size(); ++i) same = same && cdf[i] == normal_cdf(x[i]) && log_cdf[i] == log_normal_cdf(x[i]);
    CHECK(same);
    std::vector<double> nan(200, -1.0);
    nan[150] = NAN;
    vector_normal_cdf(nan, nan);
    CHECK(std::isnan(nan[150]));
    nan.assign(200, -1.0);
    nan[150] = NAN;
    vector_log_normal_cdf(nan, nan);
    CHECK(std::isnan(nan[150]));
    CHECK(nan[151] == log_normal_cdf(-1));
  }
  force_kernel_variant(before);
}

TEST_CASE("the logarithm of the normal cdf is exact in both tails and goes on where the cdf underflows") {
  double worst = 0;
  for (const double x : points(-60, 37, 0.1237)) {
    // 50 digits cannot hold 1 − 1e-300: the upper side is the logarithm of 1 minus the exact survival
    const Exact exact = x < 5 ? Exact(log(exact_cdf(x))) : Exact(boost::math::log1p(Exact(-exact_cdf(-x))));
    worst = std::max(worst, relative_error(log_normal_cdf(x), exact));
  }
  for (const double x : {-100.5, -1234.5, -9999.9}) worst = std::max(worst, relative_error(log_normal_cdf(x), log(exact_cdf(x))));
  CHECK(worst <= 4 * epsilon);
  CHECK(log_normal_cdf(-infinity) == -infinity);
  CHECK(log_normal_cdf(infinity) == 0);
  CHECK(log_normal_cdf(-1e160) == -infinity);
  CHECK(std::isnan(log_normal_cdf(NAN)));
}

TEST_CASE("the Mills ratio is smooth over the change of formula") {
  double worst = 0;
  for (const double x : points(0, 37, 0.1237)) worst = std::max(worst, relative_error(normal_mills_ratio(x), exact_cdf(-x) / exact_pdf(x)));
  for (const double x : {19.999999, 20.0, 20.000001, 500.5}) worst = std::max(worst, relative_error(normal_mills_ratio(x), exact_cdf(-x) / exact_pdf(x)));
  CHECK(worst <= 8 * epsilon);
  CHECK(normal_mills_ratio(infinity) == 0);
}

TEST_CASE("normal quantiles solve their equation to rounding") {
  double worst = 0;
  for (const double log_p : points(-700, -0.7, 0.737)) {
    const double p = std::exp(log_p);
    const double x = normal_quantile(p);
    const double error = std::abs(static_cast<double>((exact_cdf(x) - Exact(p)) / exact_pdf(x)));
    worst = std::max(worst, error / std::max(1.0, std::abs(x)));
  }
  CHECK(worst <= 8 * epsilon);
  CHECK(normal_quantile(0.5) == 0);
  CHECK(normal_quantile(0) == -infinity);
  CHECK(normal_quantile(1) == infinity);
  CHECK(std::isnan(normal_quantile(-1e-9)));
  CHECK(std::isnan(normal_quantile(1.1)));
  CHECK(std::isnan(normal_quantile(NAN)));
}

TEST_CASE("normal quantiles from logarithms cover probabilities that no double can hold") {
  double worst = 0;
  for (const double x : {-9000.25, -99.5, -45.0, -37.3, -37.1, -20.0, -8.0, -1.0, -0.3, 0.2, 1.0, 5.0, 8.0}) {
    const double log_p = log_normal_cdf(x);
    const double found = normal_quantile_from_log(log_p);
    // The rounding of log_p moves x by ε |log Φ| Φ/φ, at most ε |x| in the lower tail, and by much in the upper one.
    const double grain = epsilon * std::abs(log_p) * static_cast<double>(exact_cdf(x) / exact_pdf(x));
    worst = std::max(worst, std::abs(found - x) / (epsilon * std::max(1.0, std::abs(x)) + grain));
  }
  CHECK(worst <= 8);
  CHECK(normal_quantile_from_log(-infinity) == -infinity);
  CHECK(normal_quantile_from_log(0) == infinity);
  CHECK(normal_quantile_from_log(-1e306) == doctest::Approx(-std::sqrt(2.0) * 1e153));
  CHECK(std::isnan(normal_quantile_from_log(0.1)));
  CHECK(std::isnan(normal_quantile_from_log(NAN)));
}
