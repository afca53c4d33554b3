// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/stats/chain_tables.hpp>
#include <buffon/stats/quantile.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <numeric>
#include <span>
#include <string>
#include <utility>

#include "chain_lags.hpp"

namespace buffon {
namespace {

constexpr std::size_t most_quantities = 4;
constexpr Index most_chains = 8;
constexpr Index trace_points = 250;
constexpr Index rank_bins = 20;
constexpr Index density_points = 80;
constexpr Index most_lags = 50;
constexpr Index pair_points = 400;

/// To six significant digits, so that its shortest text is short.
double rounded(double value) {
  std::array<char, 32> text;
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::general, 6).ptr;
  double out = value;
  if (std::isfinite(value)) std::from_chars(text.data(), end, out);
  return out;
}

struct Quantity {
  std::string name;
  Eigen::MatrixXd draws;  // draws × chains
  double sd;
};

/// Whether the draws take more than a few values: figures of an event's 0 and 1 show nothing.
bool varied(const Eigen::MatrixXd& draws) {
  constexpr std::size_t few = 8;
  std::vector<double> values;
  for (const double x : draws.reshaped()) {
    if (std::find(values.begin(), values.end(), x) == values.end()) values.push_back(x);
    if (values.size() > few) return true;
  }
  return false;
}

/// Those that mixed worst: R-hat above 1.01 first, then small effective sizes; those without diagnostics are left out.
std::vector<Quantity> worst(const ChainDraws& draws, const std::vector<ChainSummary>& summary) {
  std::vector<const ChainSummary*> order;
  for (const ChainSummary& s : summary) {
    if (std::isfinite(s.ess_bulk)) order.push_back(&s);
  }
  const auto key = [](const ChainSummary* s) { return std::pair(s->rhat > most_rhat ? -s->rhat : -most_rhat, std::fmin(s->ess_bulk, s->ess_tail)); };
  std::stable_sort(order.begin(), order.end(), [&](const auto* a, const auto* b) { return key(a) < key(b); });
  std::vector<Quantity> out;
  for (const ChainSummary* s : order) {
    if (out.size() == most_quantities) break;
    const auto value = std::find(draws.names.begin(), draws.names.end(), s->name);
    const auto sampler = std::find(draws.sampler_names.begin(), draws.sampler_names.end(), s->name);
    if (value != draws.names.end()) out.push_back({s->name, column_of(draws, value - draws.names.begin()), s->sd});
    if (value == draws.names.end() && sampler != draws.sampler_names.end()) {
      out.push_back({s->name, sampler_column_of(draws, sampler - draws.sampler_names.begin()), s->sd});
    }
    if (!out.empty() && out.back().name == s->name && !varied(out.back().draws)) out.pop_back();
  }
  return out;
}

std::string of_chain(const std::string& name, Index chain) { return name + ":" + std::to_string(chain + 1); }

Index shown(const Quantity& q) { return std::min(q.draws.cols(), most_chains); }

Table trace(const std::vector<Quantity>& quantities) {
  const Index n = quantities.front().draws.rows(), every = (n + trace_points - 1) / trace_points, rows = (n + every - 1) / every;
  Table t{.name = "chain_trace", .title = every == 1 ? "Trace of the draws" : "Trace of every " + std::to_string(every) + "th draw", .columns = {"draw"}};
  t.rows.resize(rows, 1 + static_cast<Index>(quantities.size()) * shown(quantities.front()));
  for (Index i = 0; i < rows; ++i) t.rows(i, 0) = static_cast<double>(i * every + 1);
  for (const Quantity& q : quantities) {
    for (Index c = 0; c < shown(q); ++c) {
      const auto j = static_cast<Index>(t.columns.size());
      t.columns.push_back(of_chain(q.name, c));
      for (Index i = 0; i < rows; ++i) t.rows(i, j) = rounded(q.draws(i * every, c));
    }
  }
  return t;
}

/// Ties share their mean rank.
Table ranks(const std::vector<Quantity>& quantities) {
  Table t{.name = "chain_ranks", .title = "Ranks of the draws of each chain among all draws", .columns = {"rank"}};
  t.rows = Eigen::MatrixXd::Zero(rank_bins, 1 + static_cast<Index>(quantities.size()) * shown(quantities.front()));
  for (Index b = 0; b < rank_bins; ++b) t.rows(b, 0) = (static_cast<double>(b) + 0.5) / static_cast<double>(rank_bins);
  for (const Quantity& q : quantities) {
    const auto first_column = static_cast<Index>(t.columns.size());
    for (Index c = 0; c < shown(q); ++c) t.columns.push_back(of_chain(q.name, c));
    std::vector<Index> order(static_cast<std::size_t>(q.draws.size()));
    std::iota(order.begin(), order.end(), Index{0});
    const double* x = q.draws.data();
    std::sort(order.begin(), order.end(), [&](Index a, Index b) { return std::pair(x[a], a) < std::pair(x[b], b); });
    for (std::size_t first = 0; first < order.size();) {
      std::size_t end = first;
      while (end < order.size() && x[order[end]] == x[order[first]]) ++end;
      const double middle = (static_cast<double>(first) + static_cast<double>(end)) / 2 / static_cast<double>(order.size());
      const Index bin = std::min(static_cast<Index>(middle * static_cast<double>(rank_bins)), rank_bins - 1);
      for (; first < end; ++first) {
        const Index chain = order[first] / q.draws.rows();
        if (chain < shown(q)) t.rows(bin, first_column + chain) += 1;
      }
    }
  }
  return t;
}

/// Gaussian kernel density on an even grid, from draws counted in fine cells between its ends.
Eigen::VectorXd density(const ConstVector& draws, double low, double high) {
  constexpr Index cells = 400;
  const auto n = static_cast<double>(draws.size());
  const double cell = (high - low) / static_cast<double>(cells);
  Eigen::VectorXd count = Eigen::VectorXd::Zero(cells);
  for (const double x : draws) {
    if (x >= low && x < high) count(std::min(static_cast<Index>((x - low) / cell), cells - 1)) += 1;
  }
  const std::array<double, 2> quarters = {0.25, 0.75};
  const std::vector<double> q = sample_quantiles({draws.data(), static_cast<std::size_t>(draws.size())}, quarters);
  const double sd = std::sqrt((draws.array() - draws.mean()).square().sum() / (n - 1));
  const double spread = q[1] > q[0] ? std::min(sd, (q[1] - q[0]) / 1.349) : sd;
  const double width = std::max(0.9 * spread * std::pow(n, -0.2), cell);
  Eigen::VectorXd out = Eigen::VectorXd::Zero(density_points);
  for (Index g = 0; g < density_points; ++g) {
    const double x = low + (high - low) * static_cast<double>(g) / static_cast<double>(density_points - 1);
    for (Index k = 0; k < cells; ++k) {
      const double z = (low + (static_cast<double>(k) + 0.5) * cell - x) / width;
      if (std::abs(z) < 6) out(g) += count(k) * std::exp(-0.5 * z * z);
    }
  }
  return out / (n * width * std::sqrt(2 * 3.14159265358979323846));
}

Table densities(const std::vector<Quantity>& quantities) {
  Table t{.name = "chain_density", .title = "Densities of the chains"};
  t.rows.resize(density_points, static_cast<Index>(quantities.size()) * (1 + shown(quantities.front())));
  for (const Quantity& q : quantities) {
    // Between quantiles, or a few far draws of heavy tails would squeeze all the others together.
    const std::array<double, 2> ends = {0.005, 0.995};
    const std::vector<double> e = sample_quantiles({q.draws.data(), static_cast<std::size_t>(q.draws.size())}, ends);
    const double margin = e[1] > e[0] ? 0.15 * (e[1] - e[0]) : q.sd, low = e[0] - margin, high = e[1] + margin;
    auto j = static_cast<Index>(t.columns.size());
    t.columns.push_back(q.name + ".x");
    for (Index g = 0; g < density_points; ++g) t.rows(g, j) = rounded(low + (high - low) * static_cast<double>(g) / static_cast<double>(density_points - 1));
    for (Index c = 0; c < shown(q); ++c) {
      t.columns.push_back(of_chain(q.name, c));
      t.rows.col(++j) = density(q.draws.col(c), low, high).unaryExpr(&rounded);
    }
  }
  return t;
}

Table autocorrelations(const std::vector<Quantity>& quantities) {
  const Index lags = std::min(most_lags, quantities.front().draws.rows() - 1) + 1;
  Table t{.name = "chain_autocorrelation", .title = "Autocorrelations of the draws", .columns = {"lag"}};
  t.rows.resize(lags, 1 + static_cast<Index>(quantities.size()));
  for (Index i = 0; i < lags; ++i) t.rows(i, 0) = static_cast<double>(i);
  for (const Quantity& q : quantities) {
    const auto j = static_cast<Index>(t.columns.size());
    t.columns.push_back(q.name);
    stats_detail::Lags covariances(q.draws);
    for (Index i = 0; i < lags; ++i) t.rows(i, j) = rounded(covariances.at(i) / covariances.at(0));
  }
  return t;
}

Table pairs(const std::vector<Quantity>& quantities) {
  const Index all = quantities.front().draws.size(), points = std::min(all, pair_points);
  Table t{.name = "chain_pairs", .title = "Draws of the quantities against each other"};
  t.rows.resize(points, static_cast<Index>(quantities.size()));
  for (const Quantity& q : quantities) {
    const auto j = static_cast<Index>(t.columns.size());
    t.columns.push_back(q.name);
    for (Index i = 0; i < points; ++i) t.rows(i, j) = rounded(q.draws.data()[i * all / points]);
  }
  return t;
}

}  // namespace

Table summary_table(const std::vector<ChainSummary>& summary) {
  Table t{
      .name = "summary", .title = "Summary of the draws", .columns = {"Mean", "MCSE", "StdDev", "MAD", "5%", "50%", "95%", "ESS_bulk", "ESS_tail", "R_hat"}};
  t.rows.resize(static_cast<Index>(summary.size()), static_cast<Index>(t.columns.size()));
  for (const ChainSummary& s : summary) {
    t.rows.row(static_cast<Index>(t.row_labels.size())) << s.mean, s.mcse, s.sd, s.mad, s.q5, s.median, s.q95, s.ess_bulk, s.ess_tail, s.rhat;
    t.row_labels.push_back(s.name);
  }
  return t;
}

std::vector<ChainSummary> summary_from(const Table& table) {
  std::vector<ChainSummary> out;
  const auto at = [&](Index i, const char* column) {
    const auto found = std::find(table.columns.begin(), table.columns.end(), column);
    return found == table.columns.end() ? std::numeric_limits<double>::quiet_NaN() : table.rows(i, found - table.columns.begin());
  };
  for (Index i = 0; i < table.rows.rows() && static_cast<std::size_t>(i) < table.row_labels.size(); ++i) {
    out.push_back({.name = table.row_labels[static_cast<std::size_t>(i)],
                   .mean = at(i, "Mean"),
                   .mcse = at(i, "MCSE"),
                   .sd = at(i, "StdDev"),
                   .mad = at(i, "MAD"),
                   .q5 = at(i, "5%"),
                   .median = at(i, "50%"),
                   .q95 = at(i, "95%"),
                   .ess_bulk = at(i, "ESS_bulk"),
                   .ess_tail = at(i, "ESS_tail"),
                   .rhat = at(i, "R_hat")});
  }
  return out;
}

std::vector<Table> chain_tables(const ChainDraws& draws, const std::vector<ChainSummary>& summary) {
  const std::vector<Quantity> quantities = worst(draws, summary);
  if (quantities.empty()) return {};
  std::vector<Table> out = {trace(quantities), ranks(quantities), densities(quantities), autocorrelations(quantities)};
  if (quantities.size() > 1) out.push_back(pairs(quantities));
  return out;
}

void complete_chain_outcome(Outcome& outcome) {
  const ChainDraws& draws = *outcome.chain_draws;
  if (outcome.table("summary") == nullptr) outcome.tables.push_back(summary_table(summarise(draws)));
  const std::vector<ChainSummary> summary = summary_from(*outcome.table("summary"));
  for (Table& table : chain_tables(draws, summary)) {
    if (outcome.table(table.name) == nullptr) outcome.tables.push_back(std::move(table));
  }
  const bool judged = std::any_of(outcome.diagnostics.begin(), outcome.diagnostics.end(), [](const Diagnostic& d) { return d.name == "verdict"; });
  if (judged) return;
  const ChainVerdict verdict = diagnose(draws, summary);
  for (const std::string& problem : verdict.problems) {
    if (std::find(outcome.warnings.begin(), outcome.warnings.end(), problem) == outcome.warnings.end()) outcome.warnings.push_back(problem);
  }
  outcome.diagnostics.push_back({.name = "verdict", .value = verdict.verdict, .meaning = "what R-hat, effective sizes and the sampler say together"});
}

}  // namespace buffon
