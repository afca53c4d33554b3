// SPDX-License-Identifier: BSD-3-Clause
#include "sample_plots.hpp"

#include <string>

#include <fmt/format.h>

#include <buffon/core/error.hpp>
#include <buffon/core/types.hpp>
#include <buffon/report/format.hpp>

#include "gnuplot.hpp"
#include "table_of.hpp"

namespace buffon::report_detail {
namespace {

constexpr std::string_view plane = "set size ratio -1\nset xlabel 'x_1' textcolor rgb '#333333'\nset ylabel 'x_2' textcolor rgb '#333333'\n";

void add_points(const Outcome& outcome, std::vector<Plot>& plots) {
  const Table* table = table_of(outcome, "sample_points", 2);
  if (table == nullptr) return;
  Plot plot{.name = "samples",
            .caption = fmt::format("The first {} samples.", format_count(table->rows.rows())),
            .script = head("samples", 860, 560),
            .data = csv(table->columns, table->rows)};
  plot.script += fmt::format("{}plot 'samples.csv' skip 1 using 1:2 with points pt 7 ps 0.3 lc rgb '#992b6cb0' notitle\n", plane);
  plots.push_back(std::move(plot));
}

void add_histogram(const Outcome& outcome, std::vector<Plot>& plots) {
  const Table* table = table_of(outcome, "sample_histogram", 3);
  if (table == nullptr) return;
  Plot plot{.name = "samples", .caption = "Histogram of the samples.", .script = head("samples", 860, 340), .data = csv(table->columns, table->rows)};
  plot.script += fmt::format(
      "set style fill solid 0.8 noborder\nset xlabel 'x_1' textcolor rgb '#333333'\nset ylabel 'samples' textcolor rgb '#333333'\nset yrange [0:*]\n"
      "plot 'samples.csv' skip 1 using (($1+$2)/2):3:(0.92*($2-$1)) with boxes lc rgb '{}' notitle\n",
      blue);
  plots.push_back(std::move(plot));
}

/// Lines from the noise (thin) to the samples (dots).
void add_paths(const Outcome& outcome, std::vector<Plot>& plots) {
  const Table* table = table_of(outcome, "trajectories", 4);
  if (table == nullptr) return;
  Plot plot{.name = "trajectories", .caption = {}, .script = head("trajectories", 860, 560), .data = {}};
  const auto& rows = table->rows;
  std::string ends;
  Index paths = 0;
  for (Index i = 0; i < rows.rows(); ++i) {
    const bool last = i + 1 == rows.rows() || rows(i + 1, 0) != rows(i, 0);
    const std::string point = to_text(rows(i, 2)) + "," + to_text(rows(i, 3)) + "\n";
    plot.data += point + (last ? "\n" : "");
    if (!last) continue;
    ends += point;
    ++paths;
  }
  plot.data += "\n" + ends;
  plot.caption = fmt::format("The way of the first {} samples from noise to data (dots).", paths);
  plot.script += fmt::format(
      "{}plot 'trajectories.csv' index 0 using 1:2 with lines lw 1 lc rgb '#702b6cb0' notitle, '' index 1 using 1:2 with points pt 7 ps 0.5 lc rgb '{}' "
      "notitle\n",
      plane, orange);
  plots.push_back(std::move(plot));
}

}  // namespace

std::vector<Plot> sample_plots(const Outcome& outcome) {
  std::vector<Plot> plots;
  add_points(outcome, plots);
  add_histogram(outcome, plots);
  add_paths(outcome, plots);
  return plots;
}

}  // namespace buffon::report_detail
