// SPDX-License-Identifier: BSD-3-Clause
#include "snapshot_rule.hpp"

#include <buffon/core/archive.hpp>
#include <buffon/samplers/nearest_centres.hpp>

#include <algorithm>
#include <utility>

#include "trials.hpp"

namespace buffon {
namespace {

/// Proposes i with probability ∝ w_i D_i, D the squared distances to the first s centres, and accepts with probability Δ_i / D_i, Δ the distances to
/// all: whatever s is, as long as it depends on the past only, the accepted row has probability ∝ w_i Δ_i.
class SnapshotRule final : public CentreRule {
 public:
  SnapshotRule(RuleParts parts, const SnapshotCosts& costs)
      : distances_(parts.distances), trials_(parts.stream.child("trials")), costs_(costs), snapshot_(parts.distances), scan_(parts.distances) {}

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
    std::int64_t done = 0;
    for (;;) {
      if (!(snapshot_.total() > 0)) return std::nullopt;
      const TrialRange range = run_trials(context, done, costs_.range, propose, scan_);
      done += range.trials;
      counts.trials += range.trials;
      counts.distances += range.distances;
      spent_ += costs_.trial * static_cast<double>(range.trials) + costs_.distance * static_cast<double>(range.distances);
      if (range.accepted) return range.accepted;
      const auto renewal = static_cast<double>(distances_->rows()) * (costs_.rebuild + static_cast<double>(chosen.size()) - static_cast<double>(size_));
      if (spent_ > costs_.share * renewal) renew(chosen, counts, context);
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
  std::int64_t size_ = 0;  ///< centres in the snapshot
  double spent_ = 0;       ///< on trials since it was taken
  NearestCentres snapshot_;
  CentreScan scan_;  ///< the centres since
};

}  // namespace

SnapshotCosts SnapshotCosts::of(Index) { return {}; }

std::unique_ptr<CentreRule> make_snapshot_rule(RuleParts parts, const SnapshotCosts& costs) { return std::make_unique<SnapshotRule>(std::move(parts), costs); }

std::unique_ptr<CentreRule> make_snapshot_rule(RuleParts parts) {
  const SnapshotCosts costs = SnapshotCosts::of(parts.distances->data().columns());
  return make_snapshot_rule(std::move(parts), costs);
}

}  // namespace buffon
