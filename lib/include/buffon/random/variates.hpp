// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <buffon/core/types.hpp>
#include <buffon/random/stream.hpp>

/// Variates other than uniforms and normals. Each is a pure function of (stream, item); the bulk forms give element i the item
/// `first + i`. An algorithm that rejects takes its further draws from further draw blocks of the same item, so that no item
/// depends on another. All use the library's own log and exp: the same bits on every machine.
namespace buffon {

/// Whole number in [0, bound), without bias, bound ≥ 1. Lemire, "Fast random integer generation in an interval", 2019: the
/// upper half of word × bound, rejecting the 2⁶⁴ mod bound words that would favour some values.
std::uint64_t uniform_integer(const Stream& stream, std::uint64_t item, std::uint64_t bound);
void uniform_integers(const Stream& stream, std::uint64_t first, std::uint64_t bound, std::span<std::uint64_t> out);

/// Exponential with mean 1: −log u, u the uniform of draw 0 of the item. In [1.1e-16, 37.5].
double exponential(const Stream& stream, std::uint64_t item);
void exponentials(const Stream& stream, std::uint64_t first, std::span<double> out);

/// Gamma with the given shape > 0 and scale 1. Marsaglia, Tsang, "A simple method for generating gamma variables", 2000; for
/// shape < 1 a gamma of shape + 1 times u^(1/shape) (which underflows to 0 for shapes below about 0.01).
/// Attempt t uses draw blocks 2t (normal) and 2t + 1 (uniforms).
double gamma(const Stream& stream, std::uint64_t item, double shape);
void gammas(const Stream& stream, std::uint64_t first, double shape, std::span<double> out);

/// A uniformly random permutation of 0 … n − 1, n ≤ 2³¹, by Fisher–Yates from the front: entry k is chosen among the n − k that
/// are left, with draw block k of the item. Prefix property: the first k entries are `sample_without_replacement(…, n, k)`.
std::vector<Index> permutation(const Stream& stream, std::uint64_t item, Index n);
/// k distinct numbers of 0 … n − 1 in random order, every ordered choice equally likely; O(k) time and memory.
std::vector<Index> sample_without_replacement(const Stream& stream, std::uint64_t item, Index n, Index k);

/// Draws categories in proportion to weights by inverting their cumulative sums: log₂ K steps, and monotone in the uniform of
/// the item (small u, small category), so that two tables driven by one stream are coupled. Where that does not matter,
/// `AliasTable` is faster.
class CumulativeTable {
 public:
  /// Weights ≥ 0, finite, with a positive sum; they need not be normalised. A category of weight 0 is never drawn.
  explicit CumulativeTable(std::span<const double> weights);

  Index size() const { return static_cast<Index>(cumulative_.size()); }
  /// The category of a uniform in (0, 1): the smallest k with u·total < w₀ + … + w_k.
  Index at(double u) const;
  /// The category of draw 0 of an item.
  Index draw(const Stream& stream, std::uint64_t item) const;
  void draw(const Stream& stream, std::uint64_t first, std::span<Index> out) const;

 private:
  std::vector<double> cumulative_;
  Index last_ = 0;  ///< last category with a positive weight
};

}  // namespace buffon
