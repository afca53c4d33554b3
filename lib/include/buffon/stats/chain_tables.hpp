// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/stats/chain_diagnostics.hpp>
#include <buffon/stats/chain_draws.hpp>
#include <buffon/stats/outcome.hpp>

#include <vector>

namespace buffon {

/// The summary as the table "summary": one row per quantity; columns Mean, MCSE, StdDev, MAD, 5%, 50%, 95%, ESS_bulk, ESS_tail, R_hat.
Table summary_table(const std::vector<ChainSummary>& summary);
/// Back from such a table.
std::vector<ChainSummary> summary_from(const Table& table);

/// What the figures of chains are drawn from, thinned and rounded to six digits so that it stays below about 200 kB however long the run
/// was. For the four quantities of many values that mixed worst, and the first eight chains; a column "NAME:k" belongs to chain k.
///   "chain_trace"            draw, NAME:k …    every so-many-th draw
///   "chain_ranks"            rank, NAME:k …    how many draws of the chain have a rank among all draws within each of 20 equal ranges
///   "chain_density"          NAME.x, NAME:k …  kernel density of each chain (Gaussian, Silverman's width)
///   "chain_autocorrelation"  lag, NAME …       mean of the chains' autocovariances over their mean variance
///   "chain_pairs"            NAME …            draws of all chains together, evenly chosen
std::vector<Table> chain_tables(const ChainDraws& draws, const std::vector<ChainSummary>& summary);

/// Adds to an outcome with `chain_draws` what its readers expect and it lacks: the tables above and the diagnostic "verdict".
void complete_chain_outcome(Outcome& outcome);

}  // namespace buffon
