// SPDX-License-Identifier: BSD-3-Clause
#include "projection.hpp"

#include <Eigen/Eigenvalues>

#include <algorithm>
#include <cmath>
#include <string>
#include <type_traits>
#include <variant>
#include <vector>

#include "../add_row.hpp"

namespace buffon {
namespace {

using Pair = Eigen::Matrix<double, Eigen::Dynamic, 2>;

/// Columns up to which the covariance is formed; beyond, it is only multiplied with.
constexpr Index most_formed = 128;
/// Enough for a picture: directions whose variances lie close together stay mixed, and look alike.
constexpr int most_iterations = 40;
constexpr double settled = 1e-4;

template <class T>
Eigen::Map<const Eigen::Matrix<T, Eigen::Dynamic, 1>> dense_row(const DenseRows<T>& x, Index i) {
  return {x.row(i), x.columns};
}

template <class T>
double dot_row(const DenseRows<T>& x, Index i, const Eigen::Ref<const Eigen::VectorXd>& v) {
  return dense_row(x, i).template cast<double>().dot(v);
}
template <class T>
double dot_row(const SparseRows<T>& x, Index i, const Eigen::Ref<const Eigen::VectorXd>& v) {
  double sum = 0;
  for (std::int64_t e = x.first[i]; e < x.first[i + 1]; ++e) sum += static_cast<double>(x.value[e]) * v[x.column[e]];
  return sum;
}

std::vector<Index> drawn_rows(Index n, const Stream& stream) {
  const Index count = std::min(n, most_pictured_rows);
  std::vector<Index> rows(static_cast<std::size_t>(count));
  Eigen::MatrixXd u(1, count);
  stream.uniforms(0, u);
  for (Index i = 0; i < count; ++i) {
    const Index begin = i * n / count, end = (i + 1) * n / count;
    rows[static_cast<std::size_t>(i)] = begin + static_cast<Index>(u(0, i) * static_cast<double>(end - begin));
  }
  return rows;
}

/// The rows' mean, and coordinates along given directions: (x − mean)ᵀ V.
template <class Rows>
struct Sample {
  const Rows& x;
  std::vector<Index> rows;
  Eigen::VectorXd mean;

  Sample(const Rows& all, std::vector<Index> drawn) : x(all), rows(std::move(drawn)), mean(Eigen::VectorXd::Zero(all.columns)) {
    for (const Index i : rows) add_row(x, i, 1 / static_cast<double>(rows.size()), mean);
  }

  Pair coordinates(const Pair& v) const {
    Pair y(static_cast<Index>(rows.size()), 2);
    for (std::size_t k = 0; k < rows.size(); ++k) {
      for (Index c = 0; c < 2; ++c) y(static_cast<Index>(k), c) = dot_row(x, rows[k], v.col(c)) - mean.dot(v.col(c));
    }
    return y;
  }

  /// Covariance (times the number of rows) by V.
  Pair times_covariance(const Pair& v) const {
    const Pair y = coordinates(v);
    Pair out = Pair::Zero(x.columns, 2);
    for (std::size_t k = 0; k < rows.size(); ++k) {
      for (Index c = 0; c < 2; ++c) add_row(x, rows[k], y(static_cast<Index>(k), c), out.col(c));
    }
    for (Index c = 0; c < 2; ++c) out.col(c) -= y.col(c).sum() * mean;
    return out;
  }

  Pair directions(const Stream& stream) const {
    const Index d = x.columns;
    Pair v(d, 2);
    if (d <= most_formed) {
      Eigen::MatrixXd covariance = Eigen::MatrixXd::Zero(d, d);
      for (const Index i : rows) {
        Eigen::VectorXd centred = -mean;
        add_row(x, i, 1, centred);
        covariance.selfadjointView<Eigen::Lower>().rankUpdate(centred);
      }
      const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(covariance);
      v << solver.eigenvectors().col(d - 1), solver.eigenvectors().col(d - 2);
    } else {
      Eigen::MatrixXd start(d, 2);
      stream.normals(0, start);
      v = start;
      orthonormalise(v);
      double before = 0;
      for (int i = 0; i < most_iterations; ++i) {
        v = times_covariance(v);
        const double now = orthonormalise(v);
        if (std::abs(now - before) <= settled * now) break;
        before = now;
      }
    }
    for (Index c = 0; c < 2; ++c) {  // a direction and its negative are the same: the largest entry is positive
      Index largest = 0;
      v.col(c).cwiseAbs().maxCoeff(&largest);
      if (v(largest, c) < 0) v.col(c) = -v.col(c);
    }
    return v;
  }

  /// Gram–Schmidt. @returns the sum of the lengths; columns without one stay 0
  static double orthonormalise(Pair& v) {
    const double first = v.col(0).norm();
    if (first > 0) v.col(0) /= first;
    v.col(1) -= v.col(0).dot(v.col(1)) * v.col(0);
    const double second = v.col(1).norm();
    if (second > 0) v.col(1) /= second;
    return first + second;
  }
};

}  // namespace

std::optional<Table> projection_table(const DataSet& data, const ConstMatrix& centres, const Stream& stream) {
  if (data.columns() < 2 || centres.cols() == 0) return std::nullopt;
  return std::visit(
      [&](const auto& x) {
        const Sample sample(x, drawn_rows(data.rows(), stream.peek("rows")));
        const Pair v = sample.directions(stream.peek("directions"));
        const Pair rows = sample.coordinates(v);
        const Index shown = std::min(most_pictured_centres, centres.cols());
        Table table{"projection", "Rows and centres along two principal components", {"first", "second", "is_centre"}};
        table.rows.resize(rows.rows() + shown, 3);
        table.rows.topRows(rows.rows()) << rows, Eigen::VectorXd::Zero(rows.rows());
        table.rows.bottomRows(shown) << (centres.leftCols(shown).colwise() - sample.mean).transpose() * v, Eigen::VectorXd::Ones(shown);
        return std::optional<Table>(std::move(table));
      },
      data.numbers());
}

}  // namespace buffon
