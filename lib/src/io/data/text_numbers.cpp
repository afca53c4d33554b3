// SPDX-License-Identifier: BSD-3-Clause
#include "text_numbers.hpp"

#include <buffon/core/error.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include "../../model/csv.hpp"
#include "../../model/json_lines.hpp"

namespace buffon::io_detail {

bool Words::next(std::string_view& word) {
  constexpr std::string_view blanks = " \t\r";
  rest_.remove_prefix(std::min(rest_.find_first_not_of(blanks), rest_.size()));
  if (rest_.empty()) return false;
  word = rest_.substr(0, rest_.find_first_of(blanks));
  rest_.remove_prefix(word.size());
  return true;
}

std::string_view Words::required(const char* what) {
  std::string_view word;
  if (!next(word)) refuse(line_.substr(line_.size()), std::string("lacks ") + what, "complete the line");
  return word;
}

void Words::end() {
  std::string_view word;
  if (next(word)) refuse(word, "is one word too many", "remove it");
}

double Words::number(std::string_view word) const {
  double value = 0;
  const char* rest = nullptr;
  const char* end = word.data() + word.size();
  const std::errc problem = detail::read_number(word.data(), end, value, rest);
  if (problem == std::errc::invalid_argument || rest != end) refuse(word, "is not a number", "code it as a number");
  if (problem == std::errc::result_out_of_range) refuse(word, "is beyond the numbers of a computer", "rescale the data");
  if (!std::isfinite(value)) refuse(word, "must be finite", "leave out the row");
  return value;
}

std::int64_t Words::whole_number(std::string_view word) const {
  std::int64_t value = 0;
  const char* end = word.data() + word.size();
  const auto [rest, problem] = std::from_chars(word.data(), end, value);
  if (problem != std::errc() || rest != end) refuse(word, "is not a whole number below 2^63", "give a whole number");
  return value;
}

std::pair<std::int64_t, double> Words::pair(std::string_view word) const {
  const std::size_t colon = word.find(':');
  if (colon == std::string_view::npos) refuse(word, "must be \"index:value\"", "give the entries of a line as index:value, with blanks between them");
  return {whole_number(word.substr(0, colon)), number(word.substr(colon + 1))};
}

void Words::refuse(std::string_view word, std::string rule, std::string remedy) const {
  constexpr std::int64_t most = std::numeric_limits<int>::max();
  throw Error(
      ErrorCategory::data,
      {.doing = "reading numbers", .value = word.empty() ? "" : "\"" + detail::one_line(word, 60) + "\"", .rule = std::move(rule), .remedy = std::move(remedy)},
      {.file = source_,
       .line = static_cast<int>(std::min(number_, most)),
       .column = static_cast<int>(std::min<std::int64_t>(word.data() - line_.data() + 1, most))});
}

}  // namespace buffon::io_detail
