// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/core/method.hpp>
#include <buffon/estimators/mixture_sample.hpp>
#include <buffon/stats/outcome.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace buffon {

/// When a sample from a fixed law is large enough.
struct SampleTargets {
  std::int64_t max_evaluations = 0;
  std::optional<double> std_error;
  std::optional<double> relative_error;
};

/// A sample from a fixed law with its stopping rules: what plain Monte Carlo and importance sampling share.
class SampleRun {
 public:
  SampleRun(std::shared_ptr<const Integrands> integrands, AuxiliaryMixture law, const SampleTargets& targets, double level, Stream stream);

  void step(Context& context);
  bool finished() const;
  void stop(const std::string& reason) { asked_ = reason; }
  Progress progress() const;
  Outcome outcome() const;
  void describe_state(Archive& archive);
  std::int64_t evaluations() const { return sample_.points() * integrands_->calls_per_point(); }
  const MixtureSample& sample() const { return sample_; }

 private:
  bool targets_met() const;
  std::shared_ptr<const Integrands> integrands_;
  SampleTargets targets_;
  MixtureSample sample_;
  std::int64_t limit_ = 0;     ///< points
  std::int64_t recorded_ = 0;  ///< points at the last row of the convergence table
  std::string asked_;          ///< reason of an outside stop
  std::string reason_;         ///< why it ended; empty = not ended
};

/// Largest round of a sample: bounded memory and a bounded time between checkpoints.
std::int64_t largest_round(const Integrands& integrands);

}  // namespace buffon
