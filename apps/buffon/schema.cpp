// SPDX-License-Identifier: BSD-3-Clause
#include "schema.hpp"

#include <cmath>
#include <nlohmann/json.hpp>

#include <buffon/io/job.hpp>
#include <buffon/model/marginal.hpp>
#include <buffon/model/model_kind.hpp>

#include "verbs.hpp"

namespace buffon::cli {
namespace {

using Json = nlohmann::ordered_json;

void add_range(Json& schema, const Range& range) {
  if (std::isfinite(range.min)) schema[range.open_min ? "exclusiveMinimum" : "minimum"] = range.min;
  if (std::isfinite(range.max)) schema[range.open_max ? "exclusiveMaximum" : "maximum"] = range.max;
}

Json schema_of(const ListedOption& option) {
  Json element = Json::object();
  const auto list_of = [&](Json inner) {
    Json list = {{"type", "array"}, {"items", std::move(inner)}};
    if (option.size_min > 0) list["minItems"] = option.size_min;
    if (option.size_max < std::numeric_limits<std::int64_t>::max()) list["maxItems"] = option.size_max;
    return list;
  };
  const bool whole = option.type == OptionType::integer || option.type == OptionType::integer_list;
  const bool text = option.type == OptionType::text || option.type == OptionType::text_list || option.type == OptionType::text_lists;
  element["type"] = option.type == OptionType::boolean ? "boolean" : whole ? "integer" : text ? "string" : "number";
  if (!text && option.type != OptionType::boolean) add_range(element, option.range);
  if (!option.choices.empty()) element["enum"] = option.choices;
  Json schema = element;
  if (option.type == OptionType::number_list || option.type == OptionType::integer_list || option.type == OptionType::text_list) schema = list_of(element);
  if (option.type == OptionType::text_lists) schema = list_of({{"type", "array"}, {"items", element}});
  schema["description"] =
      option.meaning + (option.unit.empty() ? "" : " [" + option.unit + "]") + (option.default_text.empty() ? "" : " Default: " + option.default_text + ".");
  return schema;
}

/// @param fixed keys that stand in the same table, with their schemas
Json table_schema(const std::vector<ListedOption>& options, const Json& fixed = Json::object()) {
  Json properties = fixed, required = Json::array();
  for (const auto& [key, value] : fixed.items()) {
    if (value.contains("const")) required.push_back(key);
  }
  for (const ListedOption& option : options) {
    properties[option.name] = schema_of(option);
    if (option.required) required.push_back(option.name);
  }
  Json schema = {{"type", "object"}, {"properties", properties}, {"additionalProperties", false}};
  if (!required.empty()) schema["required"] = required;
  return schema;
}

Json text(const char* description) { return {{"type", "string"}, {"description", description}}; }

Json named_expressions(const char* description, bool events) {
  Json properties = {{"name", text("name in the results")}, {"value", text("expression")}};
  if (events) properties["event"] = text("expression; the probability that it is positive");
  return {{"type", "array"},
          {"description", description},
          {"items", {{"type", "object"}, {"properties", properties}, {"required", {"name"}}, {"additionalProperties", false}}}};
}

}  // namespace

std::string options_schema(const std::vector<ListedOption>& options) {
  Json schema = {{"$schema", "http://json-schema.org/draft-07/schema#"}};
  schema.update(table_schema(options));
  return schema.dump(2) + "\n";
}

std::string job_schema() {
  Json methods = Json::array(), by_method = Json::array(), models = Json::array(), laws = Json::array();
  for (const MethodEntry& entry : all_methods()) {
    methods.push_back(entry.name);
    by_method.push_back({{"if", {{"properties", {{"method", {{"const", entry.name}}}}}}},
                         {"then", {{"properties", {{"options", table_schema(list_options(entry.describe))}}}}}});
  }
  Json policy = {{"on_failure", {{"enum", {"stop", "retry", "replace"}}, {"description", "what happens to a point that the model cannot evaluate"}}},
                 {"retries", {{"type", "integer"}, {"minimum", 0}}},
                 {"replacement", {{"type", "number"}}},
                 {"journal", {{"type", "boolean"}, {"description", "remember evaluations on disk"}}}};
  for (const ModelKind& kind : model_kinds()) {
    Json fixed = {{"kind", {{"const", kind.name}, {"description", kind.summary}}}};
    fixed.update(policy);
    models.push_back(table_schema(list_options(kind.describe), fixed));
  }
  for (const MarginalFamily& family : marginal_families()) {
    laws.push_back(
        table_schema(list_options(family.describe), {{"name", text("name of the input")}, {"law", {{"const", family.name}, {"description", family.summary}}}}));
  }
  const Json pair = {{"type", "object"},
                     {"properties",
                      {{"between", {{"type", "array"}, {"items", {{"type", "string"}}}, {"minItems", 2}, {"maxItems", 2}}},
                       {"value", {{"type", "number"}, {"exclusiveMinimum", -1}, {"exclusiveMaximum", 1}}}}},
                     {"required", {"between", "value"}},
                     {"additionalProperties", false}};
  const Json scenario = {
      {"type", "object"},
      {"properties", {{"name", text("name in the results")}, {"inputs", {{"type", "object"}, {"description", "parameters of inputs to override"}}}}},
      {"required", {"name"}},
      {"additionalProperties", false}};
  const Json schema = {{"$schema", "http://json-schema.org/draft-07/schema#"},
                       {"title", "buffon job"},
                       {"type", "object"},
                       {"required", {"method", "seed"}},
                       {"additionalProperties", false},
                       {"properties",
                        {{"method", {{"enum", methods}}},
                         {"seed", {{"type", "integer"}, {"minimum", 0}}},
                         {"title", text("for people")},
                         {"model", {{"oneOf", models}}},
                         {"inputs", {{"type", "array"}, {"items", {{"oneOf", laws}}}}},
                         {"correlations", {{"type", "array"}, {"items", pair}}},
                         {"quantities", named_expressions("what is estimated", true)},
                         {"scenarios", {{"type", "array"}, {"items", scenario}}},
                         {"derived", named_expressions("functions of the estimates", false)},
                         {"options", {{"type", "object"}, {"description", "of the method"}}},
                         {"run", table_schema(list_options_of<RunSettings>())}}},
                       {"allOf", by_method}};
  return schema.dump(2) + "\n";
}

}  // namespace buffon::cli
