// SPDX-License-Identifier: BSD-3-Clause
// Searches of schedules: the parts against brute force and closed formulas, the whole on an exact mixture.
#include <buffon/core/error.hpp>
#include <buffon/model/callable_denoiser.hpp>
#include <buffon/model/exact_denoisers.hpp>
#include <buffon/parallel/context.hpp>
#include <buffon/samplers/diffusion.hpp>
#include <buffon/samplers/diffusion/batch_solver.hpp>
#include <buffon/samplers/diffusion/flow_path.hpp>
#include <buffon/samplers/diffusion/schedule_search.hpp>
#include <buffon/stats/normal.hpp>
#include <buffon/stats/outcome.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>
#include <set>
#include <string>

#include "exact_denoiser.hpp"

using namespace buffon;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

/// Costs of arcs; with `grain`, many are equal.
Eigen::MatrixXd random_costs(Index k, std::uint64_t seed, double grain = 0) {
  Eigen::MatrixXd u(k + 1, k + 1);
  Stream(seed).uniforms(0, u);
  if (grain > 0) u = (u / grain).array().ceil() * grain;
  for (Index i = 0; i <= k; ++i) {
    for (Index j = 0; j <= i; ++j) u(i, j) = infinity;
  }
  return u;
}

double cost_of(const Eigen::MatrixXd& costs, const std::vector<Index>& nodes) {
  double sum = 0;
  for (std::size_t i = nodes.size() - 1; i > 0; --i) sum = costs(nodes[i - 1], nodes[i]) + sum;
  return sum;
}

/// Every path, in the order of its nodes; the first of the cheapest.
schedule::Path brute_force(const Eigen::MatrixXd& costs, int steps) {
  const Index k = costs.rows() - 1;
  schedule::Path best{{}, infinity};
  std::vector<Index> nodes = {0};
  const std::function<void()> extend = [&] {
    if (static_cast<int>(nodes.size()) == steps) {
      nodes.push_back(k);
      const double cost = cost_of(costs, nodes);
      if (cost < best.cost) best = {nodes, cost};
      nodes.pop_back();
      return;
    }
    for (Index j = nodes.back() + 1; j < k; ++j) {
      nodes.push_back(j);
      extend();
      nodes.pop_back();
    }
  };
  extend();
  return best;
}

/// E|D_t − D_u|² of N(0, c²) at t < u, sigma = time.
double gaussian_change(double c, double t, double u) {
  const double square = c * c;
  return square * square * std::abs(1 / (square + t * t) - 1 / (square + u * u));
}
/// The bound of one step from u to t, exactly.
double gaussian_step(double c, double u, double t) {
  const double s = c * c;
  const auto f = [&](double x) { return -1 / (2 * s * x * x) - std::log(x * x / (s + x * x)) / (2 * s * s); };
  return s * s * (f(u) - f(t) - 0.5 * (1 / (t * t) - 1 / (u * u)) / (s + u * u));
}
Eigen::MatrixXd gaussian_changes(double c, const std::vector<NoiseLevel>& grid) {
  const Index n = static_cast<Index>(grid.size());
  Eigen::MatrixXd changes = Eigen::MatrixXd::Zero(n, n);
  for (Index i = 0; i < n; ++i) {
    for (Index j = 0; j < n; ++j) {
      const double a = grid[static_cast<std::size_t>(i)].sigma, b = grid[static_cast<std::size_t>(j)].sigma;
      if (i != j) changes(i, j) = gaussian_change(c, std::min(a, b), std::max(a, b));
    }
  }
  return changes;
}

const DiffusionModel& g3() {
  static const DiffusionModel model = {named_denoiser("g3"), vp_linear_schedule()};
  return model;
}
/// The 64 starts of the reference numbers.
Eigen::MatrixXd reference_starts() {
  Eigen::MatrixXd starts(2, 64);
  const auto list = test::starts_g3();
  for (Index i = 0; i < 64; ++i) starts.col(i) = list[static_cast<std::size_t>(i)];
  return starts;
}
/// 16 × 16 quantiles of the standard normal, at (i + 1/2) / 16.
Eigen::MatrixXd quantile_starts(double sigma) {
  Eigen::MatrixXd starts(2, 256);
  for (Index i = 0; i < 256; ++i) {
    starts.col(i) << sigma * normal_quantile((static_cast<double>(i / 16) + 0.5) / 16), sigma * normal_quantile((static_cast<double>(i % 16) + 0.5) / 16);
  }
  return starts;
}

FoundSchedule find(ScheduleMethod method, const std::string& solver, int steps, int threads = 1, bool decoupled = false, std::int64_t budget = 0,
                   int fine_steps = 120) {
  backend::Queue queue(backend::Device::open("cpu"), threads);
  const ScheduleSearch search = {
      .method = method, .solver = {.solver = solver}, .steps = steps, .fine_steps = fine_steps, .budget = budget, .decoupled = decoupled};
  const bool whole = method == ScheduleMethod::descent || method == ScheduleMethod::evolution;
  return search_schedule(search, g3(), queue, whole ? reference_starts() : quantile_starts(g3().schedule->at_time(1).sigma), reference_starts(), Stream(7));
}
double held_out(const FoundSchedule& found, const std::string& grid) {
  const auto line = std::find_if(found.lines.begin(), found.lines.end(), [&](const ScheduleLine& l) { return l.grid == grid; });
  REQUIRE(line != found.lines.end());
  return line->held_out_error;
}
void beats_everyday_grids(const FoundSchedule& found) {
  for (const std::string grid : {"log_snr", "time", "quadratic", "karras"}) {
    CAPTURE(grid);
    CHECK(held_out(found, "found") < held_out(found, grid));
  }
}

}  // namespace

TEST_CASE("dynamic programming finds the path that brute force finds, ties and all") {
  for (const Index k : {1, 2, 5, 9, 12}) {
    for (int steps = 1; steps <= k; ++steps) {
      for (const double grain : {0.0, 0.25}) {
        CAPTURE(k);
        CAPTURE(steps);
        const Eigen::MatrixXd costs = random_costs(k, static_cast<std::uint64_t>(100 * k + steps), grain);
        const schedule::Path found = schedule::cheapest_path(costs, steps), truth = brute_force(costs, steps);
        CHECK(found.nodes == truth.nodes);  // the first in order has the smallest next nodes
        CHECK(found.cost == doctest::Approx(truth.cost).scale(0).epsilon(1e-14));
        CHECK(cost_of(costs, found.nodes) == found.cost);
      }
    }
  }
  CHECK_THROWS_WITH_AS(schedule::cheapest_path(random_costs(4, 1), 5), doctest::Contains("steps"), Error);
}

TEST_CASE("arcs that cost infinity or NaN are never taken, and a search without another path says so") {
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  int found = 0, refused = 0;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    CAPTURE(seed);
    const Index k = 8;
    const int steps = 1 + static_cast<int>(seed % 8);
    Eigen::MatrixXd costs = random_costs(k, 300 + seed), kind(k + 1, k + 1);
    Stream(900 + seed).uniforms(0, kind);
    for (Index i = 0; i < k; ++i) {
      for (Index j = i + 1; j <= k; ++j) {
        if (kind(i, j) < 0.2) costs(i, j) = infinity;
        if (kind(i, j) > 0.8) costs(i, j) = nan;
      }
    }
    const schedule::Path truth = brute_force(costs, steps);
    if (truth.nodes.empty()) {
      ++refused;
      CHECK_THROWS_WITH_AS(schedule::cheapest_path(costs, steps), doctest::Contains("must be finite"), Error);
    } else {
      ++found;
      CHECK(schedule::cheapest_path(costs, steps).nodes == truth.nodes);
    }
  }
  CHECK(found > 50);
  CHECK(refused > 50);
  for (const double bad : {nan, infinity}) {
    for (int steps = 1; steps <= 4; ++steps) {
      try {
        schedule::cheapest_path(Eigen::MatrixXd::Constant(5, 5, bad), steps);
        FAIL("accepted");
      } catch (const Error& error) {
        CHECK(error.category() == ErrorCategory::model);
      }
    }
  }
}

TEST_CASE("no random path is cheaper than the one of dynamic programming, and more steps never cost more where halving does not") {
  const Index k = 60;
  // Costs of squared lengths: a path of more arcs is cheaper.
  Eigen::MatrixXd u(1, k + 1);
  Stream(3).uniforms(0, u);
  Eigen::MatrixXd costs = Eigen::MatrixXd::Constant(k + 1, k + 1, infinity);
  for (Index i = 0; i <= k; ++i) {
    double length = 0;
    for (Index j = i + 1; j <= k; ++j) {
      length += u(j);
      costs(i, j) = length * length;
    }
  }
  double before = infinity;
  for (int steps = 1; steps <= 20; ++steps) {
    const double cost = schedule::cheapest_path(costs, steps).cost;
    CHECK(cost < before);
    before = cost;
  }
  const schedule::Path best = schedule::cheapest_path(costs, 8);
  const Stream stream(11);
  for (std::uint64_t item = 0; item < 2000; ++item) {
    Eigen::MatrixXd keys(k - 1, 1);
    stream.uniforms(item, keys);
    std::vector<Index> order(static_cast<std::size_t>(k - 1));
    std::iota(order.begin(), order.end(), Index{1});
    std::sort(order.begin(), order.end(), [&](Index a, Index b) { return keys(a - 1) < keys(b - 1); });
    std::vector<Index> nodes(order.begin(), order.begin() + 7);
    nodes.push_back(0);
    nodes.push_back(k);
    std::sort(nodes.begin(), nodes.end());
    CHECK(cost_of(costs, nodes) >= best.cost);
  }
}

TEST_CASE("the bound of klub has its closed values on Gaussian data") {
  constexpr double c = 0.5, first = 80, last = 0.01;
  const auto ve = ve_schedule(first, last);
  // Sums of exact steps.
  const auto exact = [&](const std::vector<NoiseLevel>& grid) {
    double sum = 0;
    for (std::size_t i = 1; i < grid.size(); ++i) sum += gaussian_step(c, grid[i - 1].sigma, grid[i].sigma);
    return sum;
  };
  std::vector<double> arctan = {first};
  const double from = std::atan(first / c), to = std::atan(last / c);
  for (int i = 1; i < 10; ++i) arctan.push_back(c * std::tan(from + (to - from) * i / 10));
  arctan.push_back(last);
  const std::vector<std::pair<std::vector<NoiseLevel>, double>> grids = {{time_grid(*ve, GridSpacing::karras, 10, first, last), 16.090246},
                                                                         {time_grid(*ve, GridSpacing::log_snr, 10, first, last), 5.787272},
                                                                         {grid_of_times(*ve, arctan), 35.936612}};
  for (const auto& entry : grids) {
    const std::vector<NoiseLevel>& grid = entry.first;
    const double value = entry.second;
    CAPTURE(value);
    CHECK(exact(grid) == doctest::Approx(value).scale(0).epsilon(1e-6));
    // By quadrature over 60 cells a step: trapezes in e^{2 lambda} / 2.
    std::vector<double> lambdas;
    for (std::size_t i = 0; i + 1 < grid.size(); ++i) {
      for (int k = 0; k < 60; ++k) lambdas.push_back(grid[i].lambda + (grid[i + 1].lambda - grid[i].lambda) * k / 60);
    }
    lambdas.push_back(grid.back().lambda);
    const auto fine = grid_of_lambdas(*ve, lambdas, first, last);
    const Eigen::MatrixXd costs = schedule::klub_costs(gaussian_changes(c, fine), fine);
    double sum = 0;
    for (Index i = 0; i < 10; ++i) sum += costs(60 * i, 60 * (i + 1));
    CHECK(sum == doctest::Approx(value).scale(0).epsilon(4e-3));
  }
  // The best ten steps, on a fine grid of 600.
  const auto fine = time_grid(*ve, GridSpacing::log_snr, 600, first, last);
  const schedule::Path path = schedule::cheapest_path(schedule::klub_costs(gaussian_changes(c, fine), fine), 10);
  CHECK(path.cost == doctest::Approx(2.021812).scale(0).epsilon(2e-3));
  const std::vector<double> nodes = {80, .4589, .2571, .1626, .1069, .0714, .0480, .0324, .0219, .0148, .01};
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    CAPTURE(i);
    // Two cells of 0.015 in the logarithm, and the last digit given.
    CHECK(fine[static_cast<std::size_t>(path.nodes[i])].sigma == doctest::Approx(nodes[i]).scale(0).epsilon(0.03));
  }
  CHECK_THROWS_WITH_AS(schedule::klub_costs(Eigen::MatrixXd::Zero(2, 2), grid_of_times(*flow_schedule(), {0.9, 0})), doctest::Contains("leave some noise"),
                       Error);
}

TEST_CASE("descent finds the minimum of a banana and spends no more than it may") {
  int calls = 0;
  const auto banana = [&](const Eigen::VectorXd& x) {
    ++calls;
    return std::pow(1 - x(0), 2) + 10 * std::pow(x(1) - x(0) * x(0), 2);
  };
  const schedule::Minimum minimum = schedule::descend(banana, Eigen::Vector2d(-1.2, 1), 2000);
  CHECK((minimum.at - Eigen::Vector2d(1, 1)).norm() < 1e-3);
  CHECK(calls == minimum.runs);
  calls = 0;
  const schedule::Minimum cut = schedule::descend(banana, Eigen::Vector2d(-1.2, 1), 30);
  CHECK(calls <= 30);
  CHECK(cut.value < banana(Eigen::Vector2d(-1.2, 1)));
}

TEST_CASE("evolution keeps candidates distinct and sorted, asks for none twice, and finds what is best") {
  const Index k = 30;
  const int steps = 6;
  const Eigen::MatrixXd costs = random_costs(k, 5);
  const schedule::Path best = schedule::cheapest_path(costs, steps);
  std::set<std::vector<Index>> seen;
  const auto fitness = [&](const std::vector<Index>& nodes) {
    CHECK(nodes.size() == static_cast<std::size_t>(steps + 1));
    CHECK(nodes.front() == 0);
    CHECK(nodes.back() == k);
    CHECK(std::adjacent_find(nodes.begin(), nodes.end(), std::greater_equal<>()) == nodes.end());
    CHECK(seen.insert(nodes).second);
    return cost_of(costs, nodes);
  };
  std::int64_t runs = 0;
  const schedule::Path found = schedule::evolve(fitness, {{0, 5, 10, 15, 20, 25, 30}, {0, 1, 1, 1, 2, 3, 30}}, k, steps, 6000, Stream(2), &runs);
  CHECK(runs == static_cast<std::int64_t>(seen.size()));
  CHECK(runs <= 6000);
  // 142,506 paths there are.
  CHECK(found.cost < 1.1 * best.cost);
  CHECK(found.cost < 0.5 * cost_of(costs, {0, 5, 10, 15, 20, 25, 30}));
  seen.clear();
  CHECK(schedule::evolve(fitness, {{0, 5, 10, 15, 20, 25, 30}, {0, 1, 1, 1, 2, 3, 30}}, k, steps, 6000, Stream(2)).nodes == found.nodes);
  // A single step, and as many steps as the grid has, leave no choice.
  const auto any = [](const std::vector<Index>&) { return 1.0; };
  CHECK(schedule::evolve(any, {}, 5, 1, 20, Stream(1)).nodes == std::vector<Index>{0, 5});
  CHECK(schedule::evolve(any, {}, 3, 3, 20, Stream(1)).nodes == std::vector<Index>{0, 1, 2, 3});
}

TEST_CASE("evolution ends with nearly as many steps as the fine grid has") {
  const auto fitness = [](const std::vector<Index>& nodes) {
    CHECK(std::adjacent_find(nodes.begin(), nodes.end(), std::greater_equal<>()) == nodes.end());
    double sum = 0;  // best with long steps in the beginning
    for (std::size_t i = 1; i < nodes.size(); ++i) sum += static_cast<double>(nodes[i] - nodes[i - 1]) * static_cast<double>(i);
    return sum;
  };
  for (const auto& sizes : std::vector<std::pair<Index, int>>{{12, 9}, {12, 10}, {12, 11}, {12, 12}, {120, 100}, {120, 118}, {120, 119}}) {
    CAPTURE(sizes.first);
    CAPTURE(sizes.second);
    std::vector<Index> seed(static_cast<std::size_t>(sizes.second) + 1);
    std::iota(seed.begin(), seed.end(), Index{0});
    seed.back() = sizes.first;
    const schedule::Path found = schedule::evolve(fitness, {seed}, sizes.first, sizes.second, 300, Stream(9));
    CHECK(found.nodes.size() == seed.size());
    const double worst = fitness(seed);
    if (sizes.second < sizes.first) CHECK(found.cost < worst);
  }
}

TEST_CASE("the flow's path agrees with the flow of Gaussian data") {
  const Eigen::VectorXd mean = Eigen::Vector2d(0.5, -1), variances = Eigen::Vector2d(1, 0.25);
  const auto exact = gaussian_denoiser(mean, variances);
  backend::Queue queue(backend::Device::open("cpu"), 1);
  for (const auto& schedule : {vp_linear_schedule(), flow_schedule(), ve_schedule()}) {
    CAPTURE(schedule->name());
    const auto grid = grid_of_times(*schedule, {schedule->first_time(), 0.3 * schedule->first_time(), schedule->last_time()});
    BatchSolver solver({exact, schedule}, queue, 64, BUFFON_F64);
    const Eigen::MatrixXd starts = grid.front().sigma * reference_starts();
    const auto wide = flow_path(solver, queue, *schedule, grid, starts), narrow = flow_path(solver, queue, *schedule, grid, starts, 0.04);
    for (std::size_t i = 1; i < grid.size(); ++i) {
      const auto truth = exact->endpoints(starts, grid.front(), grid[i]);
      REQUIRE(truth.has_value());
      const double error = (wide[i] - *truth).cwiseAbs().maxCoeff();
      CHECK(error < 1e-5);
      // Fourth order: half the step, a sixteenth of the error; 2 e^−18 to 3 e^−18 are of the first step from pure noise.
      CHECK((narrow[i] - *truth).cwiseAbs().maxCoeff() < 0.1 * error + 5e-8);
    }
  }
}

TEST_CASE("the flow's path ends at the data where the grid has no noise in the end, whatever nodes it has before") {
  const auto exact = gaussian_denoiser(Eigen::Vector2d(0.5, -1), Eigen::VectorXd(Eigen::Vector2d(1, 0.25)));
  backend::Queue queue(backend::Device::open("cpu"), 1);
  for (const auto& schedule : {vp_linear_schedule(), flow_schedule()}) {
    CAPTURE(schedule->name());
    BatchSolver solver({exact, schedule}, queue, 64, BUFFON_F64);
    const double first = schedule->first_time();
    for (const auto& times : std::vector<std::vector<double>>{{first, 0}, {first, 0.5, 0}, {first, 0.3, 0.01, 0}, {first, 0.01, 1e-6, 0}}) {
      CAPTURE(times.size());
      const auto grid = grid_of_times(*schedule, times);
      const Eigen::MatrixXd starts = grid.front().sigma * reference_starts();
      const auto truth = exact->endpoints(starts, grid.front(), grid.back());
      REQUIRE(truth.has_value());
      // Of the Runge-Kutta steps; the D of the node before would be off by rho² / 2 times the score, which is more than 0.3 from pure noise.
      CHECK((flow_path(solver, queue, *schedule, grid, starts).back() - *truth).cwiseAbs().maxCoeff() < 1e-5);
    }
  }
}

TEST_CASE("the same starts held out have the same errors, with noise in the end and without") {
  backend::Queue queue(backend::Device::open("cpu"), 1);
  const auto exact = gaussian_denoiser(Eigen::Vector2d(0.5, -1), Eigen::VectorXd(Eigen::Vector2d(1, 0.25)));
  for (const double last : {0.0, 1e-3}) {
    CAPTURE(last);
    const DiffusionModel model = {exact, flow_schedule(last)};
    const ScheduleSearch search = {.solver = {.solver = "flow_euler"}, .steps = 5, .fine_steps = 30};
    const Eigen::MatrixXd starts = reference_starts();
    const FoundSchedule found = search_schedule(search, model, queue, starts, starts, Stream(1));
    const auto ends = exact->endpoints(starts, found.grid.front(), found.grid.back());
    REQUIRE(ends.has_value());
    for (const ScheduleLine& line : found.lines) {
      CAPTURE(line.grid);
      CHECK(line.held_out_error == line.error);
    }
    BatchSolver solver(model, queue, 64, BUFFON_F64);
    backend::Matrix x(queue.device(), 2, 64, BUFFON_F64);
    queue.upload(x, starts);
    solver.run(plan_solver(search.solver, *model.schedule, found.grid), x, Stream(1), 0);
    const double error = std::sqrt((queue.download(x) - *ends).colwise().squaredNorm().mean());
    CHECK(error > 0.01);
    CHECK(found.lines.back().error == doctest::Approx(error).scale(0).epsilon(1e-3));
  }
}

TEST_CASE("a last call without noise changes neither a search nor the curve of a solver's errors") {
  backend::Queue queue(backend::Device::open("cpu"), 1);
  const double last = 0.1;  // much noise is left in the end
  for (const ScheduleMethod method : {ScheduleMethod::boss, ScheduleMethod::evolution}) {
    const auto find_with = [&](bool denoise) {
      const ScheduleSearch search = {
          .method = method, .solver = {.solver = "ddim", .denoise_to_zero = denoise}, .steps = 4, .last_time = last, .fine_steps = 20, .budget = 100};
      return search_schedule(search, g3(), queue, reference_starts(), {}, Stream(1));
    };
    const FoundSchedule with = find_with(true), without = find_with(false);
    CHECK(grid_text(with.grid) == grid_text(without.grid));
    CHECK(with.value == without.value);
    CHECK(with.lines.back().error == without.lines.back().error);
    CHECK(std::isnan(with.lines.back().held_out_error));
  }
  const auto exact = named_denoiser("g3");
  auto model = std::make_shared<DiffusionModel>(DiffusionModel{exact, vp_linear_schedule()});
  model->law = known_law(exact, 3);
  const auto curve = [&](bool denoise) {
    Context context(1);
    Diffusion method(
        model, {.samples = 10, .solver = "ddim", .denoise_to_zero = denoise, .steps = 20, .last_time = last, .precision = SamplePrecision::float64}, Stream(7));
    run_to_end(method, context);
    return method.outcome().table("log_log_error")->rows;
  };
  CHECK(curve(true) == curve(false));
  CHECK(curve(true)(3, 1) < 0.1);
}

TEST_CASE("a model that answers no numbers is found out by every method") {
  backend::Queue queue(backend::Device::open("cpu"), 1);
  const auto nothing = callable_denoiser(
      {.dimension = 2, .function = [](const ConstMatrix&, auto, auto, MutMatrix answer) { answer.setConstant(std::numeric_limits<double>::quiet_NaN()); }});
  for (const ScheduleMethod method : {ScheduleMethod::boss, ScheduleMethod::descent, ScheduleMethod::klub, ScheduleMethod::evolution}) {
    for (const int steps : {1, 3}) {
      const ScheduleSearch search = {.method = method, .steps = steps, .fine_steps = 8, .budget = 60};
      CHECK_THROWS_WITH_AS(search_schedule(search, {nothing, vp_linear_schedule()}, queue, reference_starts(), {}, Stream(1)),
                           doctest::Contains("must be finite"), Error);
    }
  }
}

TEST_CASE("boss finds the step sizes of the reference for the first-order solver") {
  const std::vector<double> nodes = {-5.02, -1.11, -.39, .17, .72, 1.68, 4.56};
  const FoundSchedule six = find(ScheduleMethod::boss, "ddim", 6), ten = find(ScheduleMethod::boss, "ddim", 10);
  CHECK(held_out(six, "found") == doctest::Approx(.2240).scale(0).epsilon(0.03));
  CHECK(held_out(ten, "found") == doctest::Approx(.1434).scale(0).epsilon(0.03));
  for (std::size_t i = 0; i < nodes.size(); ++i) CHECK(six.grid[i].lambda == doctest::Approx(nodes[i]).epsilon(0.006).scale(1));
  beats_everyday_grids(six);
  beats_everyday_grids(ten);
  // Errors of the everyday grids are those of the reference.
  CHECK(held_out(six, "log_snr") == doctest::Approx(.4236).scale(0).epsilon(1e-3));
  CHECK(held_out(six, "time") == doctest::Approx(.3468).scale(0).epsilon(1e-3));
  CHECK(held_out(six, "karras") == doctest::Approx(.4857).scale(0).epsilon(1e-3));
  CHECK(held_out(ten, "log_snr") == doctest::Approx(.2696).scale(0).epsilon(1e-3));
  CHECK(ten.value < six.value);
  // The first-order grid under the second-order solver.
  const auto with_2m = [&](const FoundSchedule& found) {
    backend::Queue queue(backend::Device::open("cpu"), 1);
    BatchSolver solver(g3(), queue, 64, BUFFON_F64);
    const Eigen::MatrixXd starts = reference_starts();
    const Eigen::MatrixXd ends = flow_path(solver, queue, *g3().schedule, {found.grid.front(), found.grid.back()}, starts, 0.02).back();
    backend::Matrix x(queue.device(), 2, 64, BUFFON_F64);
    queue.upload(x, starts);
    solver.run(plan_solver({.solver = "dpmpp_2m"}, *g3().schedule, found.grid), x, Stream(1), 0);
    return std::sqrt((queue.download(x) - ends).colwise().squaredNorm().mean());
  };
  CHECK(with_2m(six) == doctest::Approx(.2108).scale(0).epsilon(0.03));
  CHECK(with_2m(ten) == doctest::Approx(.0759).scale(0).epsilon(0.03));
}

TEST_CASE("descent reaches the reference's errors for solvers of first and second order") {
  for (const auto& row :
       std::vector<std::tuple<std::string, int, double>>{{"ddim", 6, .2208}, {"ddim", 10, .1418}, {"dpmpp_2m", 6, .0940}, {"dpmpp_2m", 10, .0406}}) {
    const auto& [solver, steps, error] = row;
    CAPTURE(std::get<0>(row));
    CAPTURE(std::get<1>(row));
    const FoundSchedule found = find(ScheduleMethod::descent, solver, steps, 1, false, 1500);
    CHECK(held_out(found, "found") < 1.03 * error);
    CHECK(held_out(found, "found") == doctest::Approx(found.value).scale(0).epsilon(1e-9));
    beats_everyday_grids(found);
    CHECK(found.runs <= 1500);
  }
}

TEST_CASE("levels of the model of their own make the error smaller still") {
  const FoundSchedule plain = find(ScheduleMethod::descent, "ddim", 5), decoupled = find(ScheduleMethod::descent, "ddim", 5, 1, true, 6000);
  CHECK(decoupled.value < 0.9 * plain.value);
  REQUIRE(decoupled.model_levels.size() == 6);
  CHECK(decoupled.model_levels.front().lambda == decoupled.grid.front().lambda);
  CHECK(decoupled.model_levels.back().lambda == decoupled.grid.back().lambda);
  for (std::size_t i = 1; i < 6; ++i) CHECK(decoupled.model_levels[i].lambda > decoupled.model_levels[i - 1].lambda);
}

TEST_CASE("klub crowds its nodes at small noise and loses at the ends") {
  const FoundSchedule found = find(ScheduleMethod::klub, "ddim", 6);
  const std::vector<double> nodes = {-5.02, .72, 1.6, 2.4, 3.12, 3.84, 4.56};
  // 256 paths move a node by a few of the fine grid's cells, of 0.08.
  for (std::size_t i = 0; i < nodes.size(); ++i) CHECK(found.grid[i].lambda == doctest::Approx(nodes[i]).epsilon(0.25).scale(1));
  // The notes have 0.722 and 0.424, on other starts.
  CHECK(held_out(found, "found") == doctest::Approx(.722).scale(0).epsilon(0.15));
  CHECK(held_out(found, "found") > 1.3 * held_out(found, "log_snr"));
  double least = infinity;
  for (const ScheduleLine& line : found.lines) least = std::min(least, line.bound);
  CHECK(found.lines.back().bound == least);
  CHECK(found.value == doctest::Approx(least).scale(0).epsilon(1e-12));
}

TEST_CASE("evolution beats the grids of everyday use for every solver") {
  for (const std::string solver : {"ddim", "dpmpp_2m", "unipc"}) {
    CAPTURE(solver);
    const FoundSchedule found = find(ScheduleMethod::evolution, solver, 6);
    beats_everyday_grids(found);
    CHECK(found.runs <= 600);
  }
}

TEST_CASE("a search finds the same grid on any number of threads") {
  for (const ScheduleMethod method : {ScheduleMethod::boss, ScheduleMethod::descent, ScheduleMethod::klub, ScheduleMethod::evolution}) {
    const FoundSchedule one = find(method, "dpmpp_2s", 4, 1, false, 60, 16);
    for (const int threads : {2, 3}) {
      const FoundSchedule other = find(method, "dpmpp_2s", 4, threads, false, 60, 16);
      CHECK(grid_text(other.grid) == grid_text(one.grid));
      CHECK(other.value == one.value);
      CHECK(other.calls == one.calls);
    }
  }
}

TEST_CASE("searches that cannot be are refused, and noise has a method of its own") {
  backend::Queue queue(backend::Device::open("cpu"), 1);
  const Eigen::MatrixXd starts = reference_starts(), none(2, 0);
  ScheduleSearch search = {.solver = {.solver = "ddpm"}, .steps = 5};
  CHECK_THROWS_WITH_AS(search_schedule(search, g3(), queue, starts, none, Stream(1)), doctest::Contains("take klub"), Error);
  search.method = ScheduleMethod::klub;
  const FoundSchedule found = search_schedule(search, g3(), queue, starts, quantile_starts(1), Stream(1));
  for (const ScheduleLine& line : found.lines) {
    CHECK(std::isnan(line.error));
    CHECK(std::isfinite(line.bound));
    // Five ancestral steps are far off, by less than the spread of the data.
    CHECK(line.moment_distance > 0.1);
    CHECK(line.moment_distance < 2);
  }
  search = {.steps = 0};
  CHECK_THROWS_WITH_AS(search_schedule(search, g3(), queue, starts, none, Stream(1)), doctest::Contains("steps"), Error);
  search = {.steps = 30, .fine_steps = 20};
  CHECK_THROWS_WITH_AS(search_schedule(search, g3(), queue, starts, none, Stream(1)), doctest::Contains("finer grid"), Error);
  for (const int fine_steps : {0, -4}) {
    search = {.steps = 3, .fine_steps = fine_steps};
    CHECK_THROWS_WITH_AS(search_schedule(search, g3(), queue, starts, none, Stream(1)), doctest::Contains("fine_steps = "), Error);
  }
  CHECK_THROWS_WITH_AS(search_schedule({}, g3(), queue, none, none, Stream(1)), doctest::Contains("starts"), Error);
  CHECK_THROWS_WITH_AS(search_schedule({}, g3(), queue, Eigen::MatrixXd::Zero(3, 4), {}, Stream(1)), doctest::Contains("starts = 3 rows must"), Error);
  CHECK_THROWS_WITH_AS(search_schedule({}, g3(), queue, starts, Eigen::MatrixXd::Zero(1, 4), Stream(1)), doctest::Contains("held_out = 1 rows must"), Error);
}

TEST_CASE("a flow that begins on pure noise has its schedules searched in time") {
  backend::Queue queue(backend::Device::open("cpu"), 1);
  const DiffusionModel flow = {named_denoiser("g3"), flow_schedule()};
  for (const ScheduleMethod method : {ScheduleMethod::boss, ScheduleMethod::descent, ScheduleMethod::evolution}) {
    const ScheduleSearch search = {.method = method, .solver = {.solver = "flow_euler"}, .steps = 6, .fine_steps = 60, .budget = 300};
    const FoundSchedule found = search_schedule(search, flow, queue, reference_starts(), quantile_starts(1), Stream(1));
    REQUIRE(found.lines.size() == 3);
    CHECK(found.lines[2].held_out_error < found.lines[0].held_out_error);
    // To be read again by any run.
    const auto back = grid_of_text(*flow.schedule, grid_text(found.grid), 1, 1e-3);
    CHECK(back.size() == found.grid.size());
  }
}
