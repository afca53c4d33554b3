// SPDX-License-Identifier: BSD-3-Clause
#include "snapshot_rule.hpp"

#include <buffon/core/archive.hpp>
#include <buffon/samplers/nearest_centres.hpp>

#include <algorithm>
#include <utility>
#include <variant>

#include "trials.hpp"

namespace buffon {
namespace {

/// Trials between two looks at the costs, at most.
constexpr double most_at_once = 1 << 14;

/// Proposes i with probability ∝ w_i D_i, D the squared distances to the first s centres, and accepts with probability Δ_i / D_i, Δ the distances to
/// all: whatever s is, as long as it depends on the past only, the accepted row has probability ∝ w_i Δ_i.
class SnapshotRule final : public CentreRule {
 public:
  SnapshotRule(RuleParts parts, const SnapshotCosts& costs)
      : distances_(parts.distances),
        trials_(parts.stream.child("trials")),
        costs_(costs),
        k_(parts.options.k),
        snapshot_(parts.distances),
        scan_(parts.distances) {}

  std::optional<Index> next(const std::vector<Index>& chosen, SeedingCounts& counts, Context& context) override {
    if (size_ == 0) {
      renew(chosen, counts, context);
    } else if (snapshot_.centres().empty()) {  // loaded
      snapshot_.add(context, std::span(chosen).first(static_cast<std::size_t>(size_)));
    }
    for (std::size_t i = scan_.centres().size() + static_cast<std::size_t>(size_); i < chosen.size(); ++i) scan_.add(chosen[i]);

    const Stream stream = trials_.peek("centre", chosen.size());
    const Proposals propose = [&](std::int64_t first, std::span<Trial> trials) {
      Eigen::Matrix<double, 2, Eigen::Dynamic, 0, 2, 64> u(2, static_cast<Index>(trials.size()));
      stream.uniforms(static_cast<std::uint64_t>(first), u);
      for (std::size_t i = 0; i < trials.size(); ++i) {
        trials[i].row = snapshot_.draw(u(0, static_cast<Index>(i)));
        trials[i].bound = u(1, static_cast<Index>(i)) * snapshot_.squared(trials[i].row);
      }
    };
    const auto fresh = static_cast<double>(chosen.size()) - static_cast<double>(size_);
    const double renewal = static_cast<double>(distances_->rows()) * (costs_.rebuild + costs_.pass * fresh);
    const auto to_come = static_cast<double>(k_) - static_cast<double>(chosen.size());
    std::int64_t done = 0;
    double before = spent_;
    for (;;) {
      if (!(snapshot_.total() > 0)) return std::nullopt;
      const double until_renewal = std::clamp((costs_.most * renewal - spent_) / (2 * costs_.trial), 0.0, most_at_once);
      const TrialRange range = run_trials(context, done, std::max(costs_.range, static_cast<std::int64_t>(until_renewal)), propose, scan_);
      done += range.trials;
      counts.trials += range.trials;
      counts.distances += range.distances;
      spent_ += costs_.trial * static_cast<double>(range.trials) + costs_.distance * static_cast<double>(range.distances);
      if (range.accepted) return range.accepted;
      const double per_centre = std::max(spent_ / (fresh + 1), spent_ - before);
      if (spent_ > costs_.most * renewal || (spent_ > costs_.share * renewal && to_come * per_centre > renewal)) {
        renew(chosen, counts, context);
        before = 0;
      }
    }
  }

  std::optional<KnownTotal> known_total() const override { return KnownTotal{size_, snapshot_.total()}; }

  void describe_state(Archive& archive) override {
    archive.item("snapshot_size", size_);
    archive.item("spent", spent_);
  }

 private:
  void renew(const std::vector<Index>& chosen, SeedingCounts& counts, Context& context) {
    const auto fresh = std::span(chosen).subspan(static_cast<std::size_t>(size_));
    snapshot_.add(context, fresh);
    counts.distances += distances_->rows() * static_cast<std::int64_t>(fresh.size());
    ++counts.refreshes;
    size_ = static_cast<std::int64_t>(chosen.size());
    spent_ = 0;
    scan_.clear();
  }

  std::shared_ptr<const RowDistances> distances_;
  Stream trials_;  ///< child "centre", t: item j is trial j of centre t
  SnapshotCosts costs_;
  std::int64_t k_;
  std::int64_t size_ = 0;  ///< centres in the snapshot
  double spent_ = 0;       ///< on trials since it was taken
  NearestCentres snapshot_;
  CentreScan scan_;  ///< the centres since
};

}  // namespace

SnapshotCosts SnapshotCosts::of(const DataSet& data) {
  SnapshotCosts costs;
  if (data.sparse()) {
    const auto entries = static_cast<double>(std::visit(
        [](const auto& x) -> std::int64_t {
          if constexpr (requires { x.first; }) return x.first[x.rows];
          return 0;
        },
        data.numbers()));
    costs.pass = costs.distance = 5 + 4 * entries / static_cast<double>(data.rows());
    return costs;
  }
  const auto d = static_cast<double>(data.columns());
  costs.trial = 150 + 0.1 * d;
  costs.distance = 0.5 + 0.1 * d;
  costs.pass = 0.07 + 0.033 * d;
  costs.rebuild = 0.1 + 0.1 * d;
  return costs;
}

std::unique_ptr<CentreRule> make_snapshot_rule(RuleParts parts, const SnapshotCosts& costs) { return std::make_unique<SnapshotRule>(std::move(parts), costs); }

std::unique_ptr<CentreRule> make_snapshot_rule(RuleParts parts) {
  const SnapshotCosts costs = SnapshotCosts::of(parts.distances->data());
  return make_snapshot_rule(std::move(parts), costs);
}

}  // namespace buffon
