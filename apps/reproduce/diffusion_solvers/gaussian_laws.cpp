// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/samplers/diffusion/exact_law.hpp>

#include <array>
#include <cmath>

#include "cases.hpp"

namespace buffon::reproduce::diffusion_solvers {
namespace {

/// Data of the reference: three independent coordinates.
constexpr std::array<GaussianLaw, 3> data = {GaussianLaw{0.5, 1.0}, {-1.0, 0.25}, {0.2, 0.01}};

SolverSetting with_noise(const std::string& name, double eta, const std::string& variant = "") {
  SolverSetting setting = solver(name, 0, variant);
  setting.eta = eta;
  return setting;
}

SolverSetting churned(double churn) {
  SolverSetting setting = solver("edm");
  setting.churn = churn;
  setting.churn_from = 0.05;
  setting.churn_to = 50;
  return setting;
}

struct LawLine {
  std::string name;
  SolverSetting setting;
  int calls_per_step, first;  ///< calls of the first column
  double order;               ///< 0 = none is claimed
  std::vector<double> distances;
};

/// Wasserstein distance of a solver's law to the true one at its end.
/// @param start_deviation of the start, where it is not the true law at the first node; 0 = it is
double distance(const SolverSetting& setting, GridSpacing spacing, int steps, double start_deviation = 0) {
  const auto schedule = vp_linear_schedule();
  const auto grid = time_grid(*schedule, spacing, steps, 1, 1e-3);
  const SolverPlan plan = plan_solver(setting, *schedule, grid);
  std::vector<GaussianLaw> laws, exact;
  for (const GaussianLaw& coordinate : data) {
    const GaussianLaw start = start_deviation > 0 ? GaussianLaw{0, start_deviation * start_deviation} : law_at(coordinate, grid.front());
    laws.push_back(exact_law(plan, *schedule, coordinate, start));
    exact.push_back(law_at(coordinate, grid.back()));
  }
  return wasserstein_distance(laws, exact);
}

}  // namespace

void gaussian_laws(const ReproduceOptions& options, ReproduceTable& table) {
  options.say("exact laws of solvers with noise on Gaussian data");
  const std::vector<LawLine> lines = {
      {"ddim, eta 0", solver("ddim"), 1, 6, 1, {3.68e-1, 2.03e-1, 1.07e-1, 5.46e-2, 2.77e-2, 1.39e-2, 6.98e-3}},
      {"ddpm", solver("ddpm"), 1, 6, 1, {5.03e-1, 3.29e-1, 1.91e-1, 1.03e-1, 5.38e-2, 2.74e-2, 1.39e-2}},
      {"dpmpp_1_sde, eta 1", with_noise("dpmpp_1_sde", 1), 1, 6, 1, {5.03e-1, 3.29e-1, 1.91e-1, 1.03e-1, 5.38e-2, 2.74e-2, 1.39e-2}},
      {"dpmpp_1_sde, eta 0.5", with_noise("dpmpp_1_sde", 0.5), 1, 6, 1, {4.57e-1, 2.75e-1, 1.52e-1, 7.98e-2, 4.09e-2, 2.07e-2, 1.04e-2}},
      {"dpmpp_2m_sde midpoint, eta 1", with_noise("dpmpp_2m_sde", 1), 1, 6, 2, {7.16e-2, 5.54e-2, 2.59e-2, 7.24e-3, 1.85e-3, 4.64e-4, 1.16e-4}},
      {"dpmpp_2m_sde heun, eta 1", with_noise("dpmpp_2m_sde", 1, "heun"), 1, 6, 2, {3.08e-1, 2.38e-1, 6.64e-2, 1.59e-2, 3.85e-3, 9.47e-4, 2.35e-4}},
      {"dpmpp_2m_sde midpoint, eta 0", with_noise("dpmpp_2m_sde", 0), 1, 6, 2, {1.71e-2, 3.27e-2, 1.05e-2, 2.76e-3, 6.96e-4, 1.74e-4, 4.36e-5}},
      {"edm", churned(0), 2, 6, 2, {3.40, 5.58e-1, 1.11e-1, 2.48e-2, 5.89e-3, 1.43e-3, 3.54e-4}},
      {"edm, churn 40 in [0.05, 50]", churned(40), 2, 6, 0, {4.42, 8.10e-1, 1.99e-1, 6.24e-2, 2.39e-2, 1.05e-2, 2.83e-3}},
      {"euler_maruyama, grid uniform in time", solver("euler_maruyama"), 1, 24, 1, {1.17e-1, 2.92e-2, 1.23e-2, 5.85e-3, 2.88e-3, 1.43e-3, 7.11e-4}}};
  const std::string part = "Wasserstein distance to Gaussian data";
  const std::size_t shown = columns_of(options, 6, 7).size();
  for (const LawLine& line : lines) {
    const GridSpacing spacing = line.first == 6 ? GridSpacing::log_snr : GridSpacing::time;
    std::vector<int> calls;
    std::vector<double> ours;
    for (std::size_t i = 0; i < shown; ++i) {
      calls.push_back(line.first << i);
      ours.push_back(distance(line.setting, spacing, calls.back() / line.calls_per_step));
    }
    table.rows.push_back(line_row(part, line.name, calls, ours, {line.distances.begin(), line.distances.begin() + static_cast<std::ptrdiff_t>(shown)}));
  }
  for (const LawLine& line : lines) {
    if (line.order == 0) continue;
    const GridSpacing spacing = line.first == 6 ? GridSpacing::log_snr : GridSpacing::time;
    const int steps = (line.first << 6) / line.calls_per_step;
    table.rows.push_back(order_row("Weak order between the two finest grids", line.name,
                                   std::log2(distance(line.setting, spacing, steps / 2) / distance(line.setting, spacing, steps)), line.order));
  }
  const auto single = [&](std::string where, std::string what, double ours, double reference) {
    table.rows.push_back({.part = std::move(where),
                          .quantity = std::move(what),
                          .paper = in_short(reference),
                          .ours = normal_estimate(ours, 0),
                          .ratio = ours / reference,
                          .criterion = "within 2 %",
                          .holds = std::abs(ours / reference - 1) <= 0.02});
  };
  for (const auto& [times, reference] : {std::pair{0, 4.58e-2}, {1, 4.29e-2}, {2, 3.99e-2}, {5, 3.27e-2}, {10, 2.50e-2}}) {
    SolverSetting setting = solver("restart");
    setting.restarts = {{3, times, 0.06, 0.30}};
    single("Restart from 0.06 to 0.30, 18 steps of Heun", std::to_string(times) + " times", distance(setting, GridSpacing::log_snr, 18), reference);
  }
  // The right law at time 1 is close to N(0, 1): a start that is too wide tells which samplers forget it.
  single("Start from N(0, 1.3^2), 192 steps", "dpmpp_2m, the flow remembers", distance(solver("dpmpp_2m"), GridSpacing::log_snr, 192, 1.3), 0.337);
  single("Start from N(0, 1.3^2), 192 steps", "dpmpp_2m_sde, eta 1, noise forgets", distance(with_noise("dpmpp_2m_sde", 1), GridSpacing::log_snr, 192, 1.3),
         4.8e-4);
}

}  // namespace buffon::reproduce::diffusion_solvers
