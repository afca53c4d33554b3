// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <chrono>
#include <cmath>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <buffon/core/error.hpp>
#include <buffon/samplers/slice_kernel.hpp>
#include <memory_archive.hpp>

/// What every slice kernel promises, whatever its slices.
namespace buffon::testing {

using MakeKernel = std::function<std::unique_ptr<SliceKernel>(std::shared_ptr<const LogDensity>)>;

inline void run(SliceKernel& kernel, ItemDraws& draws, std::uint64_t first, std::uint64_t last) {
  for (std::uint64_t t = first; t < last; ++t) {
    draws.begin(t);
    kernel.step(draws);
  }
}

/// The message of the error that `body` throws, with its category; empty without.
template <class Body>
std::string message_of(Body&& body, ErrorCategory category) {
  try {
    body();
  } catch (const Error& error) {
    CHECK(error.category() == category);
    return error.what();
  }
  return {};
}

/// Evaluations are counted as the density sees them; the point is one that it saw last of those accepted, with its value.
inline void check_counts(const MakeKernel& make, const std::shared_ptr<const LogDensity>& density, const Eigen::VectorXd& start, std::int64_t least) {
  std::int64_t calls = 0;
  std::vector<Eigen::VectorXd> seen;
  const auto counted = make_log_density(density->dimension(), [&](const Eigen::VectorXd& x) {
    ++calls;
    seen.push_back(x);
    return density->at(x, {});
  });
  const auto kernel = make(counted);
  kernel->start(start);
  CHECK(calls == 1);
  ItemDraws draws(Stream(11), kernel->normals());
  std::int64_t fewest = std::numeric_limits<std::int64_t>::max();
  for (std::uint64_t t = 0; t < 500; ++t) {
    const std::int64_t before = calls;
    seen = {kernel->point()};
    draws.begin(t);
    kernel->step(draws);
    fewest = std::min(fewest, calls - before);
    REQUIRE(std::find(seen.begin(), seen.end(), kernel->point()) != seen.end());
  }
  CHECK(kernel->counts().evaluations == calls);
  CHECK(kernel->counts().steps == 500);
  CHECK(kernel->counts().stuck == 0);
  CHECK(kernel->counts().undefined == 0);
  CHECK(fewest == least);
}

/// The value kept is that of the point, bit for bit.
inline void check_value(const MakeKernel& make, const std::shared_ptr<const LogDensity>& density, const Eigen::VectorXd& start) {
  const auto kernel = make(density);
  kernel->start(start);
  ItemDraws draws(Stream(12), kernel->normals());
  for (std::uint64_t t = 0; t < 250; ++t) {
    run(*kernel, draws, t, t + 1);
    REQUIRE(kernel->log_density() == density->at(kernel->point(), {}));
  }
}

/// A step is a function of state, stream and item: other items visited between change nothing; a chain that was saved and loaded gives the
/// bits of one that was not.
inline void check_bits(const MakeKernel& make, const std::shared_ptr<const LogDensity>& density, const Eigen::VectorXd& start) {
  const auto one = make(density), other = make(density), loaded = make(density);
  one->start(start);
  other->start(start);
  ItemDraws draws(Stream(13), one->normals());
  for (std::uint64_t t = 0; t < 130; ++t) {
    run(*one, draws, t, t + 1);
    ItemDraws fresh(Stream(13), one->normals());
    fresh.begin(1000 - t);
    fresh.uniform();
    run(*other, fresh, t, t + 1);
    REQUIRE(one->point() == other->point());
  }
  one->refresh();
  const std::string saved = state_of(*one);
  restore(*loaded, saved);
  CHECK(state_of(*loaded) == saved);
  run(*one, draws, 130, 400);
  run(*loaded, draws, 130, 400);
  CHECK(one->point() == loaded->point());
  CHECK(state_of(*one) == state_of(*loaded));
}

/// Densities at which a naive sampler hangs or goes wrong silently. `start` has length 1.
inline void check_protection(const MakeKernel& make, const Eigen::VectorXd& start) {
  const Index d = start.size();
  const auto of = [&](auto function) { return make(make_log_density(d, function)); };
  const auto run_all = [&](SliceKernel& kernel) {
    kernel.start(start);
    ItemDraws draws(Stream(14), kernel.normals());
    run(kernel, draws, 0, 1000);
  };
  constexpr double infinity = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();

  const std::string infinite = message_of(
      [&] { run_all(*of([&](const Eigen::VectorXd& x) { return x(0) < start(0) - 0.05 ? infinity : -0.5 * x.squaredNorm(); })); }, ErrorCategory::numeric);
  CHECK(infinite.find("is infinite at (") != std::string::npos);

  const auto undefined = of([&](const Eigen::VectorXd& x) { return x(1) > start(1) + 0.1 ? nan : -0.5 * x.squaredNorm(); });
  run_all(*undefined);
  CHECK(undefined->counts().undefined > 100);
  CHECK(undefined->point()(1) <= start(1) + 0.1);

  for (const double value : {nan, infinity, -infinity}) {
    const std::string outside = message_of([&] { of([&](const Eigen::VectorXd&) { return value; })->start(start); }, ErrorCategory::configuration);
    CHECK(outside.find("must be finite at the start (") != std::string::npos);
  }
  CHECK_FALSE(message_of([&] { of([](const Eigen::VectorXd&) { return 0.0; })->start(nan * start); }, ErrorCategory::configuration).empty());
  CHECK_FALSE(message_of([&] { of([](const Eigen::VectorXd&) { return 0.0; })->start(Eigen::VectorXd::Zero(d + 1)); }, ErrorCategory::configuration).empty());

  // Nothing but a speck around the start is inside: most proposals are refused, and every update ends.
  const auto speck = of([&](const Eigen::VectorXd& x) { return (x - start).norm() < 1e-9 ? 0.0 : -infinity; });
  run_all(*speck);
  CHECK(speck->counts().evaluations < 1000 * 1000 * static_cast<std::int64_t>(d));
  CHECK((speck->point() - start).norm() < 1e-9);

  // A density that is not a function: the current point is outside of its own slice, updates end as stuck.
  const auto changing = of([calls = std::make_shared<int>(0)](const Eigen::VectorXd&) { return (*calls)++ == 0 ? 0.0 : -infinity; });
  run_all(*changing);
  CHECK(changing->counts().stuck >= 1000);
  CHECK(changing->point() == start);
}

}  // namespace buffon::testing
