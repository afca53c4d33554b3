// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/model/callable_denoiser.hpp>

#include <array>
#include <mutex>
#include <utility>

#include <buffon/core/error.hpp>

#include "device_views.hpp"

namespace buffon {
namespace {

/// A function that all threads ask, one call at a time.
struct SharedFunction {
  CallableDenoiser callable;
  mutable std::mutex one_at_a_time = {};

  void operator()(const ConstMatrix& x, const DenoiserCall& call, MutMatrix answer) const {
    const std::lock_guard lock(one_at_a_time);
    callable.function(x, call.levels, call.labels, answer);
  }
};

class Work : public DenoiserWork {
 public:
  Work(const SharedFunction& function, backend::Queue& queue, Index columns, buffon_type type)
      : function_(function), queue_(queue), packed_(queue.device(), function.callable.dimension, columns, type) {}

  void operator()(const DenoiserCall& call, backend::View answer) override {
    device::check_columns(function_.callable.name, call, packed_.view().columns);
    const Eigen::MatrixXd x = queue_.download(call.x);
    Eigen::MatrixXd values(x.rows(), x.cols());
    function_(x, call, values);
    const backend::View packed = packed_.columns(0, x.cols());
    queue_.upload(packed, values);
    queue_.combine(answer, std::array{device::term(packed, 1)});
  }

 private:
  const SharedFunction& function_;
  backend::Queue& queue_;
  backend::Matrix packed_;
};

class Callable : public Denoiser {
 public:
  explicit Callable(CallableDenoiser callable) : function_{std::move(callable)} {}
  std::string name() const override { return function_.callable.name; }
  Index dimension() const override { return function_.callable.dimension; }
  Answer answers() const override { return function_.callable.answers; }
  std::optional<ImageShape> image() const override { return function_.callable.image; }
  int classes() const override { return function_.callable.classes; }
  std::unique_ptr<DenoiserWork> on(backend::Queue& queue, Index columns, buffon_type type) const override {
    return std::make_unique<Work>(function_, queue, columns, type);
  }

 private:
  SharedFunction function_;
};

}  // namespace

std::shared_ptr<const Denoiser> callable_denoiser(CallableDenoiser callable) {
  const auto refuse = [](std::string key, std::string value, std::string rule, std::string remedy) {
    throw Error(
        ErrorCategory::configuration,
        {.doing = "making a denoiser of a function", .key = std::move(key), .value = std::move(value), .rule = std::move(rule), .remedy = std::move(remedy)});
  };
  if (callable.dimension < 1) {
    refuse("dimension", std::to_string(callable.dimension), "must be at least 1", "give the numbers of a sample");
  }
  if (!callable.function) refuse("function", "nothing", "must be given", "give a function that fills the answers");
  return std::make_shared<Callable>(std::move(callable));
}

}  // namespace buffon
