// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/samplers/polar_slice.hpp>

#include "../../samplers/src/polar_step.hpp"
#include "invariance.hpp"
#include "slice_properties.hpp"

#include <doctest/doctest.h>

#include <buffon/stats/chain_diagnostics.hpp>

using namespace buffon;
using testing::ExactTarget;
using testing::level;

namespace {

/// The bracket of a density with heavy tails must be long where it grows by its own length only.
double width_for(const ExactTarget& target) { return target.name.starts_with("Cauchy") ? 200 : 0; }

/// The kernel with rules of its own.
template <class Rules>
class PolarWith final : public SliceKernel {
 public:
  PolarWith(std::shared_ptr<const LogDensity> density, double width) : SliceKernel(std::move(density)), width_(width) {}
  Index normals() const override { return dimension(); }

 private:
  void represent() override {
    state_.represent(point_, frame_, *probe_);
    if constexpr (requires { rules_.begin(); }) rules_.begin();
  }
  void transition(ItemDraws& draws) override {
    slices::polar_step(
        rules_, state_, frame_, *probe_, counts_, {.width = width_, .least = 0}, draws, log_density_, [this](double a, double b) { return probe(a, b); },
        [this](double a, double b, double value) { accept(a, b, value); });
  }

  double width_;
  Rules rules_;
  slices::PolarState state_;
};

/// Slices of r^(d − Less) p in place of r^(d − 1) p.
template <int Less>
struct PowerLess : slices::PolarRules {
  static double exponent(double d) { return d - Less; }
};
struct NoPower : slices::PolarRules {
  static double exponent(double) { return 0; }
};
/// The level of an iteration is the one that the iteration before has drawn.
struct LateLevel : slices::PolarRules {
  double kept = std::numeric_limits<double>::quiet_NaN();
  double level(double height, double exponential) {
    const double drawn = height - exponential, before = std::exchange(kept, drawn);
    return std::isnan(before) ? drawn : before;
  }
};
/// The level of an iteration belongs to the point of the iteration before.
struct LatePoint : slices::PolarRules {
  double kept = std::numeric_limits<double>::quiet_NaN();
  void begin() { kept = std::numeric_limits<double>::quiet_NaN(); }
  double level(double height, double exponential) {
    const double before = std::exchange(kept, height);
    return (std::isnan(before) ? height : before) - exponential;
  }
};
/// The first level of a chain is kept for ever.
struct OneLevel : slices::PolarRules {
  double kept = std::numeric_limits<double>::quiet_NaN();
  void begin() { kept = std::numeric_limits<double>::quiet_NaN(); }
  double level(double height, double exponential) {
    if (std::isnan(kept)) kept = height - exponential;
    return kept;
  }
};
/// Brackets shrink towards their middle, or to one side, wherever the current point is.
struct ShrinkToMiddle : slices::PolarRules {
  static double anchor(double, double lower, double upper) { return 0.5 * (lower + upper); }
};
struct ShrinkUpwards : slices::PolarRules {
  static double anchor(double, double, double upper) { return upper; }
};

template <class Rules>
double p_with(const ExactTarget& target, double width, std::uint64_t transitions = 2) {
  PolarWith<Rules> kernel(target.density, width);
  return testing::invariance_p(target, kernel, 7, testing::exact_starts, transitions);
}

/// The law after 30 transitions from one common point.
template <class Rules>
double p_from_one_point(const ExactTarget& target) {
  PolarWith<Rules> kernel(target.density, 1);
  Eigen::MatrixXd x = Eigen::MatrixXd::Constant(kernel.dimension(), testing::exact_starts, 0.8);
  testing::move_all(kernel, x, Stream(8).child("moves"), 30);
  return testing::least_p(target, x, Stream(8).child("fresh"));
}

testing::MakeKernel make(const PolarSliceOptions& options = {}) {
  return [options](std::shared_ptr<const LogDensity> density) { return std::make_unique<PolarSlice>(std::move(density), options); };
}
testing::MakeKernel make_framed() {
  return [](std::shared_ptr<const LogDensity> density) {
    auto kernel = std::make_unique<PolarSlice>(std::move(density));
    kernel->set_frame(testing::crooked_frame(kernel->dimension()));
    return kernel;
  };
}

constexpr PolarSliceOptions doubled{.expand = PolarSliceOptions::Expansion::doubling};

/// Values of a function of the point along one chain.
Eigen::VectorXd trace(SliceKernel& kernel, const Eigen::VectorXd& start, Index n, const std::function<double(const Eigen::VectorXd&)>& of) {
  kernel.start(start);
  ItemDraws draws(Stream(21), kernel.normals());
  Eigen::VectorXd values(n);
  for (Index t = 0; t < n; ++t) {
    testing::run(kernel, draws, static_cast<std::uint64_t>(t), static_cast<std::uint64_t>(t) + 1);
    values(t) = of(kernel.point());
  }
  return values;
}

/// p value of the mean of a chain, its standard error from the integrated autocorrelation time.
double chain_mean_p(const Eigen::VectorXd& values, double expected) {
  const double mean = values.mean(), n = static_cast<double>(values.size());
  const double variance = (values.array() - mean).square().mean();
  return testing::z_test_p(mean, expected, std::sqrt(variance * integrated_autocorrelation_time(values) / n));
}

}  // namespace

TEST_CASE("cosine and sine of an angle are right to the last bits") {
  double worst = 0;
  for (int i = -70000; i <= 70000; ++i) {
    const double omega = 1e-4 * i + 1e-9;
    double cosine, sine;
    slices::circle_point(omega, cosine, sine);
    worst = std::max({worst, std::abs(cosine - std::cos(omega)), std::abs(sine - std::sin(omega))});
  }
  CHECK(worst < 3e-16);
}

TEST_CASE("the logarithm of a radius is right to the last bits, at both ends of the line too") {
  const double infinity = std::numeric_limits<double>::infinity(), epsilon = std::numeric_limits<double>::epsilon();
  double worst = 0;
  const auto compare = [&](double r) { worst = std::max(worst, std::abs(slices::log_radius(r) - std::log(r)) / std::abs(std::log(r))); };
  for (int i = 1; i <= 30000; ++i) {
    for (const int sign : {-1, 1}) {
      compare(std::exp(1e-4 * sign * i));
      compare(std::exp(0.0236 * sign * i));
    }
  }
  for (const double r : {5e-324, 1e-310, 0x1p-1022, 1e-300, 1e300, std::numeric_limits<double>::max()}) compare(r);
  CHECK(worst <= 2 * epsilon);
  CHECK(slices::log_radius(1) == 0);
  CHECK(slices::log_radius(0) == -infinity);
  CHECK(slices::log_radius(infinity) == infinity);
  CHECK(std::isnan(slices::log_radius(-1)));
  CHECK(std::isnan(slices::log_radius(std::numeric_limits<double>::quiet_NaN())));
}

// Level 1e-6 for each (target, options): the least p value of the target's laws times their number.
TEST_CASE("polar slice sampling leaves every target invariant") {
  std::uint64_t seed = 1;
  for (const ExactTarget& target : testing::exact_targets()) {
    CAPTURE(target.name);
    PolarSlice plain(target.density, {.width = width_for(target)});
    CHECK(testing::invariance_p(target, plain, ++seed) > level);
    CHECK(plain.counts().stuck == 0);
    PolarSlice doubling(target.density, doubled);
    CHECK(testing::invariance_p(target, doubling, ++seed) > level);
    PolarSlice limited(target.density, {.max_expansions = 2});
    CHECK(testing::invariance_p(target, limited, ++seed) > level);
    PolarSlice both(target.density, {.width = 0.3, .expand = PolarSliceOptions::Expansion::doubling, .max_expansions = 3});
    CHECK(testing::invariance_p(target, both, ++seed) > level);
    PolarSlice framed(target.density, {.width = 100 * width_for(target)});
    framed.set_frame(testing::crooked_frame(framed.dimension()));
    CHECK(testing::invariance_p(target, framed, ++seed) > level);
  }
}

TEST_CASE("the same test rejects wrong rules of polar slice sampling") {
  const ExactTarget normal = testing::standard_gaussian(5), mixture = testing::gaussian_mixture(), box = testing::box(), rings = testing::rings();
  // The template is the kernel: the same bits, and the exact rules pass on these targets and widths.
  PolarSlice kernel(mixture.density, {.width = 1});
  CHECK(p_with<slices::PolarRules>(mixture, 1) == testing::invariance_p(mixture, kernel, 7));
  CHECK(p_with<slices::PolarRules>(normal, 1) > level);
  CHECK(p_with<slices::PolarRules>(box, 1) > level);
  CHECK(p_with<slices::PolarRules>(rings, 4) > level);
  CHECK(p_with<slices::PolarRules>(normal, 1, 5) > level);

  CHECK(p_with<NoPower>(normal, 1) < level);
  CHECK(p_with<PowerLess<2>>(normal, 1) < level);
  CHECK(p_with<PowerLess<0>>(normal, 1) < level);
  CHECK(p_with<LateLevel>(mixture, 1) < level);
  CHECK(p_with<LateLevel>(box, 1) < level);
  CHECK(p_with<LatePoint>(normal, 1, 5) < level);
  // Where the slice of a ray is one interval these two are exact as well; the rings have two.
  CHECK(p_with<ShrinkToMiddle>(rings, 4) < level);
  CHECK(p_with<ShrinkUpwards>(rings, 4) < level);
}

// With a level that is never renewed (x, t) stays in its law for ever, so no exact start can tell; a chain from elsewhere never gets there.
TEST_CASE("chains from one common point reach the target, with a level that is kept they do not") {
  const ExactTarget normal = testing::standard_gaussian(5);
  CHECK(p_with<OneLevel>(normal, 1) > level);
  CHECK(p_from_one_point<slices::PolarRules>(normal) > level);
  CHECK(p_from_one_point<OneLevel>(normal) < level);
}

TEST_CASE("polar slice sampling counts its evaluations and keeps what it evaluated") {
  const ExactTarget target = testing::shifted_gaussian();
  const Eigen::VectorXd start = Eigen::Vector4d(1, -2, 3, 0.5);
  testing::check_counts(make(), target.density, start, 4);
  // Where the lower end is the centre nothing is evaluated there.
  testing::check_counts(make({.width = 20}), testing::standard_gaussian(5).density, Eigen::VectorXd::Ones(5), 3);
  testing::check_counts(make(doubled), target.density, start, 4);
  testing::check_counts(make_framed(), target.density, start, 4);
  testing::check_value(make(), target.density, start);
  testing::check_value(make_framed(), target.density, start);
}

TEST_CASE("a step of polar slice sampling is a function of state, stream and item") {
  const ExactTarget target = testing::shifted_gaussian();
  const Eigen::VectorXd start = Eigen::Vector4d(1, -2, 3, 0.5);
  testing::check_bits(make(), target.density, start);
  testing::check_bits(make(doubled), target.density, start);
  testing::check_bits(make_framed(), target.density, start);
}

TEST_CASE("polar slice sampling ends with a message or a count where a density is hopeless") {
  const Eigen::VectorXd start = Eigen::Vector3d(0.6, 0, -0.8);
  testing::check_protection(make(), start);
  testing::check_protection(make(doubled), start);
  testing::check_protection(make_framed(), start);

  const auto flat = make_log_density(3, [](const Eigen::VectorXd&) { return 0.0; });
  for (const PolarSliceOptions& options : {PolarSliceOptions{}, doubled}) {
    PolarSlice improper(flat, options);
    improper.start(start);
    ItemDraws draws(Stream(1), 3);
    draws.begin(0);
    const std::string message = testing::message_of([&] { improper.step(draws); }, ErrorCategory::numeric);
    CHECK(message.find("seems unbounded. Is the target proper?") != std::string::npos);
    CHECK(improper.counts().evaluations < 10100);
  }
  const std::string origin = testing::message_of([&] { PolarSlice(flat).start(Eigen::Vector3d::Zero()); }, ErrorCategory::configuration);
  CHECK(origin.find("polar coordinates are singular") != std::string::npos);
  CHECK_FALSE(testing::message_of([] { PolarSlice(make_log_density(1, [](const Eigen::VectorXd&) { return 0.0; })); }, ErrorCategory::configuration).empty());
  CHECK_FALSE(testing::message_of([&] { PolarSlice(flat, {.width = -1}); }, ErrorCategory::configuration).empty());
  CHECK_FALSE(testing::message_of([&] { PolarSlice(flat, {.max_expansions = -1}); }, ErrorCategory::configuration).empty());
}

TEST_CASE("a chain at the centre of a new frame goes on") {
  const ExactTarget target = testing::standard_gaussian(5);
  PolarSlice kernel(target.density);
  const Eigen::VectorXd start = Eigen::VectorXd::Constant(5, 0.5);
  kernel.start(start);
  kernel.set_frame(AffineFrame::translation(start));
  ItemDraws draws(Stream(5), 5);
  testing::run(kernel, draws, 0, 100);
  CHECK(kernel.point() != start);
  CHECK(kernel.counts().stuck == 0);
}

// Level 1e-6 per chain mean. Figures of the paper: IAT(log r) 8.59 on the Cauchy, IAT(r) 1.09 on the disk.
TEST_CASE("polar slice sampling has the moments and the autocorrelation times of its paper") {
  SUBCASE("Cauchy, d = 100") {
    PolarSlice kernel(testing::cauchy(100).density, {.width = 100, .expand = PolarSliceOptions::Expansion::doubling});
    Eigen::VectorXd beyond(100000);
    Index t = 0;
    const Eigen::VectorXd log_radius = trace(kernel, Eigen::VectorXd::Ones(100), beyond.size(), [&](const Eigen::VectorXd& x) {
      const double r = x.norm();
      beyond(t++) = r > 14.7721 && x(0) > 0 ? 1 : 0;
      return std::log(r);
    });
    CHECK(integrated_autocorrelation_time(log_radius) < 10);
    CHECK(chain_mean_p(beyond, 0.25) > level);
  }
  SUBCASE("hyperplane disk, d = 200") {
    constexpr Index d = 200;
    const auto density = make_log_density(d, [](const Eigen::VectorXd& x) { return -x.sum() * x.sum() - x.squaredNorm(); });
    Eigen::VectorXd start = Eigen::VectorXd::Ones(d);
    start(d - 1) = 1 - d;
    PolarSlice kernel(density, {.width = 20});
    const Eigen::VectorXd square = trace(kernel, start * (10 / start.norm()), 10000, [](const Eigen::VectorXd& x) { return x.squaredNorm(); });
    CHECK(integrated_autocorrelation_time(square.cwiseSqrt()) < 1.3);
    CHECK(chain_mean_p(square, 0.5 * (d - 1) + 0.5 / (1 + d)) > level);
  }
  SUBCASE("axial modes") {
    for (const Index d : {10, 50}) {
      const auto density = make_log_density(d, [](const Eigen::VectorXd& x) { return 4 * std::log(x.cwiseAbs().maxCoeff()) - x.cwiseAbs().sum(); });
      Eigen::VectorXd start = Eigen::VectorXd::Ones(d);
      start(0) = 5;
      PolarSlice kernel(density, {.width = 10});
      const Eigen::VectorXd length = trace(kernel, start, 20000, [=](const Eigen::VectorXd& x) { return x.cwiseAbs().sum(); });
      CHECK(chain_mean_p(length, static_cast<double>(d) + 4) > level);
    }
  }
}

// Level 1e-6. The spread of a law of scale 1e-10 around the centre; a radius that was kept above 1e-8 would make it useless.
TEST_CASE("polar slice sampling works at any scale") {
  const double scale = 1e-10;
  PolarSlice kernel(make_log_density(2, [=](const Eigen::VectorXd& x) { return -0.5 * (x / scale).squaredNorm(); }), {.width = scale});
  const Eigen::VectorXd square = trace(kernel, Eigen::Vector2d(2e-8, 0), 20000, [=](const Eigen::VectorXd& x) { return (x / scale).squaredNorm(); });
  CHECK(chain_mean_p(square.tail(19900), 2) > level);
  CHECK(kernel.counts().stuck == 0);
}

TEST_CASE("chains that were not started, draws of another size and no density are refused") {
  PolarSlice kernel(testing::standard_gaussian(3).density);
  ItemDraws draws(Stream(1), 3), few(Stream(2), 1);
  draws.begin(0);
  CHECK(testing::message_of([&] { kernel.step(draws); }, ErrorCategory::usage).find("has not been started") != std::string::npos);
  kernel.start(Eigen::Vector3d(1, 0, 0));
  few.begin(0);
  CHECK(testing::message_of([&] { kernel.step(few); }, ErrorCategory::usage).find("normals per item") != std::string::npos);
  CHECK_FALSE(testing::message_of([] { PolarSlice(nullptr); }, ErrorCategory::usage).empty());
}
