// SPDX-License-Identifier: BSD-3-Clause
#include "seeding_cases.hpp"

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
  double rest = uniform_at(parts.stream, chosen.size());
  std::size_t i = 0;
  while (i + 1 < law.size() && rest >= law[i]) rest -= law[i++];
  return static_cast<Index>((i + 1) % law.size());
}

}  // namespace

TEST_CASE("the next row after one, two and four centres has the D² law under every exact rule") {
  const SharedData data = single_rows(twelve());
  constexpr int runs = 40000;
  for (const auto& [name, make] : exact_rules()) {
    for (const std::size_t size : {std::size_t{1}, std::size_t{2}, std::size_t{4}}) {
      CAPTURE(name);
      CAPTURE(size);
      CHECK(next_row_p(data, size, make, runs) > level);
    }
  }
}

TEST_CASE("all ordered triples of six points have their probabilities under every exact rule, and not under the mutants") {
  const SharedData data = single_rows(six());
  const auto law = triple_law(*data);
  REQUIRE(law.size() == 120);
  constexpr int runs = 60000;
  for (const auto& [name, make] : exact_rules()) {
    CAPTURE(name);
    CHECK(triple_p(data, law, make, runs) > level);
  }
  CHECK(triple_p(data, law, mutant(without_factor_two), runs) < level);
  CHECK(triple_p(data, law, mutant(without_rescan), runs) < level);
  CHECK(triple_p(data, law, mutant(off_by_one), runs) < level);
}

}  // namespace buffon::testing
