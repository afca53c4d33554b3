// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/core/method.hpp>
#include <buffon/core/options.hpp>
#include <buffon/estimators/aiscv.hpp>
#include <buffon/estimators/integrands.hpp>
#include <buffon/estimators/sobol.hpp>
#include <buffon/estimators/sobol_subsets.hpp>
#include <buffon/model/problem.hpp>
#include <buffon/random/stream.hpp>
#include <buffon/stats/outcome.hpp>

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace buffon {

/// What is subtracted from the output before products are formed.
enum class SobolCentring {
  none,   ///< nothing (the functions are non-negative when the output is)
  pilot,  ///< the mean of a pilot sample
  value,  ///< a given number
};
inline constexpr std::array<std::string_view, 3> sobol_centring_names = {"none", "pilot", "value"};

/// The integrands on 2d-dimensional standard normal space whose expectations give closed Sobol' indices: with (X, X') the
/// two halves in physical space, X^u = (X_u, X'_{−u}), Y = M(X) − c and Y^u = M(X^u) − c, the functions are
/// Y Y^u for every subset u, then Y, then Y². One point costs 1 + K model evaluations, K = number of subsets.
class SobolIntegrands : public Integrands {
 public:
  /// @param row     the quantity analysed
  /// @param subsets u_1..u_K
  /// @param shift   c
  SobolIntegrands(Problem problem, Index row, std::vector<InputSubset> subsets, double shift);

  Index dimension() const override { return 2 * problem_.dimension(); }
  Index count() const override { return static_cast<Index>(subsets_.size()) + 2; }
  const std::vector<std::string>& names() const override { return names_; }
  bool common_law() const override { return true; }
  bool standard_normal() const override { return true; }
  std::int64_t calls_per_point() const override { return static_cast<std::int64_t>(subsets_.size()) + 1; }
  void sample(const Stream& stream, std::uint64_t first, MutMatrix x) const override;
  void log_densities(const ConstMatrix& x, MutMatrix log_f) const override;
  void evaluate(Context& context, const ConstMatrix& x, MutMatrix phi) const override;
  Index preferred_batch() const override { return problem_.model().model().preferred_batch(); }

 private:
  Problem problem_;
  Index row_;
  std::vector<InputSubset> subsets_;
  double shift_;
  std::vector<std::string> names_;
};

/// Sobol' indices by adaptive importance sampling with control variates.
///
/// S_u = (E[Y Y^u] − E[Y]²) / (E[Y²] − E[Y]²) with the expectations of SobolIntegrands estimated together from one sample
/// by ME-AISCV (see aiscv.hpp); total indices by T_u = 1 − S_{−u}; intervals by the delta method from the joint
/// covariance of the expectations. The value of S_u does not depend on the centring c, its variance does.
///
/// Source: J. Demange-Chryst, F. Bachoc, J. Morio, "Efficient estimation of multiple expectations with the same sample by
/// adaptive importance sampling and control variates", Statistics and Computing 33 (2023), section on sensitivity indices.
///
/// Departures from the source, measured on its cantilever study (sum of the mean squared errors of the six first-order
/// indices at 20000 points): diagonal covariances, since full ones in 2d dimensions are noisy and M M^u f is close to a
/// shifted product law in standard normal space; regression on all controls; a shorter exploration: 6e-5 instead of 2e-4.
/// diagonal = false, control = own, exploration_fraction = 0.5, exploration_batches = 5 is the source's setting.
/// Centring, which helps classical estimators, does not help here for M ≥ 0: it makes the functions signed, and no single
/// Gaussian follows |φ|.
///
/// When the variance E[Y²] − E[Y]² does not exceed 4 of its standard errors, every index is NaN with a note and a warning.
///
/// Assumptions: independent inputs; M ≥ 0 when nothing is subtracted (else the sampling densities follow |φ| and the gain
/// over classical estimators shrinks).
/// Cost: 1 + K model evaluations per point; overhead as aiscv in 2d dimensions with K + 2 functions.
/// Random: streams "pilot" (centring), "aiscv" and "comparison".
///
///     Context context;
///     SobolAiscvResult r = sobol_aiscv(problem, {.max_evaluations = 140000}, Stream(1), context);
///     for (const SobolIndex& s : r.indices) use(s.name, s.estimate.value, s.estimate.std_error);
struct SobolAiscvOptions {
  std::int64_t max_evaluations = 140000;                ///< model evaluations at most, pilot included, comparison not
  std::vector<std::string> orders = {"first"};          ///< for every single input: "first", "total"
  std::vector<std::vector<std::string>> subsets = {};   ///< sets of inputs whose closed index is wanted
  bool all_subsets = false;                             ///< closed indices of all 2^d − 2 proper subsets; at most 8 inputs
  std::string output = {};                              ///< the output analysed; empty = the only one
  SobolCentring centring = SobolCentring::none;         ///< what is subtracted from the output
  double shift = 0;                                     ///< for centring = value
  std::int64_t pilot = 200;                             ///< model evaluations for centring = pilot, at least 2
  std::string comparison = "none";                      ///< classical estimator to run beside at equal model evaluations, or "none"
  AiscvFamily family = AiscvFamily::gaussian;           ///< of every auxiliary density
  std::int64_t components = 2;                          ///< Gaussians per auxiliary density, for gaussian_mixture
  bool diagonal = true;                                 ///< diagonal covariances only
  AiscvWeights weights = AiscvWeights::absolute;        ///< criterion weights of the expectations
  AiscvControl control = AiscvControl::regression;      ///< control variates of the final estimate
  AiscvSampling sampling = AiscvSampling::multinomial;  ///< how draws choose their component
  AiscvFinal final = AiscvFinal::newest;                ///< densities of the final sample when the last step did not help
  double exploration_fraction = 0.35;                   ///< largest share of the points for the exploration, in (0, 1)
  std::int64_t exploration_batches = 3;                 ///< the exploration share is cut into so many batches
  double ridge = 1e-6;                                  ///< added to variances, as a share of the pooled ones
  double level = 0.95;                                  ///< confidence level, in (0, 1)
};
void describe(OptionVisitor& visitor, SobolAiscvOptions& options);

struct SobolAiscvResult {
  std::vector<SobolIndex> indices;  ///< first, total, closed; NaN when the variance of the output cannot be told from zero
  Eigen::MatrixXd covariance;       ///< of the indices
  AiscvResult expectations;         ///< of the integrands, after subtraction of `shift`
  double shift = 0;                 ///< c
  std::int64_t evaluations = 0;     ///< model evaluations spent, comparison included
  SobolResult comparison;           ///< empty when none was asked for
  std::string stop_reason;
};

class SobolAiscv : public Method {
 public:
  /// @throws Error(configuration)
  SobolAiscv(Problem problem, SobolAiscvOptions options, const Stream& stream);

  void step(Context& context) override;
  bool finished() const override;
  void stop(const std::string& reason) override;
  Progress progress() const override;
  Outcome outcome() const override;
  void describe_state(Archive& archive) override;

  MemoryNeed memory_need() const override;

  SobolAiscvResult result() const;
  std::int64_t evaluations_per_point() const { return static_cast<std::int64_t>(subsets_.size()) + 1; }

 private:
  struct Wanted {
    std::string group;
    InputSubset inputs;  ///< named in the result
    std::size_t subset;  ///< position in subsets_
    bool complementary;  ///< 1 − S of the subset
  };

  void want(const std::string& group, const InputSubset& inputs, bool complementary);
  void run_pilot(Context& context);
  void make_kernel();
  bool has_pilot() const { return options_.centring == SobolCentring::pilot; }
  bool estimates_known() const;
  std::int64_t own_evaluations() const;
  /// Values and covariance of the indices from the expectations.
  std::vector<SobolIndex> indices(const AiscvResult& expectations, Eigen::MatrixXd* covariance) const;
  /// Whether E[Y²] − E[Y]² exceeds 4 of its standard errors; no index is known otherwise.
  bool variance_known(const AiscvResult& expectations) const;
  void append_convergence();

  Problem problem_;
  SobolAiscvOptions options_;
  Index row_ = 0;
  std::vector<InputSubset> subsets_;
  std::vector<Wanted> wanted_;
  std::int64_t points_ = 0;
  Stream pilot_stream_, aiscv_stream_;

  // state
  bool centred_ = false;  ///< the shift is known and the kernel exists
  double shift_ = 0;
  std::unique_ptr<AiscvKernel> kernel_;
  std::unique_ptr<Sobol> comparison_;
  std::string stop_reason_;
  Eigen::MatrixXd convergence_;
};

/// The loop over SobolAiscv::step.
SobolAiscvResult sobol_aiscv(const Problem& problem, const SobolAiscvOptions& options, const Stream& stream, Context& context);

}  // namespace buffon
