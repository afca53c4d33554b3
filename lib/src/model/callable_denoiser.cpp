// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/model/callable_denoiser.hpp>

#include <array>
#include <utility>

#include <buffon/core/error.hpp>

#include "device_views.hpp"

namespace buffon {
namespace {

class Work : public DenoiserWork {
 public:
  Work(const CallableDenoiser& callable, backend::Queue& queue, Index columns, buffon_type type)
      : callable_(callable), queue_(queue), packed_(queue.device(), callable.dimension, columns, type) {}

  void operator()(const DenoiserCall& call, backend::View answer) override {
    const Eigen::MatrixXd x = queue_.download(call.x);
    Eigen::MatrixXd values(x.rows(), x.cols());
    callable_.function(x, call.levels, call.labels, values);
    const backend::View packed = packed_.columns(0, x.cols());
    queue_.upload(packed, values);
    queue_.combine(answer, std::array{device::term(packed, 1)});
  }

 private:
  const CallableDenoiser& callable_;
  backend::Queue& queue_;
  backend::Matrix packed_;
};

class Callable : public Denoiser {
 public:
  explicit Callable(CallableDenoiser callable) : callable_(std::move(callable)) {}
  std::string name() const override { return callable_.name; }
  Index dimension() const override { return callable_.dimension; }
  Answer answers() const override { return callable_.answers; }
  std::optional<ImageShape> image() const override { return callable_.image; }
  int classes() const override { return callable_.classes; }
  std::unique_ptr<DenoiserWork> on(backend::Queue& queue, Index columns, buffon_type type) const override {
    return std::make_unique<Work>(callable_, queue, columns, type);
  }

 private:
  CallableDenoiser callable_;
};

}  // namespace

std::shared_ptr<const Denoiser> callable_denoiser(CallableDenoiser callable) {
  const auto refuse = [](std::string key, std::string value, std::string rule) {
    throw Error(ErrorCategory::configuration,
                {.doing = "making a denoiser of a function", .key = std::move(key), .value = std::move(value), .rule = std::move(rule)});
  };
  if (callable.dimension < 1) refuse("dimension", std::to_string(callable.dimension), "must be at least 1");
  if (!callable.function) refuse("function", "nothing", "must be given");
  return std::make_shared<Callable>(std::move(callable));
}

}  // namespace buffon
