// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/core/archive.hpp>
#include <buffon/core/method.hpp>
#include <buffon/core/options.hpp>
#include <buffon/core/types.hpp>
#include <buffon/estimators/integrands.hpp>
#include <buffon/estimators/sample_run.hpp>
#include <buffon/model/problem.hpp>
#include <buffon/random/stream.hpp>
#include <buffon/stats/estimate.hpp>
#include <buffon/stats/outcome.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace buffon {

/// Many expectations from one sample: adaptive importance sampling with control variates (ME-AISCV).
///
/// What it computes: I_j = ∫ φ_j(x) f_j(x) dx, j = 1..J. Several functions under one law, one function under several laws, or
/// both; one model evaluation serves all J. With auxiliary densities g_j close to φ_j f_j / I_j, the mixture g_α = Σ α_j g_j and
/// X_1..X_n from g_α,
///
///     Î_j = β_j + (1/n) Σ_i [ f_j(X_i) φ_j(X_i) − β_j g_j(X_i) ] / g_α(X_i)                                    (1)
///
/// is unbiased for any fixed (α, β, g), and has zero variance for all j at once when g_j = φ_j f_j / I_j, β_j = I_j.
/// An exploration phase of at most half of the points fits the g_j by weighted moments (or weighted EM), α by minimising
/// the estimated Σ w_j Var(Î_j) over the simplex, β by regression on a fresh batch; the final sample is independent of
/// all of them, so (1) is exactly unbiased and its error bars are those of independent draws.
///
/// Source: J. Demange-Chryst, F. Bachoc, J. Morio, "Efficient estimation of multiple expectations with the same sample by
/// adaptive importance sampling and control variates", Statistics and Computing 33 (2023), arXiv:2212.00568.
/// Departures, all measured: functions are scaled to size one before anything is squared (so that units do not matter); the
/// ridge is relative to the pooled variances; α is found by a monotone fixed-point iteration instead of a general optimiser;
/// the criterion weights 1/Î² are renewed in every round; signed functions are fitted with |φ_j|; see the options.
///
/// Cost: `max_evaluations` model evaluations, each of which serves every φ_j; overhead O(n J d²) for densities, O(n J) per α iteration.
/// Memory: the exploration points with their J values and densities, see `aiscv_memory_need`; nothing per point in the final
/// sample (but 10000 weights).
/// Random: child streams "pilot", "batch" and "final" of the given stream; point i is item i.
/// Limits: light-tailed Gaussian g_j cannot follow heavy tails of φ_j f_j (watch the contribution diagnostics); the plain
/// start sees no event rarer than about 10 per batch: use start = tempering; weights degenerate when d approaches the
/// number of points that matter (use diagonal = true).
///
///     AiscvOptions options;
///     options.max_evaluations = 20000;
///     AiscvResult r = aiscv(problem, options, Stream(1), context);
///     for (const auto& e : r.estimates) use(e.name, e.estimate.value, e.estimate.std_error);

/// Family of every auxiliary density g_j.
enum class AiscvFamily { gaussian, gaussian_mixture };
/// Criterion weights w_j: 1/Î_j² (relative precision), 1 (absolute precision), or given.
enum class AiscvWeights { relative, absolute, custom };
/// Which (g, α, β) the final sample uses when the exploration stops because the last step did not help.
enum class AiscvFinal { newest, previous };
/// How draws of g_α choose their component.
enum class AiscvSampling { multinomial, stratified };
/// Control variates of the final estimate.
enum class AiscvControl { own, regression };
/// How the exploration starts.
enum class AiscvStart { direct, tempering };

struct AiscvOptions {
  std::int64_t max_evaluations = 20000;           ///< model evaluations at most, exploration included, for at least 20 points
  double exploration_fraction = 0.5;              ///< largest share of max_evaluations for the exploration, in (0, 1)
  std::int64_t exploration_batches = 5;           ///< the exploration share is cut into so many batches, at least 2
  AiscvFamily family = AiscvFamily::gaussian;     ///< of every auxiliary density
  std::int64_t components = 2;                    ///< Gaussians per auxiliary density, for gaussian_mixture, in [1, 20]
  bool diagonal = false;                          ///< diagonal covariances only (many dimensions, few points)
  AiscvWeights weights = AiscvWeights::relative;  ///< criterion weights w_j
  std::vector<double> custom_weights = {};        ///< for weights = custom: w_1..w_J, positive
  AiscvFinal final = AiscvFinal::newest;          ///< densities of the final sample when the last step did not help
  PointSpace space = PointSpace::automatic;       ///< where the densities are fitted
  AiscvSampling sampling = AiscvSampling::multinomial;
  AiscvControl control = AiscvControl::own;
  double ridge = 1e-6;          ///< added to variances, as a share of the pooled ones, positive
  bool absolute_ridge = false;  ///< the ridge is an absolute variance
  AiscvStart start = AiscvStart::direct;
  double tempering_quantile = 0.1;  ///< share of the points above the next threshold, in (0, 0.5]
  double level = 0.95;              ///< confidence level of intervals, in (0, 1)
};
void describe(OptionVisitor& visitor, AiscvOptions& options);

/// The estimates are the I_j in the order of the integrands; `points` are those of the final sample.
struct AiscvResult : SampleResult {
  Eigen::VectorXd alpha;    ///< mixture weights of the final sample
  Eigen::VectorXd beta;     ///< control parameters, in the units of φ_j
  Eigen::VectorXd weights;  ///< criterion weights w_j in the end
  double criterion = 0;     ///< Σ_j w_j Var(Î_j), estimated
  std::int64_t exploration_points = 0;
  bool signed_functions = false;  ///< some φ_j took negative values: zero variance is out of reach
};

/// ME-AISCV as a resumable computation: one step is the pilot, one adaptation batch, or a bounded part of the final sample.
class AiscvKernel : public Method {
 public:
  /// @throws Error(configuration) naming the option
  AiscvKernel(const Problem& problem, const AiscvOptions& options, const Stream& stream);
  AiscvKernel(std::shared_ptr<const Integrands> integrands, const AiscvOptions& options, const Stream& stream);
  ~AiscvKernel() override;

  void step(Context& context) override;
  bool finished() const override;
  /// Ends the exploration at once; the final sample ends with the first round that has at least 1000 points in all.
  void stop(const std::string& reason) override;
  Progress progress() const override;
  Outcome outcome() const override;
  void describe_state(Archive& archive) override;

  MemoryNeed memory_need() const override;

  AiscvResult result() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Memory of the exploration: about 3 (d + J + laws + levels + 1) + 2 J numbers per point, copies for checkpoints included.
MemoryNeed aiscv_memory_need(const Integrands& integrands, const AiscvOptions& options);

/// Runs ME-AISCV to its end.
AiscvResult aiscv(const Problem& problem, const AiscvOptions& options, const Stream& stream, Context& context);
AiscvResult aiscv(std::shared_ptr<const Integrands> integrands, const AiscvOptions& options, const Stream& stream, Context& context);

}  // namespace buffon
