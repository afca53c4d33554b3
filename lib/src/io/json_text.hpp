// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace buffon::io_detail {

/// JSON for people and programs: lists and objects of plain values that fit on a line stay on one line, doubles have their
/// shortest exact form and always a point or an exponent (so that they read back as doubles), and texts that are not valid
/// UTF-8 get replacement characters. Ends with a line break.
std::string json_text(const nlohmann::ordered_json& value);

}  // namespace buffon::io_detail
