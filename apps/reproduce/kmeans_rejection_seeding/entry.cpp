// SPDX-License-Identifier: BSD-3-Clause
#include "entry.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <string>
#include <utility>

#include "cases.hpp"

namespace buffon::reproduce::kmeans_rejection_seeding {
namespace {

std::string in_short(double x, const char* format = "%.4g") {
  char text[32];
  std::snprintf(text, sizeof text, format, x);
  return text;
}

/// Everything about one data set.
class Experiment {
 public:
  Experiment(const ReproduceOptions& options, const Set& set, ReproduceTable& table)
      : options_(options), set_(set), table_(table), stream_(Stream(options.seed).child(set.name)) {
    runs_ = std::max<std::int64_t>(5, std::llround(20 * options.scale));
    // Costs are sums over rows: those of a part of the paper's rows are compared in proportion.
    constexpr double poker_rows = 1'025'010;
    factor_ = set.paper && set.name == "Poker" ? poker_rows / static_cast<double>(set.data->rows()) : 1;
  }

  void main_comparison() {
    const std::string part = set_.name + ", k = " + std::to_string(set_.k);
    exact_ = repeat({.k = set_.k, .algorithm = SeedingAlgorithm::exact}, "exact");
    // E over the first centre of the trials per centre is 4 β; a set where that is in the thousands would take hours.
    beta_ = beta_of();
    ReproduceRow trials = row(part, "4 beta: expected trials per centre of method 1, exact k-means++ cost", 4 * beta_, "", set_.note);
    table_.rows.push_back(std::move(trials));
    table_.rows.push_back(cost_row(part, "mean cost, exact k-means++", exact_, std::nullopt));
    const Runs afk = repeat({.k = set_.k, .algorithm = SeedingAlgorithm::afk_mc2, .chain_length = 200}, "afk-mc2");
    const auto paper = set_.paper;
    feasible_ = 4 * beta_ * static_cast<double>(set_.k) < 2e6;
    if (!feasible_) {
      table_.rows.push_back(cost_row(part, "mean cost, AFK-MC² with m = 200", afk, std::nullopt));
      table_.warnings.push_back(set_.name + ": method 1 was left out, it would need about " + in_short(4 * beta_, "%.2g") +
                                " trials for every centre. Columns with outliers do that; standardise them, or use the default algorithm.");
      return;
    }
    const Runs method_1 = repeat({.k = set_.k, .algorithm = SeedingAlgorithm::rejection}, "method 1");
    table_.rows.push_back(equal_row(part, "mean cost, method 1", method_1, paper ? std::optional(paper->rejection_cost) : std::nullopt));
    if (paper) table_.rows.push_back(paper_row(part, "mean cost, method 1, against the paper's", method_1, paper->rejection_cost, 20));
    table_.rows.push_back(cost_row(part, "mean cost, AFK-MC² with m = 200", afk, paper ? std::optional(paper->afk_cost) : std::nullopt));
    table_.rows.push_back(row(part, "cost of method 1 / cost of AFK-MC²", method_1.cost().value / afk.cost().value,
                              paper ? in_short(paper->rejection_cost / paper->afk_cost, "%.3f") : ""));
    const std::string caveat = "the paper's code draws every proposal by a pass over all rows, in both methods";
    table_.rows.push_back(row(part, "seconds of method 1, preprocessing included", method_1.median_seconds(), paper ? in_short(paper->rejection_seconds) : "",
                              "median of " + std::to_string(runs_) + " runs; " + caveat));
    table_.rows.push_back(row(part, "seconds of AFK-MC², preprocessing included", afk.median_seconds(), paper ? in_short(paper->afk_seconds) : "", caveat));
    table_.rows.push_back(row(part, "times faster than AFK-MC²", afk.median_seconds() / method_1.median_seconds(),
                              paper ? in_short(paper->afk_seconds / paper->rejection_seconds, "%.0f") : "", caveat));
    const double centres = static_cast<double>(runs_ * std::max<std::int64_t>(1, set_.k - 1));
    table_.rows.push_back(
        row(part, "trials per centre of method 1", static_cast<double>(method_1.counts.trials) / centres, "", "less than 4 beta, which is of the last centre"));
    const Runs snapshot = repeat({.k = set_.k, .algorithm = SeedingAlgorithm::snapshot}, "snapshot");
    table_.rows.push_back(equal_row(part, "mean cost, snapshot (our default)", snapshot, std::nullopt));
    table_.rows.push_back(row(part, "seconds of snapshot", snapshot.median_seconds(), ""));
  }

  void caps() {
    if (!feasible_) return;
    const std::string part = set_.name + ", at most m trials, k = " + std::to_string(set_.k);
    Table curve{
        .name = "log_log_cap_" + std::to_string(number_), .title = set_.name + ": mean cost with at most m trials per centre", .columns = {"m", "cost"}};
    const std::array<std::int64_t, 6> caps = {5, 10, 20, 50, 100, 150};
    curve.rows.resize(static_cast<Index>(caps.size()), 2);
    for (std::size_t i = 0; i < caps.size(); ++i) {
      const Runs capped = repeat({.k = set_.k, .algorithm = SeedingAlgorithm::capped_rejection, .max_trials = caps[i]}, "m = " + std::to_string(caps[i]));
      const std::string quantity = "mean cost, m = " + std::to_string(caps[i]);
      std::optional<double> figure;
      if (set_.paper && caps[i] == 5) figure = set_.paper->cap_5;
      if (set_.paper && caps[i] == 50) figure = set_.paper->cap_50;
      if (set_.paper && caps[i] == 150) figure = set_.paper->cap_150;
      ReproduceRow line =
          caps[i] == 150 && std::exp(-150 / (4 * beta_)) < 1e-3 ? equal_row(part, quantity, capped, figure) : cost_row(part, quantity, capped, figure);
      line.note = std::to_string(capped.counts.fall_backs) + " of " + std::to_string(runs_ * (set_.k - 1)) + " centres taken uniformly";
      table_.rows.push_back(std::move(line));
      curve.rows.row(static_cast<Index>(i)) << static_cast<double>(caps[i]), factor_ * capped.cost().value;
    }
    table_.tables.push_back(std::move(curve));
  }

  void numbers_of_centres() {
    if (!feasible_) return;
    const std::string part = set_.name + ", number of centres";
    Table curve{.name = "log_log_k_" + std::to_string(number_), .title = set_.name + ": mean cost and seconds of method 1", .columns = {"k", "cost"}};
    const std::array<std::int64_t, 5> ks = {5, 10, 20, 50, 100};
    curve.rows.resize(static_cast<Index>(ks.size()), 2);
    for (std::size_t i = 0; i < ks.size(); ++i) {
      const Runs runs = repeat({.k = ks[i], .algorithm = SeedingAlgorithm::rejection}, "k = " + std::to_string(ks[i]));
      std::optional<double> figure;
      if (set_.paper && ks[i] == 5) figure = set_.paper->cost_5;
      if (set_.paper && ks[i] == 100) figure = set_.paper->cost_100;
      const std::string quantity = "mean cost, k = " + std::to_string(ks[i]);
      ReproduceRow line = figure ? paper_row(part, quantity, runs, *figure, 20) : cost_row(part, quantity, runs, figure);
      line.note = in_short(runs.median_seconds(), "%.3g") + " s";
      table_.rows.push_back(std::move(line));
      curve.rows.row(static_cast<Index>(i)) << static_cast<double>(ks[i]), factor_ * runs.cost().value;
    }
    table_.tables.push_back(std::move(curve));
  }

  void number(int n) { number_ = n; }

 private:
  Runs repeat(const KmeansSeedingOptions& seeding, const std::string& name) {
    options_.say(set_.name + ", " + name);
    Runs runs = run(options_, set_, seeding, runs_, stream_.child(name));
    table_.evaluations += runs.counts.distances;
    return runs;
  }

  Estimate scaled(const Runs& runs) const {
    const Estimate cost = runs.cost();
    return normal_estimate(factor_ * cost.value, factor_ * cost.std_error, static_cast<double>(runs_));
  }

  static ReproduceRow row(std::string part, std::string quantity, double value, std::string paper, std::string note = {}) {
    return {.part = std::move(part), .quantity = std::move(quantity), .paper = std::move(paper), .ours = normal_estimate(value, 0), .note = std::move(note)};
  }

  ReproduceRow cost_row(std::string part, std::string quantity, const Runs& runs, std::optional<double> paper) const {
    ReproduceRow line = row(std::move(part), std::move(quantity), 0, paper ? in_short(*paper) : "");
    line.ours = scaled(runs);
    if (paper) line.ratio = line.ours.value / *paper;
    return line;
  }

  /// An exact sampler of D² has the mean cost of exact k-means++.
  ReproduceRow equal_row(std::string part, std::string quantity, const Runs& runs, std::optional<double> paper) const {
    ReproduceRow line = cost_row(std::move(part), std::move(quantity), runs, paper);
    const Estimate ours = runs.cost(), exact = exact_.cost();
    line.criterion = "within 4 standard errors of exact k-means++";
    line.holds = std::abs(ours.value - exact.value) <= 4 * std::hypot(ours.std_error, exact.std_error);
    return line;
  }

  /// The paper's figure is a mean of `paper_runs`, whose standard deviation is taken to be ours; its digits are rounded.
  ReproduceRow paper_row(std::string part, std::string quantity, const Runs& runs, double paper, double paper_runs) const {
    ReproduceRow line = cost_row(std::move(part), std::move(quantity), runs, paper);
    const double error = factor_ * runs.std_dev() * std::sqrt(1 / paper_runs + 1 / static_cast<double>(runs_));
    line.criterion = "within 4 joint standard errors of the paper's mean";
    line.holds = std::abs(line.ours.value - paper) <= 4 * error + 0.005 * paper;
    return line;
  }

  double beta_of() const {
    Eigen::VectorXd mean = Eigen::VectorXd::Zero(set_.data->columns());
    const Index n = set_.data->rows();
    for (Index i = 0; i < n; ++i) mean += set_.data->point(i);
    mean /= static_cast<double>(n);
    return assign(*set_.data, mean, *options_.context).cost / exact_.cost().value;
  }

  const ReproduceOptions& options_;
  const Set& set_;
  ReproduceTable& table_;
  Stream stream_;
  std::int64_t runs_ = 0;
  double factor_ = 1, beta_ = 0;
  Runs exact_;
  bool feasible_ = true;
  int number_ = 0;
};

}  // namespace

ReproduceEntry entry() {
  return {.name = "kmeans-rejection-seeding",
          .title = "P. Shah, S. Agrawal, R. Jaiswal, A new rejection sampling approach to k-means++ with improved trade-offs, 2025",
          .summary = "k-means++ seeding by rejection against exact k-means++ and AFK-MC² (m = 200): costs, seconds, at most m trials, numbers of centres.",
          .run = [](const ReproduceOptions& options) {
            ReproduceTable table;
            const std::vector<Set> sets = sets_of(options, table);
            for (std::size_t i = 0; i < sets.size(); ++i) {
              const auto done = [&](double part) { options.progress((static_cast<double>(i) + part) / static_cast<double>(sets.size())); };
              Experiment experiment(options, sets[i], table);
              experiment.number(static_cast<int>(i));
              experiment.main_comparison();
              done(0.4);
              experiment.caps();
              done(0.7);
              experiment.numbers_of_centres();
              done(1);
            }
            return table;
          }};
}

}  // namespace buffon::reproduce::kmeans_rejection_seeding
