// SPDX-License-Identifier: BSD-3-Clause
#include "../../estimators/src/nested_run.hpp"

#include <cmath>
#include <string>

#include <doctest/doctest.h>

#include "../support/memory_archive.hpp"

using namespace buffon;

TEST_CASE("the largest deviations hold their share of the sum of squares") {
  SquareHistogram squares;
  for (int i = 0; i < 999; ++i) squares.add(1.0);
  squares.add(-1000.0);  // 1e6 of 1e6 + 999
  CHECK(squares.share_of_largest(1) == doctest::Approx(1e6 / (1e6 + 999)).scale(0).epsilon(1e-12));
  CHECK(squares.share_of_largest(1000) == doctest::Approx(1).scale(0).epsilon(1e-12));
  CHECK(squares.share_of_largest(500.5) == doctest::Approx((1e6 + 499.5) / (1e6 + 999)).scale(0).epsilon(1e-12));
}

TEST_CASE("a histogram of squares is saved by its occupied bins and loads to the same bits") {
  SquareHistogram squares, other;
  for (int i = 1; i < 40; ++i) squares.add(std::exp(0.1 * i));
  other.add(1e-70);
  const std::string saved = testing::state_of(squares);
  CHECK(saved.size() < 400);
  testing::restore(other, saved);
  CHECK(testing::state_of(other) == saved);
  CHECK(other.share_of_largest(3) == squares.share_of_largest(3));

  SquareHistogram empty;
  testing::restore(other, testing::state_of(empty));
  CHECK(testing::state_of(other) == testing::state_of(empty));
}
