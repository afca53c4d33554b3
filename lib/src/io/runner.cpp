// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/core/error.hpp>
#include <buffon/io/build_info.hpp>
#include <buffon/io/checkpoint.hpp>
#include <buffon/io/files.hpp>
#include <buffon/io/runner.hpp>
#include <buffon/io/sample_files.hpp>
#include <buffon/model/model.hpp>
#include <buffon/random/stream.hpp>
#include <buffon/stats/chain_tables.hpp>

#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <optional>

#include "json_text.hpp"
#include "rounds.hpp"
#include "shard_writer.hpp"

namespace buffon {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

/// Points replaced since the model was made; a job without a problem has none.
std::int64_t replaced_by(const Problem& problem) { return problem.scenarios().empty() ? 0 : problem.model().replaced(); }

/// Says how many evaluations are not the model's own. The count is that of the rounds that make up the result.
void report_replaced(std::int64_t replaced, double replacement, Outcome& outcome) {
  outcome.diagnostics.push_back({.name = "replaced_points",
                                 .value = replaced,
                                 .meaning = "model evaluations that failed and were replaced by a fixed value (0 = every value is the model's)"});
  if (replaced == 0) return;
  const double share = 100 * static_cast<double>(replaced) / static_cast<double>(outcome.evaluations);
  outcome.warnings.push_back(fmt::format("{} of {} model evaluations ({:.2g} %) failed and were replaced by {}: the estimates are biased by this.", replaced,
                                         outcome.evaluations, share, to_text(replacement)));
}

/// The state of the last round boundaries: in memory often, on disk every `checkpoint_seconds`.
class Saver {
 public:
  /// @param exchange of a divided run, or null
  Saver(const Job& job, RunDirectory& directory, const Context& context, RunExchange* exchange, double seconds_before)
      : job_(job),
        directory_(directory),
        context_(context),
        exchange_(exchange),
        replaced_before_(-replaced_by(job.problem)),
        seconds_before_(seconds_before),
        last_snapshot_(Clock::now()),
        last_write_(last_snapshot_) {}

  double seconds() const { return seconds_before_ + seconds_since(start_); }
  double warmup_seconds() const { return warmup_seconds_; }

  /// Continues from the newest checkpoint. @returns the sentences that people should read
  std::vector<std::string> restore(Method& method) {
    std::vector<std::string> notes;
    RunExchange::Position position;
    if (const auto saved = read_checkpoint(directory_.checkpoints(), job_.digest, notes)) {
      load_state(method, saved->state);
      rounds_ = saved->rounds;
      seconds_before_ = saved->seconds;
      warmup_seconds_ = saved->warmup_seconds;
      replaced_before_ += saved->replaced;
      evaluations_before_ = saved->evaluations;
      position = {saved->loops, saved->blocks};
      directory_.log("info", "resumed", {{"rounds", std::to_string(rounds_)}, {"seconds", to_text(seconds_before_)}});
    }
    if (exchange_ != nullptr) exchange_->restore(position);
    for (const std::string& note : notes) directory_.log("warning", "damaged checkpoint", {{"text", note}});
    warming_up_ = in_warmup(method);
    return notes;
  }

  /// At a round boundary. Copies of a large state are taken so seldom that they cost at most about 2 % of the time.
  void boundary(Method& method) {
    ++rounds_;
    if (warming_up_) {
      warmup_seconds_ = seconds();
      warming_up_ = in_warmup(method);
    }
    const bool write_due = seconds_since(last_write_) >= job_.run.checkpoint_seconds || (exchange_ != nullptr && exchange_->unsaved() > most_unsaved);
    if (write_due || seconds_since(last_snapshot_) >= 50 * snapshot_cost_) snapshot(method);
    if (write_due) write();
  }

  void snapshot(Method& method) {
    const auto before = Clock::now();
    const RunExchange::Position position = exchange_ == nullptr ? RunExchange::Position{} : exchange_->position();
    snapshot_ = {.version = build_info().version,
                 .stream_version = stream_version,
                 .digest = job_.digest,
                 .rounds = rounds_,
                 .seconds = seconds(),
                 .warmup_seconds = warmup_seconds_,
                 .replaced = replaced(),
                 .evaluations = evaluations(),
                 .loops = position.loops,
                 .blocks = position.blocks,
                 .state = save_state(method)};
    last_snapshot_ = Clock::now();
    snapshot_cost_ = seconds_since(before);
    written_ = false;
  }

  /// Puts the last snapshot on disk, unless it is there.
  void write() {
    if (!snapshot_ || written_) return;
    if (exchange_ != nullptr) exchange_->save({snapshot_->loops, snapshot_->blocks});
    write_checkpoint(directory_.checkpoints(), *snapshot_);
    written_ = true;
    last_write_ = Clock::now();
  }

  const Checkpoint& last() const { return *snapshot_; }
  std::int64_t rounds() const { return rounds_; }

  /// Points replaced in the rounds up to this boundary, over all parts of the run.
  std::int64_t replaced() const { return replaced_before_ + replaced_by(job_.problem) + (exchange_ == nullptr ? 0 : exchange_->replaced_elsewhere()); }

  /// Evaluations of this process and of those it goes on from.
  std::int64_t evaluations() const { return evaluations_before_ + context_.evaluations(); }

 private:
  static constexpr std::size_t most_unsaved = std::size_t{64} << 20;

  static bool in_warmup(const Method& method) { return method.progress().warming_up; }

  const Job& job_;
  RunDirectory& directory_;
  const Context& context_;
  RunExchange* exchange_;
  std::optional<Checkpoint> snapshot_;
  bool written_ = false;
  std::int64_t rounds_ = 0, evaluations_before_ = 0;
  std::int64_t replaced_before_;  ///< in earlier parts of the run, less those of the model before this part
  double seconds_before_, warmup_seconds_ = 0, snapshot_cost_ = 0;
  bool warming_up_ = false;
  Clock::time_point start_ = Clock::now(), last_snapshot_, last_write_;
};

void store_failed_point(const RunDirectory& directory, const ModelError& error) {
  nlohmann::ordered_json inputs = nlohmann::ordered_json::object(), outputs = inputs;
  const auto fill = [](nlohmann::ordered_json& into, const std::vector<std::string>& names, const Eigen::VectorXd& values) {
    for (std::size_t i = 0; i < names.size() && static_cast<Index>(i) < values.size(); ++i) {
      const double value = values(static_cast<Index>(i));
      into[names[i]] = std::isfinite(value) ? nlohmann::ordered_json(value) : nlohmann::ordered_json(to_text(value));
    }
  };
  fill(inputs, error.input_names(), error.point());
  fill(outputs, error.output_names(), error.output());
  write_file(directory.file("failed_point.json"),
             io_detail::json_text({{"inputs", inputs}, {"outputs", outputs}, {"reason", error.reason()}, {"error", error.what()}}));
}

Error interrupted(const RunDirectory& directory, std::int64_t rounds) {
  return Error(ErrorCategory::interrupted, {.doing = "running in " + directory.path().string(),
                                            .rule = "stopped on request after round " + std::to_string(rounds) + ", the state is saved",
                                            .remedy = "continue with `buffon resume " + directory.path().string() + "`"});
}

std::string time_over(const Job& job) { return "the time limit of " + to_text(job.run.max_seconds) + " s was reached"; }

void divide(Context& context, RunExchange* exchange, const Job& job) {
  if (exchange == nullptr) return;
  context.set_exchange(exchange);
  exchange->watch(context, [&job] { return replaced_by(job.problem); });
}

Result result_of(const Job& job, const Method& method, const Saver& saver) {
  Result result;
  result.outcome = method.outcome();
  if (result.outcome.chain_draws) complete_chain_outcome(result.outcome);
  if (!job.data && !job.diffusion) report_replaced(saver.replaced(), job.policy.replacement, result.outcome);
  result.derived = derived_estimates(job.derived, result.outcome);
  for (const NamedEstimate& e : result.derived) {
    if (std::isnan(e.estimate.value)) result.outcome.warnings.push_back("The derived quantity " + e.name + " is " + e.note + ".");
  }
  return result;
}

/// A shard knows no estimates: it says what it is and how much it did.
Result result_of_shard(const Job& job, const Saver& saver) {
  Result result;
  result.outcome.diagnostics.push_back(
      {.name = "shard", .value = job.run.shard, .meaning = "this is a part of a run and has no estimates: `buffon merge` joins all parts"});
  result.outcome.evaluations = saver.evaluations();
  result.outcome.stop_reason = "part " + job.run.shard + " of the work is done; `buffon merge` joins the " + std::to_string(job.shard->count) + " parts";
  return result;
}

}  // namespace

Result run_rounds(const Job& job, RunDirectory& directory, std::stop_token stop, RunObserver& observer, const RunParts& parts) {
  std::unique_ptr<Method> method = job.make();
  derived_estimates(job.derived, method->outcome());  // a wrong expression is told now, not after the work
  Context context(static_cast<int>(job.run.threads), stop);
  divide(context, parts.exchange, job);
  Saver saver(job, directory, context, parts.exchange, parts.seconds_before);
  directory.log("info", "started", {{"version", build_info().version}, {"threads", std::to_string(context.threads())}});
  for (const std::string& note : saver.restore(*method)) observer.note(note);
  saver.snapshot(*method);
  if (parts.team != nullptr) parts.team->from_first(encode_checkpoint(saver.last()));

  observer.started(context, method->progress());
  struct End {
    RunObserver& observer;
    ~End() { observer.ended(); }
  } end{observer};

  auto shown = Clock::now();
  bool limited = false;
  try {
    while (true) {
      const bool over = !limited && job.run.max_seconds > 0 && saver.seconds() >= job.run.max_seconds;
      Team::Standing now{.finished = method->finished(), .stop = context.stop_requested(), .limit = over};
      if (parts.team != nullptr) now = parts.team->agree(now);
      if (now.finished) break;
      if (now.stop) {
        saver.snapshot(*method);
        saver.write();
        directory.log("info", "interrupted", {{"rounds", std::to_string(saver.rounds())}});
        throw interrupted(directory, saver.rounds());
      }
      if (now.limit) {
        method->stop(time_over(job));
        limited = true;
        continue;
      }
      try {
        method->step(context);
      } catch (const Error& error) {
        // The object is spoilt in mid-round; what was saved at a boundary stands.
        if (parts.team != nullptr) parts.team->fail(error);
        saver.write();
        if (const auto* failure = dynamic_cast<const ModelError*>(&error)) store_failed_point(directory, *failure);
        if (error.category() != ErrorCategory::interrupted) throw;
        directory.log("info", "interrupted", {{"rounds", std::to_string(saver.rounds())}});
        throw interrupted(directory, saver.rounds());
      }
      saver.boundary(*method);
      if (seconds_since(shown) > 0.05) {
        observer.progressed(method->progress());
        shown = Clock::now();
      }
    }
  } catch (const Error& error) {
    if (error.category() != ErrorCategory::interrupted)
      directory.log("error", "failed", {{"category", std::string(name(error.category()))}, {"text", error.what()}});
    throw;
  }
  observer.progressed(method->progress());
  saver.snapshot(*method);
  saver.write();

  Result result = job.shard ? result_of_shard(job, saver) : result_of(job, *method, saver);
  result.method = job.method;
  result.title = job.title;
  result.seconds = saver.seconds();
  result.warmup_seconds = saver.warmup_seconds();
  result.threads = context.threads();
  result.provenance = provenance(job.seed, job.digest, context.threads());
  result.provenance.insert(result.provenance.end(), result.outcome.ran_on.begin(), result.outcome.ran_on.end());
  result.provenance.insert(result.provenance.end(), parts.provenance.begin(), parts.provenance.end());
  if (job.run.save_draws) {
    std::vector<Table> draws;
    for (const Table& table : result.outcome.tables) {
      if (table.name.starts_with("draws") || table.name.starts_with("weights")) draws.push_back(table);
    }
    write_tables(directory.file("draws"), draws);
  }
  if (result.outcome.chain_draws && !job.run.draws.kinds.empty()) {
    const std::vector<std::string> written = write_draws(directory.file("draws"), *result.outcome.chain_draws,
                                                         {.name = job.method,
                                                          .model = job.method + "_model",
                                                          .resolved = job.resolved,
                                                          .seed = job.seed,
                                                          .version = build_info().version,
                                                          .created_at = utc_now(),
                                                          .warmup_seconds = result.warmup_seconds,
                                                          .sampling_seconds = result.seconds - result.warmup_seconds},
                                                         job.run.draws);
    directory.log("info", "draws", {{"files", std::to_string(written.size())}});
  }
  if (result.outcome.selection) {
    result.selection = write_selection(directory.file("selection"), *result.outcome.selection);
    directory.log("info", "selection", {{"rows", std::to_string(result.selection->rows)}, {"files", std::to_string(result.selection->files.size())}});
  }
  if (result.outcome.samples) {
    result.samples = write_samples(directory.path(), *result.outcome.samples);
    directory.log("info", "samples", {{"count", std::to_string(result.outcome.samples->count)}});
  }
  // The last file of the results: where it stands, everything before it is complete.
  write_file(directory.file("result.json"), encode_result(result));
  directory.log(
      "info", "finished",
      {{"stop_reason", result.outcome.stop_reason}, {"evaluations", std::to_string(result.outcome.evaluations)}, {"seconds", to_text(result.seconds)}});
  return result;
}

Result run_job(const Job& job, RunDirectory& directory, std::stop_token stop, RunObserver& observer, Team* team) {
  if (!job.shard) return run_rounds(job, directory, stop, observer, {.exchange = team, .team = team});
  ShardWriter shard(directory.path(), *job.shard, job.digest);
  return run_rounds(job, directory, stop, observer, {.exchange = &shard, .provenance = {{"shard", job.run.shard}}});
}

void assist_job(const Job& job, Team& team, std::stop_token stop) {
  std::unique_ptr<Method> method = job.make();
  Context context(static_cast<int>(job.run.threads), stop);
  divide(context, &team, job);
  const Checkpoint start = decode_checkpoint(team.from_first(""), "the state that rank 0 sent");
  load_state(*method, start.state);
  team.restore({start.loops, start.blocks});
  while (true) {
    const Team::Standing now = team.agree({.finished = method->finished(), .stop = context.stop_requested()});
    if (now.finished || now.stop) return;
    if (now.limit) {
      method->stop(time_over(job));
    } else {
      method->step(context);
    }
  }
}

}  // namespace buffon
