// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/backend/backend.hpp>
#include <buffon/model/denoiser.hpp>
#include <buffon/random/stream.hpp>
#include <buffon/samplers/diffusion/solver_plan.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace buffon {

class Archive;

struct PlannedGrid {
  std::vector<NoiseLevel> grid;
  SolverPlan plan;
};

/// Errors of a deterministic solver with a quarter, half, once and twice its steps: root mean square, over a few starts, of the distance between its
/// endpoint and that of the exact flow, in float64.
struct EndpointErrors {
  Eigen::MatrixXd rows;  ///< calls of the model, error
  std::string failure;   ///< why there are none, where the model failed

  static bool possible(const DiffusionModel& model, const std::vector<NoiseLevel>& grid, const SolverPlan& plan);
  /// @param part the plan with numerator / denominator times as many steps
  static EndpointErrors measure(const DiffusionModel& model, const std::shared_ptr<const backend::Device>& device, int threads,
                                const std::vector<NoiseLevel>& grid, const std::function<std::optional<PlannedGrid>(int, int)>& part, const Stream& stream);
  std::string title() const;
  void describe_state(Archive& archive);
};

}  // namespace buffon
