// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/core/types.hpp>
#include <buffon/model/data_set.hpp>

#include <memory>
#include <vector>

namespace buffon {

/// Sums of w_i D_i over the rows of a data set and draws of rows in proportion to it, D being numbers >= 0 that the caller keeps for every row, float
/// or double. Sums in double, of leaves of 64 rows, of blocks of 64 leaves and of all blocks (in the tree of `merge_tree`); they depend on D and the
/// weights only, whatever was renewed when. Inside a leaf (and a block) number i is added to lane i mod 16 and the lanes are folded by halves.
/// Memory: an eighth of a byte a row.
class RowShares {
 public:
  static constexpr Index leaf_rows = 64, block_rows = 4096;

  explicit RowShares(std::shared_ptr<const DataSet> data);

  /// Sums the leaves that hold rows of [begin, end) anew. Different leaves may be renewed at the same time. @param squared D of row 0
  void renew(Index begin, Index end, const float* squared);
  void renew(Index begin, Index end, const double* squared);
  /// Sums blocks and all rows anew; to be called after renewals and before what follows.
  void finish();

  /// Σ w_i D_i.
  double total() const { return total_; }
  /// The row in whose share of the total the point u × total falls, 0 < u < 1: by sums of blocks, of leaves, then of rows. Never a row with
  /// w_i D_i = 0. The total must be positive. @param squared D of row 0, as at the last renewals
  Index draw(double u, const float* squared) const;
  Index draw(double u, const double* squared) const;

  /// Σ w_i D_i of every leaf.
  std::vector<double>& leaves() { return leaves_; }
  const std::vector<double>& leaves() const { return leaves_; }

  /// Σ w_i D_i of at most 64 rows. @param weights null = 1
  static double leaf_total(const float* squared, const double* weights, Index count);
  static double leaf_total(const double* squared, const double* weights, Index count);
  /// The sum of a block from those of its leaves, at most 64.
  static double block_total(const double* leaves, Index count);
  /// The sum of all blocks.
  static double tree_total(std::vector<double> blocks);

 private:
  std::shared_ptr<const DataSet> data_;
  const double* weights_;
  std::vector<double> leaves_, ends_;
  double total_ = 0;
};

}  // namespace buffon
