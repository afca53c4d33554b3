// SPDX-License-Identifier: BSD-3-Clause
#include <doctest/doctest.h>

#include <cmath>
#include <memory>
#include <vector>

#include <buffon/model/data_set.hpp>
#include <buffon/random/stream.hpp>

#include "../../samplers/src/seeding/projection.hpp"

using namespace buffon;

namespace {

/// Normal points around `mean` whose variances fall as 16, 4, then 1/100 along the axes in the order of `axes`.
Eigen::MatrixXd stretched(Index d, Index n, const std::vector<Index>& axes) {
  Eigen::MatrixXd points(d, n);
  Stream(4).peek("points").normals(0, points);
  points *= 0.1;
  points.row(axes[0]) *= 40;
  points.row(axes[1]) *= 20;
  return points.array() + 50;
}

/// The same rows in sparse form.
std::shared_ptr<const DataSet> sparse_copy(const Eigen::MatrixXd& points) {
  struct Arrays {
    std::vector<std::int64_t> first{0};
    std::vector<std::int32_t> column;
    std::vector<double> value;
  };
  auto arrays = std::make_shared<Arrays>();
  for (Index i = 0; i < points.cols(); ++i) {
    for (Index j = 0; j < points.rows(); ++j) {
      arrays->column.push_back(static_cast<std::int32_t>(j));
      arrays->value.push_back(points(j, i));
    }
    arrays->first.push_back(static_cast<std::int64_t>(arrays->value.size()));
  }
  const SparseRows<double> rows{arrays->first.data(), arrays->column.data(), arrays->value.data(), points.cols(), points.rows()};
  return std::make_shared<const DataSet>(rows, DataSet::About{.storage = arrays});
}

}  // namespace

TEST_CASE("the picture shows all rows of small data along their two widest directions, centres on the same scale") {
  const Eigen::MatrixXd points = stretched(5, 400, {3, 1});
  const auto data = DataSet::from_points(points);
  const Eigen::MatrixXd centres = points.leftCols(3);
  const auto table = projection_table(*data, centres, Stream(1));
  REQUIRE(table);
  REQUIRE(table->rows.rows() == 403);
  const Eigen::VectorXd mean = points.rowwise().mean();
  // The directions are nearly the axes: correlation of the coordinates with the columns.
  for (const auto& [column, axis] : {std::pair<Index, Index>{0, 3}, {1, 1}}) {
    const Eigen::VectorXd shown = table->rows.col(column).head(400), own = (points.row(axis).array() - mean[axis]).matrix().transpose();
    CHECK(std::abs(shown.dot(own)) > 0.99 * shown.norm() * own.norm());
    CHECK(std::abs(shown.sum()) < 1e-9 * shown.cwiseAbs().sum());
  }
  for (Index k = 0; k < 3; ++k) {
    CHECK(table->rows(400 + k, 2) == 1);
    CHECK(table->rows(k, 2) == 0);
    CHECK((table->rows.row(400 + k).head(2) - table->rows.row(k).head(2)).norm() < 1e-10);
  }
}

TEST_CASE("sparse rows give the picture of the same dense rows") {
  const Eigen::MatrixXd points = stretched(6, 300, {2, 5});
  const auto dense = projection_table(*DataSet::from_points(points), points.leftCols(2), Stream(1));
  const auto sparse = projection_table(*sparse_copy(points), points.leftCols(2), Stream(1));
  REQUIRE((dense && sparse));
  CHECK((dense->rows - sparse->rows).cwiseAbs().maxCoeff() < 1e-9);
}

TEST_CASE("many columns, whose covariance is not formed, give the same directions") {
  const Eigen::MatrixXd points = stretched(200, 600, {150, 7});
  const auto table = projection_table(*DataSet::from_points(points), points.leftCols(1), Stream(1));
  REQUIRE(table);
  for (const auto& [column, axis] : {std::pair<Index, Index>{0, 150}, {1, 7}}) {
    const Eigen::VectorXd shown = table->rows.col(column).head(600), own = (points.row(axis).array() - points.row(axis).mean()).matrix().transpose();
    CHECK(std::abs(shown.dot(own)) > 0.98 * shown.norm() * own.norm());
  }
}

TEST_CASE("of large data one row of each equal part is shown, and one column has no picture") {
  const Index n = 3 * most_pictured_rows;
  Eigen::MatrixXd points(2, n);
  for (Index i = 0; i < n; ++i) points.col(i) << static_cast<double>(i), 0.0;
  const auto data = DataSet::from_points(points);
  const auto table = projection_table(*data, points.leftCols(1), Stream(1));
  REQUIRE(table);
  REQUIRE(table->rows.rows() == most_pictured_rows + 1);
  for (Index i = 0; i < most_pictured_rows; ++i) {  // the first centre is row 0 and tells the offset of the scale
    const double row = std::abs(table->rows(i, 0) - table->rows(most_pictured_rows, 0));
    CHECK(row > static_cast<double>(3 * i) - 0.5);
    CHECK(row < static_cast<double>(3 * i + 2) + 0.5);
  }
  const Eigen::MatrixXd line = Eigen::MatrixXd::Random(1, 20);
  CHECK_FALSE(projection_table(*DataSet::from_points(line), line, Stream(1)));
}
