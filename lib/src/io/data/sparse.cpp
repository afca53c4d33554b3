// SPDX-License-Identifier: BSD-3-Clause
#include "sparse.hpp"

#include <buffon/core/error.hpp>

#include <algorithm>
#include <tuple>
#include <utility>

namespace buffon::io_detail {

SparseCollector::SparseCollector(const Request& request) : request_(request), first_(request.budget), column_(request.budget), value_(request.budget) {
  first_.push_back(0);
}

void SparseCollector::entry(std::int64_t column, double value) {
  if (value == 0) return;
  column_.push_back(static_cast<std::int32_t>(column));
  value_.push_back(value);
}

void SparseCollector::end_row() {
  first_.push_back(value_.size());
  ++rows_;
}

void SparseCollector::take_entries(std::int64_t rows, const Numbers<std::int32_t>& row, const Numbers<std::int32_t>& column, const Numbers<double>& value) {
  rows_ = rows;
  std::fill_n(first_.append(rows), rows, 0);
  for (std::int64_t e = 0; e < value.size(); ++e) ++first_[row.data()[e] + 1];
  for (std::int64_t i = 0; i < rows; ++i) first_[i + 1] += first_[i];
  column_.append(value.size());
  value_.append(value.size());
  // Backwards, so that row i begins at first_[i + 1] once it is filled; then the ends move back into their place.
  for (std::int64_t e = value.size() - 1; e >= 0; --e) {
    const std::int64_t to = --first_[row.data()[e] + 1];
    column_[to] = column.data()[e];
    value_[to] = value.data()[e];
  }
  for (std::int64_t i = 1; i < rows; ++i) first_[i] = first_[i + 1];
  if (rows > 0) first_[rows] = value.size();
  std::vector<std::pair<std::int32_t, double>> sorted;
  for (std::int64_t i = 0; i < rows; ++i) {
    const std::int64_t begin = first_[i], end = first_[i + 1];
    if (!std::is_sorted(column_.data() + begin, column_.data() + end)) {
      sorted.clear();
      for (std::int64_t e = begin; e < end; ++e) sorted.emplace_back(column_[e], value_[e]);
      std::sort(sorted.begin(), sorted.end());
      for (std::int64_t e = begin; e < end; ++e) std::tie(column_[e], value_[e]) = sorted[static_cast<std::size_t>(e - begin)];
    }
    const std::int32_t* twice = std::adjacent_find(column_.data() + begin, column_.data() + end);
    if (twice == column_.data() + end) continue;
    throw Error(ErrorCategory::data,
                {.doing = "reading " + request_.source,
                 .key = "row " + std::to_string(request_.rows.begin + i * request_.rows.step + 1) + ", column " + std::to_string(*twice + 1) + " (both from 1)",
                 .rule = "has two entries",
                 .remedy = "add them up, or remove one of them"});
  }
}

void SparseCollector::keep(const ColumnChoice& choice, std::int64_t columns, std::vector<double>& weights) {
  const std::vector<std::int64_t> places = choice.places(columns);
  if (choice.weights >= 0) weights.assign(static_cast<std::size_t>(rows_), 0.0);
  const bool ascending = std::is_sorted(choice.used.begin(), choice.used.end());
  std::vector<std::pair<std::int32_t, double>> row;
  std::int64_t kept = 0, e = 0;
  for (std::int64_t i = 0; i < rows_; ++i) {
    row.clear();
    for (const std::int64_t end = first_[i + 1]; e < end; ++e) {
      const std::int64_t place = places[static_cast<std::size_t>(column_[e])];
      if (place == choice.count()) {
        weights[static_cast<std::size_t>(i)] = value_[e];
      } else if (place >= 0) {
        row.emplace_back(static_cast<std::int32_t>(place), value_[e]);
      }
    }
    if (!ascending) std::sort(row.begin(), row.end());
    for (const auto& [column, value] : row) {
      column_[kept] = column;
      value_[kept++] = value;
    }
    first_[i + 1] = kept;
  }
  column_.drop(column_.size() - kept);
  value_.drop(value_.size() - kept);
}

Table SparseCollector::finish(std::int64_t columns, std::int64_t source_rows) && {
  struct Storage {
    std::shared_ptr<std::int64_t> first;
    std::shared_ptr<std::int32_t> column;
    std::shared_ptr<double> value;
  };
  Table table;
  request_.budget.take(product(columns, 3 * sizeof(std::int64_t), request_.source));  // the choice of columns
  ColumnChoice choice = choose_columns(request_.options, {}, columns, request_.source);
  if (!choice.all) keep(choice, columns, table.about.weights);
  column_.shrink();
  value_.shrink();
  auto storage = std::make_shared<Storage>();
  storage->first = std::move(first_).share();
  storage->column = std::move(column_).share();
  storage->value = std::move(value_).share();
  table.numbers = SparseRows<double>{storage->first.get(), storage->column.get(), storage->value.get(), rows_, choice.count()};
  table.about.storage = storage;
  describe_choice(table, request_, std::move(choice), rows_);
  table.source_rows = source_rows;
  return table;
}

}  // namespace buffon::io_detail
