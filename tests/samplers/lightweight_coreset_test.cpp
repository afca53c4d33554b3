// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/samplers/lightweight_coreset.hpp>

#include "outcome_law.hpp"

#include <cmath>
#include <limits>
#include <numeric>

#include <doctest/doctest.h>

#include <buffon/core/error.hpp>
#include <buffon/parallel/context.hpp>
#include <buffon/stats/outcome.hpp>
#include <memory_archive.hpp>

using namespace buffon;
using testing::law_p;
using testing::level;
using testing::OutcomeLaw;

namespace {

Eigen::MatrixXd cloud(Index n, std::uint64_t seed) {
  Eigen::MatrixXd x(2, n);
  Stream(seed).normals(0, x);
  x.row(0) *= 3;
  x.col(0) *= 20;  // one row far away
  return x;
}

double cost(const Eigen::MatrixXd& x, const Eigen::MatrixXd& centres, Index row) { return (centres.colwise() - x.col(row)).colwise().squaredNorm().minCoeff(); }

}  // namespace

TEST_CASE("rows of a lightweight coreset are drawn by half their weight and half their distance to the mean") {
  const std::vector<double> places = {0, 2, 3, 11}, row_weights = {1, 2, 0, 1};  // mean of the weighted rows 15/4, of all 4
  Context context(1);
  const Stream root(1);
  for (const bool weighted : {false, true}) {
    const auto data = DataSet::from_points(Eigen::Map<const Eigen::MatrixXd>(places.data(), 1, 4), weighted ? row_weights : std::vector<double>{});
    const double mean = weighted ? 15.0 / 4 : 4;
    std::vector<double> w = weighted ? row_weights : std::vector<double>(4, 1), q(4);
    double spread = 0;
    for (std::size_t i = 0; i < 4; ++i) spread += w[i] * (places[i] - mean) * (places[i] - mean);
    OutcomeLaw law, by_distance, not_weighted;
    for (std::size_t i = 0; i < 4; ++i) {
      const double share = w[i] * (places[i] - mean) * (places[i] - mean) / spread;
      q[i] = 0.5 * w[i] / 4 + 0.5 * share;
      if (w[i] > 0) law[{static_cast<std::int64_t>(i)}] = q[i];
      if (w[i] > 0) by_distance[{static_cast<std::int64_t>(i)}] = share;
    }
    const auto draw = [&](const char* name) {
      return [&, name](std::uint64_t run) {
        const auto coreset = lightweight_coreset(data, {.size = 1}, root.child(name, 2 * run + weighted), context);
        const auto row = static_cast<std::size_t>(coreset.rows[0]);
        CHECK(coreset.weights[0] == doctest::Approx(w[row] / q[row]).scale(0).epsilon(1e-12));
        CHECK(coreset.spread == doctest::Approx(spread).scale(0).epsilon(1e-12));
        return std::vector<std::int64_t>{coreset.rows[0]};
      };
    };
    CHECK(law_p(law, 20000, draw("one")) > level);
    CHECK(law_p(by_distance, 20000, draw("other")) < level);
  }
}

TEST_CASE("costs of a coreset are unbiased, within the stated bound") {
  const Eigen::MatrixXd x = cloud(500, 4);
  const auto data = DataSet::from_points(x);
  Eigen::MatrixXd centres(2, 3);
  centres << -3, 0, 4, 1, 0, -2;
  const Eigen::MatrixXd far = centres.array() + 100;
  const Eigen::VectorXd mean = x.rowwise().mean();
  Context context(1);
  const Stream root(2);
  for (const Eigen::MatrixXd& q : {centres, far}) {
    double truth = 0, spread = 0;
    for (Index i = 0; i < 500; ++i) {
      truth += cost(x, q, i);
      spread += (x.col(i) - mean).squaredNorm();
    }
    for (Index i = 0; i < 500; ++i) {  // the terms of the estimate, exactly
      const double share = 0.5 / 500 + 0.5 * (x.col(i) - mean).squaredNorm() / spread;
      CHECK(cost(x, q, i) / share <= 8 * (truth + spread));
    }
    std::vector<double> costs, unweighted;
    const auto epsilon = lightweight_coreset_epsilon(200, 0.05);
    int outside = 0;
    for (std::uint64_t run = 0; run < 2000; ++run) {
      const auto coreset = lightweight_coreset(data, {.size = 200}, root.child(q(0, 0) > 50 ? "far" : "near", run), context);
      CHECK(coreset.epsilon == epsilon);
      CHECK(std::accumulate(coreset.counts.begin(), coreset.counts.end(), std::int64_t{0}) == 200);
      double estimate = 0, plain = 0;
      for (std::size_t j = 0; j < coreset.rows.size(); ++j) {
        estimate += coreset.weights[j] * cost(x, q, coreset.rows[j]);
        plain += static_cast<double>(coreset.counts[j]) * 2.5 * cost(x, q, coreset.rows[j]);
      }
      costs.push_back(estimate);
      unweighted.push_back(plain);
      outside += std::abs(estimate - truth) > 0.5 * epsilon * (truth + spread);
    }
    CHECK(testing::mean_p(costs, truth) > level);
    if (q(0, 0) < 50) CHECK(testing::mean_p(unweighted, truth) < level);
    CHECK(outside <= 2000 * 0.05);
  }
}

TEST_CASE("sizes and epsilons of a coreset are inverse to each other") {
  CHECK(lightweight_coreset_size(0.2, 0.05) == std::ceil(64 * (1 + 0.2 / 6) * std::log(40) * 25));
  for (const double epsilon : {0.05, 0.3, 2.0}) {
    const double size = lightweight_coreset_size(epsilon, 0.1);
    CHECK(lightweight_coreset_epsilon(size, 0.1) <= epsilon * (1 + 1e-12));
    CHECK(lightweight_coreset_epsilon(size - 1, 0.1) > epsilon);
  }
}

TEST_CASE("a coreset has the same bits on any number of threads and after loading, and says what it estimates") {
  const auto data = DataSet::from_points(cloud(30000, 6));
  const Stream root(3);
  Context one(1), three(3);
  LightweightCoreset a(data, {}, root.peek("coreset")), b(data, {}, root.peek("coreset")), c(data, {}, root.peek("coreset"));
  CHECK(a.outcome().estimates.size() == 2);
  CHECK(std::isnan(a.outcome().estimates[0].estimate.value));
  run_to_end(a, one);
  run_to_end(b, three);
  CHECK(testing::state_of(a) == testing::state_of(b));
  testing::restore(c, testing::state_of(a));
  CHECK(c.finished());
  const Outcome outcome = c.outcome();
  CHECK(outcome.selection->rows.size() == a.result().rows.size());
  CHECK(outcome.selection->weights == a.result().weights);
  const Estimate& spread = outcome.find("spread")->estimate;
  CHECK(testing::z_test_p(spread.value, a.result().spread, spread.std_error) > level);
  const Estimate& mass = outcome.find("total_weight")->estimate;
  CHECK(testing::z_test_p(mass.value, 30000, mass.std_error) > level);
}

TEST_CASE("rows that are one point, and options that cannot be") {
  const auto data = DataSet::from_points(Eigen::MatrixXd::Constant(3, 40, 2.5));
  Context context(1);
  const auto coreset = lightweight_coreset(data, {.size = 10}, Stream(1), context);
  CHECK(coreset.spread == 0);
  CHECK(std::accumulate(coreset.weights.begin(), coreset.weights.end(), 0.0) == doctest::Approx(40).scale(0).epsilon(1e-12));
  CHECK_THROWS_WITH_AS(LightweightCoreset(data, {.size = -1}, Stream(1)), doctest::Contains("options.size"), Error);
  CHECK_THROWS_WITH_AS(LightweightCoreset(data, {.delta = 0}, Stream(1)), doctest::Contains("options.delta"), Error);
  const Eigen::MatrixXd x = cloud(40, 3);
  CHECK_THROWS_WITH_AS(lightweight_coreset(DataSet::from_points(1e154 * x), {.size = 10}, Stream(1), context), doctest::Contains("overflow double precision"),
                       Error);
  CHECK_THROWS_WITH_AS(lightweight_coreset(DataSet::from_points(1e-150 * x), {.size = 10}, Stream(1), context),
                       doctest::Contains("underflow in double precision"), Error);
}
