// SPDX-License-Identifier: BSD-3-Clause
#include "split_column.hpp"

#include <buffon/core/error.hpp>

#include <type_traits>
#include <utility>
#include <variant>

#include "chosen_rows.hpp"

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
DataSet::Numbers without(const DenseRows<T>& x, Index out, std::vector<double>& values, std::shared_ptr<const void>& storage) {
  auto copy = std::make_shared<DenseCopy<T>>();
  copy->numbers.reserve(static_cast<std::size_t>(x.rows * (x.columns - 1)));
  for (Index i = 0; i < x.rows; ++i) {
    const T* row = x.row(i);
    values.push_back(static_cast<double>(row[out]));
    copy->numbers.insert(copy->numbers.end(), row, row + out);
    copy->numbers.insert(copy->numbers.end(), row + out + 1, row + x.columns);
  }
  storage = copy;
  return DenseRows<T>{copy->numbers.data(), x.rows, x.columns - 1, x.columns - 1};
}

template <class T>
DataSet::Numbers without(const SparseRows<T>& x, Index out, std::vector<double>& values, std::shared_ptr<const void>& storage) {
  auto copy = std::make_shared<SparseCopy<T>>();
  copy->first.push_back(0);
  for (Index i = 0; i < x.rows; ++i) {
    values.push_back(0);
    for (std::int64_t e = x.first[i]; e < x.first[i + 1]; ++e) {
      if (x.column[e] == out) {
        values.back() = static_cast<double>(x.value[e]);
        continue;
      }
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

SplitColumn split_column(const DataSet& data, const std::string& column, const std::string& key, const std::string& doing) {
  Index out = -1;
  std::string all;
  std::vector<std::string> names = column_names(data);
  for (Index j = 0; j < data.columns(); ++j) {
    const std::string number = std::to_string(data.about().columns_used.empty() ? j : data.about().columns_used[static_cast<std::size_t>(j)]);
    if (names[static_cast<std::size_t>(j)] == column) out = j;
    if (out < 0 && number == column) out = j;
    if (j < 20) all += (j > 0 ? ", " : "") + names[static_cast<std::size_t>(j)];
  }
  if (out < 0) {
    throw Error(ErrorCategory::configuration, {.doing = doing,
                                               .key = key,
                                               .value = column,
                                               .rule = "is no column of " + data.about().source,
                                               .remedy = "take one of " + all + (data.columns() > 20 ? ", …" : "")});
  }
  if (data.columns() == 1) {
    throw Error(ErrorCategory::configuration,
                {.doing = doing, .key = key, .value = column, .rule = "is the only column of " + data.about().source, .remedy = "give more columns"});
  }
  SplitColumn split;
  DataSet::About about = data.about();
  DataSet::Numbers numbers = std::visit([&](const auto& x) { return without(x, out, split.values, about.storage); }, data.numbers());
  const double scale = about.scale.size() > 0 ? about.scale(out) : 1, centre = about.centre.size() > 0 ? about.centre(out) : 0;
  for (double& value : split.values) value = centre + scale * value;
  if (about.columns_used.empty()) {
    for (Index j = 0; j < data.columns(); ++j) about.columns_used.push_back(j);
  }
  drop(about.columns_used, out);
  drop(about.column_names, out);
  drop(about.centre, out);
  drop(about.scale, out);
  split.rest = std::make_shared<const DataSet>(std::move(numbers), std::move(about));
  return split;
}

}  // namespace buffon::draws
