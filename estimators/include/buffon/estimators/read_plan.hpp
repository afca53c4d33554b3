// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/estimators/read.hpp>
#include <buffon/model/nested_problem.hpp>
#include <buffon/parallel/context.hpp>
#include <buffon/random/stream.hpp>
#include <buffon/stats/outcome.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace buffon {

/// How a plan is made.
struct ReadPlanOptions {
  std::int64_t pilot_evaluations = 10000000;  ///< innermost evaluations that the search may spend, about
};

/// Parameters of READ with the measured variance of a copy.
struct ReadCandidate {
  std::vector<double> rates;
  std::vector<std::int64_t> base_samples;
  double leaves = 1;          ///< expected innermost evaluations of a copy
  double variance = 0;        ///< of a copy, with its sample's standard error:
  double variance_error = 0;  ///< without meaning when the tails are heavy
  double largest_share = 0;   ///< of the squared deviations, in the largest 0.1 % of the copies
  std::int64_t copies = 0;    ///< from which it was measured
  double work_times_variance() const { return leaves * variance; }
};

struct ReadPlan {
  std::vector<ReadCandidate> candidates;  ///< those measured directly; the first one is the proposal, the others by rank
  Table levels;                           ///< mean and variance by depth and level, of the proposal
  std::vector<std::string> warnings;      ///< of a run with the proposal
  std::int64_t evaluations = 0;           ///< innermost evaluations spent

  const ReadCandidate& best() const { return candidates.front(); }
  double std_error(double evaluations) const;         ///< predicted for a budget: √(work × variance / evaluations)
  double needed_evaluations(double std_error) const;  ///< predicted for a target
};

/// Searches rates and base samples of READ, for smooth links, that minimise work × variance: the squared standard error for a
/// budget of one evaluation.
///
/// 1. Depths d ≥ 1, from the innermost: r_d on four places of its range and n0_d ∈ {1, 2, 4, 8} are tried in pilot runs of equal
///    work; the better half goes on with twice the work until one is left. A pilot run serves all r_0 and n0_0 at once: with
///    S_n the mean of Δ_n² and F_n that of g_0(m)² at level n of a run with n0_0 = 1, a copy with r and n0_0 = 2^k has
///
///        E R_0² = F_k / r + Σ_{n ≥ 1} S_{k+n} / (r (1 − r)^n).
///
///    Levels with few nodes are extrapolated with the fitted decay. Candidates are ranked by work × variance plus one standard error.
/// 2. The best of these settings and the defaults are measured directly, the better half again with twice the work, and
///    the smallest work × variance plus one standard error wins.
///
/// With heavy tails variances are underestimated by short runs: see `warnings` and `largest_share`.
/// Random: stream "read_plan". Memory as Read.
/// @throws Error(configuration) when the pilot is too small for the problem's depth
ReadPlan plan_read(std::shared_ptr<const NestedProblem> problem, const ReadPlanOptions& options, const Stream& stream, Context& context);

}  // namespace buffon
