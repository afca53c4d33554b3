// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/samplers/diffusion/batch_solver.hpp>

#include <memory>
#include <vector>

namespace buffon {

struct PicardOptions {
  Index window = 8;         ///< nodes worked on at a time
  double tolerance = 1e-4;  ///< root mean square change of a state that counts as none, times sigma of its level; 0: only no change at all
};

struct PicardCost {
  int parallel_calls = 0;   ///< of the model, each with window × samples columns
  std::vector<int> rounds;  ///< that each sample needed
};

/// DDIM in parallel over time (Shih and others, 2023, ParaDiGMS): in x / sigma a step adds (e^{lambda_t} − e^{lambda_s}) D, so that the states of a whole
/// window of nodes follow from the D of all its nodes at once. Each round asks the model for all nodes of the window, and every sample moves its own
/// window on past the states that have come to rest. The first state of a window is always final, so that there are never more rounds than steps plus one,
/// and with tolerance 0 the samples are those of `ddim` bit for bit.
class PicardSolver {
 public:
  /// @param columns the most samples of a batch; memory of about 4 × window × columns samples
  PicardSolver(DiffusionModel model, backend::Queue& queue, Index columns, buffon_type type, PicardOptions options = {});
  ~PicardSolver();

  PicardCost run(backend::View x, const std::vector<NoiseLevel>& grid, std::span<const std::int32_t> labels = {});

 private:
  struct Memory;
  DiffusionModel model_;
  backend::Queue* queue_;
  PicardOptions options_;
  BatchSolver solver_;
  std::unique_ptr<Memory> memory_;
};

}  // namespace buffon
