// SPDX-License-Identifier: BSD-3-Clause
// Solvers of the probability flow on exactly solvable models: orders, reference tables, exact laws of stochastic solvers.
#include <buffon/core/error.hpp>
#include <buffon/samplers/diffusion/exact_law.hpp>
#include <buffon/samplers/diffusion/solver_plan.hpp>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <map>
#include <sstream>
#include <string>

#include "../../apps/reproduce/diffusion_solvers/reference_solvers.hpp"
#include "exact_denoiser.hpp"
#include "shared_data.hpp"

using namespace buffon;

namespace {

/// Endpoints of the flow from the starts of G3, by Runge-Kutta 4 in lambda on z = x / sigma: dz/dlambda = e^lambda D.
const std::vector<Eigen::VectorXd>& endpoints(const NoiseSchedule& schedule) {
  static std::map<std::string, std::vector<Eigen::VectorXd>> known;
  std::vector<Eigen::VectorXd>& ends = known[schedule.name()];
  if (!ends.empty()) return ends;
  // At pure noise (lambda = −∞) the flow begins on D: x stays on x₀ while lambda < −20 up to e^{−20}.
  const NoiseLevel first = schedule.at_time(1), last = schedule.at_time(1e-3);
  const double from = std::max(first.lambda, -18.0), to = last.lambda;
  constexpr int steps = 4000;
  const double h = (to - from) / steps;
  const auto slope = [&](const Eigen::VectorXd& z, double lambda) {
    const NoiseLevel level = schedule.at_lambda(lambda);
    return Eigen::VectorXd(std::exp(lambda) * test::denoise_g3(level.sigma * z, level));
  };
  for (const Eigen::VectorXd& start : test::starts_g3()) {
    Eigen::VectorXd z = start / first.sigma;
    for (int i = 0; i < steps; ++i) {
      const double l = from + i * h;
      const Eigen::VectorXd k1 = slope(z, l), k2 = slope(z + 0.5 * h * k1, l + 0.5 * h), k3 = slope(z + 0.5 * h * k2, l + 0.5 * h),
                            k4 = slope(z + h * k3, l + h);
      z += h / 6 * (k1 + 2 * k2 + 2 * k3 + k4);
    }
    ends.push_back(last.sigma * z);
  }
  return ends;
}

double rms(const SolverSetting& setting, const NoiseSchedule& schedule, GridSpacing spacing, int steps) {
  const SolverPlan plan = plan_solver(setting, schedule, time_grid(schedule, spacing, steps, 1, 1e-3));
  const auto starts = test::starts_g3();
  const auto& ends = endpoints(schedule);
  double sum = 0;
  for (std::size_t i = 0; i < starts.size(); ++i) sum += (test::run_plan(plan, test::denoise_g3, schedule, starts[i]) - ends[i]).squaredNorm();
  return std::sqrt(sum / static_cast<double>(starts.size()));
}

using reproduce::diffusion_solvers::reference_solvers;
using reproduce::diffusion_solvers::solver;

double fitted_order(const SolverSetting& setting, int calls_per_step) {
  const auto schedule = vp_linear_schedule();
  const int steps = 384 / calls_per_step;
  return std::log2(rms(setting, *schedule, GridSpacing::log_snr, steps) / rms(setting, *schedule, GridSpacing::log_snr, 2 * steps));
}

/// Wasserstein distance of the sampler's law to the true one, three independent coordinates.
double wasserstein(const SolverSetting& setting, GridSpacing spacing, int steps) {
  const auto schedule = vp_linear_schedule();
  const auto grid = time_grid(*schedule, spacing, steps, 1, 1e-3);
  const SolverPlan plan = plan_solver(setting, *schedule, grid);
  std::vector<GaussianLaw> laws, exact;
  for (const GaussianLaw& data : {GaussianLaw{0.5, 1.0}, {-1.0, 0.25}, {0.2, 0.01}}) {
    laws.push_back(exact_law(plan, *schedule, data, law_at(data, grid.front())));
    exact.push_back(law_at(data, grid.back()));
  }
  return wasserstein_distance(laws, exact);
}

}  // namespace

TEST_CASE("every solver converges on an exact mixture with its order") {
  for (const auto& reference : reference_solvers()) {
    const auto& [name, setting, order] = reference;
    CAPTURE(reference.name);
    const auto plan = plan_solver(setting, *vp_linear_schedule(), time_grid(*vp_linear_schedule(), GridSpacing::log_snr, 20, 1, 1e-3));
    // 0.15 covers what is left of higher orders at 384 and 768 calls.
    CHECK(std::abs(fitted_order(setting, std::max(1, plan.calls / 20)) - order) < 0.15);
  }
}

TEST_CASE("the reference table of 34 solvers on four grids is met") {
  const auto file = test::shared_data("diffusion-ref/g3_vp_convergence.csv");
  if (file.empty()) return;
  const std::map<std::string, GridSpacing> grids = {
      {"logsnr", GridSpacing::log_snr}, {"t", GridSpacing::time}, {"edm", GridSpacing::karras}, {"quad", GridSpacing::quadratic}};
  std::ifstream in(file);
  int entries = 0;
  for (std::string line; std::getline(in, line);) {
    std::istringstream fields(line);
    std::string name, grid, steps, calls, value;
    for (std::string* field : {&name, &grid, &steps, &calls, &value}) std::getline(fields, *field, ',');
    if (!grids.contains(grid)) continue;
    CAPTURE(line);
    const double reference = std::stod(value);
    // Our own endpoints are good to 1e-11; errors of that size are not compared.
    const auto known = std::find_if(reference_solvers().begin(), reference_solvers().end(), [&](const auto& r) { return r.name == name; });
    REQUIRE(known != reference_solvers().end());
    const double ours = rms(known->setting, *vp_linear_schedule(), grids.at(grid), std::stoi(steps));
    CHECK(std::abs(ours - reference) < 0.005 * reference + 1e-10);
    ++entries;
  }
  CHECK(entries == 948);
}

TEST_CASE("the linear flow meets its reference errors") {
  // sections 4 of the notes on analytic models: calls 48, 384
  const auto flow = flow_schedule();
  const std::vector<std::tuple<std::string, int, double, double>> rows = {{"ddim", 1, 3.891e-2, 4.834e-3},         {"flow_euler", 1, 3.891e-2, 4.834e-3},
                                                                          {"flow_heun", 2, 2.814e-3, 4.671e-5},    {"flow_midpoint", 2, 2.075e-3, 3.694e-5},
                                                                          {"flow_adams_2", 1, 1.369e-3, 2.202e-5}, {"flow_kutta_4", 4, 2.028e-4, 6.210e-8}};
  for (const auto& row : rows) {
    const auto& [name, calls, coarse, fine] = row;
    CAPTURE(std::get<0>(row));
    CHECK(rms(solver(name), *flow, GridSpacing::time, 48 / calls) == doctest::Approx(coarse).scale(0).epsilon(1e-3));
    // Our own endpoints begin at lambda = −18: good to e^{−18}.
    CHECK(std::abs(rms(solver(name), *flow, GridSpacing::time, 384 / calls) - fine) < 1e-2 * fine + 2e-8);
  }
  CHECK(rms(solver("flow_pseudo_corrector"), *flow, GridSpacing::time, 47) == doctest::Approx(1.731e-3).scale(0).epsilon(1e-3));
}

TEST_CASE("stochastic solvers have the exact laws of the reference on Gaussian data") {
  const auto with = [](SolverSetting s, double eta) {
    s.eta = eta;
    return s;
  };
  SolverSetting churned = solver("edm");
  churned.churn = 40;
  churned.churn_from = 0.05;
  churned.churn_to = 50;
  const std::vector<std::tuple<std::string, SolverSetting, int, double, double>> rows = {
      {"ddpm", solver("ddpm"), 1, 1.91e-1, 1.39e-2},
      {"first order, eta 0.5", with(solver("dpmpp_1_sde"), 0.5), 1, 1.52e-1, 1.04e-2},
      {"2M midpoint", with(solver("dpmpp_2m_sde"), 1), 1, 2.59e-2, 1.16e-4},
      {"2M heun", with(solver("dpmpp_2m_sde", 0, "heun"), 1), 1, 6.64e-2, 2.35e-4},
      {"2M without noise", with(solver("dpmpp_2m_sde"), 0), 1, 1.05e-2, 4.36e-5},
      {"edm", solver("edm"), 2, 1.11e-1, 3.54e-4},
      {"edm with churn", churned, 2, 1.99e-1, 2.83e-3}};
  for (const auto& row : rows) {
    const auto& [name, setting, calls, at_24, at_384] = row;
    CAPTURE(std::get<0>(row));
    CHECK(wasserstein(setting, GridSpacing::log_snr, 24 / calls) == doctest::Approx(at_24).scale(0).epsilon(5e-3));
    CHECK(wasserstein(setting, GridSpacing::log_snr, 384 / calls) == doctest::Approx(at_384).scale(0).epsilon(5e-3));
  }
  CHECK(wasserstein(solver("euler_maruyama"), GridSpacing::time, 1536) == doctest::Approx(7.11e-4).scale(0).epsilon(5e-3));
  // Two writings of one sampler.
  CHECK(wasserstein(with(solver("ddim"), 1), GridSpacing::log_snr, 24) ==
        doctest::Approx(wasserstein(with(solver("dpmpp_1_sde"), 1), GridSpacing::log_snr, 24)).scale(0).epsilon(1e-12));
}

TEST_CASE("a step down to sigma = 0 gives the model's data, and pure noise needs no noise prediction") {
  const auto flow = flow_schedule();
  const auto grid = grid_of_times(*flow, {1, 0.6, 0.3, 0});
  for (const std::string name : {"ddim", "dpmpp_2m", "dpmpp_3m", "unipc", "dpmpp_2s", "flow_heun"}) {
    CAPTURE(name);
    const SolverPlan plan = plan_solver(solver(name), *flow, grid);
    const Eigen::VectorXd end = test::run_plan(plan, test::denoise_g3, *flow, Eigen::Vector2d(0.3, -0.4));
    CHECK(end.allFinite());
    if (name == "flow_heun") continue;
    // Of point masses at p every solver ends on p.
    const Eigen::Vector2d p(2, -1);
    const auto mass = [&](const Eigen::VectorXd&, const NoiseLevel&) { return Eigen::VectorXd(p); };
    CHECK((test::run_plan(plan, mass, *flow, Eigen::Vector2d(0.3, -0.4)) - p).norm() < 1e-12);
  }
  CHECK_THROWS_WITH_AS(plan_solver(solver("deis_tab"), *flow, grid), doctest::Contains("must begin where there is data"), Error);
  CHECK_THROWS_WITH_AS(plan_solver(solver("unipc", 0, "", Prediction::noise), *flow, grid), doctest::Contains("needs a first node with data in it"), Error);
}

TEST_CASE("grids and solvers that cannot be are refused with the place") {
  const auto vp = vp_linear_schedule();
  CHECK_THROWS_WITH_AS(grid_of_times(*vp, {1, 0.5, 0.5, 0.1}), doctest::Contains("times[2] = 0.5"), Error);
  CHECK_THROWS_WITH_AS(grid_of_times(*vp, {0.1, 0.5}), doctest::Contains("must have less noise"), Error);
  CHECK_THROWS_WITH_AS(grid_of_times(*vp, {1, NAN}), doctest::Contains("times[1]"), Error);
  CHECK_THROWS_WITH_AS(time_grid(*vp, GridSpacing::time, 0, 1, 1e-3), doctest::Contains("steps"), Error);
  CHECK_THROWS_WITH_AS(time_grid(*flow_schedule(), GridSpacing::log_snr, 5, 1, 1e-3), doctest::Contains("node 1"), Error);
  CHECK_THROWS_WITH_AS(plan_solver(solver("euler"), *vp, time_grid(*vp, GridSpacing::time, 5, 1, 1e-3)), doctest::Contains("is not known"), Error);
  CHECK_THROWS_WITH_AS(vp_linear_schedule(0, 20), doctest::Contains("beta_0"), Error);
  CHECK_THROWS_WITH_AS(vp_linear_schedule(0.1, 20, -1), doctest::Contains("last_time = -1 must be in [0, 1)"), Error);
  CHECK_THROWS_WITH_AS(vp_cosine_schedule(-0.1), doctest::Contains("offset = -0.1"), Error);
  CHECK_THROWS_WITH_AS(vp_cosine_schedule(0.008, 1), doctest::Contains("last_time = 1 must be in [0, 0.9946)"), Error);
  CHECK_THROWS_WITH_AS(ve_schedule(1, 2), doctest::Contains("sigma_max > sigma_min"), Error);
  CHECK_THROWS_WITH_AS(ve_schedule(NAN), doctest::Contains("sigma_max > sigma_min"), Error);
  CHECK_THROWS_WITH_AS(flow_schedule(1.5), doctest::Contains("last_time = 1.5"), Error);
  CHECK_THROWS_WITH_AS(shifted_schedule(flow_schedule(), INFINITY), doctest::Contains("shift = inf"), Error);
  // Times that a schedule does not have.
  CHECK_THROWS_WITH_AS(grid_of_times(*flow_schedule(), {1.5, 0.5}), doctest::Contains("times[0] = 1.5 must be a time of the schedule flow, in [0, 1]"), Error);
  CHECK_THROWS_WITH_AS(grid_of_times(*vp, {2, 0.5}), doctest::Contains("times[0] = 2"), Error);
  CHECK_THROWS_WITH_AS(time_grid(*vp, GridSpacing::time, 4, 1, -1), doctest::Contains("last_time = -1 must be a time"), Error);
  CHECK_THROWS_WITH_AS(time_grid(*vp_cosine_schedule(), GridSpacing::time, 4, 0.9, -0.5), doctest::Contains("in [0, 0.9946]"), Error);
  CHECK_THROWS_WITH_AS(grid_of_times(*discrete_schedule({0.1, 0.2, 0.3, 0.4}), {1, 0.1}),
                       doctest::Contains("times[1] = 0.1 must be a time of the schedule discrete, in [0.25, 1]"), Error);
  CHECK_THROWS_WITH_AS(grid_of_times(*ve_schedule(), {80, -1}), doctest::Contains("at least 0 and finite"), Error);
  CHECK_THROWS_WITH_AS(grid_of_lambdas(*vp, {-1, 1}, 1.1, 1e-3), doctest::Contains("first_time = 1.1"), Error);
  CHECK_THROWS_WITH_AS(grid_of_times(*shifted_schedule(flow_schedule(), 3), {1.2, 0.5}), doctest::Contains("times[0] = 1.2"), Error);
}

TEST_CASE("schedules and their inverses agree") {
  for (const auto& schedule : {vp_linear_schedule(), vp_cosine_schedule(), ve_schedule(), flow_schedule(), shifted_schedule(flow_schedule(), 3)}) {
    CAPTURE(schedule->name());
    for (const double u : {0.05, 0.3, 0.6, 0.95}) {
      const double t = u * schedule->first_time();
      const NoiseLevel level = schedule->at_time(t), back = schedule->at_lambda(level.lambda);
      CHECK(back.time == doctest::Approx(t).scale(0).epsilon(1e-9));
      CHECK(back.alpha == doctest::Approx(level.alpha).scale(0).epsilon(1e-12));
      CHECK(back.sigma == doctest::Approx(level.sigma).scale(0).epsilon(1e-12));
      CHECK(std::log(level.alpha / level.sigma) == doctest::Approx(level.lambda).scale(0).epsilon(1e-10));
      const double h = 1e-6 * t;
      const NoiseLevel above = schedule->at_time(t + h), below = schedule->at_time(t - h);
      const NoiseSchedule::Slopes slope = schedule->slopes(t);
      CHECK(slope.alpha == doctest::Approx((above.alpha - below.alpha) / (2 * h)).epsilon(1e-6).scale(1));
      CHECK(slope.sigma == doctest::Approx((above.sigma - below.sigma) / (2 * h)).epsilon(1e-6).scale(1));
    }
  }
  // Closed values of the notes.
  CHECK(vp_linear_schedule()->at_time(1).lambda == doctest::Approx(-5.0249784067).scale(0).epsilon(1e-10));
  CHECK(vp_linear_schedule()->at_time(1e-3).lambda == doctest::Approx(4.5577149327).scale(0).epsilon(1e-10));
  // t′ = k t / (1 + (k − 1) t)
  CHECK(shifted_schedule(flow_schedule(), 3)->at_time(0.4).sigma == doctest::Approx(1.2 / 1.8).scale(0).epsilon(1e-12));
}

TEST_CASE("a shifted schedule has finite slopes at both ends, and a flow on it runs from pure noise to data") {
  const double k = 3;
  const auto schedule = shifted_schedule(flow_schedule(0), k);
  for (const double t : {0.0, 1e-12, 0.3, 1 - 1e-12, 1.0}) {
    CAPTURE(t);
    const double rate = k / ((1 + (k - 1) * t) * (1 + (k - 1) * t));  // d/dt of k t / (1 + (k − 1) t)
    CHECK(schedule->slopes(t).alpha == doctest::Approx(-rate).scale(0).epsilon(1e-9));
    CHECK(schedule->slopes(t).sigma == doctest::Approx(rate).scale(0).epsilon(1e-9));
  }
  const auto grid = time_grid(*schedule, GridSpacing::time, 40, 1, 0);
  const Eigen::Vector2d start(0.3, -0.4);
  CHECK(test::run_plan(plan_solver(solver("flow_euler"), *schedule, grid), test::denoise_g3, *schedule, start).allFinite());
  // Time 0.1 of it is time 0.25 of the linear flow: Heun's errors in 400 steps are of the size of 1 / 400².
  const auto end_of = [&](const NoiseSchedule& of, double last) {
    return Eigen::VectorXd(test::run_plan(plan_solver(solver("flow_heun"), of, time_grid(of, GridSpacing::time, 400, 1, last)), test::denoise_g3, of, start));
  };
  const Eigen::VectorXd plain = end_of(*flow_schedule(0), 0.25);
  CHECK((end_of(*schedule, 0.1) - plain).norm() < 1e-4);
  CHECK((end_of(*schedule, 0.11) - plain).norm() > 1e-3);
}

TEST_CASE("grids written as text come back with every bit, and others are refused with the place") {
  const auto vp = vp_linear_schedule();
  const auto grid = time_grid(*vp, GridSpacing::quadratic, 9, 1, 1e-3);
  const std::string text = grid_text(grid);
  const auto back = grid_of_text(*vp, "# found by a search\n\n" + text + "  \n", 1, 1e-3);
  REQUIRE(back.size() == grid.size());
  for (std::size_t i = 0; i < grid.size(); ++i) CHECK(back[i].lambda == grid[i].lambda);
  const auto flow = flow_schedule();
  const auto from_noise = time_grid(*flow, GridSpacing::time, 4, 1, 0);
  CHECK(grid_text(from_noise).starts_with("-inf\n"));
  const auto flow_back = grid_of_text(*flow, grid_text(grid_of_times(*flow, {1, 0.5, 0})), 1, 0);
  CHECK(flow_back.front().alpha == 0);
  CHECK(flow_back.back().sigma == 0);
  CHECK_THROWS_WITH_AS(grid_of_text(*vp, text + "x1\n", 1, 1e-3), doctest::Contains("grid:11: "), Error);
  CHECK_THROWS_WITH_AS(grid_of_text(*vp, "# nothing\n", 1, 1e-3, "my.txt"), doctest::Contains("my.txt: "), Error);
  CHECK_THROWS_WITH_AS(grid_of_text(*vp, "", 1, 1e-3), doctest::Contains("schedule.grid_file = no numbers must be at least 2"), Error);
  CHECK_THROWS_WITH_AS(grid_of_text(*vp, "1\n\xff\x01\x80g\n", 1, 1e-3, "my.txt"),
                       doctest::Contains(R"(my.txt:2: reading the nodes of a solver: schedule.grid_file = "\xff\x01\x80g" must be one number)"), Error);
  CHECK(grid_numbers("\xef\xbb\xbf-1\r\n+1.5\n") == std::vector<double>{-1, 1.5});
  for (const char* bad : {"1\n+-1\n", "1\n++1\n", "1\n+\n", "1\n2,3\n", "1\n1e999\n"})
    CHECK_THROWS_WITH_AS(grid_numbers(bad), doctest::Contains("grid:2: "), Error);
  CHECK_THROWS_WITH_AS(grid_of_text(*vp, text, 1, 1e-4), doctest::Contains("lambda of the last time"), Error);
  CHECK_THROWS_WITH_AS(grid_of_text(*vp, text, 0.9, 1e-3), doctest::Contains("lambda of the first time"), Error);
  std::vector<double> lambdas;
  for (const NoiseLevel& level : grid) lambdas.push_back(level.lambda);
  std::swap(lambdas[3], lambdas[4]);
  CHECK_THROWS_WITH_AS(grid_of_lambdas(*vp, lambdas, 1, 1e-3), doctest::Contains("lambdas[4]"), Error);
  lambdas[4] = NAN;
  CHECK_THROWS_WITH_AS(grid_of_lambdas(*vp, lambdas, 1, 1e-3), doctest::Contains("must be finite"), Error);
}
