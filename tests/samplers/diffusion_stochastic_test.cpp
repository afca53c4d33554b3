// SPDX-License-Identifier: BSD-3-Clause
// Restart, two-stage solvers with noise, stochastic interpolants and consistency sampling: exact laws on Gaussian data.
#include <buffon/core/error.hpp>

#include <cmath>
#include <string>

#include <doctest/doctest.h>

#include "gaussian_law.hpp"

using namespace buffon;

namespace {

SolverSetting noisy(std::string name, double eta, std::string variant = "") {
  SolverSetting setting;
  setting.solver = std::move(name);
  setting.eta = eta;
  setting.variant = std::move(variant);
  return setting;
}

double distance(const SolverSetting& setting, GridSpacing spacing, int steps) {
  const auto schedule = vp_linear_schedule();
  const auto grid = time_grid(*schedule, spacing, steps, 1, 1e-3);
  return test::wasserstein(plan_solver(setting, *schedule, grid), *schedule, grid);
}

double order_between(const SolverSetting& setting, GridSpacing spacing, int steps) {
  return std::log2(distance(setting, spacing, steps) / distance(setting, spacing, 2 * steps));
}

SolverSetting restart(int times, double share = 1) {
  SolverSetting setting = noisy("restart", 0);
  setting.restarts = {{3, times, 0.06, 0.30}};
  setting.churn_noise = share;
  return setting;
}

}  // namespace

TEST_CASE("restarts contract the error of Heun's method to the reference distances") {
  const auto schedule = vp_linear_schedule();
  const auto grid = time_grid(*schedule, GridSpacing::log_snr, 18, 1, 1e-3);
  for (const auto& [times, calls, reference] : {std::tuple{0, 36, 4.58e-2}, {1, 40, 4.29e-2}, {2, 44, 3.99e-2}, {5, 56, 3.27e-2}, {10, 76, 2.50e-2}}) {
    const SolverSetting setting = restart(times);
    CAPTURE(setting.restarts[0].times);
    CHECK(plan_solver(setting, *schedule, grid).calls == calls);
    CHECK(distance(restart(times), GridSpacing::log_snr, 18) == doctest::Approx(reference).scale(0).epsilon(2e-3));
    // Nine tenths of the noise are told from all of it.
    if (times > 0) CHECK(std::abs(distance(restart(times, 0.9), GridSpacing::log_snr, 18) / reference - 1) > 0.02);
  }
  CHECK(distance(restart(0), GridSpacing::log_snr, 18) == distance(noisy("rho_heun", 0), GridSpacing::log_snr, 18));
}

TEST_CASE("restarts of parts of restarts are told apart, and levels that cannot be are refused") {
  const auto schedule = vp_linear_schedule();
  const auto grid = time_grid(*schedule, GridSpacing::karras, 12, 1, 1e-3);
  SolverSetting setting = restart(2);
  setting.restarts.push_back({4, 3, 1.0, 10.0});
  CHECK(plan_solver(setting, *schedule, grid).calls == 24 + 2 * 2 * 2 + 2 * 3 * 3);
  CHECK(plan_solver(setting, *schedule, grid).ends.size() == 12);
  setting.restarts = {{1, 2, 0.06, 0.3}};
  CHECK_THROWS_WITH_AS(plan_solver(setting, *schedule, grid), doctest::Contains("2 nodes or more"), Error);
  setting.restarts = {{3, 2, 50.0, 51.0}};
  CHECK_THROWS_WITH_AS(plan_solver(setting, *schedule, grid_of_times(*schedule, {1, 0.9, 0.1})), doctest::Contains("rho_max"), Error);
}

TEST_CASE("two stages along one path of the noise have order 2; with noise of their own they have order 1") {
  CHECK(std::abs(order_between(noisy("dpmpp_sde", 1), GridSpacing::log_snr, 192) - 2) < 0.15);
  CHECK(std::abs(order_between(noisy("dpmpp_sde", 0.5), GridSpacing::log_snr, 192) - 2) < 0.15);
  // Without noise: DPM-Solver++ 2S.
  CHECK(distance(noisy("dpmpp_sde", 0), GridSpacing::log_snr, 24) ==
        doctest::Approx(distance(noisy("dpmpp_2s", 0), GridSpacing::log_snr, 24)).scale(0).epsilon(1e-10));
  const auto schedule = vp_linear_schedule();
  const auto independent = [&](int steps) {
    const auto grid = time_grid(*schedule, GridSpacing::log_snr, steps, 1, 1e-3);
    SolverPlan plan = plan_solver(noisy("dpmpp_sde", 1), *schedule, grid);
    for (SolverPlan::Operation& operation : plan.operations) {
      auto* combine = std::get_if<SolverPlan::Combine>(&operation);
      if (combine == nullptr || combine->noise == 0 || combine->terms.empty()) continue;
      combine->noise = std::hypot(combine->noise, combine->terms.back().factor);
      combine->terms.pop_back();
    }
    return test::wasserstein(plan, *schedule, grid);
  };
  CHECK(std::abs(std::log2(independent(192) / independent(384)) - 1) < 0.15);
}

TEST_CASE("interpolants keep the law for every share of noise, to first order and to second with Heun") {
  for (const double eta : {0.0, 1.0, 3.0}) {
    CAPTURE(eta);
    CHECK(std::abs(order_between(noisy("interpolant_sde", eta), GridSpacing::time, 384) - 1) < 0.15);
    CHECK(std::abs(order_between(noisy("interpolant_sde", eta, "heun"), GridSpacing::time, 384) - 2) < 0.15);
    CHECK(distance(noisy("interpolant_sde", eta, "heun"), GridSpacing::time, 768) < 1e-4);
  }
  CHECK(distance(noisy("interpolant_sde", 0), GridSpacing::time, 24) ==
        doctest::Approx(distance(noisy("flow_euler", 0), GridSpacing::time, 24)).scale(0).epsilon(1e-12));
  // A tenth more noise than the score takes away is another law.
  const auto schedule = vp_linear_schedule();
  const auto grid = time_grid(*schedule, GridSpacing::time, 768, 1, 1e-3);
  SolverPlan plan = plan_solver(noisy("interpolant_sde", 1), *schedule, grid);
  for (SolverPlan::Operation& operation : plan.operations) {
    if (auto* combine = std::get_if<SolverPlan::Combine>(&operation)) combine->noise *= 1.1;
  }
  CHECK(test::wasserstein(plan, *schedule, grid) > 1e-2);
}

TEST_CASE("interpolants begin at pure noise and end at data on the linear flow") {
  const auto flow = flow_schedule();
  const auto grid = grid_of_times(*flow, {1, 0.7, 0.4, 0.1, 0});
  for (const std::string variant : {"", "heun"}) {
    const SolverPlan plan = plan_solver(noisy("interpolant_sde", 1, variant), *flow, grid);
    // A point mass, through its velocity: alpha′ D + sigma′ ε with ε = (x − alpha D) / sigma.
    const Eigen::VectorXd law = test::law_of(
        plan,
        [](const NoiseLevel&) {
          return test::AffineData{2, 0};
        },
        0, 1, *flow);
    CHECK(law.allFinite());
    CHECK(std::abs(law(0) - 2) < 1e-12);
  }
}

TEST_CASE("consistency sampling with the exact map keeps the law at the last level after every number of steps") {
  for (const auto& schedule : {vp_linear_schedule(), ve_schedule(), flow_schedule()}) {
    CAPTURE(schedule->name());
    for (const int steps : {1, 2, 5}) {
      const double first_time = schedule->first_time() == 1 ? 0.999 : schedule->first_time();
      const auto grid = time_grid(*schedule, GridSpacing::time, steps, first_time, 0.05 * first_time);
      const NoiseLevel end = grid.back();
      const SolverPlan plan = plan_solver(noisy("consistency", 0), *schedule, grid);
      for (const auto& [mean, variance] : test::reference_data()) {
        const auto deviation = [variance = variance](const NoiseLevel& l) { return std::sqrt(l.alpha * l.alpha * variance + l.sigma * l.sigma); };
        // The map along the flow of a Gaussian from any level to the last one.
        const auto map = [&, mean = mean](const NoiseLevel& l) {
          const double gain = deviation(end) / deviation(l);
          return test::AffineData{end.alpha * mean - gain * l.alpha * mean, gain};
        };
        const Eigen::VectorXd law = test::law_of(plan, map, grid[0].alpha * mean, deviation(grid[0]), *schedule);
        CHECK(law(0) == doctest::Approx(end.alpha * mean).scale(0).epsilon(1e-10));
        CHECK(law.tail(law.size() - 1).norm() == doctest::Approx(deviation(end)).scale(0).epsilon(1e-10));
        // Noise of the whole sigma, as if the samples had none left, spreads too far.
        if (steps == 1) continue;
        SolverPlan full = plan;
        std::size_t node = 1;
        for (SolverPlan::Operation& operation : full.operations) {
          auto* combine = std::get_if<SolverPlan::Combine>(&operation);
          if (combine != nullptr && combine->noise != 0) combine->noise = grid[node++].sigma;
        }
        CHECK(test::law_of(full, map, grid[0].alpha * mean, deviation(grid[0]), *schedule).tail(full.noises + 1).norm() > 1.00001 * deviation(end));
      }
    }
  }
}
