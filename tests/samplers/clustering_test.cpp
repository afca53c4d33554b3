// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <cmath>
#include <vector>

#include <doctest/doctest.h>
#include <buffon/core/error.hpp>
#include <buffon/parallel/context.hpp>
#include <buffon/random/kernel_variant.hpp>
#include <buffon/samplers/clustering.hpp>
#include <buffon/samplers/nearest_centres.hpp>

#include "distance_cases.hpp"

using namespace buffon;
using namespace buffon::test;

namespace {

/// Labels and distances by the definition, centres in the precision of the data.
template <class T>
void check_brute_force(Index rows, Index columns, Index k, Context& context) {
  CAPTURE(columns);
  const std::vector<T> x = random_numbers<T>(rows, columns);
  const auto data = dense_rows(x, rows, columns, random_weights(rows));
  std::vector<Index> chosen;
  for (Index c = 0; c < k; ++c) chosen.push_back((c * 37) % rows);
  Eigen::MatrixXd centres = data->points(chosen);
  centres.col(k - 1) = centres.col(0);  // a tie for the rows of centre 0
  for (Index c = 1; c < k; c += 2) centres.col(c) *= 1.1;
  const Assignment got = assign(*data, centres, context);
  bool same = true;
  for (Index i = 0; i < rows; ++i) {
    T best = INFINITY;
    std::int32_t label = -1;
    for (Index c = 0; c < k; ++c) {
      const Eigen::Matrix<T, Eigen::Dynamic, 1> centre = centres.col(c).template cast<T>();
      const T d = defined_distance(&x[static_cast<std::size_t>(i * columns)], centre.data(), columns);
      if (!(d < best)) continue;
      best = d;
      label = static_cast<std::int32_t>(c);
    }
    same = same && got.labels[static_cast<std::size_t>(i)] == label && got.squared[static_cast<std::size_t>(i)] == static_cast<float>(best);
  }
  CHECK(same);
  CHECK(got.evaluations == rows * k);
}

/// Two clouds of three points each around (0, 0) and (10, 0).
std::shared_ptr<const DataSet> two_clouds() { return dense_rows<float>({0, 1, 0, -1, 3, 0, 10, 1, 10, -1, 13, 0}, 6, 2); }

}  // namespace

TEST_CASE("every row is assigned to the first of the nearest centres, as by brute force") {
  Context context(2);
  for (const Index columns : {1, 3, 7, 8, 13, 40, 300}) {
    check_brute_force<float>(700, columns, 19, context);
    check_brute_force<double>(700, columns, 19, context);
  }
  check_brute_force<float>(1500, 20, 400, context);
  check_brute_force<float>(700, 300, 400, context);
}

TEST_CASE("centres that are rows give the distances, labels and total of NearestCentres") {
  Context context(1);
  for (const Index columns : {3, 26}) {
    const auto data = dense_rows(random_numbers<float>(9001, columns), 9001, columns, random_weights(9001));
    const std::vector<Index> rows = {5, 900, 14, 8000, 13, 77, 6};
    NearestCentres nearest(std::make_shared<RowDistances>(data), true);
    nearest.add(context, rows);
    const Assignment got = assign(*data, data->points(rows), context);
    CHECK(got.cost == nearest.total());
    bool same = true;
    for (Index i = 0; i < data->rows(); ++i) {
      const auto at = static_cast<std::size_t>(i);
      same = same && got.labels[at] == nearest.label(i) && static_cast<double>(got.squared[at]) == nearest.squared(i);
    }
    CHECK(same);
  }
}

TEST_CASE("threads and instruction sets change no bit of an assignment or of Lloyd's iteration") {
  const std::string before(kernel_variant());
  const Index rows = 6000, columns = 10;
  for (const auto& data : {dense_rows(random_numbers<float>(rows, columns), rows, columns, random_weights(rows)),
                           sparse_rows(random_numbers<double>(rows, columns, 0.5), rows, columns)}) {
    std::vector<LloydResult> seen;
    for (const std::string_view variant : available_kernel_variants()) {
      force_kernel_variant(variant);
      for (const int threads : {1, 2, 3}) {
        Context context(threads);
        seen.push_back(lloyd(*data, data->points({1, 20, 300, 4000, 5000}), {.max_rounds = 4, .tolerance = 0}, context));
      }
    }
    for (const LloydResult& r : seen) {
      CHECK(r.centres == seen[0].centres);
      CHECK(r.costs == seen[0].costs);
      CHECK(r.assignment.labels == seen[0].assignment.labels);
      CHECK(r.assignment.squared == seen[0].assignment.squared);
    }
  }
  force_kernel_variant(before);
}

TEST_CASE("sparse rows far from the origin keep their distances, and norms that bound them") {
  const Index rows = 200, columns = 5;
  std::vector<double> x = random_numbers<double>(rows, columns);
  for (double& v : x) v += 1e8;  // squares of 1e16, whose rounding is as large as the distances
  const auto dense = dense_rows(x, rows, columns), sparse = sparse_rows(x, rows, columns);
  Context context(1);
  std::vector<Index> chosen;
  for (Index c = 0; c < 20; ++c) chosen.push_back(10 * c);
  const Assignment a = assign(*dense, dense->points(chosen), context), b = assign(*sparse, sparse->points(chosen), context);
  CHECK(a.labels == b.labels);
  CHECK(a.cost == doctest::Approx(b.cost).scale(0).epsilon(1e-10));
  for (const Index c : chosen) CHECK(b.squared[static_cast<std::size_t>(c)] == 0);
  const RowDistances distances(sparse);
  const RowDistances exact(dense);
  for (std::size_t i = 0; i < static_cast<std::size_t>(rows); ++i) CHECK(distances.squared_from_mean(context)[i] >= exact.squared_from_mean(context)[i]);
}

TEST_CASE("sparse rows are assigned as dense ones are") {
  Context context(1);
  const Index rows = 500, columns = 30;
  const std::vector<double> x = random_numbers<double>(rows, columns, 0.6);
  const auto dense = dense_rows(x, rows, columns), sparse = sparse_rows(x, rows, columns);
  Eigen::MatrixXd centres = dense->points({3, 50, 444, 18});
  centres.array() += 0.01;
  const Assignment a = assign(*dense, centres, context), b = assign(*sparse, centres, context);
  CHECK(a.labels == b.labels);  // no row of these is as near to two centres
  CHECK(a.cost == doctest::Approx(b.cost).scale(0).epsilon(1e-12));
}

TEST_CASE("Lloyd's iteration on two clouds ends at their means") {
  Context context(1);
  const auto data = two_clouds();
  const LloydResult got = lloyd(*data, (Eigen::MatrixXd(2, 2) << -1, 6, 0, 0).finished(), {.max_rounds = 20, .tolerance = 0}, context);
  CHECK(got.converged);
  CHECK(got.stop_reason == "no label changes");
  CHECK((got.centres - (Eigen::MatrixXd(2, 2) << 1, 11, 0, 0).finished()).norm() < 1e-12);
  CHECK(got.assignment.labels == std::vector<std::int32_t>{0, 0, 0, 1, 1, 1});
  CHECK(got.assignment.cost == doctest::Approx(16));  // twice (1 + 1) + (1 + 1) + 4
  CHECK(std::is_sorted(got.costs.rbegin(), got.costs.rend()));
  CHECK(got.costs.back() == got.assignment.cost);
  const LloydResult none = lloyd(*data, got.centres, {.max_rounds = 0}, context);
  CHECK(none.costs.size() == 1);
  CHECK(!none.converged);
}

TEST_CASE("weights move the means and rows of weight 0 count for nothing") {
  Context context(1);
  const auto data = dense_rows<double>({0, 1, 100, 7}, 4, 1, {3, 1, 0, 0});
  const LloydResult got = lloyd(*data, Eigen::MatrixXd::Constant(1, 1, 5), {}, context);
  CHECK(got.centres(0, 0) == doctest::Approx(0.25));
  CHECK(got.assignment.cost == doctest::Approx(3.0 / 16 + 9.0 / 16));
}

TEST_CASE("a centre without rows goes to the row farthest from its own") {
  Context context(1);
  const auto data = two_clouds();
  // Both centres left of all rows: the second has none of them.
  const LloydResult got = lloyd(*data, (Eigen::MatrixXd(2, 2) << -1, -50, 0, 0).finished(), {.max_rounds = 20, .tolerance = 0}, context);
  CHECK(got.assignment.cost == doctest::Approx(16));
  CHECK(std::is_sorted(got.costs.rbegin(), got.costs.rend()));
}

TEST_CASE("costs never rise, and the tolerance ends the iteration early") {
  Context context(2);
  for (const Index columns : {3, 17}) {
    const auto data = dense_rows(random_numbers<float>(3000, columns), 3000, columns, random_weights(3000));
    const Eigen::MatrixXd start = data->points({0, 1, 2, 3, 4, 5, 6, 7, 8, 9});
    const LloydResult full = lloyd(*data, start, {.tolerance = 0}, context), early = lloyd(*data, start, {.tolerance = 0.1}, context);
    CHECK(full.converged);
    CHECK(early.converged);
    CHECK(std::is_sorted(full.costs.rbegin(), full.costs.rend()));
    CHECK(early.costs.size() < full.costs.size());
    CHECK(full.assignment.cost < 0.95 * full.costs.front());
  }
}

TEST_CASE("centres that do not fit the data are refused") {
  Context context(1);
  CHECK_THROWS_AS(assign(*two_clouds(), Eigen::MatrixXd::Zero(3, 1), context), Error);
  CHECK_THROWS_AS(assign(*two_clouds(), Eigen::MatrixXd::Zero(2, 0), context), Error);
  CHECK_THROWS_AS(assign(*two_clouds(), Eigen::MatrixXd::Constant(2, 1, NAN), context), Error);
  CHECK_THROWS_AS(lloyd(*two_clouds(), Eigen::MatrixXd::Zero(2, 1), {.max_rounds = -1}, context), Error);
  CHECK_THROWS_AS(lloyd(*two_clouds(), Eigen::MatrixXd::Zero(2, 1), {.tolerance = -1}, context), Error);
}
