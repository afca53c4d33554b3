// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/core/method.hpp>
#include <buffon/core/options.hpp>
#include <buffon/model/target.hpp>
#include <buffon/random/stream.hpp>
#include <buffon/samplers/slice_kernel.hpp>
#include <buffon/stats/chain_diagnostics.hpp>
#include <buffon/stats/chain_draws.hpp>
#include <buffon/stats/outcome.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace buffon {

/// What the warm-up learns from all chains together and freezes before sampling. It falls back from covariance to diagonal (fewer than 2 d
/// draws, or no positive definite matrix), to centre (a coordinate that does not vary), to none; and to robust where moments look infinite
/// (a standard deviation above 10 times its robust value).
enum class Tuning {
  none,        ///< nothing: x = y
  centre,      ///< the mean
  diagonal,    ///< mean and standard deviations
  covariance,  ///< mean and covariance
  robust,      ///< median and 1.4826 median |x − median| of every coordinate: exist for every law
};

/// Options of all samplers that run chains.
struct ChainOptions {
  std::int64_t chains = 4;
  std::int64_t warmup = 3000;  ///< transitions per chain, discarded
  std::int64_t draws = 1000;   ///< stored draws per chain; the most, where targets are given
  std::int64_t thin = 1;       ///< transitions per stored draw
  bool save_warmup = false;
  Tuning tuning = Tuning::covariance;
  std::optional<double> target_ess = {};  ///< ends when bulk and tail ESS of every stored quantity reach it and R-hat ≤ max_rhat
  double max_rhat = 1.01;                 ///< for target_ess
  double level = 0.95;                    ///< of the intervals of posterior means (Monte Carlo error)
};
void describe(OptionVisitor& visitor, ChainOptions& options);

/// What a sampler gives.
struct ChainResult {
  ChainDraws draws;
  std::vector<ChainSummary> summary;
  ChainVerdict verdict;
  SliceCounts warmup, sampling;                 ///< summed over chains; the search for starting points belongs to the warm-up
  std::vector<SliceCounts> sampling_of_chains;  ///< the same for every chain
  AffineFrame frame;                            ///< of the draws
  Tuning tuned = Tuning::none;                  ///< what the frame is
  std::string tuning_note;                      ///< why that is less than what was asked for; empty = it is not
  std::string stop_reason;
};

/// Makes the kernel of one chain on R^n.
using KernelMaker = std::function<std::unique_ptr<SliceKernel>(std::shared_ptr<const LogDensity>)>;

/// Several chains of one kernel: starting points, a warm-up in stages of lengths 1 : 2 : 4 : 8 after each of which the frame is learnt from the
/// second half of the stage of all chains together (in chain order, at most about 10,000 points; correlations are
/// shrunk as far as their effective number of points asks for, which leaves units alone), then draws with the last frame frozen.
/// One step of the method is a round of at most 64 transitions of every chain; chains run in parallel. Transition t of
/// chain c takes item t of the stream (method, "chain", c); attempt a of its start takes item a of (method, "start", c). Hence fewer draws
/// are the first of more, and thinned draws every k-th of all.
/// Asked to stop during the warm-up, it freezes the frame as it is and gives the draws of one round.
/// Memory: all draws, and one kernel with its frame (d² numbers) per chain.
class Chains : public Method {
 public:
  /// @param name of the method: messages and streams
  Chains(std::string name, std::shared_ptr<const Target> target, const ChainOptions& options, KernelMaker maker, const Stream& stream);
  ~Chains() override;

  void step(Context& context) override;
  bool finished() const override;
  void stop(const std::string& reason) override;
  Progress progress() const override;
  /// Estimates: the posterior mean of everything stored, with Monte Carlo standard error and the effective size of the mean.
  /// `chain_draws` of the outcome holds the draws.
  Outcome outcome() const override;
  MemoryNeed memory_need() const override;
  void describe_state(Archive& archive) override;

  ChainResult result() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace buffon
