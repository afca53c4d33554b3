// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/random/alias.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "centre_rule.hpp"
#include "trials.hpp"

namespace buffon {

class Context;

/// Rows with probability ∝ their weight.
class WeightedRows {
 public:
  explicit WeightedRows(const DataSet& data);
  /// A pure function of (stream, item).
  Index draw(const Stream& stream, std::uint64_t item) const;
  /// Rows of positive weight.
  Index drawable() const { return drawable_; }

 private:
  Index rows_, drawable_;
  std::optional<AliasTable> table_;  ///< of weights; none where all are 1
};

/// The proposal of the paper: row x with probability ∝ w_x (s_x + s_1), s the squared distances to the mean, s_1 that of the first centre; a mixture
/// of a table over w s and one over w. Bound u · 2 (s_x + s_1), since min_c ‖x − c‖² ≤ ‖x − c_1‖² ≤ 2 (s_x + s_1).
class NormProposals {
 public:
  NormProposals(const RowDistances& distances, Index first_centre, const Stream& stream, Context& context);

  /// Σ w_x (s_x + s_1); 0 when all rows are one point.
  double total() const { return spread_ + uniform_; }
  /// Trials first, first + 1, … of centre number `centre`.
  void make(std::uint64_t centre, std::int64_t first, std::span<Trial> trials) const;

 private:
  Stream stream_;  ///< child "centre", t: item j is trial j of centre t; its children "norms" and "rows" draw from the tables
  const std::vector<double>& squared_;
  double of_first_;
  double spread_, uniform_;  ///< shares of the two tables in the total
  std::optional<AliasTable> by_norm_;
  WeightedRows by_weight_;
};

}  // namespace buffon
