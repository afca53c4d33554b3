// SPDX-License-Identifier: BSD-3-Clause
#include <memory>
#include <utility>

#include "../draws/item_numbers.hpp"
#include "centre_rule.hpp"
#include "pruned_centres.hpp"

namespace buffon {
namespace {

/// The draws of the exact rule, with the same uniforms, from sums with the same bits.
class PrunedRule final : public CentreRule {
 public:
  explicit PrunedRule(RuleParts parts) : uniforms_(parts.stream.child("draw")), rows_(std::move(parts.distances)) {}

  std::optional<Index> next(const std::vector<Index>& chosen, SeedingCounts& counts, Context& context) override {
    counts.distances += rows_.track(chosen, context);
    if (!(rows_.total() > 0)) return std::nullopt;
    ++counts.trials;
    return rows_.draw(draws::uniform(uniforms_, chosen.size()));
  }
  std::optional<KnownTotal> known_total() const override { return KnownTotal{rows_.centres(), rows_.total()}; }

 private:
  Stream uniforms_;  ///< item t: the draw of centre t
  PrunedCentres rows_;
};

}  // namespace

std::unique_ptr<CentreRule> make_pruned_rule(RuleParts parts) { return std::make_unique<PrunedRule>(std::move(parts)); }

}  // namespace buffon
