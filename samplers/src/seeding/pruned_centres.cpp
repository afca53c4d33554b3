// SPDX-License-Identifier: BSD-3-Clause
#include "pruned_centres.hpp"

#include <algorithm>
#include <utility>

namespace buffon {

std::int64_t PrunedCentres::track(const std::vector<Index>& chosen, Context& context, bool counted) {
  if (!first_ && !groups_) first_ = std::make_unique<NearestCentres>(distances_, true);
  std::int64_t evaluations = 0;
  if (first_) {
    const std::size_t known = first_->centres().size();
    first_->add(context, std::span(chosen).subspan(known, std::min(chosen.size(), grouped_from) - known));
    evaluations = distances_->rows();
    if (chosen.size() < grouped_from) return evaluations;
    groups_ = std::make_unique<GroupedRows>(distances_, *first_, context);
    first_.reset();
  }
  for (std::size_t t = groups_->centres(); t < chosen.size(); ++t) {
    if (!next_ || next_->centre != chosen[t]) next_ = groups_->lowering(context, chosen[t]);
    evaluations = counted ? 0 : next_->evaluations;
    groups_->add(*next_);
    next_.reset();
  }
  return evaluations;
}

Index PrunedCentres::best(std::span<const Index> candidates, std::int64_t& evaluations, Context& context) {
  if (first_) {
    evaluations += distances_->rows() * static_cast<std::int64_t>(candidates.size());
    const std::vector<double> totals = first_->totals_with(context, candidates);
    return candidates[static_cast<std::size_t>(std::min_element(totals.begin(), totals.end()) - totals.begin())];
  }
  next_.reset();
  for (const Index candidate : candidates) {
    GroupedRows::Lowering lowering = groups_->lowering(context, candidate);
    evaluations += lowering.evaluations;
    if (!next_ || lowering.gain > next_->gain) next_ = std::move(lowering);
  }
  return next_->centre;
}

}  // namespace buffon
