// SPDX-License-Identifier: BSD-3-Clause
#include <unistd.h>
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include <buffon/core/error.hpp>

#include "session.hpp"
#include "verbs.hpp"

namespace buffon::cli {
namespace {

struct RunArguments {
  JobRequest job;
  std::string out;
  bool quiet = false;
  bool force = false;
};

/// The copy of the standard input that a run keeps, where it reads one: beside the folder until that is made.
class InputCopy {
 public:
  explicit InputCopy(const std::filesystem::path& folder) : place_(std::filesystem::absolute(folder).lexically_normal()) {
    if (!place_.has_filename()) place_ = place_.parent_path();
    copy_ = place_.parent_path() / ("." + place_.filename().string() + "." + std::to_string(::getpid()) + ".stdin");
  }
  ~InputCopy() {
    std::error_code none;
    std::filesystem::remove(copy_, none);
  }
  InputCopy(const InputCopy&) = delete;
  InputCopy& operator=(const InputCopy&) = delete;

  StandardInput places() const { return {.copy = copy_, .place = place_ / name}; }
  std::vector<std::pair<std::filesystem::path, std::filesystem::path>> adopted() const {
    if (!std::filesystem::exists(copy_)) return {};
    return {{name, copy_}};
  }

 private:
  static constexpr const char* name = "data/standard_input";
  std::filesystem::path place_, copy_;
};

int run(const RunArguments& o, Team* team) {
  // The whole job is read and checked before a folder is made.
  std::string stem = o.job.file.empty() ? o.job.method : std::filesystem::path(o.job.file).stem().string();
  const auto folder = [&] { return o.out.empty() ? default_run_directory(stem) : std::filesystem::path(o.out); };
  // A method that reads data is never divided into shards, so that this is where the run will be.
  std::filesystem::path out = folder();
  const InputCopy input(out);
  const Job checked = o.job.read({}, input.places());
  if (team != nullptr && checked.shard) {
    throw Error(ErrorCategory::usage, {.doing = "starting on " + std::to_string(team->participants()) + " ranks",
                                       .key = "--shard",
                                       .value = checked.run.shard,
                                       .rule = "a shard is one process",
                                       .remedy = "give either several ranks or --shard"});
  }
  if (checked.shard) {
    stem += ".shard-" + std::to_string(checked.shard->index) + "-of-" + std::to_string(checked.shard->count);
    out = folder();
  }
  RunDirectory directory = RunDirectory::create(
      out, checked.resolved, o.job.text(),
      {.file = o.job.file, .base_directory = o.job.base_directory(), .overrides = o.job.overrides(), .digest = checked.digest}, o.force, input.adopted());
  if (!o.quiet) {
    const std::string ranks = team == nullptr ? "" : " on " + std::to_string(team->participants()) + " ranks";
    std::fprintf(stderr, "buffon: running %s in %s%s\n", checked.method.c_str(), directory.path().c_str(), ranks.c_str());
  }
  // Read again from the folder: a resumed run will do the same.
  return run_to_summary(stored_job(directory), directory, o.quiet, team);
}

}  // namespace

void add_run(CLI::App& app, Action& action) {
  auto* verb = app.add_subcommand("run", "Run a job and write its results and report into a directory; also under mpirun, or as one of several shards");
  auto o = std::make_shared<RunArguments>();
  verb->add_option("job", o->job.file, "job file (TOML or JSON)");
  verb->add_option("--method", o->job.method, "run this method without a job file, keys by --set; the seed is 1 unless given");
  verb->add_option("--out,-o", o->out, "run directory (default: JOB.out here, numbered when it exists)");
  verb->add_option("--set", o->job.set, "override a key: section.key=value (repeatable)")->allow_extra_args(false);
  verb->add_option_function<std::string>(
          "--threads", [o](const std::string& text) { o->job.threads = whole_number("--threads", text); },
          "worker threads, 0 = every CPU (never changes the numbers)")
      ->type_name("INT");
  verb->add_option_function<std::string>(
          "--seed", [o](const std::string& text) { o->job.seed = whole_number("--seed", text); }, "seed of the random numbers")
      ->type_name("INT");
  verb->add_option_function<std::string>(
          "--shard", [o](const std::string& text) { o->job.shard = text == "auto" ? shard_of_array() : text; },
          "do part k of K alone, to be joined by `buffon merge`; auto = as the SLURM array says")
      ->type_name("k/K");
  verb->add_flag("--quiet,-q", o->quiet, "no progress and no summary; warnings still go to stderr");
  verb->add_flag("--force", o->force, "replace the run that the directory holds");
  verb->callback([o, &action] { action = [o] { return with_team([o](Team* team) { return run(*o, team); }); }; });
}

}  // namespace buffon::cli
