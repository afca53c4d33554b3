// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/model/denoiser_kind.hpp>
#include <buffon/model/marginal.hpp>
#include <buffon/model/method_entry.hpp>
#include <buffon/model/model_kind.hpp>
#include <buffon/model/nested_kind.hpp>
#include <buffon/model/target_kind.hpp>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace buffon {

/// Texts for terminals and documents, made from the same descriptions that a configuration is read by. Terminal texts are
/// aligned, at most about 100 columns wide, and end with a newline.

/// What a method does and its options: name, type, default, rule, unit, meaning.
std::string explain_method(const MethodEntry& entry);
std::string explain_law(const MarginalFamily& family);
std::string explain_model_kind(const ModelKind& kind);
std::string explain_problem(const NamedProblem& problem);
std::string explain_nested_kind(const NestedKind& kind);
std::string explain_nested_problem(const NamedNestedProblem& problem);

std::string explain_target_kind(const TargetKind& kind);
std::string explain_density(const NamedDensity& density);
std::string explain_denoiser_kind(const DenoiserKind& kind);
std::string explain_schedule_kind(const ScheduleKind& kind);

/// A section of the job file: "run", "model", "inputs", …; "job" = all of them.
std::string explain_section(std::string_view section);

/// Whatever has this name: a method, a law, a model kind, a named problem, a kind of nested problem, a named nested problem, a kind of
/// density, a named density, a section, "job", or a key such as
/// "run.threads", "aiscv.rounds", "options.rounds" (in every method that has it), "normal.mean".
/// @throws Error(usage) with the nearest name
std::string explain(std::string_view name, const std::vector<MethodEntry>& methods);

/// Names with one line each, that the caller knows.
struct ListedGroup {
  std::string name;
  std::vector<std::pair<std::string, std::string>> entries;
};

/// One line each. `what`: "methods", "laws", "models", "problems", "nested", "densities", "denoisers", "schedules", "backends", "sections", or the name of a
/// further group; empty = all.
/// @throws Error(usage) with the nearest word
std::string list_text(std::string_view what, const std::vector<MethodEntry>& methods, const std::vector<ListedGroup>& more = {});

/// The options as a Markdown table, for the method's page between `<!-- options:begin -->` and `<!-- options:end -->`.
std::string method_markdown_table(const MethodEntry& entry);
/// The same for a section of the job file.
std::string section_markdown_table(std::string_view section);

/// JSON Schema (draft 2020-12) of the job file, indented, ending with a newline. What depends on a choice (options on the
/// method, keys of a model on its kind, parameters of an input on its law) stands under `if`/`then`.
std::string job_schema(const std::vector<MethodEntry>& methods);

}  // namespace buffon
