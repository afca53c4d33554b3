// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/model/exact_denoisers.hpp>
#include <buffon/samplers/diffusion/probability_flow.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <utility>

#include "cases.hpp"

namespace buffon::reproduce::diffusion_solvers {

std::string in_short(double x) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3e", x);
  return text;
}

ExactFlow::ExactFlow(std::shared_ptr<const NoiseSchedule> schedule)
    : model_{named_denoiser("g3"), std::move(schedule)},
      queue_(backend::Device::open("cpu"), 1),
      solver_(model_, queue_, 64, BUFFON_F64),
      starts_(2, 64),
      x_(queue_.device(), 2, 64, BUFFON_F64) {
  for (Index i = 0; i < 64; ++i) starts_.col(i) << -1.75 + 0.5 * static_cast<double>(i / 8), -1.75 + 0.5 * static_cast<double>(i % 8);
  ends_ = reference_endpoints(model_, starts_, model_.schedule->at_time(1), model_.schedule->at_time(1e-3));
}

double ExactFlow::rms(const SolverSetting& setting, GridSpacing spacing, int steps) {
  const SolverPlan plan = plan_solver(setting, *model_.schedule, time_grid(*model_.schedule, spacing, steps, 1, 1e-3));
  queue_.upload(x_, starts_);
  solver_.run(plan, x_, Stream(0), 0);
  return std::sqrt((queue_.download(x_) - ends_).colwise().squaredNorm().mean());
}

int ExactFlow::calls_per_step(const SolverSetting& setting) const {
  const SolverPlan plan = plan_solver(setting, *model_.schedule, time_grid(*model_.schedule, GridSpacing::time, 20, 1, 1e-3));
  return std::max(1, plan.calls / 20);
}

void ExactFlow::compare_ends(const ReproduceOptions& options, const std::string& name, ReproduceTable& table) const {
  const std::filesystem::path file = reference_file(options, name);
  if (file.empty()) return;
  std::ifstream in(file);
  double worst = 0;
  Index found = 0;
  for (std::string line; std::getline(in, line);) {
    double x = 0, y = 0, end_x = 0, end_y = 0;
    if (line.starts_with("#") || std::sscanf(line.c_str(), "%lf,%lf,%lf,%lf", &x, &y, &end_x, &end_y) != 4) continue;
    for (Index i = 0; i < starts_.cols(); ++i) {
      if (starts_(0, i) != x || starts_(1, i) != y) continue;
      worst = std::max(worst, (ends_.col(i) - Eigen::Vector2d(end_x, end_y)).norm());
      ++found;
    }
  }
  table.rows.push_back({.part = "Exact ends, schedule " + model_.schedule->name(),
                        .quantity = "largest distance from the reference's of 64 ends",
                        .paper = "0",
                        .ours = normal_estimate(worst, 0),
                        .criterion = "all 64 within 1e-10",
                        .holds = found == starts_.cols() && worst < 1e-10});
}

std::vector<int> columns_of(const ReproduceOptions& options, int first, std::size_t count) {
  std::vector<int> columns;
  for (std::size_t i = 0; i < count; ++i) {
    const int calls = first << i;
    if (i < 3 || calls <= 384 * options.scale || options.scale == 1) columns.push_back(calls);
  }
  return columns;
}

ReproduceRow line_row(std::string part, const std::string& solver, const std::vector<int>& calls, const std::vector<double>& ours,
                      const std::vector<double>& reference) {
  double worst = 0;
  std::size_t where = 0;
  for (std::size_t i = 0; i < ours.size(); ++i) {
    const double off = std::abs(ours[i] / reference[i] - 1);
    if (off >= worst || std::isnan(off)) worst = off, where = i;
  }
  char note[64];
  std::snprintf(note, sizeof note, "worst %.1e %%, at %d calls", 100 * worst, calls[where]);
  return {.part = std::move(part),
          .quantity = solver + ", " + std::to_string(calls.back()) + " calls",
          .paper = in_short(reference.back()),
          .ours = normal_estimate(ours.back(), 0),
          .ratio = ours.back() / reference.back(),
          .criterion = "all " + std::to_string(calls.size()) + " columns within 2 %",
          .holds = worst <= 0.02,
          .note = note};
}

ReproduceRow order_row(std::string part, const std::string& solver, double ours, double expected) {
  return {.part = std::move(part),
          .quantity = solver,
          .exact = expected,
          .ours = normal_estimate(ours, 0),
          .criterion = "|ours - exact| < 0.15",
          .holds = std::abs(ours - expected) < 0.15};
}

}  // namespace buffon::reproduce::diffusion_solvers
