// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/samplers/kmeans_seeding.hpp>
#include <buffon/samplers/row_distances.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace buffon {

class Archive;

/// One way of choosing the next centre. Random numbers are addressed by (centre, trial) in children of the stream. What a rule keeps about the data
/// (snapshots, tables) follows from the chosen rows and the little state that it lists: it is computed anew after loading.
class CentreRule {
 public:
  virtual ~CentreRule() = default;

  /// The centre after the `chosen` ones, of which there is at least one; nothing when every row of positive weight lies on a centre.
  /// Adds to the counts; counts.trials grows by at least 1 for every centre. Work that only restores what a loaded rule knew is not counted again.
  virtual std::optional<Index> next(const std::vector<Index>& chosen, SeedingCounts& counts, Context& context) = 0;

  /// Σ w_i D_i for the first `centres` centres.
  struct KnownTotal {
    std::int64_t centres = 0;
    double total = 0;
  };
  /// What the last pass over all rows found, if there was one.
  virtual std::optional<KnownTotal> known_total() const { return std::nullopt; }

  virtual void describe_state(Archive&) {}
};

struct RuleParts {
  std::shared_ptr<const RowDistances> distances;
  KmeansSeedingOptions options;
  Stream stream;
};

std::unique_ptr<CentreRule> make_snapshot_rule(RuleParts parts);
std::unique_ptr<CentreRule> make_exact_rule(RuleParts parts);
std::unique_ptr<CentreRule> make_pruned_rule(RuleParts parts);
std::unique_ptr<CentreRule> make_rejection_rule(RuleParts parts);  ///< both methods of the paper
std::unique_ptr<CentreRule> make_greedy_rule(RuleParts parts);
std::unique_ptr<CentreRule> make_kmeans_parallel_rule(RuleParts parts);
std::unique_ptr<CentreRule> make_afk_mc2_rule(RuleParts parts);

}  // namespace buffon
