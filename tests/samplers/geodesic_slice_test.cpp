// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/samplers/geodesic_slice.hpp>

#include "invariance.hpp"
#include "slice_properties.hpp"

#include <doctest/doctest.h>

#include <buffon/random/variates.hpp>
#include <buffon/samplers/polar_slice.hpp>

using namespace buffon;
using testing::ExactTarget;
using testing::level;

namespace {

/// The cosine of a draw of the von Mises–Fisher law to its mean: Wood, "Simulation of the von Mises Fisher distribution", 1994.
double cosine_to_mean(const Stream& stream, std::uint64_t item, double kappa, double d) {
  const double b = (d - 1) / (2 * kappa + std::sqrt(4 * kappa * kappa + (d - 1) * (d - 1))), x0 = (1 - b) / (1 + b);
  const double c = kappa * x0 + (d - 1) * std::log(1 - x0 * x0);
  for (std::uint64_t attempt = 0;; ++attempt) {
    const std::uint64_t address = 64 * item + attempt;
    const double one = gamma(stream.peek("one"), address, (d - 1) / 2), two = gamma(stream.peek("two"), address, (d - 1) / 2);
    const double z = one / (one + two), w = (1 - (1 + b) * z) / (1 - (1 - b) * z);
    if (kappa * w + (d - 1) * std::log(1 - x0 * w) - c >= -exponential(stream.peek("accept"), address)) return w;
  }
}

/// Σ_k weight_k vMF(mean_k, kappa).
ExactTarget von_mises_fisher(const Eigen::MatrixXd& means, const Eigen::VectorXd& weights, double kappa) {
  const Index d = means.rows();
  ExactTarget target{"von Mises–Fisher mixture in " + std::to_string(d) + " dimensions",
                     make_log_density(d,
                                      [=](const Eigen::VectorXd& x) {
                                        const Eigen::VectorXd exponents = kappa * (means.transpose() * x);
                                        const double most = exponents.maxCoeff();
                                        return most + std::log((weights.array() * (exponents.array() - most).exp()).sum());
                                      }),
                     [=](const Stream& stream, Eigen::MatrixXd& x) {
                       Eigen::MatrixXd u(1, x.cols());
                       stream.child("which").uniforms(0, u);
                       stream.child("normals").normals(0, x);
                       for (Index i = 0; i < x.cols(); ++i) {
                         Index k = 0;
                         for (double left = u(i); k + 1 < weights.size() && left > weights(k); ++k) left -= weights(k);
                         const double w = cosine_to_mean(stream, static_cast<std::uint64_t>(i), kappa, static_cast<double>(d));
                         const Eigen::VectorXd mean = means.col(k), z = x.col(i);
                         x.col(i) = w * mean + std::sqrt(1 - w * w) * (z - z.dot(mean) * mean).normalized();
                       }
                     },
                     {}};
  for (Index k = 0; k < means.cols(); ++k) {
    const Eigen::VectorXd mean = means.col(k);
    target.laws.push_back({[mean](const Eigen::VectorXd& x) { return mean.dot(x); }});
  }
  target.laws.push_back({[](const Eigen::VectorXd& x) { return x(0); }});
  target.laws.push_back({[](const Eigen::VectorXd& x) { return x(x.size() - 1); }});
  return target;
}

/// Three modes of concentration 80 on S².
ExactTarget three_modes() {
  Eigen::MatrixXd means(3, 3);
  means << 0.86, 0, -0.51, 0, 1, 0.72, 0.51, 0, 0.47;
  return von_mises_fisher(means.colwise().normalized(), Eigen::Vector3d(0.5, 0.3, 0.2), 80);
}

ExactTarget ten_dimensions() {
  Eigen::MatrixXd means = Eigen::MatrixXd::Zero(10, 2);
  means(0, 0) = 1;
  means.col(1).setConstant(std::sqrt(0.1));
  return von_mises_fisher(means, Eigen::Vector2d(0.6, 0.4), 80);
}

/// Uniform on S²: every coordinate is uniform on (−1, 1) (Archimedes).
ExactTarget whole_sphere() {
  const auto flat = [](double x) { return 0.5 * (x + 1); };
  return {"uniform on the sphere",
          make_log_density(3, [](const Eigen::VectorXd&) { return 0.0; }),
          [](const Stream& stream, Eigen::MatrixXd& x) {
            stream.normals(0, x);
            x.colwise().normalize();
          },
          {testing::coordinate_law(0, flat), testing::coordinate_law(1, flat), testing::coordinate_law(2, flat)}};
}

constexpr GeodesicSliceOptions rejecting{.search = GeodesicSliceOptions::Search::reject};

testing::MakeKernel make(const GeodesicSliceOptions& options = {}) {
  return [=](std::shared_ptr<const LogDensity> density) { return std::make_unique<GeodesicSlice>(std::move(density), options); };
}

}  // namespace

// Level 1e-6 for each (target, options): the least p value of the target's laws times their number.
TEST_CASE("geodesic slice sampling leaves targets on the sphere invariant") {
  std::uint64_t seed = 400;
  for (const ExactTarget& target : {three_modes(), ten_dimensions(), whole_sphere()}) {
    CAPTURE(target.name);
    for (const GeodesicSliceOptions& options : {GeodesicSliceOptions{}, rejecting}) {
      GeodesicSlice kernel(target.density, options);
      CHECK(testing::invariance_p(target, kernel, ++seed) > level);
      CHECK(testing::invariance_p(target, kernel, ++seed, testing::exact_starts, 20) > level);
      CHECK(kernel.counts().stuck == 0);
    }
  }
}

TEST_CASE("the same test rejects a concentration that is slightly wrong") {
  const ExactTarget target = three_modes();
  const auto wrong = make_log_density(3, [&](const Eigen::VectorXd& x) { return 0.85 * target.density->at(x, {}); });
  GeodesicSlice kernel(wrong);
  CHECK(testing::invariance_p(target, kernel, 401, testing::exact_starts, 20) < level);
}

TEST_CASE("geodesic slice sampling stays on the sphere") {
  const ExactTarget target = ten_dimensions();
  double farthest = 0;
  const auto watched = make_log_density(10, [&](const Eigen::VectorXd& x) {
    farthest = std::max(farthest, std::abs(x.norm() - 1));
    return target.density->at(x, {});
  });
  GeodesicSlice kernel(watched);
  kernel.start(Eigen::VectorXd::Unit(10, 0));
  ItemDraws draws(Stream(2), 10);
  testing::run(kernel, draws, 0, 20000);
  CHECK(farthest < 1e-14);
}

TEST_CASE("geodesic slice sampling counts its evaluations and keeps what it evaluated") {
  const ExactTarget target = three_modes();
  const Eigen::VectorXd start = Eigen::Vector3d(0, 1, 0);
  testing::check_counts(make(), target.density, start, 1);
  testing::check_counts(make(rejecting), target.density, start, 1);
  testing::check_value(make(), target.density, start);
  testing::check_bits(make(), target.density, start);
  testing::check_bits(make(rejecting), target.density, start);
}

TEST_CASE("geodesic slice sampling ends with a message or a count where a density is hopeless") {
  const Eigen::VectorXd start = Eigen::Vector3d(0.6, 0, -0.8);
  testing::check_protection(make(), start);
  const auto flat = whole_sphere().density;
  const std::string off = testing::message_of([&] { GeodesicSlice(flat).start(Eigen::Vector3d(1, 1, 0)); }, ErrorCategory::configuration);
  CHECK(off.find("must be 1, on the sphere") != std::string::npos);
  CHECK_FALSE(testing::message_of([&] { GeodesicSlice(flat).start(Eigen::Vector3d::Zero()); }, ErrorCategory::configuration).empty());
  CHECK_FALSE(testing::message_of([&] { GeodesicSlice(flat).set_frame(AffineFrame::identity(3)); }, ErrorCategory::usage).empty());
  CHECK_FALSE(GeodesicSlice(flat).tunable());
  CHECK_FALSE(
      testing::message_of([] { GeodesicSlice(make_log_density(1, [](const Eigen::VectorXd&) { return 0.0; })); }, ErrorCategory::configuration).empty());
}

TEST_CASE("the sphere is for geodesic slice sampling alone, and it for the sphere") {
  const auto density = make_log_density(3, [](const Eigen::VectorXd& x) { return x(0); });
  const auto sphere = std::make_shared<const Target>(density, std::vector<Parameter>{{.name = "x", .size = 3, .constraint = Constraint::unit_vector}});
  const auto space = std::make_shared<const Target>(density);
  const std::string off = testing::message_of([&] { PolarSliceChains(sphere, {}, Stream(1)); }, ErrorCategory::configuration);
  CHECK(off.find("take geodesic_slice") != std::string::npos);
  const std::string on = testing::message_of([&] { GeodesicSliceChains(space, {}, Stream(1)); }, ErrorCategory::configuration);
  CHECK(on.find("unit_vector") != std::string::npos);
  CHECK_NOTHROW(GeodesicSliceChains(sphere, {}, Stream(1)));
}
