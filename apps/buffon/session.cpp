// SPDX-License-Identifier: BSD-3-Clause
#include "session.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <buffon/core/error.hpp>
#include <buffon/io/binary_archive.hpp>
#include <buffon/io/files.hpp>
#include <buffon/io/runner.hpp>
#include <buffon/mpi/join_team.hpp>
#include <buffon/report/format.hpp>
#include <buffon/report/html.hpp>

#include "chain_text.hpp"
#include "progress_line.hpp"
#include "verbs.hpp"

namespace buffon::cli {
namespace {

/// What rank 0 tells the others to work on.
struct TeamOrder {
  std::string resolved;
  std::filesystem::path base_directory;
  std::filesystem::path run_directory;

  std::string encoded() const {
    std::vector<std::string> texts = {resolved, base_directory.string(), run_directory.string()};
    BinaryWriter writer;
    writer.item("order", texts);
    return writer.take();
  }
};

/// What ranks other than 0 do. Logs and journals of their models go to a folder of their own.
void assist(Team& team) {
  const std::string order = team.from_first("");
  if (order.empty()) return;
  std::vector<std::string> texts;
  BinaryReader(order).item("order", texts);
  const std::filesystem::path all = std::filesystem::path(texts.at(2)) / "ranks", own = all / std::to_string(team.rank());
  std::filesystem::create_directories(own);
  {
    const Job job = parse_job(texts.at(0), "config.resolved.toml", texts.at(1), {}, all_methods(), own);
    SignalStop signals;
    assist_job(job, team, signals.token());
  }
  std::error_code in_use;  // a folder with files stays
  std::filesystem::remove(own, in_use);
  std::filesystem::remove(all, in_use);
}

/// Characters of a UTF-8 text.
std::size_t width(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

void add_rows(std::vector<std::vector<std::string>>& rows, const std::vector<NamedEstimate>& estimates, bool groups, bool effective) {
  for (const NamedEstimate& e : estimates) {
    const FormattedEstimate shown = format_estimate(e.estimate);
    std::vector<std::string> row;
    if (groups) row.push_back(e.group);
    row.insert(row.end(), {e.name, shown.value, shown.std_error, "[" + shown.lower + ", " + shown.upper + "]"});
    if (effective) row.push_back(e.estimate.effective_size > 0 ? format_count(std::llround(e.estimate.effective_size)) : "");
    row.push_back(e.note);
    rows.push_back(std::move(row));
  }
}

std::vector<std::vector<std::string>> cells(const Table& table) {
  const bool labels = !table.row_labels.empty();
  std::vector<std::vector<std::string>> rows(1);
  if (labels) rows[0].emplace_back("");
  rows[0].insert(rows[0].end(), table.columns.begin(), table.columns.end());
  for (Eigen::Index i = 0; i < table.rows.rows(); ++i) {
    std::vector<std::string>& row = rows.emplace_back();
    if (labels) row.push_back(table.row_labels[static_cast<std::size_t>(i)]);
    for (Eigen::Index j = 0; j < table.rows.cols(); ++j) row.push_back(fmt::format("{:.4g}", table.rows(i, j)));
  }
  return rows;
}

/// The first chosen rows, and how many with which files.
std::string selection_text(const Selection& selection, const SelectionSummary& summary) {
  constexpr std::size_t most = 10;
  std::string text = format_count(summary.rows) + (summary.rows == 1 ? " row" : " rows") + " chosen, in the order of the draws: ";
  for (std::size_t i = 0; i < std::min(most, selection.rows.size()); ++i) text += (i > 0 ? ", " : "") + std::to_string(selection.rows[i]);
  text += (selection.rows.size() > most ? ", …" : "") + std::string("\n");
  if (summary.labels > 0) text += "Every one of " + format_count(summary.labels) + " rows has the label of its nearest centre and the distance to it.\n";
  text += "Files in selection/:";
  for (std::size_t i = 0; i < summary.files.size(); ++i) text += (i > 0 ? ", " : " ") + summary.files[i].name;
  return text + "\n";
}

}  // namespace

std::vector<std::string> JobRequest::overrides() const {
  std::vector<std::string> all = set;
  if (threads) all.push_back("run.threads=" + std::to_string(*threads));
  if (seed) all.push_back("seed=" + std::to_string(*seed));
  if (!shard.empty()) all.push_back("run.shard=\"" + shard + "\"");
  return all;
}

std::string JobRequest::text() const { return file.empty() ? "method = \"" + method + "\"\nseed = 1\n" : read_file(file); }

std::string JobRequest::name() const { return file.empty() ? "command line" : file; }

std::filesystem::path JobRequest::base_directory() const {
  return file.empty() ? std::filesystem::current_path() : std::filesystem::absolute(std::filesystem::path(file)).parent_path();
}

Job JobRequest::read(const std::filesystem::path& run_directory, const StandardInput& standard_input) const {
  if (file.empty() == method.empty()) {
    throw Error(ErrorCategory::usage, {.doing = "reading the command line",
                                       .rule = file.empty() ? "a job is missing" : "a job file and --method exclude each other",
                                       .remedy = "give a job file, or --method NAME with --set key=value"});
  }
  if (file.empty()) return parse_job(text(), "", base_directory(), overrides(), all_methods(), run_directory, standard_input);
  return read_job(file, overrides(), all_methods(), run_directory, standard_input);
}

std::int64_t whole_number(const std::string& flag, const std::string& text) {
  const char* end = text.data() + text.size();
  std::int64_t value = 0;
  const auto fail = [&](ErrorCategory category, std::string rule) {
    throw Error(category,
                {.doing = "reading the command line", .key = flag, .value = text, .rule = std::move(rule), .remedy = "give a number like 1000 or 1e3"});
  };
  const auto [stop, status] = std::from_chars(text.data(), end, value);
  if (stop != end || status != std::errc()) {
    constexpr double exact = 9007199254740992.0;  // doubles hold every whole number up to here
    double real = 0;
    const auto [real_stop, real_status] = std::from_chars(text.data(), end, real);
    if (real_stop != end || real_status != std::errc() || real != std::floor(real)) fail(ErrorCategory::usage, "must be a whole number");
    if (std::abs(real) > exact) fail(ErrorCategory::usage, "must be a whole number of at most 9223372036854775807, with all digits above 2^53");
    value = static_cast<std::int64_t>(real);
  }
  if (value < 0) fail(ErrorCategory::configuration, "must be at least 0");
  return value;
}

Job stored_job(const RunDirectory& directory) {
  return parse_job(directory.resolved(), directory.file("config.resolved.toml").string(), directory.origin().base_directory, {}, all_methods(),
                   directory.path());
}

bool wants_report(const Job& job) { return job.run.report && !job.shard; }

int run_to_summary(const Job& job, RunDirectory& directory, bool quiet, Team* team) {
  if (team != nullptr) team->from_first(TeamOrder{job.resolved, directory.origin().base_directory, std::filesystem::absolute(directory.path())}.encoded());
  Result result;
  {
    SignalStop signals;
    ProgressLine line(progress_style(quiet));
    result = run_job(job, directory, signals.token(), line, team);
  }
  conclude(job, result, directory, quiet);
  return 0;
}

void conclude(const Job& job, const Result& result, const RunDirectory& directory, bool quiet) {
  if (wants_report(job)) write_report_of(result, directory.path(), job.resolved);
  print_summary(result, quiet);
  if (quiet) return;
  std::printf("\nResult: %s\n", directory.file("result.json").c_str());
  if (result.selection) std::printf("Chosen rows: %s\n", directory.file("selection/rows.csv").c_str());
  if (result.samples) std::printf("Samples: %s\n", directory.file("samples.npy").c_str());
  if (result.samples && result.samples->shown > 0) std::printf("Sheet: %s\n", directory.file("samples.png").c_str());
  if (wants_report(job)) std::printf("Report: %s\n", directory.file("report.html").c_str());
}

int with_team(const std::function<int(Team*)>& lead) {
  const std::unique_ptr<Team> team = join_team();
  if (!team) return lead(nullptr);
  try {
    if (team->rank() == 0) return lead(team.get());
    assist(*team);
    return 0;
  } catch (const Error& error) {
    team->fail(error);
    if (team->rank() == 0) throw;
  } catch (const std::exception& error) {
    team->fail(Error(ErrorCategory::internal, {.doing = "running on rank " + std::to_string(team->rank()), .rule = error.what()}));
    if (team->rank() == 0) throw;
  }
  return 0;  // rank 0 tells the error and gives the status
}

std::string shard_of_array() {
  const auto number = [](const char* name) {
    const char* text = std::getenv(name);
    std::int64_t value = 0;
    if (text != nullptr && std::from_chars(text, text + std::strlen(text), value).ec == std::errc()) return value;
    throw Error(ErrorCategory::usage, {.doing = "dividing the run into shards",
                                       .key = "--shard",
                                       .value = "auto",
                                       .rule = "needs the variables of a SLURM array, and " + std::string(name) + " is not set",
                                       .remedy = "submit with `sbatch --array=1-K`, or give --shard k/K"});
  };
  const std::int64_t id = number("SLURM_ARRAY_TASK_ID"), count = number("SLURM_ARRAY_TASK_COUNT"), first = number("SLURM_ARRAY_TASK_MIN");
  const std::int64_t last = number("SLURM_ARRAY_TASK_MAX");
  if (last - first + 1 != count) {
    throw Error(ErrorCategory::usage, {.doing = "dividing the run into shards",
                                       .key = "SLURM_ARRAY_TASK_COUNT",
                                       .value = std::to_string(count),
                                       .rule = "does not fit an array from " + std::to_string(first) + " to " + std::to_string(last) + ": it has gaps",
                                       .remedy = "submit with `sbatch --array=1-K`, or give --shard k/K"});
  }
  return std::to_string(id - first + 1) + "/" + std::to_string(count);
}

void write_report_of(const Result& result, const std::filesystem::path& directory, const std::string& resolved) {
  ReportInput input{.title = result.title,
                    .method = result.method,
                    .method_title = {},
                    .method_summary = {},
                    .resolved_config = resolved,
                    .outcome = result.outcome,
                    .derived = result.derived,
                    .provenance = result.provenance,
                    .seconds = result.seconds,
                    .selection = result.selection.has_value(),
                    .warmup_seconds = result.warmup_seconds};
  for (const MethodEntry& entry : all_methods()) {
    if (entry.name != result.method) continue;
    input.method_title = entry.title;
    input.method_summary = entry.summary;
  }
  write_report(input, directory);
}

void print_summary(const Result& result, bool quiet) {
  if (!quiet) std::fputs(summary_text(result).c_str(), stdout);
  std::fflush(stdout);
  for (const std::string& warning : result.outcome.warnings) std::fprintf(stderr, "buffon: warning: %s\n", warning.c_str());
}

std::string summary_text(const Result& result) {
  const Table* chains = result.outcome.table("summary");
  std::vector<NamedEstimate> all;
  if (chains == nullptr) all = result.outcome.estimates;
  all.insert(all.end(), result.derived.begin(), result.derived.end());
  const bool groups = std::any_of(all.begin(), all.end(), [&](const NamedEstimate& e) { return e.group != all.front().group; });
  const bool effective = std::any_of(all.begin(), all.end(), [](const NamedEstimate& e) { return e.estimate.effective_size > 0; });
  const double level = all.empty() ? 0.95 : all.front().estimate.level;
  std::vector<std::string> head;
  if (groups) head.emplace_back("kind");
  head.insert(head.end(), {"name", "estimate", "std. error", fmt::format("{:.4g} % interval", 100 * level)});
  if (effective) head.emplace_back("effective size");
  head.emplace_back("");
  std::vector<std::vector<std::string>> rows = {head};
  add_rows(rows, all, groups, effective);

  std::string text = (result.title.empty() ? result.method : result.title + " (" + result.method + ")") + "\n\n";
  if (chains != nullptr) text += chain_summary_text(result) + "\n";
  if (!all.empty()) text += text_table(rows) + "\n";
  const auto& tables = result.outcome.tables;
  const auto comparison = std::find_if(tables.begin(), tables.end(), [](const Table& table) { return table.name == "comparison"; });
  const bool compared = comparison != tables.end();
  if (compared) text += comparison->title + "\n\n" + text_table(cells(*comparison)) + "\n";
  if (result.outcome.selection && result.selection) text += selection_text(*result.outcome.selection, *result.selection) + "\n";
  const std::string spent = " " + std::string(spent_on(result.outcome));
  text += format_count(result.outcome.evaluations) + spent + (compared ? ", the comparison included," : "") + " in " + format_seconds(result.seconds);
  if (!result.outcome.stop_reason.empty()) text += "; ended because " + result.outcome.stop_reason;
  text += ".\n";
  return text;
}

std::string text_table(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()), 0);
    for (std::size_t j = 0; j < row.size(); ++j) widths[j] = std::max(widths[j], width(row[j]));
  }
  std::string text;
  const auto line = [&](const std::vector<std::string>& row) {
    std::string cells;
    for (std::size_t j = 0; j < row.size(); ++j) cells += row[j] + std::string(widths[j] - width(row[j]) + 2, ' ');
    const std::size_t last = cells.find_last_not_of(' ');
    text += cells.substr(0, last == std::string::npos ? 0 : last + 1) + "\n";
  };
  for (std::size_t i = 0; i < rows.size(); ++i) {
    line(rows[i]);
    if (i > 0) continue;
    std::vector<std::string> rule;
    for (const std::size_t w : widths) rule.emplace_back(w, '-');
    line(rule);
  }
  return text;
}

}  // namespace buffon::cli
