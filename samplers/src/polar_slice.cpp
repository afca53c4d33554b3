// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/samplers/polar_slice.hpp>

#include "polar_step.hpp"

#include <array>
#include <cmath>
#include <string>
#include <string_view>

#include <buffon/core/check_options.hpp>
#include <buffon/core/error.hpp>

namespace buffon {
namespace {

constexpr std::array<std::string_view, 2> expansion_words = {"step_out", "doubling"};
constexpr double nearest_start = 1e-8;

}  // namespace

void describe(OptionVisitor& v, PolarSliceOptions& o) {
  v.on({.name = "width",
        .meaning = "Length of the bracket of the radius, in the frame that the warm-up finds; 0 means 1 before there is one, √d / 2 with it.",
        .range = at_least(0)},
       o.width);
  v.on({.name = "expand", .meaning = "How the bracket grows: by its length at either end, or by doubling, which is cheaper on heavy tails."}, o.expand,
       expansion_words);
  v.on({.name = "max_expansions", .meaning = "Most widenings of a bracket, divided between its ends at random; 0 means no limit.", .range = between(0, 10000)},
       o.max_expansions);
}

PolarSlice::PolarSlice(std::shared_ptr<const LogDensity> density, const PolarSliceOptions& options)
    : SliceKernel(std::move(density)), options_(options), state_(std::make_unique<slices::PolarState>()) {
  check_options("polar_slice", options);
  if (dimension() < 2) {
    throw Error(ErrorCategory::configuration, {.doing = "making a chain of polar_slice",
                                               .key = "dimension",
                                               .value = std::to_string(dimension()),
                                               .rule = "must be at least 2, since a line has no directions to turn to",
                                               .remedy = "use coordinate_slice"});
  }
}

PolarSlice::~PolarSlice() = default;

void PolarSlice::represent() { state_->represent(point_, frame_, *probe_); }

void PolarSlice::check_start() const {
  Eigen::VectorXd y;
  frame_.coordinates(point_, y);
  if (y.norm() >= nearest_start) return;
  throw Error(ErrorCategory::configuration, {.doing = "starting a chain of polar_slice",
                                             .key = "start",
                                             .value = "the centre of the coordinates",
                                             .rule = "must be away from it, where polar coordinates are singular",
                                             .remedy = "begin at another point"});
}

void PolarSlice::transition(ItemDraws& draws) {
  const double standard = frame_.scaled() ? 0.5 * std::sqrt(static_cast<double>(dimension())) : 1;
  const slices::Expansion how{.width = options_.width > 0 ? options_.width : standard,
                              .doubling = options_.expand == PolarSliceOptions::Expansion::doubling,
                              .limit = options_.max_expansions,
                              .least = 0};
  slices::PolarRules rules;
  slices::polar_step(
      rules, *state_, frame_, *probe_, counts_, how, draws, log_density_, [this](double a, double b) { return probe(a, b); },
      [this](double a, double b, double value) { accept(a, b, value); });
}

void describe(OptionVisitor& v, PolarSliceRunOptions& o) {
  describe(v, static_cast<ChainOptions&>(o));
  describe(v, o.kernel);
}

PolarSliceChains::PolarSliceChains(std::shared_ptr<const Target> target, const PolarSliceRunOptions& options, const Stream& stream)
    : Chains(
          "polar_slice", std::move(target), options,
          [kernel = options.kernel](std::shared_ptr<const LogDensity> density) { return std::make_unique<PolarSlice>(std::move(density), kernel); }, stream) {}

ChainResult polar_slice(std::shared_ptr<const Target> target, const PolarSliceRunOptions& options, const Stream& stream, Context& context) {
  PolarSliceChains chains(std::move(target), options, stream);
  run_to_end(chains, context);
  return chains.result();
}

}  // namespace buffon
