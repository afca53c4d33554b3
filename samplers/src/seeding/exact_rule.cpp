// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/samplers/nearest_centres.hpp>

#include <utility>

#include "../draws/item_numbers.hpp"
#include "centre_rule.hpp"

namespace buffon {
namespace {

class ExactRule final : public CentreRule {
 public:
  explicit ExactRule(RuleParts parts) : uniforms_(parts.stream.child("draw")), nearest_(std::move(parts.distances)) {}

  std::optional<Index> next(const std::vector<Index>& chosen, SeedingCounts& counts, Context& context) override {
    nearest_.add(context, std::span(chosen).subspan(nearest_.centres().size()));
    counts.distances += nearest_.distances().rows();
    if (!(nearest_.total() > 0)) return std::nullopt;
    ++counts.trials;
    return nearest_.draw(draws::uniform(uniforms_, chosen.size()));
  }
  std::optional<KnownTotal> known_total() const override { return KnownTotal{static_cast<std::int64_t>(nearest_.centres().size()), nearest_.total()}; }

 private:
  Stream uniforms_;  ///< item t: the draw of centre t
  NearestCentres nearest_;
};

}  // namespace

std::unique_ptr<CentreRule> make_exact_rule(RuleParts parts) { return std::make_unique<ExactRule>(std::move(parts)); }

}  // namespace buffon
