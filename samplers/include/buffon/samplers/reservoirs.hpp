// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/core/types.hpp>
#include <buffon/random/stream.hpp>
#include <buffon/samplers/weighted_subsets.hpp>

#include <cstdint>
#include <vector>

/// Samples without replacement of rows that come one by one, their number unknown beforehand. Each is a function of the stream and the
/// order of the rows; its state may be saved between any two rows. Where rows have numbers of their own and come in shards,
/// `TopKeys` with `gumbel_key` has the same law and merges.
namespace buffon {

class Archive;

/// k of the rows so far, every subset equally likely: algorithm L (K.-H. Li, "Reservoir-sampling algorithms of time complexity O(n(1 + log(N/n)))", 1994).
/// The greatest of k uniforms kept falls by factors U^{1/k}, and the number of rows passed over until the next one is kept is geometric.
/// Expected random numbers O(k (1 + log(n/k))); they belong to the replacement, not to the row.
class UniformReservoir {
 public:
  UniformReservoir(Index k, const Stream& stream);

  /// The next row; whatever it is called.
  void push(std::int64_t row);
  /// Rows pushed that will be passed over from here on: a reader may jump over them with `skip`.
  std::int64_t passed_over() const { return next_ - seen_; }
  /// As if so many rows were pushed, at most `passed_over()`. @throws Error(usage)
  void skip(std::int64_t rows);

  std::int64_t seen() const { return seen_; }
  /// The sample, in no particular order that is random by itself.
  const std::vector<std::int64_t>& rows() const { return rows_; }
  void describe_state(Archive& archive);

 private:
  void jump();

  Stream gaps_, slots_;
  std::int64_t k_;
  std::int64_t seen_ = 0, next_ = 0, jumps_ = 0;
  double log_greatest_ = 0;  ///< log of the greatest of the k uniforms
  std::vector<std::int64_t> rows_;
};

/// k of the rows so far by successive sampling in proportion to weights: algorithm A-ExpJ (Efraimidis and Spirakis, "Weighted random sampling with a
/// reservoir", 2006) in terms of exponential clocks. Row i rings at time E_i / w_i, the first k are kept; with τ the latest of them, the weight that
/// passes until the next row is kept is exponential with mean 1/τ, and the time of that row is its clock's given that it is before τ. Expected random
/// numbers O(k log(n/k)). The rows by time are in the order of successive draws, as from `gumbel_top_k`.
class WeightedReservoir {
 public:
  WeightedReservoir(Index k, const Stream& stream);

  /// @throws Error(usage) for a weight that is negative or not finite; rows of weight 0 are passed over
  void push(std::int64_t row, double weight);

  std::int64_t seen() const { return seen_; }
  double weight_seen() const { return weight_seen_; }
  /// The sample by time, keys as of `gumbel_key`: minus the logarithm of the time.
  std::vector<KeyedRow> sorted() const;
  std::vector<std::int64_t> rows() const;
  void describe_state(Archive& archive);

 private:
  void insert(std::int64_t row, double time);

  Stream clocks_;
  std::int64_t k_;
  std::int64_t seen_ = 0, drawn_ = 0;
  double weight_seen_ = 0, left_ = 0;  ///< weight to pass over
  std::vector<KeyedRow> kept_;         ///< the latest first; here a key is the time
};

}  // namespace buffon
