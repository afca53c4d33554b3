// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/core/types.hpp>
#include <buffon/model/denoiser.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>

namespace buffon {

/// A model of one's own, as a function on host memory.
struct CallableDenoiser {
  /// answer ← what the model says of the columns of x; levels: one for all, or one for each; labels: one for each, or none at all.
  /// What it says of a column must not depend on the others; it may be called from any thread, one call at a time.
  using Function = std::function<void(const ConstMatrix& x, std::span<const NoiseLevel> levels, std::span<const std::int32_t> labels, MutMatrix answer)>;
  Index dimension = 0;
  Answer answers = Answer::data;
  Function function = nullptr;
  std::string name = "callable";
  int classes = 0;
  std::optional<ImageShape> image = std::nullopt;
};

/// The function behind the interface of denoisers. On every backend: states are copied to the host and answers back, in float64.
/// @throws Error(configuration) for dimension < 1 and no function
std::shared_ptr<const Denoiser> callable_denoiser(CallableDenoiser callable);

}  // namespace buffon
