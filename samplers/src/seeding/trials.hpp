// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/core/types.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <span>

#include "centre_scan.hpp"

namespace buffon {

class Context;

/// A proposed row and what its squared distance to every centre must exceed. The uniform of the acceptance is drawn first, so that most
/// trials end after a few distances; the event, hence the law, is that of comparing the uniform with min_c ‖x − c‖² / B(x).
struct Trial {
  Index row = 0;
  double bound = 0;
};

/// Makes the trials first, first + 1, … of a centre. A pure function of their numbers; called from several threads.
using Proposals = std::function<void(std::int64_t first, std::span<Trial> trials)>;

struct TrialRange {
  std::optional<Index> accepted;  ///< row of the lowest accepted trial
  std::int64_t trials = 0;        ///< up to that one, or all
  std::int64_t distances = 0;     ///< evaluated for them
};

/// The trials [first, first + count) of a centre, of which the lowest accepted wins. The same for any number of threads.
TrialRange run_trials(Context& context, std::int64_t first, std::int64_t count, const Proposals& propose, const CentreScan& scan);

}  // namespace buffon
