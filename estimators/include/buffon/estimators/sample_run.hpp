// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/core/method.hpp>
#include <buffon/core/types.hpp>
#include <buffon/estimators/integrands.hpp>
#include <buffon/estimators/mixture_sample.hpp>
#include <buffon/random/stream.hpp>
#include <buffon/stats/outcome.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace buffon {

/// What a sample gives, whatever law it was drawn from.
struct SampleResult {
  std::vector<NamedEstimate> estimates;  ///< every pair (quantity, scenario)
  Eigen::MatrixXd covariance;            ///< of the estimates
  std::int64_t points = 0;               ///< independent points behind the estimates
  std::int64_t evaluations = 0;          ///< model evaluations spent
  std::vector<std::string> warnings;     ///< plain words
  std::string stop_reason;
};

/// When a sample from a fixed law is large enough, and the level of its intervals: options of the methods that draw one.
struct SampleTargets {
  std::int64_t max_evaluations;
  std::optional<double> std_error;
  std::optional<double> relative_error;
  double level;
};

/// A sample from a fixed law with its stopping rules. One step is one round: at first 1024 points, then a quarter of what
/// is there, at most `largest_round`.
class SampleRun : public Method {
 public:
  /// @throws Error(configuration) when max_evaluations does not pay for one point
  SampleRun(std::shared_ptr<const Integrands> integrands, AuxiliaryMixture law, const SampleTargets& targets, Stream stream);

  void step(Context& context) override;
  bool finished() const override;
  void stop(const std::string& reason) override { asked_ = reason; }
  Progress progress() const override;
  Outcome outcome() const override;
  void describe_state(Archive& archive) override;

  SampleResult result() const;

 private:
  std::int64_t evaluations() const { return sample_.points() * integrands_->calls_per_point(); }
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
