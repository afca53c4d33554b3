// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/model/answer_conversion.hpp>
#include <buffon/model/denoiser.hpp>
#include <buffon/samplers/diffusion/solver_plan.hpp>

#include <functional>
#include <vector>

namespace buffon {

/// How the prediction that a solver keeps follows from a model's answer.
Conversion conversion(Answer from, Prediction to, const NoiseLevel& level, const NoiseSchedule& schedule);

/// Runs plans for one batch at a time on a queue. Numbers of sample i depend on the plan, the stream and i alone.
class BatchSolver {
 public:
  /// Seen at every node of the grid that has been reached, from 1 on.
  using Observer = std::function<void(std::size_t node, backend::View state)>;

  /// Answers a question of a plan: target ← the prediction that it asks for, for the states in source.
  using Evaluator = std::function<void(const SolverPlan::Evaluate& question, backend::View target, backend::View source, std::span<const std::int32_t> labels)>;

  /// @param columns the most samples of a batch
  BatchSolver(DiffusionModel model, backend::Queue& queue, Index columns, buffon_type type);

  /// x ← sigma z at the first node. Normals from child "start" of the stream, item first + column.
  void start(backend::View x, const NoiseLevel& level, const Stream& stream, std::uint64_t first) const;
  /// The plan's operations on x (register 0). Noise `number` comes from child ("noise", number) of the stream, item first + column.
  /// @throws Error(model) with the step, the level and the share of samples where the model answers numbers that are not finite; errors of the model
  ///         itself with the step and the level
  void run(const SolverPlan& plan, backend::View x, const Stream& stream, std::uint64_t first, std::span<const std::int32_t> labels = {},
           const Observer& observer = {});
  /// From now on `run` asks this instead of `predict` at the level of the plan; it may call `predict` itself.
  void answer_by(Evaluator evaluator) { evaluator_ = std::move(evaluator); }
  /// prediction ← the model's, for the states x, all at one level or each at its own; not in the memory of x.
  /// @throws Error(usage) for more columns than the solver was made for, and for other numbers of levels and labels
  void predict(backend::View prediction, Prediction kind, const DenoiserCall& call);
  /// The level of the first question of the plan that runs.
  const NoiseLevel& first_asked() const { return first_asked_; }
  std::int64_t calls() const { return calls_; }  ///< of the model so far, one a batch

 private:
  DiffusionModel model_;
  backend::Queue* queue_;
  Evaluator evaluator_;
  std::unique_ptr<DenoiserWork> work_;
  std::vector<backend::Matrix> registers_;
  backend::Matrix factors_;  ///< of conversions, where every column has its own level
  backend::Matrix ones_;
  Index columns_;
  buffon_type type_;
  std::int64_t calls_ = 0;
  NoiseLevel first_asked_;
};

}  // namespace buffon
