// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/samplers/row_distances.hpp>
#include <buffon/samplers/row_shares.hpp>

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace buffon {

class Context;

/// D_i, the squared distance of every row to the nearest of a growing list of centres that are rows themselves, with its weighted total and draws
/// of rows in proportion to w_i D_i. Blocks of 4096 rows, whose sums are those of `RowShares`; passes are divided among the processes of the context.
/// Memory: 4 bytes a row for single precision (8 for double), 4 more with labels.
class NearestCentres {
 public:
  explicit NearestCentres(std::shared_ptr<const RowDistances> distances, bool labels = false);

  /// One pass over the rows with the new centres only.
  void add(Context& context, std::span<const Index> centres);

  const std::vector<Index>& centres() const { return centres_; }
  /// D_i; infinite before the first centre.
  double squared(Index row) const {
    return distances_->single() ? static_cast<double>(single_[static_cast<std::size_t>(row)]) : double_[static_cast<std::size_t>(row)];
  }
  /// Position in `centres()` of the first of the nearest centres of a row.
  std::int32_t label(Index row) const { return labels_[static_cast<std::size_t>(row)]; }

  /// Σ w_i D_i.
  double total() const { return shares_.total(); }
  /// The row in whose share of the total the point u × total falls, 0 < u < 1: by sums of blocks, then within the block. Never a row with w_i D_i = 0.
  Index draw(double u) const;
  /// Σ w_i min(D_i, ‖x_i − x_c‖²) for every candidate row c, in one pass that changes nothing: the bits of total() after add(c).
  std::vector<double> totals_with(Context& context, std::span<const Index> candidates) const;

  const RowDistances& distances() const { return *distances_; }
  /// Distances computed so far.
  std::int64_t evaluations() const { return evaluations_; }

 private:
  std::shared_ptr<const RowDistances> distances_;
  bool with_labels_;
  std::vector<Index> centres_;
  std::vector<float> single_;
  std::vector<double> double_;
  std::vector<std::int32_t> labels_;
  RowShares shares_;
  mutable std::int64_t evaluations_ = 0;
};

}  // namespace buffon
