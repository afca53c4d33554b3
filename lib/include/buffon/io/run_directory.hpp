// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace buffon {

/// Where the configuration of a run came from; kept in the run directory as origin.json.
struct RunOrigin {
  std::string file;                      ///< the configuration file as it was named, empty = the command line alone
  std::filesystem::path base_directory;  ///< relative paths of the configuration start here (absolute)
  std::vector<std::string> overrides;    ///< the `--set` texts
  std::string digest = {};               ///< of the job at its start; empty = not known
};

/// The folder of one run, locked while this object lives: a second process that wants it is refused. The lock is the
/// kernel's (flock), so that a killed process leaves none behind.
///
///     DIR/config.resolved.toml   the configuration with every default; `resume` reads it
///     DIR/config.original.toml   the text as the user wrote it
///     DIR/origin.json            where it came from
///     DIR/log.jsonl              one event per line
///     DIR/checkpoint/            state between rounds
///     DIR/data/standard_input    what the run read there
///     DIR/result.json, report.html, draws/, selection/, samples.npy, samples.png, failed_point.json
class RunDirectory {
 public:
  /// Makes the folder with the configuration inside in one atomic step.
  /// @param replace an existing run directory is replaced; any other folder that is not empty never is
  /// @param adopted files that move into the folder: path below it, and where each lies now, on the same file system
  /// @throws Error(usage) when it exists and is not empty, Error(data) when the system refuses
  static RunDirectory create(const std::filesystem::path& directory, const std::string& resolved, const std::string& original, const RunOrigin& origin,
                             bool replace = false, const std::vector<std::pair<std::filesystem::path, std::filesystem::path>>& adopted = {});

  /// Opens the folder of an earlier run. @throws Error(no_input) when it is none, Error(usage) when a process is at work in it
  static RunDirectory open(const std::filesystem::path& directory);

  RunDirectory(RunDirectory&&) noexcept;
  RunDirectory& operator=(RunDirectory&&) noexcept;
  ~RunDirectory();

  const std::filesystem::path& path() const;
  std::filesystem::path file(std::string_view name) const { return path() / name; }
  std::filesystem::path checkpoints() const { return path() / "checkpoint"; }
  std::string resolved() const;
  RunOrigin origin() const;

  /// Appends one JSON object to log.jsonl: time (UTC), level, event and `fields`.
  void log(std::string_view level, std::string_view event, const std::vector<std::pair<std::string, std::string>>& fields = {});

 private:
  struct State;
  explicit RunDirectory(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// Where the configuration of the run in a folder came from. @throws Error(data), Error(no_input)
RunOrigin read_origin(const std::filesystem::path& directory);

/// The time now as 2026-01-31T12:00:00.000Z.
std::string utc_now();

/// True when the folder holds the configuration of a run.
bool is_run_directory(const std::filesystem::path& directory);

/// "job.out" for job.toml, or the first of job.out.2, job.out.3, … that does not exist.
std::filesystem::path default_run_directory(const std::string& stem);

}  // namespace buffon
