// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/samplers/reservoirs.hpp>

#include "outcome_law.hpp"

#include <cmath>
#include <functional>

#include <doctest/doctest.h>

#include <buffon/core/error.hpp>
#include <memory_archive.hpp>

using namespace buffon;
using testing::law_p;
using testing::level;
using testing::OutcomeLaw;

namespace {

using Rows = std::vector<std::int64_t>;

/// All subsets of k of n, equally likely.
OutcomeLaw subsets(std::int64_t n, std::size_t k) {
  OutcomeLaw law;
  Rows chosen;
  const std::function<void(std::int64_t)> extend = [&](std::int64_t next) {
    if (chosen.size() == k) {
      law[chosen] = 1;
      return;
    }
    for (std::int64_t i = next; i < n; ++i) {
      chosen.push_back(i);
      extend(i + 1);
      chosen.pop_back();
    }
  };
  extend(0);
  for (auto& [subset, p] : law) p = 1.0 / static_cast<double>(law.size());
  return law;
}

Rows sorted(Rows rows) {
  std::sort(rows.begin(), rows.end());
  return rows;
}

/// Uniforms of a run, one after the other.
struct Uniforms {
  Stream stream;
  std::uint64_t used = 0;
  double next() {
    double u = 0;
    stream.fill_uniforms(used++, {&u, 1});
    return u;
  }
};

enum class Fault { none, gap_short, never_lowered, clock_not_conditioned, gap_by_old_latest };

/// Algorithm L written out, with faults.
Rows plain_l(std::int64_t n, std::size_t k, Uniforms u, Fault fault) {
  Rows kept;
  double greatest = std::pow(u.next(), 1 / static_cast<double>(k));
  std::int64_t i = 0;
  for (; i < static_cast<std::int64_t>(k); ++i) kept.push_back(i);
  --i;
  while (true) {
    i += static_cast<std::int64_t>(std::floor(std::log(u.next()) / std::log1p(-greatest))) + (fault == Fault::gap_short ? 0 : 1);
    if (fault == Fault::gap_short) i = std::max(i, static_cast<std::int64_t>(k));
    if (i >= n) return sorted(kept);
    if (fault != Fault::gap_short || kept[0] != i) kept[static_cast<std::size_t>(u.next() * static_cast<double>(k))] = i;
    if (fault == Fault::gap_short) ++i;
    if (fault != Fault::never_lowered) greatest *= std::pow(u.next(), 1 / static_cast<double>(k));
  }
}

/// A-ExpJ written out, with faults; rows by time.
Rows plain_exp_j(const std::vector<double>& weights, std::size_t k, Uniforms u, Fault fault) {
  std::vector<std::pair<double, std::int64_t>> kept;
  double left = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const double w = weights[i];
    if (kept.size() == k && (left -= w) > 0) continue;
    double time = -std::log(u.next()) / w;
    double latest = 0;
    if (kept.size() == k) {
      latest = kept.back().first;
      if (fault != Fault::clock_not_conditioned) time = -std::log1p(-std::exp(-w * time) * -std::expm1(-w * latest)) / w;
      kept.pop_back();
    }
    kept.emplace_back(time, static_cast<std::int64_t>(i));
    std::sort(kept.begin(), kept.end());
    if (kept.size() == k) left = -std::log(u.next()) / (fault == Fault::gap_by_old_latest && latest > 0 ? latest : kept.back().first);
  }
  Rows rows;
  for (const auto& [time, row] : kept) rows.push_back(row);
  return rows;
}

const std::vector<double> weights = {1, 2, 0.5, 3, 1.5, 0.25, 2.5, 4};

}  // namespace

TEST_CASE("algorithm L keeps every subset with the same probability") {
  const OutcomeLaw law = subsets(9, 3);
  const std::int64_t runs = 60000;
  const Stream root(1);
  CHECK(law_p(law, runs, [&](std::uint64_t run) {
          UniformReservoir reservoir(3, root.child("run", run));
          for (std::int64_t row = 0; row < 9; ++row) reservoir.push(row);
          return sorted(reservoir.rows());
        }) > level);
  const auto p = [&](Fault fault, const char* name) {
    return law_p(law, runs, [&](std::uint64_t run) { return plain_l(9, 3, Uniforms{root.child(name, run)}, fault); });
  };
  CHECK(p(Fault::none, "plain") > level);
  CHECK(p(Fault::gap_short, "short") < level);
  CHECK(p(Fault::never_lowered, "lowered") < level);
}

TEST_CASE("rows that are skipped and rows that are pushed leave the same reservoir") {
  const Stream stream(4);
  UniformReservoir pushed(20, stream.peek("reservoir")), jumped(20, stream.peek("reservoir"));
  const std::int64_t n = 200000;
  for (std::int64_t row = 0; row < n; ++row) pushed.push(row);
  std::int64_t calls = 0;
  while (jumped.seen() < n) {
    jumped.skip(std::min(jumped.passed_over(), n - jumped.seen()));
    if (jumped.seen() < n) jumped.push(jumped.seen());
    ++calls;
  }
  CHECK(jumped.rows() == pushed.rows());
  CHECK(testing::state_of(jumped) == testing::state_of(pushed));
  CHECK(calls < 20 * (1 + std::log(n / 20.0)) + 6 * std::sqrt(20 * std::log(n / 20.0)) + 20);  // about k log(n/k) replacements, a Poisson number
  CHECK_THROWS_AS(jumped.skip(jumped.passed_over() + 1), Error);
}

TEST_CASE("a reservoir of more rows than any machine counts comes to rest") {
  UniformReservoir reservoir(1, Stream(8).child("reservoir"));
  while (reservoir.seen() < (std::int64_t{1} << 61)) {
    reservoir.skip(std::min(reservoir.passed_over(), (std::int64_t{1} << 61) - reservoir.seen()));
    reservoir.push(reservoir.seen());
  }
  CHECK(reservoir.rows().size() == 1);
}

TEST_CASE("exponential jumps keep rows as successive sampling draws them") {
  const std::int64_t runs = 120000;
  const Stream root(2);
  for (const std::size_t k : {1u, 3u}) {
    CAPTURE(k);
    const OutcomeLaw law = testing::successive_law(weights, k);
    CHECK(law_p(law, runs, [&](std::uint64_t run) {
            WeightedReservoir reservoir(static_cast<Index>(k), root.child("run", 2 * run + k / 3));
            for (std::size_t i = 0; i < weights.size(); ++i) {
              reservoir.push(static_cast<std::int64_t>(i), weights[i]);
              reservoir.push(-1, 0);
            }
            return reservoir.rows();
          }) > level);
    const auto p = [&](Fault fault, const char* name) {
      return law_p(law, runs, [&](std::uint64_t run) { return plain_exp_j(weights, k, Uniforms{root.child(name, 2 * run + k / 3)}, fault); });
    };
    CHECK(p(Fault::none, "plain") > level);
    CHECK(p(Fault::clock_not_conditioned, "clock") < level);
    CHECK(p(Fault::gap_by_old_latest, "latest") < level);
  }
}

TEST_CASE("a weighted reservoir goes on after saving as if nothing had happened, and counts what it saw") {
  const Stream stream(6);
  WeightedReservoir whole(7, stream.peek("reservoir"));
  WeightedReservoir parts[2] = {WeightedReservoir(7, stream.peek("reservoir")), WeightedReservoir(7, stream.peek("reservoir"))};
  UniformReservoir l(7, stream.peek("l"));
  UniformReservoir l_parts[2] = {UniformReservoir(7, stream.peek("l")), UniformReservoir(7, stream.peek("l"))};
  for (std::int64_t row = 0; row < 3000; ++row) {
    const double w = std::exp(std::sin(static_cast<double>(row)) * 5);
    whole.push(row, w);
    l.push(row);
    parts[row % 2].push(row, w);
    l_parts[row % 2].push(row);
    if (row % 97 == 0 || row < 20) {
      testing::restore(parts[(row + 1) % 2], testing::state_of(parts[row % 2]));
      testing::restore(l_parts[(row + 1) % 2], testing::state_of(l_parts[row % 2]));
    } else {
      parts[(row + 1) % 2].push(row, w);
      l_parts[(row + 1) % 2].push(row);
    }
  }
  CHECK(whole.seen() == 3000);
  CHECK(parts[1].rows() == whole.rows());
  CHECK(testing::state_of(parts[1]) == testing::state_of(whole));
  CHECK(testing::state_of(l_parts[0]) == testing::state_of(l));
  CHECK(whole.weight_seen() > 0);
}

TEST_CASE("the keys of a weighted reservoir are those of Gumbel variables: the greatest has the law of its maximum") {
  // The first of all clocks rings at an exponential time of rate Σ w.
  const Stream root(12);
  std::vector<double> first, wrong;
  for (std::uint64_t run = 0; run < 4000; ++run) {
    WeightedReservoir reservoir(2, root.child("run", run));
    double total = 0;
    for (std::size_t i = 0; i < weights.size(); ++i) {
      reservoir.push(static_cast<std::int64_t>(i), weights[i]);
      total += weights[i];
    }
    first.push_back(std::exp(-reservoir.sorted().front().key) * total);
    wrong.push_back(std::exp(-reservoir.sorted().back().key) * total);
  }
  const auto cdf = [](double t) { return -std::expm1(-t); };
  CHECK(testing::ks_p(first, cdf) > level);
  CHECK(testing::ks_p(wrong, cdf) < level);
}

TEST_CASE("short streams keep all rows; sizes and weights that cannot be are refused") {
  UniformReservoir few(5, Stream(1).child("few"));
  WeightedReservoir weighted(5, Stream(1).child("weighted"));
  CHECK(few.rows().empty());
  for (std::int64_t row = 0; row < 3; ++row) {
    few.push(row);
    weighted.push(row, 1);
  }
  CHECK(few.rows() == Rows{0, 1, 2});
  CHECK(sorted(weighted.rows()) == Rows{0, 1, 2});
  CHECK_THROWS_AS(UniformReservoir(0, Stream(1).child("none")), Error);
  CHECK_THROWS_WITH_AS(weighted.push(4, -2), doctest::Contains("weights[4] = -2"), Error);
  CHECK_THROWS_AS(weighted.push(4, INFINITY), Error);
}
