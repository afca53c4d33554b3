// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/io/job.hpp>
#include <buffon/io/result.hpp>
#include <buffon/io/run_directory.hpp>
#include <buffon/io/run_exchange.hpp>
#include <buffon/parallel/context.hpp>
#include <buffon/stats/outcome.hpp>

#include <memory>
#include <stop_token>
#include <string>
#include <vector>

namespace buffon {

/// Watches a run; called from the thread that runs it.
class RunObserver {
 public:
  virtual ~RunObserver() = default;
  /// Before the first round of this process. `context` lives until `ended`; its evaluations may be read from another thread.
  virtual void started(const Context& context, const Progress& progress) = 0;
  /// Between rounds, at most about 20 times a second.
  virtual void progressed(const Progress& progress) = 0;
  /// Something that people should read now.
  virtual void note(const std::string& sentence) = 0;
  /// After the last round of this process, also when it failed.
  virtual void ended() = 0;
};

/// Runs a job inside its directory from the newest checkpoint, or from the start, to its end, and writes result.json (and
/// draws/ where asked for). A checkpoint is written at the first round boundary after `checkpoint_seconds`, and whenever
/// the run stops for any reason, so that at most the rounds since then are done again.
/// @throws Error(interrupted) when `stop` fired: the state of the last round boundary is then on disk
/// @throws what the method throws; the state is on disk too, and a ModelError leaves its point in failed_point.json
/// @param team of which this process is rank 0, or null. A job that is a shard does its part and has no estimates.
Result run_job(const Job& job, RunDirectory& directory, std::stop_token stop, RunObserver& observer, Team* team = nullptr);

/// The other ranks of a team, while rank 0 is in `run_job`: they do their blocks and write nothing.
/// @throws what fails here or, on every rank, what failed at another
void assist_job(const Job& job, Team& team, std::stop_token stop);

/// The derived quantities of a job from its estimates and their covariance, by the delta method.
/// @throws Error(configuration) for an expression that cannot be read or names an unknown estimate
std::vector<NamedEstimate> derived_estimates(const std::vector<DerivedQuantity>& derived, const Outcome& outcome);

/// A stop source that fires on SIGINT, SIGTERM and SIGUSR1 while this object lives; a second SIGINT ends the process at
/// once with status 130 (other repeated signals are ignored: batch systems send them while the state is being saved). At
/// most one may live at a time.
class SignalStop {
 public:
  SignalStop();
  ~SignalStop();
  SignalStop(const SignalStop&) = delete;
  SignalStop& operator=(const SignalStop&) = delete;
  std::stop_token token() const;
  /// Name of the signal that came, empty = none.
  std::string signal_name() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace buffon
