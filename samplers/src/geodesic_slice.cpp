// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/samplers/geodesic_slice.hpp>

#include "great_circle.hpp"
#include "slice_bracket.hpp"

#include <array>
#include <cmath>
#include <string>
#include <string_view>

#include <buffon/core/check_options.hpp>
#include <buffon/core/error.hpp>

namespace buffon {
namespace {

constexpr std::array<std::string_view, 2> search_words = {"shrink", "reject"};

}  // namespace

void describe(OptionVisitor& v, GeodesicSliceOptions& o) {
  v.on({.name = "search", .meaning = "How an angle on the circle is found: by shrinking towards the current point, or by drawing until one is accepted."},
       o.search, search_words);
}

GeodesicSlice::GeodesicSlice(std::shared_ptr<const LogDensity> density, const GeodesicSliceOptions& options)
    : SliceKernel(std::move(density)), options_(options), circle_(std::make_unique<slices::GreatCircle>()) {
  check_options("geodesic_slice", options);
  if (dimension() < 2) {
    throw Error(ErrorCategory::configuration, {.doing = "making a chain of geodesic_slice",
                                               .key = "dimension",
                                               .value = std::to_string(dimension()),
                                               .rule = "must be at least 2, since a sphere of two points has no circles",
                                               .remedy = "give a unit vector of two or more components"});
  }
}

GeodesicSlice::~GeodesicSlice() = default;

void GeodesicSlice::check_start() const {
  const double length = point_.norm();
  if (std::abs(length - 1) <= 1e-8) return;
  throw Error(ErrorCategory::configuration, {.doing = "starting a chain of geodesic_slice",
                                             .key = "length of the start",
                                             .value = to_text(length),
                                             .rule = "must be 1, on the sphere",
                                             .remedy = "divide the point by its length"});
}

void GeodesicSlice::set_frame(AffineFrame) {
  throw Error(ErrorCategory::usage,
              {.doing = "setting the frame of geodesic_slice", .rule = "a sphere has no other coordinates", .remedy = "run it without tuning"});
}

void GeodesicSlice::represent() {
  circle_->set_point(point_);
  probe_->set_centre(frame_.centre());
  probe_->set_first(circle_->point());
}

void GeodesicSlice::transition(ItemDraws& draws) {
  if (!circle_->draw(draws.normals())) {
    ++counts_.stuck;
    return;
  }
  probe_->set_second(circle_->tangent());
  const double per_length = circle_->inverse_length();
  const double level = log_density_ - draws.exponential();
  const auto inside = [&](double cosine, double sine, double& value) {
    value = probe(cosine, sine * per_length);
    return value > level;
  };
  const slices::Angle angle = options_.search == GeodesicSliceOptions::Search::shrink ? slices::shrink_angle(slices::ExactRules(), draws, counts_, inside)
                                                                                      : slices::reject_angle(draws, counts_, inside);
  if (!angle.found) return;
  const double a = angle.cosine, b = angle.sine * per_length;
  accept(a, b, angle.log_density);
  const double factor = circle_->turn(a, b);
  probe_->turn(factor * a, factor * b);
}

void describe(OptionVisitor& v, GeodesicSliceRunOptions& o) {
  describe(v, static_cast<ChainOptions&>(o));
  describe(v, o.kernel);
}

GeodesicSliceChains::GeodesicSliceChains(std::shared_ptr<const Target> target, const GeodesicSliceRunOptions& options, const Stream& stream)
    : Chains(
          "geodesic_slice", std::move(target), options,
          [kernel = options.kernel](std::shared_ptr<const LogDensity> density) { return std::make_unique<GeodesicSlice>(std::move(density), kernel); },
          stream) {}

ChainResult geodesic_slice(std::shared_ptr<const Target> target, const GeodesicSliceRunOptions& options, const Stream& stream, Context& context) {
  GeodesicSliceChains chains(std::move(target), options, stream);
  run_to_end(chains, context);
  return chains.result();
}

}  // namespace buffon
