// SPDX-License-Identifier: BSD-3-Clause
#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <buffon/io/files.hpp>
#include <buffon/io/shards.hpp>

#include "progress_line.hpp"
#include "session.hpp"
#include "verbs.hpp"

namespace buffon::cli {
namespace {

struct MergeArguments {
  std::vector<std::filesystem::path> shards;
  std::string out;
  bool quiet = false;
  bool force = false;
};

int merge(const MergeArguments& o) {
  const ShardSet shards = collect_shards(o.shards);
  const std::filesystem::path& first = shards.directories.front();
  const std::string resolved = read_file(first / "config.resolved.toml");
  const RunOrigin origin = read_origin(first);
  const auto whole = [&](const std::filesystem::path& run_directory) {
    return parse_job(resolved, (first / "config.resolved.toml").string(), origin.base_directory, {"run.shard=\"\""}, all_methods(), run_directory);
  };
  RunDirectory directory = RunDirectory::create(o.out, whole({}).resolved, read_file(first / "config.original.toml"), origin, o.force);
  if (!o.quiet) std::fprintf(stderr, "buffon: merging %zu shards into %s\n", shards.directories.size(), directory.path().c_str());
  const Job job = whole(directory.path());
  Result result;
  {
    SignalStop signals;
    ProgressLine line(progress_style(o.quiet));
    result = merge_shards(job, shards, directory, signals.token(), line);
  }
  conclude(job, result, directory, o.quiet);
  return 0;
}

}  // namespace

void add_merge(CLI::App& app, Action& action) {
  auto* verb = app.add_subcommand("merge", "Join the shards of a run: the result is that of a single process");
  auto o = std::make_shared<MergeArguments>();
  verb->add_option("shards", o->shards, "run directories of all shards, in any order")->required();
  verb->add_option("--out,-o", o->out, "run directory of the whole")->required();
  verb->add_flag("--quiet,-q", o->quiet, "no progress and no summary; warnings still go to stderr");
  verb->add_flag("--force", o->force, "replace the run that the directory holds");
  verb->callback([o, &action] { action = [o] { return merge(*o); }; });
}

}  // namespace buffon::cli
