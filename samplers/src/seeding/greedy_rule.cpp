// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/samplers/nearest_centres.hpp>

#include <algorithm>
#include <cmath>
#include <utility>

#include "centre_rule.hpp"

namespace buffon {
namespace {

/// Greedy k-means++ as scikit-learn has it: of L independent D² draws the one that leaves the lowest total, the first of equals.
class GreedyRule final : public CentreRule {
 public:
  explicit GreedyRule(RuleParts parts)
      : uniforms_(parts.stream.child("candidates")),
        candidates_(parts.options.local_trials > 0 ? parts.options.local_trials
                                                   : 2 + static_cast<std::int64_t>(std::log(static_cast<double>(parts.options.k)))),
        nearest_(std::move(parts.distances)) {}

  std::optional<Index> next(const std::vector<Index>& chosen, SeedingCounts& counts, Context& context) override {
    nearest_.add(context, std::span(chosen).subspan(nearest_.centres().size()));
    counts.distances += nearest_.distances().rows();
    if (!(nearest_.total() > 0)) return std::nullopt;
    Eigen::MatrixXd u(candidates_, 1);
    uniforms_.uniforms(chosen.size(), u);
    std::vector<Index> rows;
    for (Index i = 0; i < candidates_; ++i) rows.push_back(nearest_.draw(u(i, 0)));
    counts.trials += candidates_;
    if (candidates_ == 1) return rows.front();
    const std::vector<double> totals = nearest_.totals_with(context, rows);
    counts.distances += candidates_ * nearest_.distances().rows();
    return rows[static_cast<std::size_t>(std::min_element(totals.begin(), totals.end()) - totals.begin())];
  }
  std::optional<KnownTotal> known_total() const override { return KnownTotal{static_cast<std::int64_t>(nearest_.centres().size()), nearest_.total()}; }

 private:
  Stream uniforms_;  ///< item t: the candidates of centre t
  Index candidates_;
  NearestCentres nearest_;
};

}  // namespace

std::unique_ptr<CentreRule> make_greedy_rule(RuleParts parts) { return std::make_unique<GreedyRule>(std::move(parts)); }

}  // namespace buffon
