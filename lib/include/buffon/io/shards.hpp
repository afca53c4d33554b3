// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/io/job.hpp>
#include <buffon/io/result.hpp>
#include <buffon/io/run_directory.hpp>
#include <buffon/io/runner.hpp>

#include <filesystem>
#include <stop_token>
#include <string>
#include <vector>

namespace buffon {

/// All shards of one run.
struct ShardSet {
  std::vector<std::filesystem::path> directories;  ///< of shard 1, 2, …, K
  std::string digest;                              ///< of their configuration
  double seconds = 0;                              ///< wall time of all together
};

/// Finds out whether the directories hold every shard of one run, ended, exactly once.
/// @throws Error(usage) for a missing or repeated shard, Error(data) for one that has not ended or belongs to another
///         configuration or version, Error(no_input) for what is no run directory
ShardSet collect_shards(const std::vector<std::filesystem::path>& directories);

/// Does the job again with what the shards kept in the place of work: the result is that of a single process.
/// @throws Error(data) when what they kept is damaged or incomplete
Result merge_shards(const Job& job, const ShardSet& shards, RunDirectory& directory, std::stop_token stop, RunObserver& observer);

}  // namespace buffon
