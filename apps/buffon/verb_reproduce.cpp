// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <reproduce/reproduce.hpp>

#include <chrono>
#include <cstdio>
#include <memory>

#include <buffon/core/error.hpp>
#include <buffon/io/files.hpp>
#include <buffon/io/run_directory.hpp>
#include <buffon/io/runner.hpp>
#include <buffon/report/format.hpp>

#include "progress_line.hpp"
#include "session.hpp"
#include "verbs.hpp"

namespace buffon::cli {
namespace {

using reproduce::ReproduceEntry;
using reproduce::ReproduceOptions;
using reproduce::ReproduceRow;
using reproduce::ReproduceTable;

struct ReproduceArguments {
  std::string paper;
  double scale = 1;
  std::int64_t threads = 0;
  std::uint64_t seed = 1;
  std::string out;
  std::string data;
  bool quiet = false;
  bool force = false;
};

const ReproduceEntry& find(const std::string& name) {
  std::vector<std::string> names;
  for (const ReproduceEntry& entry : reproduce::entries()) {
    if (entry.name == name) return entry;
    names.push_back(entry.name);
  }
  const std::string near(nearest(name, names));
  throw Error(ErrorCategory::usage, {.doing = "reproducing a paper",
                                     .key = "paper",
                                     .value = name,
                                     .rule = "is not known",
                                     .remedy = (near.empty() ? "" : "did you mean " + near + "? ") + std::string("`buffon reproduce` lists the papers")});
}

int list() {
  std::vector<std::vector<std::string>> rows = {{"paper", "title", "what is redone"}};
  for (const ReproduceEntry& entry : reproduce::entries()) rows.push_back({entry.name, entry.title, entry.summary});
  std::fputs(text_table(rows).c_str(), stdout);
  return 0;
}

std::string verdict(const ReproduceRow& row) { return !row.holds ? "" : *row.holds ? "holds" : "FAILS"; }

std::string table_text(const ReproduceTable& table) {
  std::vector<std::vector<std::string>> rows = {{"part", "quantity", "paper", "exact", "ours", "±", "ratio", "criterion", "verdict", ""}};
  for (const ReproduceRow& row : table.rows) {
    const FormattedEstimate ours = format_estimate(row.ours);
    rows.push_back({row.part, row.quantity, row.paper, row.exact ? format_number(*row.exact) : "", ours.value, ours.std_error,
                    row.ratio ? format_number(*row.ratio, 3) : "", row.criterion, verdict(row), row.note});
  }
  return text_table(rows);
}

/// The table as a result, so that the report and `compare` know it.
Result as_result(const ReproduceEntry& entry, const ReproduceTable& table) {
  Result result;
  result.method = "reproduce " + entry.name;
  result.title = entry.title;
  std::size_t held = 0;
  std::size_t judged = 0;
  for (const ReproduceRow& row : table.rows) {
    judged += row.holds.has_value() ? 1 : 0;
    held += row.holds.value_or(false) ? 1 : 0;
    std::string note = row.holds ? verdict(row) + ": " + row.criterion : "for reference";
    if (!row.paper.empty()) note += "; paper " + row.paper;
    if (row.exact) note += "; exact " + format_number(*row.exact);
    if (row.ratio) note += "; ratio " + format_number(*row.ratio, 3);
    if (!row.note.empty()) note += "; " + row.note;
    result.outcome.estimates.push_back({.name = row.quantity, .estimate = row.ours, .group = row.part, .note = note});
  }
  result.outcome.tables = table.tables;
  result.outcome.warnings = table.warnings;
  result.outcome.evaluations = table.evaluations;
  result.outcome.stop_reason = fmt::format("all parts were redone; {} of {} criteria hold", held, judged);
  return result;
}

int run(const ReproduceArguments& o) {
  const ReproduceEntry& entry = find(o.paper);
  if (!(o.scale > 0 && o.scale <= 1)) {
    throw Error(ErrorCategory::usage, {.doing = "reproducing " + o.paper, .key = "--scale", .value = to_text(o.scale), .rule = "must be in (0, 1]"});
  }
  std::string settings = fmt::format("# buffon reproduce {0}\npaper = \"{0}\"\nscale = {1}\nseed = {2}\n", entry.name, to_text(o.scale), o.seed);
  if (!o.data.empty()) settings += fmt::format("data = '{}'\n", o.data);
  const std::filesystem::path out = o.out.empty() ? default_run_directory(entry.name) : std::filesystem::path(o.out);
  RunDirectory directory =
      RunDirectory::create(out, settings, settings, {.file = "", .base_directory = std::filesystem::current_path(), .overrides = {}}, o.force);

  const auto start = std::chrono::steady_clock::now();
  SignalStop signals;
  Context context(static_cast<int>(o.threads), signals.token());
  ProgressLine line(progress_style(o.quiet));
  Progress progress;
  line.started(context, progress);
  ReproduceOptions options{.scale = o.scale, .seed = o.seed, .data = o.data, .context = &context, .say = {}, .progress = {}};
  options.say = [&](const std::string& text) {
    progress.phase = text;
    directory.log("info", "progress", {{"text", text}});
    if (!o.quiet) line.note(text);
  };
  options.progress = [&](double fraction) {
    progress.fraction = fraction;
    progress.evaluations = context.evaluations();
    line.progressed(progress);
  };
  ReproduceTable table;
  try {
    table = entry.run(options);
  } catch (const Error& error) {
    directory.log("error", "failed", {{"text", error.what()}});
    if (error.category() != ErrorCategory::interrupted) throw;
    throw Error(ErrorCategory::interrupted, {.doing = "reproducing " + entry.name, .rule = "stopped on request", .remedy = "start it again with --force"});
  }
  line.ended();

  Result result = as_result(entry, table);
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  result.threads = context.threads();
  result.provenance = provenance(o.seed, "", context.threads());
  result.provenance.emplace_back("scale", to_text(o.scale));
  const std::string text = table_text(table);
  write_file(directory.file("table.txt"), text);
  write_file(directory.file("result.json"), encode_result(result));
  write_report_of(result, directory.path(), settings);
  directory.log("info", "finished");

  std::printf("%s\n\n%s\n%s.\nReport: %s\n", entry.title.c_str(), text.c_str(), result.outcome.stop_reason.c_str(), directory.file("report.html").c_str());
  for (const std::string& warning : table.warnings) std::printf("Warning: %s\n", warning.c_str());
  for (const ReproduceRow& row : table.rows) {
    if (!row.holds.value_or(true)) return 1;
  }
  return 0;
}

}  // namespace

void add_reproduce(CLI::App& app, Action& action) {
  auto* verb = app.add_subcommand("reproduce", "Redo the experiments of a paper: its figures beside ours. Without a name: list the papers");
  auto o = std::make_shared<ReproduceArguments>();
  verb->add_option("paper", o->paper, "name of the paper");
  verb->add_option("--scale", o->scale, "size relative to the paper's, in (0, 1]; less is quicker and less exact")->capture_default_str();
  verb->add_option("--out,-o", o->out, "directory for table and report (default: PAPER.out here)");
  verb->add_option_function<std::string>(
          "--threads", [o](const std::string& text) { o->threads = whole_number("--threads", text); },
          "worker threads, 0 = every CPU (never changes the numbers)")
      ->type_name("INT");
  verb->add_option_function<std::string>(
          "--seed", [o](const std::string& text) { o->seed = static_cast<std::uint64_t>(whole_number("--seed", text)); }, "seed of the random numbers")
      ->type_name("INT")
      ->default_str("1");
  verb->add_option("--data", o->data, "data set of the paper, where it has one that is not shipped");
  verb->add_flag("--quiet,-q", o->quiet, "no progress");
  verb->add_flag("--force", o->force, "replace what the directory holds");
  verb->callback([o, &action] { action = [o] { return o->paper.empty() ? list() : run(*o); }; });
}

}  // namespace buffon::cli
