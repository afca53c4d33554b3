// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/samplers/coordinate_slice.hpp>

#include "invariance.hpp"
#include "slice_properties.hpp"

#include <doctest/doctest.h>

using namespace buffon;
using testing::ExactTarget;
using testing::level;

namespace {

/// The bracket of a density with heavy tails must be long where it grows by its own length only.
double width_for(const ExactTarget& target) { return target.name.starts_with("Cauchy") ? 200 : 0; }

testing::MakeKernel make(const CoordinateSliceOptions& options = {}, bool framed = false) {
  return [=](std::shared_ptr<const LogDensity> density) {
    auto kernel = std::make_unique<CoordinateSlice>(std::move(density), options);
    if (framed) kernel->set_frame(testing::crooked_frame(kernel->dimension()));
    return kernel;
  };
}

constexpr CoordinateSliceOptions doubled{.expand = CoordinateSliceOptions::Expansion::doubling};

}  // namespace

// Level 1e-6 for each (target, options): the least p value of the target's laws times their number.
TEST_CASE("coordinate-wise slice sampling leaves every target invariant") {
  std::uint64_t seed = 200;
  for (const ExactTarget& target : testing::exact_targets()) {
    CAPTURE(target.name);
    CoordinateSlice plain(target.density, {.width = width_for(target)});
    CHECK(testing::invariance_p(target, plain, ++seed) > level);
    CHECK(plain.counts().stuck == 0);
    if (plain.dimension() > 20) continue;  // 100 updates per transition
    CoordinateSlice doubling(target.density, doubled);
    CHECK(testing::invariance_p(target, doubling, ++seed) > level);
    CoordinateSlice both(target.density, {.width = 0.3, .expand = CoordinateSliceOptions::Expansion::doubling, .max_expansions = 3});
    CHECK(testing::invariance_p(target, both, ++seed) > level);
    CoordinateSlice limited(target.density, {.max_expansions = 2});
    CHECK(testing::invariance_p(target, limited, ++seed) > level);
    CoordinateSlice framed(target.density, {.width = 100 * width_for(target)});
    framed.set_frame(testing::crooked_frame(framed.dimension()));
    CHECK(testing::invariance_p(target, framed, ++seed) > level);
  }
}

// A density that is not the target, whose draws the kernel leaves alone: the test notices.
TEST_CASE("the same test rejects coordinate-wise slice sampling on a density that is slightly wrong") {
  const ExactTarget target = testing::standard_gaussian(5);
  CoordinateSlice exact(target.density, {.width = 3});
  CHECK(testing::invariance_p(target, exact, 5, testing::exact_starts, 4) > level);
  CoordinateSlice wrong(make_log_density(5, [](const Eigen::VectorXd& x) { return -0.45 * x.squaredNorm(); }), {.width = 3});
  CHECK(testing::invariance_p(target, wrong, 5, testing::exact_starts, 4) < level);
}

TEST_CASE("coordinate-wise slice sampling works on a line") {
  const ExactTarget target{"logistic",
                           make_log_density(1, [](const Eigen::VectorXd& x) { return -x(0) - 2 * std::log1p(std::exp(-x(0))); }),
                           [](const Stream& stream, Eigen::MatrixXd& x) {
                             stream.uniforms(0, x);
                             x = (x.array() / (1 - x.array())).log();
                           },
                           {testing::coordinate_law(0, [](double x) { return 1 / (1 + std::exp(-x)); })}};
  CoordinateSlice kernel(target.density);
  CHECK(testing::invariance_p(target, kernel, 3) > level);
}

TEST_CASE("coordinate-wise slice sampling counts its evaluations and keeps what it evaluated") {
  const ExactTarget target = testing::shifted_gaussian();
  const Eigen::VectorXd start = Eigen::Vector4d(1, -2, 3, 0.5);
  const ExactTarget plane = testing::standard_gaussian(2);
  testing::check_counts(make({.width = 4}), plane.density, Eigen::Vector2d(1, 0), 2 * 3);
  testing::check_counts(make({.width = 4, .expand = CoordinateSliceOptions::Expansion::doubling}), plane.density, Eigen::Vector2d(1, 0), 2 * 3);
  testing::check_counts(make({}, true), plane.density, Eigen::Vector2d(1, 0), 2 * 3);
  testing::check_value(make(), target.density, start);
  testing::check_bits(make(doubled), target.density, start);
  testing::check_bits(make(), target.density, start);
  testing::check_bits(make({}, true), target.density, start);
}

TEST_CASE("coordinate-wise slice sampling ends with a message or a count where a density is hopeless") {
  const Eigen::VectorXd start = Eigen::Vector3d(0.6, 0, -0.8);
  testing::check_protection(make(), start);
  testing::check_protection(make(doubled), start);
  testing::check_protection(make({}, true), start);
  CoordinateSlice improper(make_log_density(3, [](const Eigen::VectorXd& x) { return x(0); }));
  improper.start(Eigen::Vector3d::Zero());  // the origin is a point as others are
  ItemDraws draws(Stream(1), 0);
  draws.begin(0);
  const std::string message = testing::message_of([&] { improper.step(draws); }, ErrorCategory::numeric);
  CHECK(message.find("seems unbounded. Is the target proper?") != std::string::npos);
  CHECK(improper.counts().evaluations < 10100);
  CHECK_FALSE(testing::message_of([&] { CoordinateSlice(testing::box().density, {.width = -1}); }, ErrorCategory::configuration).empty());
}
