// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <buffon/io/job.hpp>
#include <buffon/io/result.hpp>
#include <buffon/io/run_directory.hpp>
#include <buffon/io/run_exchange.hpp>

namespace buffon::cli {

/// A job as the command line gives it.
struct JobRequest {
  std::string file;    ///< configuration file; empty = the command line alone
  std::string method;  ///< for a job without a file
  std::vector<std::string> set;
  std::optional<std::int64_t> threads;
  std::optional<std::int64_t> seed;
  std::string shard;  ///< "k/K"; empty = as the file says

  /// `set` with the flags that are short forms of it.
  std::vector<std::string> overrides() const;
  /// The text of the configuration: the file's, or one made of the method alone.
  std::string text() const;
  /// What messages call it.
  std::string name() const;
  std::filesystem::path base_directory() const;
  /// Reads and checks the job. @param run_directory as for `read_job`
  Job read(const std::filesystem::path& run_directory = {}, const StandardInput& standard_input = {}) const;
};

/// The value of a flag that counts: 1000 or 1e3. @throws Error(usage) when it is no whole number, Error(configuration) when negative
std::int64_t whole_number(const std::string& flag, const std::string& text);

/// The job that a run directory holds.
Job stored_job(const RunDirectory& directory);

/// Runs or continues the job, writes the report and prints the summary. @param team or null. @returns the exit status
int run_to_summary(const Job& job, RunDirectory& directory, bool quiet, Team* team = nullptr);
/// The end of it, for any result.
void conclude(const Job& job, const Result& result, const RunDirectory& directory, bool quiet);

/// Calls `lead` with the team, or null, on rank 0 or alone; other ranks assist it until it ends and are silent.
/// `lead` calls `run_to_summary`, or `team->from_first("")` when there is nothing to do.
int with_team(const std::function<int(Team*)>& lead);

/// "k/K" of `--shard auto`, from the variables of a SLURM array. @throws Error(usage) when they are missing or have gaps
std::string shard_of_array();

/// Whether a report belongs to the run: a shard has nothing to show.
bool wants_report(const Job& job);

/// Writes report.html of a result, with the configuration that is stored beside it.
void write_report_of(const Result& result, const std::filesystem::path& directory, const std::string& resolved);

/// The summary to stdout, unless quiet, and the warnings to stderr, always.
void print_summary(const Result& result, bool quiet);

/// The table of estimates for a terminal.
std::string summary_text(const Result& result);

/// Columns of text, left-aligned, the first row underlined.
std::string text_table(const std::vector<std::vector<std::string>>& rows);

}  // namespace buffon::cli
