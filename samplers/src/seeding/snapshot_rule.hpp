// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <memory>

#include "centre_rule.hpp"

namespace buffon {

/// When the snapshot is renewed. Costs are in units of one distance of a pass over all rows in order.
struct SnapshotCosts {
  double trial = 100;       ///< a proposal: random numbers, a search, a row that is not in cache
  double distance = 10;     ///< a distance of a trial
  double rebuild = 2;       ///< a pass by itself, per row
  double share = 0.25;      ///< renewed when the trials since the last snapshot cost more than this share of the renewal
  std::int64_t range = 64;  ///< trials between two looks at the costs

  /// For rows of d numbers.
  static SnapshotCosts of(Index columns);
};

std::unique_ptr<CentreRule> make_snapshot_rule(RuleParts parts, const SnapshotCosts& costs);

}  // namespace buffon
