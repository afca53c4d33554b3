// SPDX-License-Identifier: BSD-3-Clause
#include <cmath>

#include "cases.hpp"

namespace buffon::reproduce::diffusion_solvers {
namespace {

struct FlowLine {
  std::string solver;
  int calls_per_step;
  double order;
  std::vector<double> rms;  ///< at 6, 12, …, 768 calls
};
const std::vector<FlowLine> lines = {{"ddim", 1, 1, {2.375e-1, 1.305e-1, 7.270e-2, 3.891e-2, 1.995e-2, 9.819e-3, 4.834e-3, 2.396e-3}},
                                     {"flow_euler", 1, 1, {2.375e-1, 1.305e-1, 7.270e-2, 3.891e-2, 1.995e-2, 9.819e-3, 4.834e-3, 2.396e-3}},
                                     {"flow_heun", 2, 2, {1.024e-1, 3.732e-2, 1.065e-2, 2.814e-3, 7.270e-4, 1.851e-4, 4.671e-5, 1.173e-5}},
                                     {"flow_pseudo_corrector", 1, 2, {7.492e-2, 2.586e-2, 6.875e-3, 1.731e-3, 4.323e-4, 1.079e-4, 2.695e-5, 6.734e-6}},
                                     {"flow_midpoint", 2, 2, {6.496e-2, 2.322e-2, 7.328e-3, 2.075e-3, 5.574e-4, 1.448e-4, 3.694e-5, 9.331e-6}},
                                     {"flow_adams_2", 1, 2, {6.900e-2, 2.051e-2, 5.322e-3, 1.369e-3, 3.480e-4, 8.772e-5, 2.202e-5, 5.515e-6}},
                                     {"flow_kutta_4", 4, 4, {2.092e-1, 1.722e-2, 2.336e-3, 2.028e-4, 1.449e-5, 9.664e-7, 6.210e-8, 3.931e-9}}};

}  // namespace

void linear_flow(const ReproduceOptions& options, ReproduceTable& table) {
  options.say("solvers of the linear flow");
  ExactFlow flow(flow_schedule());
  flow.compare_ends(options, "g3_flow_endpoints.csv", table);
  const std::vector<int> columns = columns_of(options, 6, 8);
  const auto error = [&](const FlowLine& line, int calls) {
    const bool pseudo = line.solver == "flow_pseudo_corrector";  // one call more than steps
    return flow.rms(solver(line.solver), GridSpacing::time, pseudo ? calls - 1 : calls / line.calls_per_step);
  };
  Table picture{.name = "log_log_flow", .title = "Linear flow: error against model calls, grid uniform in time", .columns = {"model calls"}};
  picture.rows.resize(static_cast<Index>(columns.size()), 1 + static_cast<Index>(lines.size()));
  for (std::size_t i = 0; i < columns.size(); ++i) picture.rows(static_cast<Index>(i), 0) = columns[i];
  for (std::size_t l = 0; l < lines.size(); ++l) {
    std::vector<double> ours;
    for (const int calls : columns) ours.push_back(error(lines[l], calls));
    std::vector<double> reference(lines[l].rms.begin(), lines[l].rms.begin() + static_cast<std::ptrdiff_t>(columns.size()));
    table.rows.push_back(line_row("Linear flow, grid uniform in time", lines[l].solver, columns, ours, reference));
    picture.columns.push_back(lines[l].solver);
    picture.rows.col(static_cast<Index>(l) + 1) = Eigen::Map<const Eigen::VectorXd>(ours.data(), static_cast<Index>(ours.size()));
  }
  table.tables.push_back(std::move(picture));
  for (const FlowLine& line : lines) {
    table.rows.push_back(order_row("Linear flow, order between 384 and 768 calls", line.solver, std::log2(error(line, 384) / error(line, 768)), line.order));
  }
  table.evaluations += flow.evaluations();
}

}  // namespace buffon::reproduce::diffusion_solvers
