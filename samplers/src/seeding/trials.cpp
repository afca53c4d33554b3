// SPDX-License-Identifier: BSD-3-Clause
#include "trials.hpp"

#include <buffon/parallel/blocks.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <vector>

namespace buffon {
namespace {

/// Trials whose proposals are made at once.
constexpr std::int64_t batch = 32;
/// Trials of a block of the parallel loop, and trials from which on it pays.
constexpr std::int64_t block_size = 256, parallel_from = 1024;

TrialRange run_serially(std::int64_t first, std::int64_t count, const Proposals& propose, const CentreScan& scan) {
  TrialRange range;
  std::array<Trial, batch> trials;
  while (range.trials < count) {
    // small at first: a trial may well be accepted at once
    const std::int64_t n = std::min({count - range.trials, batch, std::max<std::int64_t>(4, range.trials)});
    propose(first + range.trials, std::span(trials.data(), static_cast<std::size_t>(n)));
    for (std::int64_t i = 0; i < n; ++i) scan.prefetch(trials[static_cast<std::size_t>(i)].row);
    for (std::int64_t i = 0; i < n; ++i) {
      const Trial& trial = trials[static_cast<std::size_t>(i)];
      ++range.trials;
      if (!scan.beyond(trial.row, trial.bound, range.distances)) continue;
      range.accepted = trial.row;
      return range;
    }
  }
  return range;
}

}  // namespace

TrialRange run_trials(Context& context, std::int64_t first, std::int64_t count, const Proposals& propose, const CentreScan& scan) {
  if (context.threads() == 1 || count < parallel_from) {
    context.throw_if_stopped();
    return run_serially(first, count, propose, scan);
  }
  std::vector<TrialRange> parts(static_cast<std::size_t>(block_count(count, block_size)));
  std::atomic<std::int64_t> lowest{block_count(count, block_size)};  // block with an accepted trial
  for_blocks(context, count, block_size, [&](const Block& block) {
    if (lowest.load(std::memory_order_relaxed) < block.index) return;
    TrialRange& part = parts[static_cast<std::size_t>(block.index)];
    part = run_serially(first + block.begin, block.size(), propose, scan);
    if (!part.accepted) return;
    std::int64_t before = lowest.load();
    while (block.index < before && !lowest.compare_exchange_weak(before, block.index)) {
    }
  });
  TrialRange range;
  for (const TrialRange& part : parts) {
    range.trials += part.trials;
    range.distances += part.distances;
    range.accepted = part.accepted;
    if (range.accepted) break;
  }
  return range;
}

}  // namespace buffon
