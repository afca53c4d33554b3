// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/samplers/elliptical_slice.hpp>

#include "invariance.hpp"
#include "slice_properties.hpp"

#include <Eigen/Cholesky>

#include <doctest/doctest.h>

using namespace buffon;
using testing::ExactTarget;
using testing::level;

namespace {

testing::MakeKernel make(bool framed = false) {
  return [=](std::shared_ptr<const LogDensity> density) {
    auto kernel = std::make_unique<EllipticalSlice>(std::move(density));
    if (framed) kernel->set_frame(testing::crooked_frame(kernel->dimension()));
    return kernel;
  };
}

/// One observation y = 1.5 of x_1 + x_2 with variance 0.5 under the prior N(m, S): the posterior is Gaussian.
struct Conjugate {
  Eigen::Vector3d m{0.5, -1, 2};
  Eigen::Matrix3d covariance = (Eigen::Matrix3d() << 2, 0.6, 0, 0.6, 1, -0.3, 0, -0.3, 0.5).finished();
  Eigen::Vector3d h{1, 1, 0};
  std::shared_ptr<const LogDensity> likelihood = make_log_density(3, [](const Eigen::VectorXd& x) {
    const double residual = 1.5 - x(0) - x(1);
    return -residual * residual;
  });
  EllipticalSliceOptions prior{.prior_mean = {0.5, -1, 2}, .prior_covariance = {2, 0.6, 0, 0.6, 1, -0.3, 0, -0.3, 0.5}};

  ExactTarget posterior() const {
    const Eigen::Vector3d sh = covariance * h, gain = sh / (h.dot(sh) + 0.5);
    const Eigen::Matrix3d posterior_covariance = covariance - gain * sh.transpose();
    return testing::gaussian_target("posterior", m + gain * (1.5 - h.dot(m)), posterior_covariance.llt().matrixL().toDenseMatrix());
  }
};

}  // namespace

// Level 1e-6 for each (target, frame): the least p value of the target's laws times their number.
TEST_CASE("elliptical slice sampling leaves every target invariant") {
  std::uint64_t seed = 300;
  for (const ExactTarget& target : testing::exact_targets()) {
    CAPTURE(target.name);
    EllipticalSlice plain(target.density);
    CHECK(testing::invariance_p(target, plain, ++seed) > level);
    EllipticalSlice framed(target.density);
    framed.set_frame(testing::crooked_frame(framed.dimension()));
    CHECK(testing::invariance_p(target, framed, ++seed) > level);
  }
}

TEST_CASE("elliptical slice sampling leaves prior times likelihood invariant") {
  const Conjugate model;
  const ExactTarget posterior = model.posterior();
  EllipticalSlice kernel(model.likelihood, model.prior);
  CHECK(testing::invariance_p(posterior, kernel, 1) > level);
  CHECK(testing::invariance_p(posterior, kernel, 2, testing::exact_starts, 20) > level);
  // log prior + log likelihood, up to a constant
  const double at_last = kernel.log_density() - posterior.density->at(kernel.point(), {});
  ItemDraws draws(Stream(1), 3);
  testing::run(kernel, draws, 0, 10);
  CHECK(kernel.log_density() - posterior.density->at(kernel.point(), {}) == doctest::Approx(at_last).scale(0).epsilon(1e-12));

  // The same test notices a likelihood taken for the target, and a prior that is forgotten in part.
  EllipticalSlice whole(model.likelihood);
  CHECK(testing::invariance_p(posterior, whole, 2, testing::exact_starts, 20) < level);
  EllipticalSliceOptions variances = model.prior;
  variances.prior_covariance = {2, 1, 0.5};
  EllipticalSlice diagonal(model.likelihood, variances);
  CHECK(testing::invariance_p(posterior, diagonal, 2, testing::exact_starts, 20) < level);
}

TEST_CASE("a prior of one number or one for each dimension is that of the whole matrix") {
  const auto likelihood = testing::standard_gaussian(3).density;
  const auto end_of = [&](const EllipticalSliceOptions& options) {
    EllipticalSlice kernel(likelihood, options);
    kernel.start(Eigen::Vector3d(1, 0, -1));
    ItemDraws draws(Stream(4), 3);
    testing::run(kernel, draws, 0, 50);
    return kernel.point();
  };
  const Eigen::VectorXd one = end_of({.prior_mean = {1}, .prior_covariance = {4}});
  CHECK(one == end_of({.prior_mean = {1, 1, 1}, .prior_covariance = {4, 4, 4}}));
  CHECK((one - end_of({.prior_mean = {1}, .prior_covariance = {4, 0, 0, 0, 4, 0, 0, 0, 4}})).norm() < 1e-12);
}

TEST_CASE("elliptical slice sampling counts its evaluations and keeps what it evaluated") {
  const ExactTarget target = testing::shifted_gaussian();
  const Eigen::VectorXd start = Eigen::Vector4d(1, -2, 3, 0.5);
  testing::check_counts(make(), target.density, start, 1);
  testing::check_counts(make(true), target.density, start, 1);
  testing::check_value(make(), target.density, start);
  testing::check_bits(make(), target.density, start);
  testing::check_bits(make(true), target.density, start);
  const Conjugate model;
  testing::check_bits([&](auto density) { return std::make_unique<EllipticalSlice>(std::move(density), model.prior); }, model.likelihood,
                      Eigen::Vector3d(1, 0, 1));
}

TEST_CASE("elliptical slice sampling ends with a message or a count where a density is hopeless") {
  const Eigen::VectorXd start = Eigen::Vector3d(0.6, 0, -0.8);
  testing::check_protection(make(), start);
  testing::check_protection(make(true), start);
  // A flat density has no proper target; the chain walks away from the origin, but every step ends.
  EllipticalSlice flat(make_log_density(3, [](const Eigen::VectorXd&) { return 0.0; }));
  flat.start(Eigen::Vector3d::Zero());
  ItemDraws draws(Stream(1), 3);
  testing::run(flat, draws, 0, 1000);
  CHECK(flat.counts().evaluations < 100000);
}

TEST_CASE("priors that do not fit are refused with their key") {
  const auto likelihood = testing::standard_gaussian(3).density;
  const auto refused = [&](const EllipticalSliceOptions& options, const std::string& key) {
    const std::string message = testing::message_of([&] { EllipticalSlice(likelihood, options); }, ErrorCategory::configuration);
    CAPTURE(message);
    CHECK(message.find(key) != std::string::npos);
  };
  refused({.prior_mean = {1}}, "options.prior_mean");
  refused({.prior_mean = {1, 2}, .prior_covariance = {1}}, "options.prior_mean");
  refused({.prior_covariance = {1, 2}}, "options.prior_covariance");
  refused({.prior_covariance = {-1}}, "options.prior_covariance");
  refused({.prior_covariance = {1, 2, 0, 2, 1, 0, 0, 0, 1}}, "options.prior_covariance");
  refused({.prior_covariance = {1, 0.5, 0, 0, 1, 0, 0, 0, 1}}, "options.prior_covariance");
  EllipticalSlice kernel(likelihood, {.prior_covariance = {1}});
  CHECK_FALSE(kernel.tunable());
  CHECK_FALSE(testing::message_of([&] { kernel.set_frame(AffineFrame::identity(3)); }, ErrorCategory::usage).empty());
  CHECK(EllipticalSlice(likelihood).tunable());
}

TEST_CASE("a prior is refused on parameters under constraints, where the Jacobian would come to it") {
  const auto density = make_log_density(1, [](const Eigen::VectorXd&) { return 0.0; });
  const auto target = std::make_shared<const Target>(density, std::vector<Parameter>{{.name = "s", .constraint = Constraint::lower, .lower = 0}});
  EllipticalSliceRunOptions options;
  CHECK_NOTHROW(EllipticalSliceChains(target, options, Stream(1)));
  options.kernel.prior_covariance = {1.0};
  const std::string refused = testing::message_of([&] { EllipticalSliceChains(target, options, Stream(1)); }, ErrorCategory::configuration);
  CHECK(refused.find("does not go with constrained parameters") != std::string::npos);
}
