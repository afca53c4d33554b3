// SPDX-License-Identifier: BSD-3-Clause
// What plan_solver refuses, and plans that begin at pure noise or would leave the schedule.
#include <buffon/core/error.hpp>
#include <buffon/samplers/diffusion/exact_law.hpp>
#include <buffon/samplers/diffusion/solver_plan.hpp>

#include <cmath>
#include <limits>
#include <string>

#include <doctest/doctest.h>

using namespace buffon;

namespace {

const NoiseSchedule& schedule() {
  static const auto vp = vp_linear_schedule();
  return *vp;
}

std::vector<NoiseLevel> grid_of(int steps) { return time_grid(schedule(), GridSpacing::log_snr, steps, 1, 1e-3); }

std::string refusal(const SolverSetting& setting, const std::vector<NoiseLevel>& grid = grid_of(10), const NoiseSchedule& of = schedule()) {
  try {
    plan_solver(setting, of, grid);
  } catch (const Error& error) {
    CHECK(error.category() == ErrorCategory::configuration);
    return error.what();
  }
  return "accepted";
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN(), infinity = std::numeric_limits<double>::infinity();

}  // namespace

TEST_CASE("variants that a solver does not have are refused with those that it has") {
  CHECK(contains(refusal({.solver = "dpmpp_2m", .variant = "huen"}), "variant = huen must be one of midpoint, heun"));
  CHECK(contains(refusal({.solver = "dpmpp_2m", .variant = "huen"}), "did you mean heun?"));
  CHECK(contains(refusal({.solver = "dpmpp_3m", .variant = "compatt"}), "did you mean compat?"));
  CHECK(contains(refusal({.solver = "unipc", .variant = "bh3"}), "must be one of bh2, bh1"));
  CHECK(contains(refusal({.solver = "rho_heun", .variant = "heun"}), "has no variants"));
  for (const SolverName& solver : solver_names()) {
    CAPTURE(solver.name);
    CHECK(contains(refusal({.solver = solver.name, .variant = "none_such"}), "variant = none_such"));
  }
  CHECK(contains(refusal({.solver = "unipcc"}), "did you mean unipc?"));
}

TEST_CASE("grids that are none are refused for every solver") {
  const auto grid = grid_of(10);
  for (const SolverName& solver : solver_names()) {
    CAPTURE(solver.name);
    const SolverSetting setting = {.solver = solver.name};
    CHECK(contains(refusal(setting, {}), "grid = 0 nodes must have 2 nodes or more"));
    CHECK(contains(refusal(setting, {grid[0]}), "grid = 1 node must have 2 nodes or more"));
    CHECK(contains(refusal(setting, {grid.rbegin(), grid.rend()}), "grid[1]"));
    std::vector<NoiseLevel> twice = grid;
    twice[4] = twice[3];
    CHECK(contains(refusal(setting, twice), "grid[4]"));
    twice[4].lambda = not_a_number;
    CHECK(contains(refusal(setting, twice), "grid[4]"));
  }
}

TEST_CASE("solvers that need a number of steps are refused fewer, and planned with so many") {
  int with = 0;
  for (const SolverName& solver : solver_names()) {
    if (solver.least_steps == 1) continue;
    ++with;
    CAPTURE(solver.name);
    CHECK(contains(refusal({.solver = solver.name}, grid_of(solver.least_steps - 1)), "must be at least " + std::to_string(solver.least_steps)));
    CHECK(refusal({.solver = solver.name}, grid_of(solver.least_steps)) == "accepted");
    CHECK(refusal({.solver = solver.name, .any_steps = true}, grid_of(1)) == "accepted");
  }
  CHECK(with == 4);
  CHECK(contains(refusal({.solver = "rho_kutta_4"}, grid_of(7)), "must be at least 8"));
}

TEST_CASE("shares of noise out of their range are refused") {
  for (const double eta : {-1.0, not_a_number, infinity}) {
    for (const char* name : {"ddim", "dpmpp_2m_sde", "unipc", "interpolant_sde"}) CHECK(contains(refusal({.solver = name, .eta = eta}), "eta = "));
  }
  for (const SolverName& solver : solver_names()) {
    if (solver.noise == "eta" || solver.name == "dpm_solver_v3") continue;
    CAPTURE(solver.name);
    CHECK(contains(refusal({.solver = solver.name, .eta = 0.5}), "eta = 0.5 is no option"));
  }
  CHECK(contains(refusal({.solver = "ddim", .eta = 20}), "must be at most 1"));
  CHECK(contains(refusal({.solver = "ddim", .eta = 0.5, .variant = "large"}), "needs eta = 1"));
  CHECK(contains(refusal({.solver = "ghvb", .beta = 0}), "beta = 0 must be in (0, 1]"));
  CHECK(contains(refusal({.solver = "dc_solver", .ratios = {1, 1.1, 1, 1, 1, 1, 1, 1, 1, 1}}), "ratios[1] = 1.1 must be 1"));
}

TEST_CASE("every share of noise that is accepted keeps the law of the data in the limit") {
  const GaussianLaw data{0, 0.25};
  const auto variance = [&](const SolverSetting& setting) {
    const auto grid = grid_of(600);
    return exact_law(plan_solver(setting, schedule(), grid), schedule(), data, law_at(data, grid.front())).variance;
  };
  const double exact = law_at(data, schedule().at_time(1e-3)).variance;
  for (const SolverSetting& setting : {SolverSetting{.solver = "ddim", .eta = 0.5},
                                       {.solver = "ddim", .eta = 1},
                                       {.solver = "ddim", .eta = 1, .variant = "large"},
                                       {.solver = "ddpm", .variant = "large"},
                                       {.solver = "dpmpp_1_sde", .eta = 3},
                                       {.solver = "dpmpp_2m_sde", .eta = 3},
                                       {.solver = "dpmpp_sde", .eta = 3}}) {
    CAPTURE(setting.solver);
    CAPTURE(setting.eta);
    CHECK(std::abs(variance(setting) / exact - 1) < 0.05);  // errors of first order in steps of 0.016
  }
}

TEST_CASE("solvers in rho begin at pure noise by the data, or say where to begin") {
  const auto flow = flow_schedule();
  const auto grid = time_grid(*flow, GridSpacing::time, 12, 1, 1e-3);
  const GaussianLaw data{0.5, 0.25};
  SolverSetting restart = {.solver = "restart"};
  restart.restarts = {{3, 2, 0.1, 0.5}};
  for (const SolverSetting& setting : {SolverSetting{.solver = "edm"}, {.solver = "edm", .churn = 5, .churn_to = infinity}, restart}) {
    CAPTURE(setting.solver);
    const GaussianLaw found = exact_law(plan_solver(setting, *flow, grid), *flow, data, law_at(data, grid.front())), wanted = law_at(data, grid.back());
    CHECK(std::abs(found.mean - wanted.mean) < 0.05);
    CHECK(std::abs(found.variance - wanted.variance) < 0.05);
  }
  const std::string refused = refusal({.solver = "euler_maruyama"}, grid, *flow);
  CHECK(contains(refused, "alpha > 0"));
  CHECK(contains(refused, "first_time"));
}

TEST_CASE("the model is asked about no level before the first node, whatever the churn") {
  for (const auto& of : {vp_linear_schedule(), ve_schedule()}) {
    CAPTURE(of->name());
    const auto grid = time_grid(*of, GridSpacing::karras, 12, of->first_time(), of->last_time());
    const SolverPlan plan = plan_solver({.solver = "edm", .churn = 40}, *of, grid);
    CHECK(plan.noises > 5);
    for (const SolverPlan::Operation& operation : plan.operations) {
      if (const auto* call = std::get_if<SolverPlan::Evaluate>(&operation)) CHECK(call->level.time <= of->first_time() * (1 + 1e-12));
    }
    SolverSetting restart = {.solver = "restart"};
    restart.restarts = {{3, 1, 0.5 * grid[0].rho(), 1.1 * grid[0].rho()}};
    CHECK(contains(refusal(restart, grid, *of), "must be at most rho of the first node"));
  }
}
