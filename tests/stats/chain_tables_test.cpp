// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/stats/chain_tables.hpp>

#include <doctest/doctest.h>
#include <synthetic_chains.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>

using namespace buffon;
using testing::synthetic_chains;

namespace {

const Table& table_of(const std::vector<Table>& tables, const std::string& name) {
  const auto found = std::find_if(tables.begin(), tables.end(), [&](const Table& t) { return t.name == name; });
  REQUIRE(found != tables.end());
  return *found;
}

Index column(const Table& t, const std::string& name) {
  const auto found = std::find(t.columns.begin(), t.columns.end(), name);
  REQUIRE(found != t.columns.end());
  return found - t.columns.begin();
}

}  // namespace

TEST_CASE("the tables of chains hold thinned draws, ranks, densities, autocorrelations and pairs") {
  const ChainDraws draws = synthetic_chains(4, 2000, 0.8, 3);
  const std::vector<Table> tables = chain_tables(draws, summarise(draws));
  REQUIRE(tables.size() == 5);

  const Table& trace = table_of(tables, "chain_trace");
  CHECK(trace.rows.rows() == 250);
  CHECK(trace.rows(1, 0) == 9);  // every 8th
  const double third = trace.rows(2, column(trace, "mu:3")), exact = draws.chains[2].values(16, 0);
  CHECK(std::abs(third / exact - 1) < 5e-6);

  const Table& ranks = table_of(tables, "chain_ranks");
  double all = 0;
  for (const char* name : {"mu:1", "mu:2", "mu:3", "mu:4"}) {
    CHECK(ranks.rows.col(column(ranks, name)).sum() == 2000);
    all += ranks.rows(4, column(ranks, name));
  }
  CHECK(all == 400);  // 8000 draws in 20 ranges

  // The area is that between the ends: 99 % of the draws and most of the margins.
  const Table& density = table_of(tables, "chain_density");
  const Eigen::VectorXd x = density.rows.col(column(density, "theta.1.x")), y = density.rows.col(column(density, "theta.1:2"));
  CHECK(std::abs(y.sum() * (x(1) - x(0)) - 1) < 0.02);
  Index top = 0;
  y.maxCoeff(&top);
  CHECK(std::abs(x(top) - 3) < 0.8);  // theta.1 has mean 3

  const Table& lags = table_of(tables, "chain_autocorrelation");
  CHECK(lags.rows.rows() == 51);
  const Eigen::VectorXd r = lags.rows.col(column(lags, "mu"));
  CHECK(r(0) == 1);
  for (Index t = 1; t < 5; ++t) CHECK(std::abs(r(t) - std::pow(0.8, static_cast<double>(t))) < 0.1);

  const Table& pairs = table_of(tables, "chain_pairs");
  CHECK(pairs.rows.rows() == 400);
  CHECK(pairs.columns.size() == 4);
  CHECK(std::find(pairs.columns.begin(), pairs.columns.end(), "far") == pairs.columns.end());  // of two values
}

TEST_CASE("the quantities that mixed worst are shown first") {
  ChainDraws draws = synthetic_chains(4, 500, 0.3, 3);
  draws.chains[1].values.col(2).array() += 2;
  const Table trace = table_of(chain_tables(draws, summarise(draws)), "chain_trace");
  CHECK(trace.columns[1] == "theta.2:1");
}

TEST_CASE("tables stay small for many chains and long ones, and heavy tails do not flatten densities") {
  ChainDraws draws = synthetic_chains(30, 5000, 0.3, 3);
  for (ChainTable& chain : draws.chains) chain.values.col(0) = chain.values.col(0).array().cube().cube();
  const std::vector<Table> tables = chain_tables(draws, summarise(draws));
  double numbers = 0;
  for (const Table& t : tables) numbers += static_cast<double>(t.rows.size());
  CHECK(numbers < 16000);  // of about 10 characters
  const Table& density = table_of(tables, "chain_density");
  const Eigen::VectorXd x = density.rows.col(column(density, "mu.x"));
  CHECK(x(79) - x(0) < 30000);  // the draws reach 10⁵
  CHECK(table_of(tables, "chain_trace").columns.size() == 1 + 4 * 8);
}

TEST_CASE("chains without any usable quantity have no tables") {
  ChainDraws draws = synthetic_chains(2, 5, 0.3, 3);
  CHECK(chain_tables(draws, summarise(draws)).empty());
}

TEST_CASE("a summary goes into its table and back") {
  const ChainDraws draws = synthetic_chains(4, 100, 0.3, 3);
  const std::vector<ChainSummary> summary = summarise(draws), back = summary_from(summary_table(summary));
  REQUIRE(back.size() == summary.size());
  for (std::size_t i = 0; i < back.size(); ++i) {
    CHECK(back[i].name == summary[i].name);
    CHECK(back[i].mean == summary[i].mean);
    CHECK(back[i].q95 == summary[i].q95);
    CHECK(back[i].rhat == summary[i].rhat);
  }
}

TEST_CASE("an outcome of chains is completed once") {
  ChainDraws draws = synthetic_chains(4, 1000, 0.3, 3);
  draws.chains[3].values.col(0).array() += 1;
  Outcome outcome;
  outcome.chain_draws = std::make_shared<const ChainDraws>(draws);
  complete_chain_outcome(outcome);
  CHECK(outcome.table("summary") != nullptr);
  CHECK(outcome.table("chain_pairs") != nullptr);
  REQUIRE(outcome.diagnostics.size() == 1);
  CHECK(std::get<std::string>(outcome.diagnostics[0].value).find("do not trust") != std::string::npos);
  CHECK(outcome.warnings.size() >= 1);
  const std::size_t tables = outcome.tables.size(), warnings = outcome.warnings.size();
  complete_chain_outcome(outcome);
  CHECK(outcome.tables.size() == tables);
  CHECK(outcome.warnings.size() == warnings);
  CHECK(outcome.diagnostics.size() == 1);
}
