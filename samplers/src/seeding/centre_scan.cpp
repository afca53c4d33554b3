// SPDX-License-Identifier: BSD-3-Clause
#include "centre_scan.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace buffon {
namespace {

constexpr Index lanes = 8;
/// Columns between two looks at whether all eight are out of reach.
constexpr Index stride = 8;

/// Whether one of eight centres lies within `bound`, squared. Sums of squares never fall, so that all may end early; NaN is never within.
template <class T>
bool one_within(const T* row, const T* centres, Index columns, T bound) {
  T sum[lanes] = {};
  for (Index begin = 0; begin < columns; begin += stride) {
    const Index end = std::min(columns, begin + stride);
    for (Index j = begin; j < end; ++j) {
      const T x = row[j];
      const T* c = centres + j * lanes;
      for (Index l = 0; l < lanes; ++l) sum[l] += (x - c[l]) * (x - c[l]);
    }
    int within = 0;
    for (Index l = 0; l < lanes; ++l) within |= static_cast<int>(sum[l] <= bound);
    if (within == 0) return false;
  }
  return true;
}

/// The largest T that is not above the bound: sums are T, so that comparing them with it or with the bound is the same.
template <class T>
T round_down(double bound) {
  if (bound >= static_cast<double>(std::numeric_limits<T>::max()))
    return std::isinf(bound) ? std::numeric_limits<T>::infinity() : std::numeric_limits<T>::max();
  const T nearest = static_cast<T>(bound);
  return static_cast<double>(nearest) > bound ? std::nextafter(nearest, -std::numeric_limits<T>::infinity()) : nearest;
}

}  // namespace

CentreScan::CentreScan(std::shared_ptr<const RowDistances> distances) : distances_(std::move(distances)) {
  if (!distances_->single()) lanes_ = std::vector<double>();
}

void CentreScan::clear() {
  centres_.clear();
  std::visit([](auto& numbers) { numbers.clear(); }, lanes_);
}

void CentreScan::add(Index centre) {
  const auto append = [&]<class T>(const DenseRows<T>& x) {
    auto& numbers = std::get<std::vector<T>>(lanes_);
    const Index lane = static_cast<Index>(centres_.size()) % lanes;
    if (lane == 0) numbers.resize(numbers.size() + static_cast<std::size_t>(lanes * x.columns), std::numeric_limits<T>::quiet_NaN());
    T* eight = numbers.data() + static_cast<Index>(numbers.size()) - lanes * x.columns;
    for (Index j = 0; j < x.columns; ++j) eight[j * lanes + lane] = x.row(centre)[j];
  };
  const DataSet::Numbers& numbers = distances_->data().numbers();
  if (const auto* x = std::get_if<DenseRows<float>>(&numbers)) append(*x);
  if (const auto* x = std::get_if<DenseRows<double>>(&numbers)) append(*x);
  centres_.push_back(centre);
}

bool CentreScan::beyond(Index row, double bound, std::int64_t& evaluations) const {
  const auto scan = [&]<class T>(const DenseRows<T>& x) {
    const std::vector<T>& numbers = std::get<std::vector<T>>(lanes_);
    const T reach = round_down<T>(bound);
    auto left = static_cast<Index>(centres_.size());
    while (left > 0) {
      const Index eight = (left - 1) / lanes;
      evaluations += left - eight * lanes;
      if (one_within(x.row(row), numbers.data() + eight * lanes * x.columns, x.columns, reach)) return false;
      left = eight * lanes;
    }
    return true;
  };
  const DataSet::Numbers& numbers = distances_->data().numbers();
  if (const auto* x = std::get_if<DenseRows<float>>(&numbers)) return scan(*x);
  if (const auto* x = std::get_if<DenseRows<double>>(&numbers)) return scan(*x);
  for (auto c = centres_.rbegin(); c != centres_.rend(); ++c) {
    ++evaluations;
    if (distances_->within(row, *c, bound)) return false;
  }
  return true;
}

void CentreScan::prefetch(Index row) const {
  const auto fetch = [&]<class T>(const DenseRows<T>& x) {
    constexpr Index line = 64 / static_cast<Index>(sizeof(T)), most = 4 * line;
    for (Index j = 0; j < std::min(x.columns, most); j += line) __builtin_prefetch(x.row(row) + j);
  };
  const DataSet::Numbers& numbers = distances_->data().numbers();
  if (const auto* x = std::get_if<DenseRows<float>>(&numbers)) fetch(*x);
  if (const auto* x = std::get_if<DenseRows<double>>(&numbers)) fetch(*x);
}

}  // namespace buffon
