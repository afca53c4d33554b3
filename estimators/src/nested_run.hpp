// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/core/method.hpp>
#include <buffon/stats/accumulators.hpp>
#include <buffon/stats/outcome.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "nested_copies.hpp"

namespace buffon {

/// When independent copies are enough; 0 = no such limit.
struct CopyTargets {
  std::int64_t max_copies = 0;
  std::int64_t max_evaluations = 0;  ///< values of g_D
  std::optional<double> std_error;   ///< by batch means
  bool pilot = true;                 ///< a few copies first, for the centre of `largest_share`
};

/// Sums of squared deviations by size of the deviation, in half octaves: the share of the largest, mergeable without order.
class SquareHistogram {
 public:
  SquareHistogram() : counts_(bins), squares_(bins) {}
  void add(double deviation);
  void merge(const SquareHistogram& other);
  /// Share of Σ x² held by the largest `count` values, linear inside a bin.
  double share_of_largest(double count) const;
  void describe_state(Archive& archive);

 private:
  static constexpr std::size_t bins = 1024;  // 2^-256 … 2^256
  std::vector<double> counts_, squares_;
};

/// Fitted β of Var(Δ_n) ∝ 2^{−βn} with its standard error; NaN with fewer than three levels above 1 of 50 nodes.
struct VarianceDecay {
  double exponent, std_error;
};

/// Mean of independent copies of a nested estimator with its stopping rules and diagnostics: what READ and nested Monte
/// Carlo share. Blocks hold about 2^14 leaves on average.
class NestedRun {
 public:
  NestedRun(std::shared_ptr<const NestedProblem> problem, std::vector<LevelLaw> laws, const CopyTargets& targets, double level, Stream stream);

  void step(Context& context);
  bool finished() const;
  void stop(const std::string& reason) { asked_ = reason; }
  Progress progress() const;
  /// The estimates "value" and "median_of_means", the tables and diagnostics; the methods add their warnings.
  Outcome outcome() const;
  void describe_state(Archive& archive);

  std::int64_t copies() const { return moments_.count(); }  ///< that are known here
  std::int64_t leaves() const { return tally_.leaves; }
  const LevelTally& tally() const { return tally_; }
  const std::vector<LevelLaw>& laws() const { return laws_; }
  Index depth() const { return problem_->depth(); }

  const Moments& moments() const { return moments_; }  ///< of the copies
  Estimate mean() const { return moments_.estimate(level_); }
  double variance() const { return moments_.variance(); }  ///< of a copy
  /// Median of the means of ⌈8 log(1/α)⌉ groups of batches, α = 1 − level, with the interval of two order statistics that holds
  /// the median of the law of a group mean at the level; no variance is assumed. NaN with fewer batches than groups.
  Estimate median_of_means() const;
  /// Standard error from the batches; NaN with fewer than 20.
  double batch_std_error() const;
  /// Share of Σ (copy − centre)² held by the largest 0.1 % of the copies.
  double largest_share() const;
  VarianceDecay variance_decay(Index d) const;

 private:
  struct Part;
  void add(const Part& round);
  void record();
  std::size_t groups() const;  ///< of the median of means
  std::int64_t next_blocks() const;

  std::shared_ptr<const NestedProblem> problem_;
  std::vector<LevelLaw> laws_;
  CopyTargets targets_;
  double level_;
  Stream pilot_, copies_;
  std::int64_t block_ = 0;  ///< copies
  std::int64_t group_ = 0;  ///< copies of a block whose mean is kept
  double mean_leaves_ = 1;  ///< expected leaves of a copy

  // state
  bool centred_ = false;
  double centre_ = 0;      ///< median of a few pilot copies
  std::int64_t done_ = 0;  ///< copies; in a shard of a run those of all shards
  Moments moments_;
  LevelTally tally_;
  SquareHistogram squares_;
  double largest_ = 0;           ///< max |copy|
  std::vector<double> batches_;  ///< means of `batch_groups_` groups of copies
  std::vector<double> pending_;  ///< means of groups not yet in a batch
  std::int64_t batch_groups_ = 1;
  std::vector<double> convergence_;  ///< rows of three
  std::int64_t recorded_ = 0;
  std::string asked_, reason_;
};

}  // namespace buffon
