// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/samplers/coordinate_slice.hpp>

#include "slice_bracket.hpp"

#include <array>
#include <string_view>

#include <buffon/core/check_options.hpp>

namespace buffon {
namespace {

constexpr std::array<std::string_view, 2> expansion_words = {"step_out", "doubling"};

}  // namespace

void describe(OptionVisitor& v, CoordinateSliceOptions& o) {
  v.on({.name = "width",
        .meaning = "Length of the bracket of a coordinate, in the frame that the warm-up finds; 0 means 1 before there is one, 3 with it.",
        .range = at_least(0)},
       o.width);
  v.on({.name = "expand", .meaning = "How the bracket grows: by its length at either end, or by doubling, which is cheaper on heavy tails."}, o.expand,
       expansion_words);
  v.on({.name = "max_expansions", .meaning = "Most widenings of a bracket, divided between its ends at random; 0 means no limit.", .range = between(0, 10000)},
       o.max_expansions);
}

CoordinateSlice::CoordinateSlice(std::shared_ptr<const LogDensity> density, const CoordinateSliceOptions& options)
    : SliceKernel(std::move(density)), options_(options), axis_(Eigen::VectorXd::Zero(dimension())) {
  check_options("coordinate_slice", options);
}

// The probe's first vector is x − centre.
void CoordinateSlice::represent() {
  probe_->set_centre(frame_.centre());
  probe_->set_first(point_ - frame_.centre());
}

void CoordinateSlice::transition(ItemDraws& draws) {
  const slices::Expansion how{.width = options_.width > 0 ? options_.width : (frame_.scaled() ? 3 : 1),
                              .doubling = options_.expand == CoordinateSliceOptions::Expansion::doubling,
                              .limit = options_.max_expansions};
  for (Index i = 0; i < dimension(); ++i) {
    if (frame_.correlated()) {
      axis_ = frame_.lower().col(i);
    } else {
      axis_.setZero();
      axis_(i) = frame_.scaled() ? frame_.scale()(i) : 1;
    }
    probe_->set_second(axis_);
    const double level = log_density_ - draws.exponential();
    const slices::Spot spot = slices::search_line(slices::ExactRules(), draws, counts_, how, 0.0, [&](double s, double& value) {
      value = probe(1, s);
      return value > level;
    });
    if (!spot.found) continue;
    accept(1, spot.at, spot.log_density);
    probe_->turn(1, spot.at);
  }
}

void describe(OptionVisitor& v, CoordinateSliceRunOptions& o) {
  describe(v, static_cast<ChainOptions&>(o));
  describe(v, o.kernel);
}

CoordinateSliceChains::CoordinateSliceChains(std::shared_ptr<const Target> target, const CoordinateSliceRunOptions& options, const Stream& stream)
    : Chains(
          "coordinate_slice", std::move(target), options,
          [kernel = options.kernel](std::shared_ptr<const LogDensity> density) { return std::make_unique<CoordinateSlice>(std::move(density), kernel); },
          stream) {}

ChainResult coordinate_slice(std::shared_ptr<const Target> target, const CoordinateSliceRunOptions& options, const Stream& stream, Context& context) {
  CoordinateSliceChains chains(std::move(target), options, stream);
  run_to_end(chains, context);
  return chains.result();
}

}  // namespace buffon
