// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/core/constants.hpp>
#include <buffon/report/format.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "cases.hpp"

namespace buffon::reproduce::read {
namespace {

struct Design {
  std::string name;
  std::string paper;       ///< squared error of its one run, on E1
  std::string paper_time;  ///< R on one core
  Estimator estimator;
};

constexpr std::int64_t paper_copies = 100000;
using constants::nan;

std::string samples_text(const std::vector<std::int64_t>& n) {
  return "nested Monte Carlo " + format_count(n[0]) + " x " + format_count(n[1]) + " x " + format_count(n[2]);
}

double mean_leaves(const std::vector<double>& rates) {
  double leaves = 1;
  for (const double r : rates) leaves *= r / (2 * r - 1);
  return leaves;
}

}  // namespace

// The paper's comparison: READ with 10^5 copies against nested Monte Carlo with 400 x 400 x 400 and 10^4 x 100 x 100 draws; beside it
// READ with the leaves of the first design. One squared error is a draw of about σ² χ²₁, so the mean over repeated runs judges.
void single_runs(const ReproduceOptions& options, double from, double to, ReproduceTable& table) {
  const Stream root = Stream(options.seed).child("single runs");
  const std::int64_t cube = std::llround(400 * std::cbrt(options.scale)), side = std::llround(100 * std::pow(options.scale, 0.25));
  const std::vector<std::int64_t> equal = {cube, cube, cube}, squares = {side * side, side, side};
  const auto equal_leaves = static_cast<double>(cube * cube * cube);
  const bool whole = options.scale == 1;
  for (std::size_t e = 0; e < experiments.size(); ++e) {
    const Experiment& experiment = experiments[e];
    const std::string part = experiment.label + ", one run";
    const double exact = exact_value(experiment.name);
    const auto copies_of = [&](const std::vector<double>& rates) { return std::llround(equal_leaves / mean_leaves(rates)); };
    const std::string same = ", leaves of the first nested design";
    std::vector<Design> designs = {
        {"READ, paper's rates, 1e5 copies", "3.19e-6", "11.9 s", read_estimator(experiment.name, paper_rates, paper_copies)},
        {"READ, default rates, 1e5 copies", "", "", read_estimator(experiment.name, own_rates, paper_copies)},
        {samples_text(equal), whole ? "3.51e-4" : "", "43.8 s", nested_estimator(experiment.name, equal)},
        {samples_text(squares), whole ? "6.80e-5" : "", "72.6 s", nested_estimator(experiment.name, squares)},
        {"READ, paper's rates" + same, "", "", read_estimator(experiment.name, paper_rates, copies_of(paper_rates))},
        {"READ, default rates" + same, "", "", read_estimator(experiment.name, own_rates, copies_of(own_rates))},
    };
    const std::int64_t runs = experiment.label == "E1" ? 20 : 10;
    std::vector<Estimate> errors;
    for (std::size_t d = 0; d < designs.size(); ++d) {
      Design& design = designs[d];
      if (e > 0) design.paper.clear();
      const Stream stream = root.child(experiment.label, d);
      const auto start = std::chrono::steady_clock::now();
      const Run one = design.estimator(stream.child("one"), *options.context);
      const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
      table.evaluations += one.evaluations;
      const double miss = one.value.value - exact;
      ReproduceRow row = reference_row(part, design.name + ": squared error", {miss * miss, nan, nan, nan},
                                       format_count(one.evaluations) + " leaves, " + format_seconds(seconds));
      row.paper = design.paper;
      if (!design.paper.empty()) row.note += "; the paper " + design.paper_time;
      table.rows.push_back(row);
      errors.push_back(mean_squared_error(repeat(options, runs, stream, design.estimator, table), exact));
      const double done = static_cast<double>(e) + static_cast<double>(d + 1) / static_cast<double>(designs.size());
      options.progress(from + (to - from) * done / static_cast<double>(experiments.size()));
    }
    for (std::size_t d = 0; d < designs.size(); ++d) {
      ReproduceRow row = reference_row(experiment.label + ", " + std::to_string(runs) + " runs", designs[d].name + ": mean squared error", errors[d], "");
      if (d >= 4) {
        const double nested = std::min(errors[2].value, errors[3].value);
        row.ratio = errors[d].value / nested;
        row.criterion = "below both nested designs";
        row.holds = *row.ratio < 1;
      }
      table.rows.push_back(row);
    }
  }
}

}  // namespace buffon::reproduce::read
