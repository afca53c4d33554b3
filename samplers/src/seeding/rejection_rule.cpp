// SPDX-License-Identifier: BSD-3-Clause
#include "rejection_rule.hpp"

#include <buffon/core/archive.hpp>
#include <buffon/parallel/context.hpp>
#include <buffon/random/variates.hpp>
#include <buffon/samplers/nearest_centres.hpp>
#include <buffon/stats/sum.hpp>

#include <algorithm>
#include <array>
#include <unordered_set>
#include <utility>

#include "../draws/item_numbers.hpp"

namespace buffon {

WeightedRows::WeightedRows(const DataSet& data) : rows_(data.rows()), drawable_(data.rows()) {
  if (!data.weighted()) return;
  const std::vector<double>& weights = data.about().weights;
  table_.emplace(weights);
  drawable_ = std::count_if(weights.begin(), weights.end(), [](double w) { return w > 0; });
}

Index WeightedRows::draw(const Stream& stream, std::uint64_t item) const {
  if (table_) return table_->draw(stream, item);
  return static_cast<Index>(uniform_integer(stream, item, static_cast<std::uint64_t>(rows_)));
}

NormProposals::NormProposals(const RowDistances& distances, Index first_centre, const Stream& stream, Context& context)
    : stream_(stream),
      squared_(distances.squared_from_mean(context)),
      of_first_(squared_[static_cast<std::size_t>(first_centre)]),
      by_weight_(distances.data()) {
  const DataSet& data = distances.data();
  std::vector<double> shares(squared_);
  if (data.weighted()) {
    for (Index i = 0; i < data.rows(); ++i) shares[static_cast<std::size_t>(i)] *= data.weight(i);
  }
  spread_ = sum(context, shares);
  uniform_ = of_first_ * (data.weighted() ? sum(context, data.about().weights) : static_cast<double>(data.rows()));
  if (spread_ > 0) by_norm_.emplace(shares);
}

void NormProposals::make(std::uint64_t centre, std::int64_t first, std::span<Trial> trials) const {
  const Stream stream = stream_.peek("centre", centre), norms = stream.peek("norms"), rows = stream.peek("rows");
  const auto item = static_cast<std::uint64_t>(first);
  Eigen::MatrixXd u(2, static_cast<Index>(trials.size()));
  stream.uniforms(item, u);
  for (std::size_t i = 0; i < trials.size(); ++i) {
    Trial& trial = trials[i];
    const bool spread = u(0, static_cast<Index>(i)) * total() < spread_;
    trial.row = spread ? by_norm_->draw(norms, item + i) : by_weight_.draw(rows, item + i);
    trial.bound = u(1, static_cast<Index>(i)) * 2 * (squared_[static_cast<std::size_t>(trial.row)] + of_first_);
  }
}

namespace {

class RejectionRule final : public CentreRule {
 public:
  explicit RejectionRule(RuleParts parts)
      : distances_(parts.distances),
        trials_(parts.stream.child("trials")),
        last_(parts.stream.child("last")),
        capped_(parts.options.algorithm == SeedingAlgorithm::capped_rejection),
        exclude_chosen_(parts.options.exclude_chosen),
        most_(capped_ ? parts.options.max_trials : parts.distances->rows()),
        by_weight_(parts.distances->data()),
        scan_(parts.distances) {}

  std::optional<Index> next(const std::vector<Index>& chosen, SeedingCounts& counts, Context& context) override {
    if (!proposals_) proposals_.emplace(*distances_, chosen.front(), trials_, context);
    if (!(proposals_->total() > 0)) return std::nullopt;
    for (std::size_t i = scan_.centres().size(); i < chosen.size(); ++i) scan_.add(chosen[i]);
    const std::uint64_t centre = chosen.size();
    const Proposals propose = [&](std::int64_t first, std::span<Trial> trials) { proposals_->make(centre, first, trials); };
    for (std::int64_t done = 0; done < most_;) {
      const TrialRange range = run_trials(context, done, std::min(most_ - done, std::max<std::int64_t>(64, done)), propose, scan_);
      done += range.trials;
      counts.trials += range.trials;
      counts.distances += range.distances;
      if (range.accepted) return range.accepted;
    }
    return capped_ ? fall_back(chosen, counts, context) : draw_itself(chosen, counts, context);
  }

  std::optional<KnownTotal> known_total() const override {
    if (!nearest_) return std::nullopt;
    return KnownTotal{static_cast<std::int64_t>(nearest_->centres().size()), nearest_->total()};
  }

  void describe_state(Archive& archive) override {
    archive.item("passed", passed_);
    archive.item("witness", witness_);
  }

 private:
  /// Σ w D after a pass over all rows with the centres that the last one did not know; a loaded rule computes all of them anew.
  double all_distances(const std::vector<Index>& chosen, SeedingCounts& counts, Context& context) {
    counts.distances += distances_->rows() * (static_cast<std::int64_t>(chosen.size()) - passed_);
    ++counts.refreshes;
    passed_ = static_cast<std::int64_t>(chosen.size());
    if (!nearest_) nearest_ = std::make_unique<NearestCentres>(distances_);
    nearest_->add(context, std::span(chosen).subspan(nearest_->centres().size()));
    return nearest_->total();
  }

  /// After as many trials as there are rows the draw itself is cheaper, and has the same law.
  std::optional<Index> draw_itself(const std::vector<Index>& chosen, SeedingCounts& counts, Context& context) {
    if (!(all_distances(chosen, counts, context) > 0)) return std::nullopt;
    return nearest_->draw(draws::uniform(last_, chosen.size()));
  }

  std::optional<Index> fall_back(const std::vector<Index>& chosen, SeedingCounts& counts, Context& context) {
    const Stream stream = last_.peek("centre", chosen.size());
    const std::unordered_set<Index> excluded(chosen.begin(), exclude_chosen_ ? chosen.end() : chosen.begin());
    if (by_weight_.drawable() == std::count_if(excluded.begin(), excluded.end(), [&](Index i) { return distances_->data().weight(i) > 0; }))
      return std::nullopt;
    constexpr std::uint64_t redraws = 64;
    Index row = by_weight_.draw(stream, 0);
    for (std::uint64_t item = 1; excluded.contains(row) && item < redraws; ++item) row = by_weight_.draw(stream, item);
    if (excluded.contains(row)) row = draw_among_others(excluded, draws::uniform(stream.peek("others"), 0));
    // A row on a centre tells that there may be no others; a witness, a row that is known to lie on none, that there are.
    if (!scan_.beyond(row, 0, counts.distances) && (witness_ < 0 || !scan_.beyond(static_cast<Index>(witness_), 0, counts.distances))) {
      if (!(all_distances(chosen, counts, context) > 0)) return std::nullopt;
      witness_ = nearest_->draw(0.5);
    }
    ++counts.fall_backs;
    return row;
  }

  /// The draw by weight given that it is none of the excluded rows, by a pass over the weights.
  Index draw_among_others(const std::unordered_set<Index>& excluded, double u) const {
    const DataSet& data = distances_->data();
    const auto weight = [&](Index i) { return excluded.contains(i) ? 0 : data.weight(i); };
    double total = 0;
    for (Index i = 0; i < data.rows(); ++i) total += weight(i);
    double sum = 0;
    Index last = 0;
    for (Index i = 0; i < data.rows(); ++i) {
      if (!(weight(i) > 0)) continue;
      last = i;
      sum += weight(i);
      if (sum > u * total) break;
    }
    return last;
  }

  std::shared_ptr<const RowDistances> distances_;
  Stream trials_;
  Stream last_;  ///< item t, or child "centre", t: the draw of centre t after its trials
  bool capped_, exclude_chosen_;
  std::int64_t most_;          ///< trials of a centre
  std::int64_t passed_ = 0;    ///< centres that the last pass knew
  std::int64_t witness_ = -1;  ///< a row that the last pass found on no centre
  std::optional<NormProposals> proposals_;
  WeightedRows by_weight_;
  CentreScan scan_;
  std::unique_ptr<NearestCentres> nearest_;  ///< as of the last pass
};

}  // namespace

std::unique_ptr<CentreRule> make_rejection_rule(RuleParts parts) { return std::make_unique<RejectionRule>(std::move(parts)); }

}  // namespace buffon
