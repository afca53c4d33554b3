// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/core/method.hpp>
#include <buffon/core/options.hpp>
#include <buffon/model/data_set.hpp>
#include <buffon/random/stream.hpp>
#include <buffon/samplers/clustering.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace buffon {

class Context;

enum class SeedingAlgorithm {
  snapshot,          ///< exact: proposes by distances to an earlier set of centres, renewed as trials cost more than a pass
  exact,             ///< exact: one pass over the data per centre
  pruned,            ///< the centres of `exact`, bit for bit, without the distances that two bounds make needless
  rejection,         ///< exact: method 1 of Shah, Agrawal, Jaiswal (2025)
  capped_rejection,  ///< their method 2: at most max_trials, then a uniform row
  greedy,            ///< best of local_trials draws for every centre, as scikit-learn chooses
  kmeans_parallel,   ///< k-means||: a few passes that oversample, then weighted k-means++ on what they kept
  afk_mc2            ///< a Markov chain of chain_length for every centre; not exact
};

/// What to do when the data have fewer distinct rows (of positive weight) than k.
enum class TooFewRows { error, fewer, duplicates };

struct KmeansSeedingOptions {
  std::int64_t k = 0;  ///< centres, 1 … n; required
  SeedingAlgorithm algorithm = SeedingAlgorithm::snapshot;
  TooFewRows too_few = TooFewRows::error;
  std::optional<double> first = {};  ///< row (as numbered in the source) of the first centre; drawn with probability ∝ weight if not given
  std::int64_t max_trials = 200;     ///< capped_rejection: trials per centre
  bool exclude_chosen = false;       ///< capped_rejection: the uniform row is one that was not chosen before
  std::int64_t local_trials = 0;     ///< greedy: candidates per centre; 0 = 2 + ⌊ln k⌋
  std::int64_t rounds = 5;           ///< kmeans_parallel
  double oversampling = 2;           ///< kmeans_parallel: expected rows per round, in multiples of k
  std::int64_t chain_length = 200;   ///< afk_mc2
  bool labels = true;                ///< assign every row to its nearest centre, with distances and cost; costs k distances a row
  std::int64_t lloyd_rounds = 0;     ///< refine the centres by Lloyd's iteration, at most so many rounds
  double lloyd_tolerance = 1e-4;
};
void describe(OptionVisitor& visitor, KmeansSeedingOptions& options);

/// What a seeding spent.
struct SeedingCounts {
  std::int64_t trials = 0;      ///< proposals
  std::int64_t distances = 0;   ///< distance evaluations, passes included
  std::int64_t refreshes = 0;   ///< snapshots taken
  std::int64_t fall_backs = 0;  ///< centres drawn in another way: by weight after max_trials (capped_rejection), by exact D² (afk_mc2)
};

struct KmeansSeedingResult {
  std::vector<Index> rows;           ///< chosen rows of the data set, in draw order
  std::vector<std::int64_t> trials;  ///< for every centre
  SeedingCounts counts;
  std::optional<LloydResult> refined;    ///< when lloyd_rounds > 0
  std::optional<Assignment> assignment;  ///< to the chosen rows (or the refined centres), when labels are asked for
};

/// Chooses k of n rows by D² sampling, the seeding of k-means (Arthur and Vassilvitskii, "k-means++: the advantages of careful seeding", 2007):
/// the first with probability ∝ w, every further one with probability ∝ w_i min_c ‖x_i − x_c‖².
class KmeansSeeding : public Method {
 public:
  KmeansSeeding(std::shared_ptr<const DataSet> data, const KmeansSeedingOptions& options, const Stream& stream);
  ~KmeansSeeding() override;

  void step(Context& context) override;
  bool finished() const override;
  void stop(const std::string& reason) override;
  Progress progress() const override;
  Outcome outcome() const override;
  MemoryNeed memory_need() const override;
  void describe_state(Archive& archive) override;

  KmeansSeedingResult result() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

KmeansSeedingResult kmeans_seeding(std::shared_ptr<const DataSet> data, const KmeansSeedingOptions& options, const Stream& stream, Context& context);

}  // namespace buffon
