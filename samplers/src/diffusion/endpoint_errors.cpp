// SPDX-License-Identifier: BSD-3-Clause
#include "endpoint_errors.hpp"

#include <array>
#include <cmath>
#include <utility>

#include <buffon/core/archive.hpp>
#include <buffon/model/exact_denoisers.hpp>
#include <buffon/samplers/diffusion/batch_solver.hpp>
#include <buffon/samplers/diffusion/probability_flow.hpp>

namespace buffon {
namespace {

constexpr Index starts = 32;
constexpr std::int64_t most_numbers = 2000;  // dimension times components, beyond which a reference solution takes long

double rms(const Eigen::MatrixXd& a, const Eigen::MatrixXd& b) { return (a - b).norm() / std::sqrt(static_cast<double>(a.cols())); }

}  // namespace

bool EndpointErrors::possible(const DiffusionModel& model, const std::vector<NoiseLevel>& grid, const SolverPlan& plan) {
  return model.law && plan.noises == 0 && grid.back().sigma > 0 && model.denoiser->dimension() * model.law->components <= most_numbers;
}

EndpointErrors EndpointErrors::measure(const DiffusionModel& model, const std::shared_ptr<const backend::Device>& device, int threads,
                                       const std::vector<NoiseLevel>& grid, const std::function<std::optional<PlannedGrid>(int, int)>& part,
                                       const Stream& stream) {
  backend::Queue queue(device, threads);
  BatchSolver solver(model, queue, starts, BUFFON_F64);
  backend::Matrix x(device, model.denoiser->dimension(), starts, BUFFON_F64);
  std::vector<std::int32_t> labels;
  for (Index i = 0; i < starts && !model.labels.empty(); ++i) labels.push_back(model.label(static_cast<std::uint64_t>(i)));
  const auto endpoints = [&](const SolverPlan& plan) {
    solver.start(x, grid.front(), stream, 0);
    solver.run(plan, x, stream, 0, labels);
    return queue.download(x);
  };
  EndpointErrors out;
  solver.start(x, grid.front(), stream, 0);
  const Eigen::MatrixXd from = queue.download(x);
  const auto exact = std::dynamic_pointer_cast<const ExactDenoiser>(model.denoiser);
  const std::optional<Eigen::MatrixXd> formula = exact ? exact->endpoints(from, grid.front(), grid.back()) : std::nullopt;
  const Eigen::MatrixXd reference = formula ? *formula : reference_endpoints(model, from, grid.front(), grid.back(), labels);
  std::vector<std::pair<double, double>> found;
  constexpr std::array<std::pair<int, int>, 4> shares = {std::pair(1, 4), {1, 2}, {1, 1}, {2, 1}};
  for (const auto& [numerator, denominator] : shares) {
    if (const auto planned = part(numerator, denominator)) {
      found.emplace_back(static_cast<double>(planned->plan.calls), rms(endpoints(planned->plan), reference));
    }
  }
  out.rows.resize(static_cast<Index>(found.size()), 2);
  for (std::size_t i = 0; i < found.size(); ++i) out.rows.row(static_cast<Index>(i)) << found[i].first, found[i].second;
  return out;
}

std::string EndpointErrors::title() const {
  return "Distance of endpoints from those of the exact flow, root mean square over " + std::to_string(starts) + " starts, in float64";
}

void EndpointErrors::describe_state(Archive& archive) {
  archive.item("rows", rows);
  archive.item("failure", failure);
}

}  // namespace buffon
