// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/io/explain.hpp>

#include <algorithm>
#include <utility>

#include <buffon/backend/backend.hpp>
#include <buffon/core/error.hpp>
#include <buffon/io/data_file.hpp>
#include <buffon/io/option_list.hpp>

#include "config/sections.hpp"

namespace buffon {
namespace {

using config::section_texts;

constexpr std::size_t text_width = 100;

/// Columns that a text takes on a terminal: code points of UTF-8.
std::size_t columns_of(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

std::string padded(std::string text, std::size_t width) {
  const std::size_t columns = columns_of(text);
  if (columns < width) text.append(width - columns, ' ');
  return text;
}

/// Words of `text` in lines of at most text_width columns, each after `indent` spaces.
std::string wrapped(std::string_view text, std::size_t indent) {
  std::string out;
  std::string line(indent, ' ');
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find(' ', at), text.size());
    const std::string_view word = text.substr(at, end - at);
    if (line.size() > indent && columns_of(line) + 1 + columns_of(word) > text_width) {
      out += line + '\n';
      line.assign(indent, ' ');
    }
    if (line.size() > indent) line += ' ';
    line += word;
    at = end + 1;
  }
  return out + line + '\n';
}

std::string default_of(const ListedOption& option) { return option.required ? "required" : option.default_text.empty() ? "none" : option.default_text; }

std::string rule_of(const ListedOption& option) {
  std::string rule = option.rule();
  if (!option.unit.empty()) rule += (rule.empty() ? "" : ", ") + ("unit " + option.unit);
  return rule;
}

std::string sentence(std::string text) {
  if (!text.empty() && text.back() != '.') text += '.';
  return text;
}

/// One block of lines per option: name, type and default in columns, below them the meaning and the rule.
std::string option_block(const std::vector<ListedOption>& options) {
  if (options.empty()) return "  (no keys)\n";
  std::size_t name_width = 0;
  std::size_t type_width = 0;
  for (const auto& option : options) {
    name_width = std::max(name_width, columns_of(option.name));
    type_width = std::max(type_width, columns_of(type_text(option.type)));
  }
  std::string out;
  for (const auto& option : options) {
    out += "  " + padded(option.name, name_width) + "  " + padded(std::string(type_text(option.type)), type_width) + "  ";
    out += option.required ? "required\n" : "default: " + default_of(option) + '\n';
    const std::string rule = rule_of(option);
    out += wrapped(option.meaning + (rule.empty() ? "" : " [" + rule + "]"), 6);
  }
  return out;
}

std::string headed(const std::string& name, const std::string& summary, const std::string& usage, const std::vector<ListedOption>& options) {
  return name + '\n' + wrapped(sentence(summary), 2) + '\n' + usage + '\n' + option_block(options);
}

std::vector<ListedOption> section_options(std::string_view section) {
  if (section.empty()) {
    config::JobHead head;
    return list_options_of(head);
  }
  if (section == "model") return list_options_of(config::ModelSection{});
  if (section == "inputs") return list_options_of(config::InputSection{});
  if (section == "correlations") return list_options_of<config::CorrelationSection>();
  if (section == "quantities") return list_options_of<config::QuantitySection>();
  if (section == "scenarios") return list_options_of<config::ScenarioSection>();
  if (section == "stages") return list_options_of<config::StageSection>();
  if (section == "density") return list_options_of(config::density_section());
  if (section == "parameters") return list_options_of<config::ParameterSection>();
  if (section == "start") return list_options_of<config::StartSection>();
  if (section == "nested") return list_options_of(config::nested_section());
  if (section == "denoiser") return list_options_of(config::denoiser_section());
  if (section == "schedule") return list_options_of(config::schedule_section());
  if (section == "data") return list_options_of<DataFileOptions>();
  if (section == "derived") return list_options_of<DerivedQuantity>();
  if (section == "run") return list_options_of<RunSettings>();
  return {};
}

std::string section_title(std::string_view section) {
  if (section.empty()) return "top level";
  return config::repeated_section(section) ? "[[" + std::string(section) + "]]" : "[" + std::string(section) + "]";
}

/// What a section holds beside its own keys.
std::string section_extra(std::string_view section) {
  if (section == "model") return "  and the keys of the kind: see `buffon explain KIND`\n";
  if (section == "inputs") return "  and the parameters of the law: see `buffon explain LAW`\n";
  if (section == "scenarios") {
    return "  inputs  table  default: none\n      overridden parameters by input, for example inputs = { F_X = { mean = 600.0 } }\n";
  }
  if (section == "nested" || section == "density" || section == "denoiser" || section == "schedule")
    return "  and the keys of the kind: see `buffon explain KIND`\n";
  if (section == "start") {
    return "  points  list of lists of numbers  default: none\n" +
           wrapped("for given: one point for all chains or one for each, with a number for each component in the order of the parameters", 6) +
           "  laws  list of tables  default: none\n" +
           wrapped(
               "for law: [[start.laws]] with name (a parameter, or a component as theta.1), law and its parameters, for every parameter; on the scale of "
               "the parameters",
               6);
  }
  if (section == "stages") {
    return "  variables  list of tables  default: []\n" +
           wrapped(
               "what is drawn: name, law and the parameters of the law, each a number or an expression of the variables before it, for example "
               "variables = [{ name = \"y1\", law = \"normal\", mean = \"y0\", std_dev = 1.0 }]",
               6);
  }
  if (section == "options") return "  the options of the method: see `buffon explain METHOD`\n";
  return {};
}

std::string section_text(const config::SectionText& section) {
  const std::vector<ListedOption> options = section_options(section.name);
  return section_title(section.name) + '\n' + wrapped(section.meaning, 2) + '\n' + (options.empty() ? "" : option_block(options)) + section_extra(section.name);
}

std::string cell(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '|') out += '\\';
    out += c;
  }
  return out;
}

std::string markdown_table(const std::vector<ListedOption>& options) {
  std::string out = "| key | type | default | rule | meaning |\n| --- | --- | --- | --- | --- |\n";
  for (const auto& option : options) {
    const std::string value = option.required ? "required" : option.default_text.empty() ? "none" : "`" + option.default_text + "`";
    out += "| `" + option.name + "` | " + std::string(type_text(option.type)) + " | " + cell(value) + " | " + cell(rule_of(option)) + " | " +
           cell(option.meaning) + " |\n";
  }
  return out;
}

template <class Entry>
const Entry* find(const std::vector<Entry>& entries, std::string_view name) {
  const auto found = std::find_if(entries.begin(), entries.end(), [&](const Entry& entry) { return entry.name == name; });
  return found == entries.end() ? nullptr : &*found;
}

const config::SectionText* find_section(std::string_view name) {
  const auto& sections = section_texts();
  const auto found = std::find_if(sections.begin(), sections.end(), [&](const auto& section) { return !section.name.empty() && section.name == name; });
  return found == sections.end() ? nullptr : &*found;
}

std::string lines(const std::string& title, const std::vector<std::pair<std::string, std::string>>& entries) {
  std::size_t width = 0;
  for (const auto& [name, summary] : entries) width = std::max(width, columns_of(name));
  std::string out = title + '\n';
  for (const auto& [name, summary] : entries) out += "  " + padded(name, width) + "  " + summary + '\n';
  return out;
}

template <class Entry>
std::string lines_of(const std::string& title, const std::vector<Entry>& entries) {
  std::vector<std::pair<std::string, std::string>> rows;
  for (const auto& entry : entries) rows.emplace_back(entry.name, entry.summary);
  return lines(title, rows);
}

[[noreturn]] void unknown(const std::string& doing, std::string_view word, const std::vector<std::string>& words) {
  std::string_view close = nearest(word, words);
  if (2 * edit_distance(word, close) > word.size()) close = {};  // more than half of the letters differ: another word
  std::string remedy = close.empty() ? std::string() : "did you mean \"" + std::string(close) + "\"?";
  if (close.empty()) remedy = "`buffon list` shows every name";
  throw Error(ErrorCategory::usage,
              {.doing = doing, .key = "name", .value = "\"" + std::string(word) + "\"", .rule = "is not known", .remedy = std::move(remedy)});
}

/// Every described key with the place it belongs to, "run" for the key run.threads.
std::vector<std::pair<std::string, ListedOption>> all_keys(const std::vector<MethodEntry>& methods) {
  std::vector<std::pair<std::string, ListedOption>> keys;
  const auto add = [&](const std::string& owner, const std::vector<ListedOption>& options) {
    for (const auto& option : options) keys.emplace_back(owner, option);
  };
  for (const auto& section : section_texts()) add(std::string(section.name), section_options(section.name));
  for (const auto& entry : methods) add(entry.name, list_options(entry.describe));
  for (const auto& kind : model_kinds()) add(kind.name, list_options(kind.describe));
  for (const auto& kind : nested_kinds()) add(kind.name, list_options(kind.describe));
  for (const auto& kind : target_kinds()) add(kind.name, list_options(kind.describe));
  for (const auto& kind : denoiser_kinds()) add(kind.name, list_options(kind.describe));
  for (const auto& kind : schedule_kinds()) add(kind.name, list_options(kind.describe));
  for (const auto& family : marginal_families()) add(family.name, list_options(family.describe));
  return keys;
}

}  // namespace

std::string explain_method(const MethodEntry& entry) {
  return headed(entry.name + ": " + entry.title, entry.summary,
                "In a job file: method = \"" + entry.name + "\", with these keys in [options]:", list_options(entry.describe));
}

std::string explain_law(const MarginalFamily& family) {
  return headed(family.name, family.summary,
                "In a job file: law = \"" + family.name + "\" in [[inputs]], with these keys beside it:", list_options(family.describe));
}

std::string explain_model_kind(const ModelKind& kind) {
  return headed(kind.name, kind.summary, "In a job file: kind = \"" + kind.name + "\" in [model], with these keys beside it:", list_options(kind.describe));
}

std::string explain_problem(const NamedProblem& problem) {
  std::string out = problem.name + '\n' + wrapped(sentence(problem.summary), 2);
  out += "\nIn a job file: kind = \"named\" and name = \"" + problem.name + "\" in [model].\n\nInputs:\n";
  const JointLaw law = problem.law();
  const std::shared_ptr<const Model> model = problem.model();
  for (const auto& input : law.inputs()) out += "  " + input.name + ": " + input.law.describe() + '\n';
  out += "Outputs:\n";
  for (const auto& name : model->output_names()) out += "  " + name + '\n';
  return out;
}

std::string explain_nested_kind(const NestedKind& kind) {
  return headed(kind.name, kind.summary, "In a job file: kind = \"" + kind.name + "\" in [nested], with these keys beside it:", list_options(kind.describe));
}

std::string explain_nested_problem(const NamedNestedProblem& problem) {
  std::string out = problem.name + '\n' + wrapped(sentence(problem.summary), 2);
  out += "\nIn a job file: kind = \"named\" and name = \"" + problem.name + "\" in [nested].\n";
  for (const auto& known : problem.known) out += "Known " + known.quantity + ": " + to_text(known.value) + " (" + known.source + ")\n";
  return out;
}

std::string explain_target_kind(const TargetKind& kind) {
  return headed(kind.name, kind.summary, "In a job file: kind = \"" + kind.name + "\" in [density], with these keys beside it:", list_options(kind.describe));
}

std::string explain_density(const NamedDensity& density) {
  std::string out = density.name + '\n' + wrapped(sentence(density.summary), 2);
  out += "\nIn a job file: kind = \"named\" and name = \"" + density.name + "\" in [density]";
  if (density.sized) out += ", dimension = " + std::to_string(density.default_dimension) + " or another";
  if (density.needs_data) out += ", data = a JSON file";
  out += ".\n";
  if (!density.needs_data) {
    const MadeDensity made = density.make(density.default_dimension, {});
    out += "\nParameters:\n";
    for (const auto& parameter : made.parameters) {
      out += "  " + parameter.name + (parameter.size > 0 ? ", " + std::to_string(parameter.size) + " numbers" : "") + ": ";
      switch (parameter.constraint) {
        case Constraint::lower:
          out += "greater than " + to_text(parameter.lower);
          break;
        case Constraint::upper:
          out += "less than " + to_text(parameter.upper);
          break;
        case Constraint::interval:
          out += "between " + to_text(parameter.lower) + " and " + to_text(parameter.upper);
          break;
        default:
          out += parameter.constraint == Constraint::none ? "any number" : std::string(constraint_names()[static_cast<std::size_t>(parameter.constraint)]);
      }
      out += '\n';
    }
  }
  for (const auto& known : density.known) out += "Known " + known.quantity + ": " + to_text(known.value) + " (" + known.source + ")\n";
  return out;
}

std::string explain_denoiser_kind(const DenoiserKind& kind) {
  return headed(kind.name, kind.summary, "In a job file: kind = \"" + kind.name + "\" in [denoiser], with these keys beside it:", list_options(kind.describe));
}

std::string explain_schedule_kind(const ScheduleKind& kind) {
  return headed(kind.name, kind.summary, "In a job file: kind = \"" + kind.name + "\" in [schedule], with these keys beside it:", list_options(kind.describe));
}

std::string explain_section(std::string_view name) {
  if (name == "job") {
    std::string out;
    for (const auto& section : section_texts()) out += (out.empty() ? "" : "\n") + section_text(section);
    return out;
  }
  if (const auto* section = find_section(name)) return section_text(*section);
  std::vector<std::string> names = {"job"};
  for (const auto& section : section_texts()) names.emplace_back(section.name);
  unknown("explaining a section", name, names);
}

std::string explain(std::string_view name, const std::vector<MethodEntry>& methods) {
  std::string out;
  const auto add = [&](const std::string& text) { out += (out.empty() ? "" : "\n") + text; };
  if (const auto* entry = find(methods, name)) add(explain_method(*entry));
  if (const auto* family = find(marginal_families(), name)) add(explain_law(*family));
  if (const auto* kind = find(model_kinds(), name)) add(explain_model_kind(*kind));
  if (const auto* problem = find(named_problems(), name)) add(explain_problem(*problem));
  if (const auto* kind = find(nested_kinds(), name)) add(explain_nested_kind(*kind));
  if (const auto* problem = find(named_nested_problems(), name)) add(explain_nested_problem(*problem));
  if (const auto* kind = find(target_kinds(), name)) add(explain_target_kind(*kind));
  if (const auto* density = find(named_densities(), name)) add(explain_density(*density));
  if (const auto* kind = find(denoiser_kinds(), name)) add(explain_denoiser_kind(*kind));
  if (const auto* kind = find(schedule_kinds(), name)) add(explain_schedule_kind(*kind));
  if (name == "job" || find_section(name) != nullptr) add(explain_section(name));
  if (!out.empty()) return out;

  const std::size_t dot = name.find('.');
  const std::string owner(dot == std::string_view::npos ? std::string_view() : name.substr(0, dot));
  const std::string_view key = dot == std::string_view::npos ? name : name.substr(dot + 1);
  const auto keys = all_keys(methods);
  for (const auto& [place, option] : keys) {
    const bool here = owner.empty() || place == owner || (owner == "options" && find(methods, place) != nullptr) ||
                      (owner == "inputs" && find(marginal_families(), place) != nullptr) || (owner == "model" && find(model_kinds(), place) != nullptr) ||
                      (owner == "nested" && find(nested_kinds(), place) != nullptr) || (owner == "density" && find(target_kinds(), place) != nullptr) ||
                      (owner == "denoiser" && find(denoiser_kinds(), place) != nullptr) || (owner == "schedule" && find(schedule_kinds(), place) != nullptr);
    if (here && option.name == key) add((place.empty() ? option.name : place + "." + option.name) + '\n' + option_block({option}));
  }
  if (!out.empty()) return out;

  std::vector<std::string> names = {"job"};
  for (const auto& entry : methods) names.push_back(entry.name);
  for (const auto& family : marginal_families()) names.push_back(family.name);
  for (const auto& kind : model_kinds()) names.push_back(kind.name);
  for (const auto& problem : named_problems()) names.push_back(problem.name);
  for (const auto& kind : nested_kinds()) names.push_back(kind.name);
  for (const auto& problem : named_nested_problems()) names.push_back(problem.name);
  for (const auto& kind : target_kinds()) names.push_back(kind.name);
  for (const auto& density : named_densities()) names.push_back(density.name);
  for (const auto& kind : denoiser_kinds()) names.push_back(kind.name);
  for (const auto& kind : schedule_kinds()) names.push_back(kind.name);
  for (const auto& section : section_texts()) {
    if (!section.name.empty()) names.emplace_back(section.name);
  }
  for (const auto& [place, option] : keys) names.push_back(owner.empty() || place.empty() ? option.name : place + "." + option.name);
  unknown("explaining", name, names);
}

std::string list_text(std::string_view what, const std::vector<MethodEntry>& methods, const std::vector<ListedGroup>& more) {
  std::vector<std::pair<std::string, std::string>> sections;
  for (const auto& section : section_texts()) {
    if (!section.name.empty()) sections.emplace_back(section_title(section.name), section.meaning);
  }
  std::vector<std::pair<std::string, std::string>> backends;
  for (const backend::Listed& b : backend::list()) backends.emplace_back(b.name, b.why_not.empty() ? b.device : "not here: " + b.why_not);
  std::vector<std::pair<std::string, std::string>> texts = {
      {"methods", lines_of("methods", methods)},
      {"laws", lines_of("laws", marginal_families())},
      {"models", lines_of("models", model_kinds())},
      {"problems", lines_of("problems", named_problems())},
      {"nested", lines_of("kinds of nested problems", nested_kinds()) + "\n" + lines_of("nested problems", named_nested_problems())},
      {"densities", lines_of("kinds of densities", target_kinds()) + "\n" + lines_of("densities", named_densities())},
      {"denoisers", lines_of("kinds of denoisers", denoiser_kinds())},
      {"schedules", lines_of("noise schedules", schedule_kinds())},
      {"backends", lines("backends", backends)},
      {"sections", lines("sections", sections)}};
  for (const ListedGroup& group : more) texts.emplace_back(group.name, lines(group.name, group.entries));
  std::string out;
  std::vector<std::string> words;
  for (const auto& [word, text] : texts) {
    words.push_back(word);
    if (what.empty() || what == word) out += (out.empty() ? "" : "\n") + text;
  }
  if (out.empty()) unknown("listing", what, words);
  return out;
}

std::string method_markdown_table(const MethodEntry& entry) { return markdown_table(list_options(entry.describe)); }

std::string section_markdown_table(std::string_view section) { return markdown_table(section_options(section)); }

}  // namespace buffon
