// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/samplers/weighted_subsets.hpp>

#include "outcome_law.hpp"

#include <cmath>
#include <numeric>

#include <doctest/doctest.h>

#include <buffon/core/error.hpp>
#include <buffon/linalg/vector_math.hpp>
#include <buffon/parallel/context.hpp>
#include <buffon/random/variates.hpp>
#include <memory_archive.hpp>

using namespace buffon;
using testing::law_p;
using testing::level;
using testing::OutcomeLaw;

namespace {

std::vector<std::int64_t> rows_of(const std::vector<KeyedRow>& keyed) {
  std::vector<std::int64_t> rows;
  for (const KeyedRow& k : keyed) rows.push_back(k.row);
  return rows;
}

/// χ² of the first k rows by keys key(stream, row, weight) against successive sampling.
double p_of_keys(const std::vector<double>& weights, Index k, std::uint64_t seed, double (*key)(const Stream&, Index, double)) {
  const Stream root(seed);
  return law_p(testing::successive_law(weights, static_cast<std::size_t>(k)), 60000, [&](std::uint64_t run) {
    const Stream stream = root.child("run", run);
    TopKeys top(k);
    for (std::size_t i = 0; i < weights.size(); ++i) top.offer(static_cast<Index>(i), key(stream, static_cast<Index>(i), weights[i]));
    return rows_of(top.sorted());
  });
}

std::vector<double> spread_weights(Index n, double decades, std::uint64_t seed) {
  std::vector<double> w(static_cast<std::size_t>(n));
  Stream(seed).fill_uniforms(0, w);
  for (double& x : w) x = std::pow(10, decades * (x - 0.5));
  return w;
}

}  // namespace

TEST_CASE("the greatest Gumbel keys are successive draws without replacement, in their order") {
  const std::vector<double> weights = {1, 2, 0, 3, 0.5, 1.5};
  CHECK(p_of_keys(weights, 1, 1, gumbel_key) > level);
  CHECK(p_of_keys(weights, 3, 2, gumbel_key) > level);
  CHECK(p_of_keys(weights, 5, 3, gumbel_key) > level);
  // weight forgotten, a uniform in place of the exponential, a Gumbel variable of the other sign
  CHECK(p_of_keys(weights, 3, 4, [](const Stream& s, Index row, double w) { return w > 0 ? gumbel_key(s, row, 1) : -INFINITY; }) < level);
  CHECK(p_of_keys(weights, 3, 5, [](const Stream& s, Index row, double w) {
          return std::log(w) - std::log(-std::expm1(-exponential(s, static_cast<std::uint64_t>(row))));
        }) < level);
  CHECK(p_of_keys(weights, 3, 6, [](const Stream& s, Index row, double w) { return std::log(w) + std::log(exponential(s, static_cast<std::uint64_t>(row))); }) <
        level);
}

TEST_CASE("keys of shards and of any number of threads give the same subset") {
  const std::vector<double> weights = spread_weights(100000, 6, 9);
  const Stream stream(31);
  Context one(1), three(3);
  const KeyedSubset subset = gumbel_top_k(weights, 50, stream, one), again = gumbel_top_k(weights, 50, stream, three);
  CHECK(rows_of(subset.rows) == rows_of(again.rows));
  CHECK(subset.next_key == again.next_key);
  TopKeys shards[3] = {TopKeys(51), TopKeys(51), TopKeys(51)};
  for (Index row = 99999; row >= 0; --row) shards[row % 3].offer(row, gumbel_key(stream, row, weights[static_cast<std::size_t>(row)]));
  shards[2].merge(shards[0]);
  TopKeys loaded(1);
  testing::restore(loaded, testing::state_of(shards[2]));
  loaded.merge(shards[1]);
  std::vector<KeyedRow> merged = loaded.sorted();
  CHECK(merged.back().key == subset.next_key);
  CHECK(loaded.threshold() == subset.next_key);
  merged.pop_back();
  CHECK(rows_of(merged) == rows_of(subset.rows));
}

TEST_CASE("inclusion probabilities of successive sampling equal those of the enumerated law") {
  const auto example = successive_inclusion(std::vector<double>{1, 2, 3}, 2);
  CHECK(example[0] == doctest::Approx(5.0 / 12).scale(0).epsilon(1e-12));
  CHECK(example[1] == doctest::Approx(11.0 / 15).scale(0).epsilon(1e-12));
  CHECK(example[2] == doctest::Approx(0.85).scale(0).epsilon(1e-12));
  const std::vector<double> weights = {1e-4, 0.3, 7, 0, 1, 250, 2.5};
  for (std::size_t k = 1; k <= 6; ++k) {
    const auto exact = testing::inclusion_of(testing::successive_law(weights, k), weights.size());
    const auto computed = successive_inclusion(weights, static_cast<Index>(k));
    for (std::size_t i = 0; i < weights.size(); ++i) CHECK(computed[i] == doctest::Approx(exact[i]).scale(1).epsilon(1e-11));
  }
  for (const Index k : {1, 20, 150, 299}) {
    const auto inclusion = successive_inclusion(spread_weights(300, 6, 3), k);
    CHECK(std::accumulate(inclusion.begin(), inclusion.end(), 0.0) == doctest::Approx(static_cast<double>(k)).scale(0).epsilon(1e-11));
  }
}

TEST_CASE("the approximation of inclusion probabilities adds up to k and comes near with n") {
  double before = 1;
  for (const Index n : {10, 100, 1000}) {
    const auto weights = spread_weights(n, 2, 5);
    const auto exact = successive_inclusion(weights, n / 5), near = successive_inclusion_approximate(weights, n / 5);
    CHECK(std::accumulate(near.begin(), near.end(), 0.0) == doctest::Approx(static_cast<double>(n / 5)).scale(0).epsilon(1e-10));
    double worst = 0;
    for (std::size_t i = 0; i < weights.size(); ++i) worst = std::max(worst, std::abs(near[i] / exact[i] - 1));
    CHECK(worst < before / 4);  // the error falls as 1/k
    before = worst;
  }
  CHECK(before < 0.01);
}

TEST_CASE("totals weighted by inclusion given the others are unbiased, with an unbiased variance") {
  const std::vector<double> weights = spread_weights(40, 1.5, 8);
  double truth = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) truth += std::sqrt(weights[i]);
  const Stream root(77);
  Context context(1);
  std::vector<double> totals, excess, wrong_threshold, wrong_inclusion;
  const auto overall = successive_inclusion_approximate(weights, 6);
  for (std::uint64_t run = 0; run < 20000; ++run) {
    const KeyedSubset subset = gumbel_top_k(weights, 6, root.child("run", run), context);
    KeyedSubset late = subset;
    late.next_key = subset.rows.back().key;  // the k-th key, not the one after
    double total = 0, variance = 0, wrong = 0, other = 0;
    for (const KeyedRow& kept : subset.rows) {
      const double w = weights[static_cast<std::size_t>(kept.row)], x = std::sqrt(w), pi = subset.inclusion_given_others(w);
      total += x / pi;
      variance += (1 - pi) * (x / pi) * (x / pi);
      wrong += x / late.inclusion_given_others(w);
      other += x / std::sqrt(overall[static_cast<std::size_t>(kept.row)]);
    }
    totals.push_back(total);
    excess.push_back((total - truth) * (total - truth) - variance);
    wrong_threshold.push_back(wrong);
    wrong_inclusion.push_back(other);
  }
  CHECK(testing::mean_p(totals, truth) > level);
  CHECK(testing::mean_p(excess, 0) > level);
  CHECK(testing::mean_p(wrong_threshold, truth) < level);
  CHECK(testing::mean_p(wrong_inclusion, truth) < level);
}

TEST_CASE("proportional inclusion is k w / sum, with the heavy rows sure") {
  CHECK(proportional_inclusion(std::vector<double>{1, 2, 3, 4}, 2) == std::vector<double>{0.2, 0.4, 0.6, 0.8});
  CHECK(proportional_inclusion(std::vector<double>{1, 1, 2, 6, 40}, 3) == std::vector<double>{0.25, 0.25, 0.5, 1, 1});
  CHECK(proportional_inclusion(std::vector<double>{0, 5, 0.1}, 2) == std::vector<double>{0, 1, 1});
  const auto many = proportional_inclusion(spread_weights(1000, 5, 2), 300);
  CHECK(std::accumulate(many.begin(), many.end(), 0.0) == doctest::Approx(300).scale(0).epsilon(1e-12));
}

TEST_CASE("a systematic subset includes every row with its probability, whatever the order") {
  const std::vector<double> inclusion = {0.25, 0.75, 1, 0, 0.5, 0.5, 0.125, 0.875};  // 4
  const std::vector<Index> order = {7, 1, 3, 5, 2, 0, 6, 4};
  for (const bool ordered : {false, true}) {
    std::vector<double> mean(inclusion.size());
    for (int j = 0; j < 800; ++j) {
      auto rows = systematic_subset(inclusion, (j + 0.5) / 800, ordered ? std::span<const Index>(order) : std::span<const Index>());
      CHECK(rows.size() == 4);
      for (const Index row : rows) mean[static_cast<std::size_t>(row)] += 1.0 / 800;
      std::sort(rows.begin(), rows.end());
      CHECK(std::adjacent_find(rows.begin(), rows.end()) == rows.end());
    }
    for (std::size_t i = 0; i < mean.size(); ++i)
      CHECK(mean[i] == doctest::Approx(inclusion[i]).scale(1).epsilon(1e-12));  // multiples of 1/8: exact on the grid
  }
}

TEST_CASE("samples are allocated to groups by largest remainders") {
  CHECK(proportional_allocation(std::vector<std::int64_t>{50, 30, 20}, 10) == std::vector<std::int64_t>{5, 3, 2});
  CHECK(proportional_allocation(std::vector<std::int64_t>{1, 1, 1}, 2) == std::vector<std::int64_t>{1, 1, 0});
  CHECK(proportional_allocation(std::vector<std::int64_t>{6, 3, 0, 2}, 4) == std::vector<std::int64_t>{2, 1, 0, 1});
  CHECK(proportional_allocation(std::vector<std::int64_t>{3, 4}, 7) == std::vector<std::int64_t>{3, 4});
}

TEST_CASE("every stratified subset is equally likely") {
  const std::vector<std::int32_t> groups = {0, 1, 0, 1, 1, 0, 0};
  OutcomeLaw law;
  for (std::int64_t a = 0; a < 7; ++a) {
    for (std::int64_t b = a + 1; b < 7; ++b) {
      for (std::int64_t c = 0; c < 7; ++c) {
        if (groups[static_cast<std::size_t>(a)] == 0 && groups[static_cast<std::size_t>(b)] == 0 && groups[static_cast<std::size_t>(c)] == 1) {
          law[{a, b, c}] = 1.0 / 18;
        }
      }
    }
  }
  const Stream root(3);
  const auto p = [&](auto subset) {
    return law_p(law, 20000, [&](std::uint64_t run) {
      std::vector<std::int64_t> rows = subset(run);
      if (rows[0] > rows[1]) std::swap(rows[0], rows[1]);
      return rows;
    });
  };
  CHECK(p([&](std::uint64_t run) {
          const auto rows = stratified_subset(groups, std::vector<std::int64_t>{2, 1}, root.child("run", run));
          return std::vector<std::int64_t>(rows.begin(), rows.end());
        }) > level);
  CHECK(p([&](std::uint64_t run) {  // one item for both groups: the row of the second follows that of the first
          const Stream stream = root.child("wrong", run);
          std::vector<std::int64_t> rows;
          for (const Index j : sample_without_replacement(stream, 0, 4, 2)) rows.push_back(std::vector<std::int64_t>{0, 2, 5, 6}[static_cast<std::size_t>(j)]);
          for (const Index j : sample_without_replacement(stream, 0, 3, 1)) rows.push_back(std::vector<std::int64_t>{1, 3, 4}[static_cast<std::size_t>(j)]);
          return rows;
        }) < level);
}

TEST_CASE("subsets that cannot be are refused") {
  Context context(1);
  const std::vector<double> weights = {1, 0, 2};
  CHECK_THROWS_WITH_AS(gumbel_top_k(weights, 3, Stream(1), context), doctest::Contains("positive weight, 2"), Error);
  CHECK_THROWS_AS(gumbel_top_k(weights, 0, Stream(1), context), Error);
  CHECK_THROWS_AS(successive_inclusion(std::vector<double>{1, -2}, 1), Error);
  CHECK_THROWS_AS(proportional_inclusion(std::vector<double>{0, 0}, 1), Error);
  CHECK_THROWS_WITH_AS(systematic_subset(std::vector<double>{0.5, 0.75}, 0.5), doctest::Contains("must be whole"), Error);
  CHECK_THROWS_AS(systematic_subset(std::vector<double>{1.5, 0.5}, 0.5), Error);
  CHECK_THROWS_AS(systematic_subset(std::vector<double>{0.5, 0.5}, 0.5, std::vector<Index>{0}), Error);
  CHECK_THROWS_AS(proportional_allocation(std::vector<std::int64_t>{1, 2}, 4), Error);
  CHECK_THROWS_AS(stratified_subset(std::vector<std::int32_t>{0, 0, 1}, std::vector<std::int64_t>{1, 2}, Stream(1)), Error);
  CHECK_THROWS_AS(stratified_subset(std::vector<std::int32_t>{0, 2}, std::vector<std::int64_t>{1, 0}, Stream(1)), Error);
}
