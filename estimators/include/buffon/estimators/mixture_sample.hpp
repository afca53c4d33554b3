// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/core/archive.hpp>
#include <buffon/core/types.hpp>
#include <buffon/estimators/gaussian_mixture.hpp>
#include <buffon/estimators/integrands.hpp>
#include <buffon/parallel/context.hpp>
#include <buffon/random/stream.hpp>
#include <buffon/stats/accumulators.hpp>
#include <buffon/stats/outcome.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace buffon {

/// A law to draw from: q = s h_0 + Σ_k α_k g_k, with control parameters for the estimator (1) of aiscv.hpp.
struct AuxiliaryMixture {
  std::vector<GaussianMixture> densities;  ///< g_k; none when everything is drawn from h_0
  Eigen::VectorXd alpha;                   ///< α_k ≥ 0; components with α_k = 0 may have no parts
  double initial_share = 0;                ///< s ≥ 0, with Σ α_k adding to one
  Eigen::VectorXd beta;                    ///< β_j, one per integrand, in the units of φ_j; empty = no control variates

  void describe_state(Archive& archive);

  /// log q and, where asked for, log g_k.
  /// @param x     d × n
  /// @param log_h log h_0 (n); not read when initial_share = 0
  /// @param log_q n
  /// @param log_g n × K, or empty (0 × 0) when not wanted
  void log_density(const ConstMatrix& x, const ConstVector& log_h, MutVector log_q, MutMatrix log_g) const;

  /// Draws items first, first + 1, … of q; also which component every draw came from (0 = h_0, k + 1 = g_k).
  /// @param stratified components by the low-discrepancy sequence frac(U + i / golden ratio) instead of independent uniforms
  void sample(const Integrands& integrands, const Stream& stream, std::uint64_t first, bool stratified, MutMatrix x, std::vector<Index>& component) const;
};

/// Values of all integrands at the columns of x, in parallel and divided among processes, in batches whose size suits slow
/// models. phi: J × n.
/// @param level J × n for integrands with levels, or empty (0 × 0)
void evaluate_points(Context& context, const Integrands& integrands, const ConstMatrix& x, MutMatrix phi, MutMatrix level);

/// Length of the next round of a sample: about a quarter of what is there, whole blocks, at most `most`.
std::int64_t next_round(std::int64_t done, std::int64_t limit, std::int64_t most);

struct MixtureSampleSettings {
  bool stratified = false;                   ///< stratified choice of components
  bool regression = false;                   ///< regress on all g_l / q (needs beta)
  double level = 0.95;                       ///< confidence level
  std::vector<std::int64_t> exponents = {};  ///< φ_j is divided by 2^exponent before anything is squared; empty = zeros
};

/// The estimator (1) of aiscv.hpp for a given law: unbiased for every expectation, with the covariance of all of them.
/// Rounds are bounded and their blocks run in parallel; nothing is kept per point but the first 10000 weights.
class MixtureSample {
 public:
  /// @param stream used through `peek`, one per sample
  MixtureSample(std::shared_ptr<const Integrands> integrands, AuxiliaryMixture law, MixtureSampleSettings settings, Stream stream);

  /// Adds `points` draws.
  void round(Context& context, std::int64_t points);

  std::int64_t points() const { return points_; }
  /// False before the first round and in a shard, where the points are counted and their values not at hand.
  bool known() const { return sums_.moments.count() > 0; }
  const AuxiliaryMixture& law() const { return law_; }

  Eigen::VectorXd values() const;      ///< Î_j
  Eigen::MatrixXd covariance() const;  ///< of the Î_j
  std::vector<NamedEstimate> estimates() const;
  std::int64_t hits(Index j) const { return sums_.hits[static_cast<std::size_t>(j)]; }  ///< points with φ_j f_j ≠ 0
  /// Whether the terms behind Î_j are too few or too uneven for its error bar: what `report` warns of.
  bool doubtful(Index j) const;
  bool signed_functions() const { return sums_.negatives > 0; }

  /// Evaluations, value and standard error of every estimate as one row of the convergence table.
  void record(std::int64_t evaluations);
  Table convergence() const;
  Table weights() const;
  /// Weight diagnostics, and warnings in plain words about few hits, dominating points and heavy tails.
  void report(Outcome& outcome) const;

  void describe_state(Archive& archive);

 private:
  /// What a set of points adds to the sample.
  struct Sums {
    CovarianceAccumulator moments{0};  ///< of the summands, then (for regression) of the controls
    Eigen::MatrixXd component_sums;    ///< (J + 1) × (K + 1): sums of summands, and count, of every component (for stratification)
    Eigen::MatrixXd contributions;     ///< J × 4: Σ|b|, Σ b², Σ φ b with b = f φ / q (0 when all weights are one), and Σ (b − c)²
    Eigen::MatrixXd weight_sums;       ///< laws × 3: Σ w, Σ w², max w with w = f / q
    Eigen::MatrixXd largest;           ///< J × kept: the largest |b − c| of every integrand, descending
    std::vector<std::int64_t> hits;    ///< points with b ≠ 0
    std::int64_t negatives = 0;        ///< negative contributions
    std::vector<double> weights;       ///< h_0 / q of the first points
    void describe_state(Archive& archive);
  };
  struct Solution {
    Eigen::VectorXd value;       ///< in units of 2^exponent
    Eigen::MatrixXd covariance;  ///< of the value
  };
  bool from_laws() const { return law_.densities.empty(); }  ///< drawn from h_0 alone
  bool plain() const;                                        ///< drawn from the one law itself: all weights are one
  /// @returns the values of the first points of the first round, as far as it needed them
  Eigen::MatrixXd choose_centre(Context& context, std::int64_t points);
  Index controls() const;
  double unit(Index j) const;  ///< 2^exponent
  Solution solve() const;
  Solution solve_regression() const;
  /// How even the terms behind Î_j are. NaN where nothing is known.
  struct Terms {
    double effective_size;  ///< (Σ|b|)² / Σ b²
    double largest_share;   ///< of the largest |b| in Σ|b|; drawn from h_0, of the largest (b − c)² in their sum
    double tail_index;      ///< Pareto index of the largest |b − c|
    bool dominated, heavy, rough;
  };
  Terms terms(Index j) const;
  bool underflowed(Index j) const;  ///< no weight is left: the draws miss the law itself
  bool collapsed(Index j) const;    ///< a handful of terms is all there is: no error can be told
  void accumulate(const ConstMatrix& x, const ConstMatrix& phi, const std::vector<Index>& component, Sums& sums) const;
  /// Squares and largest of the deviations |b − c|; reorders them.
  void note_deviations(Eigen::VectorXd& deviation, Index j, Sums& sums) const;
  void merge(Sums& into, const Sums& from) const;

  std::shared_ptr<const Integrands> integrands_;
  AuxiliaryMixture law_;
  MixtureSampleSettings settings_;
  Stream stream_;

  std::int64_t points_ = 0;
  Eigen::VectorXd centre_;  ///< c_j: the median of φ_j in the first round when drawn from h_0, else 0
  Sums sums_;
  std::vector<double> convergence_;  ///< rows of the table, flat
};

}  // namespace buffon
