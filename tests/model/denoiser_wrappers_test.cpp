// SPDX-License-Identifier: BSD-3-Clause
// Guidance, the scaling of EDM's networks, thresholds, functions and conversions of answers.
#include <buffon/core/error.hpp>
#include <buffon/model/answer_conversion.hpp>
#include <buffon/model/callable_denoiser.hpp>
#include <buffon/model/denoiser_wrappers.hpp>
#include <buffon/model/exact_denoisers.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <thread>
#include <vector>

using namespace buffon;

namespace {

using Levels = std::span<const NoiseLevel>;
using Labels = std::span<const std::int32_t>;

Eigen::MatrixXd normals(Index rows, Index columns, std::uint64_t seed) {
  Eigen::MatrixXd z(rows, columns);
  Stream(seed).normals(0, z);
  return z;
}

Eigen::MatrixXd asked(const Denoiser& denoiser, const Eigen::MatrixXd& x, Levels levels, Labels labels = {}, buffon_type type = BUFFON_F64) {
  backend::Queue queue(backend::Device::open("cpu"), 1);
  const auto work = denoiser.on(queue, x.cols() + 1, type);
  const backend::Matrix states(queue.device(), x.rows(), x.cols(), type), answers(queue.device(), x.rows(), x.cols(), type);
  queue.upload(states, x);
  (*work)({states, levels, labels}, answers);
  return queue.download(answers);
}

double worst(const Eigen::MatrixXd& a, const Eigen::MatrixXd& b) {
  return a.allFinite() ? (a - b).cwiseAbs().maxCoeff() : std::numeric_limits<double>::infinity();
}

}  // namespace

TEST_CASE("guidance is u + w (c - u) inside its interval, and the conditional model outside") {
  const auto model = named_denoiser("g3");
  const auto schedule = vp_linear_schedule();
  const Eigen::MatrixXd x = normals(2, 6, 1);
  const std::vector<std::int32_t> labels = {0, 1, 2, -1, 1, 0}, none(6, -1);
  const auto strong = guided(model, 2.5, 0.3, 0.7);
  for (const double time : {0.2, 0.3, 0.5, 0.7, 0.8}) {
    const NoiseLevel l = schedule->at_time(time);
    const Eigen::MatrixXd c = asked(*model, x, {&l, 1}, labels), u = asked(*model, x, {&l, 1}, none), ours = asked(*strong, x, {&l, 1}, labels);
    if (time < 0.3 || time > 0.7) {
      CHECK(ours == c);
    } else {
      CHECK(worst(ours, u + 2.5 * (c - u)) < 1e-14);
      CHECK(worst(ours, u + 2.4 * (c - u)) > 1e-3);
    }
    CHECK(asked(*strong, x, {&l, 1}) == asked(*model, x, {&l, 1}));
  }
  std::vector<NoiseLevel> each;
  for (const double time : {0.2, 0.3, 0.5, 0.7, 0.8, 0.5}) each.push_back(schedule->at_time(time));
  const Eigen::MatrixXd ours = asked(*strong, x, each, labels);
  for (Index i = 0; i < 6; ++i) {
    const auto k = static_cast<std::size_t>(i);
    CHECK(ours.col(i) == asked(*strong, x.col(i), {&each[k], 1}, {&labels[k], 1}));
  }
  CHECK_THROWS_WITH_AS(guided(points_denoiser(x), 2), doctest::Contains("is for models that take labels"), Error);
  CHECK_THROWS_WITH_AS(guided(model, 2, 1, 0), doctest::Contains("guidance_from = 1"), Error);
}

TEST_CASE("a guided batch is one call of twice the columns") {
  std::vector<Index> columns;
  const auto model = callable_denoiser({.dimension = 2,
                                        .function =
                                            [&](const ConstMatrix& x, Levels, Labels labels, MutMatrix out) {
                                              columns.push_back(x.cols());
                                              for (Index c = 0; c < x.cols(); ++c) out.col(c).setConstant(labels[static_cast<std::size_t>(c)]);
                                            },
                                        .classes = 4});
  const NoiseLevel l{0.5, 0.8, 0.6, 0.3};
  const std::vector<std::int32_t> labels = {3, 0, -1};
  // u = −1: −1 + 2 (c + 1)
  CHECK(asked(*guided(model, 2), normals(2, 3, 1), {&l, 1}, labels).row(1) == Eigen::RowVector3d(7, 1, -1));
  CHECK(columns == std::vector<Index>{6});
}

TEST_CASE("a network scaled as EDM gives back the denoiser that it was made of") {
  const auto exact = named_denoiser("g3");
  for (const double d : {0.5, 1.3}) {
    // F(c_in y, c_noise) = (D − c_skip y) / c_out, with rho from c_noise alone.
    const auto network = callable_denoiser({.dimension = 2, .function = [&](const ConstMatrix& x, Levels levels, Labels, MutMatrix out) {
                                              for (Index c = 0; c < x.cols(); ++c) {
                                                const double rho = std::exp(4 * levels[levels.size() == 1 ? 0 : static_cast<std::size_t>(c)].time),
                                                             root = std::hypot(rho, d);
                                                const Eigen::MatrixXd y = root * x.col(c);
                                                const NoiseLevel l{rho, 1, rho, -std::log(rho)};
                                                out.col(c) = (asked(*exact, y, {&l, 1}) - d * d / (root * root) * y) / (rho * d / root);
                                              }
                                            }});
    const auto model = edm_denoiser(network, d), wrong = edm_denoiser(network, 1.1 * d);
    CHECK(model->answers() == Answer::data);
    std::vector<NoiseLevel> each;
    for (const double time : {0.02, 0.3, 0.7, 0.95}) each.push_back(vp_linear_schedule()->at_time(time));
    const Eigen::MatrixXd x = normals(2, 4, 2), wanted = asked(*exact, x, each);
    CHECK(worst(asked(*model, x, each), wanted) < 1e-10);
    CHECK(worst(asked(*wrong, x, each), wanted) > 1e-3);
    CHECK(worst(asked(*model, x.col(1), {&each[1], 1}), wanted.col(1)) < 1e-12);
  }
  CHECK_THROWS_WITH_AS(edm_denoiser(exact, 0), doctest::Contains("deviation = 0"), Error);
}

TEST_CASE("thresholds take the exact quantile of every sample") {
  const auto schedule = vp_linear_schedule();
  const NoiseLevel l = schedule->at_time(0.5);
  const auto model = callable_denoiser({.dimension = 11, .answers = Answer::noise, .function = [&](const ConstMatrix& x, Levels, Labels, MutMatrix out) {
                                          for (Index c = 0; c < x.cols(); ++c) {
                                            // D = −5 … 5 in some order times c / 2, as noise
                                            const Eigen::VectorXd data =
                                                0.5 * static_cast<double>(c) * (Eigen::VectorXd(11) << 3, -5, 0, 1, -1, 5, -2, 2, -4, 4, -3).finished();
                                            out.col(c) = (x.col(c) - l.alpha * data) / l.sigma;
                                          }
                                          if (x.cols() > 4) out(2, 4) = INFINITY;
                                        }});
  // |D| sorted: 0 1 1 2 2 3 3 4 4 5 5, times c / 2; the 0.85-quantile lies halfway from the 8th to the 9th: 4.5 at 8.5
  const Eigen::MatrixXd ours = asked(*thresholded(model, schedule, 0.85), normals(11, 5, 1), {&l, 1});
  CHECK(worst(ours.col(0), Eigen::VectorXd::Zero(11)) < 1e-12);
  CHECK(ours(0, 1) == doctest::Approx(1.5 / 2.25));
  CHECK(ours(1, 1) == -1);
  CHECK(ours(9, 2) == doctest::Approx(4.0 / 4.5));
  CHECK(ours(5, 3) == 1);
  CHECK(ours(3, 3) == doctest::Approx(1 / 4.5));
  CHECK(std::isnan(ours(2, 4)));  // not hidden by the clamp
  // Data within [−1, 1] stay as they are.
  const auto inside = callable_denoiser({.dimension = 3, .function = [](const ConstMatrix& x, Levels, Labels, MutMatrix out) { out = 0.1 * x; }});
  const Eigen::MatrixXd x = normals(3, 4, 3);
  CHECK(asked(*thresholded(inside, schedule), x, {&l, 1}) == 0.1 * x);
  CHECK_THROWS_WITH_AS(thresholded(inside, schedule, 0), doctest::Contains("quantile = 0"), Error);
}

TEST_CASE("conversions between all answers agree with each other") {
  const auto schedule = vp_linear_schedule();
  const std::vector<Answer> answers = {Answer::data, Answer::noise, Answer::v, Answer::velocity, Answer::score, Answer::edm};
  const double x = 0.7, data = -0.4;
  for (const double time : {0.01, 0.3, 0.9}) {
    const NoiseLevel l = schedule->at_time(time);
    const NoiseSchedule::Slopes slope = schedule->slopes(time);
    const double noise = (x - l.alpha * data) / l.sigma, rho = l.rho(), root = std::hypot(rho, 0.5);
    // v = alpha ε − sigma D; u = alpha′ D + sigma′ ε; score −ε / sigma; F = (D − c_skip y) / c_out
    const std::vector<double> values = {data,
                                        noise,
                                        l.alpha * noise - l.sigma * data,
                                        slope.alpha * data + slope.sigma * noise,
                                        -noise / l.sigma,
                                        (data - 0.25 / (root * root) * x / l.alpha) / (0.5 * rho / root)};
    for (std::size_t i = 0; i < answers.size(); ++i) {
      for (std::size_t j = 0; j < answers.size(); ++j) {
        CAPTURE(i);
        CAPTURE(j);
        const Conversion c = conversion(answers[i], answers[j], l, *schedule);
        CHECK(c.x_factor * x + c.answer_factor * values[i] == doctest::Approx(values[j]).scale(0).epsilon(1e-10));
      }
    }
  }
  const auto flow = flow_schedule();
  CHECK_THROWS_WITH_AS(conversion(Answer::data, Answer::score, flow->at_time(0), *flow),
                       doctest::Contains("computing the score from a model that answers data"), Error);
}

TEST_CASE("functions stand for models on every backend, in float32 too") {
  const auto model =
      callable_denoiser({.dimension = 3, .function = [](const ConstMatrix& x, Levels, Labels, MutMatrix out) { out = 2 * x; }, .name = "double"});
  CHECK(model->name() == "double");
  const NoiseLevel l{0.5, 0.8, 0.6, 0.3};
  const Eigen::MatrixXd x = normals(3, 4, 1), ours = asked(*model, x, {&l, 1}, {}, BUFFON_F32);
  CHECK(ours == 2 * x.cast<float>().cast<double>());
  CHECK_THROWS_WITH_AS(callable_denoiser({.dimension = 0, .function = [](const ConstMatrix&, Levels, Labels, MutMatrix) {}}),
                       doctest::Contains("dimension = 0"), Error);
  CHECK_THROWS_WITH_AS(callable_denoiser({.dimension = 2}), doctest::Contains("function = nothing must be given"), Error);
}

TEST_CASE("the function of a callable denoiser is called once at a time by all threads") {
  std::atomic<int> inside = 0, overlaps = 0, calls = 0;
  const auto model = callable_denoiser({.dimension = 2, .function = [&](const ConstMatrix& x, Levels, Labels, MutMatrix out) {
                                          if (inside.fetch_add(1) != 0) ++overlaps;
                                          for (int i = 0; i < 100; ++i) std::this_thread::yield();  // room for others to come in
                                          out = 2 * x;
                                          ++calls;
                                          --inside;
                                        }});
  const NoiseLevel l{0.5, 0.8, 0.6, 0.3};
  const Eigen::MatrixXd x = normals(2, 3, 1);
  std::atomic<int> right = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 50; ++i) right += asked(*model, x, {&l, 1}) == 2 * x ? 1 : 0;
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(overlaps == 0);
  CHECK(calls == 200);
  CHECK(right == 200);
}

TEST_CASE("questions that do not fit the memory of a model at work are refused") {
  const auto simple = callable_denoiser({.dimension = 2, .function = [](const ConstMatrix& x, Levels, Labels, MutMatrix out) { out = x; }, .classes = 3});
  const std::vector<std::shared_ptr<const Denoiser>> models = {simple, guided(simple, 2), edm_denoiser(simple), thresholded(simple, vp_linear_schedule())};
  const NoiseLevel l{0.5, 0.8, 0.6, 0.3};
  const std::vector<NoiseLevel> two(2, l);
  const std::vector<std::int32_t> labels(4, 1);
  for (const auto& model : models) {
    CAPTURE(model->name());
    backend::Queue queue(backend::Device::open("cpu"), 1);
    const auto work = model->on(queue, 3, BUFFON_F64);
    const backend::Matrix x(queue.device(), 2, 4, BUFFON_F64), answer(queue.device(), 2, 4, BUFFON_F64);
    queue.fill(x, BUFFON_NORMAL, 0, Stream(1), 0);
    CHECK_THROWS_WITH_AS((*work)({x, {&l, 1}, labels}, answer), doctest::Contains("columns = 4 must be at most 3"), Error);
    const backend::View three = x.columns(0, 3), there = answer.columns(0, 3);
    CHECK_THROWS_WITH_AS((*work)({three, two, {}}, there), doctest::Contains("levels = 2 must be 1 or 3"), Error);
    CHECK_THROWS_WITH_AS((*work)({three, {&l, 1}, labels}, there), doctest::Contains("labels = 4 must be 0 or 3"), Error);
    CHECK_NOTHROW((*work)({three, {&l, 1}, Labels(labels).first(3)}, there));
  }
}
