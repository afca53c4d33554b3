// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/core/types.hpp>
#include <buffon/stats/chain_draws.hpp>
#include <buffon/stats/outcome.hpp>

#include <span>
#include <string>
#include <vector>

/// Diagnostics of Markov chains for one scalar quantity: a matrix of draws, N rows = draws, M columns = chains. Split, rank-normalised and
/// folded as in Vehtari, Gelman, Simpson, Carpenter, Bürkner, "Rank-normalization, folding, and localization: an improved R-hat",
/// Bayesian Analysis 2021; ESS with Geyer's initial monotone sequence. Any value that is not finite, equal values, or fewer than 12
/// draws per chain (for effective sizes) give NaN.
namespace buffon {

double split_rhat(const ConstMatrix& draws);  ///< max of the bulk and tail R-hat of ranks
double ess_bulk(const ConstMatrix& draws);    ///< of the rank-normalised draws
/// Least of the 5 % and 95 % quantiles; of one of them where no draw lies beyond the other (an event's 0 and 1).
double ess_tail(const ConstMatrix& draws);
double ess_mean(const ConstMatrix& draws);
double ess_sd(const ConstMatrix& draws);  ///< of (x − mean)²
double ess_quantile(const ConstMatrix& draws, double p);
double mcse_mean(const ConstMatrix& draws);
double mcse_sd(const ConstMatrix& draws);
double mcse_quantile(const ConstMatrix& draws, double p);

/// Autocorrelations at lags 0 … max_lag of one chain: biased (divisor N) autocovariances over the variance.
Eigen::VectorXd autocorrelation(const ConstVector& draws, Index max_lag);

/// Integrated autocorrelation time by Geyer's initial positive sequence of one chain, as Schär, Habeck, Rudolf (2023) use it: biased
/// autocorrelations up to max_lag (0 = N / 2), pair sums ρ_2j + ρ_2j+1 for j ≥ 1 cut before the first negative one, 1 + max(0, 2 Σ ρ).
double integrated_autocorrelation_time(const ConstVector& draws, Index max_lag = 0);

/// One line of the summary of a run.
struct ChainSummary {
  std::string name;
  double mean, mcse, sd, mad, q5, median, q95, ess_bulk, ess_tail, rhat;
};
/// The draws of column `column` of all chains, draws × chains; cut to the shortest chain.
Eigen::MatrixXd column_of(const ChainDraws& draws, Index column);
/// The same of a sampler column.
Eigen::MatrixXd sampler_column_of(const ChainDraws& draws, Index column);
/// lp__ first, then every column of the values; nothing else.
std::vector<ChainSummary> summarise(const ChainDraws& draws);

/// What R-hat should not exceed.
inline constexpr double most_rhat = 1.01;
/// What bulk and tail effective sizes should reach: 100 per chain, counting at most 10 chains.
double least_effective_size(std::size_t chains);

/// What a reader should know before using the draws, in plain words; the last sentence is the verdict.
struct ChainVerdict {
  std::vector<std::string> problems;  ///< empty = none found
  std::string verdict;
};
/// R-hat > 1.01, ESS below 100 per chain (below 1000 for more than 10 chains), stuck transitions (column stuck__), NaN densities (undefined__), chains that are
/// all equal.
ChainVerdict diagnose(const ChainDraws& draws, const std::vector<ChainSummary>& summary);

}  // namespace buffon
