// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/core/archive.hpp>
#include <buffon/core/error.hpp>
#include <buffon/samplers/slice_kernel.hpp>

#include <cmath>
#include <limits>
#include <string>
#include <utility>

namespace buffon {
namespace {

std::string listed(const Eigen::VectorXd& x) {
  constexpr Index shown = 8;
  std::string text = "(";
  for (Index i = 0; i < std::min(x.size(), shown); ++i) text += (i > 0 ? ", " : "") + to_text(x(i));
  return text + (x.size() > shown ? ", … " + std::to_string(x.size()) + " numbers)" : ")");
}

[[noreturn]] void refuse_start(std::string key, std::string value, std::string rule, std::string remedy) {
  throw Error(ErrorCategory::configuration,
              {.doing = "starting a chain", .key = std::move(key), .value = std::move(value), .rule = std::move(rule), .remedy = std::move(remedy)});
}

std::shared_ptr<const LogDensity> present(std::shared_ptr<const LogDensity> density) {
  if (density && density->dimension() > 0) return density;
  throw Error(ErrorCategory::usage, {.doing = "making a chain",
                                     .key = "density",
                                     .value = density ? "dimension 0" : "none",
                                     .rule = "must be a density on at least one dimension",
                                     .remedy = "make_log_density makes one of a function"});
}

}  // namespace

void SliceCounts::add(const SliceCounts& other) {
  steps += other.steps;
  evaluations += other.evaluations;
  expansions += other.expansions;
  shrinkages += other.shrinkages;
  stuck += other.stuck;
  undefined += other.undefined;
}

void SliceCounts::subtract(const SliceCounts& other) {
  steps -= other.steps;
  evaluations -= other.evaluations;
  expansions -= other.expansions;
  shrinkages -= other.shrinkages;
  stuck -= other.stuck;
  undefined -= other.undefined;
}

void SliceCounts::describe_state(Archive& archive) {
  archive.item("steps", steps);
  archive.item("evaluations", evaluations);
  archive.item("expansions", expansions);
  archive.item("shrinkages", shrinkages);
  archive.item("stuck", stuck);
  archive.item("undefined", undefined);
}

SliceKernel::SliceKernel(std::shared_ptr<const LogDensity> density)
    : density_(present(std::move(density))), probe_(density_->probe()), frame_(AffineFrame::identity(density_->dimension())) {}

void SliceKernel::start(const ConstVector& x) {
  if (x.size() != dimension()) {
    refuse_start("start", std::to_string(x.size()) + " numbers", "must be a point of dimension " + std::to_string(dimension()),
                 "give one number for each dimension");
  }
  const Eigen::VectorXd point = x;
  if (!point.allFinite()) refuse_start("start", listed(point), "must be finite", "begin inside the support");
  const double log_density = density_->at(point, stop_);
  if (!std::isfinite(log_density)) {
    refuse_start("log density", to_text(log_density), "must be finite at the start " + listed(point), "begin inside the support");
  }
  start(point, log_density, {.evaluations = 1});
}

void SliceKernel::start(const ConstVector& x, double log_density, const SliceCounts& before) {
  point_ = x;
  log_density_ = log_density;
  counts_.add(before);
  refresh();
  check_start();
}

void SliceKernel::step(ItemDraws& draws) {
  if (point_.size() == 0) throw Error(ErrorCategory::usage, {.doing = "moving a chain on", .rule = "it has not been started", .remedy = "call start(x) first"});
  if (draws.normals().size() != normals()) {
    throw Error(ErrorCategory::usage, {.doing = "moving a chain on",
                                       .key = "draws",
                                       .value = std::to_string(draws.normals().size()) + " normals per item",
                                       .rule = "must have the " + std::to_string(normals()) + " that a step takes",
                                       .remedy = "make them with ItemDraws(stream, chain.normals())"});
  }
  if (since_refresh_ == refresh_interval) refresh();
  transition(draws);
  ++since_refresh_;
  ++counts_.steps;
}

void SliceKernel::set_frame(AffineFrame frame) {
  frame_ = std::move(frame);
  if (point_.size() > 0) refresh();
}

void SliceKernel::refresh() {
  represent();
  since_refresh_ = 0;
}

double SliceKernel::improper(double a, double b, double value) {
  if (std::isnan(value)) {
    ++counts_.undefined;
    return -std::numeric_limits<double>::infinity();
  }
  Eigen::VectorXd x;
  probe_->point(a, b, x);
  throw Error(ErrorCategory::numeric, {.doing = "sampling by slices",
                                       .key = "log density",
                                       .value = "inf",
                                       .rule = "is infinite at " + listed(x) + ", so that no chain could ever leave this point",
                                       .remedy = "bound the density there, or keep the point out of its support"});
}

void SliceKernel::accept(double a, double b, double log_density) {
  probe_->point(a, b, point_);
  log_density_ = log_density;
}

void SliceKernel::describe_state(Archive& archive) {
  describe_position(archive);
  archive.item("frame", frame_);
  if (archive.loading()) refresh();
}

void SliceKernel::describe_position(Archive& archive) {
  archive.item("point", point_);
  archive.item("log_density", log_density_);
  archive.item("counts", counts_);
}

}  // namespace buffon
