// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/core/error.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <utility>
#include <vector>

namespace buffon {
namespace {

/// Texts of users and of libraries may hold line ends; a message must not.
std::string one_line(const std::string& text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\n') {
      out += "\\n";
    } else if (byte < 0x20 || byte == 0x7f) {
      out += ' ';
    } else {
      out += c;
    }
  }
  return out;
}

std::string compose(const ErrorText& text, const SourceLocation& where) {
  std::string message;
  if (!where.file.empty()) {
    message += where.file;
    if (where.line > 0) message += ":" + std::to_string(where.line);
    if (where.column > 0) message += ":" + std::to_string(where.column);
    message += ": ";
  }
  const auto part = [&](const std::string& s, std::string_view before) {
    if (s.empty()) return;
    message += before;
    message += s;
  };
  part(text.doing, "");
  part(text.key, text.doing.empty() ? "" : ": ");
  part(text.value, text.key.empty() ? ": " : " = ");
  part(text.rule, text.key.empty() && text.value.empty() ? ": " : " ");
  if (!message.empty() && message.back() != '.') message += '.';
  part(text.remedy, " ");
  if (!text.remedy.empty() && message.back() != '.' && message.back() != '?') message += '.';
  return one_line(message);
}

}  // namespace

std::string_view name(ErrorCategory category) {
  static constexpr std::array<std::string_view, 8> names = {"usage", "configuration", "data", "no_input", "model", "numeric", "interrupted", "internal"};
  return names[static_cast<std::size_t>(category)];
}

int exit_status(ErrorCategory category) {
  static constexpr std::array<int, 8> status = {64, 78, 65, 66, 70, 70, 75, 70};
  return status[static_cast<std::size_t>(category)];
}

Error::Error(ErrorCategory category, ErrorText text, SourceLocation where)
    : std::runtime_error(compose(text, where)), category_(category), text_(std::move(text)), where_(std::move(where)) {}

Error Error::at(SourceLocation where, std::string key) const {
  ErrorText text = text_;
  if (!key.empty()) text.key = std::move(key);
  return Error(category_, std::move(text), std::move(where));
}

std::string to_text(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  std::array<char, 32> buffer{};
  const auto result = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value);
  return std::string(buffer.data(), result.ptr);
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  const std::size_t columns = b.size() + 1;
  std::vector<std::size_t> before(columns), last(columns), now(columns);
  for (std::size_t j = 0; j < columns; ++j) last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    now[0] = i;
    for (std::size_t j = 1; j < columns; ++j) {
      const std::size_t cost = a[i - 1] == b[j - 1] ? 0 : 1;
      now[j] = std::min({last[j] + 1, now[j - 1] + 1, last[j - 1] + cost});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) now[j] = std::min(now[j], before[j - 2] + 1);
    }
    std::swap(before, last);
    std::swap(last, now);
  }
  return last[b.size()];
}

}  // namespace buffon
