// SPDX-License-Identifier: BSD-3-Clause
#include "selection_plots.hpp"

#include <cmath>
#include <string>

#include <fmt/format.h>

#include <buffon/core/error.hpp>
#include <buffon/core/types.hpp>
#include <buffon/report/format.hpp>

#include "gnuplot.hpp"
#include "table_of.hpp"

namespace buffon::report_detail {
namespace {

/// Rows of the data in two directions, the centres on top.
void add_projection(const Outcome& outcome, std::vector<Plot>& plots) {
  const Table* table = table_of(outcome, "projection", 3);
  if (table == nullptr) return;
  Plot plot{.name = "projection", .caption = {}, .script = head("projection", 860, 560), .data = {}};
  Index centres = 0, rows = 0;
  for (const bool wanted : {false, true}) {
    if (wanted) plot.data += "\n\n";
    Index& count = wanted ? centres : rows;
    for (Index i = 0; i < table->rows.rows(); ++i) {
      if ((table->rows(i, 2) != 0) != wanted) continue;
      plot.data += to_text(table->rows(i, 0)) + "," + to_text(table->rows(i, 1)) + "\n";
      ++count;
    }
  }
  if (rows == 0 || centres == 0) return;
  plot.caption = fmt::format("{} rows drawn from the data (blue) and {} centres (orange) along the first two principal components of these rows.",
                             format_count(rows), format_count(centres));
  plot.script += fmt::format(
      "set xlabel 'first component' textcolor rgb '#333333'\nset ylabel 'second component' textcolor rgb '#333333'\nset key above right horizontal\n"
      "plot 'projection.csv' index 0 using 1:2 with points pt 7 ps 0.25 lc rgb '#992b6cb0' title 'rows', '' index 1 using 1:2 with points pt 6 ps {} lw 1.5 lc "
      "rgb '{}' title 'centres'\n",
      centres > 300 ? 0.5 : 0.9, orange);
  plots.push_back(std::move(plot));
}

/// Cost against the number of centres, on logarithmic axes; costs of 0 have no place there.
void add_cost_curve(const Outcome& outcome, std::vector<Plot>& plots) {
  const Table* table = table_of(outcome, "cost_curve", 2);
  if (table == nullptr) return;
  Plot plot{.name = "cost_curve",
            .caption = "Cost (sum of weighted squared distances to the nearest centre) against the number of centres, both axes logarithmic.",
            .script = head("cost_curve", 860, 340),
            .data = {}};
  Index shown = 0;
  for (Index i = 0; i < table->rows.rows(); ++i) {
    if (!(table->rows(i, 1) > 0) || !std::isfinite(table->rows(i, 1))) continue;
    plot.data += to_text(table->rows(i, 0)) + "," + to_text(table->rows(i, 1)) + "\n";
    ++shown;
  }
  if (shown < 2) return;
  plot.script += fmt::format(
      "set logscale xy\nset format y '10^{{%L}}'\nset xlabel 'centres' textcolor rgb '#333333'\nset ylabel 'cost' textcolor rgb '#333333'\n"
      "plot 'cost_curve.csv' using 1:2 with linespoints pt 7 ps 0.4 lw 2 lc rgb '{}'\n",
      blue);
  plots.push_back(std::move(plot));
}

/// Trials of every centre, and their mean.
void add_trials(const Outcome& outcome, std::vector<Plot>& plots) {
  const Table* table = table_of(outcome, "trials", 2);
  if (table == nullptr) return;
  double mean = 0;
  Plot plot{.name = "trials", .caption = {}, .script = head("trials", 860, 280), .data = csv({"centre", "trials"}, table->rows.leftCols(2))};
  for (Index i = 0; i < table->rows.rows(); ++i) mean += table->rows(i, 1) / static_cast<double>(table->rows.rows());
  const double most = table->rows.col(1).maxCoeff();
  if (!(most > 1)) return;  // one trial each: nothing to see
  plot.caption = "Proposals until a row was accepted, for every centre; dashed: their mean, " + format_number(mean, 3) + ".";
  plot.script += fmt::format(
      "set xlabel 'centre' textcolor rgb '#333333'\nset ylabel 'trials' textcolor rgb '#333333'\n{}set yrange [{}:*]\n"
      "plot 'trials.csv' skip 1 using 1:2 with points pt 7 ps 0.4 lc rgb '{}', {} with lines dt 2 lw 1.5 lc rgb '{}'\n",
      most > 50 ? "set logscale y\n" : "", most > 50 ? "0.8" : "0", blue, to_text(mean), orange);
  plots.push_back(std::move(plot));
}

}  // namespace

std::vector<Plot> selection_plots(const Outcome& outcome) {
  std::vector<Plot> plots;
  add_projection(outcome, plots);
  add_cost_curve(outcome, plots);
  add_trials(outcome, plots);
  return plots;
}

}  // namespace buffon::report_detail
