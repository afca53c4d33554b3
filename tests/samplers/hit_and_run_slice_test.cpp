// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/samplers/hit_and_run_slice.hpp>

#include "invariance.hpp"

#include <doctest/doctest.h>

using namespace buffon;
using testing::ExactTarget;
using testing::level;

namespace {

/// The bracket of a density with heavy tails must be long where it grows by its own length only.
double width_for(const ExactTarget& target) { return target.name.starts_with("Cauchy") ? 200 : 0; }

}  // namespace

TEST_CASE("hit-and-run slice sampling leaves every target invariant") {
  std::uint64_t seed = 100;
  for (const ExactTarget& target : testing::exact_targets()) {
    CAPTURE(target.name);
    HitAndRunSlice plain(target.density, {.width = width_for(target)});
    CHECK(testing::invariance_p(target, plain, ++seed) > level);
    CHECK(plain.counts().stuck == 0);
    HitAndRunSlice limited(target.density, {.max_expansions = 2});
    CHECK(testing::invariance_p(target, limited, ++seed) > level);
    HitAndRunSlice framed(target.density, {.width = 100 * width_for(target)});
    framed.set_frame(testing::crooked_frame(framed.dimension()));
    CHECK(testing::invariance_p(target, framed, ++seed) > level);
  }
}
