// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/samplers/diffusion/batch_solver.hpp>

#include <array>
#include <memory>
#include <vector>

namespace buffon {

struct AdaptiveOptions {
  int order = 3;             ///< 3: DPM-Solver-3 beside -2; 2: DPM-Solver-2 beside -1
  double first_step = 0.05;  ///< in lambda
  double absolute = 0.0078, relative = 0.05;
  double safety = 0.9, most_growth = 5;
  int most_steps = 10000;
};

/// What became of every sample.
struct AdaptiveSteps {
  std::vector<int> taken, refused;
};

/// DPM-Solver-12 and -23 (Lu and others, 2022) with steps that each sample chooses for itself. With the pair of solutions x_low and x_high of a step,
/// delta = max(absolute, relative max(|x_low|, |x_low of the step before|)) coordinate by coordinate, and E = √mean(((x_high − x_low) / delta)²), a step is
/// taken where E <= 1; the next has length min(safety E^{−1/order}, most_growth) h. The publication takes the largest E of the batch, so that samples
/// depend on each other; here they do not, and samples that have arrived leave the batch. The error is measured on the host, in double.
class AdaptiveSolver {
 public:
  /// @param columns the most samples of a batch. @throws Error(configuration) for options that cannot be
  AdaptiveSolver(DiffusionModel model, backend::Queue& queue, Index columns, buffon_type type, AdaptiveOptions options = {});
  ~AdaptiveSolver();

  /// The columns of x from one level to another; both with data and noise.
  /// @throws Error(model) where steps become too many or shrink to nothing
  AdaptiveSteps run(backend::View x, const NoiseLevel& first, const NoiseLevel& last, std::span<const std::int32_t> labels = {});
  std::int64_t calls() const { return solver_.calls(); }  ///< of the model, one a batch

 private:
  struct Memory;
  DiffusionModel model_;
  backend::Queue* queue_;
  BatchSolver solver_;
  Index columns_;
  AdaptiveOptions options_;
  std::unique_ptr<Memory> memory_;
};

}  // namespace buffon
