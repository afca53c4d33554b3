// SPDX-License-Identifier: BSD-3-Clause
#include "umbridge_protocol.hpp"

#include <cmath>
#include <limits>

#include <nlohmann/json.hpp>

#include <buffon/core/error.hpp>

#include "json_lines.hpp"

namespace buffon::detail {
namespace {

using Json = nlohmann::json;

bool has_non_finite_token(std::string_view text) {
  for (const std::string_view token : {"NaN", "nan", "Infinity", "inf"}) {
    if (text.find(token) != std::string_view::npos) return true;
  }
  return false;
}

std::string json_text(const std::string& text) { return Json(text).dump(-1, ' ', false, Json::error_handler_t::replace); }

/// The text of a string, or a piece of the answer.
std::string text_of(const Json& json, const char* key, std::string_view body) {
  const auto found = json.find(key);
  return one_line(found != json.end() && found->is_string() ? std::string_view(found->get_ref<const std::string&>()) : body, 1000);
}

/// Reads the answer as an object. @returns the fault; an "error" object is one, whatever the status
std::string read(int status, std::string_view body, Json& json) {
  try {
    json = Json::parse(body);
  } catch (const Json::out_of_range&) {
    return "the answer holds a number that does not fit a double: " + one_line(body, 200);
  } catch (const Json::exception&) {
    if (status != 200) return "the server answered with HTTP status " + std::to_string(status) + ": " + one_line(body, 200);
    if (has_non_finite_token(body)) return "the answer holds NaN or infinity, which JSON cannot say: " + one_line(body, 200);
    return "the answer is not JSON: " + one_line(body, 200);
  }
  if (json.is_object()) {
    if (const auto error = json.find("error"); error != json.end()) {
      if (!error->is_object()) return "the server reports an error: " + one_line(body, 1000);
      return "the server reports " + text_of(*error, "type", "an error") + ": " + text_of(*error, "message", body);
    }
  }
  if (status != 200) return "the server answered with HTTP status " + std::to_string(status) + ": " + one_line(body, 200);
  if (!json.is_object()) return "the answer must be a JSON object, not: " + one_line(body, 200);
  return {};
}

std::string lacks(const std::string& key, std::string_view body) { return "the answer lacks \"" + key + "\": " + one_line(body, 200); }

/// Empty when `value` is a finite number, else what is wrong with it.
std::string take(const Json& value, const std::string& name, bool log_density, std::vector<double>& values) {
  if (log_density && value.is_string() && minus_infinity(value.get_ref<const std::string&>())) {
    values.push_back(-std::numeric_limits<double>::infinity());
    return {};
  }
  if (log_density && value.is_null()) return "output " + name + " is null; where the density is zero answer \"-inf\"";
  if (value.is_null()) return "output " + name + " is null, which stands for NaN or infinity";
  if (!value.is_number()) return "output " + name + " is of type " + value.type_name() + ", not a number";
  values.push_back(value.get<double>());
  if (!std::isfinite(values.back())) return "output " + name + " does not fit a double";
  return {};
}

}  // namespace

Parsed<std::vector<std::string>> parse_info(int status, std::string_view body) {
  Json json;
  if (auto fault = read(status, body, json); !fault.empty()) return {{}, std::move(fault)};
  const auto version = json.find("protocolVersion");
  if (version == json.end() || !version->is_number()) return {{}, lacks("protocolVersion", body)};
  if (version->get<double>() != 1.0) return {{}, "the server speaks UM-Bridge " + to_text(version->get<double>()) + ", this version speaks 1.0"};
  const auto models = json.find("models");
  if (models == json.end() || !models->is_array()) return {{}, lacks("models", body)};
  Parsed<std::vector<std::string>> names;
  for (const Json& name : *models) {
    if (!name.is_string()) return {{}, "\"models\" must list names: " + one_line(body, 200)};
    names.value.push_back(name.get<std::string>());
  }
  if (names.value.empty()) return {{}, "the server offers no model"};
  return names;
}

Parsed<bool> parse_evaluate_support(int status, std::string_view body) {
  Json json;
  if (auto fault = read(status, body, json); !fault.empty()) return {{}, std::move(fault)};
  const auto support = json.find("support");
  if (support == json.end() || !support->is_object()) return {{}, lacks("support", body)};
  const auto evaluate = support->find("Evaluate");
  return {evaluate != support->end() && *evaluate == true, {}};
}

Parsed<std::vector<std::int64_t>> parse_sizes(int status, std::string_view body, const std::string& key) {
  Json json;
  if (auto fault = read(status, body, json); !fault.empty()) return {{}, std::move(fault)};
  const auto found = json.find(key);
  if (found == json.end() || !found->is_array()) return {{}, lacks(key, body)};
  Parsed<std::vector<std::int64_t>> sizes;
  std::int64_t total = 0;
  for (const Json& size : *found) {
    // A whole number above the signed range reads as negative, so it is refused as well.
    const std::int64_t n = size.is_number_integer() ? size.get<std::int64_t>() : -1;
    if (n < 0 || n > largest_total_size || (total += n) > largest_total_size) {
      return {{}, "\"" + key + "\" must be whole numbers that sum up to at most " + std::to_string(largest_total_size) + ": " + one_line(body, 200)};
    }
    sizes.value.push_back(n);
  }
  if (total == 0) return {{}, "\"" + key + "\" names no number at all: " + one_line(body, 200)};
  return sizes;
}

Parsed<std::vector<double>> parse_output(int status, std::string_view body, std::span<const std::int64_t> sizes, const std::vector<std::string>& names,
                                         bool log_density) {
  Json json;
  std::string quoted;
  if (log_density && body.find("-Infinity") != std::string_view::npos) {
    quoted = with_infinities_quoted(body);
    body = quoted;
  }
  if (auto fault = read(status, body, json); !fault.empty()) return {{}, std::move(fault)};
  const auto output = json.find("output");
  if (output == json.end() || !output->is_array()) return {{}, lacks("output", body)};
  if (output->size() != sizes.size()) {
    return {{}, "the answer has " + std::to_string(output->size()) + " output vectors instead of " + std::to_string(sizes.size())};
  }
  Parsed<std::vector<double>> values;
  values.value.reserve(names.size());
  for (std::size_t k = 0; k < sizes.size(); ++k) {
    const Json& vector = (*output)[k];
    if (!vector.is_array()) return {{}, "output vector " + std::to_string(k) + " is of type " + vector.type_name() + ", not a list of numbers"};
    if (static_cast<std::int64_t>(vector.size()) != sizes[k]) {
      return {{}, "output vector " + std::to_string(k) + " has " + std::to_string(vector.size()) + " numbers instead of " + std::to_string(sizes[k])};
    }
    for (const Json& value : vector) {
      if (auto fault = take(value, names[values.value.size()], log_density, values.value); !fault.empty()) return {{}, std::move(fault)};
    }
  }
  return values;
}

Parsed<std::string> parse_config(std::string_view text) {
  // Writing is recursive, so the depth is bounded.
  constexpr int deepest = 64;
  int depth = 0;
  Json json;
  try {
    json = Json::parse(text, [&](int level, Json::parse_event_t, Json&) {
      depth = std::max(depth, level);
      return true;
    });
  } catch (const Json::exception&) {
    return {{}, "is not JSON"};
  }
  if (!json.is_object()) return {{}, "must be a JSON object"};
  if (depth > deepest) return {{}, "must not nest deeper than " + std::to_string(deepest) + " levels"};
  return {json.dump(-1, ' ', false, Json::error_handler_t::replace), {}};
}

std::string model_info_request(const std::string& name) { return "{\"name\":" + json_text(name) + "}"; }

std::string sizes_request(const std::string& name, const std::string& config) { return "{\"name\":" + json_text(name) + ",\"config\":" + config + "}"; }

std::string evaluate_request(const std::string& name, std::span<const std::int64_t> sizes, const double* point, const std::string& config) {
  std::string text = "{\"name\":" + json_text(name) + ",\"input\":[";
  for (std::size_t k = 0; k < sizes.size(); ++k) {
    text += k > 0 ? ",[" : "[";
    for (std::int64_t i = 0; i < sizes[k]; ++i) {
      if (i > 0) text += ',';
      text += to_text(*point++);
    }
    text += ']';
  }
  return text + "],\"config\":" + config + "}";
}

}  // namespace buffon::detail
