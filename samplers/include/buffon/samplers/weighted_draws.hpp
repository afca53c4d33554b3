// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/core/types.hpp>
#include <buffon/random/stream.hpp>

#include <cstdint>
#include <span>
#include <vector>

/// Draws with replacement in proportion to weights w ≥ 0. Weights that stay as they are: `AliasTable` (random/alias.hpp), constant time, and
/// `CumulativeTable` (random/variates.hpp), monotone in the uniform. Here weights that change, and draws of a fixed number at once with less
/// variance than independent ones. Weights are finite with a positive sum, else Error(usage); a weight of 0 is never drawn.
namespace buffon {

/// Blocked prefix sums of weights that change: sums of 32 weights, of 32 such sums and so on. A draw and a change cost 32 additions per level, of
/// which there are log₃₂ n. Sums are added anew, never corrected by differences, so that the tree after any changes has the bits
/// of a tree built from the final weights. Memory 8.3 bytes a row.
class WeightTree {
 public:
  explicit WeightTree(std::span<const double> weights);

  Index size() const { return static_cast<Index>(levels_.front().size()); }
  double weight(Index row) const { return levels_.front()[static_cast<std::size_t>(row)]; }
  double total() const { return levels_.back().front(); }

  /// @throws Error(usage) for a weight that is negative or not finite
  void set(Index row, double weight);

  /// The row in whose share of the total the point u × total falls, 0 < u < 1. @throws Error(usage) when all weights are 0
  Index at(double u) const;
  /// The row of the first uniform of an item.
  Index draw(const Stream& stream, std::uint64_t item) const;

 private:
  static constexpr std::size_t fan = 32;
  double sum_of(std::size_t level, std::size_t node) const;
  std::vector<std::vector<double>> levels_;  ///< weights first, the total last
};

/// How often every row is drawn when m are drawn at once; in every scheme E count_i = m p_i, p_i = w_i / Σ w, and Σ count_i = m. The variance of a
/// sum Σ count_i f_i is never above that of independent draws for the residual and stratified schemes; for the systematic one it
/// depends on the order of the rows, and may be.
///
/// Independent draws (multinomial): Var count_i = m p_i (1 − p_i). Draw j is item j of the stream.
std::vector<std::int64_t> multinomial_counts(std::span<const double> weights, std::int64_t m, const Stream& stream);
/// ⌊m p_i⌋ copies of every row, and independent draws in proportion to the fractions for the rest:
/// Var count_i = R q_i (1 − q_i), R = Σ fractions, q_i = fraction_i / R, at most ¼ R.
std::vector<std::int64_t> residual_counts(std::span<const double> weights, std::int64_t m, const Stream& stream);
/// One uniform point in each of m equal pieces of the cumulative weights: Var count_i <= ½, and
/// ⌊m p_i⌋ − 1 <= count_i <= ⌈m p_i⌉ + 1. Piece j is item j of the stream.
std::vector<std::int64_t> stratified_counts(std::span<const double> weights, std::int64_t m, const Stream& stream);
/// The same place u in each of the m pieces, 0 < u < 1: count_i is ⌊m p_i⌋ or ⌈m p_i⌉, Var count_i <= ¼. One random number for all.
std::vector<std::int64_t> systematic_counts(std::span<const double> weights, std::int64_t m, double u);

/// Every row as often as its count says, in ascending order.
std::vector<Index> rows_of_counts(std::span<const std::int64_t> counts);

}  // namespace buffon
