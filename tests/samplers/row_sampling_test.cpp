// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/samplers/row_sampling.hpp>

#include "outcome_law.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <doctest/doctest.h>

#include <buffon/core/error.hpp>
#include <buffon/parallel/context.hpp>
#include <buffon/samplers/weighted_subsets.hpp>
#include <buffon/stats/accumulators.hpp>
#include <buffon/stats/outcome.hpp>
#include <memory_archive.hpp>

using namespace buffon;
using testing::level;

namespace {

constexpr Index n = 400;

/// Columns: a size, a group out of five of unequal numbers, two quantities that go with them.
std::shared_ptr<const DataSet> table(bool weighted) {
  Eigen::MatrixXd x(4, n);
  std::vector<double> u(2 * n), w;
  Stream(5).fill_uniforms(0, u);
  for (Index i = 0; i < n; ++i) {
    const double a = u[static_cast<std::size_t>(2 * i)], b = u[static_cast<std::size_t>(2 * i + 1)];
    x(0, i) = std::exp(2 * a);
    x(1, i) = std::floor(5 * a * a);
    x(2, i) = 100 + 3 * x(0, i) + b;
    x(3, i) = x(1, i) + (b < 0.3 ? 1 : 0);
    w.push_back(0.5 + b);
  }
  return DataSet::from_points(x, weighted ? w : std::vector<double>{});
}

struct Case {
  RowScheme scheme;
  bool weighted, sized;
};
const std::vector<Case> cases = {{RowScheme::uniform, false, false},         {RowScheme::uniform, true, false},      {RowScheme::with_replacement, true, false},
                                 {RowScheme::with_replacement, false, true}, {RowScheme::gumbel_top_k, false, true}, {RowScheme::gumbel_top_k, true, false},
                                 {RowScheme::systematic, true, true},        {RowScheme::stratified, false, false},  {RowScheme::stratified, true, false}};

RowSamplingOptions options_of(const Case& c, std::int64_t k) {
  RowSamplingOptions o;
  o.k = k;
  o.scheme = c.scheme;
  if (c.sized) o.sizes = "0";
  if (c.scheme == RowScheme::stratified) o.groups = "1";
  return o;
}

}  // namespace

TEST_CASE("weights of drawn rows make totals unbiased under every scheme, and intervals of means cover") {
  const Stream root(1);
  Context context(1);
  const int runs = 2500;
  std::uint64_t number = 0;
  for (const Case& c : cases) {
    CAPTURE(static_cast<int>(c.scheme));
    CAPTURE(c.weighted);
    const auto data = table(c.weighted);
    double total_w = 0, truth[2] = {0, 0};
    for (Index i = 0; i < n; ++i) {
      total_w += data->weight(i);
      for (int j = 0; j < 2; ++j) truth[j] += data->weight(i) * data->point(i)(2 + j);
    }
    std::vector<double> totals[2], unweighted;
    Moments scaled[2];
    int covered[2] = {0, 0}, short_by_a_quarter[2] = {0, 0};
    for (int run = 0; run < runs; ++run) {
      const auto r = row_sampling(data, options_of(c, 80), root.child("run", number++), context);
      double plain = 0;
      for (int j = 0; j < 2; ++j) {
        double total = 0;
        for (std::size_t i = 0; i < r.rows.size(); ++i) total += r.weights[i] * data->point(r.rows[i])(2 + j);
        totals[j].push_back(total);
        const Estimate& mean = r.means[static_cast<std::size_t>(2 + j)];
        covered[j] += mean.lower < truth[j] / total_w && truth[j] / total_w < mean.upper;
        short_by_a_quarter[j] += std::abs(mean.value - truth[j] / total_w) < 0.75 * (mean.upper - mean.value);
        scaled[j].add((mean.value - truth[j] / total_w) / mean.std_error);
      }
      for (std::size_t i = 0; i < r.rows.size(); ++i) plain += static_cast<double>(r.counts[i]) * n / 80 * data->point(r.rows[i])(3);
      unweighted.push_back(plain);
    }
    for (int j = 0; j < 2; ++j) {
      // Under the systematic scheme the sum of quantities in exact proportion to the sizes hardly varies; the others are ordinary.
      CHECK(testing::mean_p(totals[j], truth[j]) > level);
      // 4.9 standard errors of a share of 95 % in 2,500 runs are 0.021; 0.025 for intervals from 80 rows that are normal, not Student's. The
      // standard deviation of the errors in units of the standard error: 4.9 / √(2 · 2500) = 0.07, and as much for its spread and skewness.
      CHECK(static_cast<double>(covered[j]) / runs > 0.95 - 0.021 - 0.025);
      CHECK(static_cast<double>(short_by_a_quarter[j]) / runs < 0.95 - 0.021 - 0.025);
      CHECK(scaled[j].std_dev() < 1.14);
      CHECK(scaled[j].std_dev() > 0.86);
    }
    if (c.sized || c.weighted) CHECK(testing::mean_p(unweighted, truth[1]) < level);
  }
}

TEST_CASE("the errors of plain samples are those of the textbook") {
  const auto data = table(false);
  Context context(1);
  const auto r = row_sampling(data, {.k = 50}, Stream(3), context);
  std::vector<double> x;
  for (const Index row : r.rows) x.push_back(data->point(row)(2));
  Moments moments;
  for (const double v : x) moments.add(v);
  CHECK(r.means[2].value == doctest::Approx(moments.mean()).scale(0).epsilon(1e-12));
  CHECK(r.means[2].std_error == doctest::Approx(std::sqrt((1 - 50.0 / n) * moments.variance() / 50)).scale(0).epsilon(1e-12));
  CHECK(r.total_weight.value == doctest::Approx(n).scale(0).epsilon(1e-12));
  CHECK(r.total_weight.std_error < 1e-9);
  const auto all = row_sampling(data, {.k = n}, Stream(3), context);
  CHECK(all.means[2].std_error == 0);
  const auto again = row_sampling(data, {.k = 60, .scheme = RowScheme::with_replacement}, Stream(4), context);
  Moments drawn;
  for (std::size_t i = 0; i < again.rows.size(); ++i) {
    for (std::int64_t c = 0; c < again.counts[i]; ++c) drawn.add(data->point(again.rows[i])(2));
  }
  CHECK(drawn.count() == 60);
  CHECK(again.means[2].value == doctest::Approx(drawn.mean()).scale(0).epsilon(1e-12));
  CHECK(again.means[2].std_error == doctest::Approx(drawn.std_error()).scale(0).epsilon(1e-12));
}

TEST_CASE("rows of the systematic scheme come with the chances of their sizes") {
  const std::vector<double> sizes = {1, 2, 3, 4, 6};  // k = 2: chances 1/8, 1/4, 3/8, 1/2, 3/4
  const auto data = DataSet::from_points(Eigen::Map<const Eigen::MatrixXd>(sizes.data(), 1, 5));
  Context context(1);
  const Stream root(2);
  std::vector<double> hits(5), expected(5), wrong(5);
  const auto successive = successive_inclusion(sizes, 2);
  const int runs = 20000;
  for (std::uint64_t run = 0; run < runs; ++run) {
    const auto r = row_sampling(data, {.k = 2, .scheme = RowScheme::systematic, .sizes = "0"}, root.child("run", run), context);
    CHECK(r.rows.size() == 2);
    for (std::size_t i = 0; i < 2; ++i) {
      ++hits[static_cast<std::size_t>(r.rows[i])];
      CHECK(r.weights[i] == doctest::Approx(8 / sizes[static_cast<std::size_t>(r.rows[i])]).scale(0).epsilon(1e-12));
    }
  }
  for (std::size_t i = 0; i < 5; ++i) {
    const double p = sizes[i] / 8, q = successive[i];
    CHECK(testing::z_test_p(hits[i], runs * p, std::sqrt(runs * p * (1 - p))) > level);
    wrong[i] = testing::z_test_p(hits[i], runs * q, std::sqrt(runs * q * (1 - q)));
  }
  CHECK(*std::min_element(wrong.begin(), wrong.end()) < level);
}

TEST_CASE("samples have the same bits on any number of threads and after loading") {
  const Stream root(7);
  Context one(1), three(3);
  for (const Case& c : cases) {
    const auto data = table(c.weighted);
    RowSampling a(data, options_of(c, 60), root.peek("run")), b(data, options_of(c, 60), root.peek("run")), loaded(data, options_of(c, 60), root.peek("run"));
    CHECK(a.outcome().estimates.size() == 5);
    run_to_end(a, one);
    run_to_end(b, three);
    CHECK(testing::state_of(a) == testing::state_of(b));
    testing::restore(loaded, testing::state_of(a));
    CHECK(loaded.finished());
    CHECK(loaded.outcome().selection->weights == a.outcome().selection->weights);
    CHECK(loaded.outcome().find("mean_2")->estimate.std_error == a.outcome().find("mean_2")->estimate.std_error);
  }
}

TEST_CASE("means are in units of the source") {
  std::vector<double> numbers = {-1, 0, 1, 2};
  DataSet::About about;
  about.centre = Eigen::VectorXd::Constant(1, 10.0);
  about.scale = Eigen::VectorXd::Constant(1, 3.0);
  about.row_numbers = {5, 6, 7, 8};
  const auto data = std::make_shared<const DataSet>(DenseRows<double>{numbers.data(), 4, 1, 1}, about);
  Context context(1);
  RowSampling method(data, {.k = 4}, Stream(1));
  run_to_end(method, context);
  CHECK(method.outcome().find("mean_0")->estimate.value == doctest::Approx(11.5));
  auto rows = method.outcome().selection->rows;
  std::sort(rows.begin(), rows.end());
  CHECK(rows == std::vector<std::int64_t>{5, 6, 7, 8});
}

TEST_CASE("samples that cannot be are refused before any work") {
  const auto data = table(false);
  const auto make = [&](const RowSamplingOptions& o) { RowSampling method(data, o, Stream(1)); };
  CHECK_THROWS_WITH_AS(make({.k = n + 1}), doctest::Contains("options.k"), Error);
  CHECK_NOTHROW(make({.k = n + 1, .scheme = RowScheme::with_replacement}));
  CHECK_THROWS_WITH_AS(make({.k = 4, .sizes = "0"}), doctest::Contains("options.sizes"), Error);
  CHECK_THROWS_WITH_AS(make({.k = 4, .scheme = RowScheme::systematic, .sizes = "9"}), doctest::Contains("is none of the columns"), Error);
  CHECK_THROWS_WITH_AS(make({.k = 4, .scheme = RowScheme::systematic, .sizes = "1"}), doctest::Contains("never drawn"), Error);
  CHECK_THROWS_WITH_AS(make({.k = 40, .scheme = RowScheme::stratified}), doctest::Contains("options.groups"), Error);
  CHECK_THROWS_WITH_AS(make({.k = 9, .scheme = RowScheme::stratified, .groups = "1"}), doctest::Contains("at least 10"), Error);
  CHECK_THROWS_AS(make({.k = 40, .groups = "1"}), Error);
}
