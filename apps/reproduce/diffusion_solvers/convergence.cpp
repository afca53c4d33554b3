// SPDX-License-Identifier: BSD-3-Clause
#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <utility>

#include "cases.hpp"

namespace buffon::reproduce::diffusion_solvers {
namespace {

struct NamedGrid {
  const char *name, *meaning;
  GridSpacing spacing;
};
constexpr std::array<NamedGrid, 4> grids = {{{"logsnr", "uniform in lambda", GridSpacing::log_snr},
                                             {"t", "uniform in time", GridSpacing::time},
                                             {"edm", "Karras, rho = 7", GridSpacing::karras},
                                             {"quad", "uniform in the root of time", GridSpacing::quadratic}}};

/// Curves of a few solvers on the grid uniform in lambda.
const std::vector<std::pair<std::string, std::vector<std::string>>> pictures = {
    {"orders 1 and 2", {"ddim", "dpm2s-mid", "dpmpp2s", "dpmpp2m-mid", "tab1", "rho-heun(edm)"}},
    {"order 3", {"dpm3s", "dpmpp3s", "dpmpp3m-consistent", "dpmpp3m-public", "tab2", "unipc2-x0-bh2"}},
    {"order 4", {"expab4-x0", "tab3", "rhoab3", "unipc3-x0-bh2", "unipc3-eps-bh2", "rho-rk4"}},
    {"weights of equal steps, and momentum", {"ipndm2", "ipndm4", "s-pndm", "f-pndm", "ghvb-1.8", "ghvb-2.8"}}};

}  // namespace

void convergence(const ReproduceOptions& options, ReproduceTable& table) {
  ExactFlow flow(vp_linear_schedule());
  flow.compare_ends(options, "g3_vp_endpoints.csv", table);
  const std::vector<ReferenceError> reference = reference_errors(options, table);
  const std::vector<int> columns = columns_of(options, 6, 7);
  const auto cells = static_cast<Index>(columns.size());
  const double none = std::numeric_limits<double>::quiet_NaN();
  std::map<std::string, std::vector<double>> curves;  // on the first grid
  for (std::size_t g = 0; g < grids.size(); ++g) {
    options.say(std::string("34 solvers, grid ") + grids[g].meaning);
    Table all{.name = std::string("rms_") + grids[g].name,
              .title = std::string("Root mean square error by model calls, grid ") + grids[g].meaning,
              .columns = {},
              .rows = Eigen::MatrixXd::Constant(static_cast<Index>(reference_solvers().size()), cells, none)};
    for (const int calls : columns) all.columns.push_back(std::to_string(calls));
    for (std::size_t s = 0; s < reference_solvers().size(); ++s) {
      const ReferenceSolver& known = reference_solvers()[s];
      all.row_labels.push_back(known.name);
      std::vector<int> calls;
      std::vector<double> ours, theirs;
      for (const ReferenceError& entry : reference) {
        if (entry.solver != known.name || entry.grid != grids[g].name) continue;
        // A line of three stages has 6, 12, … calls, or the next lower multiple of its stages.
        const int spent = entry.steps * entry.calls_per_step;
        Index column = 0;
        while (column + 1 < cells && columns[static_cast<std::size_t>(column)] < spent) ++column;
        if (spent > columns.back()) continue;
        calls.push_back(spent);
        ours.push_back(flow.rms(known.setting, grids[g].spacing, entry.steps));
        theirs.push_back(entry.rms);
        all.rows(static_cast<Index>(s), column) = ours.back();
      }
      if (calls.empty()) continue;
      table.rows.push_back(line_row(std::string("Error, grid ") + grids[g].meaning, known.name, calls, ours, theirs));
      if (g == 0) {
        const auto row = all.rows.row(static_cast<Index>(s));
        curves[known.name] = std::vector<double>(row.begin(), row.end());
      }
    }
    table.tables.push_back(std::move(all));
    options.progress(0.12 * static_cast<double>(g + 1));
  }
  for (std::size_t p = 0; p < pictures.size(); ++p) {
    Table picture{.name = "log_log_" + std::to_string(p), .title = "Error against model calls, grid uniform in lambda: " + pictures[p].first};
    picture.columns = {"model calls"};
    picture.rows.resize(cells, 1);
    for (Index i = 0; i < cells; ++i) picture.rows(i, 0) = columns[static_cast<std::size_t>(i)];
    for (const std::string& name : pictures[p].second) {
      if (!curves.contains(name)) continue;
      picture.columns.push_back(name);
      picture.rows.conservativeResize(cells, picture.rows.cols() + 1);
      picture.rows.rightCols(1) = Eigen::Map<const Eigen::VectorXd>(curves[name].data(), cells);
    }
    table.tables.push_back(std::move(picture));
  }

  options.say("fitted orders");
  const auto order = [&](const SolverSetting& setting) {
    const int steps = 384 / flow.calls_per_step(setting);
    return std::log2(flow.rms(setting, GridSpacing::log_snr, steps) / flow.rms(setting, GridSpacing::log_snr, 2 * steps));
  };
  const std::string part = "Order between 384 and 768 calls, grid uniform in lambda";
  for (const ReferenceSolver& known : reference_solvers()) table.rows.push_back(order_row(part, known.name, order(known.setting), known.order));
  // Public code halves the last term of the third-order formula: the criterion of order 3 must tell it.
  ReproduceRow mutant = order_row(part, "dpmpp3m-public, were it of order 3", order(solver("dpmpp_3m", 0, "compat")), 3);
  mutant.holds = !*mutant.holds;
  mutant.criterion = "|ours - exact| < 0.15 must fail";
  mutant.note = "the formula of public code, with its last term halved, is of order 2";
  table.rows.push_back(std::move(mutant));
  table.evaluations += flow.evaluations();
}

}  // namespace buffon::reproduce::diffusion_solvers
