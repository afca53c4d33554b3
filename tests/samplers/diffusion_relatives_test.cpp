// SPDX-License-Identifier: BSD-3-Clause
// Mean-reverting diffusion and Poisson flows: other laws of noise for the same solvers.
#include <buffon/core/error.hpp>
#include <buffon/model/callable_denoiser.hpp>
#include <buffon/model/exact_denoisers.hpp>
#include <buffon/samplers/diffusion/batch_solver.hpp>
#include <buffon/samplers/diffusion/mean_reverting.hpp>
#include <buffon/samplers/diffusion/pfgm.hpp>

#include <cmath>
#include <string>

#include <doctest/doctest.h>

using namespace buffon;
using Eigen::MatrixXd;
using Eigen::VectorXd;

namespace {

using Levels = std::span<const NoiseLevel>;
using Labels = std::span<const std::int32_t>;

const VectorXd data_mean = Eigen::Vector3d(0.5, -1, 0.2), data_variance = Eigen::Vector3d(1, 0.25, 0.01), pull = Eigen::Vector3d(2, 1, -3);

/// What a model says of x = m + alpha (x₀ − m) + sigma ε.
std::shared_ptr<const Denoiser> reverting_model(Answer answer, std::shared_ptr<const NoiseSchedule> schedule) {
  return callable_denoiser({.dimension = 3, .answers = answer, .function = [=](const ConstMatrix& x, Levels levels, Labels, MutMatrix out) {
                              const NoiseLevel& l = levels[0];
                              const auto [slope_alpha, slope_sigma] = schedule->slopes(l.time);
                              for (Index c = 0; c < x.cols(); ++c) {
                                const Eigen::ArrayXd off = (x.col(c) - pull - l.alpha * (data_mean - pull)).array();
                                const Eigen::ArrayXd v = l.alpha * l.alpha * data_variance.array() + l.sigma * l.sigma;
                                const VectorXd data = data_mean + (l.alpha * data_variance.array() * off / v).matrix(), noise = (l.sigma * off / v).matrix();
                                if (answer == Answer::data) out.col(c) = data;
                                if (answer == Answer::noise) out.col(c) = noise;
                                if (answer == Answer::score) out.col(c) = -noise / l.sigma;
                                if (answer == Answer::velocity) out.col(c) = slope_alpha * (data - pull) + slope_sigma * noise;
                              }
                            }});
}

MatrixXd solved(const DiffusionModel& model, const SolverPlan& plan, const MatrixXd& start) {
  backend::Queue queue(backend::Device::open("cpu"), 1);
  BatchSolver solver(model, queue, start.cols(), BUFFON_F64);
  const backend::Matrix x(queue.device(), start.rows(), start.cols(), BUFFON_F64);
  queue.upload(x, start);
  solver.run(plan, x, Stream(1), 0);
  return queue.download(x);
}

SolverPlan planned(const std::string& solver, const NoiseSchedule& schedule, int steps, double last) {
  SolverSetting setting;
  setting.solver = solver;
  return plan_solver(setting, schedule, time_grid(schedule, GridSpacing::log_snr, steps, schedule.first_time(), last));
}

}  // namespace

TEST_CASE("the mean-reverting schedule is its equation's and agrees with its inverse") {
  const double stationary = 30.0 / 255;
  const auto schedule = mean_reverting_schedule(stationary, 0.01);
  CHECK(schedule->at_time(1).alpha == doctest::Approx(0.01).scale(0).epsilon(1e-12));
  for (const double t : {0.02, 0.3, 0.7, 1.0}) {
    CAPTURE(t);
    const NoiseLevel level = schedule->at_time(t);
    CHECK(level.sigma == doctest::Approx(stationary * std::sqrt(1 - level.alpha * level.alpha)).scale(0).epsilon(1e-9));
    CHECK(level.lambda == doctest::Approx(std::log(level.alpha / level.sigma)).scale(0).epsilon(1e-9));
    CHECK(schedule->at_lambda(level.lambda).time == doctest::Approx(t).scale(0).epsilon(1e-8));
    CHECK(schedule->at_lambda(level.lambda).alpha == doctest::Approx(level.alpha).scale(0).epsilon(1e-10));
    const double h = 1e-6;
    CHECK(schedule->slopes(t).alpha == doctest::Approx((schedule->at_time(t + h).alpha - schedule->at_time(t - h).alpha) / (2 * h)).scale(0).epsilon(1e-6));
    CHECK(schedule->slopes(t).sigma == doctest::Approx((schedule->at_time(t + h).sigma - schedule->at_time(t - h).sigma) / (2 * h)).scale(0).epsilon(1e-6));
  }
  CHECK_THROWS_WITH_AS(mean_reverting_schedule(0), doctest::Contains("stationary"), Error);
  CHECK_THROWS_WITH_AS(mean_reverting_schedule(1, 1), doctest::Contains("last_alpha"), Error);
}

TEST_CASE("mean-reverting samples follow the flow for every kind of answer, and end off it without the shift") {
  const auto schedule = mean_reverting_schedule(0.3);
  const double last_time = 0.05;
  const NoiseLevel first = schedule->at_time(1), last = schedule->at_time(last_time);
  MatrixXd start(3, 10);
  Stream(2).child("start").normals(0, start);
  start *= first.sigma;
  // x − m moves along the flow of N(mean − m, variance).
  MatrixXd ends = start;
  for (Index i = 0; i < 3; ++i) {
    const auto deviation = [&](const NoiseLevel& l) { return std::sqrt(l.alpha * l.alpha * data_variance(i) + l.sigma * l.sigma); };
    const double middle = data_mean(i) - pull(i);
    ends.row(i) = (last.alpha * middle + deviation(last) / deviation(first) * (start.row(i).array() - first.alpha * middle)).matrix();
  }
  const SolverPlan plan = planned("unipc", *schedule, 200, last_time);
  for (const Answer answer : {Answer::data, Answer::noise, Answer::score, Answer::velocity}) {
    CAPTURE(static_cast<int>(answer));
    const auto model = reverting_model(answer, schedule);
    CHECK((solved({shifted_denoiser(model, pull), schedule}, plan, start) - ends).cwiseAbs().maxCoeff() < 1e-5);
    CHECK((solved({shifted_denoiser(model, 0.9 * pull), schedule}, plan, start) - ends).cwiseAbs().maxCoeff() > 1e-2);
  }
  const auto v = callable_denoiser({.dimension = 3, .answers = Answer::v, .function = [](const ConstMatrix&, Levels, Labels, MutMatrix) {}});
  CHECK_THROWS_WITH_AS(shifted_denoiser(v, pull), doctest::Contains("must answer data"), Error);
  CHECK_THROWS_WITH_AS(shifted_denoiser(reverting_model(Answer::data, schedule), VectorXd::Zero(2)), doctest::Contains("mean"), Error);
}

TEST_CASE("starts of Poisson flows have their Beta law, in every batch the same") {
  constexpr Index n = 5, further = 3, count = 40000;
  const double radius = 2.5;
  MatrixXd x(n, count);
  pfgm_start(Stream(4), 0, radius, further, x);
  const auto share = [&](const MatrixXd& states) {
    return Eigen::ArrayXd(states.colwise().squaredNorm().transpose().array() / (states.colwise().squaredNorm().transpose().array() + radius * radius));
  };
  // q ~ Beta(n/2, D/2): mean n / (n + D), variance n D / ((n + D)² ((n + D) / 2 + 1)); level 1e-6: 4.9 deviations.
  const double mean = static_cast<double>(n) / (n + further),
               variance = static_cast<double>(n * further) / ((n + further) * (n + further) * (0.5 * (n + further) + 1));
  const auto far = [&](const Eigen::ArrayXd& q) { return std::abs(q.mean() - mean) / std::sqrt(variance / count); };
  CHECK(far(share(x)) < 4.9);
  // Fourth moments of Beta are below 1, so the spread of the empirical variance is below √(1/count).
  CHECK(std::abs((share(x) - mean).square().mean() - variance) < 4.9 * std::sqrt(variance / count));
  // Directions are uniform: coordinates over the length have mean 0 and mean square 1 / n.
  for (Index i = 0; i < n; ++i) {
    const Eigen::ArrayXd u = x.row(i).transpose().array() / x.colwise().norm().transpose().array();
    CHECK(std::abs(u.mean()) < 4.9 / std::sqrt(static_cast<double>(n) * count));
    CHECK(std::abs(u.square().mean() - 1.0 / n) < 4.9 / std::sqrt(static_cast<double>(count)));
  }
  // Normal starts of the same rho are another law.
  MatrixXd normal(n, count);
  Stream(4).child("normal").normals(0, normal);
  CHECK(far(share(radius / std::sqrt(static_cast<double>(further)) * normal)) > 4.9);
  MatrixXd part(n, 3);
  pfgm_start(Stream(4), 70, radius, further, part);
  CHECK(part == x.middleCols(70, 3));
  CHECK_THROWS_WITH_AS(pfgm_start(Stream(4), 0, radius, 0, part), doctest::Contains("further"), Error);
}

TEST_CASE("Poisson flows end on the points, and with many further coordinates they are the Gaussian flow") {
  MatrixXd points(2, 3);
  points << 1, -1, 0.2, 0.5, 0.8, -1.2;
  const auto schedule = ve_schedule(40, 1e-3);
  MatrixXd start(2, 30);
  pfgm_start(Stream(6), 0, 40 * std::sqrt(8.0), 8, start);
  const SolverPlan plan = planned("rho_heun", *schedule, 200, 1e-3);
  const MatrixXd ends = solved({pfgm_points_denoiser(points, 8), schedule}, plan, start);
  for (Index c = 0; c < ends.cols(); ++c) CHECK((points.colwise() - ends.col(c)).colwise().norm().minCoeff() < 0.01);
  // On the way, at rho = 0.5:
  const SolverPlan half = planned("rho_heun", *schedule, 100, 0.5);
  const MatrixXd gaussian = solved({points_denoiser(points), schedule}, half, start);
  // Log weights differ by d⁴ / (r² rho²), of the order 1e6 / D where it matters.
  CHECK((solved({pfgm_points_denoiser(points, 1000000000), schedule}, half, start) - gaussian).cwiseAbs().maxCoeff() < 1e-3);
  CHECK((solved({pfgm_points_denoiser(points, 8), schedule}, half, start) - gaussian).cwiseAbs().maxCoeff() > 1e-2);
  // By hand: two points at distances 1 and 2 from x, r = 1 (rho = 1/√D), n + D = 4: weights (1 + 1)^{−2} and (4 + 1)^{−2}.
  MatrixXd two(1, 2), x(1, 1);
  two << 1, -2;
  x << 0;
  backend::Queue queue(backend::Device::open("cpu"), 1);
  const backend::Matrix state(queue.device(), 1, 1, BUFFON_F64), answer(queue.device(), 1, 1, BUFFON_F64);
  queue.upload(state, x);
  const NoiseLevel level = ve_schedule()->at_time(1 / std::sqrt(3.0));
  (*pfgm_points_denoiser(two, 3)->on(queue, 1, BUFFON_F64))({state, {&level, 1}}, answer);
  CHECK(queue.download(answer)(0, 0) == doctest::Approx((0.25 - 2 * 0.04) / 0.29).scale(0).epsilon(1e-12));
}
