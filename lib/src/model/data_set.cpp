// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/model/data_set.hpp>

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include <buffon/core/error.hpp>

namespace buffon {
namespace {

[[noreturn]] void refuse(const DataSet::About& about, std::string key, std::string value, std::string rule, std::string remedy) {
  throw Error(ErrorCategory::data, {.doing = "taking " + about.source + " as a data set",
                                    .key = std::move(key),
                                    .value = std::move(value),
                                    .rule = std::move(rule),
                                    .remedy = std::move(remedy)});
}

std::string place_of(const DataSet::About& about, Index row, Index column) {
  const auto r = static_cast<std::size_t>(row), c = static_cast<std::size_t>(column);
  const std::string number = std::to_string(about.columns_used.empty() ? column : about.columns_used[c]);
  const std::string name = about.column_names.empty() ? number : about.column_names[c];
  return "row " + std::to_string(about.row_numbers.empty() ? row : about.row_numbers[r]) + ", column " + name + " (both from 0)";
}

[[noreturn]] void refuse_number(const DataSet::About& about, Index row, Index column, double value) {
  refuse(about, place_of(about, row, column), to_text(value), "must be a finite number", "remove or repair such rows");
}

template <class T>
void check(const DenseRows<T>& x, const DataSet::About& about) {
  for (Index i = 0; i < x.rows; ++i) {
    const T* row = x.row(i);
    T zero = 0;  // 0 × x is not 0 for what is not finite
    for (Index j = 0; j < x.columns; ++j) zero += 0 * row[j];
    if (zero == 0) continue;
    for (Index j = 0; j < x.columns; ++j) {
      if (!std::isfinite(row[j])) refuse_number(about, i, j, static_cast<double>(row[j]));
    }
  }
}

template <class T>
void check(const SparseRows<T>& x, const DataSet::About& about) {
  for (Index i = 0; i < x.rows; ++i) {
    for (std::int64_t e = x.first[i]; e < x.first[i + 1]; ++e) {
      if (!std::isfinite(x.value[e])) refuse_number(about, i, x.column[e], static_cast<double>(x.value[e]));
    }
  }
}

void check_weights(const DataSet::About& about, Index n) {
  const std::vector<double>& w = about.weights;
  if (w.empty()) return;
  if (static_cast<Index>(w.size()) != n) {
    refuse(about, "weights", std::to_string(w.size()) + " numbers", "must be one for each of the " + std::to_string(n) + " rows",
           "give as many weights as rows");
  }
  double total = 0;
  for (std::size_t i = 0; i < w.size(); ++i) {
    if (!(w[i] >= 0) || !std::isfinite(w[i])) {
      refuse(about, "weight of row " + std::to_string(about.row_numbers.empty() ? static_cast<std::int64_t>(i) : about.row_numbers[i]), to_text(w[i]),
             "must be finite and at least 0", "repair the weights");
    }
    total += w[i];
  }
  if (!(total > 0) || !std::isfinite(total))
    refuse(about, "sum of the weights", to_text(total), "must be positive and finite", total > 0 ? "give smaller weights" : "give weights that are not all 0");
}

}  // namespace

DataSet::DataSet(Numbers numbers, About about) : numbers_(std::move(numbers)), about_(std::move(about)) {
  if (rows() < 1 || columns() < 1) {
    refuse(about_, "", std::to_string(rows()) + " rows of " + std::to_string(columns()) + " columns", "must have at least one row and one column",
           "give a file that is not empty");
  }
  std::visit([&](const auto& x) { check(x, about_); }, numbers_);
  check_weights(about_, rows());
}

std::shared_ptr<const DataSet> DataSet::from_points(const ConstMatrix& points, std::vector<double> weights) {
  auto copy = std::make_shared<const Eigen::MatrixXd>(points);
  const DenseRows<double> view{copy->data(), copy->cols(), copy->rows(), copy->rows()};
  return std::make_shared<DataSet>(view, About{.source = "the points", .weights = std::move(weights), .storage = copy});
}

Index DataSet::rows() const {
  return std::visit([](const auto& x) { return x.rows; }, numbers_);
}

Index DataSet::columns() const {
  return std::visit([](const auto& x) { return x.columns; }, numbers_);
}

namespace {

template <class T>
void copy_row(const DenseRows<T>& x, Index row, double* out) {
  for (Index j = 0; j < x.columns; ++j) out[j] = static_cast<double>(x.row(row)[j]);
}

template <class T>
void copy_row(const SparseRows<T>& x, Index row, double* out) {
  std::fill(out, out + x.columns, 0.0);
  for (std::int64_t e = x.first[row]; e < x.first[row + 1]; ++e) out[x.column[e]] = static_cast<double>(x.value[e]);
}

}  // namespace

Eigen::VectorXd DataSet::point(Index row) const {
  Eigen::VectorXd out(columns());
  std::visit([&](const auto& x) { copy_row(x, row, out.data()); }, numbers_);
  return out;
}

Eigen::MatrixXd DataSet::points(const std::vector<Index>& chosen) const {
  Eigen::MatrixXd out(columns(), static_cast<Index>(chosen.size()));
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    std::visit([&](const auto& x) { copy_row(x, chosen[i], out.data() + static_cast<Index>(i) * columns()); }, numbers_);
  }
  return out;
}

}  // namespace buffon
