// SPDX-License-Identifier: BSD-3-Clause
#include "seeding_cases.hpp"

#include "../../samplers/src/seeding/rejection_rule.hpp"

#include <buffon/core/error.hpp>
#include <buffon/samplers/kmeans_seeding.hpp>
#include <buffon/stats/outcome.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <memory_archive.hpp>
#include <numeric>
#include <set>
#include <statistical.hpp>

namespace buffon::testing {
namespace {

/// n points in d dimensions around 12 places, some of them far out.
Eigen::MatrixXd clusters(Index d, Index n, std::uint64_t seed) {
  const Eigen::MatrixXd places = normal_points(d, 12, seed + 1000, 6);
  Eigen::MatrixXd x = normal_points(d, n, seed);
  for (Index i = 0; i < n; ++i) x.col(i) += places.col(i % 12) * (i % 97 == 0 ? 5 : 1);
  return x;
}

const std::vector<SeedingAlgorithm> all_algorithms = {
    SeedingAlgorithm::snapshot,         SeedingAlgorithm::exact,  SeedingAlgorithm::pruned,          SeedingAlgorithm::rejection,
    SeedingAlgorithm::capped_rejection, SeedingAlgorithm::greedy, SeedingAlgorithm::kmeans_parallel, SeedingAlgorithm::afk_mc2};

KmeansSeedingResult seed(const SharedData& data, const KmeansSeedingOptions& options, std::uint64_t number = 1, int threads = 1) {
  Context context(threads);
  return kmeans_seeding(data, options, Stream(number), context);
}

std::string message_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

/// Trials per centre, for the algorithm that has them.
std::int64_t trials_of(SeedingAlgorithm algorithm, std::int64_t trials) {
  return algorithm == SeedingAlgorithm::capped_rejection ? trials : KmeansSeedingOptions{}.max_trials;
}

}  // namespace

TEST_CASE("pruned seeding chooses the rows of exact seeding, bit for bit, and spends fewer distances") {
  const Eigen::MatrixXd spread = clusters(5, 6000, 3), far = (clusters(11, 3000, 4).array() + 1e4).matrix();
  std::vector<double> weights(6000);
  for (std::size_t i = 0; i < weights.size(); ++i) weights[i] = static_cast<double>(i % 4);
  Eigen::MatrixXd repeated = clusters(2, 3000, 5);
  repeated = (repeated * 2).array().round().matrix();
  const std::vector<SharedData> sets = {single_rows(spread),
                                        DataSet::from_points(spread),
                                        single_rows(spread, weights),
                                        single_rows(far),
                                        single_rows(repeated),
                                        sparse_rows(repeated),
                                        single_rows(1e-12 * spread),
                                        single_rows(1e15 * spread),
                                        single_rows(clusters(1, 2000, 6))};
  for (std::size_t s = 0; s < sets.size(); ++s) {
    CAPTURE(s);
    const KmeansSeedingResult exact = seed(sets[s], {.k = 200, .algorithm = SeedingAlgorithm::exact, .labels = false});
    const KmeansSeedingResult pruned = seed(sets[s], {.k = 200, .algorithm = SeedingAlgorithm::pruned, .labels = false});
    CHECK(exact.rows == pruned.rows);
    CHECK(pruned.counts.distances < exact.counts.distances);
  }
}

TEST_CASE("drawing the uniform first gives the rows of comparing it with the least of all distances") {
  const SharedData data = single_rows(clusters(4, 2000, 7));
  Context context(1);
  const Stream stream(9);
  const auto distances = std::make_shared<RowDistances>(data);
  const auto rule = make_rejection_rule(parts_of(distances, stream));
  std::vector<Index> chosen = {17}, full = {17};
  SeedingCounts spent;
  for (int t = 1; t < 60; ++t) chosen.push_back(rule->next(chosen, spent, context).value());
  const NormProposals proposals(*distances, 17, stream.peek("trials"), context);
  std::int64_t trials = 0;
  for (std::size_t t = 1; t < 60; ++t) {
    for (std::int64_t j = 0;; ++j) {
      Trial trial;
      proposals.make(t, j, {&trial, 1});
      ++trials;
      double least = std::numeric_limits<double>::infinity();
      for (const Index c : full) least = std::min(least, distances->between(trial.row, c));
      if (!(trial.bound < least)) continue;
      full.push_back(trial.row);
      break;
    }
  }
  CHECK(full == chosen);
  CHECK(trials == spent.trials);
  CHECK(spent.distances < trials * 15);  // a full scan needs 30 per trial
}

TEST_CASE("rows, trials and counts do not depend on the number of threads") {
  const SharedData data = single_rows(clusters(3, 9000, 10));
  for (const SeedingAlgorithm algorithm : all_algorithms) {
    CAPTURE(static_cast<int>(algorithm));
    // few trials are accepted: many run at once
    const KmeansSeedingOptions options{.k = 160, .algorithm = algorithm, .max_trials = trials_of(algorithm, 3000), .labels = false};
    const KmeansSeedingResult one = seed(data, options, 2, 1);
    for (const int threads : {2, 3}) {
      const KmeansSeedingResult several = seed(data, options, 2, threads);
      CHECK(several.rows == one.rows);
      CHECK(several.trials == one.trials);
      CHECK(several.counts.distances == one.counts.distances);
      CHECK(several.counts.trials == one.counts.trials);
      CHECK(several.counts.refreshes == one.counts.refreshes);
      CHECK(several.counts.fall_backs == one.counts.fall_backs);
    }
  }
}

TEST_CASE("a seeding that is saved and loaded after every step ends with the same state") {
  const SharedData data = single_rows(clusters(3, 3000, 12));
  Context context(1);
  for (const SeedingAlgorithm algorithm : all_algorithms) {
    CAPTURE(static_cast<int>(algorithm));
    const KmeansSeedingOptions options{.k = 150, .algorithm = algorithm, .max_trials = trials_of(algorithm, 20), .lloyd_rounds = 7};
    KmeansSeeding whole(data, options, Stream(3));
    auto part = std::make_unique<KmeansSeeding>(data, options, Stream(3));
    int steps = 0;
    while (!whole.finished()) {
      whole.step(context);
      part->step(context);
      ++steps;
      const std::string state = state_of(*part);
      REQUIRE(state == state_of(whole));
      part = std::make_unique<KmeansSeeding>(data, options, Stream(3));
      restore(*part, state);
    }
    CHECK(steps > 40);
    while (!part->finished()) part->step(context);  // what is not saved
    CHECK(state_of(*part) == state_of(whole));
    CHECK(part->result().assignment->labels == whole.result().assignment->labels);
    CHECK(part->outcome().estimates.front().estimate.value == whole.outcome().estimates.front().estimate.value);
  }
}

TEST_CASE("k beyond the distinct rows is an error that names their number, fewer centres, or rows again") {
  Eigen::MatrixXd points = clusters(2, 30, 13);
  Eigen::MatrixXd twice(2, 60);
  twice << points, points;
  std::vector<double> weights(60, 1.0);
  weights[4] = weights[34] = 0;
  for (const SeedingAlgorithm algorithm : all_algorithms) {
    CAPTURE(static_cast<int>(algorithm));
    for (const bool weighted : {false, true}) {
      const SharedData data = single_rows(twice, weighted ? weights : std::vector<double>{});
      const int distinct = weighted ? 29 : 30;
      KmeansSeedingOptions options{.k = 45, .algorithm = algorithm, .max_trials = trials_of(algorithm, 300000)};
      const std::string said = message_of([&] { seed(data, options); });
      CHECK(contains(said, "has only " + std::to_string(distinct) + " distinct rows"));
      options.too_few = TooFewRows::fewer;
      const KmeansSeedingResult fewer = seed(data, options);
      // a row taken by weight alone may be equal to a centre
      if (algorithm != SeedingAlgorithm::capped_rejection) CHECK(fewer.rows.size() == static_cast<std::size_t>(distinct));
      CHECK(fewer.assignment->cost == 0);
      options.too_few = TooFewRows::duplicates;
      const KmeansSeedingResult again = seed(data, options);
      CHECK(again.rows.size() == 45);
      CHECK(std::equal(fewer.rows.begin(), fewer.rows.end(), again.rows.begin()));
      if (weighted) CHECK(std::none_of(again.rows.begin(), again.rows.end(), [&](Index r) { return weights[static_cast<std::size_t>(r)] == 0; }));
    }
  }
}

TEST_CASE("k = n chooses every one of n distinct rows, and k = 1 one of them") {
  const SharedData data = single_rows(clusters(2, 40, 14));
  for (const SeedingAlgorithm algorithm : all_algorithms) {
    if (algorithm == SeedingAlgorithm::capped_rejection) continue;
    CAPTURE(static_cast<int>(algorithm));
    const KmeansSeedingResult all = seed(data, {.k = 40, .algorithm = algorithm});
    CHECK(std::set<Index>(all.rows.begin(), all.rows.end()).size() == 40);
    CHECK(all.assignment->cost == 0);
    CHECK(seed(data, {.k = 1, .algorithm = algorithm}).rows.size() == 1);
  }
}

TEST_CASE("options that do not fit the data are refused with key, rule and remedy") {
  const SharedData data = single_rows(clusters(2, 40, 14), [] {
    std::vector<double> w(40, 1.0);
    w[3] = 0;
    return w;
  }());
  CHECK(contains(message_of([&] { seed(data, {.k = 41}); }), "options.k = 41 must be at most the 40 rows"));
  CHECK(contains(message_of([&] { seed(data, {.k = 0}); }), "options.k"));
  CHECK(contains(message_of([&] { seed(data, {.k = 2, .first = 40}); }), "options.first = 40 is no row"));
  CHECK(contains(message_of([&] { seed(data, {.k = 2, .first = 1.5}); }), "options.first = 1.5 is no row"));
  CHECK(contains(message_of([&] { seed(data, {.k = 2, .first = 3}); }), "has weight 0"));
  CHECK(seed(data, {.k = 2, .first = 7}).rows.front() == 7);
  CHECK(contains(message_of([&] { seed(data, {.k = 2, .chain_length = 50}); }), "options.chain_length = 50 goes with options.algorithm = \"afk_mc2\" only"));
  CHECK(contains(message_of([&] { seed(data, {.k = 2, .exclude_chosen = true}); }), "options.exclude_chosen = true goes with"));
}

TEST_CASE("rows so far apart that squares overflow, or so near that they underflow, are refused") {
  const Eigen::MatrixXd points = clusters(2, 40, 14);
  CHECK(contains(message_of([&] { seed(single_rows(1e19 * points), {.k = 3}); }), "overflow single precision. set data.scale"));
  CHECK(seed(DataSet::from_points(1e19 * points), {.k = 3}).rows.size() == 3);
  CHECK(contains(message_of([&] { seed(DataSet::from_points(1e154 * points), {.k = 3}); }), "overflow double precision"));
  CHECK(contains(message_of([&] { seed(single_rows(1e-21 * points), {.k = 3}); }), "underflow in single precision. set data.scale"));
  CHECK(seed(DataSet::from_points(1e-21 * points), {.k = 3}).rows.size() == 3);
}

TEST_CASE("rows are known by their numbers in the source") {
  const Eigen::MatrixXd points = clusters(2, 40, 15);
  auto numbers = std::make_shared<Eigen::MatrixXd>(points);
  std::vector<std::int64_t> rows(40);
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = 100 + 3 * static_cast<std::int64_t>(i);
  const auto data =
      std::make_shared<DataSet>(DataSet::Numbers(DenseRows<double>{numbers->data(), 40, 2, 2}), DataSet::About{.row_numbers = rows, .storage = numbers});
  Context context(1);
  KmeansSeeding method(data, {.k = 3, .first = 121}, Stream(1));
  run_to_end(method, context);
  const auto selection = method.outcome().selection;
  CHECK(selection->rows.front() == 121);
  CHECK(selection->centres.col(0) == points.col(7));
  CHECK(selection->all_rows == rows);
  CHECK(selection->labels.size() == 40);
  CHECK(selection->labels[7] == 0);
  CHECK(selection->distances[7] == 0);
}

TEST_CASE("the outcome tells cost, trials and the cost curve, and warns of outliers") {
  Eigen::MatrixXd points = clusters(3, 4000, 16);
  Context context(1);
  KmeansSeeding plain(single_rows(points), {.k = 20, .algorithm = SeedingAlgorithm::exact, .lloyd_rounds = 200}, Stream(4));
  CHECK(std::isnan(plain.outcome().find("cost")->estimate.value));
  run_to_end(plain, context);
  const Outcome outcome = plain.outcome();
  const KmeansSeedingResult result = plain.result();
  CHECK(outcome.find("cost")->estimate.value == result.assignment->cost);
  CHECK(outcome.find("cost")->estimate.std_error == 0);
  CHECK(outcome.warnings.empty());
  const Table* curve = outcome.table("cost_curve");
  REQUIRE(curve != nullptr);
  CHECK(curve->rows.rows() == 20);
  for (Index i = 1; i < 20; ++i) CHECK(curve->rows(i, 1) <= curve->rows(i - 1, 1));
  CHECK(outcome.table("trials")->rows.rows() == 20);
  CHECK(result.refined->costs.back() <= result.refined->costs.front());
  points.col(77) *= 1e5;
  KmeansSeeding wild(single_rows(points), {.k = 20}, Stream(4));
  run_to_end(wild, context);
  REQUIRE(wild.outcome().warnings.size() == 1);
  CHECK(contains(wild.outcome().warnings.front(), "data.scale"));
  points.col(77) /= 1e5;
  KmeansSeeding hasty(single_rows(points.leftCols(500)), {.k = 20, .lloyd_rounds = 1}, Stream(4));
  run_to_end(hasty, context);
  REQUIRE(hasty.outcome().warnings.size() == 1);
  CHECK(contains(hasty.outcome().warnings.front(), "did not converge within options.lloyd_rounds = 1"));
}

TEST_CASE("a seeding that is stopped keeps what it has and assigns the rows") {
  const SharedData data = single_rows(clusters(3, 3000, 17));
  Context context(1);
  KmeansSeeding method(data, {.k = 200, .lloyd_rounds = 10}, Stream(5));
  method.step(context);
  method.stop("the time limit was reached");
  while (!method.finished()) method.step(context);
  CHECK(method.result().rows.size() < 200);
  CHECK(method.result().assignment->labels.size() == 3000);
  CHECK(method.outcome().stop_reason == "the time limit was reached");
  CHECK(contains(method.outcome().warnings.front(), "centres were chosen, because the time limit was reached"));
  KmeansSeeding at_once(data, {.k = 200}, Stream(5));
  at_once.stop("asked");
  while (!at_once.finished()) at_once.step(context);
  CHECK(at_once.result().rows.size() >= 1);
}

// Two-sample Kolmogorov–Smirnov at level 1e-4, as many seeds as it takes for greedy seeding, whose costs are lower, to be rejected.
TEST_CASE("costs of snapshot and rejection seeding have the law of exact ones, and greedy costs do not") {
  for (const std::uint64_t set : {20, 21, 22}) {
    const SharedData data = single_rows(clusters(static_cast<Index>(set - 18), 600, set));
    const auto costs = [&](SeedingAlgorithm algorithm, std::uint64_t from) {
      std::vector<double> sample;
      for (std::uint64_t s = 0; s < 100; ++s) sample.push_back(seed(data, {.k = 15, .algorithm = algorithm}, from + s).assignment->cost);
      return sample;
    };
    const std::vector<double> exact = costs(SeedingAlgorithm::exact, 1000);
    CHECK(ks_two_sample_p(exact, costs(SeedingAlgorithm::snapshot, 2000)) > 1e-4);
    CHECK(ks_two_sample_p(exact, costs(SeedingAlgorithm::rejection, 3000)) > 1e-4);
    CHECK(ks_two_sample_p(exact, costs(SeedingAlgorithm::greedy, 4000)) < 1e-4);
  }
}

}  // namespace buffon::testing
