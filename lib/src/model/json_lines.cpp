// SPDX-License-Identifier: BSD-3-Clause
#include "json_lines.hpp"

#include <cmath>
#include <limits>

#include <nlohmann/json.hpp>

#include <buffon/core/error.hpp>

namespace buffon::detail {
namespace {

using Json = nlohmann::json;

// Only for short values: writing is recursive, and a reply may be nested as deep as its line is long.
std::string dump(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

Reply malformed(std::string message) { return {Reply::Kind::malformed, {}, std::move(message)}; }
Reply unusable(std::string message) { return {Reply::Kind::unusable, {}, std::move(message)}; }

bool has_non_finite_token(std::string_view line) {
  for (const std::string_view token : {"NaN", "nan", "Infinity", "inf", "Inf"}) {
    if (line.find(token) != std::string_view::npos) return true;
  }
  return false;
}

std::string list(const std::vector<std::string>& names) {
  std::string text;
  for (const auto& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

/// Empty when `value` is a finite number, else what is wrong with it.
std::string take(const Json& value, const std::string& name, bool log_density, std::vector<double>& values) {
  if (log_density && value.is_string() && minus_infinity(value.get_ref<const std::string&>())) {
    values.push_back(-std::numeric_limits<double>::infinity());
    return {};
  }
  if (log_density && value.is_null()) return "output " + name + " is null; where the density is zero write \"-inf\"";
  if (value.is_null()) return "output " + name + " is null; JSON has no NaN or infinity: report a failure with {\"id\":...,\"error\":\"...\"}";
  if (!value.is_number()) return "output " + name + " is of type " + value.type_name() + ", not a number";
  values.push_back(value.get<double>());
  if (!std::isfinite(values.back())) return "output " + name + " does not fit a double";
  return {};
}

Reply outputs(const Json& json, const std::vector<std::string>& names, bool log_density) {
  Reply reply;
  reply.kind = Reply::Kind::values;
  reply.values.reserve(names.size());
  if (json.is_array()) {
    if (json.size() != names.size()) {
      return unusable("the reply has " + std::to_string(json.size()) + " outputs instead of " + std::to_string(names.size()) + " (" + list(names) + ")");
    }
    for (std::size_t k = 0; k < names.size(); ++k) {
      if (auto wrong = take(json[k], names[k], log_density, reply.values); !wrong.empty()) return unusable(std::move(wrong));
    }
    return reply;
  }
  if (json.is_object()) {
    for (const auto& name : names) {
      const auto found = json.find(name);
      if (found == json.end()) return unusable("output " + name + " is missing from the reply");
      if (auto wrong = take(*found, name, log_density, reply.values); !wrong.empty()) return unusable(std::move(wrong));
    }
    return reply;
  }
  return unusable("\"outputs\" must be a list of numbers or an object with one number per output");
}

Reply read(const Json& json, std::string_view line, std::int64_t id, const std::vector<std::string>& output_names, bool log_density) {
  if (!json.is_object()) return malformed("a reply must be a JSON object on one line, not: " + one_line(line, 200));
  if (const auto hello = json.find("hello"); hello != json.end()) {
    if (!hello->is_object()) return malformed("\"hello\" must be an object");
    const auto protocol = hello->find("protocol");
    if (protocol == hello->end() || !protocol->is_number_integer()) return malformed("\"hello\" must name its \"protocol\" as a whole number");
    if (protocol->get<std::int64_t>() != process_protocol) {
      return malformed("the program speaks protocol " + dump(*protocol) + ", this version speaks " + std::to_string(process_protocol));
    }
    if (const auto names = hello->find("outputs"); names != hello->end() && *names != Json(output_names)) {
      return malformed("the program's outputs differ from those of the configuration (" + list(output_names) + "): " + one_line(line, 200));
    }
    Reply reply;
    reply.kind = Reply::Kind::hello;
    return reply;
  }
  const auto found_id = json.find("id");
  if (found_id == json.end() || !found_id->is_number_integer()) return malformed("the reply has no whole number \"id\": " + one_line(line, 200));
  const bool too_large = found_id->is_number_unsigned() && found_id->get<std::uint64_t>() > static_cast<std::uint64_t>(INT64_MAX);
  if (too_large || found_id->get<std::int64_t>() != id) {
    return malformed("the reply has id " + dump(*found_id) + " where request " + std::to_string(id) + " was to be answered");
  }
  if (const auto error = json.find("error"); error != json.end()) {
    return {Reply::Kind::error, {}, one_line(error->is_string() ? std::string_view(error->get_ref<const std::string&>()) : line, 2000)};
  }
  const auto found = json.find("outputs");
  if (found == json.end()) return malformed("the reply has neither \"outputs\" nor \"error\": " + one_line(line, 200));
  return outputs(*found, output_names, log_density);
}

}  // namespace

std::string one_line(std::string_view text, std::size_t limit) {
  std::string shown(text.substr(0, limit));
  for (char& c : shown) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  }
  while (!shown.empty() && shown.back() == ' ') shown.pop_back();
  if (text.size() > limit) shown += "...";
  return shown;
}

bool minus_infinity(std::string_view text) { return text == "-inf" || text == "-Infinity"; }

std::string with_infinities_quoted(std::string_view json) {
  constexpr std::string_view token = "-Infinity";
  std::string out;
  bool inside = false;
  for (std::size_t at = 0; at < json.size();) {
    if (!inside && json.substr(at, token.size()) == token) {
      out += "\"-inf\"";
      at += token.size();
      continue;
    }
    if (inside && json[at] == '\\' && at + 1 < json.size())
      out += json[at++];
    else if (json[at] == '"')
      inside = !inside;
    out += json[at++];
  }
  return out;
}

Reply parse_reply(std::string_view line, std::int64_t id, const std::vector<std::string>& output_names, bool log_density) {
  std::string quoted;
  if (log_density && line.find("-Infinity") != std::string_view::npos) {
    quoted = with_infinities_quoted(line);
    line = quoted;
  }
  try {
    return read(Json::parse(line), line, id, output_names, log_density);
  } catch (const Json::out_of_range&) {
    return malformed("the reply holds a number that does not fit a double: " + one_line(line, 200));
  } catch (const Json::exception&) {
    if (line.empty()) return malformed("the reply is an empty line");
    if (has_non_finite_token(line)) {
      return unusable("the reply holds NaN or infinity, which JSON cannot say; report a failure with {\"id\":...,\"error\":\"...\"}: " + one_line(line, 200));
    }
    return malformed("the reply is not JSON (other output belongs on standard error): " + one_line(line, 200));
  }
}

std::vector<std::string> json_names(const std::vector<std::string>& names) {
  std::vector<std::string> quoted;
  for (const auto& name : names) quoted.push_back(dump(Json(name)));
  return quoted;
}

std::string request_line(std::int64_t id, const std::vector<std::string>& quoted_names, const double* point) {
  std::string line = "{\"id\":" + std::to_string(id) + ",\"inputs\":{";
  for (std::size_t k = 0; k < quoted_names.size(); ++k) {
    if (k > 0) line += ',';
    line += quoted_names[k];
    line += ':';
    line += to_text(point[k]);
  }
  line += "}}\n";
  return line;
}

std::string hello_line(const std::vector<std::string>& input_names, const std::vector<std::string>& output_names) {
  const auto array = [](const std::vector<std::string>& names) {
    std::string text;
    for (const auto& name : json_names(names)) text += (text.empty() ? "" : ",") + name;
    return "[" + text + "]";
  };
  return "{\"hello\":{\"protocol\":" + std::to_string(process_protocol) + ",\"inputs\":" + array(input_names) + ",\"outputs\":" + array(output_names) + "}}\n";
}

}  // namespace buffon::detail
