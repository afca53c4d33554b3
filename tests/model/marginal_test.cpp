// SPDX-License-Identifier: BSD-3-Clause
#include <doctest/doctest.h>

#include <buffon/model/marginal.hpp>
#include <buffon/stats/normal.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

#include "law_cases.hpp"

using namespace buffon;

namespace {

constexpr double epsilon = std::numeric_limits<double>::epsilon();

/// The score u may move by what half a unit in the last place of x moves it (|du/dx| = f/φ(u)), and by rounding of the functions.
double score_tolerance(const Marginal& law, double u, double x) {
  const double per_x = std::exp(law.log_pdf(x) - log_normal_pdf(u));
  return 8 * epsilon * std::abs(x) * per_x + 2e-13 * std::max(1.0, std::abs(u));
}

}  // namespace

TEST_CASE("scores come back from the middle and from both tails") {
  for (const auto& [name, law, tails] : law_cases()) {
    for (const double u : {-37.0, -20.0, -8.0, -3.0, -1.0, -0.1, 0.0, 0.3, 1.0, 3.0, 8.0, 20.0, 37.0}) {
      const double x = law.from_standard(u);
      const bool at_end = x == law.support_min() || x == law.support_max();
      CAPTURE(name);
      CAPTURE(u);
      CAPTURE(x);
      CHECK(std::isfinite(x));
      if (tails) CHECK_FALSE(at_end);
      if (at_end) continue;
      CHECK(std::abs(law.to_standard(x) - u) <= score_tolerance(law, u, x));
    }
  }
}
