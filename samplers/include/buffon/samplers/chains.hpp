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

/// What the warm-up learns from all chains together and freezes before sampling.
enum class Tuning {
  none,        ///< nothing: x = y
  centre,      ///< the mean
  diagonal,    ///< mean and standard deviations
  covariance,  ///< mean and covariance; falls back to diagonal, then none, where there are too few draws
};

/// Options of all samplers that run chains.
struct ChainOptions {
  std::int64_t chains = 4;
  std::int64_t warmup = 1500;  ///< transitions per chain, discarded
  std::int64_t draws = 1000;   ///< stored draws per chain; the most, where targets are given
  std::int64_t thin = 1;       ///< transitions per stored draw
  bool save_warmup = false;
  Tuning tuning = Tuning::covariance;
  std::optional<double> target_ess;  ///< ends when bulk and tail ESS of every stored quantity reach it and R-hat ≤ max_rhat
  double max_rhat = 1.01;            ///< for target_ess
  double level = 0.95;               ///< of the intervals of posterior means (Monte Carlo error)
};
void describe(OptionVisitor& visitor, ChainOptions& options);

/// What a sampler gives.
struct ChainResult {
  ChainDraws draws;
  std::vector<ChainSummary> summary;
  ChainVerdict verdict;
  SliceCounts warmup, sampling;  ///< summed over chains
  std::string stop_reason;
};

/// Makes the kernel of one chain on R^n.
using KernelMaker = std::function<std::unique_ptr<SliceKernel>(std::shared_ptr<const LogDensity>)>;

/// Several chains of one kernel: starting points, a warm-up in stages of lengths 1 : 2 : 4 : 8 after each of which the frame is learnt from the
/// second half of the stage of all chains together (in chain order, S shrunk as (n/(n+5)) S + 1e-3 (5/(n+5)) I), then draws with the last
/// frame frozen. One step of the method is a round of at most 50 transitions of every chain; chains run in parallel. Transition t of
/// chain c takes item t of the stream (method, "chain", c); starting points child "start".
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
