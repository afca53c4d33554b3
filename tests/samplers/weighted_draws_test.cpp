// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/samplers/weighted_draws.hpp>

#include "outcome_law.hpp"

#include <cmath>

#include <doctest/doctest.h>

#include <buffon/core/error.hpp>
#include <buffon/random/alias.hpp>
#include <buffon/random/variates.hpp>

using namespace buffon;
using testing::law_p;
using testing::level;
using testing::OutcomeLaw;

namespace {

using Counts = std::vector<std::int64_t>;

/// Law of the counts of independent pieces, piece j putting one draw on row i with probability p[j][i].
OutcomeLaw law_of_pieces(const std::vector<std::vector<double>>& p) {
  OutcomeLaw law{{Counts(p.front().size()), 1}};
  for (const auto& piece : p) {
    OutcomeLaw next;
    for (const auto& [counts, so_far] : law) {
      for (std::size_t i = 0; i < piece.size(); ++i) {
        if (piece[i] == 0) continue;
        Counts more = counts;
        ++more[i];
        next[more] += so_far * piece[i];
      }
    }
    law = std::move(next);
  }
  return law;
}

const std::vector<double> weights = {1, 2.5, 0, 4, 0.5};  // 8 in all
constexpr std::int64_t m = 3;

OutcomeLaw multinomial_law() { return law_of_pieces(std::vector(m, std::vector<double>{0.125, 0.3125, 0, 0.5, 0.0625})); }
/// m p = (0.375, 0.9375, 0, 1.5, 0.1875): one copy of row 3, and two draws by the fractions.
OutcomeLaw residual_law() {
  OutcomeLaw law;
  for (const auto& [drawn, p] : law_of_pieces(std::vector(2, std::vector<double>{0.1875, 0.46875, 0, 0.25, 0.09375}))) {
    Counts counts = drawn;
    ++counts[3];
    law[counts] += p;
  }
  return law;
}
/// Shares of the cumulative 0.375, 1.3125, 1.3125, 2.8125, 3 in each of the pieces [0, 1), [1, 2), [2, 3).
OutcomeLaw stratified_law() { return law_of_pieces({{0.375, 0.625, 0, 0, 0}, {0, 0.3125, 0, 0.6875, 0}, {0, 0, 0, 0.8125, 0.1875}}); }

double p_of(const OutcomeLaw& law, Counts (*scheme)(std::span<const double>, std::int64_t, const Stream&), std::uint64_t seed) {
  const Stream root(seed);
  return law_p(law, 40000, [&](std::uint64_t run) { return scheme(weights, m, root.child("run", run)); });
}

}  // namespace

TEST_CASE("a tree of weights gives every row its share of the line, whatever its depth") {
  for (const std::size_t n : {1u, 2u, 31u, 32u, 33u, 1500u, 33000u}) {
    std::vector<double> w(n);
    double total = 0;
    for (std::size_t i = 0; i < n; ++i) total += w[i] = i % 3 == 1 && n > 1 ? 0 : static_cast<double>(1 + i % 5);
    const WeightTree tree(w);
    CHECK(tree.total() == total);
    std::vector<double> hits(n);
    for (std::int64_t j = 0; j < static_cast<std::int64_t>(total); ++j) ++hits[static_cast<std::size_t>(tree.at((static_cast<double>(j) + 0.5) / total))];
    CHECK(hits == w);
  }
}

TEST_CASE("a tree of weights that was changed is the tree of the final weights") {
  const Stream stream(5);
  std::vector<double> w(2000);
  stream.child("weights").fill_uniforms(0, w);
  WeightTree changed(w);
  std::vector<double> values(6000), u(5000);
  stream.child("values").fill_uniforms(0, values);
  stream.child("points").fill_uniforms(0, u);
  for (std::size_t j = 0; j < values.size(); ++j) {
    const auto row = uniform_integer(stream.peek("rows"), j, w.size());
    w[row] = j % 4 == 0 ? 0 : 1e6 * values[j];
    changed.set(static_cast<Index>(row), w[row]);
  }
  const WeightTree fresh(w);
  CHECK(changed.total() == fresh.total());
  for (const double point : u) REQUIRE(changed.at(point) == fresh.at(point));
}

TEST_CASE("a tree of weights never draws a row of weight 0, not even at the ends of the line") {
  std::vector<double> w(100);
  w[40] = 1e-300;
  w[70] = 3e-17;
  const WeightTree tree(w);
  CHECK(tree.at(0x1p-54) == 70);
  CHECK(tree.at(1 - 0x1p-53) == 70);
  const WeightTree tenths(std::vector<double>{0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0});
  CHECK(tenths.at(1 - 0x1p-53) == 9);
}

TEST_CASE("the tree and the tables of the random module draw by one law") {
  OutcomeLaw law, shifted;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    if (weights[i] > 0) law[{static_cast<std::int64_t>(i)}] = weights[i] / 8;
    if (weights[i] > 0) shifted[{static_cast<std::int64_t>((i + 1) % weights.size())}] = weights[i] / 8;  // sums off by one row
  }
  const Stream stream(17);
  const WeightTree tree(weights);
  const AliasTable alias(weights);
  const CumulativeTable cumulative(weights);
  const std::int64_t runs = 40000;
  const auto draw = [&](const auto& table, const char* name) {
    return [&table, s = stream.child(name)](std::uint64_t run) { return Counts{table.draw(s, run)}; };
  };
  CHECK(law_p(law, runs, draw(tree, "tree")) > level);
  CHECK(law_p(law, runs, draw(alias, "alias")) > level);
  CHECK(law_p(law, runs, draw(cumulative, "cumulative")) > level);
  CHECK(law_p(shifted, runs, draw(tree, "again")) < level);
}

TEST_CASE("draws of many at once have the law of their scheme, and not that of another") {
  CHECK(p_of(multinomial_law(), multinomial_counts, 1) > level);
  CHECK(p_of(residual_law(), residual_counts, 2) > level);
  CHECK(p_of(stratified_law(), stratified_counts, 3) > level);
  CHECK(p_of(residual_law(), multinomial_counts, 4) < level);
  CHECK(p_of(multinomial_law(), residual_counts, 5) < level);
  CHECK(p_of(multinomial_law(), stratified_counts, 6) < level);
  // the point of the piece before is used again
  CHECK(p_of(
            stratified_law(),
            [](std::span<const double> w, std::int64_t n, const Stream& s) { return systematic_counts(w, n, s.peek("u").id() * 0x1p-32 + 0x1p-40); },
            7) < level);
}

TEST_CASE("systematic draws are the whole numbers around m p, with mean m p over all places") {
  for (const std::int64_t draws : {1, 3, 7, 16}) {
    std::vector<double> mean(weights.size());
    const int places = 1600;  // the cumulative m p are multiples of 1/16: the mean over a grid that halves them is exact
    for (int j = 0; j < places; ++j) {
      const Counts counts = systematic_counts(weights, draws, (j + 0.5) / places);
      std::int64_t sum = 0;
      for (std::size_t i = 0; i < counts.size(); ++i) {
        const double expected = static_cast<double>(draws) * weights[i] / 8;
        CHECK(std::abs(static_cast<double>(counts[i]) - expected) < 1);
        mean[i] += static_cast<double>(counts[i]) / places;
        sum += counts[i];
      }
      CHECK(sum == draws);
    }
    for (std::size_t i = 0; i < mean.size(); ++i) CHECK(mean[i] == doctest::Approx(static_cast<double>(draws) * weights[i] / 8).scale(1).epsilon(1e-12));
  }
}

TEST_CASE("variances of counts stay below their bounds") {
  const std::vector<double> w = {3, 1, 4, 1, 5, 9, 2, 6};  // 31
  const Stream root(23);
  std::vector<double> variance(w.size());
  const int runs = 20000;
  for (int r = 0; r < runs; ++r) {
    const Counts counts = stratified_counts(w, 20, root.child("run", static_cast<std::uint64_t>(r)));
    for (std::size_t i = 0; i < w.size(); ++i) variance[i] += std::pow(static_cast<double>(counts[i]) - 20 * w[i] / 31, 2) / runs;
  }
  // Sample variances of 20,000 runs are within 6 standard errors, at most 6 √(2 / 20000) of themselves for counts that are nearly two-valued, of the true ones.
  for (const double v : variance) CHECK(v <= 0.5 * 1.06);
  CHECK(*std::max_element(variance.begin(), variance.end()) > 0.2);  // and there is something to bound
}

TEST_CASE("rows of counts repeat every row") {
  CHECK(rows_of_counts(Counts{2, 0, 1}) == std::vector<Index>{0, 0, 2});
  CHECK(rows_of_counts(Counts{}).empty());
  CHECK(systematic_counts(weights, 0, 0.5) == Counts(5));
  CHECK(residual_counts(std::vector<double>{1, 1, 2}, 4, Stream(1)) == Counts{1, 1, 2});
}

TEST_CASE("weights that are no weights are refused by name") {
  const double nan = std::nan("");
  CHECK_THROWS_WITH_AS(WeightTree(std::vector<double>{1, -1}), doctest::Contains("weights[1] = -1"), Error);
  CHECK_THROWS_WITH_AS(WeightTree(std::vector<double>{}), doctest::Contains("at least 1"), Error);
  CHECK_THROWS_AS(WeightTree(std::vector<double>{0, 0}).at(0.5), Error);
  CHECK_THROWS_AS(WeightTree(std::vector<double>{1, 1}).set(0, nan), Error);
  CHECK_THROWS_AS(systematic_counts(std::vector<double>{0, 0}, 2, 0.5), Error);
  CHECK_THROWS_AS(systematic_counts(weights, 2, 1), Error);
  CHECK_THROWS_AS(systematic_counts(weights, -1, 0.5), Error);
  CHECK_THROWS_AS(stratified_counts(std::vector<double>{1, nan}, 2, Stream(1)), Error);
  CHECK_THROWS_AS(residual_counts(std::vector<double>{1e308, 1e308}, 2, Stream(1)), Error);
}
