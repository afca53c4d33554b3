// SPDX-License-Identifier: BSD-3-Clause
// Drivers with a loop of their own over batches: adaptive steps, jumps, shifted times, windows in parallel, triangular maps.
#include <buffon/core/error.hpp>
#include <buffon/model/callable_denoiser.hpp>
#include <buffon/model/exact_denoisers.hpp>
#include <buffon/samplers/diffusion/adaptive_solver.hpp>
#include <buffon/samplers/diffusion/gauss_seidel_jacobi.hpp>
#include <buffon/samplers/diffusion/host_run.hpp>
#include <buffon/samplers/diffusion/picard_solver.hpp>
#include <buffon/samplers/diffusion/teleport.hpp>
#include <buffon/samplers/diffusion/time_shift.hpp>

#include <cmath>
#include <functional>
#include <string>

#include <doctest/doctest.h>
#include <Eigen/LU>
#include <Eigen/QR>

#include "exact_denoiser.hpp"

using namespace buffon;
using Eigen::MatrixXd;

namespace {

MatrixXd data_g3(const MatrixXd& x, const NoiseLevel& level) {
  MatrixXd data(x.rows(), x.cols());
  for (Index i = 0; i < x.cols(); ++i) data.col(i) = test::denoise_g3(x.col(i), level);
  return data;
}

MatrixXd starts() {
  const auto list = test::starts_g3();
  MatrixXd x(2, static_cast<Index>(list.size()));
  for (std::size_t i = 0; i < list.size(); ++i) x.col(static_cast<Index>(i)) = list[i];
  return x;
}

double rms(const MatrixXd& a, const MatrixXd& b) { return std::sqrt((a - b).squaredNorm() / static_cast<double>(a.cols())); }

MatrixXd exact_ends(const NoiseLevel& first, const MatrixXd& start) {
  const auto schedule = vp_linear_schedule();
  return teacher_states(data_g3, *schedule, {first, schedule->at_time(1e-3)}, start, 1500).back();
}

/// States through a driver, in batches of some size on some device.
using Driver = std::function<void(backend::Queue&, backend::View x, std::uint64_t first)>;
MatrixXd driven(const Driver& driver, const MatrixXd& start, Index batch, const std::string& device = "cpu", int threads = 1, buffon_type type = BUFFON_F64) {
  MatrixXd ends(start.rows(), start.cols());
  for (Index first = 0; first < start.cols(); first += batch) {
    backend::Queue queue(backend::Device::open(device), threads);
    const Index count = std::min(batch, start.cols() - first);
    const backend::Matrix x(queue.device(), start.rows(), count, type);
    queue.upload(x, start.middleCols(first, count));
    driver(queue, x, static_cast<std::uint64_t>(first));
    ends.middleCols(first, count) = queue.download(x);
  }
  return ends;
}

/// Sample 7 has the same bits whatever batch it sits in, on 1, 2, 3 threads, from cpu and cpu:reference.
void check_bits(const std::function<Driver(buffon_type)>& driver, const MatrixXd& start) {
  for (const buffon_type type : {BUFFON_F64, BUFFON_F32}) {
    CAPTURE(static_cast<int>(type));
    const Driver run = driver(type);
    const Eigen::VectorXd wanted = driven(run, start.leftCols(8), 1, "cpu:reference", 1, type).col(7);
    CHECK(wanted.allFinite());
    for (const Index batch : {1, 8}) {
      CAPTURE(batch);
      CHECK(driven(run, start.leftCols(8), batch, "cpu", 1, type).col(7) == wanted);
    }
    for (const int threads : {1, 2, 3}) {
      CAPTURE(threads);
      CHECK(driven(run, start, start.cols(), "cpu", threads, type).col(7) == wanted);
    }
    CHECK(driven(run, start, start.cols(), "cpu:reference", 1, type).col(7) == wanted);
  }
}

/// The adaptive solver in plain loops, all columns with the largest error of any (as published): states, calls, steps refused.
struct Sequential {
  MatrixXd x;
  int calls = 0, refused = 0;
};
Sequential sequential_adaptive(MatrixXd x, const AdaptiveOptions& options, bool keeps_low = false) {
  const auto schedule = vp_linear_schedule();
  const NoiseLevel last = schedule->at_time(1e-3);
  NoiseLevel s = schedule->at_time(1);
  double h = options.first_step;
  MatrixXd before = x;
  Sequential result;
  const auto noise = [](const MatrixXd& state, const NoiseLevel& l) { return MatrixXd((state - l.alpha * data_g3(state, l)) / l.sigma); };
  while (s.lambda < last.lambda) {
    const NoiseLevel t = s.lambda + h >= last.lambda ? last : schedule->at_lambda(s.lambda + h);
    const double e = std::expm1(h), r1 = options.order == 3 ? 1.0 / 3 : 0.5;
    const NoiseLevel m1 = schedule->at_lambda(s.lambda + r1 * h);
    const MatrixXd e0 = noise(x, s), e1 = noise(m1.alpha / s.alpha * x - m1.sigma * std::expm1(r1 * h) * e0, m1);
    const MatrixXd first = t.alpha / s.alpha * x - t.sigma * e * e0, second = first - t.sigma * e / (2 * r1) * (e1 - e0);
    MatrixXd low = first, high = second;
    if (options.order == 3) {
      const double r2 = 2.0 / 3;
      const NoiseLevel m2 = schedule->at_lambda(s.lambda + r2 * h);
      const MatrixXd u2 = m2.alpha / s.alpha * x - m2.sigma * std::expm1(r2 * h) * e0 - m2.sigma * (r2 / r1) * (std::expm1(r2 * h) / (r2 * h) - 1) * (e1 - e0);
      low = second;
      high = first - t.sigma / r2 * (e / h - 1) * (noise(u2, m2) - e0);
    }
    const MatrixXd delta = (options.relative * low.cwiseAbs().cwiseMax(before.cwiseAbs())).cwiseMax(options.absolute);
    const double error = std::sqrt((high - low).cwiseQuotient(delta).array().square().colwise().mean().maxCoeff());
    result.calls += options.order;
    if (error <= 1) {
      x = keeps_low ? low : high;
      before = low;
      s = t;
    } else {
      ++result.refused;
    }
    h = std::min(h * std::min(options.safety * std::pow(error, -1.0 / options.order), options.most_growth), last.lambda - s.lambda);
  }
  result.x = x;
  return result;
}

Driver adaptive(const AdaptiveOptions& options, buffon_type type = BUFFON_F64, AdaptiveSteps* steps = nullptr) {
  return [=](backend::Queue& queue, backend::View x, std::uint64_t) {
    const auto schedule = vp_linear_schedule();
    AdaptiveSolver solver({named_denoiser("g3"), schedule}, queue, x.columns, type, options);
    const AdaptiveSteps all = solver.run(x, schedule->at_time(1), schedule->at_time(1e-3));
    if (steps != nullptr) *steps = all;
  };
}

}  // namespace

TEST_CASE("adaptive steps are those of a sequential program for every sample, and its coupled form meets the reference errors") {
  const MatrixXd ends = exact_ends(vp_linear_schedule()->at_time(1), starts());
  for (const auto& [order, absolute, relative, calls, error] :
       {std::tuple{2, 0.0078, 0.05, 102, 5.84e-3}, {3, 0.0078, 0.05, 60, 9.53e-4}, {3, 1e-4, 1e-3, 174, 2.40e-5}}) {
    AdaptiveOptions options;
    options.order = order;
    options.absolute = absolute;
    options.relative = relative;
    CAPTURE(options.order);
    CAPTURE(options.absolute);
    options.most_growth = 1e300;  // as in the reference
    const Sequential coupled = sequential_adaptive(starts(), options);
    CHECK(coupled.calls == calls);
    CHECK(rms(coupled.x, ends) == doctest::Approx(error).scale(0).epsilon(3e-3));
    options.most_growth = 5;
    AdaptiveSteps steps;
    const MatrixXd ours = driven(adaptive(options, BUFFON_F64, &steps), starts(), 64);
    double far = 0, far_low = 0;
    for (Index i = 0; i < 64; ++i) {
      const Sequential alone = sequential_adaptive(starts().col(i), options);
      far = std::max(far, (ours.col(i) - alone.x).norm());
      far_low = std::max(far_low, (ours.col(i) - sequential_adaptive(starts().col(i), options, true).x).norm());
      CHECK(alone.calls == order * (steps.taken[static_cast<std::size_t>(i)] + steps.refused[static_cast<std::size_t>(i)]));
      CHECK(alone.refused == steps.refused[static_cast<std::size_t>(i)]);
    }
    CHECK(far < 1e-8);  // rounding of the step lengths
    CHECK(far_low > 1e-4);
    CHECK(rms(ours, ends) < relative);
  }
}

TEST_CASE("adaptive samples do not depend on their batch") {
  check_bits([](buffon_type type) { return adaptive({}, type); }, starts());
}

TEST_CASE("adaptive steps that cannot be are refused") {
  AdaptiveOptions options;
  options.order = 4;
  CHECK_THROWS_WITH_AS(driven(adaptive(options), starts(), 64), doctest::Contains("must be 2 or 3"), Error);
  options.order = 3;
  options.absolute = 0;
  CHECK_THROWS_WITH_AS(driven(adaptive(options), starts(), 64), doctest::Contains("absolute"), Error);
  const auto broken =
      callable_denoiser({.dimension = 2, .function = [](const ConstMatrix&, std::span<const NoiseLevel>, std::span<const std::int32_t>, MutMatrix answer) {
                           answer.setConstant(NAN);
                         }});
  backend::Queue queue(backend::Device::open("cpu"), 1);
  AdaptiveSolver solver({broken, vp_linear_schedule()}, queue, 4, BUFFON_F64);
  const backend::Matrix x(queue.device(), 2, 4, BUFFON_F64);
  queue.upload(x, starts().leftCols(4));
  CHECK_THROWS_WITH_AS(solver.run(x, vp_linear_schedule()->at_time(1), vp_linear_schedule()->at_time(1e-3)), doctest::Contains("finite and smooth"), Error);
}

TEST_CASE("drivers refuse more states than they have room for") {
  const auto schedule = vp_linear_schedule();
  backend::Queue queue(backend::Device::open("cpu"), 1);
  const backend::Matrix x(queue.device(), 2, 5, BUFFON_F64), tall(queue.device(), 3, 4, BUFFON_F64);
  AdaptiveSolver adaptive_solver({named_denoiser("g3"), schedule}, queue, 4, BUFFON_F64);
  PicardSolver picard_solver({named_denoiser("g3"), schedule}, queue, 4, BUFFON_F64);
  const auto grid = time_grid(*schedule, GridSpacing::log_snr, 5, 1, 1e-3);
  for (const backend::View& states : {x.view(), tall.view()}) {
    CHECK_THROWS_WITH_AS(adaptive_solver.run(states, grid.front(), grid.back()), doctest::Contains("2 rows and at most 4 columns"), Error);
    CHECK_THROWS_WITH_AS(picard_solver.run(states, grid), doctest::Contains("2 rows and at most 4 columns"), Error);
  }
}

TEST_CASE("jumps along the Gaussian flow meet the reference errors on the mixture") {
  const auto schedule = vp_linear_schedule();
  const NoiseLevel first = schedule->at_time(1);
  const MatrixXd ends = exact_ends(first, starts());
  const auto g3 = named_denoiser("g3");
  const auto jump = [&](const Teleport& teleport, const NoiseLevel& to) {
    return driven([&](backend::Queue& queue, backend::View x, std::uint64_t) { teleport(queue, x, first, to); }, starts(), 64);
  };
  const Teleport gaussian(g3->mean(), g3->covariance()), centred(Eigen::VectorXd::Zero(2), g3->covariance());
  for (const auto& [lambda, error] :
       {std::pair{-4.0, 8.4e-7}, {-3.0, 1.7e-5}, {-2.5, 7.7e-5}, {-2.0, 3.4e-4}, {-1.5, 1.5e-3}, {-1.0, 6.1e-3}, {-0.5, 2.5e-2}, {0.0, 8.7e-2}}) {
    const NoiseLevel to = schedule->at_lambda(lambda);
    CAPTURE(to.lambda);
    CHECK(rms(exact_ends(to, jump(gaussian, to)), ends) == doctest::Approx(error).scale(0).epsilon(0.04));  // references have two digits
    CHECK(rms(exact_ends(to, jump(centred, to)), ends) > 1.5 * error);                                      // as if the mean were 0
  }
  // Twelve steps from there.
  const NoiseLevel to = schedule->at_lambda(-2);
  const auto grid = time_grid(*schedule, GridSpacing::log_snr, 12, to.time, 1e-3);
  for (const auto& [solver, error] : {std::pair{"ddim", 0.164}, {"dpmpp_2m", 0.0371}}) {
    SolverSetting setting;
    setting.solver = solver;
    const MatrixXd reached = states_at_nodes(plan_solver(setting, *schedule, grid), data_g3, *schedule, jump(gaussian, to)).back();
    CHECK(rms(reached, ends) == doctest::Approx(error).scale(0).epsilon(5e-3));
  }
}

TEST_CASE("jumps by a few directions are those of the covariance that they stand for, and samples do not depend on their batch") {
  const auto schedule = flow_schedule();
  const NoiseLevel first = schedule->at_time(1), to = schedule->at_time(0.4);
  MatrixXd start(9, 20), basis(9, 9);
  Stream(5).child("start").normals(0, start);
  Stream(5).child("basis").normals(0, basis);
  const MatrixXd directions = MatrixXd(basis.householderQr().householderQ()).leftCols(3);
  const Eigen::Vector3d variances(4, 1, 0.25);
  const Eigen::VectorXd mean = Eigen::VectorXd::LinSpaced(9, -1, 1);
  const MatrixXd covariance = directions * (variances.array() - 0.1).matrix().asDiagonal() * directions.transpose() + 0.1 * MatrixXd::Identity(9, 9);
  const Teleport few(mean, directions, variances, 0.1), full(mean, covariance), other(mean, directions, variances, 0);
  const auto run = [&](const Teleport& teleport) {
    return driven([&](backend::Queue& queue, backend::View x, std::uint64_t) { teleport(queue, x, first, to); }, start, 20);
  };
  CHECK((run(few) - run(full)).cwiseAbs().maxCoeff() < 1e-12);
  CHECK((run(other) - run(full)).cwiseAbs().maxCoeff() > 1e-2);
  CHECK((run(full) - *gaussian_denoiser(mean, covariance)->endpoints(start, first, to)).cwiseAbs().maxCoeff() < 1e-12);
  check_bits([&](buffon_type) { return [&](backend::Queue& queue, backend::View x, std::uint64_t) { few(queue, x, first, to); }; }, start);
  CHECK_THROWS_WITH_AS(Teleport(mean, MatrixXd(-covariance)), doctest::Contains("negative eigenvalue"), Error);
  CHECK_THROWS_WITH_AS(Teleport(mean, MatrixXd::Ones(9, 2), Eigen::Vector2d(1, 1)), doctest::Contains("orthonormal"), Error);
}

namespace {

/// Gaussian data in twelve coordinates, little spread beside the noise.
const Eigen::VectorXd shift_mean = Eigen::VectorXd::LinSpaced(12, -0.2, 0.2), shift_variances = Eigen::VectorXd::LinSpaced(12, 0.01, 0.05);

Driver shifted(TimeShiftOptions options, buffon_type type = BUFFON_F64) {
  return [=](backend::Queue& queue, backend::View x, std::uint64_t first) {
    const auto schedule = vp_linear_schedule();
    TimeShift shift({gaussian_denoiser(shift_mean, shift_variances), schedule}, queue, x.columns, type, options);
    SolverSetting setting;
    setting.solver = "dpmpp_2m";
    shift.solver().run(plan_solver(setting, *schedule, time_grid(*schedule, GridSpacing::time, 20, 1, 1e-3)), x, Stream(1), first);
  };
}

}  // namespace

TEST_CASE("the first node of a plan is told its own time, wherever the plan begins") {
  const auto schedule = vp_linear_schedule();
  const auto grid = time_grid(*schedule, GridSpacing::time, 3, 0.8, 1e-3);
  MatrixXd start(12, 2);
  Stream(7).child("start").normals(0, start);
  std::vector<double> told;
  const auto model = callable_denoiser(
      {.dimension = 12, .function = [&](const ConstMatrix& x, std::span<const NoiseLevel> levels, std::span<const std::int32_t>, MutMatrix answer) {
         told.push_back(levels[0].time);
         answer = 0.1 * x;
       }});
  driven(
      [&](backend::Queue& queue, backend::View x, std::uint64_t first) {
        TimeShift shift({model, schedule}, queue, x.columns, BUFFON_F64, {.window = 0.06, .cutoff = 0.1});
        SolverSetting setting;
        setting.solver = "dpmpp_2m";
        shift.solver().run(plan_solver(setting, *schedule, grid), x, Stream(1), first);
        shift.solver().run(plan_solver(setting, *schedule, time_grid(*schedule, GridSpacing::time, 2, 0.5, 0.1)), x, Stream(1), first);
      },
      start, 2);
  REQUIRE(told.size() == 5);
  CHECK(told[0] == 0.8);
  CHECK(told[1] != grid[1].time);
  CHECK(told[3] == 0.5);
}

TEST_CASE("the last step of the adaptive solver goes to the last level, whatever it is") {
  const auto schedule = vp_linear_schedule();
  const MatrixXd start = starts().leftCols(1);
  backend::Queue queue(backend::Device::open("cpu"), 1);
  AdaptiveSolver solver({named_denoiser("g3"), schedule}, queue, 1, BUFFON_F64, {.absolute = 0.5, .relative = 0.5});
  const NoiseLevel first = schedule->at_lambda(-2);
  const backend::Matrix x(queue.device(), 2, 1, BUFFON_F64);
  for (int k = 0; k <= 400; ++k) {
    const double lambda = -1 + k * (2 / 400.0) + 1e-3 * std::sin(k);
    CAPTURE(lambda);
    queue.upload(x, start);
    CHECK_NOTHROW(solver.run(x, first, schedule->at_lambda(lambda)));
  }
}

TEST_CASE("shifted times are those whose noise fits the spread of a sample") {
  const auto schedule = vp_linear_schedule();
  for (const double time : {0.2, 0.5, 0.8}) {
    const double sigma = schedule->at_time(time).sigma;
    CHECK(TimeShift::shifted_time(*schedule, time + 0.01, 0.1, sigma * sigma) == doctest::Approx(time).scale(0).epsilon(1e-9));
    CHECK(TimeShift::shifted_time(*schedule, time, 0.1, 0) == doctest::Approx(time - 0.05));
    CHECK(TimeShift::shifted_time(*schedule, time, 0.1, 9) == doctest::Approx(time + 0.05));
  }
  CHECK(TimeShift::shifted_time(*schedule, 0.99, 0.1, 9) == 1);
  MatrixXd start(12, 16);
  Stream(7).child("start").normals(0, start);
  // In plain loops: multistep of order 2 on D = (x − sigma ε) / alpha, ε the model's noise at the shifted time.
  const TimeShiftOptions options{.window = 0.06, .cutoff = 0.3};
  const auto sequential = [&](bool shifts) {
    const auto grid = time_grid(*schedule, GridSpacing::time, 20, 1, 1e-3);
    MatrixXd ends = start;
    for (Index c = 0; c < start.cols(); ++c) {
      Eigen::VectorXd x = start.col(c), before;
      for (std::size_t i = 0; i + 1 < grid.size(); ++i) {
        const NoiseLevel &s = grid[i], &t = grid[i + 1];
        const double variance = (x.array() - x.mean()).square().mean();
        const NoiseLevel told =
            shifts && i > 0 && s.time > options.cutoff ? schedule->at_time(TimeShift::shifted_time(*schedule, s.time, options.window, variance)) : s;
        const Eigen::ArrayXd v = told.alpha * told.alpha * shift_variances.array() + told.sigma * told.sigma;
        const Eigen::ArrayXd e = told.sigma * (x - told.alpha * shift_mean).array() / v;
        const Eigen::VectorXd data = (x - s.sigma * e.matrix()) / s.alpha;
        const double h = t.lambda - s.lambda;
        const Eigen::VectorXd mixed = i == 0 ? data : Eigen::VectorXd(data + (data - before) * h / (2 * (s.lambda - grid[i - 1].lambda)));
        x = t.sigma / s.sigma * x - t.alpha * std::expm1(-h) * mixed;
        before = data;
      }
      ends.col(c) = x;
    }
    return ends;
  };
  const MatrixXd ours = driven(shifted(options), start, 16);
  CHECK((ours - sequential(true)).cwiseAbs().maxCoeff() < 1e-10);
  CHECK((ours - sequential(false)).cwiseAbs().maxCoeff() > 1e-3);
  CHECK((driven(shifted({.window = 0, .cutoff = 0.3}), start, 16) - sequential(false)).cwiseAbs().maxCoeff() < 1e-11);
  check_bits([&](buffon_type type) { return shifted(options, type); }, start);
}

namespace {

Driver picard(PicardOptions options, int steps, buffon_type type = BUFFON_F64, PicardCost* cost = nullptr) {
  return [=](backend::Queue& queue, backend::View x, std::uint64_t) {
    const auto schedule = vp_linear_schedule();
    PicardSolver solver({named_denoiser("g3"), schedule}, queue, x.columns, type, options);
    const PicardCost spent = solver.run(x, time_grid(*schedule, GridSpacing::log_snr, steps, 1, 1e-3));
    if (cost != nullptr) *cost = spent;
  };
}

}  // namespace

TEST_CASE("windows in parallel give the samples of the sequential solver in fewer calls") {
  const auto schedule = vp_linear_schedule();
  constexpr int steps = 50;
  SolverSetting setting;
  setting.solver = "ddim";
  const SolverPlan plan = plan_solver(setting, *schedule, time_grid(*schedule, GridSpacing::log_snr, steps, 1, 1e-3));
  const MatrixXd sequential = driven(
      [&](backend::Queue& queue, backend::View x, std::uint64_t first) {
        BatchSolver solver({named_denoiser("g3"), schedule}, queue, x.columns, BUFFON_F64);
        solver.run(plan, x, Stream(1), first);
      },
      starts(), 64);
  PicardCost cost;
  // Changes of 1e-4 sigma in each of 100 steps, enlarged by the flow: at most 0.01 of the end's sigma times its gain.
  const MatrixXd close = driven(picard({.window = 20, .tolerance = 1e-4}, steps, BUFFON_F64, &cost), starts(), 64);
  CHECK((close - sequential).cwiseAbs().maxCoeff() < 2e-3);
  CHECK(cost.parallel_calls < 60);
  // Bit for bit where nothing but rest counts as rest, whatever the window; then every sample needs a round for a step at most.
  for (const Index window : {1, 7, 60}) {
    CAPTURE(window);
    const MatrixXd same = driven(picard({.window = window, .tolerance = 0}, steps, BUFFON_F64, &cost), starts(), 64);
    CHECK(same == sequential);
    for (const int rounds : cost.rounds) CHECK(rounds <= steps);
  }
  // Too early a rest is told.
  CHECK((driven(picard({.window = 20, .tolerance = 0.5}, steps), starts(), 64) - sequential).cwiseAbs().maxCoeff() > 2e-3);
  CHECK_THROWS_WITH_AS(driven(picard({.window = 0, .tolerance = 0}, steps), starts(), 64), doctest::Contains("window"), Error);
}

TEST_CASE("samples of parallel windows do not depend on their batch") {
  check_bits([](buffon_type type) { return picard({.window = 6, .tolerance = 1e-3}, 24, type); }, starts());
}

namespace {

/// next = L x + z on the device, z the start.
Driver affine_flow(const MatrixXd& matrix, GaussSeidelJacobiOptions options, buffon_type type = BUFFON_F64, Sweeps* spent = nullptr) {
  return [=](backend::Queue& queue, backend::View x, std::uint64_t) {
    const backend::Matrix l(queue.device(), x.rows, x.rows, type), z(queue.device(), x.rows, x.columns, type);
    queue.upload(l, matrix);
    queue.combine(z, std::vector<buffon_term>{{x, 1, nullptr, nullptr}});
    const Sweeps sweeps = solve_triangular(
        queue, x,
        [&](backend::View next, backend::View state) {
          queue.product(next, l, false, state);
          queue.combine(next, std::vector<buffon_term>{{next, 1, nullptr, nullptr}, {z, 1, nullptr, nullptr}});
        },
        options);
    if (spent != nullptr) *spent = sweeps;
  };
}

}  // namespace

TEST_CASE("sweeps over a triangular map end exactly on its fixed point") {
  constexpr Index d = 12;
  MatrixXd z(d, 20), all(d, d);
  Stream(11).child("z").normals(0, z);
  Stream(11).child("l").normals(0, all);
  const MatrixXd l = all.triangularView<Eigen::StrictlyLower>();
  const MatrixXd exact = (MatrixXd::Identity(d, d) - l).triangularView<Eigen::UnitLower>().solve(z);
  for (const Index block : {0, 1, 3, 5, 12, 50}) {
    CAPTURE(block);
    Sweeps spent;
    const MatrixXd x = driven(affine_flow(l, {.block = block, .tolerance = 0}, BUFFON_F64, &spent), z, 20);
    CHECK((x - exact).cwiseAbs().maxCoeff() < 1e-11 * exact.cwiseAbs().maxCoeff());
    CHECK(x == driven(affine_flow(l, {.block = 1, .tolerance = 0}), z, 20));  // the sequential way, bit for bit
    CHECK(spent.total <= d);
  }
  // Rows that reach four rows back come to rest in three sweeps and one to see it.
  MatrixXd far = l;
  for (Index i = 0; i < d; ++i) {
    for (Index j = 0; j < d; ++j) far(i, j) = i - j >= 4 ? l(i, j) : 0;
  }
  Sweeps spent;
  driven(affine_flow(far, {.block = 0, .tolerance = 0}, BUFFON_F64, &spent), z, 20);
  CHECK(spent.total <= 3);
  // Weak rows: a tolerance ends early, close by.
  const MatrixXd weak = driven(affine_flow(0.05 * l, {.block = 0, .tolerance = 1e-4}, BUFFON_F64, &spent), z, 20);
  CHECK(spent.total < 8);
  CHECK((weak - (MatrixXd::Identity(d, d) - 0.05 * l).triangularView<Eigen::UnitLower>().solve(z)).cwiseAbs().maxCoeff() < 1e-3);
  // A map that is not triangular is not solved.
  MatrixXd full = l;
  full(0, d - 1) = 0.5;
  const MatrixXd wrong = driven(affine_flow(full, {.block = 3, .tolerance = 0}), z, 20);
  CHECK((wrong - (MatrixXd::Identity(d, d) - full).partialPivLu().solve(z)).cwiseAbs().maxCoeff() > 0.1);
  check_bits([&](buffon_type type) { return affine_flow(0.2 * l, {.block = 5, .tolerance = 1e-3}, type); }, z);
}
