// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/core/method.hpp>
#include <buffon/core/options.hpp>
#include <buffon/model/nested_problem.hpp>
#include <buffon/random/stream.hpp>
#include <buffon/stats/estimate.hpp>

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace buffon {

class NestedRun;

/// READ: the recursive, unbiased multilevel estimator of a repeatedly nested expectation γ_0 (see NestedProblem).
///
/// A copy R_0 is made recursively. R_D = g_D(path). For d < D: draw y^d, draw N with P(N = n) = r_d (1 − r_d)^n, make
/// n0_d 2^N independent copies of R_{d+1} on the same path; with m their mean and a, b the means of those with odd and even
/// number,
///
///     R_d = g_d(path, m) / r_d for N = 0,   [ g_d(path, m) − ½ (g_d(path, a) + g_d(path, b)) ] / P(N) for N ≥ 1.
///
/// The sum over n telescopes, so E R_0 = γ_0 exactly; the estimate is the mean of independent copies. A copy draws
/// Π n0_d r_d / (2 r_d − 1) innermost values on average.
///
/// Regimes: with *smooth* links (bounded second derivative in the inner value) and 2^{D+1} moments of g_D, variance and cost are
/// finite for ½ < r_d < 1 − 2^{−k/(k−1)}, k = 2^{d+1}: the error falls like cost^{−1/2}. With links that are only
/// *Lipschitz*, variance and cost cannot both be finite: for ½ < r_d < 1 − 2^{−(1+δ)^{1/D}} the estimator is unbiased with
/// finite expected cost, the median of means replaces the normal interval. Links that jump (indicators) are not covered.
///
/// Source: Yasa Syed, Guanyang Wang, "Optimal randomized multilevel Monte Carlo for repeatedly nested expectations", ICML 2023.
/// n0 > 1 is the usual generalisation of base samples and keeps unbiasedness. With D = 1 and nothing drawn at depth 0 this is
/// the unbiased estimator of a function of a mean of J. Blanchet and P. Glynn, "Unbiased Monte Carlo for optimization and
/// functions of expectations via multi-level randomization", 2015.
///
/// Memory: O(D) chunks of 256 paths, whatever the levels. Random: stream "read", item = node (see the sources).
/// Limits: quadratic or product links on top of another random depth need n0 ≥ 4; see the warnings of the result.
///
///     Context context;
///     ReadResult r = read(named_nested_problem("sin_gaussian").make(), {.max_copies = 100000}, Stream(1), context);
///     use(r.value.value, r.value.std_error);
enum class LinkRegime { smooth, lipschitz };
inline constexpr std::array<std::string_view, 2> link_regime_names = {"smooth", "lipschitz"};

struct ReadOptions {
  std::int64_t max_copies = 100000;             ///< copies at most; 0 = no limit, then another rule must end the run
  std::int64_t max_evaluations = 0;             ///< innermost evaluations; the block in work is finished; 0 = no limit
  std::optional<double> target_std_error = {};  ///< stop when the standard error (plain and by batch means) is at most this
  LinkRegime regime = LinkRegime::smooth;       ///< what the links are like
  double delta = 0.25;                          ///< for lipschitz: cost exponent 2 (1 + δ), in (0, 1/2)
  std::vector<double> rates = {};               ///< r_0, …, r_{D−1}; empty = 0.65, 0.60, 0.54, then half-way; lipschitz: half-way
  std::vector<std::int64_t> base_samples = {};  ///< n0_0, …, n0_{D−1}; empty = 1
  std::int64_t max_level = 62;                  ///< BIASED when less than 62: levels are cut off there
  double level = 0.95;                          ///< confidence level, in (0, 1)
};
void describe(OptionVisitor& visitor, ReadOptions& options);

/// Upper end of the rates r_d that a regime allows at depth d of D.
double rate_limit(LinkRegime regime, double delta, Index d, Index depth);
/// Default of `rates`.
std::vector<double> default_rates(LinkRegime regime, double delta, Index depth);

struct ReadResult {
  Estimate value;            ///< γ_0: mean and normal interval (lipschitz: median of means)
  Estimate median_of_means;  ///< NaN with too few copies
  std::int64_t copies = 0;
  std::int64_t evaluations = 0;  ///< innermost evaluations
  double variance_per_copy = 0;  ///< sample variance
  std::vector<std::string> warnings;
  std::string stop_reason;
};

/// The estimator as a resumable computation.
class Read : public Method {
 public:
  /// @throws Error(configuration) for options out of range, rates outside the regime, lists whose length is not D
  Read(std::shared_ptr<const NestedProblem> problem, ReadOptions options, const Stream& stream);
  ~Read() override;

  /// @throws ModelError for a link that is not finite, with the path
  void step(Context& context) override;
  bool finished() const override;
  void stop(const std::string& reason) override;
  Progress progress() const override;
  Outcome outcome() const override;
  void describe_state(Archive& archive) override;

  ReadResult result() const;

 private:
  void warn(Outcome& outcome) const;
  ReadOptions options_;
  std::unique_ptr<NestedRun> run_;
};

/// The loop over Read::step.
ReadResult read(std::shared_ptr<const NestedProblem> problem, const ReadOptions& options, const Stream& stream, Context& context);

}  // namespace buffon
