// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/core/method.hpp>
#include <buffon/core/options.hpp>
#include <buffon/estimators/sobol_subsets.hpp>
#include <buffon/model/problem.hpp>
#include <buffon/random/stream.hpp>
#include <buffon/stats/accumulators.hpp>
#include <buffon/stats/outcome.hpp>

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace buffon {

class Archive;

/// Sobol' indices by pick-freeze sampling, centred.
///
/// For Y = M(X) with independent inputs and a subset u of them, the closed index is S_u = Var(E[Y | X_u]) / Var(Y); the
/// first-order index of input i is S_{i}; the total index is T_u = 1 − S_{−u} (everything that involves an input of u).
/// Two independent points A, B and the hybrids E_u = (B_u, A_{−u}) give y_A, y_B, y_u with Cov(y_B, y_u) = Var(Y) S_u and
/// Cov(y_A, y_u) = Var(Y) (1 − T_u). With V the variance pooled over A and B, means written ⟨·⟩ and every output centred
/// by its sample mean m = (⟨y_A⟩ + ⟨y_B⟩) / 2:
///
///   martinez           S = corr(y_B, y_u)                  T = 1 − corr(y_A, y_u)
///   mauntz_kucherenko  S = ⟨(y_B − m)(y_u − y_A)⟩ / V      T = ⟨(y_A − m)(y_A − y_u)⟩ / V
///   saltelli           S = (⟨y_B y_u⟩ − ⟨y_A⟩⟨y_B⟩) / V    T = 1 − (⟨y_A y_u⟩ − ⟨y_A⟩⟨y_B⟩) / V
///   jansen             S = 1 − ⟨(y_B − y_u)²⟩ / 2V         T = ⟨(y_A − y_u)²⟩ / 2V
///
/// Each is a smooth function of the means of 5 + 4K products (K hybrids), so the delta method with their joint sample
/// covariance gives standard errors; nothing but these moments is kept. A pilot sample shifts and scales the output
/// first, which keeps the products well conditioned and does not enter the formulas.
///
/// Sources: I. M. Sobol', "Sensitivity estimates for nonlinear mathematical models", 1993; M. J. W. Jansen, "Analysis of
/// variance designs for model output", 1999; I. M. Sobol', S. Tarantola, D. Gatelli, S. Kucherenko, W. Mauntz,
/// "Estimating the approximation error when fixing unessential factors in global sensitivity analysis", 2007;
/// A. Saltelli et al., "Variance based sensitivity analysis of model output", 2010 (review of all but the next);
/// J.-M. Martinez, "Analyse de sensibilité globale par décomposition de la variance", 2011; A. Janon et al., "Asymptotic
/// normality and efficiency of two Sobol index estimators", 2014 (delta method).
///
/// Cost: K + 2 model evaluations per sample, K = number of distinct subsets (d for all first and total indices), plus the
/// pilot; (5 + 4K)² flops per sample and output. Memory: (5 + 4K)² doubles per output.
/// Random: streams "pilot", "a", "b" (item = sample) and "bootstrap" (item = sample, draw = replicate).
/// Limits: normal intervals need a few hundred samples; heavy-tailed outputs need more.
///
///     Context context;
///     SobolResult r = sobol_indices(problem, {.max_evaluations = 100000}, Stream(1), context);
///     for (const SobolIndex& s : r.indices) use(s.name, s.estimate.value, s.estimate.std_error);
enum class SobolEstimator { martinez, mauntz_kucherenko, saltelli, jansen };
inline constexpr std::array<std::string_view, 4> sobol_estimator_names = {"martinez", "mauntz_kucherenko", "saltelli", "jansen"};

struct SobolOptions {
  std::int64_t max_evaluations = 100000;                 ///< model evaluations at most, the pilot included
  SobolEstimator estimator = SobolEstimator::martinez;   ///< the formula
  std::vector<std::string> orders = {"first", "total"};  ///< for every single input: "first", "total"
  std::vector<std::vector<std::string>> subsets = {};    ///< sets of inputs whose closed (and, with orders total, total) index is wanted
  std::vector<std::string> outputs = {};                 ///< names of the outputs; empty = all
  std::int64_t pilot = 64;                               ///< model evaluations for shift and scale, at least 2
  double level = 0.95;                                   ///< confidence level, in (0, 1)
  std::int64_t bootstrap = 0;                            ///< replicates of a Poisson bootstrap for the intervals; 0 = delta method
  double target_half_width = 0;                          ///< stop when no interval is wider than twice this; 0 = spend max_evaluations
};
void describe(OptionVisitor& visitor, SobolOptions& options);

struct SobolResult {
  std::vector<SobolIndex> indices;  ///< output by output: first, total, closed
  Eigen::MatrixXd covariance;       ///< of the indices when there is one output, else empty
  Eigen::VectorXd means;            ///< of the outputs
  Eigen::VectorXd variances;        ///< of the outputs
  std::int64_t samples = 0;         ///< pairs (A, B)
  std::int64_t evaluations = 0;     ///< model evaluations spent
  std::string stop_reason;
};

/// The estimator as a resumable computation: the pilot, then rounds of about 1/32 of max_evaluations, at most 65536 samples.
class Sobol : public Method {
 public:
  /// @throws Error(configuration) for options out of range, unknown names, coupled inputs, several scenarios, a budget
  ///         that does not reach 10 samples
  Sobol(Problem problem, SobolOptions options, const Stream& stream);

  /// @throws Error(numeric) when an output is constant
  void step(Context& context) override;
  bool finished() const override;
  void stop(const std::string& reason) override;
  Progress progress() const override;
  Outcome outcome() const override;
  void describe_state(Archive& archive) override;

  SobolResult result() const;
  std::int64_t evaluations_per_sample() const { return static_cast<std::int64_t>(designs_.size()) + 2; }
  std::int64_t total_samples() const { return total_samples_; }

 private:
  struct Wanted {
    std::string group;
    std::size_t output;  ///< position in outputs_
    std::size_t design;  ///< position in designs_
  };
  struct Part;

  void run_pilot(Context& context);
  void run_samples(Context& context);
  Part sample_block(Context& context, std::int64_t begin, std::int64_t end) const;
  void require_variance() const;
  std::vector<std::string> names_of(const InputSubset& subset) const;
  /// @param covariance of the means of the output's summands
  SobolIndex index(const Wanted& wanted, const Eigen::MatrixXd& covariance) const;
  std::vector<SobolIndex> indices() const;
  Estimate bootstrap_interval(const Wanted& wanted, Estimate estimate) const;
  void check_targets(const std::vector<SobolIndex>& estimates);
  void append_convergence(const std::vector<SobolIndex>& indices);

  Problem problem_;
  SobolOptions options_;
  std::vector<Index> outputs_;        ///< rows of the quantities analysed
  std::vector<InputSubset> designs_;  ///< hybrids E_u
  std::vector<Wanted> wanted_;
  std::int64_t total_samples_ = 0;
  std::int64_t block_size_ = 0;
  std::int64_t round_size_ = 0;
  Stream pilot_stream_, a_stream_, b_stream_, bootstrap_stream_;

  // state
  Eigen::VectorXd shift_, scale_;               ///< z = (y − shift) / scale per analysed output; empty before the pilot
  std::vector<CovarianceAccumulator> moments_;  ///< per analysed output
  std::vector<Eigen::MatrixXd> replicates_;     ///< per analysed output: bootstrap sums, row 0 = weights, rows 1… = moments
  std::int64_t samples_ = 0;
  std::string stop_reason_;
  Eigen::MatrixXd convergence_;
};

/// The loop over Sobol::step.
SobolResult sobol_indices(const Problem& problem, const SobolOptions& options, const Stream& stream, Context& context);

}  // namespace buffon
