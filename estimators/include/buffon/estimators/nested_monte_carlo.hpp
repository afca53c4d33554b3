// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/core/method.hpp>
#include <buffon/core/options.hpp>
#include <buffon/model/nested_problem.hpp>
#include <buffon/random/stream.hpp>
#include <buffon/stats/estimate.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace buffon {

class NestedRun;

/// Nested Monte Carlo: every inner expectation of a nested problem is replaced by the mean of a fixed number of draws,
///
///     R_D = g_D(path),   R_d = g_d(path, mean of N_{d+1} copies of R_{d+1}),   estimate = mean of N_0 copies of R_0.
///
/// *Biased* for D ≥ 1: the mean of g(noisy inner value) is not g(inner value). The bias is of order 1/N_{d+1} for smooth links
/// and 1/√N_{d+1} for Lipschitz links, and the standard error does not see it. It is here to compare READ with: at equal cost
/// C = Π N_d its root mean squared error falls like C^{−1/(D+2)} at best.
///
/// Source: T. Rainforth, R. Cornish, H. Yang, A. Warrington, F. Wood, "On nesting Monte Carlo estimators", 2018.
/// Random: stream "nested_monte_carlo", item = node.
///
///     NestedMonteCarloResult r = nested_monte_carlo(problem, {.samples = {1000, 100, 100}}, Stream(1), context);
struct NestedMonteCarloOptions {
  /// N_0, …, N_D; empty = N_0 = √C and N_1 = … = N_D = C^{1/2D} for C = max_evaluations
  std::vector<std::int64_t> samples = {};
  std::int64_t max_evaluations = 1000000;  ///< C, for empty `samples`
  double level = 0.95;                     ///< confidence level, in (0, 1)
};
void describe(OptionVisitor& visitor, NestedMonteCarloOptions& options);

/// N_0, …, N_D of the default design for a cost.
std::vector<std::int64_t> default_samples(std::int64_t max_evaluations, Index depth);

struct NestedMonteCarloResult {
  Estimate value;  ///< its interval covers the biased expectation
  std::vector<std::int64_t> samples;
  std::int64_t evaluations = 0;  ///< innermost evaluations
  std::vector<std::string> warnings;
  std::string stop_reason;
};

/// The estimator as a resumable computation.
class NestedMonteCarlo : public Method {
 public:
  /// @throws Error(configuration) for options out of range or a list whose length is not D + 1
  NestedMonteCarlo(std::shared_ptr<const NestedProblem> problem, NestedMonteCarloOptions options, const Stream& stream);
  ~NestedMonteCarlo() override;

  /// @throws ModelError for a link that is not finite, with the path
  void step(Context& context) override;
  bool finished() const override;
  void stop(const std::string& reason) override;
  Progress progress() const override;
  Outcome outcome() const override;
  void describe_state(Archive& archive) override;

  NestedMonteCarloResult result() const;

 private:
  std::vector<std::int64_t> samples_;
  std::unique_ptr<NestedRun> run_;
};

/// The loop over NestedMonteCarlo::step.
NestedMonteCarloResult nested_monte_carlo(std::shared_ptr<const NestedProblem> problem, const NestedMonteCarloOptions& options, const Stream& stream,
                                          Context& context);

}  // namespace buffon
