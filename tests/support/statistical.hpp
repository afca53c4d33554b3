// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <functional>
#include <span>
#include <vector>

/// P values for tests of distributions. A test pins its seed, states its level and shows that the same check rejects a
/// deliberately wrong variant:
///
///     CHECK(ks_p(sample, [](double x) { return normal_cdf(x); }) > level);
///     CHECK(ks_p(shifted, [](double x) { return normal_cdf(x); }) < level);
namespace buffon::testing {

/// False-alarm rate of one statistical check.
inline constexpr double level = 1e-6;

double normal_cdf(double x);

/// Two-sided p value of a standard normal statistic.
double z_p(double z);
/// Two-sided p value of `value` when it is normal around `expected` with the given standard error.
double z_test_p(double value, double expected, double std_error);
/// The same for the mean of an independent sample, with the sample's own standard error; for a few hundred values or more.
double mean_p(std::span<const double> sample, double expected);
/// Two-sided p value of a Poisson count with the given mean (twice the smaller tail, at most 1).
double poisson_p(double count, double mean);

/// Upper tail of χ² with the given degrees of freedom.
double chi_square_tail(double statistic, double degrees);
/// Pearson's χ² test of counts against expected counts of the same total. Neighbouring cells are merged, from the left, until
/// each holds at least `least_expected`; a last rest joins the cell before it. Degrees of freedom: merged cells − 1 − `fitted`.
double chi_square_p(std::span<const double> observed, std::span<const double> expected, double least_expected = 10, int fitted = 0);
/// χ² test that two rows of counts come from one law (2 × k table), cells merged as above by the smaller expected count.
double chi_square_two_sample_p(std::span<const double> a, std::span<const double> b, double least_expected = 10);

/// Kolmogorov–Smirnov against a continuous cdf; Kolmogorov's limit law with Stephens' correction, good from n = 20 on.
double ks_p(std::vector<double> sample, const std::function<double(double)>& cdf);
/// Two-sample Kolmogorov–Smirnov for continuous laws.
double ks_two_sample_p(std::vector<double> a, std::vector<double> b);

}  // namespace buffon::testing
