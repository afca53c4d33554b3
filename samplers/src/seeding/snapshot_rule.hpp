// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <memory>

#include "centre_rule.hpp"

namespace buffon {

/// When the snapshot is renewed: costs in nanoseconds of one machine, of which only the ratios matter. A renewal of n rows with m new centres costs
/// n (rebuild + m pass). It is made when the trials since the last one cost more than `most` of it, which bounds the whole in terms of exact seeding, or
/// more than `share` of it if the centres still to come would cost more than all of it at the present rate.
struct SnapshotCosts {
  double trial = 150;   ///< a proposal: random numbers, a search, a row that is not in cache
  double distance = 1;  ///< a distance of a trial
  double pass = 1;      ///< a distance of a pass over all rows
  double rebuild = 1;   ///< per row: a pass by itself
  double share = 0.1, most = 0.5;
  std::int64_t range = 64;  ///< trials between two looks at the costs, at least

  static SnapshotCosts of(const DataSet& data);
};

std::unique_ptr<CentreRule> make_snapshot_rule(RuleParts parts, const SnapshotCosts& costs);

}  // namespace buffon
