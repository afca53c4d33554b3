// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/core/options.hpp>
#include <buffon/estimators/integrands.hpp>
#include <buffon/estimators/sample_run.hpp>
#include <buffon/model/problem.hpp>
#include <buffon/random/stream.hpp>

#include <cstdint>
#include <memory>
#include <optional>

namespace buffon {

// Plain Monte Carlo: the mean of every quantity over independent draws of its law, with the covariance of all means.
//
//     Î_j = (1/n) Σ_i W_j(X_i) φ_j(X_i),   W_j = 1 for one law.
//
// With several laws (scenarios) the points are drawn from their mixture with equal weights h and carry the balance weights
// W_j = f_j / h ≤ number of laws, so that one model evaluation serves all; every estimate stays exactly unbiased.
//
// Source of the balance weights: E. Veach, L. J. Guibas, "Optimally combining sampling techniques for Monte Carlo rendering",
// 1995. Intervals: normal; for an event with fewer than 50 points on either side, the exact interval of Clopper and Pearson (1934).
// Cost: n model evaluations; memory: one round (at most 65536 points).
// Random: child stream "plain_monte_carlo"; point i is item i.
// Limits: targets are checked between rounds; a rule that stops on an estimated error is slightly optimistic, so no target is
// believed before 1024 points, nor for an event before 10 points on either side.
//
//     PlainMonteCarloOptions options;
//     options.max_evaluations = 100000;
//     PlainMonteCarloResult r = plain_monte_carlo(problem, options, Stream(1), context);

struct PlainMonteCarloOptions {
  std::int64_t max_evaluations = 100000;             ///< model evaluations at most, at least 1
  std::optional<double> target_std_error = {};       ///< stop when no estimate has a larger standard error, positive
  std::optional<double> target_relative_error = {};  ///< stop when no estimate has a larger standard error relative to its value, positive
  double level = 0.95;                               ///< confidence level of intervals, in (0, 1)
};
void describe(OptionVisitor& visitor, PlainMonteCarloOptions& options);

using PlainMonteCarloResult = SampleResult;

class PlainMonteCarlo : public SampleRun {
 public:
  /// @throws Error(configuration) naming the option
  PlainMonteCarlo(const Problem& problem, const PlainMonteCarloOptions& options, const Stream& stream);
  PlainMonteCarlo(std::shared_ptr<const Integrands> integrands, const PlainMonteCarloOptions& options, const Stream& stream);
};

PlainMonteCarloResult plain_monte_carlo(const Problem& problem, const PlainMonteCarloOptions& options, const Stream& stream, Context& context);

}  // namespace buffon
