// SPDX-License-Identifier: BSD-3-Clause
#include "../../samplers/src/chain_starts.hpp"

#include <buffon/core/error.hpp>

#include <doctest/doctest.h>
#include <statistical.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

using namespace buffon;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

/// log p = 0 where all coordinates are above `bound`, else `outside`.
Target corner(Index d, double bound, StartPolicy start, double outside = -infinity) {
  auto density = make_log_density(d, [=](const Eigen::VectorXd& x) { return x.minCoeff() > bound ? 0.0 : outside; });
  return Target(density, {{.name = "theta", .size = d}}, std::move(start));
}

ChainStart start_of(const Target& target, std::int64_t chain, std::uint64_t seed = 1) {
  return find_start(target, chain, Stream(seed).child("start", static_cast<std::uint64_t>(chain)), "test_chains", {});
}

std::string refusal(const Target& target, ErrorCategory category = ErrorCategory::configuration) {
  try {
    start_of(target, 2);
  } catch (const Error& error) {
    CHECK(error.category() == category);
    return error.what();
  }
  FAIL("started");
  return {};
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("overdispersed starts are uniform within the radius") {
  const Target target = corner(1, -infinity, {.radius = 3});
  std::vector<double> x, shifted;
  for (std::int64_t c = 0; c < 2000; ++c) {
    x.push_back(start_of(target, c).point(0));
    shifted.push_back(x.back() + 0.4);
  }
  const auto uniform = [](double v) { return std::clamp((v + 3) / 6, 0.0, 1.0); };
  CHECK(testing::ks_p(x, uniform) > testing::level);
  CHECK(testing::ks_p(shifted, uniform) < testing::level);
}

TEST_CASE("starts outside the support are drawn again, counted, and follow the law given the support") {
  const Target target = corner(2, 0.5, {});
  std::int64_t evaluations = 0;
  for (std::int64_t c = 0; c < 500; ++c) {
    const ChainStart start = start_of(target, c);
    CHECK(start.point.minCoeff() > 0.5);
    CHECK(start.point.maxCoeff() < 2);
    CHECK(start.log_density == 0);
    CHECK(start.spent.undefined == 0);
    evaluations += start.spent.evaluations;
  }
  // Geometric with success 9/64: mean 64/9, standard deviation √(1 − p) / p = 6.59.
  CHECK(testing::z_test_p(static_cast<double>(evaluations), 500 * 64.0 / 9, 6.59 * std::sqrt(500.0)) > testing::level);
  CHECK(testing::z_test_p(static_cast<double>(evaluations), 500 * 64.0 / 16, 6.59 * std::sqrt(500.0)) < testing::level);
}

TEST_CASE("where no start is found the message names chain, point, density and remedy") {
  const std::string text = refusal(corner(2, 5, {.retries = 9}));
  CHECK(contains(text, "starting chain 3 of test_chains"));
  CHECK(contains(text, "theta.1 = "));
  CHECK(contains(text, "has log density -inf, the last of 10 points drawn"));
  CHECK(contains(text, "kind = \"given\""));
  CHECK(contains(refusal(corner(2, 5, {}, std::nan(""))), "has log density nan"));
  CHECK(contains(refusal(corner(2, 5, {}, infinity), ErrorCategory::numeric), "no chain could ever leave"));
}

TEST_CASE("NaN at a start is counted and drawn again") {
  std::int64_t undefined = 0, evaluations = 0;
  for (std::int64_t c = 0; c < 100; ++c) {
    const ChainStart start = start_of(corner(1, 1, {}, std::nan("")), c);
    undefined += start.spent.undefined;
    evaluations += start.spent.evaluations;
  }
  CHECK(undefined > 100);
  CHECK(undefined == evaluations - 100);
}

TEST_CASE("given points are one for all chains or one for each, inside constraints and support") {
  const auto at = [](double a, double b) { return Eigen::VectorXd(Eigen::Vector2d(a, b)); };
  StartPolicy start{.kind = StartPolicy::Kind::given, .points = {at(1, 2)}};
  CHECK(start_of(corner(2, 0, start), 2).point == at(1, 2));
  start.points = {at(1, 2), at(3, 4), at(5, 6)};
  CHECK(start_of(corner(2, 0, start), 2).point == at(5, 6));
  check_starts(corner(2, 0, start), 3, "test_chains");
  CHECK_THROWS_WITH_AS(check_starts(corner(2, 0, start), 4, "test_chains"), doctest::Contains("one for all chains, or one for each of 4"), Error);
  start.points[1] = Eigen::VectorXd::Ones(3);
  CHECK_THROWS_AS(check_starts(corner(2, 0, start), 3, "test_chains"), Error);
  start.points = {at(-1, 2)};
  CHECK(contains(refusal(corner(2, 0, start)), "start = (theta.1 = -1, theta.2 = 2) has log density -inf; a chain must begin"));

  const auto flat = make_log_density(1, [](const Eigen::VectorXd&) { return 0.0; });
  start.points = {Eigen::VectorXd::Constant(1, 2)};
  const Parameter positive{.name = "s", .constraint = Constraint::lower, .lower = 0};
  CHECK(start_of(Target(flat, {positive}, start), 0).point(0) == doctest::Approx(std::log(2.0)));
  start.points = {Eigen::VectorXd::Constant(1, -2)};
  CHECK_THROWS_AS(check_starts(Target(flat, {positive}, start), 4, "test_chains"), Error);
}

TEST_CASE("starts drawn from a law follow it, and points outside a constraint are drawn again") {
  const StartPolicy start{.kind = StartPolicy::Kind::law, .law = JointLaw({{"s", Marginal()}})};
  const auto flat = make_log_density(1, [](const Eigen::VectorXd&) { return 0.0; });
  const Target free(flat, {{.name = "s"}}, start), positive(flat, {{.name = "s", .constraint = Constraint::lower, .lower = 0}}, start);
  std::vector<double> x, s;
  for (std::int64_t c = 0; c < 2000; ++c) {
    x.push_back(start_of(free, c).point(0));
    s.push_back(std::exp(start_of(positive, c).point(0)));
  }
  const auto truncated = [](double v) { return std::max(0.0, 2 * testing::normal_cdf(v) - 1); };
  CHECK(testing::ks_p(x, testing::normal_cdf) > testing::level);
  CHECK(testing::ks_p(s, truncated) > testing::level);
  CHECK(testing::ks_p(x, truncated) < testing::level);
}

TEST_CASE("starts on a sphere are unit vectors of uniform direction") {
  const auto flat = make_log_density(3, [](const Eigen::VectorXd&) { return 0.0; });
  const Target target(flat, {{.name = "u", .size = 3, .constraint = Constraint::unit_vector}});
  std::vector<double> height;
  for (std::int64_t c = 0; c < 2000; ++c) {
    const Eigen::VectorXd u = start_of(target, c).point;
    CHECK(u.norm() == doctest::Approx(1).scale(0).epsilon(1e-14));
    height.push_back(u(2));
  }
  // Archimedes: the height of a uniform point of the sphere is uniform.
  CHECK(testing::ks_p(height, [](double v) { return std::clamp((v + 1) / 2, 0.0, 1.0); }) > testing::level);
}
