// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/stats/sample_set.hpp>

#include <cstring>

namespace buffon {
namespace {

template <class T>
Eigen::MatrixXd numbers(const char* from, Index rows, Index columns) {
  Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic> values(rows, columns);
  if (values.size() > 0) std::memcpy(values.data(), from, static_cast<std::size_t>(values.size()) * sizeof(T));
  return values.template cast<double>();
}

}  // namespace

Eigen::MatrixXd SampleSet::columns(std::int64_t first, std::int64_t n) const {
  const std::size_t size = single ? sizeof(float) : sizeof(double);
  const char* from = bytes->data() + static_cast<std::size_t>(first * dimension) * size;
  return single ? numbers<float>(from, dimension, n) : numbers<double>(from, dimension, n);
}

}  // namespace buffon
