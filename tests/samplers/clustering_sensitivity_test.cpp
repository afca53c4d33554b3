// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/samplers/clustering_sensitivity.hpp>

#include "outcome_law.hpp"

#include <cmath>
#include <limits>
#include <numeric>

#include <doctest/doctest.h>

#include <buffon/core/error.hpp>
#include <buffon/parallel/context.hpp>
#include <buffon/samplers/nearest_centres.hpp>
#include <buffon/stats/accumulators.hpp>
#include <buffon/stats/outcome.hpp>
#include <memory_archive.hpp>

using namespace buffon;
using testing::law_p;
using testing::level;
using testing::OutcomeLaw;

namespace {

/// Four Gaussian blobs in the plane with standard deviation ½.
std::shared_ptr<const DataSet> blobs(Index n, std::uint64_t seed) {
  Eigen::MatrixXd x(2, n);
  Stream(seed).normals(0, x);
  x *= 0.5;
  for (Index i = 0; i < n; ++i) x.col(i) += Eigen::Vector2d(i % 2 == 0 ? 0 : 5, i % 4 < 2 ? 0 : 5);
  return DataSet::from_points(x);
}

const Eigen::Vector2d theta(1, -2);

RowLoss distance_loss(const std::shared_ptr<const DataSet>& data) {
  return [data](Index row) { return (data->point(row) - theta).norm(); };
}

double total_of(const DataSet& data, const RowLoss& loss) {
  double total = 0;
  for (Index i = 0; i < data.rows(); ++i) total += data.weight(i) * loss(i);
  return total;
}

}  // namespace

TEST_CASE("scores of five points on a line are those worked out by hand") {
  const std::vector<double> places = {0, 1, 2, 10, 11};
  Context context(1);
  NearestCentres nearest(std::make_shared<RowDistances>(DataSet::from_points(Eigen::Map<const Eigen::MatrixXd>(places.data(), 1, 5))), true);
  nearest.add(context, std::vector<Index>{1, 3});
  const SensitivityScores s = sensitivity_scores(nearest, std::vector<double>{2, 7}, 1, 1, context);
  CHECK(s.scores == std::vector<double>{3, 2, 3, 7, 8});
  CHECK(s.total == 23);
  CHECK(s.phi == 3);
  // one draw: mean and variance of l / π for l = |x − 3|
  double mean = 0, second = 0, total = 0;
  for (std::size_t i = 0; i < 5; ++i) {
    const double pi = s.scores[i] / s.total, l = std::abs(places[i] - 3);
    total += l;
    mean += pi * (l / pi);
    second += pi * (l / pi) * (l / pi);
    CHECK(l / pi <= s.total);
  }
  CHECK(mean == doctest::Approx(21).scale(0).epsilon(1e-14));
  CHECK(second - mean * mean == doctest::Approx(80.0 / 3).scale(0).epsilon(1e-13));
  CHECK(s.total <= total + 2 * s.phi);
  const SensitivityScores squared = sensitivity_scores(nearest, std::vector<double>{2, 7}, 0.5, 2, context);
  CHECK(squared.scores == std::vector<double>{2.5, 2, 2.5, 7, 7.5});
}

TEST_CASE("rows are drawn in proportion to weight times score") {
  const std::vector<double> places = {0, 1, 2, 10, 11.5, 12}, w = {1, 2, 1, 0.5, 0, 1};
  const auto data = DataSet::from_points(Eigen::Map<const Eigen::MatrixXd>(places.data(), 1, 6), w);
  const RowLoss loss = [&](Index row) { return 1 + std::abs(places[static_cast<std::size_t>(row)] - 3); };
  Context context(1);
  const Stream root(1);
  // given the two centres, which are drawn too
  OutcomeLaw law, unscored;
  const auto distances = std::make_shared<RowDistances>(data);
  double total_w = 0;
  for (const double x : w) total_w += x;
  for (Index a = 0; a < 6; ++a) {
    double total_d = 0;
    for (Index i = 0; i < 6; ++i) total_d += w[static_cast<std::size_t>(i)] * distances->between(a, i);
    for (Index b = 0; b < 6; ++b) {
      const double p = w[static_cast<std::size_t>(a)] / total_w * w[static_cast<std::size_t>(b)] * distances->between(a, b) / total_d;
      if (p == 0) continue;
      NearestCentres nearest(distances, true);
      nearest.add(context, std::vector<Index>{a, b});
      const SensitivityScores s = sensitivity_scores(nearest, std::vector<double>{loss(a), loss(b)}, 0.3, 1, context);
      for (Index i = 0; i < 6; ++i) {
        const auto row = static_cast<std::size_t>(i);
        if (w[row] == 0) continue;
        law[{a, b, i}] = p * s.scores[row] / s.total;
        unscored[{a, b, i}] = p * w[row] / total_w;
      }
    }
  }
  const auto draw = [&](const char* name) {
    return [&, name](std::uint64_t run) {
      const auto r = clustering_sensitivity(data, loss, {.k = 2, .size = 1, .power = 1, .lambda = 0.3}, root.child(name, run), context);
      return std::vector<std::int64_t>{r.centres[0], r.centres[1], r.rows[0]};
    };
  };
  CHECK(law_p(law, 30000, draw("one")) > level);
  CHECK(law_p(unscored, 30000, draw("other")) < level);
}

TEST_CASE("on four blobs totals are unbiased, errors right, bounds kept, and far fewer draws needed than uniformly") {
  const auto data = blobs(2000, 7);
  const RowLoss loss = distance_loss(data);
  const double truth = total_of(*data, loss);
  Context context(1);
  const Stream root(2);
  std::vector<double> totals, unweighted;
  Moments errors, scaled;
  int covered = 0, outside = 0;
  const int runs = 600;
  for (std::uint64_t run = 0; run < runs; ++run) {
    const auto r = clustering_sensitivity(data, loss, {.k = 4, .power = 1, .lambda = 1}, root.child("run", run), context);
    CHECK(std::accumulate(r.counts.begin(), r.counts.end(), std::int64_t{0}) == 763);
    double weighted = 0, plain = 0;
    for (std::size_t j = 0; j < r.rows.size(); ++j) {
      weighted += r.weights[j] * loss(r.rows[j]);
      plain += static_cast<double>(r.counts[j]) * 2000 / 763 * loss(r.rows[j]);
    }
    CHECK(weighted == doctest::Approx(r.total_loss).scale(0).epsilon(1e-12));
    CHECK(r.total_score <= truth + 2 * r.lambda * r.phi);
    totals.push_back(r.total_loss);
    unweighted.push_back(plain);
    errors.add((r.total_loss - truth) / truth);
    scaled.add((r.total_loss - truth) / r.std_error);
    covered += std::abs(r.total_loss - truth) < 1.959964 * r.std_error;
    outside += std::abs(r.total_loss - truth) > r.bound;
  }
  CHECK(testing::mean_p(totals, truth) > level);
  CHECK(testing::mean_p(unweighted, truth) < level);
  CHECK(outside == 0);
  // Level 1e-6 is 4.9 standard errors: 0.044 for a share of 95 % and 600 runs; 0.14 for the standard deviation of as many normal numbers.
  CHECK(covered > runs * (0.95 - 0.044));
  CHECK(scaled.std_dev() == doctest::Approx(1).scale(0).epsilon(0.14));
  // Uniform draws have a relative standard deviation of that of the losses / √763.
  Moments losses;
  for (Index i = 0; i < 2000; ++i) losses.add(loss(i));
  const double uniform = losses.std_dev() / losses.mean() / std::sqrt(763);
  CHECK(errors.std_dev() < uniform / 2);
}

TEST_CASE("constant losses have no variance") {
  const auto data = blobs(500, 3);
  Context context(1);
  const auto r = clustering_sensitivity(
      data, [](Index) { return 2.5; }, {.k = 5, .size = 50}, Stream(4), context);  // lambda is estimated: 0
  CHECK(r.lambda == 0);
  CHECK(r.total_loss == doctest::Approx(1250).scale(0).epsilon(1e-12));
  CHECK(r.std_error < 1e-9);
  for (std::size_t j = 0; j < r.rows.size(); ++j) CHECK(r.weights[j] == doctest::Approx(10 * static_cast<double>(r.counts[j])).scale(0).epsilon(1e-12));
}

TEST_CASE("means of members stand for clusters, refined centres are rows, lambda is a quantile of slopes") {
  const auto data = blobs(2000, 9);
  const RowLoss loss = distance_loss(data);
  const double truth = total_of(*data, loss);
  Context context(2);
  const auto r = clustering_sensitivity(data, loss, {.k = 4, .size = 400, .power = 1, .members = 20, .lloyd_rounds = 20}, Stream(5), context);
  CHECK(r.centres.size() == 4);
  for (std::size_t c = 0; c < 4; ++c) {
    const Eigen::VectorXd centre = data->point(r.centres[c]);
    // the row nearest to the mean of 500 normal points: the mean is within 0.15 of the blob's middle, a row within 0.1 of it
    const Eigen::Vector2d middle(std::round(centre(0) / 5) * 5, std::round(centre(1) / 5) * 5);
    CHECK((centre - middle).norm() < 0.25);
    CHECK(r.proxies[c] != loss(r.centres[c]));
    CHECK(std::abs(r.proxies[c] - loss(r.centres[c])) < 5 * 0.5 / std::sqrt(20.0) + 0.25);
  }
  CHECK(r.lambda > 0);
  CHECK(r.lambda < 5);
  CHECK(testing::z_test_p(r.total_loss, truth, r.std_error) > level);
  const auto exact_slope = clustering_sensitivity(data, loss, {.k = 4, .size = 10, .power = 1, .lambda_quantile = 1}, Stream(5), context);
  CHECK(exact_slope.lambda <= 1 + 1e-12);  // the loss is Lipschitz with constant 1
  CHECK(exact_slope.queries <= 4 + 300 + 10);
}

TEST_CASE("every zero is taken for what it is") {
  const auto data = blobs(300, 2);
  Context context(1);
  const auto nothing = clustering_sensitivity(
      data, [](Index) { return 0.0; }, {.k = 3, .size = 60}, Stream(1), context);
  CHECK(nothing.total_score == 0);
  CHECK(std::accumulate(nothing.weights.begin(), nothing.weights.end(), 0.0) == doctest::Approx(300).scale(0).epsilon(1e-12));
  const RowLoss some = [](Index row) { return row % 4 == 0 ? 0.0 : 1.0; };
  CHECK_THROWS_WITH_AS(clustering_sensitivity(data, some, {.k = 40, .size = 60, .lambda = 0}, Stream(1), context), doctest::Contains("options.lambda"), Error);
  const auto every = clustering_sensitivity(data, some, {.k = 300, .size = 60}, Stream(1), context);
  CHECK(every.rows.size() == 300);
  CHECK(every.total_loss == doctest::Approx(225).scale(0).epsilon(1e-14));
  CHECK(every.std_error == 0);
  CHECK(every.bound == 0);
  for (const double weight : every.weights) CHECK(weight == 1);
}

TEST_CASE("sizes are those of the guarantee") {
  CHECK(sensitivity_size(0.1, 0.05) == 763);
  CHECK(sensitivity_epsilon(763, 0.05) <= 0.1);
  CHECK(sensitivity_epsilon(762, 0.05) > 0.1);
}

TEST_CASE("losses may be a column of the data, in units of the source, and are no coordinate then") {
  const auto plain = blobs(400, 6);
  const RowLoss loss = distance_loss(plain);
  std::vector<float> numbers;
  DataSet::About about;
  about.column_names = {"x", "cost", "y"};
  about.centre = Eigen::Vector3d(0, 3, 0);
  about.scale = Eigen::Vector3d(1, 2, 1);
  for (Index i = 0; i < 400; ++i) {
    numbers.push_back(static_cast<float>(plain->point(i)(0)));
    numbers.push_back(static_cast<float>((loss(i) - 3) / 2));
    numbers.push_back(static_cast<float>(plain->point(i)(1)));
  }
  const auto data = std::make_shared<const DataSet>(DenseRows<float>{numbers.data(), 400, 3, 3}, about);
  Context one(1), three(3);
  const Stream root(8);
  const ClusteringSensitivityOptions options{.k = 4, .size = 200, .power = 1, .lambda = 1, .loss = "cost"};
  ClusteringSensitivity a(data, options, root.peek("run"));
  run_to_end(a, one);
  const Outcome outcome = a.outcome();
  CHECK(outcome.selection->columns == std::vector<std::string>{"x", "y"});
  CHECK(outcome.selection->centre.size() == 2);
  CHECK(outcome.selection->centres.cols() == 4);
  CHECK(testing::z_test_p(a.result().total_loss, total_of(*plain, loss), a.result().std_error) > level);
  CHECK(outcome.find("mean_loss")->estimate.value == doctest::Approx(a.result().total_loss / 400));

  // the same bits on three threads, saved and loaded after every round
  auto b = std::make_unique<ClusteringSensitivity>(data, options, root.peek("run"));
  while (!b->finished()) {
    b->step(three);
    auto loaded = std::make_unique<ClusteringSensitivity>(data, options, root.peek("run"));
    testing::restore(*loaded, testing::state_of(*b));
    b = std::move(loaded);
  }
  CHECK(testing::state_of(*b) == testing::state_of(a));
  CHECK(b->result().weights == a.result().weights);

  CHECK_THROWS_WITH_AS(ClusteringSensitivity(data, {.k = 4, .loss = "z"}, Stream(1)), doctest::Contains("x, cost, y"), Error);
  Eigen::MatrixXd with_loss(3, 400);
  for (Index i = 0; i < 400; ++i) with_loss.col(i) << plain->point(i), loss(i);
  ClusteringSensitivity last(DataSet::from_points(with_loss), {.k = 4, .size = 50}, root.peek("last"));  // no column named: the last
  run_to_end(last, one);
  CHECK(last.result().total_loss == clustering_sensitivity(plain, loss, {.k = 4, .size = 50}, root.peek("last"), one).total_loss);
  ClusteringSensitivity negative(data, {.k = 4, .loss = "x"}, root.peek("run"));
  CHECK_THROWS_WITH_AS(run_to_end(negative, one), doctest::Contains("must be finite and not negative"), Error);
}

TEST_CASE("a run that is stopped gives the estimate of the draws so far") {
  const auto data = blobs(3000, 6);
  const RowLoss loss = distance_loss(data);
  Context context(1);
  ClusteringSensitivity method(data, loss, {.k = 6, .size = 5000, .power = 1, .lambda = 1}, Stream(3));
  while (method.progress().phase != "evaluating losses") method.step(context);
  method.step(context);
  method.stop("enough");
  method.step(context);
  CHECK(method.finished());
  const auto r = method.result();
  CHECK(std::accumulate(r.counts.begin(), r.counts.end(), std::int64_t{0}) == 1024);
  CHECK(method.outcome().stop_reason == "enough");
  CHECK(testing::z_test_p(r.total_loss, total_of(*data, loss), r.std_error) > level);
}
