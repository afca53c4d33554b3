// SPDX-License-Identifier: BSD-3-Clause
#include "chain_plots.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <string_view>

#include <fmt/format.h>

#include <buffon/stats/chain_tables.hpp>

#include "gnuplot.hpp"

namespace buffon::report_detail {
namespace {

constexpr std::array<std::string_view, 8> colours = {"2b6cb0", "c2621b", "2f855a", "805ad5", "b83280", "0987a0", "b7791f", "4a5568"};

std::string_view colour(Index chain) { return colours[static_cast<std::size_t>(chain) % colours.size()]; }

/// The columns "NAME:k" of a table, gathered by name; `x` is the column before the first of them when it is NAME.x, else column 0.
struct Panel {
  std::string name;
  Index x = 0, first = 0, count = 0;
};

std::vector<Panel> panels_of(const Table& table) {
  std::vector<Panel> panels;
  for (std::size_t j = 0; j < table.columns.size(); ++j) {
    const std::size_t colon = table.columns[j].rfind(':');
    if (colon == std::string::npos) continue;
    const std::string name = table.columns[j].substr(0, colon);
    if (panels.empty() || panels.back().name != name) {
      const bool own = j > 0 && table.columns[j - 1] == name + ".x";
      panels.push_back({name, own ? static_cast<Index>(j) - 1 : 0, static_cast<Index>(j), 0});
    }
    ++panels.back().count;
  }
  return panels;
}

/// "mu   R-hat 1.002, ESS 1234"
std::string title(const std::string& name, const Table* summary) {
  if (summary == nullptr) return name;
  for (const ChainSummary& s : summary_from(*summary)) {
    if (s.name == name && std::isfinite(s.ess_bulk)) return fmt::format("{}   R-hat {:.3f}, ESS {:.0f}", name, s.rhat, s.ess_bulk);
  }
  return name;
}

/// Two panels side by side, one per quantity.
Plot panelled(const Table& table, const Table* summary, const std::string& settings, const std::function<std::string(const Panel&)>& curves) {
  const std::vector<Panel> panels = panels_of(table);
  const auto n = static_cast<Index>(panels.size());
  const Index columns = n == 1 ? 1 : 2, rows = (n + columns - 1) / columns;
  Plot plot{.name = table.name, .caption = {}, .script = head(table.name, 860, static_cast<int>(rows * 200 + 20)), .data = csv(table.columns, table.rows)};
  plot.script += "set xtics font ',11'\nset ytics font ',11'\nset title font ',12'\n" + settings + fmt::format("set multiplot layout {},{}\n", rows, columns);
  for (const Panel& p : panels) plot.script += fmt::format("set title {} noenhanced\nplot {}\n", gnuplot_text(title(p.name, summary)), curves(p));
  plot.script += "unset multiplot\n";
  return plot;
}

/// One line per chain.
std::string lines(const Table& table, const Panel& p, std::string_view style, const std::string& value) {
  std::string out;
  for (Index k = 0; k < p.count; ++k) {
    const std::string using_value = fmt::format(fmt::runtime(value), p.first + k + 1);
    out += fmt::format("{}'{}.csv' skip 1 using {}:{} with {} lc rgb '#70{}'", k > 0 ? ", " : "", table.name, p.x + 1, using_value, style, colour(k));
  }
  return out;
}

std::string of_chains(const Table& table) {
  const std::vector<Panel> panels = panels_of(table);
  return panels.empty() ? "" : panels.front().count == 8 ? "one colour per chain, the first eight at most" : "one colour per chain";
}

Plot trace(const Table& table, const Table* summary) {
  Plot plot =
      panelled(table, summary, "set lmargin 9\nset autoscale xfix\nset format y '%.4g'\n", [&](const Panel& p) { return lines(table, p, "lines lw 1", "{}"); });
  plot.caption = table.title + ", " + of_chains(table) +
                 ". Good chains look like noise around one level and cover each other. The quantities that mixed worst come first.";
  return plot;
}

Plot densities(const Table& table, const Table* summary) {
  Plot plot = panelled(table, summary,
                       "set lmargin 4\nset border 1 lc rgb '#555555'\nset autoscale xfix\nset yrange [0:*]\nunset ytics\nset format x '%.4g'\nunset grid\n",
                       [&](const Panel& p) { return lines(table, p, "lines lw 2", "{}"); });
  plot.caption = "Densities of the draws, " + of_chains(table) + ". Chains that found the same law have the same curve.";
  return plot;
}

Plot ranks(const Table& table, const Table* summary) {
  const std::vector<Panel> panels = panels_of(table);
  Eigen::MatrixXd relative = table.rows;  // 1 = as many as expected
  for (const Panel& p : panels) {
    for (Index k = p.first; k < p.first + p.count; ++k) {
      relative.col(k) /= std::max(1.0, relative.col(k).sum() / static_cast<double>(relative.rows()));
    }
  }
  const auto curves = [&](const Panel& p) {
    const double most = std::max(2.0, relative.middleCols(p.first, p.count).maxCoeff() * 1.05);
    return fmt::format("[0:1] [0:{:.3g}] 1 with lines dt 2 lw 1 lc rgb '#555555', ", most) + lines(table, p, "histeps lw 1.5", "{}");
  };
  Plot plot =
      panelled({.name = table.name, .title = table.title, .columns = table.columns, .rows = relative}, summary, "set lmargin 7\nset format x '%g'\n", curves);
  plot.caption = "Ranks of each chain's draws among all draws, relative to even (dashed), " + of_chains(table) +
                 ". A chain that leans to one side sits too low or too high; one that is high in the middle is too narrow.";
  return plot;
}

Plot autocorrelations(const Table& table) {
  Plot plot{.name = table.name, .caption = {}, .script = head(table.name, 860, 270), .data = csv(table.columns, table.rows)};
  plot.caption = "Autocorrelations of the stored draws, mean of the chains. The sooner they vanish, the more the draws are worth.";
  plot.script +=
      "set key right top noenhanced\nset xlabel 'lag' textcolor rgb '#333333'\nset xzeroaxis lc rgb '#555555'\nset autoscale xfix\nset yrange [*<0:1]\nplot ";
  for (Index j = 1; j < table.rows.cols(); ++j) {
    plot.script += fmt::format("{}'{}.csv' skip 1 using 1:{} with linespoints pt 7 ps 0.4 lw 2 lc rgb '#{}' title {}", j > 1 ? ", " : "", table.name, j + 1,
                               colour(j - 1), gnuplot_text(table.columns[static_cast<std::size_t>(j)]));
  }
  plot.script += '\n';
  return plot;
}

Plot pairs(const Table& table) {
  const Index n = table.rows.cols();
  const int size = n == 2 ? 420 : 220 * static_cast<int>(n - 1) + 20, width = n == 2 ? 520 : 860;
  Plot plot{.name = table.name, .caption = {}, .script = head(table.name, width, size), .data = csv(table.columns, table.rows)};
  plot.caption = fmt::format(
      "The quantities against each other, {} draws of all chains. Bent or funnel-shaped clouds are hard for a sampler; a reparametrisation may help.",
      table.rows.rows());
  plot.script += fmt::format(
      "unset grid\nset tics font ',10'\nset format '%.3g'\nset multiplot layout {0},{0} margins screen {1:.4f},0.985,{2:.4f},0.98 spacing screen "
      "{3:.4f},{4:.4f}\n",
      n - 1, 75.0 / width, 62.0 / size, 60.0 / width, 40.0 / size);
  for (Index i = 1; i < n; ++i) {
    for (Index j = 0; j < n - 1; ++j) {
      if (j >= i) {
        plot.script += "set multiplot next\n";
        continue;
      }
      plot.script +=
          fmt::format("set xlabel {} noenhanced\nset ylabel {} noenhanced\nplot '{}.csv' skip 1 using {}:{} with points pt 7 ps 0.3 lc rgb '#90{}'\n",
                      i == n - 1 ? gnuplot_text(table.columns[static_cast<std::size_t>(j)]) : "''",
                      j == 0 ? gnuplot_text(table.columns[static_cast<std::size_t>(i)]) : "''", table.name, j + 1, i + 1, colours[0]);
    }
  }
  plot.script += "unset multiplot\n";
  return plot;
}

}  // namespace

std::vector<Plot> chain_plots(const Outcome& outcome) {
  std::vector<Plot> plots;
  const Table* summary = outcome.table("summary");
  const auto add = [&](std::string_view name, const auto& make) {
    const Table* table = outcome.table(name);
    if (table != nullptr && table->rows.rows() > 1) plots.push_back(make(*table));
  };
  add("chain_trace", [&](const Table& t) { return trace(t, summary); });
  add("chain_ranks", [&](const Table& t) { return ranks(t, summary); });
  add("chain_density", [&](const Table& t) { return densities(t, summary); });
  add("chain_autocorrelation", [](const Table& t) { return autocorrelations(t); });
  add("chain_pairs", [](const Table& t) { return pairs(t); });
  return plots;
}

}  // namespace buffon::report_detail
