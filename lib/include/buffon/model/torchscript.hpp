// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/model/denoiser.hpp>

#include <memory>
#include <optional>
#include <string>

namespace buffon {

/// What a network is given to know the level of noise, one number a sample.
enum class NetworkTime {
  none,      ///< nothing: forward(x)
  time,      ///< t of the schedule
  lambda,    ///< log(alpha / sigma)
  sigma,     ///< sigma
  log_ratio  ///< log(sigma / alpha); times 1/4 it is what networks of Karras and others (2022) expect
};

/// Numbers that a network computes with.
enum class NetworkNumbers { of_run, float32, float64 };

/// A network in a TorchScript file with a method forward(x [, t] [, y]) -> Tensor:
/// x: samples × dimension, or samples × channels × height × width for images · t: samples, time_factor · (what `time` says) + time_offset ·
/// y: samples, int64, labels. t is left out for NetworkTime::none, y for classes = 0. The answer has the shape of x.
struct TorchScriptOptions {
  std::string file = {};                           ///< required
  Index dimension = 0;                             ///< numbers of a sample; 0 for images, whose shape tells
  std::optional<ImageShape> image = std::nullopt;  ///< samples that are images
  Answer answers = Answer::data;                   ///< with edm the network is given c_in x / alpha, for data of deviation 0.5
  double answer_factor = 1;                        ///< of the answer: −1 for velocities along a time that runs from noise to data
  int classes = 0;                                 ///< labels 0 … classes − 1; 0: forward has no argument y
  std::int64_t no_label = -1;                      ///< y of a sample without a label; where the network has no class for that, every sample needs a label
  NetworkTime time = NetworkTime::time;
  double time_factor = 1, time_offset = 0;
  NetworkNumbers numbers = NetworkNumbers::of_run;  ///< parameters and states are converted where they differ; of_run: as the states are
  Index together = 0;                               ///< samples of one call of forward; 0 = all that are asked for
  int threads = 1;                                  ///< of libtorch within one call
};

/// A network as a denoiser. libtorch is loaded here, at run time: a program that reads no TorchScript file does not have it.
///
/// States are not copied (on the CPU and, with a libtorch that knows CUDA, on a CUDA device) unless the network computes with other numbers. The network
/// is loaded once for each `on`, in evaluation mode, without gradients.
/// What becomes of a sample may depend in its last bits on the samples beside it, as libtorch chooses its loops by the shape of a batch; with
/// together = 1 it does not. Networks that draw random numbers do not repeat.
/// @throws Error(configuration) where the component or the file is missing, the file is not TorchScript, or forward takes other arguments, does
///         not answer in the shape of its states, or fails on zeros (of class 0 where there are classes)
std::shared_ptr<const Denoiser> torchscript_denoiser(const TorchScriptOptions& options);

/// "libtorch 1.13.1" where the component is there; else why not.
std::string torchscript_component();

}  // namespace buffon
