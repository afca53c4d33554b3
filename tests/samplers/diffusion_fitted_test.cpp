// SPDX-License-Identifier: BSD-3-Clause
// Solvers with numbers fitted to a model: dynamic compensation, DPM-Solver-v3 with its statistics.
#include <buffon/core/error.hpp>
#include <buffon/model/exact_denoisers.hpp>
#include <buffon/samplers/diffusion/empirical_statistics.hpp>

#include <cmath>
#include <string>

#include <doctest/doctest.h>
#include <boost/math/special_functions/erf.hpp>

#include "exact_denoiser.hpp"
#include "gaussian_law.hpp"

using namespace buffon;

namespace {

Eigen::MatrixXd data_g3(const Eigen::MatrixXd& x, const NoiseLevel& level) {
  Eigen::MatrixXd data(x.rows(), x.cols());
  for (Eigen::Index i = 0; i < x.cols(); ++i) data.col(i) = test::denoise_g3(x.col(i), level);
  return data;
}

Eigen::MatrixXd data_gaussian(const Eigen::MatrixXd& x, const NoiseLevel& level) {
  Eigen::MatrixXd data(x.rows(), x.cols());
  for (Eigen::Index i = 0; i < x.rows(); ++i) {
    const auto& [mean, variance] = test::reference_data()[static_cast<std::size_t>(i)];
    const test::AffineData known = test::gaussian_model(mean, variance)(level);
    data.row(i) = (known.gain * x.row(i).array() + known.constant).matrix();
  }
  return data;
}

Eigen::MatrixXd starts(int every = 1) {
  const auto all = test::starts_g3();
  Eigen::MatrixXd chosen(2, (64 + every - 1) / every);
  for (Eigen::Index i = 0; i < chosen.cols(); ++i) chosen.col(i) = all[static_cast<std::size_t>(every * i)];
  return chosen;
}

double rms(const SolverSetting& setting, const std::vector<NoiseLevel>& grid, const Eigen::MatrixXd& ends) {
  const auto schedule = vp_linear_schedule();
  const Eigen::MatrixXd reached = states_at_nodes(plan_solver(setting, *schedule, grid), data_g3, *schedule, starts()).back();
  return std::sqrt((reached - ends).squaredNorm() / static_cast<double>(ends.cols()));
}

/// Quantiles (i + 1/2) / n of the standard normal in both coordinates.
Eigen::MatrixXd normal_lattice(int n) {
  Eigen::MatrixXd lattice(2, n * n);
  const auto quantile = [n](int i) { return std::sqrt(2.0) * boost::math::erf_inv((2 * i + 1.0) / n - 1); };
  for (int i = 0; i < n; ++i) {
    for (int j = 0; j < n; ++j) lattice.col(n * i + j) = Eigen::Vector2d(quantile(i), quantile(j));
  }
  return lattice;
}

SolverSetting third_version(std::shared_ptr<const EmpiricalStatistics> statistics, int order, std::string variant = "") {
  SolverSetting setting;
  setting.solver = "dpm_solver_v3";
  setting.order = order;
  setting.variant = std::move(variant);
  setting.statistics = std::move(statistics);
  return setting;
}

}  // namespace

TEST_CASE("ratios fitted on 11 starts lower the error of all to the reference values") {
  const auto schedule = vp_linear_schedule();
  for (const auto& [steps, before, after] : {std::tuple{5, 0.345, 0.230}, {8, 0.161, 0.140}, {10, 0.122, 0.104}}) {
    const auto grid = time_grid(*schedule, GridSpacing::time, steps, 1, 1e-3);
    CAPTURE(grid.size());
    const Eigen::MatrixXd ends = teacher_states(data_g3, *schedule, grid, starts(), 60).back();
    SolverSetting setting;
    setting.solver = "dc_solver";
    setting.lower_order_final = true;
    CHECK(std::abs(rms(setting, grid, ends) - before) < 6e-4);  // references are rounded to three digits
    SolverSetting plain = setting;
    plain.solver = "unipc";
    CHECK(rms(plain, grid, ends) == rms(setting, grid, ends));
    const auto few = starts(6);
    setting.ratios = fit_dc_ratios(setting, data_g3, *schedule, grid, few, teacher_states(data_g3, *schedule, grid, few, 60));
    CHECK(std::abs(rms(setting, grid, ends) - after) < 6e-4);
    if (steps == 5) {
      const std::vector<double> reference = {1, 1, 0.994, 1.164, 1.398};
      for (std::size_t i = 0; i < reference.size(); ++i) CHECK(std::abs(setting.ratios[i] - reference[i]) < 1e-3);
    }
    // Moved in the wrong direction, it does harm.
    for (double& ratio : setting.ratios) ratio = 2 - ratio;
    CHECK(rms(setting, grid, ends) > before);
  }
}

TEST_CASE("ratios that do not fit the grid are refused") {
  const auto schedule = vp_linear_schedule();
  const auto grid = time_grid(*schedule, GridSpacing::time, 5, 1, 1e-3);
  SolverSetting setting;
  setting.solver = "dc_solver";
  setting.ratios = {1, 1, 1};
  CHECK_THROWS_WITH_AS(plan_solver(setting, *schedule, grid), doctest::Contains("one for each of 5 steps"), Error);
  CHECK_THROWS_WITH_AS(fit_dc_ratios(setting, data_g3, *schedule, grid, starts(), {}), doctest::Contains("teacher"), Error);
  setting.solver = "ddpm";
  setting.ratios.clear();
  CHECK_THROWS_WITH_AS(states_at_nodes(plan_solver(setting, *schedule, grid), data_g3, *schedule, starts()), doctest::Contains("without noise"), Error);
}

TEST_CASE("a model on a backend is a function on the host, in batches") {
  const auto schedule = vp_linear_schedule();
  backend::Queue queue(backend::Device::open("cpu"), 1);
  const DataModel model = data_model({named_denoiser("g3"), schedule}, queue, 7);
  for (const double time : {1.0, 0.4, 1e-3}) {
    const NoiseLevel level = schedule->at_time(time);
    CHECK((model(starts(), level) - data_g3(starts(), level)).cwiseAbs().maxCoeff() < 1e-12);
    CHECK((model(starts(), level) - data_g3(starts(), schedule->at_time(0.9 * time))).cwiseAbs().maxCoeff() > 1e-6);
  }
}

TEST_CASE("tables with the same numbers everywhere give the solvers of data and of noise") {
  const auto schedule = vp_linear_schedule();
  const auto grid = time_grid(*schedule, GridSpacing::karras, 10, 1, 1e-3);
  const auto ends_of = [&](const SolverSetting& setting) {
    return states_at_nodes(plan_solver(setting, *schedule, grid), data_g3, *schedule, starts()).back();
  };
  const auto table = [&](double l, double s) {
    return std::make_shared<const EmpiricalStatistics>(constant_statistics(2, grid.front().lambda, grid.back().lambda, 20000, l, s, 0));
  };
  for (const int order : {1, 2, 3}) {
    CAPTURE(order);
    SolverSetting peer;
    peer.solver = "exponential_adams";
    peer.order = order;
    // Trapezoids of 5e-4 of exponentials: relative errors of 2e-8 h a step, which answers of size rho = 150 and the flow enlarge.
    CHECK((ends_of(third_version(table(1, 0), order)) - ends_of(peer)).cwiseAbs().maxCoeff() < 1e-5);
    peer.solver = "unip";
    peer.prediction = Prediction::noise;
    if (order != 2) CHECK((ends_of(third_version(table(0, -1), order)) - ends_of(peer)).cwiseAbs().maxCoeff() < 1e-5);  // UniP-2 has a short-cut of its own
  }
  SolverSetting peer;
  peer.solver = "unipc";
  peer.order = 3;
  CHECK((ends_of(third_version(table(0.9, 0), 3, "corrector")) - ends_of(peer)).cwiseAbs().maxCoeff() > 1e-4);
}

TEST_CASE("one step with its statistics is exact on Gaussian data but for the table") {
  const auto schedule = vp_linear_schedule();
  const NoiseLevel first = schedule->at_time(1), last = schedule->at_time(1e-3);
  Eigen::MatrixXd start(3, 16);
  Stream(3).child("start").normals(0, start);
  Eigen::MatrixXd ends = start;
  for (Eigen::Index i = 0; i < 3; ++i) {
    const auto& [mean, variance] = test::reference_data()[static_cast<std::size_t>(i)];
    const auto deviation = [v = variance](const NoiseLevel& l) { return std::sqrt(l.alpha * l.alpha * v + l.sigma * l.sigma); };
    ends.row(i) = (last.alpha * mean + deviation(last) / deviation(first) * (start.row(i).array() - first.alpha * mean)).matrix();
  }
  const auto error = [&](int nodes, int probes) {
    const auto table = std::make_shared<EmpiricalStatistics>(
        estimate_statistics(data_gaussian, *schedule, first, last, start, Stream(1), {.nodes = nodes, .probes = probes, .step = 1e-4}));
    const SolverPlan plan = plan_solver(third_version(table, 1), *schedule, {first, last});
    CHECK(plan.calls == 1);
    return std::sqrt((states_at_nodes(plan, data_gaussian, *schedule, start).back() - ends).squaredNorm() / 16);
  };
  // References 3.28e-4, 8.21e-5, 2.05e-5, 5.15e-6: a fall by four for each doubling; local integrals leave less of it.
  const std::vector<double> bounds = {3.28e-4, 8.21e-5, 2.05e-5, 5.15e-6};
  double before = 0;
  int nodes = 120;
  for (const double bound : bounds) {
    CAPTURE(nodes);
    const double now = error(nodes, 0);
    CHECK(now < bound);
    if (before > 0) CHECK(before / now == doctest::Approx(4).scale(0).epsilon(0.1));
    before = now;
    nodes *= 2;
  }
  // Independent coordinates: the Jacobian is diagonal, and random signs give it exactly too.
  CHECK(error(240, 1) == doctest::Approx(error(240, 0)).scale(0).epsilon(1e-2));
  // Without its statistics a step is far off.
  const auto plain = std::make_shared<EmpiricalStatistics>(constant_statistics(3, first.lambda, last.lambda, 960, 1, 0, 0));
  CHECK((states_at_nodes(plan_solver(third_version(plain, 1), *schedule, {first, last}), data_gaussian, *schedule, start).back() - ends).norm() > 0.1);
}

TEST_CASE("DPM-Solver-v3 with statistics of the mixture meets its reference errors") {
  const auto schedule = vp_linear_schedule();
  const NoiseLevel first = schedule->at_time(1), last = schedule->at_time(1e-3);
  const auto table = std::make_shared<EmpiricalStatistics>(
      estimate_statistics(data_g3, *schedule, first, last, normal_lattice(32), Stream(1), {.nodes = 1920, .probes = 0, .step = 1e-4}));
  const Eigen::MatrixXd ends = teacher_states(data_g3, *schedule, {first, last}, starts(), 1000).back();
  struct Row {
    int order;
    std::string variant;
    std::vector<double> errors;  // M = 12, 48, 192
  };
  const std::vector<Row> rows = {
      {1, "", {1.17e-1, NAN, 8.27e-3}}, {2, "", {5.18e-2, 3.71e-3, 2.35e-4}}, {3, "", {5.41e-2, 8.97e-4, 1.11e-5}}, {3, "corrector", {1.57e-2, 1.55e-4, NAN}}};
  for (const Row& row : rows) {
    CAPTURE(row.order);
    CAPTURE(row.variant);
    for (std::size_t k = 0; k < 3; ++k) {
      if (std::isnan(row.errors[k])) continue;
      const auto grid = time_grid(*schedule, GridSpacing::log_snr, 12 << (2 * k), 1, 1e-3);
      CHECK(rms(third_version(table, row.order, row.variant), grid, ends) == doctest::Approx(row.errors[k]).scale(0).epsilon(1e-2));
    }
  }
  // Tables with the sign of s turned are told from these.
  auto wrong = std::make_shared<EmpiricalStatistics>(*table);
  wrong->s *= -1;
  const auto grid = time_grid(*schedule, GridSpacing::log_snr, 48, 1, 1e-3);
  CHECK(rms(third_version(wrong, 3), grid, ends) > 1.05 * 8.97e-4);
  // Divided differences alone leave order 2.
  const auto fine = time_grid(*schedule, GridSpacing::log_snr, 192, 1, 1e-3);
  CHECK(std::abs(std::log2(rms(third_version(table, 3, "pseudo"), grid, ends) / rms(third_version(table, 3, "pseudo"), fine, ends)) / 2 - 2) < 0.15);
  CHECK_THROWS_WITH_AS(plan_solver(third_version(table, 3), *schedule, grid_of_times(*schedule, {1, 0.5, 1e-4})), doctest::Contains("must lie in the tables"),
                       Error);
  CHECK_THROWS_WITH_AS(plan_solver(third_version(nullptr, 3), *schedule, grid), doctest::Contains("statistics"), Error);
}
