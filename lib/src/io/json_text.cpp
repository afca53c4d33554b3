// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/core/error.hpp>

#include "json_text.hpp"

#include <algorithm>

namespace buffon::io_detail {
namespace {

using Json = nlohmann::ordered_json;

std::string quoted(const std::string& text) { return Json(text).dump(-1, ' ', false, Json::error_handler_t::replace); }

bool plain(const Json& value) {
  return std::none_of(value.begin(), value.end(), [](const Json& part) { return part.is_structured(); });
}

void append(std::string& out, const Json& value, std::size_t indent) {
  if (value.is_number_float()) {
    const std::string text = to_text(value.get<double>());
    out += text;
    if (text.find_first_of(".en") == std::string::npos) out += ".0";
    return;
  }
  if (value.is_string()) {
    out += quoted(value.get_ref<const std::string&>());
    return;
  }
  if (!value.is_structured()) {
    out += value.dump();
    return;
  }
  const bool one_line = value.empty() || (plain(value) && (value.is_array() || value.size() <= 3));
  const std::string gap = one_line ? "" : "\n" + std::string(indent + 2, ' ');
  out += value.is_array() ? '[' : '{';
  bool first = true;
  for (const auto& [key, part] : value.items()) {
    if (!first) out += one_line ? ", " : ",";
    first = false;
    out += gap;
    if (value.is_object()) out += quoted(key) + ": ";
    append(out, part, indent + 2);
  }
  if (!one_line) out += "\n" + std::string(indent, ' ');
  out += value.is_array() ? ']' : '}';
}

}  // namespace

std::string json_text(const Json& value) {
  std::string out;
  append(out, value, 0);
  out += '\n';
  return out;
}

}  // namespace buffon::io_detail
