// SPDX-License-Identifier: BSD-3-Clause
#include <cmath>
#include <utility>

#include "centre_rule.hpp"
#include "pruned_centres.hpp"

namespace buffon {
namespace {

/// Greedy k-means++ as scikit-learn has it: of L independent D² draws the one that leaves the lowest total, the first of equals.
class GreedyRule final : public CentreRule {
 public:
  explicit GreedyRule(RuleParts parts)
      : uniforms_(parts.stream.child("candidates")), candidates_(candidates_of(parts.options)), rows_(std::move(parts.distances)) {}

  std::optional<Index> next(const std::vector<Index>& chosen, SeedingCounts& counts, Context& context) override {
    counts.distances += rows_.track(chosen, context, candidates_ > 1);
    if (!(rows_.total() > 0)) return std::nullopt;
    Eigen::MatrixXd u(candidates_, 1);
    uniforms_.uniforms(chosen.size(), u);
    std::vector<Index> candidates;
    for (Index i = 0; i < candidates_; ++i) candidates.push_back(rows_.draw(u(i, 0)));
    counts.trials += candidates_;
    return candidates_ == 1 ? candidates.front() : rows_.best(candidates, counts.distances, context);
  }
  std::optional<KnownTotal> known_total() const override { return KnownTotal{rows_.centres(), rows_.total()}; }

 private:
  static Index candidates_of(const KmeansSeedingOptions& o) {
    return o.local_trials > 0 ? o.local_trials : 2 + static_cast<std::int64_t>(std::log(static_cast<double>(o.k)));
  }

  Stream uniforms_;  ///< item t: the candidates of centre t
  Index candidates_;
  PrunedCentres rows_;
};

}  // namespace

std::unique_ptr<CentreRule> make_greedy_rule(RuleParts parts) { return std::make_unique<GreedyRule>(std::move(parts)); }

}  // namespace buffon
