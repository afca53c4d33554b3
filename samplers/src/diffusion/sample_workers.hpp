// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/parallel/context.hpp>
#include <buffon/samplers/diffusion/batch_solver.hpp>

#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace buffon {

/// Queues of one device with their solvers, as many as threads ask at once; on the CPU several batches run side by side, on other devices one after
/// the other.
class SampleWorkers {
 public:
  /// @param side_by_side the most batches that can be asked for at once
  SampleWorkers(const DiffusionModel& model, const SolverPlan& plan, const std::string& backend, buffon_type type, std::int64_t batch,
                std::int64_t side_by_side);

  /// Bytes of the samples [first, first + count).
  std::string draw(Context& context, const NoiseLevel& start, const Stream& stream, std::int64_t first, std::int64_t count);
  /// States of the samples [0, count) at the nodes, at most `most` nodes: columns sample, node, x1, x2.
  Eigen::MatrixXd paths(Context& context, const NoiseLevel& start, const Stream& stream, std::int64_t count, std::int64_t most);

  const std::shared_ptr<const backend::Device>& device() const { return device_; }
  /// The most batches that this machine works on at once.
  std::int64_t most_at_once() const;
  std::vector<std::pair<std::string, std::string>> ran_on() const;

 private:
  struct Worker {
    backend::Queue queue;
    BatchSolver solver;
    backend::Matrix x;
    Worker(const DiffusionModel& model, const std::shared_ptr<const backend::Device>& device, int threads, Index columns, buffon_type type)
        : queue(device, threads), solver(model, queue, columns, type), x(device, model.denoiser->dimension(), columns, type) {}
  };

  bool on_cpu() const { return device_->name().starts_with("cpu"); }
  std::unique_ptr<Worker> take(const Context& context);
  void give(std::unique_ptr<Worker> worker);

  const DiffusionModel& model_;
  const SolverPlan& plan_;
  std::shared_ptr<const backend::Device> device_;
  buffon_type type_;
  std::int64_t batch_, side_by_side_;
  std::mutex one_at_a_time_, guard_;
  std::vector<std::unique_ptr<Worker>> idle_;
};

}  // namespace buffon
