// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/io/explain.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include <buffon/io/data_file.hpp>
#include <buffon/io/option_list.hpp>
#include <buffon/model/denoiser_kind.hpp>

#include "config/node.hpp"
#include "config/sections.hpp"

namespace buffon {
namespace {

using Json = nlohmann::ordered_json;

/// A number as JSON writes it: whole where it is whole, so that the text does not depend on the library.
Json number(double value) {
  if (value == std::floor(value) && std::abs(value) < 9e15) return Json(static_cast<std::int64_t>(value));
  return Json(value);
}

Json number_rule(const ListedOption& option, const char* type) {
  Json out = {{"type", type}};
  if (std::isfinite(option.range.min)) out[option.range.open_min ? "exclusiveMinimum" : "minimum"] = number(option.range.min);
  if (std::isfinite(option.range.max)) out[option.range.open_max ? "exclusiveMaximum" : "maximum"] = number(option.range.max);
  return out;
}

Json text_rule(const ListedOption& option) {
  Json out = {{"type", "string"}};
  if (option.json) out["type"] = {"string", "object"};
  if (!option.choices.empty()) out["enum"] = option.choices;
  return out;
}

Json list_rule(const ListedOption& option, Json items) {
  Json out = {{"type", "array"}, {"items", std::move(items)}};
  if (option.size_min > 0) out["minItems"] = option.size_min;
  if (option.size_max != std::numeric_limits<std::int64_t>::max()) out["maxItems"] = option.size_max;
  return out;
}

Json rows_of(Json items) { return {{"type", "array"}, {"items", std::move(items)}}; }

Json rule(const ListedOption& option) {
  switch (option.type) {
    case OptionType::boolean:
      return {{"type", "boolean"}};
    case OptionType::integer:
      return number_rule(option, "integer");
    case OptionType::number:
    case OptionType::optional_number:
      return number_rule(option, "number");
    case OptionType::text:
      return text_rule(option);
    case OptionType::number_list:
      return list_rule(option, number_rule(option, "number"));
    case OptionType::integer_list:
      return list_rule(option, number_rule(option, "integer"));
    case OptionType::text_list:
      return list_rule(option, text_rule(option));
    case OptionType::text_lists:
      return list_rule(option, {{"type", "array"}, {"items", text_rule(option)}});
    case OptionType::number_rows:
      return list_rule(option, rows_of(number_rule(option, "number")));
    case OptionType::number_tables:
      return list_rule(option, rows_of(rows_of(number_rule(option, "number"))));
  }
  return {};
}

Json property(const ListedOption& option) {
  Json out = rule(option);
  out["description"] = option.meaning + (option.unit.empty() ? "" : " (unit: " + option.unit + ")");
  // Defaults are TOML texts; those of JSON are the same but for infinities, which JSON cannot write.
  if (!option.default_text.empty()) {
    Json value = Json::parse(option.default_text, nullptr, false);
    if (!value.is_discarded()) out["default"] = value.is_number_float() ? number(value.get<double>()) : std::move(value);
  }
  return out;
}

/// Adds the options to an object schema.
void add(Json& object, const std::vector<ListedOption>& options) {
  for (const auto& option : options) {
    object["properties"][option.name] = property(option);
    if (option.required) object["required"].push_back(option.name);
  }
}

Json object_schema(const std::vector<ListedOption>& options) {
  Json out = {{"type", "object"}};
  out["properties"] = Json::object();
  add(out, options);
  return out;
}

Json when(const std::string& key, const std::string& word, Json then) {
  const Json condition = {{"properties", {{key, {{"const", word}}}}}, {"required", {key}}};
  return {{"if", condition}, {"then", std::move(then)}};
}

/// The keys that come with a choice: `key = name` brings those that the entry describes.
template <class Entry>
void add_choices(Json& object, const std::string& key, const std::vector<Entry>& entries) {
  for (const auto& entry : entries) {
    Json then = object_schema(list_options(entry.describe));
    then.erase("type");
    object["allOf"].push_back(when(key, entry.name, std::move(then)));
  }
  object["unevaluatedProperties"] = false;
}

Json closed(Json object) {
  object["additionalProperties"] = false;
  return object;
}

Json list_of(std::string_view meaning, Json items) { return {{"type", "array"}, {"description", meaning}, {"items", std::move(items)}}; }

/// An input whose parameters may be expressions.
Json variable_schema() {
  Json variable = object_schema(list_options_of(config::input_section()));
  add_choices(variable, "law", marginal_families());
  for (auto& choice : variable["allOf"]) {
    for (auto& parameter : choice["then"]["properties"]) {
      Json number = parameter;
      number.erase("description");
      number.erase("default");
      parameter = {{"description", parameter["description"]}, {"anyOf", {std::move(number), {{"type", "string"}}}}};
    }
  }
  return variable;
}

Json start_schema(std::string_view meaning) {
  Json start = closed(object_schema(list_options_of<config::StartSection>()));
  start["description"] = meaning;
  const Json numbers = {{"type", "array"}, {"items", {{"type", "number"}}}};
  start["properties"]["points"] = list_of("for given: one point for all chains or one for each, with a number for each component", numbers);
  Json law = object_schema(list_options_of(config::input_section()));
  add_choices(law, "law", marginal_families());
  start["properties"]["laws"] = list_of("for law: a law for every parameter", std::move(law));
  return start;
}

}  // namespace

std::string job_schema(const std::vector<MethodEntry>& methods) {
  using namespace config;
  Json schema = {{"$schema", "https://json-schema.org/draft/2020-12/schema"}, {"title", "buffon job"}};
  schema["description"] = "A job of buffon, written as TOML or JSON";
  schema["type"] = "object";
  schema["properties"] = Json::object();
  add(schema, list_options_of(job_head(methods)));

  for (const auto& section : section_texts()) {
    if (section.name.empty()) continue;
    const std::string name(section.name);
    Json& property_of = schema["properties"][name];
    if (name == "model") {
      Json model = object_schema(list_options_of(model_section()));
      model["description"] = section.meaning;
      model["properties"]["journal"].erase("default");  // it depends on the kind
      add_choices(model, "kind", model_kinds());
      property_of = std::move(model);
    } else if (name == "inputs") {
      Json input = object_schema(list_options_of(input_section()));
      add_choices(input, "law", marginal_families());
      property_of = list_of(section.meaning, std::move(input));
    } else if (name == "correlations") {
      property_of = list_of(section.meaning, closed(object_schema(list_options_of<CorrelationSection>())));
    } else if (name == "quantities") {
      Json quantity = closed(object_schema(list_options_of<QuantitySection>()));
      for (const auto* key : {"value", "event"}) quantity["properties"][key].erase("default");
      quantity["oneOf"] = {{{"required", {"value"}}}, {{"required", {"event"}}}};
      property_of = list_of(section.meaning, std::move(quantity));
    } else if (name == "scenarios") {
      Json scenario = closed(object_schema(list_options_of<ScenarioSection>()));
      scenario["properties"]["inputs"] = {
          {"type", "object"}, {"description", "overridden parameters by input"}, {"additionalProperties", {{"type", "object"}}}};
      property_of = list_of(section.meaning, std::move(scenario));
    } else if (name == "nested") {
      Json nested = object_schema(list_options_of(nested_section()));
      nested["description"] = section.meaning;
      add_choices(nested, "kind", nested_kinds());
      property_of = std::move(nested);
    } else if (name == "stages") {
      Json stage = closed(object_schema(list_options_of<StageSection>()));
      stage["properties"]["variables"] =
          list_of("what is drawn; a parameter of a law is a number or an expression of the variables before it", variable_schema());
      property_of = list_of(section.meaning, std::move(stage));
    } else if (name == "density") {
      Json density = object_schema(list_options_of(density_section()));
      density["description"] = section.meaning;
      add_choices(density, "kind", target_kinds());
      property_of = std::move(density);
    } else if (name == "denoiser") {
      Json denoiser = object_schema(list_options_of(denoiser_section()));
      denoiser["description"] = section.meaning;
      add_choices(denoiser, "kind", denoiser_kinds());
      property_of = std::move(denoiser);
    } else if (name == "schedule") {
      Json schedule = object_schema(list_options_of(schedule_section()));
      schedule["description"] = section.meaning;
      add_choices(schedule, "kind", schedule_kinds());
      property_of = std::move(schedule);
    } else if (name == "parameters") {
      property_of = list_of(section.meaning, closed(object_schema(list_options_of<ParameterSection>())));
    } else if (name == "start") {
      property_of = start_schema(section.meaning);
    } else if (name == "data") {
      property_of = closed(object_schema(list_options_of<DataFileOptions>()));
      property_of["description"] = section.meaning;
    } else if (name == "derived") {
      property_of = list_of(section.meaning, closed(object_schema(list_options_of<DerivedQuantity>())));
    } else if (name == "options") {
      property_of = {{"type", "object"}, {"description", section.meaning}};
    } else {
      property_of = closed(object_schema(list_options_of<RunSettings>()));
      property_of["description"] = section.meaning;
    }
  }
  for (const auto& entry : methods) {
    Json options = closed(object_schema(list_options(entry.describe)));
    options["description"] = entry.title + ": " + entry.summary;
    Json then = {{"properties", {{"options", std::move(options)}}}};
    for (const auto& section : section_texts()) {
      if (!section.goes_with(entry.subject)) then["properties"][section.name] = false;
    }
    static constexpr std::array<std::string_view, 5> needed = {"model", "nested", "density", "data", "denoiser"};  // in the order of SubjectKind
    then["required"].push_back(needed[static_cast<std::size_t>(entry.subject)]);
    if (entry.subject == SubjectKind::diffusion) then["required"].push_back("schedule");
    const auto listed = list_options(entry.describe);
    if (std::any_of(listed.begin(), listed.end(), [](const ListedOption& option) { return option.required; })) then["required"].push_back("options");
    schema["allOf"].push_back(when("method", entry.name, std::move(then)));
  }
  schema["additionalProperties"] = false;
  return schema.dump(2) + "\n";
}

}  // namespace buffon
