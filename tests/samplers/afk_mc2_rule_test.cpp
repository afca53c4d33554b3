// SPDX-License-Identifier: BSD-3-Clause
#include "../../samplers/src/seeding/centre_rule.hpp"
#include "outcome_law.hpp"

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

const std::vector<double> places = {0, 1, 1, 4, 6, 6.5, 11};
const std::vector<double> row_weights = {1, 2, 0.5, 1, 3, 0, 1.5};

std::shared_ptr<const DataSet> points(bool weighted) {
  return DataSet::from_points(Eigen::Map<const Eigen::MatrixXd>(places.data(), 1, static_cast<Index>(places.size())),
                              weighted ? row_weights : std::vector<double>{});
}

enum class Fault { none, no_proposal_density, proposal_uniform, one_step_more };

/// Law of the end of the chain by the powers of its transition matrix; ends on a centre are draws by D².
OutcomeLaw chain_law(const std::vector<Index>& chosen, bool weighted, int length, Fault fault = Fault::none) {
  const std::size_t n = places.size();
  std::vector<double> w(n, 1), d(n), q(n), state(n);
  if (weighted) w = row_weights;
  double total_w = 0, total_first = 0, total_d = 0;
  for (std::size_t i = 0; i < n; ++i) {
    d[i] = std::numeric_limits<double>::infinity();
    for (const Index c : chosen) d[i] = std::min(d[i], (places[i] - places[static_cast<std::size_t>(c)]) * (places[i] - places[static_cast<std::size_t>(c)]));
    const double first = places[i] - places[static_cast<std::size_t>(chosen[0])];
    q[i] = w[i] * first * first;
    total_w += w[i];
    total_first += q[i];
    total_d += w[i] * d[i];
  }
  for (std::size_t i = 0; i < n; ++i) q[i] = fault == Fault::proposal_uniform ? w[i] / total_w : 0.5 * q[i] / total_first + 0.5 * w[i] / total_w;
  state = q;
  for (int step = fault == Fault::one_step_more ? 0 : 1; step < length; ++step) {
    std::vector<double> next(n);
    for (std::size_t x = 0; x < n; ++x) {
      for (std::size_t y = 0; y < n; ++y) {
        if (q[x] == 0 || q[y] == 0) continue;
        const double ratio = fault == Fault::no_proposal_density ? d[y] / d[x] : (w[y] * d[y] / q[y]) / (w[x] * d[x] / q[x]);
        const double move = d[x] == 0 ? 1 : std::min(1.0, ratio);
        next[y] += state[x] * q[y] * move;
        next[x] += state[x] * q[y] * (1 - move);
      }
    }
    state = next;
  }
  double on_centres = 0;
  for (std::size_t i = 0; i < n; ++i) {
    if (d[i] == 0) on_centres += state[i];
  }
  OutcomeLaw law;
  for (std::size_t i = 0; i < n; ++i) {
    if (d[i] > 0 && w[i] > 0) law[{static_cast<std::int64_t>(i)}] = state[i] + on_centres * w[i] * d[i] / total_d;
  }
  return law;
}

double p_of(const OutcomeLaw& law, const std::vector<Index>& chosen, bool weighted, int length, std::uint64_t seed) {
  const Stream root(seed);
  const auto distances = std::make_shared<RowDistances>(points(weighted));
  KmeansSeedingOptions options;
  options.k = 5;
  options.chain_length = length;
  Context context(1);
  return law_p(law, 30000, [&](std::uint64_t run) {
    const auto rule = make_afk_mc2_rule({distances, options, root.child("run", run)});
    SeedingCounts counts;
    return std::vector<std::int64_t>{*rule->next(chosen, counts, context)};
  });
}

}  // namespace

TEST_CASE("the chain of afk_mc2 ends by the law of its transition matrix") {
  std::uint64_t seed = 1;
  for (const bool weighted : {false, true}) {
    for (const std::vector<Index>& chosen : {std::vector<Index>{4}, std::vector<Index>{4, 0}, std::vector<Index>{6, 1, 3}}) {
      for (const int length : {1, 2, 5}) {
        CAPTURE(length);
        CAPTURE(chosen.size());
        CHECK(p_of(chain_law(chosen, weighted, length), chosen, weighted, length, seed++) > level);
      }
    }
  }
}

TEST_CASE("the test rejects chains that forget the proposal's density, propose uniformly or are one step longer") {
  const std::vector<Index> chosen = {4, 0};
  for (const bool weighted : {false, true}) {
    CHECK(p_of(chain_law(chosen, weighted, 3, Fault::no_proposal_density), chosen, weighted, 3, 101) < level);
    CHECK(p_of(chain_law(chosen, weighted, 3, Fault::proposal_uniform), chosen, weighted, 3, 102) < level);
    CHECK(p_of(chain_law(chosen, weighted, 2, Fault::one_step_more), chosen, weighted, 2, 103) < level);
  }
}

TEST_CASE("long chains of afk_mc2 come to the law of squared distances") {
  OutcomeLaw law;
  const std::vector<double> d = {0, 1, 1, 4, 0, 0.25, 25};  // to the rows at 6 and at 0
  for (std::size_t i = 0; i < d.size(); ++i) {
    if (d[i] > 0) law[{static_cast<std::int64_t>(i)}] = d[i] / 31.25;
  }
  CHECK(p_of(law, {4, 0}, false, 120, 7) > level);
  CHECK(p_of(law, {4, 0}, false, 1, 8) < level);
}

TEST_CASE("afk_mc2 finds the last distinct row, then nothing, and counts the same after loading") {
  const Stream stream(3);
  const auto distances = std::make_shared<RowDistances>(points(true));
  KmeansSeedingOptions options;
  options.k = 6;
  options.chain_length = 2;
  Context one(1), three(3);
  auto rule = make_afk_mc2_rule({distances, options, stream.peek("rule")});
  std::vector<Index> chosen = {0};
  SeedingCounts counts, counts_loaded;
  while (const auto row = rule->next(chosen, counts, one)) {
    auto loaded = make_afk_mc2_rule({distances, options, stream.peek("rule")});
    testing::restore(*loaded, testing::state_of(*rule));
    chosen.push_back(*row);
    counts_loaded = counts;
    SeedingCounts again = counts;
    const auto a = rule->next(chosen, counts_loaded, three), b = loaded->next(chosen, again, one);
    CHECK(a == b);
    CHECK(counts_loaded.distances == again.distances);
    CHECK(counts_loaded.fall_backs == again.fall_backs);
    rule = make_afk_mc2_rule({distances, options, stream.peek("rule")});
  }
  CHECK(chosen.size() == 5);  // five distinct places of positive weight
}
