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

/// Multilevel Monte Carlo for a nested expectation of depth 1, γ_0 = E[ g_0(y^0, E[ g_1(y^0, y^1) | y^0 ]) ].
///
/// Level l uses M 2^l inner draws; with m their mean and a, b the means of the two halves, its antithetic difference is
/// Δ_l = g_0(m) − ½ (g_0(a) + g_0(b)), Δ_0 = g_0(m). The sum of the means of Δ_0 … Δ_L is E[g_0(m_L)], biased by what the levels
/// above L would add. For a root mean squared error ε, with V_l the variance and C_l = M 2^l the cost of a copy of level l,
///
///     N_l = ⌈ 2 ε^{−2} √(V_l / C_l) Σ_k √(V_k C_k) ⌉,
///     a level is added while max_{i ≤ 2} |mean Δ_{L−i}| 2^{−α i} / (2^α − 1) > ε / √2,
///
/// with the weak rate α and the variance rate β fitted to the levels. Cost ε^{−2} for β > 1, ε^{−2} log² ε for β = 1. Unlike READ
/// the levels are not random, so the cost is smaller, but the bias is controlled by an extrapolation only.
///
/// Source: M. B. Giles, "Multilevel Monte Carlo path simulation", 2008; "Multilevel Monte Carlo methods", Acta Numerica 2015
/// (algorithm 1, section 9 for nested simulation).
/// Random: stream "multilevel_monte_carlo", item = node.
///
///     MultilevelMonteCarloResult r = multilevel_monte_carlo(problem, {.target_rmse = 1e-3}, Stream(1), context);
struct MultilevelMonteCarloOptions {
  double target_rmse = 0.01;           ///< ε, in units of the link's value
  std::int64_t base_samples = 1;       ///< M
  std::int64_t initial_copies = 1000;  ///< of the levels 0, 1 and 2 to begin with
  std::int64_t max_level = 20;         ///< highest level; when it is reached before the bias is small, a warning says so
  std::int64_t max_evaluations = 0;    ///< innermost evaluations after which no round is begun; 0 = no limit
  double level = 0.95;                 ///< confidence level, in (0, 1)
};
void describe(OptionVisitor& visitor, MultilevelMonteCarloOptions& options);

struct MultilevelMonteCarloResult {
  Estimate value;                    ///< its standard error is that of the sampling; see `bias`
  double bias = 0;                   ///< estimated bound of the bias
  double weak_rate = 0;              ///< α
  double variance_rate = 0;          ///< β
  std::vector<std::int64_t> copies;  ///< N_0, …, N_L
  std::int64_t evaluations = 0;      ///< innermost evaluations
  std::vector<std::string> warnings;
  std::string stop_reason;
};

/// The estimator as a resumable computation; a round brings every level to its number of copies.
class MultilevelMonteCarlo : public Method {
 public:
  /// @throws Error(configuration) for options out of range or a problem whose depth is not 1
  MultilevelMonteCarlo(std::shared_ptr<const NestedProblem> problem, MultilevelMonteCarloOptions options, const Stream& stream);
  ~MultilevelMonteCarlo() override;

  /// @throws ModelError for a link that is not finite, with the path
  void step(Context& context) override;
  bool finished() const override;
  void stop(const std::string& reason) override;
  Progress progress() const override;
  Outcome outcome() const override;
  void describe_state(Archive& archive) override;

  MultilevelMonteCarloResult result() const;

 private:
  struct State;
  std::vector<std::int64_t> wanted_copies() const;
  void draw(Context& context, std::int64_t level, std::int64_t missing);
  std::shared_ptr<const NestedProblem> problem_;
  MultilevelMonteCarloOptions options_;
  Stream stream_;
  std::unique_ptr<State> state_;
};

/// The loop over MultilevelMonteCarlo::step.
MultilevelMonteCarloResult multilevel_monte_carlo(std::shared_ptr<const NestedProblem> problem, const MultilevelMonteCarloOptions& options,
                                                  const Stream& stream, Context& context);

}  // namespace buffon
