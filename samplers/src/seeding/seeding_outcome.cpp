// SPDX-License-Identifier: BSD-3-Clause
#include "seeding_outcome.hpp"
#include "../draws/columns.hpp"

#include <buffon/core/archive.hpp>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

namespace buffon {
namespace {

/// Rows of a table at most; of more centres every so many-th is shown.
constexpr std::size_t most_rows = 2000;

constexpr bool proposes_by_norm(SeedingAlgorithm a) { return a == SeedingAlgorithm::rejection || a == SeedingAlgorithm::capped_rejection; }

Table table_of(std::string name, std::string title, std::vector<std::string> columns, const std::vector<double>& first, const std::vector<double>& second) {
  Table t{std::move(name), std::move(title), std::move(columns)};
  const std::size_t n = first.size(), every = (n + most_rows - 1) / most_rows;
  std::vector<std::size_t> shown;
  for (std::size_t i = 0; i < n; i += std::max<std::size_t>(1, every)) shown.push_back(i);
  if (n > 0 && shown.back() != n - 1) shown.push_back(n - 1);
  t.rows.resize(static_cast<Index>(shown.size()), 2);
  for (std::size_t i = 0; i < shown.size(); ++i) t.rows.row(static_cast<Index>(i)) << first[shown[i]], second[shown[i]];
  return t;
}

std::shared_ptr<const Selection> selection_of(const DataSet& data, const SeedingRecord& record, const Assignment* assignment) {
  auto s = std::make_shared<Selection>();
  const DataSet::About& about = data.about();
  for (const Index row : record.rows) s->rows.push_back(data.row_number(row));
  s->centres = record.refined.size() > 0 ? record.refined : data.points(record.rows);
  s->columns = draws::column_names(data);
  s->centre = about.centre;
  s->scale = about.scale;
  s->all_rows = about.row_numbers;
  if (assignment != nullptr) {
    s->labels = assignment->labels;
    for (const float squared : assignment->squared) s->distances.push_back(std::sqrt(squared));
  }
  return s;
}

}  // namespace

void SeedingRecord::describe_state(Archive& archive) {
  archive.item("rows", rows);
  archive.item("trials", trials);
  archive.item("all_trials", counts.trials);
  archive.item("distances", counts.distances);
  archive.item("refreshes", counts.refreshes);
  archive.item("fall_backs", counts.fall_backs);
  archive.item("distinct", distinct);
  archive.item("curve_centres", curve_centres);
  archive.item("curve_totals", curve_totals);
  archive.item("spread", spread);
  archive.item("outlier_share", outlier_share);
  archive.item("refined", refined);
  archive.item("lloyd_costs", lloyd_costs);
  archive.item("converged", converged);
  archive.item("lloyd_stop", lloyd_stop);
  archive.item("cost", cost);
  archive.item("assigned", assigned);
}

Outcome seeding_outcome(const DataSet& data, const KmeansSeedingOptions& options, const SeedingRecord& record, const Assignment* assignment,
                        const std::string& stop_reason) {
  Outcome out;
  if (options.labels || options.lloyd_rounds > 0) {
    out.estimates.push_back({"cost", normal_estimate(record.cost, std::isnan(record.cost) ? record.cost : 0), "cost", "computed from all rows, not estimated"});
  }
  const SeedingCounts& n = record.counts;
  const auto tell = [&](std::string name, auto value, std::string meaning) { out.diagnostics.push_back({std::move(name), value, std::move(meaning)}); };
  tell("centres", static_cast<std::int64_t>(record.rows.size()), "Rows chosen.");
  tell("trials", n.trials, "Rows proposed for the centres after the first.");
  tell("distances", n.distances, "Distances evaluated for the choice; k-means++ as it is written needs rows × centres.");
  if (options.algorithm == SeedingAlgorithm::snapshot)
    tell("refreshes", n.refreshes, "Snapshots of all distances taken: passes over the rows with the centres that are new.");
  if (options.algorithm == SeedingAlgorithm::afk_mc2) {
    tell("fall_backs", n.fall_backs, "Centres drawn by distances of all rows, since their chain ended on an earlier centre.");
  }
  if (proposes_by_norm(options.algorithm)) {
    tell("passes", n.refreshes, "Passes over all rows with the centres that are new, after trials without success.");
    if (options.algorithm == SeedingAlgorithm::capped_rejection) {
      tell("fall_backs", n.fall_backs, "Centres taken by weight alone, since no trial was accepted. Many of them make the law differ from D².");
    }
    // the first trials of a centre cost 2 (s + s_1) / D² ones each; at the end, on average over the first centre, 4 Δ_1 / Δ
    const std::size_t last = std::max<std::size_t>(1, record.trials.size() / 10);
    if (record.trials.size() > 1) {
      tell("trials_at_the_end",
           static_cast<double>(std::accumulate(record.trials.end() - static_cast<std::ptrdiff_t>(last), record.trials.end(), std::int64_t{0})) /
               static_cast<double>(last),
           "Trials per centre, mean over the last tenth of the centres.");
    }
    const double chosen_cost = record.lloyd_costs.empty() ? record.cost : record.lloyd_costs.front();
    if (chosen_cost > 0) {
      tell("four_beta", 4 * record.spread / chosen_cost,
           "4 β, β = the sum of squared distances to the mean over that to the centres: the trials that one more centre would need, on average over the first "
           "centre.");
    }
  }
  if (!record.lloyd_costs.empty()) {
    tell("lloyd_rounds", static_cast<std::int64_t>(record.lloyd_costs.size()) - 1, "Rounds of Lloyd's iteration.");
    tell("lloyd_converged", record.converged, "Whether Lloyd's iteration ended by its tolerance.");
    tell("seeding_cost", record.lloyd_costs.front(), "Cost of the chosen rows, before Lloyd's iteration.");
  }
  if (n.distances + record.assigned > 0) tell("assignment_distances", record.assigned, "Distances evaluated for labels and Lloyd's iteration.");

  std::vector<double> numbers, trials;
  for (std::size_t i = 0; i < record.trials.size(); ++i) {
    numbers.push_back(static_cast<double>(i + 1));
    trials.push_back(static_cast<double>(record.trials[i]));
  }
  out.tables.push_back(table_of("trials", "Trials for every centre", {"centre", "trials"}, numbers, trials));
  std::vector<double> centres = record.curve_centres, totals = record.curve_totals;
  const double chosen_cost = record.lloyd_costs.empty() ? record.cost : record.lloyd_costs.front();
  const auto k = static_cast<double>(record.rows.size());
  if (!std::isnan(chosen_cost) && (centres.empty() || centres.back() < k)) {
    centres.push_back(k);
    totals.push_back(chosen_cost);
  }
  if (!centres.empty()) out.tables.push_back(table_of("cost_curve", "Cost against centres", {"centres", "cost"}, centres, totals));
  if (!record.lloyd_costs.empty()) {
    std::vector<double> rounds(record.lloyd_costs.size());
    std::iota(rounds.begin(), rounds.end(), 0.0);
    out.tables.push_back(table_of("lloyd", "Cost after every round of Lloyd's iteration", {"round", "cost"}, rounds, record.lloyd_costs));
  }

  if (const auto chosen = static_cast<std::int64_t>(record.rows.size()); chosen > 0 && chosen < options.k && record.distinct == 0 && !stop_reason.empty()) {
    out.warnings.push_back("Only " + std::to_string(chosen) + " of " + std::to_string(options.k) + " centres were chosen, because " + stop_reason + ".");
  }
  if (!record.lloyd_costs.empty() && !record.lloyd_stop.empty() && !record.converged) {
    out.warnings.push_back("Lloyd's iteration did not converge within options.lloyd_rounds = " + std::to_string(options.lloyd_rounds) +
                           ": the centres still moved. Allow more rounds, or a larger options.lloyd_tolerance.");
  }
  if (record.outlier_share > 0.999) {
    out.warnings.push_back(
        "One row in a thousand (at least one row) holds more than 99.9 % of the squared distances to the mean: centres are chosen among outliers, or one "
        "column's unit outweighs "
        "all "
        "others. Consider data.scale = \"standardise\", other columns, or the removal of such rows.");
  }
  if (record.distinct > 0) {
    out.warnings.push_back("The data have only " + std::to_string(record.distinct) + " distinct rows" + (data.weighted() ? " of positive weight" : "") +
                           ", fewer than k = " + std::to_string(options.k) +
                           (options.too_few == TooFewRows::fewer ? ": there are fewer centres." : ": some rows are centres more than once."));
  }
  if (options.algorithm == SeedingAlgorithm::capped_rejection && n.fall_backs * 20 > static_cast<std::int64_t>(record.rows.size())) {
    out.warnings.push_back(std::to_string(n.fall_backs) + " of " + std::to_string(record.rows.size()) +
                           " centres were taken by weight alone because max_trials was reached: the cost is higher than that of k-means++. Take algorithm = "
                           "\"snapshot\" or a larger options.max_trials.");
  }
  out.evaluations = n.distances + record.assigned;
  out.stop_reason = stop_reason;
  out.selection = selection_of(data, record, assignment);
  return out;
}

}  // namespace buffon
