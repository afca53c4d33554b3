// SPDX-License-Identifier: BSD-3-Clause
#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>

#include <buffon/core/error.hpp>

#include "session.hpp"
#include "verbs.hpp"

namespace buffon::cli {
namespace {

struct ResumeArguments {
  std::string directory;
  std::optional<std::int64_t> threads;
  bool quiet = false;
};

/// The data lie outside of the folder and may have changed under the run.
void check_unchanged(const Job& job, const RunDirectory& directory) {
  const std::string digest = directory.origin().digest;
  if (!job.data || digest.empty() || digest == job.digest) return;
  throw Error(ErrorCategory::data, {.doing = "resuming " + directory.path().string(),
                                    .key = "data.file",
                                    .value = job.data->about().source,
                                    .rule = "has other contents than when the run began",
                                    .remedy = "bring the old file back, or begin a new run"});
}

int resume(const ResumeArguments& o, Team* team) {
  RunDirectory directory = RunDirectory::open(o.directory);
  if (std::filesystem::exists(directory.file("result.json"))) {
    // The run may have been killed after its result and before its report.
    const Result result = read_result(directory.path());
    Job job = stored_job(directory);
    if (team != nullptr) team->from_first("");
    if (wants_report(job) && !std::filesystem::exists(directory.file("report.html"))) write_report_of(result, directory.path(), job.resolved);
    if (!o.quiet) std::fprintf(stderr, "buffon: the run in %s has ended already, there is nothing left to do\n", directory.path().c_str());
    print_summary(result, o.quiet);
    return 0;
  }
  Job job = stored_job(directory);
  check_unchanged(job, directory);
  if (o.threads) job.run.threads = *o.threads;
  return run_to_summary(job, directory, o.quiet, team);
}

}  // namespace

void add_resume(CLI::App& app, Action& action) {
  auto* verb = app.add_subcommand("resume", "Continue a run that was interrupted or killed; gives the same numbers as an undisturbed run");
  auto o = std::make_shared<ResumeArguments>();
  verb->add_option("directory", o->directory, "run directory")->required();
  verb->add_option_function<std::string>(
          "--threads", [o](const std::string& text) { o->threads = whole_number("--threads", text); },
          "worker threads, 0 = every CPU (never changes the numbers)")
      ->type_name("INT");
  verb->add_flag("--quiet,-q", o->quiet, "no progress and no summary; warnings still go to stderr");
  verb->callback([o, &action] { action = [o] { return with_team([o](Team* team) { return resume(*o, team); }); }; });
}

}  // namespace buffon::cli
