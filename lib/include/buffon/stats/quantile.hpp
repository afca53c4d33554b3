// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/stats/estimate.hpp>

#include <span>
#include <vector>

namespace buffon {

/// Sample quantile of type 7 (Hyndman and Fan, "Sample quantiles in statistical packages", 1996): linear between the order
/// statistics, x_(1) at p = 0 and x_(n) at p = 1. NaN for an empty sample or one with a NaN. O(n).
/// @throws Error(usage) for p outside [0, 1]
double sample_quantile(std::span<const double> x, double p);

/// Several at once, one sort.
std::vector<double> sample_quantiles(std::span<const double> x, std::span<const double> p);

/// Sample quantile with a distribution-free interval between two order statistics: with K ~ Binomial(n, p),
/// P(x_(l) ≤ q_p ≤ x_(u)) ≥ level by P(K < l) ≤ (1 − level)/2 and P(K ≥ u) ≤ (1 − level)/2 for independent draws of any
/// law. An end that the sample is too small for is infinite. std_error = interval length / 2z (NaN when infinite).
Estimate quantile_estimate(std::span<const double> x, double p, double level = 0.95);

/// Quantile under weights w ≥ 0 that becomes type 7 for equal weights: the mean of the weighted sample's quantile function over
/// the window [(h − 1)/n*, h/n*], h = (n* − 1) p + 1, n* = Kish's effective size (Akinshin, "Weighted quantile estimators",
/// 2023). Unchanged when all weights are multiplied by a number. NaN when no weight is positive.
/// @throws Error(usage) for negative or non-finite weights or unequal lengths
double weighted_quantile(std::span<const double> x, std::span<const double> w, double p);

/// With interval by inverting the error of the self-normalised cdf at the quantile (Woodruff, "Confidence intervals for medians and
/// other position measures", 1952): [Q(p − z s), Q(p + z s)], s² = Σ w² (1{x ≤ q} − p)² / (Σ w)²; infinite ends and
/// std_error as above.
Estimate weighted_quantile_estimate(std::span<const double> x, std::span<const double> w, double p, double level = 0.95);

}  // namespace buffon
