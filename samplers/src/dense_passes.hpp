// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/linalg/row_distance_kernels.hpp>
#include <buffon/model/data_set.hpp>

#include <cstdint>
#include <vector>

namespace buffon {

/// Passes over dense rows with centres of their precision, any points, which stand one after the other. Rows of 8 columns or more are read where they
/// are; narrower ones are copied into tiles.
template <class T>
class DensePasses {
 public:
  explicit DensePasses(const DenseRows<T>& x);

  const DenseRows<T>& rows() const { return x_; }
  T between(Index a, Index b) const { return kernels_->pair(x_.row(a), x_.row(b), x_.columns); }

  /// D ← min(D, distance) for the rows [begin, end) and the centres in their order; labels may be null. `changed`, unless null, has a place for every
  /// leaf that becomes 1 where a D is lowered; begin is that of a leaf then.
  void lower(Index begin, Index end, const T* centres, Index count, T* squared, std::int32_t* labels, std::int32_t first_label, std::uint8_t* changed) const;
  /// Sums of w min(D, distance) over the rows [begin, end), at most 4096 of them that begin with a leaf, for every centre.
  /// @param weights of row `begin`; null = 1
  void totals_with(Index begin, Index end, const T* centres, Index count, const T* squared, const double* weights, double* totals) const;

 private:
  bool narrow() const { return x_.columns < distance_lanes; }
  /// The rows [begin, begin + 64) as tiles, in `scratch` where they are not kept as tiles.
  const T* leaf(Index begin, std::vector<T>& scratch) const;
  void lower_tiles(const T* tiles, Index rows, const T* centres, Index count, T* squared, std::int32_t* labels, std::int32_t first_label,
                   std::uint8_t* changed) const;

  DenseRows<T> x_;
  const RowDistanceKernels<T>* kernels_;
  std::vector<T> tiles_;
};

extern template class DensePasses<float>;
extern template class DensePasses<double>;

}  // namespace buffon
