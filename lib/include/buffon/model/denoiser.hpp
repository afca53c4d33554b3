// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/backend/backend.hpp>
#include <buffon/model/noise_schedule.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace buffon {

/// What a model answers for x = alpha x₀ + sigma ε.
enum class Answer {
  data,      ///< D = E[x₀ | x]
  noise,     ///< E[ε | x]
  v,         ///< alpha E[ε | x] − sigma D, for alpha² + sigma² = 1
  velocity,  ///< alpha′ D + sigma′ E[ε | x], derivatives in the time of the schedule
  score,     ///< gradient of the log density of x: −E[ε | x] / sigma
  edm        ///< F of Karras and others (2022): D = c_skip y + c_out F(c_in y), y = x / alpha at noise rho = sigma / alpha
};

/// Samples that are images: a sample is channels × height × width numbers, the width running fastest.
struct ImageShape {
  Index channels = 1, height = 0, width = 0;
};

/// States that a model is asked about.
struct DenoiserCall {
  backend::View x;                         ///< dimension × columns
  std::span<const NoiseLevel> levels;      ///< one for all columns, or one for each
  std::span<const std::int32_t> labels{};  ///< class of every column, −1 = none; empty: none at all
};

/// A model at work on one queue, with memory of its own there. For one thread. Must not outlive the model and the queue that it was made with.
class DenoiserWork {
 public:
  virtual ~DenoiserWork() = default;
  /// answer ← what the model says of call.x, column by column: no column's answer depends on the others.
  /// @throws Error(model), and Error(usage) for more columns than it was made for
  virtual void operator()(const DenoiserCall& call, backend::View answer) = 0;
};

/// A denoising model: a network, or a law of data whose denoiser is known exactly.
class Denoiser {
 public:
  virtual ~Denoiser() = default;
  virtual std::string name() const = 0;
  virtual Index dimension() const = 0;
  virtual Answer answers() const { return Answer::data; }
  virtual std::optional<ImageShape> image() const { return std::nullopt; }
  virtual int classes() const { return 0; }  ///< labels 0 … classes − 1; 0: the model takes no labels
  /// @param columns the most of one call
  /// @param type of the views: BUFFON_F32 or BUFFON_F64
  virtual std::unique_ptr<DenoiserWork> on(backend::Queue& queue, Index columns, buffon_type type) const = 0;
};

/// What is known of the law of the data that a model was made for.
struct KnownLaw {
  Eigen::VectorXd mean;
  Eigen::MatrixXd covariance;   ///< empty where the dimension is too large to write it down
  std::int64_t components = 1;  ///< Gaussians, or points
  /// E[(y ∘ y) (y ∘ y)′] of y = basis′ (x₀ − mean), for an orthonormal basis; empty: that of a Gaussian
  std::function<Eigen::MatrixXd(const Eigen::MatrixXd& basis)> squares = {};
  double total_variance = -1;  ///< E |x₀ − mean|²; below 0: the trace of the covariance
};

/// A model and the schedule that it is used with: what the method `diffusion` works on.
struct DiffusionModel {
  std::shared_ptr<const Denoiser> denoiser;
  std::shared_ptr<const NoiseSchedule> schedule;
  std::vector<std::int32_t> labels = {};  ///< sample i has class labels[i mod size]; empty: no classes are given
  std::optional<KnownLaw> law = {};       ///< of the samples that an exact solver draws, where it is known
  std::string grid = {};                  ///< nodes that come with the model, as `grid_text` writes them; empty: the method chooses them
  std::string grid_file = "grid";         ///< where these nodes come from, for messages

  std::int32_t label(std::uint64_t sample) const { return labels.empty() ? -1 : labels[static_cast<std::size_t>(sample % labels.size())]; }
};

}  // namespace buffon
