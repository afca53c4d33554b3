// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/core/types.hpp>
#include <buffon/model/nested_problem.hpp>
#include <buffon/parallel/context.hpp>
#include <buffon/random/stream.hpp>

#include <array>
#include <cstdint>
#include <vector>

namespace buffon {

class Archive;

/// How many inner copies a node of depth d takes: base · 2^N with P(N = n) ∝ rate (1 − rate)^n for n in [first, last].
/// READ has [0, most_levels), nested Monte Carlo [0, 0], level l of multilevel Monte Carlo [l, l].
struct LevelLaw {
  static constexpr std::int64_t most_levels = 62;

  LevelLaw(double rate, std::int64_t base, std::int64_t first = 0, std::int64_t last = most_levels);

  std::int64_t level(double uniform) const;
  double probability(std::int64_t level) const { return probabilities[static_cast<std::size_t>(level - first)]; }
  /// E[base · 2^N], infinite for rate ≤ 1/2 without a last level
  double mean_children() const;

  double rate;
  std::int64_t base, first, last;
  std::vector<double> probabilities;  ///< of first, first + 1, …
  std::vector<double> survivals;      ///< P(N > first), P(N > first + 1), …
};

/// What the nodes of one depth and one level did. Δ is g(m) at level 0 and g(m) − (g(a) + g(b)) / 2 above.
struct LevelSums {
  std::int64_t nodes = 0;
  double sum = 0;           ///< Σ Δ
  double sum_squares = 0;   ///< Σ Δ²
  double sum_fourth = 0;    ///< Σ Δ⁴
  double fine = 0;          ///< Σ g(m)
  double fine_squares = 0;  ///< Σ g(m)²

  double mean() const { return sum / static_cast<double>(nodes); }
  double variance() const;  ///< of Δ, divisor n − 1, NaN for fewer than 2 nodes
  double kurtosis() const;  ///< Σ Δ⁴ / (n variance²), about 3 for a normal law with mean near 0
  void merge(const LevelSums& other);
  void describe_state(Archive& archive);
};

/// LevelSums by depth and level, with the leaves drawn.
struct LevelTally {
  LevelTally() = default;
  explicit LevelTally(Index depths) : sums(static_cast<std::size_t>(depths * (LevelLaw::most_levels + 1))) {}
  LevelSums& at(Index depth, std::int64_t level) { return sums[static_cast<std::size_t>(depth * (LevelLaw::most_levels + 1) + level)]; }
  const LevelSums& at(Index depth, std::int64_t level) const { return const_cast<LevelTally*>(this)->at(depth, level); }
  /// Highest level seen at a depth; −1 = none.
  std::int64_t highest(Index depth) const;
  void merge(const LevelTally& other);
  void describe_state(Archive& archive);

  std::vector<LevelSums> sums;
  std::int64_t leaves = 0;  ///< values of g_D
};

/// Independent copies of the nested estimator, in batches. A node of depth d < D with inner copies R_1 … R_{base 2^N}, their
/// mean m and the means a, b of those with odd and even number is worth
///
///     g_d(path, m) / p(N) for N = 0,   [ g_d(path, m) − ½ (g_d(path, a) + g_d(path, b)) ] / p(N) for N ≥ 1.
///
/// The tree of a batch is walked depth first in chunks of at most `chunk` nodes of one depth, so memory does not grow with
/// 2^N, while draws and links see many nodes at a time. Random: children "path" (element = number of the node among those
/// of its depth, in the order of copies, × normals) and "level" (element = that number) of the batch's stream, numbered by
/// depth; nothing depends on the size of the chunks.
class NestedCopies {
 public:
  static constexpr Index chunk = 256;

  /// @param laws of the levels, one for each depth d < D
  NestedCopies(const NestedProblem& problem, const std::vector<LevelLaw>& laws);
  ~NestedCopies();

  /// Fills `values` with copies and adds to the tally. Call it once per object.
  /// @throws ModelError for a link that is not finite, Error(numeric) for a level whose inner copies cannot be counted
  void run(Context& context, const Stream& stream, MutVector values, LevelTally& tally);

 private:
  struct Stage;
  void evaluate(Context& context, Index d, Index n, LevelTally& tally);
  void draw(Index d, Index n);
  void visit_children(Context& context, Index d, Index n, LevelTally& tally);
  void combine(Index d, Index n, LevelTally& tally);
  void evaluate_link(Index d, const ConstMatrix& path, const ConstVector& inner, MutVector out) const;

  const NestedProblem& problem_;
  const std::vector<LevelLaw>& laws_;
  std::vector<Stage> stages_;
};

}  // namespace buffon
