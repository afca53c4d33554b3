// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/samplers/hit_and_run_slice.hpp>

#include "slice_bracket.hpp"

#include <buffon/core/check_options.hpp>

namespace buffon {

void describe(OptionVisitor& v, HitAndRunSliceOptions& o) {
  v.on({.name = "width",
        .meaning = "Length of the bracket on the line, in the frame that the warm-up finds; 0 means 1 before there is one, 3 with it.",
        .range = at_least(0)},
       o.width);
  v.on({.name = "max_expansions", .meaning = "Most widenings of a bracket, divided between its ends at random; 0 means no limit.", .range = between(0, 10000)},
       o.max_expansions);
}

HitAndRunSlice::HitAndRunSlice(std::shared_ptr<const LogDensity> density, const HitAndRunSliceOptions& options)
    : SliceKernel(std::move(density)), options_(options) {
  check_options("hit_and_run_slice", options);
}

// The probe's first vector is x − centre, so that a step costs one product with a new direction.
void HitAndRunSlice::represent() {
  probe_->set_centre(frame_.centre());
  probe_->set_first(point_ - frame_.centre());
}

void HitAndRunSlice::transition(ItemDraws& draws) {
  const auto z = draws.normals();
  const double per_length = 1 / z.norm();
  frame_.direction(z, image_);
  probe_->set_second(image_);
  const double level = log_density_ - draws.exponential();
  const slices::Expansion how{.width = options_.width > 0 ? options_.width : (frame_.scaled() ? 3 : 1), .limit = options_.max_expansions};
  const slices::Spot spot = slices::search_line(slices::ExactRules(), draws, counts_, how, 0.0, [&](double s, double& value) {
    value = probe(1, s * per_length);
    return value > level;
  });
  if (!spot.found) return;
  accept(1, spot.at * per_length, spot.log_density);
  probe_->turn(1, spot.at * per_length);
}

void describe(OptionVisitor& v, HitAndRunSliceRunOptions& o) {
  describe(v, static_cast<ChainOptions&>(o));
  describe(v, o.kernel);
}

HitAndRunSliceChains::HitAndRunSliceChains(std::shared_ptr<const Target> target, const HitAndRunSliceRunOptions& options, const Stream& stream)
    : Chains(
          "hit_and_run_slice", std::move(target), options,
          [kernel = options.kernel](std::shared_ptr<const LogDensity> density) { return std::make_unique<HitAndRunSlice>(std::move(density), kernel); },
          stream) {}

ChainResult hit_and_run_slice(std::shared_ptr<const Target> target, const HitAndRunSliceRunOptions& options, const Stream& stream, Context& context) {
  HitAndRunSliceChains chains(std::move(target), options, stream);
  run_to_end(chains, context);
  return chains.result();
}

}  // namespace buffon
