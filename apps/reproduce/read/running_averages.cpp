// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <cmath>

#include "cases.hpp"

namespace buffon::reproduce::read {

// The running average of the copies with its band ± 1.96 s / √n, looked at between the rounds of one run with the paper's rates.
void running_averages(const ReproduceOptions& options, double from, double to, ReproduceTable& table) {
  const Stream root = Stream(options.seed).child("running averages");
  const std::int64_t last = std::llround(1e6 * std::max(0.1, options.scale)), first = 40000;
  Table figure{.name = "convergence", .title = "Running averages, band 1.96 s / sqrt(n)", .columns = {"copies"}, .rows = {}, .row_labels = {}};
  std::vector<std::vector<std::array<double, 3>>> lines;
  for (const Experiment& experiment : experiments) {
    Read method(problem_of(experiment.name), {.max_copies = last, .rates = paper_rates}, root.child(experiment.label));
    std::vector<std::array<double, 3>>& line = lines.emplace_back();
    while (!method.finished()) {
      method.step(*options.context);
      const ReadResult now = method.result();
      if (now.copies >= first) line.push_back({static_cast<double>(now.copies), now.value.value, now.value.std_error});
    }
    const ReadResult end = method.result();
    table.evaluations += end.evaluations;
    const double exact = exact_value(experiment.name);
    ReproduceRow row{.part = experiment.label + ", running average", .quantity = "value after the last copy", .exact = exact, .ours = end.value};
    row.ratio = row.ours.value / exact;
    row.criterion = "within 4 standard errors";
    row.holds = std::abs(row.ours.value - exact) <= 4 * row.ours.std_error;
    const auto covered = std::count_if(line.begin(), line.end(), [&](const auto& p) { return std::abs(p[1] - exact) <= 1.96 * p[2]; });
    row.note = "the band holds the exact value at " + std::to_string(covered) + " of " + std::to_string(line.size()) + " places";
    table.rows.push_back(row);
    figure.columns.insert(figure.columns.end(), {experiment.label, experiment.label + ".std_error", experiment.label + ".exact"});
    options.progress(from + (to - from) * static_cast<double>(lines.size()) / static_cast<double>(experiments.size()));
  }
  // Equal rates give equal rounds, so the lines share their places.
  figure.rows.resize(static_cast<Index>(lines.front().size()), static_cast<Index>(figure.columns.size()));
  for (std::size_t i = 0; i < lines.front().size(); ++i) {
    const auto row = static_cast<Index>(i);
    figure.rows(row, 0) = lines.front()[i][0];
    for (std::size_t e = 0; e < lines.size(); ++e) {
      const auto column = static_cast<Index>(3 * e + 1);
      figure.rows(row, column) = lines[e][i][1];
      figure.rows(row, column + 1) = lines[e][i][2];
      figure.rows(row, column + 2) = exact_value(experiments[e].name);
    }
  }
  table.tables.push_back(std::move(figure));
}

}  // namespace buffon::reproduce::read
