// SPDX-License-Identifier: BSD-3-Clause
#include "seeding_cases.hpp"

#include "../../samplers/src/draws/item_numbers.hpp"
#include "../../samplers/src/seeding/rejection_rule.hpp"
#include "../../samplers/src/seeding/trials.hpp"

#include <buffon/samplers/kmeans_seeding.hpp>
#include <buffon/samplers/nearest_centres.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <statistical.hpp>

// Every χ² test has level 1e-6 and pinned seeds; the mutants below are rejected by the same functions.

namespace buffon::testing {
namespace {

/// Twelve points in the plane, of several scales.
Eigen::MatrixXd twelve() {
  Eigen::MatrixXd x = normal_points(2, 12, 5);
  x.col(3) *= 4;
  x.col(7) *= 3;
  x.colwise() += Eigen::Vector2d(10, -3);
  return x;
}

Eigen::MatrixXd six() {
  Eigen::MatrixXd x(2, 6);
  x << 0, 1, 4, 4.5, -2, 7,  //
      0, 0.5, 1, -2, 3, 2;
  return x;
}

const std::vector<Index> four_centres = {0, 3, 7, 10};

/// p value of the next row after the first `size` of four centres, the rule having seen each of them come.
double next_row_p(const SharedData& data, std::size_t size, const MakeRule& make, int runs) {
  Context context(1);
  const auto distances = std::make_shared<RowDistances>(data);
  const std::vector<Index> centres(four_centres.begin(), four_centres.begin() + static_cast<std::ptrdiff_t>(size));
  std::vector<double> counts(static_cast<std::size_t>(data->rows())), expected = d2_law(*data, centres);
  const Stream root(11);
  for (int r = 0; r < runs; ++r) {
    const std::unique_ptr<CentreRule> rule = make(parts_of(distances, root.peek("run", static_cast<std::uint64_t>(r))));
    SeedingCounts spent;
    std::vector<Index> chosen;
    Index row = -1;
    for (const Index c : centres) {
      chosen.push_back(c);
      row = rule->next(chosen, spent, context).value();
    }
    ++counts[static_cast<std::size_t>(row)];
  }
  for (double& e : expected) e *= runs;
  for (const Index c : centres) CHECK(counts[static_cast<std::size_t>(c)] == 0);
  return chi_square_p(counts, expected);
}

/// Probability of every ordered triple of distinct rows.
std::map<std::vector<Index>, double> triple_law(const DataSet& data) {
  std::map<std::vector<Index>, double> law;
  const std::vector<double> first = weight_law(data);
  for (Index a = 0; a < data.rows(); ++a) {
    if (first[static_cast<std::size_t>(a)] == 0) continue;
    const std::vector<double> second = d2_law(data, {a});
    for (Index b = 0; b < data.rows(); ++b) {
      if (second[static_cast<std::size_t>(b)] == 0) continue;
      const std::vector<double> third = d2_law(data, {a, b});
      for (Index c = 0; c < data.rows(); ++c) {
        const double p = first[static_cast<std::size_t>(a)] * second[static_cast<std::size_t>(b)] * third[static_cast<std::size_t>(c)];
        if (p > 0) law[{a, b, c}] = p;
      }
    }
  }
  return law;
}

/// p value of whole seedings of three centres by a rule; the first row is drawn here.
double triple_p(const SharedData& data, const std::map<std::vector<Index>, double>& law, const MakeRule& make, int runs, std::uint64_t seed = 12,
                const KmeansSeedingOptions& options = {.k = 3}) {
  Context context(1);
  const auto distances = std::make_shared<RowDistances>(data);
  const WeightedRows by_weight(*data);
  std::map<std::vector<Index>, double> counts;
  const Stream root(seed), firsts = root.peek("first");
  for (int r = 0; r < runs; ++r) {
    std::vector<Index> chosen = {by_weight.draw(firsts, static_cast<std::uint64_t>(r))};
    const std::unique_ptr<CentreRule> rule = make(parts_of(distances, root.peek("run", static_cast<std::uint64_t>(r)), options));
    SeedingCounts spent;
    while (chosen.size() < 3) chosen.push_back(rule->next(chosen, spent, context).value());
    ++counts[chosen];
  }
  std::vector<double> observed, expected;
  double seen = 0;
  for (const auto& [triple, p] : law) {
    observed.push_back(counts[triple]);
    expected.push_back(p * runs);
    seen += counts[triple];
  }
  return seen == runs ? chi_square_p(observed, expected) : 0;  // 0 for a triple of probability 0
}

/// A rule that is wrong on purpose, from a function of the chosen rows, the trials' stream and the context.
class Mutant final : public CentreRule {
 public:
  using Next = std::function<Index(const RuleParts&, const std::vector<Index>&, Context&)>;
  Mutant(RuleParts parts, Next next) : parts_(std::move(parts)), next_(std::move(next)) {}
  std::optional<Index> next(const std::vector<Index>& chosen, SeedingCounts&, Context& context) override { return next_(parts_, chosen, context); }

 private:
  RuleParts parts_;
  Next next_;
};

MakeRule mutant(Mutant::Next next) {
  return [next](RuleParts parts) { return std::make_unique<Mutant>(std::move(parts), next); };
}

constexpr std::int64_t many = 1 << 20;

/// Accepts with probability min(1, Δ / (s + s_1)): without the factor 2 in the bound.
Index without_factor_two(const RuleParts& parts, const std::vector<Index>& chosen, Context& context) {
  const NormProposals proposals(*parts.distances, chosen.front(), parts.stream, context);
  CentreScan scan(parts.distances);
  for (const Index c : chosen) scan.add(c);
  const Proposals propose = [&](std::int64_t first, std::span<Trial> trials) {
    proposals.make(chosen.size(), first, trials);
    for (Trial& t : trials) t.bound /= 2;
  };
  return run_trials(context, 0, many, propose, scan).accepted.value();
}

/// Proposes by distances to the first centre and does not look at the newest one.
Index without_rescan(const RuleParts& parts, const std::vector<Index>& chosen, Context& context) {
  NearestCentres snapshot(parts.distances);
  snapshot.add(context, std::span(chosen).first(1));
  CentreScan scan(parts.distances);
  for (std::size_t t = 1; t + 1 < chosen.size(); ++t) scan.add(chosen[t]);
  const Stream stream = parts.stream.peek("centre", chosen.size());
  const Proposals propose = [&](std::int64_t first, std::span<Trial> trials) {
    for (std::size_t i = 0; i < trials.size(); ++i) {
      Eigen::Vector2d u;
      stream.uniforms(static_cast<std::uint64_t>(first) + i, u);
      trials[i].row = snapshot.draw(u(0));
      trials[i].bound = u(1) * snapshot.squared(trials[i].row);
    }
  };
  Index row = chosen.front();
  for (std::int64_t t = 0; std::find(chosen.begin(), chosen.end(), row) != chosen.end(); t += many)
    row = run_trials(context, t, many, propose, scan).accepted.value();
  return row;
}

/// Searches prefix sums for the first that reaches the point, one row late.
Index off_by_one(const RuleParts& parts, const std::vector<Index>& chosen, Context&) {
  const std::vector<double> law = d2_law(parts.distances->data(), chosen);
  double rest = draws::uniform(parts.stream, chosen.size());
  std::size_t i = 0;
  while (i + 1 < law.size() && rest >= law[i]) rest -= law[i++];
  return static_cast<Index>((i + 1) % law.size());
}

}  // namespace

TEST_CASE("the next row after one, two and four centres has the D² law under every exact rule") {
  const SharedData data = single_rows(twelve());
  constexpr int runs = 40000;
  for (const auto& rule : exact_rules()) {
    for (const std::size_t size : {std::size_t{1}, std::size_t{2}, std::size_t{4}}) {
      CAPTURE(rule.first);
      CAPTURE(size);
      CHECK(next_row_p(data, size, rule.second, runs) > level);
    }
  }
}

TEST_CASE("all ordered triples of six points have their probabilities under every exact rule, and not under the mutants") {
  const SharedData data = single_rows(six());
  const auto law = triple_law(*data);
  REQUIRE(law.size() == 120);
  constexpr int runs = 60000;
  for (const auto& rule : exact_rules()) {
    CAPTURE(rule.first);
    CHECK(triple_p(data, law, rule.second, runs) > level);
  }
  CHECK(triple_p(data, law, mutant(without_factor_two), runs) < level);
  CHECK(triple_p(data, law, mutant(without_rescan), runs) < level);
  CHECK(triple_p(data, law, mutant(off_by_one), runs) < level);
}

TEST_CASE("weights, duplicates and sparse rows keep the law of triples under every exact rule") {
  Eigen::MatrixXd points(2, 8);
  points << six(), Eigen::Vector2d(4, 1), Eigen::Vector2d(0, 0);  // rows 2 and 0 again
  const std::vector<double> weights = {1, 0.5, 2, 3, 0, 1.5, 0.25, 1};
  constexpr int runs = 30000;
  for (const SharedData& data : {DataSet::from_points(points, weights), sparse_rows(points, weights)}) {
    const auto law = triple_law(*data);
    for (const auto& rule : exact_rules()) {
      CAPTURE(rule.first);
      CAPTURE(data->sparse());
      CHECK(triple_p(data, law, rule.second, runs) > level);
    }
    // what the law would be without weights is rejected
    CHECK(triple_p(data, triple_law(*DataSet::from_points(points)), make_exact_rule, runs) < level);
  }
}

TEST_CASE("the pruned draws keep the law once rows are grouped") {
  // groups take over after 128 centres
  Eigen::MatrixXd points = normal_points(3, 200, 8);
  points.col(133) *= 4;  // the last centre lies apart: a rule that knows only those before would choose it
  const SharedData data = single_rows(points);
  std::vector<Index> chosen(129);
  std::iota(chosen.begin(), chosen.end(), Index{5});
  const auto distances = std::make_shared<RowDistances>(data);
  Context context(1);
  std::vector<double> counts(200), expected = d2_law(*data, chosen);
  constexpr int runs = 40000;
  for (int r = 0; r < runs; ++r) {
    SeedingCounts spent;
    ++counts[static_cast<std::size_t>(
        make_pruned_rule(parts_of(distances, Stream(21).peek("run", static_cast<std::uint64_t>(r))))->next(chosen, spent, context).value())];
  }
  for (double& e : expected) e *= runs;
  CHECK(chi_square_p(counts, expected) > level);
  chosen.pop_back();
  std::vector<double> earlier = d2_law(*data, chosen);
  for (double& e : earlier) e *= runs;
  CHECK(chi_square_p(counts, earlier) < level);
}

TEST_CASE("capped rejection draws (1 - delta) p + delta / n, delta the probability that all trials fail") {
  const SharedData data = single_rows(twelve());
  const auto distances = std::make_shared<RowDistances>(data);
  Context context(1);
  const std::vector<double> p = d2_law(*data, four_centres);
  const std::vector<double> squared = squared_distances(*data, four_centres);
  const double cost = std::accumulate(squared.begin(), squared.end(), 0.0);
  const std::vector<double> from_mean = distances->squared_from_mean(context);
  const double spread = std::accumulate(from_mean.begin(), from_mean.end(), 0.0);
  const double tau = 2 * (spread + 12 * from_mean.front()) / cost;  // the first of the four centres is row 0
  constexpr int runs = 40000;
  for (const std::int64_t m : {1, 3, 8}) {
    CAPTURE(m);
    std::vector<double> counts(12), expected(12), without(12);
    SeedingCounts spent;
    for (int r = 0; r < runs; ++r) {
      const auto rule = make_rejection_rule(parts_of(distances, Stream(31).peek("run", static_cast<std::uint64_t>(r)),
                                                     {.k = 12, .algorithm = SeedingAlgorithm::capped_rejection, .max_trials = m}));
      ++counts[static_cast<std::size_t>(rule->next(four_centres, spent, context).value())];
    }
    const double delta = std::pow(1 - 1 / tau, static_cast<double>(m));
    for (std::size_t i = 0; i < 12; ++i) {
      expected[i] = runs * ((1 - delta) * p[i] + delta / 12);
      without[i] = runs * ((1 - delta) * p[i] + delta * (squared[i] > 0 ? 1.0 / 8 : 0));
    }
    CHECK(chi_square_p(counts, expected) > level);
    if (m < 8) CHECK(chi_square_p(counts, without) < level);  // never a chosen row
    // binomial counts of fall-backs, against one trial more or less as well
    const auto fall_backs = static_cast<double>(spent.fall_backs);
    const auto z_of = [&](double q) { return (fall_backs - runs * q) / std::sqrt(runs * q * (1 - q)); };
    CHECK(z_p(z_of(delta)) > level);
    CHECK(z_p(z_of(delta * (1 - 1 / tau))) < level);
  }
}

TEST_CASE("capped rejection that excludes chosen rows falls back on the others alone") {
  const SharedData data = single_rows(twelve());
  const auto distances = std::make_shared<RowDistances>(data);
  Context context(1);
  SeedingCounts spent;
  for (int r = 0; r < 200; ++r) {
    const auto rule = make_rejection_rule(parts_of(distances, Stream(32).peek("run", static_cast<std::uint64_t>(r)),
                                                   {.k = 12, .algorithm = SeedingAlgorithm::capped_rejection, .max_trials = 1, .exclude_chosen = true}));
    const Index row = rule->next(four_centres, spent, context).value();
    CHECK(std::find(four_centres.begin(), four_centres.end(), row) == four_centres.end());
  }
  CHECK(spent.fall_backs > 100);
}

TEST_CASE("rejection needs two trials on average after the first centre, whatever it is") {
  const SharedData data = single_rows(twelve());
  const auto distances = std::make_shared<RowDistances>(data);
  Context context(1);
  for (const Index first : {Index{0}, Index{3}}) {
    SeedingCounts spent;
    constexpr int runs = 20000;
    for (int r = 0; r < runs; ++r)
      make_rejection_rule(parts_of(distances, Stream(33).peek("run", static_cast<std::uint64_t>(r))))->next({first}, spent, context);
    // geometric with mean 2: variance 2
    CHECK(z_test_p(static_cast<double>(spent.trials) / runs, 2, std::sqrt(2.0 / runs)) > level);
  }
}

TEST_CASE("greedy takes the best of its candidates: probabilities by enumeration") {
  const SharedData data = DataSet::from_points(six(), {1, 0.5, 2, 3, 1, 1.5});
  const std::vector<Index> chosen = {1};
  const std::vector<double> p = d2_law(*data, chosen);
  std::vector<double> totals;
  for (Index c = 0; c < 6; ++c) {
    const std::vector<double> squared = squared_distances(*data, {1, c});
    double total = 0;
    for (Index i = 0; i < 6; ++i) total += data->weight(i) * squared[static_cast<std::size_t>(i)];
    totals.push_back(total);
  }
  const auto distances = std::make_shared<RowDistances>(data);
  Context context(1);
  constexpr int runs = 40000;
  for (const int candidates : {1, 2, 3}) {
    CAPTURE(candidates);
    // best of L independent draws: P(total >= t)^L − P(total > t)^L
    std::vector<double> counts(6), expected(6), one_more(6);
    for (std::size_t c = 0; c < 6; ++c) {
      double at_least = 0, more = 0;
      for (std::size_t o = 0; o < 6; ++o) {
        if (totals[o] >= totals[c]) at_least += p[o];
        if (totals[o] > totals[c]) more += p[o];
      }
      expected[c] = runs * (std::pow(at_least, candidates) - std::pow(more, candidates));
      one_more[c] = runs * (std::pow(at_least, candidates + 1) - std::pow(more, candidates + 1));
    }
    for (int r = 0; r < runs; ++r) {
      SeedingCounts spent;
      const auto rule = make_greedy_rule(parts_of(distances, Stream(41).peek("run", static_cast<std::uint64_t>(r)), {.k = 3, .local_trials = candidates}));
      ++counts[static_cast<std::size_t>(rule->next(chosen, spent, context).value())];
    }
    CHECK(chi_square_p(counts, expected) > level);
    CHECK(chi_square_p(counts, one_more) < level);
  }
}

}  // namespace buffon::testing
