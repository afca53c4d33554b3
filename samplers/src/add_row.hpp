// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/core/types.hpp>
#include <buffon/model/data_set.hpp>

#include <cstdint>

namespace buffon {

/// into += factor × row i, in double, column by column.
template <class T>
void add_row(const DenseRows<T>& x, Index i, double factor, Eigen::Ref<Eigen::VectorXd> into) {
  const T* const numbers = x.row(i);
  for (Index j = 0; j < x.columns; ++j) into[j] += factor * static_cast<double>(numbers[j]);
}
template <class T>
void add_row(const SparseRows<T>& x, Index i, double factor, Eigen::Ref<Eigen::VectorXd> into) {
  for (std::int64_t e = x.first[i]; e < x.first[i + 1]; ++e) into[x.column[e]] += factor * static_cast<double>(x.value[e]);
}

}  // namespace buffon
