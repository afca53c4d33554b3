// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/stats/chain_diagnostics.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <utility>

#include "chain_sample.hpp"

namespace buffon {
namespace {

constexpr double least_ess_per_chain = 100;
constexpr std::size_t most_chains_counted = 10;  // more chains than these need no larger effective size
constexpr Index least_draws = 12;                // of a chain, for its effective size
constexpr std::size_t most_named = 8;

ChainSummary summary_of(const std::string& name, const Eigen::MatrixXd& draws) {
  stats_detail::ChainSample x(draws);
  return {.name = name,
          .mean = x.mean(),
          .mcse = x.mcse_mean(),
          .sd = x.sd(),
          .mad = x.mad(),
          .q5 = x.quantile(0.05),
          .median = x.quantile(0.5),
          .q95 = x.quantile(0.95),
          .ess_bulk = x.ess_bulk(),
          .ess_tail = x.ess_tail(),
          .rhat = x.rhat()};
}

Eigen::MatrixXd gathered(const ChainDraws& draws, Eigen::MatrixXd ChainTable::*part, Index column) {
  Index rows = draws.chains.empty() ? 0 : (draws.chains.front().*part).rows();
  for (const ChainTable& chain : draws.chains) rows = std::min(rows, (chain.*part).rows());
  Eigen::MatrixXd out(rows, static_cast<Index>(draws.chains.size()));
  for (Index m = 0; m < out.cols(); ++m) out.col(m) = (draws.chains[static_cast<std::size_t>(m)].*part).col(column).head(rows);
  return out;
}

std::string short_number(double value) {
  std::array<char, 32> text = {};
  const auto [end, status] = std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::general, 4);
  return {text.data(), end};
}

/// "a (1.2), b (1.1) and 3 more", worst first.
class Offenders {
 public:
  void add(const std::string& name, double value, double badness) { list_.push_back({badness, name + " (" + short_number(value) + ")"}); }
  void add(const std::string& name) { list_.push_back({0, name}); }
  bool any() const { return !list_.empty(); }
  std::string text() {
    std::stable_sort(list_.begin(), list_.end(), [](const Item& a, const Item& b) { return a.badness > b.badness; });
    std::string out;
    const std::size_t named = std::min(list_.size(), most_named);
    for (std::size_t i = 0; i < named; ++i) out += (i == 0 ? "" : i + 1 == list_.size() ? " and " : ", ") + list_[i].text;
    if (named < list_.size()) out += " and " + std::to_string(list_.size() - named) + " more";
    return out;
  }

 private:
  struct Item {
    double badness;
    std::string text;
  };
  std::vector<Item> list_;
};

/// Sum of a column of whole numbers over all chains; 0 where there is none of the name.
std::int64_t total(const ChainDraws& draws, const std::string& name) {
  const auto at = std::find(draws.sampler_names.begin(), draws.sampler_names.end(), name);
  if (at == draws.sampler_names.end()) return 0;
  double sum = 0;
  for (const ChainTable& chain : draws.chains) sum += chain.sampler.col(at - draws.sampler_names.begin()).sum();
  return static_cast<std::int64_t>(sum);
}

/// Pairs of chains with the same draws: they were given the same random numbers.
bool chains_repeat(const ChainDraws& draws) {
  std::vector<const Eigen::MatrixXd*> order;
  for (const ChainTable& chain : draws.chains) {
    if (chain.values.size() > 0 && !(chain.values.rowwise() - chain.values.row(0)).cwiseEqual(0).all()) order.push_back(&chain.values);
  }
  // By their bytes, since a stored quantity may be NaN.
  const auto difference = [](const Eigen::MatrixXd* a, const Eigen::MatrixXd* b) {
    if (a->size() != b->size()) return a->size() < b->size() ? -1 : 1;
    return std::memcmp(a->data(), b->data(), static_cast<std::size_t>(a->size()) * sizeof(double));
  };
  std::sort(order.begin(), order.end(), [&](const auto* a, const auto* b) { return difference(a, b) < 0; });
  return std::adjacent_find(order.begin(), order.end(), [&](const auto* a, const auto* b) { return difference(a, b) == 0; }) != order.end();
}

}  // namespace

Eigen::MatrixXd column_of(const ChainDraws& draws, Index column) { return gathered(draws, &ChainTable::values, column); }
Eigen::MatrixXd sampler_column_of(const ChainDraws& draws, Index column) { return gathered(draws, &ChainTable::sampler, column); }

std::vector<ChainSummary> summarise(const ChainDraws& draws) {
  std::vector<ChainSummary> out;
  const auto lp = std::find(draws.sampler_names.begin(), draws.sampler_names.end(), "lp__");
  if (lp != draws.sampler_names.end()) out.push_back(summary_of("lp__", sampler_column_of(draws, lp - draws.sampler_names.begin())));
  for (std::size_t i = 0; i < draws.names.size(); ++i) out.push_back(summary_of(draws.names[i], column_of(draws, static_cast<Index>(i))));
  return out;
}

double least_effective_size(std::size_t chains) { return least_ess_per_chain * static_cast<double>(std::min(chains, most_chains_counted)); }

ChainVerdict diagnose(const ChainDraws& draws, const std::vector<ChainSummary>& summary) {
  ChainVerdict out;
  const std::size_t chains = draws.chains.size();
  Index rows = chains == 0 ? 0 : draws.chains.front().values.rows();
  for (const ChainTable& chain : draws.chains) rows = std::min(rows, chain.values.rows());
  if (rows == 0) {
    out.problems = {"There are no draws."};
    out.verdict = "There is nothing to judge.";
    return out;
  }
  const double least_ess = least_effective_size(chains);
  if (chains == 1) {
    out.problems.push_back(
        "There is one chain only: R-hat compares its two halves and cannot tell whether other starting points lead elsewhere. Run 4 chains.");
  }
  if (rows < least_draws) {
    out.problems.push_back("There are fewer than 12 draws per chain: effective sizes and Monte Carlo errors cannot be given. Take more draws.");
  }
  if (chains_repeat(draws)) {
    out.problems.push_back("Two chains have the same draws: they were given the same random numbers and count once. Give every chain its own.");
  }

  Offenders not_finite, constant, mixed, bulk, tail;
  for (const ChainSummary& s : summary) {
    if (!std::isfinite(s.mean)) {
      not_finite.add(s.name);
    } else if (s.sd == 0 || std::isnan(s.sd)) {
      if (s.name != "lp__") constant.add(s.name);  // the log density of a uniform law is no fault
    } else {
      if (s.rhat > most_rhat) mixed.add(s.name, s.rhat, s.rhat);
      if (s.ess_bulk < least_ess) bulk.add(s.name, s.ess_bulk, -s.ess_bulk);
      if (s.ess_tail < least_ess) tail.add(s.name, s.ess_tail, -s.ess_tail);
    }
  }
  if (not_finite.any()) out.problems.push_back("Some draws are not finite numbers, so nothing is computed for " + not_finite.text() + ".");
  if (constant.any()) out.problems.push_back("All draws are equal, so no error can be given for " + constant.text() + ".");
  if (mixed.any()) {
    out.problems.push_back("R-hat is above 1.01 for " + mixed.text() +
                           ": the chains disagree about where the mass is. Run longer, or look for several modes or a better parametrisation.");
  }
  if (bulk.any()) {
    out.problems.push_back("The bulk effective size is below " + short_number(least_ess) + " for " + bulk.text() +
                           ": means and medians of these, and R-hat itself, are not reliable. Run longer.");
  }
  if (tail.any()) {
    out.problems.push_back("The tail effective size is below " + short_number(least_ess) + " for " + tail.text() +
                           ": the 5 % and 95 % quantiles of these are not reliable. Run longer.");
  }
  if (const std::int64_t stuck = total(draws, "stuck__"); stuck > 0) {
    out.problems.push_back("The sampler found no new point in " + std::to_string(stuck) +
                           " updates (column stuck__) and stayed: the density may have a spike, a jump or a region too thin for its numbers.");
  }
  if (const std::int64_t undefined = total(draws, "undefined__"); undefined > 0) {
    out.problems.push_back("The density was NaN, or could not be evaluated, at " + std::to_string(undefined) +
                           " points (column undefined__), which were taken as outside its support: check it there.");
  }
  if (out.problems.empty()) {
    out.verdict = "No problems found: R-hat is at most 1.01 and the effective sizes are at least " + short_number(least_ess) + " for all " +
                  std::to_string(summary.size()) + " quantities.";
  } else {
    out.verdict = std::to_string(out.problems.size()) + (out.problems.size() == 1 ? " problem" : " problems") +
                  " found: do not trust the estimates named above before " + (out.problems.size() == 1 ? "it is" : "they are") + " understood.";
  }
  return out;
}

}  // namespace buffon
