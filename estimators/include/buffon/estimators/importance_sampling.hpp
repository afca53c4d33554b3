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
#include <vector>

namespace buffon {

// Importance sampling with a given law q = s f + (1 − s) Σ_k p_k N(c_k, diag(σ_k²)): the user knows where it matters.
//
//     Î_j = (1/n) Σ_i φ_j(X_i) f_j(X_i) / q(X_i),   X_i from q.
//
// With one law of the inputs the centres c_k and scales σ_k live in standard normal space (an input shifted by +3 stands at
// the value that lies three standard deviations up its own law); with several laws, in the space of the inputs.
// The share s of draws from the initial law (defensive mixture: T. Hesterberg, "Weighted average importance sampling and
// defensive mixture distributions", 1995) bounds every weight f/q by 1/s, so that no estimate is worse than plain Monte Carlo
// with s n points.
//
// Cost: n model evaluations and n (K + 1) densities. Random: child stream "importance_sampling"; point i is item i.
// Limits: a law that misses a region that matters gives a wrong answer with a small error bar; the diagnostics of the weights
// (effective size, largest share, Pareto tail index) see it only when at least one point fell there.
//
//     ImportanceSamplingOptions options;
//     options.center = {0.0, 4.0};
//     ImportanceSamplingResult r = importance_sampling(problem, options, Stream(1), context);

struct ImportanceSamplingOptions {
  std::int64_t max_evaluations = 100000;             ///< model evaluations at most, at least 1
  std::vector<double> center = {};                   ///< coordinates of one centre, or of several one after the other
  std::vector<double> scale = {1.0};                 ///< standard deviations: one for all, one per coordinate, or one per coordinate of every centre
  std::vector<double> shares = {};                   ///< relative weights of the centres; empty = equal
  double initial_share = 0.1;                        ///< share s of draws from the law of the inputs, in [0, 1)
  PointSpace space = PointSpace::automatic;          ///< where centres live
  std::optional<double> target_std_error = {};       ///< as for plain_monte_carlo
  std::optional<double> target_relative_error = {};  ///< as for plain_monte_carlo
  double level = 0.95;                               ///< confidence level of intervals, in (0, 1)
};
void describe(OptionVisitor& visitor, ImportanceSamplingOptions& options);

using ImportanceSamplingResult = SampleResult;

class ImportanceSampling : public SampleRun {
 public:
  /// @throws Error(configuration) naming the option
  ImportanceSampling(const Problem& problem, const ImportanceSamplingOptions& options, const Stream& stream);
  ImportanceSampling(const std::shared_ptr<const Integrands>& integrands, const ImportanceSamplingOptions& options, const Stream& stream);
};

ImportanceSamplingResult importance_sampling(const Problem& problem, const ImportanceSamplingOptions& options, const Stream& stream, Context& context);

}  // namespace buffon
