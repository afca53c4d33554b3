// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/core/types.hpp>
#include <buffon/random/stream.hpp>

#include <cstdint>
#include <limits>
#include <span>
#include <vector>

/// Subsets of k of n rows without replacement. Two laws that differ: *successive* sampling draws one row after the other in proportion to the weights of
/// the rows that are left, and includes a row with a probability that is not proportional to its weight; *πps* sampling
/// includes it with probability k w_i / Σ w exactly (at most 1). Unweighted rows: `sample_without_replacement` (random/variates.hpp).
namespace buffon {

class Archive;
class Context;

/// A row with the key that decides whether it is among the first k.
struct KeyedRow {
  Index row = 0;
  double key = 0;
  void describe_state(Archive& archive);
};

/// log w − log E, E exponential, item `row` of the stream: a Gumbel variable shifted by log w. The rows of the k greatest keys,
/// from the greatest on, are k successive draws without replacement (Plackett and Luce): P(r₁, …, r_k) = Π_j w(r_j) / (Σ w − w(r₁) − … − w(r_{j−1})).
/// In other words the first k of n exponential clocks of rates w_i; the time of a clock is exp(−key). −∞ for weight 0.
double gumbel_key(const Stream& stream, Index row, double weight);

/// The k greatest keys of rows offered in any order, in parts, by shards: merging the parts gives what all rows together give.
/// Of equal keys the lower row goes first. Memory 16 k bytes.
class TopKeys {
 public:
  explicit TopKeys(Index k = 1);

  void offer(Index row, double key);  ///< a key of −∞ is never kept
  void merge(const TopKeys& other);
  std::vector<KeyedRow> sorted() const;  ///< from the greatest key on; fewer than k when fewer were offered
  /// What a key must exceed to be kept: the least key once there are k of them, else −∞.
  double threshold() const;
  void describe_state(Archive& archive);

 private:
  std::int64_t k_;
  std::vector<KeyedRow> heap_;  ///< the least key first
};

/// k rows by successive sampling, in the order of the draws, with the key that every other row stays below.
struct KeyedSubset {
  std::vector<KeyedRow> rows;
  double next_key = -std::numeric_limits<double>::infinity();  ///< the (k + 1)-th greatest; −∞ when there is none

  /// P(row is among the first k | the other rows' keys), 1 − exp(−w e^{−next_key}): the row's own clock before the (k + 1)-th time. The weights
  /// 1 / this make Σ x_i / π_i an unbiased estimate of Σ x_i, the terms of which are uncorrelated for k >= 2 (Cohen and Kaplan, "Summarizing data using
  /// bottom-k sketches", 2007), so that Σ (1 − π_i) (x_i / π_i)² is an unbiased estimate of its variance.
  double inclusion_given_others(double weight) const;
};

/// Weights >= 0, finite; at least k of them positive, else Error(usage). One pass in parallel, O(n + k log k log n) expected.
KeyedSubset gumbel_top_k(std::span<const double> weights, Index k, const Stream& stream, Context& context);

/// Probability that successive sampling of k includes each row, by the integral ∫ w e^{−wt} P(fewer than k other clocks rang by t) dt over
/// log t with the trapezoidal rule, which converges exponentially here; about 1e-12 accurate. O(n k log n) for each of some (200 + 60 √k) nodes:
/// for thousands of rows.
std::vector<double> successive_inclusion(std::span<const double> weights, Index k);
/// The same for many rows: 1 − exp(−w_i t) with t such that they add up to k (Rosén, "Asymptotic theory for order sampling", 1997). Asymptotic: exact as n and
/// k grow.
std::vector<double> successive_inclusion_approximate(std::span<const double> weights, Index k);

/// min(1, c w_i) with c such that they add up to k: rows of more than a k-th of the (remaining) weight are included surely.
std::vector<double> proportional_inclusion(std::span<const double> weights, Index k);
/// Systematic sampling without replacement: the rows whose share of the cumulative inclusion probabilities (each in [0, 1], sum k within 1e-9)
/// holds one of u, 1 + u, 2 + u, …, 0 < u < 1. Each row's probability is its inclusion probability exactly; that of pairs is 0 for many
/// pairs, so that the variance cannot be estimated without assumptions. @param order the rows are laid out in this order (a random permutation
/// spreads the pairs); empty = as they are. @returns rows in the order of the layout
std::vector<Index> systematic_subset(std::span<const double> inclusion, double u, std::span<const Index> order = {});

/// Divides k among groups in proportion to their sizes by largest remainders (of equal ones the earlier group first); never more than a group holds.
std::vector<std::int64_t> proportional_allocation(std::span<const std::int64_t> sizes, std::int64_t k);
/// counts[g] rows of group g, uniformly without replacement and independently between groups; group g is item g of the stream.
/// @param groups n numbers in [0, counts.size()). @returns rows group by group. @throws Error(usage) when a group is too small
std::vector<Index> stratified_subset(std::span<const std::int32_t> groups, std::span<const std::int64_t> counts, const Stream& stream);

}  // namespace buffon
