// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/core/method.hpp>
#include <buffon/io/draws.hpp>
#include <buffon/model/data_set.hpp>
#include <buffon/model/method_entry.hpp>
#include <buffon/model/problem.hpp>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace buffon {

/// How a job is run; never influences the numbers (but `max_seconds` influences when they end).
struct RunSettings {
  std::int64_t threads = 0;        ///< worker threads, 0 = every CPU of the affinity mask
  double max_seconds = 0;          ///< end orderly at the first round boundary after this time; 0 = no limit
  double checkpoint_seconds = 30;  ///< write a checkpoint at the first round boundary after this time since the last
  bool report = true;              ///< write report.html
  bool save_draws = false;         ///< write the tables of draws and weights as .npy and CSV
  DrawsFormat draws = {};          ///< files of the draws of samplers: keys draws and sig_figs
  std::string shard = "";          ///< "k/K": this run is part k of K; empty = the whole run
};
void describe(OptionVisitor& visitor, RunSettings& settings);

/// One of several processes that share the blocks of a run and never communicate.
struct Shard {
  std::int64_t index = 0;  ///< 1 … count
  std::int64_t count = 0;
};
/// Reads "k/K". @throws Error(configuration) unless 1 ≤ k ≤ K ≤ 100000
Shard parse_shard(const std::string& text);

/// A function of the estimates, by the delta method: `[[derived]] name = "cov", value = "sqrt(m2 - m1^2) / m1"`.
struct DerivedQuantity {
  std::string name;
  std::string expression;
};
void describe(OptionVisitor& visitor, DerivedQuantity& quantity);

/// A configuration, read and checked as a whole before any work starts.
struct Job {
  std::string method;
  std::string title;
  std::uint64_t seed = 0;
  RunSettings run;
  std::optional<Shard> shard;  ///< `run.shard`, when this is not the whole run
  std::vector<DerivedQuantity> derived;
  Problem problem;                                  ///< what a method with SubjectKind::problem works on; else empty
  std::shared_ptr<const NestedProblem> nested;      ///< what a method with SubjectKind::nested works on; else null
  std::shared_ptr<const Target> target;             ///< what a method with SubjectKind::target works on; else null
  std::shared_ptr<const DataSet> data;              ///< what a method with SubjectKind::data works on; else null
  std::shared_ptr<const DiffusionModel> diffusion;  ///< what a method with SubjectKind::diffusion works on; else null
  FailurePolicy policy;                             ///< of the problem's model
  std::string resolved;                             ///< the configuration with every default filled in, canonical TOML; reads back to the same job
  /// SHA-256, hexadecimal, of the part of `resolved` that determines the numbers: without title, [run], the journal and directory
  /// of the model, the folder of a plug-in, and how an UM-Bridge server is reached; data files count by their content (with their ending where the format is
  /// told by it).
  std::string digest;
  std::function<std::unique_ptr<Method>()> make;  ///< a fresh method object; the same every time
};

/// Data from the standard input, data.file = "-", or from a pipe can be read once: a run keeps a copy.
struct StandardInput {
  std::filesystem::path copy = {};   ///< where the copy is made, or lies already; empty = none is kept
  std::filesystem::path place = {};  ///< what the resolved configuration names in the place of "-"; empty = "-"
};

/// Reads a job from a TOML (or .json) file.
/// @param overrides    "section.key=value" texts of `--set`, applied in order; errors name the flag
/// @param run_directory where models may leave logs and journals; empty = nowhere
/// @throws Error(configuration) with file:line:column, key, value, rule, nearest spelling; Error(no_input) for a missing file
Job read_job(const std::filesystem::path& file, const std::vector<std::string>& overrides, const std::vector<MethodEntry>& methods,
             const std::filesystem::path& run_directory = {}, const StandardInput& standard_input = {});

/// The same from text; `name` stands for the file in messages and `base_directory` for its folder. An empty name says that there is no file:
/// messages then name the flags to give.
Job parse_job(std::string_view text, const std::string& name, const std::filesystem::path& base_directory, const std::vector<std::string>& overrides,
              const std::vector<MethodEntry>& methods, const std::filesystem::path& run_directory = {}, const StandardInput& standard_input = {});

}  // namespace buffon
