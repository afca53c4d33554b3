// SPDX-License-Identifier: BSD-3-Clause
#include "../../samplers/src/seeding/centre_rule.hpp"
#include "../../samplers/src/seeding/kmeans_parallel.hpp"
#include "outcome_law.hpp"

#include <cmath>
#include <limits>
#include <vector>

#include <doctest/doctest.h>

#include <buffon/parallel/context.hpp>
#include <memory_archive.hpp>

using namespace buffon;
using testing::law_p;
using testing::level;
using testing::OutcomeLaw;

namespace {

using Rows = std::vector<std::int64_t>;

const std::vector<double> places = {0, 1, 4, 6, 11};
const std::vector<double> row_weights = {1, 2, 0.5, 0.8, 1.5};

std::shared_ptr<const DataSet> points(bool weighted) {
  return DataSet::from_points(Eigen::Map<const Eigen::MatrixXd>(places.data(), 1, static_cast<Index>(places.size())),
                              weighted ? row_weights : std::vector<double>{});
}

double squared_to(std::size_t row, const Rows& centres) {
  double least = std::numeric_limits<double>::infinity();
  for (const std::int64_t c : centres) least = std::min(least, std::pow(places[row] - places[static_cast<std::size_t>(c)], 2));
  return least;
}

enum class Fault { none, with_replacement_probability, no_masses, no_fill };

/// The whole law of k centres: rounds of independent inclusions from the first, masses of the candidates, weighted k-means++.
struct WholeLaw {
  double expected;
  int rounds;
  std::size_t k;
  bool weighted;
  Fault fault = Fault::none;
  OutcomeLaw law = {};

  double weight(std::size_t row) const { return weighted ? row_weights[row] : 1; }

  OutcomeLaw from(std::int64_t first) {
    law.clear();
    oversample({first}, 0, 1, first);
    return law;
  }
  void oversample(const Rows& candidates, int round, double p, std::int64_t first) {
    double total = 0;
    for (std::size_t i = 0; i < places.size(); ++i) total += weight(i) * squared_to(i, candidates);
    if (round == rounds || total == 0) return reduce(candidates, {first}, p);
    std::vector<double> in(places.size());
    for (std::size_t i = 0; i < places.size(); ++i) {
      const double mean = expected * weight(i) * squared_to(i, candidates) / total;
      in[i] = fault == Fault::with_replacement_probability ? -std::expm1(-mean) : std::min(1.0, mean);
    }
    for (unsigned set = 0; set < 1u << places.size(); ++set) {
      double q = p;
      Rows more = candidates;
      for (std::size_t i = 0; i < places.size(); ++i) {
        const bool taken = (set >> i & 1) != 0;
        q *= taken ? in[i] : 1 - in[i];
        if (taken) more.push_back(static_cast<std::int64_t>(i));
      }
      if (q > 0) oversample(more, round + 1, q, first);
    }
  }
  void reduce(const Rows& candidates, const Rows& chosen, double p) {
    if (chosen.size() == k) {
      law[chosen] += p;
      return;
    }
    std::vector<double> share(places.size());
    double total = 0;
    for (std::size_t i = 0; i < places.size(); ++i) {
      std::int64_t nearest = candidates.front();
      for (const std::int64_t c : candidates) {
        if (squared_to(i, {c}) < squared_to(i, {nearest})) nearest = c;
      }
      const auto at = static_cast<std::size_t>(nearest);
      const double mass = fault == Fault::no_masses ? (static_cast<std::size_t>(nearest) == i ? 1 : 0) : weight(i);
      share[at] += mass * squared_to(at, chosen);
      total += mass * squared_to(at, chosen);
    }
    if (total == 0) {
      if (fault == Fault::no_fill) return;
      for (std::size_t i = 0; i < places.size(); ++i) total += share[i] = weight(i) * squared_to(i, chosen);
    }
    for (std::size_t i = 0; i < places.size(); ++i) {
      if (share[i] == 0) continue;
      Rows more = chosen;
      more.push_back(static_cast<std::int64_t>(i));
      reduce(candidates, more, p * share[i] / total);
    }
  }
};

double p_of(const OutcomeLaw& law, const WholeLaw& of, std::int64_t first, std::uint64_t seed) {
  const Stream root(seed);
  const auto distances = std::make_shared<RowDistances>(points(of.weighted));
  KmeansSeedingOptions options;
  options.k = static_cast<std::int64_t>(of.k);
  options.rounds = of.rounds;
  options.oversampling = of.expected / static_cast<double>(of.k);
  Context context(1);
  return law_p(law, 40000, [&](std::uint64_t run) {
    const auto rule = make_kmeans_parallel_rule({distances, options, root.child("run", run)});
    SeedingCounts counts;
    std::vector<Index> chosen = {static_cast<Index>(first)};
    while (chosen.size() < of.k) chosen.push_back(*rule->next(chosen, counts, context));
    return Rows(chosen.begin(), chosen.end());
  });
}

}  // namespace

TEST_CASE("a round of k-means|| includes every row by itself with probability min(1, l w D / sum)") {
  const Stream root(1);
  Context context(1);
  for (const bool weighted : {false, true}) {
    NearestCentres nearest(std::make_shared<RowDistances>(points(weighted)));
    nearest.add(context, std::vector<Index>{1});
    for (const double expected : {0.5, 1.7, 4.0}) {
      CAPTURE(expected);
      const auto law = [&](double l) {
        OutcomeLaw all{{{}, 1}};
        for (std::size_t i = 0; i < places.size(); ++i) {
          const double p = std::min(1.0, l * (weighted ? row_weights[i] : 1) * squared_to(i, {1}) / nearest.total());
          OutcomeLaw next;
          for (const auto& [rows, q] : all) {
            Rows more = rows;
            more.push_back(static_cast<std::int64_t>(i));
            if (p < 1) next[rows] += q * (1 - p);
            if (p > 0) next[more] += q * p;
          }
          all = next;
        }
        return all;
      };
      const auto name = "round " + std::to_string(expected) + (weighted ? " weighted" : "");
      const auto draw = [&](std::uint64_t run) {
        const auto rows = oversampled_rows(nearest, expected, root.peek(name, run), context);
        return Rows(rows.begin(), rows.end());
      };
      CHECK(law_p(law(expected), 40000, draw) > level);
      CHECK(law_p(law(0.9 * expected), 40000, draw) < level);
    }
  }
}

TEST_CASE("k-means|| keeps one row and l more in every round, on average") {
  const Stream root(5);
  std::vector<double> numbers(600);
  root.child("points").fill_normals(0, numbers);
  const auto distances = std::make_shared<RowDistances>(DataSet::from_points(Eigen::Map<const Eigen::MatrixXd>(numbers.data(), 2, 300)));
  Context context(1);
  std::vector<double> kept;
  for (std::uint64_t run = 0; run < 3000; ++run) {
    NearestCentres nearest(distances);
    std::vector<Index> fresh = {0};
    for (std::uint64_t round = 0;; ++round) {
      nearest.add(context, fresh);
      if (round == 3) break;
      fresh = oversampled_rows(nearest, 4, root.peek("run", 3 * run + round), context);  // no share is near 1/4: nothing is cut off
    }
    kept.push_back(static_cast<double>(nearest.centres().size()));
  }
  CHECK(testing::mean_p(kept, 1 + 3 * 4) > level);
  CHECK(testing::mean_p(kept, 3 * 4) < level);
}

TEST_CASE("centres of k-means|| have the law of its rounds and of weighted k-means++ on what they kept") {
  std::uint64_t seed = 10;
  for (const bool weighted : {false, true}) {
    for (const double expected : {0.7, 2.0}) {
      for (const int rounds : {1, 2}) {
        CAPTURE(expected);
        CAPTURE(rounds);
        WholeLaw of{expected, rounds, 3, weighted};
        CHECK(p_of(of.from(2), of, 2, seed++) > level);
      }
    }
  }
}

TEST_CASE("the test rejects other inclusions, candidates without masses and a missing fill") {
  WholeLaw of{2, 1, 3, true};
  of.fault = Fault::with_replacement_probability;
  CHECK(p_of(of.from(2), of, 2, 101) < level);
  of.fault = Fault::no_masses;
  CHECK(p_of(of.from(2), of, 2, 102) < level);
  of.fault = Fault::no_fill;
  CHECK(p_of(of.from(2), of, 2, 103) < level);
}

TEST_CASE("k-means|| gives the same centres and counts on any number of threads, and after loading") {
  const Stream root(9);
  std::vector<double> numbers(3 * 20000);
  root.child("points").fill_normals(0, numbers);
  const auto distances = std::make_shared<RowDistances>(DataSet::from_points(Eigen::Map<const Eigen::MatrixXd>(numbers.data(), 3, 20000)));
  KmeansSeedingOptions options;
  options.k = 40;
  options.rounds = 2;
  options.oversampling = 0.4;  // too few candidates: the last centres are drawn from all rows
  const auto run = [&](int threads, bool reload) {
    Context context(threads);
    auto rule = make_kmeans_parallel_rule({distances, options, root.peek("rule")});
    std::vector<Index> chosen = {7};
    SeedingCounts counts;
    while (chosen.size() < 40) {
      if (reload) {
        auto loaded = make_kmeans_parallel_rule({distances, options, root.peek("rule")});
        testing::restore(*loaded, testing::state_of(*rule));
        rule = std::move(loaded);
      }
      chosen.push_back(*rule->next(chosen, counts, context));
    }
    return std::pair(chosen, std::vector{counts.trials, counts.distances});
  };
  const auto once = run(1, false);
  CHECK(run(3, false) == once);
  CHECK(run(2, true) == once);
  CHECK(once.second[0] == 39);
}
