// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/core/error.hpp>

#include <algorithm>
#include <cmath>
#include <type_traits>

#include "table.hpp"

namespace buffon::io_detail {
namespace {

constexpr std::int64_t block_rows = 4096;

/// Σ w term(x) of every column; rows are added up in blocks, which keeps the rounding errors of long sums small.
template <class T, class Term>
Eigen::ArrayXd weighted_sums(const DenseRows<T>& x, const std::vector<double>& weights, const Term& term) {
  Eigen::ArrayXd total = Eigen::ArrayXd::Zero(x.columns), part(x.columns);
  for (Index begin = 0; begin < x.rows; begin += block_rows) {
    part.setZero();
    for (Index i = begin; i < std::min<Index>(begin + block_rows, x.rows); ++i) {
      const T* row = x.row(i);
      const double w = weights.empty() ? 1 : weights[static_cast<std::size_t>(i)];
      for (Index j = 0; j < x.columns; ++j) part[j] += w * term(static_cast<double>(row[j]), j);
    }
    total += part;
  }
  return total;
}

/// Columns that are not the same number in all rows of positive weight.
template <class T>
std::vector<Index> varying_columns(const DenseRows<T>& x, const std::vector<double>& weights) {
  std::vector<char> varies(static_cast<std::size_t>(x.columns), 0);
  const T* reference = nullptr;
  for (Index i = 0; i < x.rows; ++i) {
    if (!weights.empty() && !(weights[static_cast<std::size_t>(i)] > 0)) continue;
    const T* row = x.row(i);
    if (reference == nullptr) reference = row;
    for (Index j = 0; j < x.columns; ++j) varies[static_cast<std::size_t>(j)] |= static_cast<char>(row[j] != reference[j]);
  }
  std::vector<Index> found;
  for (Index j = 0; j < x.columns; ++j) {
    if (varies[static_cast<std::size_t>(j)] != 0) found.push_back(j);
  }
  return found;
}

[[noreturn]] void refuse(const std::string& source, const char* value, std::string rule, std::string remedy) {
  throw Error(
      ErrorCategory::data,
      {.doing = "scaling " + source, .key = "data.scale", .value = "\"" + std::string(value) + "\"", .rule = std::move(rule), .remedy = std::move(remedy)});
}

template <class T>
std::shared_ptr<const DataSet> scale_rows(const DenseRows<T>& x, const Table& table, DataScale scale) {
  const bool standardise = scale == DataScale::standardise;
  const char* word = standardise ? "standardise" : "centre";
  DataSet::About about = table.about;
  const std::vector<double>& w = about.weights;
  double total = static_cast<double>(x.rows);
  if (!w.empty()) total = weighted_sums(DenseRows<double>{w.data(), x.rows, 1, 1}, {}, [](double v, Index) { return v; })[0];

  std::vector<Index> kept;
  if (standardise) {
    kept = varying_columns(x, w);
    if (kept.empty()) refuse(about.source, word, "leaves no column, since every column is constant", "give data that vary, or scale = \"none\"");
  } else {
    for (Index j = 0; j < x.columns; ++j) kept.push_back(j);
  }
  const Eigen::ArrayXd mean = weighted_sums(x, w, [](double v, Index) { return v; }) / total;
  Eigen::ArrayXd deviation = Eigen::ArrayXd::Ones(x.columns);
  if (standardise) deviation = (weighted_sums(x, w, [&](double v, Index j) { return (v - mean[j]) * (v - mean[j]); }) / total).sqrt();
  for (const Index j : kept) {
    if (std::isfinite(mean[j]) && std::isfinite(deviation[j]) && deviation[j] > 0) continue;
    const auto column = static_cast<std::size_t>(j);
    refuse(about.source, word,
           "mean or standard deviation of column " +
               (about.column_names.empty() ? std::to_string(about.columns_used.empty() ? j : about.columns_used[column]) : about.column_names[column]) +
               " is beyond double precision",
           "rescale the column, its numbers are too large or too small");
  }

  const auto d = static_cast<Index>(kept.size());
  T* out = static_cast<T*>(table.own);
  // In place the row that is written lies at or before the one that is read, and so does every column in it.
  for (Index i = 0; i < x.rows; ++i) {
    const T* row = x.row(i);
    T* to = out + i * d;
    for (Index k = 0; k < d; ++k) {
      const Index j = kept[static_cast<std::size_t>(k)];
      to[k] = static_cast<T>((static_cast<double>(row[j]) - mean[j]) / deviation[j]);
    }
  }

  about.centre.resize(d);
  about.scale.resize(d);
  std::vector<std::string> names;
  std::vector<std::int64_t> used;
  for (Index k = 0; k < d; ++k) {
    const Index j = kept[static_cast<std::size_t>(k)];
    const auto column = static_cast<std::size_t>(j);
    about.centre[k] = mean[j];
    about.scale[k] = deviation[j];
    if (!about.column_names.empty()) names.push_back(about.column_names[column]);
    used.push_back(about.columns_used.empty() ? j : about.columns_used[column]);
  }
  if (d < x.columns) {
    about.column_names = std::move(names);
    about.columns_used = std::move(used);
  }
  return std::make_shared<DataSet>(DenseRows<T>{out, x.rows, d, d}, std::move(about));
}

}  // namespace

std::shared_ptr<const DataSet> scaled(Table table, DataScale scale) {
  if (scale == DataScale::none) return std::make_shared<DataSet>(table.numbers, std::move(table.about));
  if (table.numbers.index() >= 2) {
    refuse(table.about.source, scale == DataScale::centre ? "centre" : "standardise", "would fill sparse rows, whose zeros it moves",
           "leave scale = \"none\", and divide the columns beforehand where they need it (scikit-learn: StandardScaler(with_mean=False))");
  }
  static_cast<void>(DataSet(table.numbers, table.about));  // only numbers that pass are added up
  return std::visit(
      [&](const auto& x) -> std::shared_ptr<const DataSet> {
        if constexpr (requires { x.numbers; }) {
          return scale_rows(x, table, scale);
        } else {
          return nullptr;
        }
      },
      table.numbers);
}

}  // namespace buffon::io_detail
