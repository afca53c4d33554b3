// SPDX-License-Identifier: BSD-3-Clause
// Solvers of the probability flow on exactly solvable models: orders, reference tables, exact laws of stochastic solvers.
#include <buffon/core/error.hpp>
#include <buffon/samplers/diffusion/solver_plan.hpp>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <map>
#include <sstream>
#include <string>

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

SolverSetting solver(std::string name, int order = 0, std::string variant = "", Prediction prediction = Prediction::data) {
  return {.solver = std::move(name), .order = order, .variant = std::move(variant), .prediction = prediction};
}

/// Names of the reference table.
const std::map<std::string, SolverSetting>& reference_solvers() {
  static const std::map<std::string, SolverSetting> solvers = {{"ddim", solver("ddim")},
                                                               {"dpm2s-mid", solver("dpm_solver_2")},
                                                               {"dpm2s-taylor", solver("dpm_solver_2", 0, "taylor")},
                                                               {"dpm3s", solver("dpm_solver_3")},
                                                               {"dpmpp2s", solver("dpmpp_2s")},
                                                               {"dpmpp3s", solver("dpmpp_3s")},
                                                               {"dpmpp2m-mid", solver("dpmpp_2m")},
                                                               {"dpmpp2m-heun", solver("dpmpp_2m", 0, "heun")},
                                                               {"dpmpp3m-consistent", solver("dpmpp_3m")},
                                                               {"dpmpp3m-public", solver("dpmpp_3m", 0, "compat")},
                                                               {"expab4-x0", solver("exponential_adams", 4)},
                                                               {"tab1", solver("deis_tab", 2)},
                                                               {"tab2", solver("deis_tab", 3)},
                                                               {"tab3", solver("deis_tab", 4)},
                                                               {"rhoab1", solver("deis_rhoab", 2)},
                                                               {"rhoab2", solver("deis_rhoab", 3)},
                                                               {"rhoab3", solver("deis_rhoab", 4)},
                                                               {"rho-heun(edm)", solver("rho_heun")},
                                                               {"rho-kutta3", solver("rho_kutta_3")},
                                                               {"rho-rk4", solver("rho_kutta_4")},
                                                               {"ipndm2", solver("ipndm", 2)},
                                                               {"ipndm4", solver("ipndm", 4)},
                                                               {"s-pndm", solver("s_pndm")},
                                                               {"f-pndm", solver("f_pndm")},
                                                               {"unip2-x0-bh2", solver("unip", 2)},
                                                               {"unip3-x0-bh2", solver("unip", 3)},
                                                               {"unipc1-x0-bh2", solver("unipc", 1)},
                                                               {"unipc2-x0-bh1", solver("unipc", 2, "bh1")},
                                                               {"unipc2-x0-bh2", solver("unipc", 2)},
                                                               {"unipc2-eps-bh2", solver("unipc", 2, "", Prediction::noise)},
                                                               {"unipc3-x0-bh2", solver("unipc", 3)},
                                                               {"unipc3-eps-bh2", solver("unipc", 3, "", Prediction::noise)},
                                                               {"ghvb-1.8", solver("ghvb", 2)},
                                                               {"ghvb-2.8", solver("ghvb", 3)}};
  return solvers;
}

struct Order {
  std::string name;
  double order;
};

double fitted_order(const SolverSetting& setting, int calls_per_step) {
  const auto schedule = vp_linear_schedule();
  const int steps = 384 / calls_per_step;
  return std::log2(rms(setting, *schedule, GridSpacing::log_snr, steps) / rms(setting, *schedule, GridSpacing::log_snr, 2 * steps));
}

/// Law of a sample in one dimension: a number and coefficients of independent standard normals (start, then noises).
Eigen::VectorXd law_of(const SolverPlan& plan, double mean, double variance, const NoiseLevel& first) {
  std::vector<Eigen::VectorXd> registers(static_cast<std::size_t>(plan.registers), Eigen::VectorXd::Zero(plan.noises + 2));
  registers[0](0) = first.alpha * mean;
  registers[0](1) = std::sqrt(first.alpha * first.alpha * variance + first.sigma * first.sigma);
  for (const SolverPlan::Operation& operation : plan.operations) {
    if (const auto* call = std::get_if<SolverPlan::Evaluate>(&operation)) {
      const NoiseLevel& l = call->level;
      const double gain = l.alpha * variance / (l.alpha * l.alpha * variance + l.sigma * l.sigma);
      const Eigen::VectorXd x = registers[static_cast<std::size_t>(call->source)];
      Eigen::VectorXd data = gain * x;
      data(0) += mean - gain * l.alpha * mean;
      registers[static_cast<std::size_t>(call->target)] = call->prediction == Prediction::data ? data : Eigen::VectorXd((x - l.alpha * data) / l.sigma);
    } else {
      const auto& combine = std::get<SolverPlan::Combine>(operation);
      Eigen::VectorXd sum = Eigen::VectorXd::Zero(plan.noises + 2);
      for (const SolverPlan::Term& term : combine.terms) sum += term.factor * registers[static_cast<std::size_t>(term.source)];
      if (combine.noise != 0) sum(2 + combine.number) += combine.noise;
      registers[static_cast<std::size_t>(combine.target)] = sum;
    }
  }
  return registers[0];
}

/// Wasserstein distance of the sampler's law to the true one, three independent coordinates.
double wasserstein(const SolverSetting& setting, GridSpacing spacing, int steps) {
  const auto schedule = vp_linear_schedule();
  const auto grid = time_grid(*schedule, spacing, steps, 1, 1e-3);
  const SolverPlan plan = plan_solver(setting, *schedule, grid);
  double sum = 0;
  for (const auto& [mean, variance] : {std::pair{0.5, 1.0}, {-1.0, 0.25}, {0.2, 0.01}}) {
    const Eigen::VectorXd law = law_of(plan, mean, variance, grid.front());
    const NoiseLevel& end = grid.back();
    const double off = law(0) - end.alpha * mean,
                 spread = law.tail(law.size() - 1).norm() - std::sqrt(end.alpha * end.alpha * variance + end.sigma * end.sigma);
    sum += off * off + spread * spread;
  }
  return std::sqrt(sum);
}

}  // namespace

TEST_CASE("every solver converges on an exact mixture with its order") {
  const std::vector<std::pair<std::string, double>> orders = {
      {"ddim", 1},          {"dpm2s-mid", 2},      {"dpm2s-taylor", 2},  {"dpm3s", 3},          {"dpmpp2s", 2},
      {"dpmpp3s", 3},       {"dpmpp2m-mid", 2},    {"dpmpp2m-heun", 2},  {"dpmpp3m-public", 2}, {"dpmpp3m-consistent", 3},
      {"expab4-x0", 4},     {"tab1", 2},           {"tab2", 3},          {"tab3", 4},           {"rhoab1", 2},
      {"rhoab2", 3},        {"rhoab3", 4},         {"rho-heun(edm)", 2}, {"rho-kutta3", 3},     {"rho-rk4", 4},
      {"ipndm4", 2},        {"s-pndm", 2},         {"f-pndm", 2},        {"unipc1-x0-bh2", 2},  {"unipc2-x0-bh2", 3},
      {"unipc3-x0-bh2", 4}, {"unipc3-eps-bh2", 4}, {"ghvb-1.8", 2}};
  for (const auto& [name, order] : orders) {
    CAPTURE(name);
    const SolverSetting& setting = reference_solvers().at(name);
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
    const double ours = rms(reference_solvers().at(name), *vp_linear_schedule(), grids.at(grid), std::stoi(steps));
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
  for (const auto& [name, calls, coarse, fine] : rows) {
    CAPTURE(name);
    CHECK(rms(solver(name), *flow, GridSpacing::time, 48 / calls) == doctest::Approx(coarse).epsilon(1e-3));
    CHECK(rms(solver(name), *flow, GridSpacing::time, 384 / calls) == doctest::Approx(fine).epsilon(1e-2));
  }
  CHECK(rms(solver("flow_pseudo_corrector"), *flow, GridSpacing::time, 47) == doctest::Approx(1.731e-3).epsilon(1e-3));
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
  for (const auto& [name, setting, calls, at_24, at_384] : rows) {
    CAPTURE(name);
    CHECK(wasserstein(setting, GridSpacing::log_snr, 24 / calls) == doctest::Approx(at_24).epsilon(5e-3));
    CHECK(wasserstein(setting, GridSpacing::log_snr, 384 / calls) == doctest::Approx(at_384).epsilon(5e-3));
  }
  CHECK(wasserstein(solver("euler_maruyama"), GridSpacing::time, 1536) == doctest::Approx(7.11e-4).epsilon(5e-3));
  // Two writings of one sampler.
  CHECK(wasserstein(with(solver("ddim"), 1), GridSpacing::log_snr, 24) ==
        doctest::Approx(wasserstein(with(solver("dpmpp_1_sde"), 1), GridSpacing::log_snr, 24)).epsilon(1e-12));
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
}

TEST_CASE("schedules and their inverses agree") {
  for (const auto& schedule : {vp_linear_schedule(), vp_cosine_schedule(), ve_schedule(), flow_schedule(), shifted_schedule(flow_schedule(), 3)}) {
    CAPTURE(schedule->name());
    for (const double u : {0.05, 0.3, 0.6, 0.95}) {
      const double t = u * schedule->first_time();
      const NoiseLevel level = schedule->at_time(t), back = schedule->at_lambda(level.lambda);
      CHECK(back.time == doctest::Approx(t).epsilon(1e-9));
      CHECK(back.alpha == doctest::Approx(level.alpha).epsilon(1e-12));
      CHECK(back.sigma == doctest::Approx(level.sigma).epsilon(1e-12));
      CHECK(std::log(level.alpha / level.sigma) == doctest::Approx(level.lambda).epsilon(1e-10));
      const double h = 1e-6 * t;
      const NoiseLevel above = schedule->at_time(t + h), below = schedule->at_time(t - h);
      const NoiseSchedule::Slopes slope = schedule->slopes(t);
      CHECK(slope.alpha == doctest::Approx((above.alpha - below.alpha) / (2 * h)).epsilon(1e-6).scale(1));
      CHECK(slope.sigma == doctest::Approx((above.sigma - below.sigma) / (2 * h)).epsilon(1e-6).scale(1));
    }
  }
  // Closed values of the notes.
  CHECK(vp_linear_schedule()->at_time(1).lambda == doctest::Approx(-5.0249784067).epsilon(1e-10));
  CHECK(vp_linear_schedule()->at_time(1e-3).lambda == doctest::Approx(4.5577149327).epsilon(1e-10));
  // t′ = k t / (1 + (k − 1) t)
  CHECK(shifted_schedule(flow_schedule(), 3)->at_time(0.4).sigma == doctest::Approx(1.2 / 1.8).epsilon(1e-12));
}
