// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/backend/backend.hpp>
#include <buffon/model/torchscript.hpp>

#include "../support/temporary_directory.hpp"

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

#include <doctest/doctest.h>

namespace buffon::test {

/// Whether networks can be made and read here; says why not.
inline bool torch_is_there() {
#ifdef BUFFON_GENERATE_TORCHSCRIPT
  return true;
#else
  MESSAGE("skipped, built without libtorch; it needs the package libtorch-dev");
  return false;
#endif
}

/// TorchScript files of a test.
class Networks {
 public:
  /// The path of a file made from a text, with the tensors of a folder where there is one.
  std::string make(const std::string& text, [[maybe_unused]] const std::string& weights = {}) {
    const std::string stem = "network" + std::to_string(++count_);
    std::ofstream(folder_ / (stem + ".txt")) << text;
    const std::string out = (folder_ / (stem + ".pt")).string();
#ifdef BUFFON_GENERATE_TORCHSCRIPT
    const std::string command =
        "'" BUFFON_GENERATE_TORCHSCRIPT "' '" + out + "' '" + (folder_ / (stem + ".txt")).string() + "' " + (weights.empty() ? "" : "'" + weights + "'");
    REQUIRE(std::system(command.c_str()) == 0);
#endif
    return out;
  }
  const TemporaryDirectory& folder() const { return folder_; }

 private:
  TemporaryDirectory folder_;
  int count_ = 0;
};

inline std::string text_of(const std::string& file) {
  std::ifstream in(file);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// A network asked from the host.
class Asked {
 public:
  explicit Asked(std::shared_ptr<const buffon::Denoiser> network, Index columns = 64, buffon_type type = BUFFON_F32)
      : queue_(backend::Device::open("cpu"), 1), dimension_(network->dimension()), type_(type), work_(network->on(queue_, columns, type)) {}

  Eigen::MatrixXd operator()(const Eigen::MatrixXd& x, std::span<const NoiseLevel> levels, std::span<const std::int32_t> labels = {}) {
    const backend::Matrix given(queue_.device(), dimension_, x.cols(), type_), answer(queue_.device(), dimension_, x.cols(), type_);
    queue_.upload(given, x);
    (*work_)({given, levels, labels}, answer);
    return queue_.download(answer);
  }
  backend::Queue& queue() { return queue_; }
  DenoiserWork& work() { return *work_; }

 private:
  backend::Queue queue_;
  Index dimension_;
  buffon_type type_;
  std::unique_ptr<DenoiserWork> work_;
};

}  // namespace buffon::test
