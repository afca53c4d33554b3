// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/report/report_input.hpp>

#include <filesystem>
#include <string>
#include <vector>

namespace buffon {

/// One figure: a gnuplot script and its data. The script reads DATA.csv in its own folder and writes NAME.svg there, so
/// that a user can restyle it and run `gnuplot NAME.gp` again.
struct Plot {
  std::string name;     ///< file stem
  std::string caption;  ///< one sentence under the figure, also its alternative text
  std::string script;   ///< gnuplot commands
  std::string data;     ///< content of NAME.csv
};

/// The figures that the tables of an outcome allow: convergence (table "convergence"), indices (estimates of groups
/// first, total, closed), importance weights (table "weights"), smallest effective sample size per round (table "rounds"), points on
/// logarithmic axes (tables whose name begins with "log_log"), rows chosen from a data set (tables "projection", "cost_curve" and "trials"), samples (tables
/// "sample_points", "sample_histogram" and "trajectories"), and trace, ranks, densities, autocorrelations and pairs of chains (tables "chain_…").
std::vector<Plot> make_plots(const ReportInput& input);

/// Writes script and data of a plot to `directory` and runs gnuplot on it.
/// @returns the SVG text; empty when gnuplot is missing or failed (`why` then says so)
std::string render_plot(const Plot& plot, const std::filesystem::path& directory, std::string& why);

}  // namespace buffon
