// SPDX-License-Identifier: BSD-3-Clause
// Lists of orders, lower orders in the end, the last denoising, blended predictions.
#include <buffon/core/error.hpp>

#include <cmath>
#include <string>

#include <doctest/doctest.h>

#include "exact_denoiser.hpp"

using namespace buffon;

namespace {

SolverSetting solver(std::string name, int order = 0) {
  SolverSetting setting;
  setting.solver = std::move(name);
  setting.order = order;
  return setting;
}

std::vector<NoiseLevel> grid_of(int steps, GridSpacing spacing = GridSpacing::log_snr) { return time_grid(*vp_linear_schedule(), spacing, steps, 1, 1e-3); }

Eigen::VectorXd end_of(const SolverSetting& setting, const std::vector<NoiseLevel>& grid, const test::Denoiser& denoiser = test::denoise_g3) {
  return test::run_plan(plan_solver(setting, *vp_linear_schedule(), grid), denoiser, *vp_linear_schedule(), Eigen::Vector2d(0.3, -0.4));
}

/// Distance to what many steps give with the exact model.
double error_of(const SolverSetting& setting, int steps, const test::Denoiser& denoiser = test::denoise_g3) {
  static const std::vector<NoiseLevel> fine = grid_of(600);
  double sum = 0;
  const auto starts = test::starts_g3();
  static const std::vector<Eigen::VectorXd> ends = [&] {
    std::vector<Eigen::VectorXd> all;
    const SolverPlan plan = plan_solver(solver("unipc", 3), *vp_linear_schedule(), fine);
    for (const auto& start : starts) all.push_back(test::run_plan(plan, test::denoise_g3, *vp_linear_schedule(), start));
    return all;
  }();
  const SolverPlan plan = plan_solver(setting, *vp_linear_schedule(), grid_of(steps));
  for (std::size_t i = 0; i < starts.size(); ++i) sum += (test::run_plan(plan, denoiser, *vp_linear_schedule(), starts[i]) - ends[i]).squaredNorm();
  return std::sqrt(sum / static_cast<double>(starts.size()));
}

std::vector<double> levels_asked(const SolverPlan& plan) {
  std::vector<double> lambdas;
  for (const SolverPlan::Operation& operation : plan.operations) {
    if (const auto* call = std::get_if<SolverPlan::Evaluate>(&operation)) lambdas.push_back(call->level.lambda);
  }
  return lambdas;
}

}  // namespace

TEST_CASE("lists of orders ask the model once at every node, for every number of nodes") {
  for (const std::string name : {"dpm_solver_fast", "dpmpp_fast"}) {
    for (const int order : {2, 3}) {
      for (int steps = 1; steps <= 14; ++steps) {
        CAPTURE(name);
        CAPTURE(order);
        CAPTURE(steps);
        for (const GridSpacing spacing : {GridSpacing::log_snr, GridSpacing::quadratic}) {
          const auto grid = grid_of(steps, spacing);
          const SolverPlan plan = plan_solver(solver(name, order), *vp_linear_schedule(), grid);
          const std::vector<double> asked = levels_asked(plan);
          REQUIRE(asked.size() == static_cast<std::size_t>(steps));
          for (std::size_t i = 0; i < asked.size(); ++i) CHECK(asked[i] == grid[i].lambda);
          CHECK(plan.ends.size() == asked.size());
        }
      }
    }
  }
  CHECK_THROWS_WITH_AS(plan_solver(solver("dpmpp_fast", 4), *vp_linear_schedule(), grid_of(6)), doctest::Contains("must be 2 or 3"), Error);
}

TEST_CASE("lists of orders are the single-step solvers where nodes are equally spaced") {
  CHECK((end_of(solver("dpm_solver_fast", 2), grid_of(12)) - end_of(solver("dpm_solver_2"), grid_of(6))).norm() < 1e-10);
  CHECK((end_of(solver("dpmpp_fast", 2), grid_of(12)) - end_of(solver("dpmpp_2s"), grid_of(6))).norm() < 1e-10);
  // 3 k + 1 nodes: k steps of order 3 and one of order 1.
  for (const auto& [fast, single] : {std::pair{"dpm_solver_fast", "dpm_solver_3"}, {"dpmpp_fast", "dpmpp_3s"}}) {
    const auto grid = grid_of(13);
    const std::vector<NoiseLevel> coarse = {grid[0], grid[3], grid[6], grid[9], grid[12]}, last = {grid[12], grid[13]};
    const SolverPlan step = plan_solver(solver("ddim"), *vp_linear_schedule(), last);
    const Eigen::VectorXd expected = test::run_plan(step, test::denoise_g3, *vp_linear_schedule(), end_of(solver(single), coarse));
    CHECK((end_of(solver(fast, 3), grid) - expected).norm() < 1e-10);
  }
  // Unequal nodes: the formulas follow the nodes, so order 3 holds (3 k + 2 nodes end on a step of order 2 in the last stretch).
  const double coarse = error_of(solver("dpmpp_fast", 3), 191), fine = error_of(solver("dpmpp_fast", 3), 383);
  CHECK(std::abs(std::log2(coarse / fine) - 3) < 0.3);
}

TEST_CASE("orders fall to one in the last step where the setting asks so") {
  for (const std::string name : {"exponential_adams", "unip", "unipc", "dpmpp_3m", "deis_tab", "ipndm"}) {
    CAPTURE(name);
    SolverSetting setting = solver(name, name == "dpmpp_3m" ? 0 : 3);
    const auto schedule = vp_linear_schedule();
    const auto grid = grid_of(5);
    const auto answers_of_last = [&] {
      // Steps see older answers only through the terms of the last combination.
      const SolverPlan plan = plan_solver(setting, *schedule, grid);
      std::size_t terms = 0;
      for (const SolverPlan::Operation& operation : plan.operations) {
        if (const auto* combine = std::get_if<SolverPlan::Combine>(&operation); combine != nullptr && combine->terms.size() > 1)
          terms = combine->terms.size() - 1;
      }
      return terms;
    };
    CHECK(answers_of_last() == 3);
    setting.lower_order_final = true;
    CHECK(answers_of_last() == 1);
  }
}

TEST_CASE("the last denoising gives the model's data for the state") {
  for (const std::string name : {"unipc", "dpmpp_2s", "deis_tab", "flow_heun"}) {
    CAPTURE(name);
    SolverSetting setting = solver(name);
    const auto grid = grid_of(8);
    const Eigen::VectorXd state = end_of(setting, grid);
    setting.denoise_to_zero = true;
    CHECK((end_of(setting, grid) - test::denoise_g3(state, grid.back())).norm() < 1e-14);
    CHECK((state - test::denoise_g3(state, grid.back())).norm() > 1e-4);
    CHECK(plan_solver(setting, *vp_linear_schedule(), grid).ends.size() == 8);
  }
}

TEST_CASE("blending with earlier noise helps a model whose error grows as noise falls, and harms an exact one") {
  const auto blended = [](std::string name, double share, bool first = false) {
    SolverSetting setting = solver(std::move(name));
    setting.blend = share;
    setting.blend_first = first;
    return setting;
  };
  CHECK(error_of(blended("ddim", 0.2), 20) > error_of(solver("ddim"), 20));
  CHECK(error_of(blended("ddim", -0.2), 20) < error_of(solver("ddim"), 20));  // towards extrapolation
  // Data off by a constant: an error of the noise prediction that grows as e^lambda, so that earlier predictions hold less of it.
  const test::Denoiser wrong = [](const Eigen::VectorXd& x, const NoiseLevel& level) {
    return Eigen::VectorXd(test::denoise_g3(x, level) + Eigen::Vector2d(2, 2));
  };
  CHECK(error_of(blended("dpmpp_2m", 0.2), 20, wrong) < error_of(solver("dpmpp_2m"), 20, wrong));
  CHECK(error_of(blended("dpmpp_2m", -0.2), 20, wrong) > error_of(solver("dpmpp_2m"), 20, wrong));
  // Blended by hand: DDIM in noise form.
  const auto grid = grid_of(6);
  for (const bool first : {false, true}) {
    Eigen::VectorXd x = Eigen::Vector2d(0.3, -0.4), kept;
    for (std::size_t i = 0; i + 1 < grid.size(); ++i) {
      const NoiseLevel &s = grid[i], &t = grid[i + 1];
      const Eigen::VectorXd e = (x - s.alpha * test::denoise_g3(x, s)) / s.sigma, mixed = i == 0 ? e : Eigen::VectorXd(0.75 * e + 0.25 * kept);
      if (i == 0 || !first) kept = e;
      x = t.alpha / s.alpha * x - t.sigma * std::expm1(t.lambda - s.lambda) * mixed;
    }
    CHECK((end_of(blended("ddim", 0.25, first), grid) - x).norm() < 1e-12);
  }
  CHECK_THROWS_WITH_AS(end_of(blended("flow_euler", 0.2), grid), doctest::Contains("blend"), Error);
}
