// SPDX-License-Identifier: BSD-3-Clause
#include "sample_workers.hpp"

#include <buffon/core/error.hpp>

#include <algorithm>
#include <cstring>
#include <thread>

namespace buffon {
namespace {

template <class T>
std::string bytes_of(const Eigen::MatrixXd& x) {
  const Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic> values = x.cast<T>();
  std::string out(static_cast<std::size_t>(values.size()) * sizeof(T), '\0');
  if (!out.empty()) std::memcpy(out.data(), values.data(), out.size());
  return out;
}

std::vector<std::int32_t> labels_of(const DiffusionModel& model, std::int64_t first, std::int64_t count) {
  std::vector<std::int32_t> labels;
  if (model.labels.empty()) return labels;
  for (std::int64_t i = first; i < first + count; ++i) labels.push_back(model.label(static_cast<std::uint64_t>(i)));
  return labels;
}

void require_finite(const Eigen::MatrixXd& x, std::int64_t first) {
  for (Index c = 0; c < x.cols(); ++c) {
    if (x.col(c).allFinite()) continue;
    throw Error(ErrorCategory::numeric, {.doing = "drawing samples of a diffusion model",
                                         .key = "sample " + std::to_string(first + c),
                                         .value = "NaN or infinite",
                                         .rule = "must be finite at the end",
                                         .remedy = "take more steps, another solver, or options.precision = \"float64\""});
  }
}

}  // namespace

SampleWorkers::SampleWorkers(const DiffusionModel& model, const SolverPlan& plan, const std::string& backend, buffon_type type, std::int64_t batch,
                             std::int64_t side_by_side)
    : model_(model), plan_(plan), device_(backend::Device::open(backend)), type_(type), batch_(batch), side_by_side_(side_by_side) {}

std::unique_ptr<SampleWorkers::Worker> SampleWorkers::take(const Context& context) {
  {
    const std::lock_guard lock(guard_);
    if (!idle_.empty()) {
      auto worker = std::move(idle_.back());
      idle_.pop_back();
      return worker;
    }
  }
  const auto together = on_cpu() ? std::min<std::int64_t>(context.threads(), side_by_side_) : 1;
  return std::make_unique<Worker>(model_, device_, std::max(1, context.threads() / static_cast<int>(together)), static_cast<Index>(batch_), type_);
}

void SampleWorkers::give(std::unique_ptr<Worker> worker) {
  const std::lock_guard lock(guard_);
  idle_.push_back(std::move(worker));
}

std::string SampleWorkers::draw(Context& context, const NoiseLevel& start, const Stream& stream, std::int64_t first, std::int64_t count) {
  std::unique_lock<std::mutex> alone(one_at_a_time_, std::defer_lock);
  if (!on_cpu()) alone.lock();
  std::unique_ptr<Worker> worker = take(context);
  const backend::View x = worker->x.columns(0, static_cast<Index>(count));
  const std::vector<std::int32_t> labels = labels_of(model_, first, count);
  worker->solver.start(x, start, stream, static_cast<std::uint64_t>(first));
  worker->solver.run(plan_, x, stream, static_cast<std::uint64_t>(first), labels);
  const Eigen::MatrixXd drawn = worker->queue.download(x);
  give(std::move(worker));
  require_finite(drawn, first);
  return type_ == BUFFON_F32 ? bytes_of<float>(drawn) : bytes_of<double>(drawn);
}

Eigen::MatrixXd SampleWorkers::paths(Context& context, const NoiseLevel& start, const Stream& stream, std::int64_t count, std::int64_t most) {
  backend::Queue queue(device_, context.threads());
  const auto columns = static_cast<Index>(count);
  BatchSolver solver(model_, queue, columns, type_);
  backend::Matrix x(device_, model_.denoiser->dimension(), columns, type_);
  const auto last = static_cast<std::int64_t>(plan_.ends.size());
  const std::int64_t every = std::max<std::int64_t>(1, (last + most - 1) / most);
  std::vector<Eigen::MatrixXd> states;
  std::vector<std::int64_t> numbers;
  const auto keep = [&](std::int64_t node, backend::View view) {
    if (node % every != 0 && node != last) return;
    states.push_back(queue.download(view));
    numbers.push_back(node);
  };
  solver.start(x, start, stream, 0);
  keep(0, x);
  solver.run(plan_, x, stream, 0, labels_of(model_, 0, count), [&](std::size_t node, backend::View view) { keep(static_cast<std::int64_t>(node), view); });
  Eigen::MatrixXd out(4, static_cast<Index>(states.size()) * columns);
  Index at = 0;
  for (Index i = 0; i < columns; ++i) {
    for (std::size_t k = 0; k < states.size(); ++k) {
      out.col(at++) << static_cast<double>(i), static_cast<double>(numbers[k]), states[k](0, i), states[k](1, i);
    }
  }
  return out;
}

std::int64_t SampleWorkers::most_at_once() const {
  return on_cpu() ? std::min<std::int64_t>(side_by_side_, std::max(1u, std::thread::hardware_concurrency())) : 1;
}

std::vector<std::pair<std::string, std::string>> SampleWorkers::ran_on() const {
  return {{"backend", device_->name()}, {"device", device_->description()}, {"precision", type_ == BUFFON_F32 ? "float32" : "float64"}};
}

}  // namespace buffon
