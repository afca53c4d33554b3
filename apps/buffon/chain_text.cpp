// SPDX-License-Identifier: BSD-3-Clause
#include "chain_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include <buffon/core/error.hpp>
#include <buffon/report/chain_summary.hpp>
#include <buffon/report/format.hpp>
#include <buffon/stats/chain_tables.hpp>

#include "session.hpp"

namespace buffon::cli {
namespace {

constexpr std::size_t most_lines = 40;

std::size_t text_width(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

/// Numbers end in one column.
void align_right(std::vector<std::vector<std::string>>& rows) {
  for (std::size_t j = 1; j < rows.front().size(); ++j) {
    std::size_t widest = 0;
    for (const auto& row : rows) widest = std::max(widest, text_width(row[j]));
    for (auto& row : rows) row[j].insert(0, widest - text_width(row[j]), ' ');
  }
}

const Diagnostic* find(const Result& result, std::string_view name) {
  for (const Diagnostic& d : result.outcome.diagnostics) {
    if (d.name == name) return &d;
  }
  return nullptr;
}

std::string verdict_of(const Result& result) {
  const Diagnostic* verdict = find(result, "verdict");
  return verdict == nullptr ? "" : std::get<std::string>(verdict->value);
}

std::int64_t count_of(const Result& result, std::string_view name, std::int64_t otherwise) {
  const Diagnostic* d = find(result, name);
  return d == nullptr ? otherwise : std::get<std::int64_t>(d->value);
}

std::string listing(const std::string& head, std::vector<std::vector<std::string>> rows) {
  if (rows.size() < 2) return head + " none\n";
  align_right(rows);
  return head + " " + std::to_string(rows.size() - 1) + "\n" + text_table(rows);
}

}  // namespace

std::string chain_summary_text(const Result& result) {
  const double seconds = result.seconds - result.warmup_seconds;
  std::vector<std::vector<std::string>> rows = format_summary(*result.outcome.table("summary"), seconds);
  const std::size_t quantities = rows.size() - 1;
  if (quantities > most_lines) rows.resize(most_lines + 1);
  align_right(rows);
  std::string text = text_table(rows);
  if (quantities > most_lines) text += fmt::format("… {} more in result.json\n", quantities - most_lines);
  text += fmt::format("\nWarm-up {}, sampling {} (wall time of all chains together; ESS_bulk/s counts sampling only).\n", format_seconds(result.warmup_seconds),
                      format_seconds(seconds));
  if (const std::string verdict = verdict_of(result); !verdict.empty()) text += verdict + "\n";
  return text;
}

std::string diagnosis_text(const Result& result, const std::string& name) {
  const Table* table = result.outcome.table("summary");
  if (table == nullptr) {
    throw Error(ErrorCategory::usage, {.doing = "diagnosing " + name,
                                       .rule = "method " + result.method + " runs no chains",
                                       .remedy = "`buffon report` shows the diagnostics of other methods"});
  }
  const std::vector<ChainSummary> summary = summary_from(*table);
  const auto chains = count_of(result, "chains", 4);
  const double least = least_effective_size(static_cast<std::size_t>(chains));
  std::vector<std::vector<std::string>> mixed = {{"", "R_hat"}}, few = {{"", "ESS_bulk", "ESS_tail"}}, unknown = {{"", "Mean"}};
  for (const ChainSummary& s : summary) {
    if (s.rhat > most_rhat) mixed.push_back({s.name, fmt::format("{:.3f}", s.rhat)});
    const auto size = [](double ess) { return std::isnan(ess) ? std::string("–") : format_count(std::llround(ess)); };
    if (s.ess_bulk < least || s.ess_tail < least) few.push_back({s.name, size(s.ess_bulk), size(s.ess_tail)});
    if (std::isnan(s.ess_bulk)) unknown.push_back({s.name, format_number(s.mean)});
  }
  std::string text = fmt::format("{} chains, {} quantities\n\n", chains, summary.size());
  text += listing("R-hat above 1.01:", mixed);
  text += listing("Effective size below " + format_number(least) + ":", few);
  if (unknown.size() > 1) text += listing("Without effective size (equal draws, draws that are not finite, or fewer than 12 per chain):", unknown);
  for (const auto& [key, words] : {std::pair("stuck_updates", "Updates without a new point:"), std::pair("undefined_densities", "NaN densities:")}) {
    if (const Diagnostic* d = find(result, key)) text += fmt::format("{} {}\n", words, format_count(std::get<std::int64_t>(d->value)));
  }
  if (!result.outcome.warnings.empty()) text += "\n";
  for (const std::string& warning : result.outcome.warnings) text += "- " + warning + "\n";
  return text + "\n" + verdict_of(result) + "\n";
}

}  // namespace buffon::cli
