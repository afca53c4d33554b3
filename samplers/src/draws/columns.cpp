// SPDX-License-Identifier: BSD-3-Clause
#include "columns.hpp"

#include <buffon/core/error.hpp>

#include <cmath>
#include <limits>
#include <type_traits>
#include <utility>
#include <variant>

namespace buffon::draws {
namespace {

template <class T>
struct DenseCopy {
  std::vector<T> numbers;
};

template <class T>
struct SparseCopy {
  std::vector<std::int64_t> first;
  std::vector<std::int32_t> column;
  std::vector<T> value;
};

template <class T>
DataSet::Numbers without(const DenseRows<T>& x, Index out, std::shared_ptr<const void>& storage) {
  auto copy = std::make_shared<DenseCopy<T>>();
  copy->numbers.reserve(static_cast<std::size_t>(x.rows * (x.columns - 1)));
  for (Index i = 0; i < x.rows; ++i) {
    const T* row = x.row(i);
    copy->numbers.insert(copy->numbers.end(), row, row + out);
    copy->numbers.insert(copy->numbers.end(), row + out + 1, row + x.columns);
  }
  storage = copy;
  return DenseRows<T>{copy->numbers.data(), x.rows, x.columns - 1, x.columns - 1};
}

template <class T>
DataSet::Numbers without(const SparseRows<T>& x, Index out, std::shared_ptr<const void>& storage) {
  auto copy = std::make_shared<SparseCopy<T>>();
  copy->first.push_back(0);
  for (Index i = 0; i < x.rows; ++i) {
    for (std::int64_t e = x.first[i]; e < x.first[i + 1]; ++e) {
      if (x.column[e] == out) continue;
      copy->column.push_back(x.column[e] - (x.column[e] > out ? 1 : 0));
      copy->value.push_back(x.value[e]);
    }
    copy->first.push_back(static_cast<std::int64_t>(copy->column.size()));
  }
  storage = copy;
  return SparseRows<T>{copy->first.data(), copy->column.data(), copy->value.data(), x.rows, x.columns - 1};
}

template <class List>
void drop(List& list, Index at) {
  if (list.size() == 0) return;
  if constexpr (std::is_same_v<List, Eigen::VectorXd>) {
    const Eigen::VectorXd all = list;
    list.resize(all.size() - 1);
    list << all.head(at), all.tail(all.size() - 1 - at);
  } else {
    list.erase(list.begin() + at);
  }
}

}  // namespace

std::string column_name(const DataSet& data, Index column) {
  const auto j = static_cast<std::size_t>(column);
  if (!data.about().column_names.empty()) return data.about().column_names[j];
  return std::to_string(data.about().columns_used.empty() ? column : data.about().columns_used[j]);
}

std::vector<std::string> column_names(const DataSet& data) {
  std::vector<std::string> names;
  for (Index j = 0; j < data.columns(); ++j) names.push_back(column_name(data, j));
  return names;
}

Index find_column(const DataSet& data, const std::string& column, const std::string& key, const std::string& doing) {
  const std::vector<std::string> names = column_names(data);
  for (Index j = 0; j < data.columns(); ++j) {
    if (names[static_cast<std::size_t>(j)] == column) return j;
  }
  std::string all;
  for (Index j = 0; j < data.columns(); ++j) {
    if (std::to_string(data.about().columns_used.empty() ? j : data.about().columns_used[static_cast<std::size_t>(j)]) == column) return j;
    if (j < 20) all += (j > 0 ? ", " : "") + names[static_cast<std::size_t>(j)];
  }
  throw Error(ErrorCategory::configuration, {.doing = doing,
                                             .key = key,
                                             .value = column,
                                             .rule = "is none of the columns read from " + data.about().source,
                                             .remedy = "take one of " + all + (data.columns() > 20 ? ", …" : "") + ", or name it in data.columns too"});
}

std::vector<double> column_values(const DataSet& data, Index column) {
  std::vector<double> values(static_cast<std::size_t>(data.rows()));
  std::visit(
      [&](const auto& x) {
        for (Index i = 0; i < x.rows; ++i) {
          auto& value = values[static_cast<std::size_t>(i)];
          if constexpr (requires { x.row(i); }) {
            value = static_cast<double>(x.row(i)[column]);
          } else {
            for (std::int64_t e = x.first[i]; e < x.first[i + 1]; ++e) value += x.column[e] == column ? static_cast<double>(x.value[e]) : 0;
          }
        }
      },
      data.numbers());
  const auto& about = data.about();
  const double scale = about.scale.size() > 0 ? about.scale(column) : 1, centre = about.centre.size() > 0 ? about.centre(column) : 0;
  // What was 0 in the source comes back as 0, not as the rounding of its stored number.
  const bool single = std::holds_alternative<DenseRows<float>>(data.numbers()) || std::holds_alternative<SparseRows<float>>(data.numbers());
  const double rounding = 4 * std::abs(centre) * (single ? double{std::numeric_limits<float>::epsilon()} : std::numeric_limits<double>::epsilon());
  for (double& value : values) {
    value = centre + scale * value;
    if (std::abs(value) <= rounding) value = 0;
  }
  return values;
}

std::shared_ptr<const DataSet> without_column(const DataSet& data, Index column) {
  DataSet::About about = data.about();
  DataSet::Numbers numbers = std::visit([&](const auto& x) { return without(x, column, about.storage); }, data.numbers());
  if (about.columns_used.empty()) {
    for (Index j = 0; j < data.columns(); ++j) about.columns_used.push_back(j);
  }
  drop(about.columns_used, column);
  drop(about.column_names, column);
  drop(about.centre, column);
  drop(about.scale, column);
  return std::make_shared<const DataSet>(std::move(numbers), std::move(about));
}

}  // namespace buffon::draws
