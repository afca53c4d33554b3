// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/report/plot.hpp>

#include <algorithm>
#include <cmath>
#include <optional>
#include <string_view>

#include <fmt/format.h>

#include <buffon/core/error.hpp>
#include <buffon/core/types.hpp>

#include "chain_plots.hpp"
#include "gnuplot.hpp"
#include "sample_plots.hpp"
#include "selection_plots.hpp"

namespace buffon {

using namespace report_detail;

namespace {

constexpr Index max_panels = 8;  // of the convergence figure; the tables hold everything

const Table* find_table(const Outcome& outcome, std::string_view name) {
  for (const Table& table : outcome.tables) {
    if (table.name == name && table.rows.rows() > 0) return &table;
  }
  return nullptr;
}

std::optional<Index> column_of(const Table& table, std::string_view name) {
  const auto found = std::find(table.columns.begin(), table.columns.end(), name);
  if (found == table.columns.end()) return std::nullopt;
  return found - table.columns.begin();
}

std::optional<Plot> convergence(const Outcome& outcome) {
  const Table* table = find_table(outcome, "convergence");
  if (!table || table->rows.rows() < 2) return std::nullopt;
  struct Panel {
    std::string name;
    Index value, error;
    std::optional<Index> exact;
  };
  std::vector<Panel> panels;
  for (const std::string& name : table->columns) {
    const auto value = column_of(*table, name);
    const auto error = column_of(*table, name + ".std_error");
    if (value && error) panels.push_back({name, *value + 1, *error + 1, column_of(*table, name + ".exact")});
  }
  if (panels.empty()) return std::nullopt;
  const auto all = static_cast<Index>(panels.size());
  const Index shown = std::min(all, max_panels);
  const Index columns = shown == 1 ? 1 : 2;
  const Index rows = (shown + columns - 1) / columns;

  Plot plot{
      .name = "convergence", .caption = {}, .script = head("convergence", 860, static_cast<int>(rows * 230 + 20)), .data = csv(table->columns, table->rows)};
  const bool evaluations = table->columns.front() == "evaluations";
  const std::string across = evaluations ? "model evaluations" : table->columns.front();
  const bool exact = std::any_of(panels.begin(), panels.end(), [](const Panel& p) { return p.exact.has_value(); });
  plot.caption = "Estimates against " + across + ": line = estimate, band = 95 % interval" + (exact ? ", dashed = exact value." : ".");
  if (shown < all) plot.caption += fmt::format(" The first {} of {} are shown.", shown, all);
  plot.script +=
      "set logscale x\nset autoscale xfix\nset xtics font ',11'\nset ytics autofreq font ',11'\nset format x '%.0s%c'\nset "
      "lmargin 12\n";
  plot.script += "set xlabel " + gnuplot_text(across) + " noenhanced textcolor rgb '#333333'\n";
  plot.script += fmt::format("set multiplot layout {},{}\n", rows, columns);
  for (Index k = 0; k < shown; ++k) {
    const Panel& p = panels[static_cast<std::size_t>(k)];
    plot.script += fmt::format("set title {} noenhanced\n", gnuplot_text(p.name));
    plot.script += fmt::format(
        "plot 'convergence.csv' skip 1 using 1:(${0}-1.96*${1}):(${0}+1.96*${1}) with filledcurves fc rgb '{2}' fs transparent solid 0.2 noborder, "
        "'' skip 1 using 1:{0} with lines lw 2 lc rgb '{2}'",
        p.value, p.error, blue);
    if (p.exact) plot.script += fmt::format(", '' skip 1 using 1:{} with lines dt 2 lw 1.5 lc rgb '{}'", *p.exact + 1, orange);
    plot.script += '\n';
  }
  plot.script += "unset multiplot\n";
  return plot;
}

// "S1[w]" -> "w".
std::string inside_brackets(const std::string& name) {
  const auto open = name.find('[');
  const auto close = name.rfind(']');
  return open != std::string::npos && close > open ? name.substr(open + 1, close - open - 1) : name;
}

std::optional<Plot> indices(const Outcome& outcome) {
  struct Bar {
    std::string label;
    const Estimate* estimates[2] = {nullptr, nullptr};  // first or closed, total
  };
  std::vector<Bar> bars;
  bool any_total = false;
  bool any_first = false;
  for (const NamedEstimate& e : outcome.estimates) {
    const bool total = e.group == "total";
    if (!total && e.group != "first" && e.group != "closed") continue;
    (total ? any_total : any_first) = true;
    const std::string label = inside_brackets(e.name);
    auto bar = std::find_if(bars.begin(), bars.end(), [&](const Bar& b) { return b.label == label; });
    if (bar == bars.end()) bar = bars.insert(bars.end(), Bar{.label = label});
    bar->estimates[total] = &e.estimate;
  }
  if (bars.empty()) return std::nullopt;

  Plot plot{
      .name = "indices", .caption = {}, .script = head("indices", 860, 340), .data = "label,first,first.lower,first.upper,total,total.lower,total.upper\n"};
  for (const Bar& bar : bars) {
    plot.data += plain_field(bar.label);
    for (const Estimate* e : bar.estimates) plot.data += e ? "," + to_text(e->value) + "," + to_text(e->lower) + "," + to_text(e->upper) : ",,,";
    plot.data += '\n';
  }
  plot.caption = "Sobol' indices with their intervals. An interval that reaches zero means: not distinguishable from zero.";
  const double width = any_first && any_total ? 0.36 : 0.6;
  const double shift = any_first && any_total ? 0.19 : 0;
  plot.script += fmt::format(
      "set boxwidth {}\nset style fill solid 0.8 noborder\nset xtics noenhanced{}\nset xrange [-0.6:{}]\nset ylabel 'index'\nset key above right horizontal\n"
      "set xzeroaxis lc rgb '#555555'\nplot ",
      width, bars.size() > 12 ? " rotate by -40" : "", static_cast<double>(bars.size()) - 0.4);
  std::string series;
  const auto add = [&](int column, double offset, std::string_view colour, std::string_view title) {
    if (!series.empty()) series += ", ";
    series += fmt::format(
        "'indices.csv' skip 1 using ($0{0:+}):{1} with boxes lc rgb '{2}' title '{3}', "
        "'' skip 1 using ($0{0:+}):{4}:(0):(${5}-${4}) with vectors heads size 0.04,90 lc rgb '#222222' lw 1.5 notitle",
        offset, column, colour, title, column + 1, column + 2);
  };
  if (any_first) add(2, -shift, blue, "first order / closed");
  if (any_total) add(5, shift, orange, "total");
  plot.script += series + ", '' skip 1 using ($0):(0):xtic(1) with points pt 0 ps 0 notitle\n";
  return plot;
}

std::optional<Plot> weights(const Outcome& outcome) {
  const Table* table = find_table(outcome, "weights");
  if (!table) return std::nullopt;
  std::vector<double> logs;
  for (Index j = 0; j < table->rows.cols(); ++j) {
    for (Index i = 0; i < table->rows.rows(); ++i) {
      if (table->rows(i, j) > 0) logs.push_back(std::log10(table->rows(i, j)));
    }
  }
  if (logs.size() < 2) return std::nullopt;
  const auto [low, high] = std::minmax_element(logs.begin(), logs.end());
  const double from = std::max(*low, *high - 12);
  const double width = std::max(*high - from, 1e-3) / 40;
  std::vector<double> counts(41, 0);
  for (const double x : logs) {
    if (x >= from) ++counts[static_cast<std::size_t>(std::min(40.0, std::floor((x - from) / width)))];
  }
  Plot plot{.name = "weights",
            .caption = "Importance weights (mean 1), logarithms to base 10. A long tail to the right means that few points carry the estimate.",
            .script = head("weights", 860, 280),
            .data = "log10_weight,count\n"};
  for (std::size_t k = 0; k < counts.size(); ++k) plot.data += to_text(from + (static_cast<double>(k) + 0.5) * width) + "," + to_text(counts[k]) + "\n";
  plot.script += fmt::format(
      "set style fill solid 0.8 noborder\nset boxwidth {}\nset xlabel 'log_{{10}} weight'\nset ylabel 'points'\nplot 'weights.csv' skip 1 using 1:2 with boxes "
      "lc rgb '{}'\n",
      width * 0.92, blue);
  return plot;
}

std::optional<Plot> effective_sizes(const Outcome& outcome) {
  const Table* table = find_table(outcome, "rounds");
  const auto size = table ? column_of(*table, "smallest_effective_size") : std::nullopt;
  if (!size || !table->rows.col(*size).array().isFinite().any()) return std::nullopt;
  Plot plot{.name = "rounds",
            .caption = "Smallest effective sample size of the fitted densities after every exploration round.",
            .script = head("rounds", 860, 240),
            .data = "round,smallest_effective_size\n"};
  for (Index i = 0; i < table->rows.rows(); ++i) {
    plot.data += plain_field(table->row_labels.empty() ? std::to_string(i) : table->row_labels[static_cast<std::size_t>(i)]) + "," +
                 to_text(table->rows(i, *size)) + "\n";
  }
  plot.script += fmt::format(
      "set style fill solid 0.8 noborder\nset boxwidth 0.6\nset yrange [0:*]\nset xrange [-0.6:{}]\nset ylabel 'effective size'\nset xtics noenhanced\n"
      "plot 'rounds.csv' skip 1 using 0:2:xtic(1) with boxes lc rgb '{}'\n",
      static_cast<double>(table->rows.rows()) - 0.4, blue);
  return plot;
}

// A table named "log_log…": first column across, every other one a series of points, NaN where it has none.
std::optional<Plot> log_log(const Table& table) {
  if (!table.name.starts_with("log_log") || table.rows.cols() < 2 || table.rows.rows() == 0) return std::nullopt;
  Plot plot{.name = table.name, .caption = table.title + ", both axes logarithmic.", .script = head(table.name, 860, 380), .data = {}};
  plot.script += "set logscale xy\nset format xy '10^{%L}'\nset key right top noenhanced\n";
  plot.script += "set xlabel " + gnuplot_text(table.columns.front()) + " noenhanced textcolor rgb '#333333'\nplot ";
  constexpr std::string_view colours[] = {blue, orange, "#2f855a", "#805ad5", "#b83280", "#4a5568"};
  for (Index j = 1; j < table.rows.cols(); ++j) {
    const auto k = static_cast<std::size_t>(j);
    if (j > 1) plot.data += "\n\n";
    for (Index i = 0; i < table.rows.rows(); ++i) {
      if (std::isfinite(table.rows(i, j))) plot.data += to_text(table.rows(i, 0)) + "," + to_text(table.rows(i, j)) + "\n";
    }
    plot.script += fmt::format("{}'{}.csv' index {} using 1:2 with linespoints pt 7 ps 0.6 lw 2 lc rgb '{}' title {}", j > 1 ? ", " : "", table.name, j - 1,
                               colours[(k - 1) % std::size(colours)], gnuplot_text(table.columns[k]));
  }
  plot.script += '\n';
  return plot;
}

}  // namespace

std::vector<Plot> make_plots(const ReportInput& input) {
  std::vector<Plot> plots;
  for (auto&& plot : {indices(input.outcome), convergence(input.outcome), weights(input.outcome), effective_sizes(input.outcome)}) {
    if (plot) plots.push_back(*plot);
  }
  for (const Table& table : input.outcome.tables) {
    if (const auto plot = log_log(table)) plots.push_back(*plot);
  }
  for (Plot& plot : selection_plots(input.outcome)) plots.push_back(std::move(plot));
  for (Plot& plot : sample_plots(input.outcome)) plots.push_back(std::move(plot));
  for (Plot& plot : chain_plots(input.outcome)) plots.push_back(std::move(plot));
  return plots;
}

}  // namespace buffon
