// SPDX-License-Identifier: BSD-3-Clause
#include "dense_passes.hpp"

#include <algorithm>

#include <buffon/samplers/row_shares.hpp>

namespace buffon {
namespace {

static_assert(RowShares::leaf_rows == leaf_rows);

constexpr Index in_row_pass = 2;            // so many centres are cheaper row by row than through tiles
constexpr Index centre_group = 256 * 1024;  // bytes of centres that stay in the cache while a leaf passes

}  // namespace

template <class T>
DensePasses<T>::DensePasses(const DenseRows<T>& x) : x_(x), kernels_(&row_distance_kernels<T>()) {
  if (!narrow()) return;
  const Index leaves = (x.rows + leaf_rows - 1) / leaf_rows;
  tiles_.resize(static_cast<std::size_t>(leaves * leaf_rows * x.columns));
  for (Index i = 0; i < leaves * leaf_rows; i += tile_rows) {
    const Index first = std::min(i, x.rows - 1);
    kernels_->gather(x.row(first), x.stride, std::min(tile_rows, x.rows - first), x.columns, tiles_.data() + i * x.columns);
  }
}

template <class T>
const T* DensePasses<T>::leaf(Index begin, std::vector<T>& scratch) const {
  if (narrow()) return tiles_.data() + begin * x_.columns;
  scratch.resize(static_cast<std::size_t>(leaf_rows * x_.columns));
  for (Index i = 0; i < leaf_rows; i += tile_rows) {
    const Index first = std::min(begin + i, x_.rows - 1);
    kernels_->gather(x_.row(first), x_.stride, std::min(tile_rows, x_.rows - first), x_.columns, scratch.data() + i * x_.columns);
  }
  return scratch.data();
}

template <class T>
void DensePasses<T>::lower_tiles(const T* tiles, Index rows, const T* centres, Index count, T* squared, std::int32_t* labels, std::int32_t first_label,
                                 std::uint8_t* changed) const {
  const Index group = std::max<Index>(1, centre_group / (x_.columns * static_cast<Index>(sizeof(T))));
  for (Index c = 0; c < count; c += group) {
    kernels_->lower_tiles(tiles, rows / tile_rows, x_.columns, centres + c * x_.columns, std::min(group, count - c), squared, labels,
                          first_label + static_cast<std::int32_t>(c), changed);
  }
}

template <class T>
void DensePasses<T>::lower(Index begin, Index end, const T* centres, Index count, T* squared, std::int32_t* labels, std::int32_t first_label,
                           std::uint8_t* changed) const {
  if (begin >= end) return;
  if (!narrow() && count <= in_row_pass) {
    for (Index c = 0; c < count; ++c) {
      kernels_->lower_rows(x_.row(begin), x_.stride, end - begin, x_.columns, end < x_.rows, centres + c * x_.columns, squared, labels,
                           first_label + static_cast<std::int32_t>(c), changed);
    }
    return;
  }
  std::vector<T> scratch;
  for (Index i = begin; i < end;) {
    const Index first = i / leaf_rows * leaf_rows, last = std::min(end, first + leaf_rows);
    const T* tiles = leaf(first, scratch);
    std::uint8_t* leaf_changed = changed == nullptr ? nullptr : changed + (first - begin) / leaf_rows;
    if (narrow() && i == first && end - i >= leaf_rows) {
      const Index whole = (end - i) / leaf_rows * leaf_rows;
      lower_tiles(tiles, whole, centres, count, squared + (i - begin), labels == nullptr ? nullptr : labels + (i - begin), first_label, leaf_changed);
      i += whole;
      continue;
    }
    // Rows of the leaf that are not asked for have D = −1, which nothing lowers.
    T part[leaf_rows];
    std::int32_t part_labels[leaf_rows] = {};
    const bool labelled = labels != nullptr;
    std::fill(part, part + leaf_rows, T{-1});
    std::copy(squared + (i - begin), squared + (last - begin), part + (i - first));
    if (labelled) std::copy(labels + (i - begin), labels + (last - begin), part_labels + (i - first));
    lower_tiles(tiles, leaf_rows, centres, count, part, labelled ? part_labels : nullptr, first_label, leaf_changed);
    std::copy(part + (i - first), part + (last - first), squared + (i - begin));
    if (labelled) std::copy(part_labels + (i - first), part_labels + (last - first), labels + (i - begin));
    i = last;
  }
}

template <class T>
void DensePasses<T>::totals_with(Index begin, Index end, const T* centres, Index count, const T* squared, const double* weights, double* totals) const {
  constexpr Index leaves_per_block = RowShares::block_rows / leaf_rows;
  const Index leaves = (end - begin + leaf_rows - 1) / leaf_rows;
  std::vector<double> sums(static_cast<std::size_t>(leaves * count)), of_centre(static_cast<std::size_t>(leaves_per_block));
  std::vector<T> scratch;
  for (Index i = begin; i < end; i += leaf_rows) {
    const Index n = std::min(leaf_rows, end - i);
    const T* d = squared + (i - begin);
    const double* w = weights == nullptr ? nullptr : weights + (i - begin);
    T part[leaf_rows] = {};
    double part_weights[leaf_rows] = {};
    if (n < leaf_rows) {
      std::copy(d, d + n, part);
      d = part;
      if (w != nullptr) {
        std::copy(w, w + n, part_weights);
        w = part_weights;
      }
    }
    kernels_->leaf_totals(leaf(i, scratch), x_.columns, centres, count, d, w, &sums[static_cast<std::size_t>((i - begin) / leaf_rows * count)]);
  }
  for (Index c = 0; c < count; ++c) {
    for (Index l = 0; l < leaves; ++l) of_centre[static_cast<std::size_t>(l)] = sums[static_cast<std::size_t>(l * count + c)];
    totals[c] = RowShares::block_total(of_centre.data(), leaves);
  }
}

template class DensePasses<float>;
template class DensePasses<double>;

}  // namespace buffon
