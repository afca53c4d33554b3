// SPDX-License-Identifier: BSD-3-Clause
#include "csv.hpp"

#include <buffon/core/error.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fstream>
#include <iterator>
#include <limits>
#include <numeric>
#include <set>

#include "json_lines.hpp"

namespace buffon::detail {
namespace {

bool blank(char c) { return c == ' ' || c == '\t'; }

const char* skip_blanks(const char* at, const char* end) {
  while (at != end && blank(*at)) ++at;
  return at;
}

bool is_number(std::string_view field) {
  double value = 0;
  const char* rest = nullptr;
  return read_number(field.data(), field.data() + field.size(), value, rest) != std::errc::invalid_argument && rest == field.data() + field.size();
}

}  // namespace

std::errc read_number(const char* at, const char* end, double& value, const char*& rest) {
  if (at != end && *at == '+' && at + 1 != end && at[1] != '-') ++at;
  const auto [next, problem] = std::from_chars(at, end, value);
  rest = next;
  return problem;
}

void CsvRows::refuse(std::string_view line, std::int64_t number, const char* at, std::int64_t column, std::string_view value, std::string rule,
                     std::string remedy) const {
  const auto c = static_cast<std::size_t>(column);
  std::string key;
  if (column >= 0) key = "column " + (c < names_.size() ? "\"" + one_line(names_[c], 60) + "\"" : std::to_string(column) + " (from 0)");
  throw Error(ErrorCategory::data,
              {.doing = "reading a table of numbers",
               .key = std::move(key),
               .value = value.empty() ? "" : "\"" + one_line(value, 60) + "\"",
               .rule = std::move(rule),
               .remedy = std::move(remedy)},
              {.file = source_,
               .line = static_cast<int>(std::min<std::int64_t>(number, std::numeric_limits<int>::max())),
               .column = static_cast<int>(std::min<std::ptrdiff_t>(at - line.data() + 1, std::numeric_limits<int>::max()))});
}

const char* CsvRows::skip_field(const char* at, std::string_view line, std::int64_t number, std::int64_t column) const {
  const char* end = line.data() + line.size();
  at = skip_blanks(at, end);
  if (at == end || *at != '"') return std::find(at, end, ',');
  const char* begin = at;
  for (bool closed = false; !closed;) {
    at = std::find(at + 1, end, '"');
    if (at == end) refuse(line, number, begin, column, {}, "a quoted field does not end on its line", "Close the quotes");
    closed = at + 1 == end || at[1] != '"';
    if (!closed) ++at;  // two quotes stand for one
  }
  at = skip_blanks(at + 1, end);
  if (at != end && *at != ',') refuse(line, number, at, column, {}, "text after a quoted field", "Separate by commas");
  return at;
}

std::vector<std::string> CsvRows::fields_of(std::string_view line) const {
  std::vector<std::string> fields;
  const char* end = line.data() + line.size();
  for (const char* at = line.data();;) {
    const char* after = skip_field(at, line, 1, -1);
    at = skip_blanks(at, end);
    std::string field;
    if (at != end && *at == '"') {
      const char* last = std::find(std::make_reverse_iterator(after), std::make_reverse_iterator(at), '"').base() - 1;  // the closing quote
      while (++at < last) {
        field += *at;
        if (*at == '"') ++at;  // two quotes stand for one
      }
    } else {
      field.assign(at, after);
      field.erase(field.find_last_not_of(" \t") + 1);
    }
    fields.push_back(std::move(field));
    if (after == end) return fields;
    at = after + 1;
  }
}

bool CsvRows::begin(std::string_view line, std::optional<bool> header) {
  std::vector<std::string> fields = fields_of(line);
  columns_ = static_cast<std::int64_t>(fields.size());
  places_.resize(fields.size());
  std::iota(places_.begin(), places_.end(), 0);
  if (!header) {
    const auto numbers = std::count_if(fields.begin(), fields.end(), is_number);
    if (numbers > 0 && numbers < columns_) {
      const auto text = static_cast<std::int64_t>(std::find_if_not(fields.begin(), fields.end(), is_number) - fields.begin());
      refuse(line, 1, line.data(), text, fields[static_cast<std::size_t>(text)], "the first line has numbers and texts, so it may hold names or a first row",
             "Say header = \"yes\" or \"no\"");
    }
    header = numbers == 0;
  }
  if (*header) names_ = std::move(fields);
  return *header;
}

void CsvRows::refuse_field(const char* at, std::string_view line, std::int64_t number, std::int64_t column) const {
  const char* after = skip_field(at, line, number, column);
  const char* begin = skip_blanks(at, after);
  while (after != begin && blank(after[-1])) --after;
  std::string_view field(begin, static_cast<std::size_t>(after - begin));
  if (field.size() >= 2 && field.front() == '"') field = field.substr(1, field.size() - 2);
  double value = 0;
  const char* rest = nullptr;
  const std::errc problem = read_number(field.data(), field.data() + field.size(), value, rest);
  if (field.empty()) refuse(line, number, begin, column, field, "is empty", "Give a number, or leave out the row");
  if (problem == std::errc::result_out_of_range) refuse(line, number, begin, column, field, "is beyond the numbers of a computer", "Rescale the column");
  if (problem == std::errc() && rest == field.data() + field.size()) refuse(line, number, begin, column, field, "must be finite", "Leave out the row");
  const bool separated = field.find_first_of(";\t") != std::string_view::npos;
  refuse(line, number, begin, column, field, "is not a number",
         separated ? "Separate the fields by commas" : "Code it as a number, or leave out row or column");
}

void CsvRows::read(std::string_view line, std::int64_t number, double* out) const {
  const char* end = line.data() + line.size();
  const char* at = line.data();
  std::int64_t column = 0;
  for (;;) {
    const char* begin = at;
    if (column == columns_) {
      const char* after = skip_field(at, line, number, -1);
      refuse(line, number, at, -1, std::string_view(at, static_cast<std::size_t>(after - at)), "the line has more than " + std::to_string(columns_) + " fields",
             "Give one number for each column");
    }
    const std::int64_t place = places_[static_cast<std::size_t>(column)];
    if (place < 0) {
      at = skip_field(at, line, number, column);
    } else {
      at = skip_blanks(at, end);
      const bool quoted = at != end && *at == '"';
      if (quoted) ++at;
      double value = 0;
      const std::errc problem = read_number(at, end, value, at);
      if (quoted && problem == std::errc() && at != end && *at == '"')
        ++at;
      else if (quoted)
        refuse_field(begin, line, number, column);
      at = skip_blanks(at, end);
      if (problem != std::errc() || (at != end && *at != ',') || !std::isfinite(value)) refuse_field(begin, line, number, column);
      out[place] = value;
    }
    ++column;
    if (at == end) break;
    ++at;
  }
  if (column < columns_) {
    refuse(line, number, end, -1, {}, "the line has " + std::to_string(column) + " fields, not " + std::to_string(columns_), "Give one number for each column");
  }
}

CsvTable read_csv(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::string all;
  std::error_code status;
  if (std::filesystem::is_directory(file, status)) in.setstate(std::ios::failbit);
  if (in) all.assign(std::istreambuf_iterator<char>(in), {});
  if (!in) {
    throw Error(ErrorCategory::no_input, {.doing = "reading a table of numbers",
                                          .value = "\"" + one_line(file.string(), 300) + "\"",
                                          .rule = "cannot be read",
                                          .remedy = "Check the path; it starts at the folder of the configuration"});
  }
  std::string_view text = all;
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  text = text.substr(0, text.find_last_not_of(" \t\r\n") + 1);
  std::int64_t number = 0;
  const auto next_line = [&] {
    const std::size_t length = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, length);
    text.remove_prefix(std::min(length + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    ++number;
    return line;
  };

  CsvRows rows(file.string());
  const std::string_view first = next_line();
  if (first.find_first_not_of(" \t") == std::string_view::npos) rows.refuse(first, 1, first.data(), -1, {}, "the table is empty", "Begin with a line of names");
  rows.begin(first, true);
  CsvTable table{rows.names(), {}};
  std::set<std::string> seen;
  for (const std::string& name : table.names) {
    if (name.empty()) rows.refuse(first, 1, first.data(), -1, {}, "a column has no name", "Begin with a line of names");
    if (!seen.insert(name).second) rows.refuse(first, 1, first.data(), -1, name, "names two columns", "Rename one of them");
  }
  if (text.empty()) rows.refuse(first, 1, first.data(), -1, {}, "the table has no rows", "Give one line of numbers for each observation");
  const std::size_t columns = table.names.size();
  std::vector<double> values;
  while (!text.empty()) {
    values.resize(values.size() + columns);
    const std::string_view line = next_line();
    rows.read(line, number, values.data() + values.size() - columns);
  }
  table.values = Eigen::Map<const Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>(
      values.data(), static_cast<Eigen::Index>(values.size() / columns), static_cast<Eigen::Index>(columns));
  return table;
}

}  // namespace buffon::detail
