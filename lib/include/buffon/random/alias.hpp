// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <buffon/core/types.hpp>
#include <buffon/random/stream.hpp>

namespace buffon {

/// Draws categories in proportion to weights in constant time: Walker's alias method with Vose's linear-time construction
/// ("A linear algorithm for generating random numbers with a given distribution", 1991). One draw block per item: its first
/// word chooses a column without bias, its second keeps it or takes its alias.
///
///     AliasTable table(weights);
///     std::vector<Index> chosen(n);
///     table.draw(stream, 0, chosen);   // chosen[i] belongs to item i
///
/// Memory 16 bytes per category. The construction is exact in whole grains of 2⁻⁵³/K: the probability of a category is its weight's
/// share within 2⁻⁵³/K and a few roundings of the share itself; the heaviest category takes what the others lose.
class AliasTable {
 public:
  /// Weights ≥ 0, finite, with a positive sum; they need not be normalised. A category of weight 0 is never drawn.
  explicit AliasTable(std::span<const double> weights);

  Index size() const { return static_cast<Index>(columns_.size()); }
  Index draw(const Stream& stream, std::uint64_t item) const;
  void draw(const Stream& stream, std::uint64_t first, std::span<Index> out) const;

  /// The probabilities that the finished table draws with, recomputed from its columns; O(K).
  std::vector<double> probabilities() const;

 private:
  struct Column {
    std::uint64_t keep;  ///< of 2⁵³ grains, those of the column's own category
    Index alias;         ///< category of the others
  };
  Index pick(std::uint64_t column, std::uint64_t word) const;
  std::vector<Column> columns_;
};

}  // namespace buffon
