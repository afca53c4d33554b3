// SPDX-License-Identifier: BSD-3-Clause
#include "chain_outcome.hpp"

#include <buffon/core/constants.hpp>
#include <buffon/core/error.hpp>
#include <buffon/stats/accumulators.hpp>
#include <buffon/stats/chain_tables.hpp>
#include <buffon/stats/quantile.hpp>

#include <algorithm>
#include <cmath>
#include <span>

#include "warmup.hpp"

namespace buffon {
namespace {

using constants::nan;
constexpr std::string_view log_density_name = "lp__";

/// Estimates of more quantities come without their covariance, whose size grows with the square.
constexpr std::size_t most_correlated = 200;

NamedEstimate estimate_of(const ChainSummary& line, double level) {
  // mcse = sd / √ess_mean
  const double ratio = line.sd / line.mcse;
  NamedEstimate made{line.name, normal_estimate(line.mean, line.mcse, std::isfinite(ratio) ? ratio * ratio : 0, level), "mean"};
  if (line.sd == 0) made.note = "the same value in every draw";
  return made;
}

/// Covariance of the means: correlations of the draws with the Monte Carlo standard errors, as if all quantities mixed alike.
Eigen::MatrixXd covariance_of_means(const ChainDraws& draws, const std::vector<NamedEstimate>& estimates) {
  CovarianceAccumulator sums;
  for (const ChainTable& chain : draws.chains) sums.add(chain.values.transpose());
  Eigen::MatrixXd covariance = sums.covariance();
  Eigen::VectorXd factor(covariance.rows());
  for (Index j = 0; j < factor.size(); ++j) factor(j) = estimates[static_cast<std::size_t>(j)].estimate.std_error / std::sqrt(covariance(j, j));
  return covariance.cwiseProduct(factor * factor.transpose());
}

/// What the kernel did in every chain while sampling; of more than 100 chains the least, median and greatest of every column.
Table sampler_table(const ChainResult& r) {
  Table t;
  t.name = "sampler";
  t.title = "Work of the chains while sampling";
  t.columns = {"evaluations", "evaluations_per_step", "expansions", "shrinkages", "stuck", "undefined", "mean_lp"};
  Eigen::MatrixXd rows(static_cast<Index>(r.sampling_of_chains.size()), static_cast<Index>(t.columns.size()));
  for (Index c = 0; c < rows.rows(); ++c) {
    const SliceCounts& n = r.sampling_of_chains[static_cast<std::size_t>(c)];
    const auto evaluations = static_cast<double>(n.evaluations);
    const Eigen::MatrixXd& sampler = r.draws.chains[static_cast<std::size_t>(c)].sampler;
    rows.row(c) << evaluations, evaluations / static_cast<double>(n.steps), static_cast<double>(n.expansions), static_cast<double>(n.shrinkages),
        static_cast<double>(n.stuck), static_cast<double>(n.undefined), sampler.rows() > 0 ? sampler.col(0).mean() : nan;
  }
  constexpr Index most = 100;
  if (rows.rows() <= most) {
    t.rows = rows;
    for (Index c = 0; c < rows.rows(); ++c) t.row_labels.push_back("chain " + std::to_string(c + 1));
    return t;
  }
  t.row_labels = {"least", "median", "greatest"};
  t.rows.resize(3, rows.cols());
  for (Index j = 0; j < rows.cols(); ++j) {
    const std::span<const double> values(&rows(0, j), static_cast<std::size_t>(rows.rows()));
    t.rows.col(j) << rows.col(j).minCoeff(), sample_quantile(values, 0.5), rows.col(j).maxCoeff();
  }
  return t;
}

struct Extremes {
  double ess_bulk = nan, ess_tail = nan, rhat = nan;
};

/// Worst of everything stored; quantities without a value are left out.
Extremes extremes(const std::vector<ChainSummary>& summary) {
  Extremes worst;
  const auto take = [](double& into, double value, bool larger) {
    if (!std::isnan(value) && (std::isnan(into) || (larger ? value > into : value < into))) into = value;
  };
  for (const ChainSummary& s : summary) {
    take(worst.ess_bulk, s.ess_bulk, false);
    take(worst.ess_tail, s.ess_tail, false);
    take(worst.rhat, s.rhat, true);
  }
  return worst;
}

void add_diagnostics(const ChainResult& r, Outcome& o) {
  const Extremes worst = extremes(r.summary);
  const std::int64_t draws = r.draws.chains.front().values.rows();
  o.diagnostics = {
      {"chains", static_cast<std::int64_t>(r.draws.chains.size()), "chains that ran"},
      {"draws_per_chain", draws, "stored draws of every chain"},
      {"warmup_transitions", r.draws.warmup_length, "transitions of every chain before its first draw"},
      {"largest_rhat", worst.rhat, "R-hat of the quantity on which the chains agree least; below 1.01 they agree"},
      {"smallest_ess_bulk", worst.ess_bulk, "effective number of draws for the middle of the law, of the quantity that has the fewest"},
      {"smallest_ess_tail", worst.ess_tail, "effective number of draws for the 5 % and 95 % quantiles, of the quantity that has the fewest"},
      {"evaluations_per_effective_draw", static_cast<double>(r.sampling.evaluations) / worst.ess_bulk,
       "density evaluations while sampling per effective draw of the quantity that has the fewest"},
      {"warmup_evaluations", r.warmup.evaluations, "density evaluations for starting points and warm-up"},
      {"sampling_evaluations", r.sampling.evaluations, "density evaluations for the draws"},
      {"stuck_updates", r.sampling.stuck, "updates while sampling that kept the current point because the slice could not be found"},
      {"undefined_densities", r.warmup.undefined + r.sampling.undefined, "evaluations that gave NaN, taken as outside the support"},
      {"tuning", std::string(name(r.tuned)), "what the coordinates of the sampler were fitted to in the warm-up"},
  };
}

}  // namespace

Outcome chain_outcome(ChainResult r, const ChainOptions& options) {
  Outcome o;
  o.evaluations = r.warmup.evaluations + r.sampling.evaluations;
  o.stop_reason = r.stop_reason;
  for (const ChainSummary& line : r.summary) {
    if (line.name != log_density_name) o.estimates.push_back(estimate_of(line, options.level));
  }
  const bool any = r.draws.chains.front().values.rows() > 0;
  if (any && o.estimates.size() <= most_correlated) o.covariance = covariance_of_means(r.draws, o.estimates);
  add_diagnostics(r, o);
  o.warnings = r.verdict.problems;
  if (!r.tuning_note.empty() && any) o.warnings.push_back("The warm-up could not tune the sampler as asked: " + r.tuning_note + ".");
  if (r.draws.warmup_length < options.warmup && any) {
    o.warnings.push_back("The warm-up was cut short after " + std::to_string(r.draws.warmup_length) + " of " + std::to_string(options.warmup) +
                         " transitions: the draws may still depend on where the chains began.");
  }
  o.tables.push_back(summary_table(r.summary));
  if (any) o.tables.push_back(sampler_table(r));
  o.chain_draws = std::make_shared<const ChainDraws>(std::move(r.draws));
  return o;
}

}  // namespace buffon
