// SPDX-License-Identifier: BSD-3-Clause
#include "../../estimators/src/nested_copies.hpp"

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <buffon/model/nested_problem.hpp>

#include "../support/memory_archive.hpp"

using namespace buffon;

TEST_CASE("levels have the geometric law, cut where it is told to be") {
  const LevelLaw whole(0.6, 3);
  CHECK(whole.probability(0) == doctest::Approx(0.6));
  CHECK(whole.probability(4) == doctest::Approx(0.6 * std::pow(0.4, 4)));
  CHECK(whole.mean_children() == doctest::Approx(3 * 0.6 / (1 - 0.8)));  // Σ r (1 − r)^n 2^n
  CHECK(LevelLaw(0.5, 1).mean_children() == std::numeric_limits<double>::infinity());

  const LevelLaw two(0.6, 1, 1, 2);  // 0.24 : 0.096
  CHECK(two.probability(1) == doctest::Approx(0.24 / 0.336));
  CHECK(two.probability(2) == doctest::Approx(0.096 / 0.336));
  CHECK(two.mean_children() == doctest::Approx((2 * 0.24 + 4 * 0.096) / 0.336));
}

TEST_CASE("a level is the quantile of its law at the uniform") {
  const LevelLaw law(0.6, 1);
  std::vector<double> cells(4, 0.0);
  constexpr int n = 10000;
  for (int i = 0; i < n; ++i) {
    const std::int64_t level = law.level((i + 0.5) / n);
    if (level < 4) cells[static_cast<std::size_t>(level)] += 1.0 / n;
  }
  for (std::size_t k = 0; k < 4; ++k) CHECK(cells[k] == doctest::Approx(law.probability(static_cast<std::int64_t>(k))).scale(0).epsilon(2.0 / n / 0.03));
  CHECK(LevelLaw(0.6, 1, 2, 2).level(0.999) == 2);
}

TEST_CASE("the first copies are the same, however many follow, and the tally counts every node and loads to the same bits") {
  const auto problem = named_nested_problem("sin_gaussian").make();
  const std::vector<LevelLaw> laws(static_cast<std::size_t>(problem->depth()), LevelLaw(0.7, 1));
  Context context(1);
  const auto run = [&](Index copies, LevelTally& tally) {
    Eigen::VectorXd values(copies);
    NestedCopies(*problem, laws).run(context, Stream(5), values, tally);
    return values;
  };
  LevelTally small(problem->depth() + 1), large(problem->depth() + 1);
  const Eigen::VectorXd first = run(100, small), all = run(300, large);
  CHECK(first == all.head(100));

  std::int64_t roots = 0;
  for (std::int64_t level = 0; level <= large.highest(0); ++level) roots += large.at(0, level).nodes;
  CHECK(roots == 300);
  CHECK(small.leaves < large.leaves);

  const std::string saved = testing::state_of(large);
  CHECK(saved.size() < 4000);
  LevelTally loaded;
  testing::restore(loaded, saved);
  CHECK(testing::state_of(loaded) == saved);
  CHECK(loaded.at(0, 1).sum_squares == large.at(0, 1).sum_squares);
}
