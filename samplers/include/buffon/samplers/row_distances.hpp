// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/core/types.hpp>
#include <buffon/model/data_set.hpp>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace buffon {

class Context;

/// Squared Euclidean distances between the rows of a data set: one definition of the number, in the precision of the data, whatever the
/// instruction set, the pass or the single call that computes it. Dense rows of 8 columns or more add their squares in 8 lanes that are folded by
/// halves, narrower ones from the first column to the last; sparse rows in double. Sums of squared differences, never the
/// expanded form ‖x‖² − 2 x·c + ‖c‖² by itself, which loses everything far from the origin. Thread-safe.
///
/// Memory: nothing beside the data for 8 columns or more; narrower rows are copied, points in lanes. The mean and the squared
/// distances to it are computed when first asked for and kept (8 bytes a row).
class RowDistances {
 public:
  explicit RowDistances(std::shared_ptr<const DataSet> data);
  ~RowDistances();

  const DataSet& data() const { return *data_; }
  const std::shared_ptr<const DataSet>& data_set() const { return data_; }
  Index rows() const { return data_->rows(); }

  /// ‖x_a − x_b‖²; 0 where the rows are equal, and for differences whose squares underflow.
  double between(Index a, Index b) const;
  /// between(rows[i], b) for every i, for rows that lie apart in memory.
  void between(std::span<const Index> rows, Index b, std::span<double> squared) const;
  /// between(a, b) <= bound.
  bool within(Index a, Index b, double bound) const;

  /// D_i ← min(D_i, ‖x_i − x_c‖²) for the rows [begin, end) and the rows c of `centres`, in their order. Single and double data
  /// keep D in their own precision: exactly one of the two is right, see `single()`.
  /// @param labels  null, or for every row of [begin, end) the position + first_label of the centre that lowered it last
  /// @param changed null, or for every leaf of `RowShares` in [begin, end) a place that becomes 1 where a D of it is lowered; begin is that of a leaf then
  void lower(Index begin, Index end, std::span<const Index> centres, float* squared, std::int32_t* labels = nullptr, std::int32_t first_label = 0,
             std::uint8_t* changed = nullptr) const;
  void lower(Index begin, Index end, std::span<const Index> centres, double* squared, std::int32_t* labels = nullptr, std::int32_t first_label = 0,
             std::uint8_t* changed = nullptr) const;
  /// Σ w_i min(D_i, ‖x_i − x_c‖²) over the rows [begin, end) of one block of `RowShares`, for every candidate row c: the sum that `RowShares` has for
  /// that block after lower(…, c, …). @param squared D of row `begin` @param totals one per candidate
  void totals_with(Index begin, Index end, std::span<const Index> candidates, const float* squared, double* totals) const;
  void totals_with(Index begin, Index end, std::span<const Index> candidates, const double* squared, double* totals) const;
  /// D is float: dense and single precision.
  bool single() const;

  /// Weighted mean of the rows, d.
  const Eigen::VectorXd& mean(Context& context) const;
  /// ‖x_i − mean‖² of every row, n; computed once. Of sparse rows ‖x_i‖² − 2 x_i·mean + ‖mean‖² with
  /// a margin for its rounding: never below the true number.
  const std::vector<double>& squared_from_mean(Context& context) const;
  /// @throws Error(data) where squared distances, or their weighted sum, leave the range of the precision in which they are kept
  void require_range(Context& context, const std::string& method) const;

  struct Parts;  ///< layouts, hidden

 private:
  std::shared_ptr<const DataSet> data_;
  std::unique_ptr<Parts> parts_;
};

}  // namespace buffon
