// SPDX-License-Identifier: BSD-3-Clause
#include "csv_table.hpp"

#include <buffon/core/error.hpp>

#include <charconv>
#include <cmath>
#include <fstream>
#include <iterator>
#include <set>

#include "json_lines.hpp"

namespace buffon::detail {
namespace {

/// The fields of a text, one after the other, with their place.
class Fields {
 public:
  Fields(std::string_view text, const std::string& source) : text_(text), source_(source) {
    if (text_.substr(0, 3) == "\xEF\xBB\xBF") text_.remove_prefix(3);
  }

  bool at_end() const { return position_ == text_.size(); }
  /// Nothing but ends of lines and blanks is left.
  bool only_blank() const { return text_.find_first_not_of(" \t\r\n", position_) == std::string_view::npos; }
  int line() const { return line_; }

  /// The next field without blanks around it. `last`: it ends its line.
  std::string next(bool& last) {
    skip_blanks();
    column_ = static_cast<int>(position_ - line_start_) + 1;
    std::string field;
    if (!at_end() && text_[position_] == '"') {
      for (++position_;; ++position_) {
        if (at_end() || text_[position_] == '\n') refuse({}, "a quoted field does not end on its line", "Close the quotes");
        if (text_[position_] == '"') {
          if (text_.substr(position_, 2) != "\"\"") break;
          ++position_;
        }
        field += text_[position_];
      }
      ++position_;
      skip_blanks();
      if (!at_end() && std::string_view(",\r\n").find(text_[position_]) == std::string_view::npos)
        refuse({}, "text after a quoted field", "Separate by commas");
    } else {
      const std::size_t end = std::min(text_.find_first_of(",\n", position_), text_.size());
      field = text_.substr(position_, end - position_);
      position_ = end;
      field.erase(field.find_last_not_of(" \t\r") + 1);
    }
    if (!at_end() && text_[position_] == '\r') ++position_;
    last = at_end() || text_[position_] == '\n';
    if (!at_end()) ++position_;
    return field;
  }
  void begin_line() {
    line_start_ = position_;
    ++line_;
  }

  [[noreturn]] void refuse(const std::string& value, const std::string& rule, const std::string& remedy, const std::string& name = {}) const {
    throw Error(ErrorCategory::data,
                {.doing = "reading a table of numbers",
                 .key = name.empty() ? "" : "column \"" + one_line(name, 60) + "\"",
                 .value = value.empty() ? "" : "\"" + one_line(value, 60) + "\"",
                 .rule = rule,
                 .remedy = remedy},
                {.file = source_, .line = line_, .column = column_});
  }

 private:
  void skip_blanks() {
    while (!at_end() && (text_[position_] == ' ' || text_[position_] == '\t')) ++position_;
  }

  std::string_view text_;
  const std::string& source_;
  std::size_t position_ = 0, line_start_ = 0;
  int line_ = 0, column_ = 1;
};

double number(const std::string& field, const Fields& fields, const std::string& name) {
  if (field.empty()) fields.refuse(field, "is empty", "Give a number, or leave out the row", name);
  double value = 0;
  const char* begin = field.data() + (field.front() == '+' ? 1 : 0);
  const char* end = field.data() + field.size();
  const auto [rest, error] = std::from_chars(begin, end, value);
  if (error == std::errc::result_out_of_range) fields.refuse(field, "is beyond the numbers of a computer", "Rescale the column", name);
  if (error != std::errc() || rest != end) fields.refuse(field, "is not a number", "Code it as a number, or leave out row or column", name);
  if (!std::isfinite(value)) fields.refuse(field, "must be finite", "Leave out the row", name);
  return value;
}

}  // namespace

CsvTable parse_csv(std::string_view text, const std::string& source) {
  Fields fields(text, source);
  CsvTable table;
  std::set<std::string> seen;
  fields.begin_line();
  if (fields.only_blank()) fields.refuse({}, "the table is empty", "Begin with a line of names");
  for (bool last = false; !last;) {
    std::string name = fields.next(last);
    if (name.empty()) fields.refuse({}, "a column has no name", "Begin with a line of names");
    if (!seen.insert(name).second) fields.refuse(name, "names two columns", "Rename one of them");
    table.names.push_back(std::move(name));
  }
  const std::size_t columns = table.names.size();
  std::vector<double> values;
  while (!fields.only_blank()) {
    fields.begin_line();
    std::size_t column = 0;
    for (bool last = false; !last; ++column) {
      const std::string field = fields.next(last);
      if (column == columns) fields.refuse(field, "the line has more than " + std::to_string(columns) + " fields", "Give one number for each name");
      values.push_back(number(field, fields, table.names[column]));
    }
    if (column < columns) {
      fields.refuse({}, "the line has " + std::to_string(column) + " fields, not " + std::to_string(columns), "Give one number for each name");
    }
  }
  if (values.empty()) fields.refuse({}, "the table has no rows", "Give one line of numbers for each observation");
  table.values = Eigen::Map<const Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>(
      values.data(), static_cast<Eigen::Index>(values.size() / columns), static_cast<Eigen::Index>(columns));
  return table;
}

CsvTable read_csv(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::string text;
  std::error_code status;
  if (std::filesystem::is_directory(file, status)) in.setstate(std::ios::failbit);
  if (in) text.assign(std::istreambuf_iterator<char>(in), {});
  if (!in) {
    throw Error(ErrorCategory::no_input, {.doing = "reading a table of numbers",
                                          .value = "\"" + one_line(file.string(), 300) + "\"",
                                          .rule = "cannot be read",
                                          .remedy = "Check the path; it starts at the folder of the configuration"});
  }
  return parse_csv(text, file.string());
}

}  // namespace buffon::detail
