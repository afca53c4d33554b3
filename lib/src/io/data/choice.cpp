// SPDX-License-Identifier: BSD-3-Clause
#include "choice.hpp"

#include <buffon/core/error.hpp>

#include <algorithm>
#include <charconv>
#include <numeric>
#include <optional>
#include <string_view>

namespace buffon::io_detail {
namespace {

[[noreturn]] void refuse(std::string key, const std::string& value, std::string rule, std::string remedy, const std::string& source = {}) {
  throw Error(ErrorCategory::configuration, {.doing = source.empty() ? "choosing from the data" : "choosing from " + source,
                                             .key = "data." + std::move(key),
                                             .value = "\"" + value + "\"",
                                             .rule = std::move(rule),
                                             .remedy = std::move(remedy)});
}

std::optional<std::int64_t> whole_number(std::string_view text) {
  std::int64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [rest, problem] = std::from_chars(text.data(), end, value);
  if (text.empty() || problem != std::errc() || rest != end || value < 0) return std::nullopt;
  return value;
}

std::vector<std::string_view> split(std::string_view text) {
  std::vector<std::string_view> parts;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(':', begin), text.size());
    parts.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

/// "begin:end", each of which may be missing
struct Span {
  std::int64_t begin = 0;
  std::optional<std::int64_t> end;
};
std::optional<Span> parse_span(const std::vector<std::string_view>& parts) {
  const std::optional<std::int64_t> begin = parts[0].empty() ? 0 : whole_number(parts[0]);
  const std::optional<std::int64_t> end = whole_number(parts[1]);
  if (!begin || (!end && !parts[1].empty()) || (end && *end <= *begin)) return std::nullopt;
  return Span{*begin, end};
}

std::string some_of(const std::vector<std::string>& names) {
  std::string text;
  for (std::size_t j = 0; j < std::min<std::size_t>(names.size(), 20); ++j) text += (j > 0 ? ", " : "") + names[j];
  return text + (names.size() > 20 ? ", …" : "");
}

class Chooser {
 public:
  Chooser(const std::vector<std::string>& names, std::int64_t columns, const std::string& source) : names_(names), columns_(columns), source_(source) {}

  /// The columns that a text stands for: a name, a number or a range.
  Span find(const char* key, const std::string& text) const {
    const auto named = std::find(names_.begin(), names_.end(), text);
    if (named != names_.end()) {
      const std::int64_t at = named - names_.begin();
      if (std::find(named + 1, names_.end(), text) != names_.end()) refuse(key, text, "names two columns", "give the column's number, from 0", source_);
      return {at, at + 1};
    }
    const std::vector<std::string_view> parts = split(text);
    Span span;
    if (const auto number = whole_number(text)) {
      span = {*number, *number + 1};
    } else if (const auto range = parts.size() == 2 ? parse_span(parts) : std::nullopt) {
      span = {range->begin, range->end.value_or(columns_)};
    } else {
      const std::string_view near = nearest(text, names_);
      refuse(
          key, text, names_.empty() ? "is neither a number nor a range \"begin:end\" of columns, and these have no names" : "is not a column of the data",
          names_.empty() ? "columns are counted from 0" : (near.empty() ? "" : "did you mean \"" + std::string(near) + "\"? ") + "There are " + some_of(names_),
          source_);
    }
    if (span.begin >= columns_ || *span.end > columns_) {
      refuse(key, text, "is beyond the " + std::to_string(columns_) + " columns of the data",
             "columns are counted from 0; the end of a range is not part of it", source_);
    }
    return span;
  }

 private:
  const std::vector<std::string>& names_;
  std::int64_t columns_;
  const std::string& source_;
};

}  // namespace

std::int64_t RowRange::count(std::int64_t rows) const {
  const std::int64_t last = std::min(rows, end);
  return last <= begin ? 0 : (last - begin - 1) / step + 1;
}

void RowRange::check(std::int64_t rows, const std::string& source) const {
  if (all() || (begin < rows && (end <= rows || end == std::numeric_limits<std::int64_t>::max()))) return;
  throw Error(ErrorCategory::data,
              {.doing = "choosing from " + source,
               .key = "data.rows",
               .value = "\"" + std::to_string(begin) + ":" + (end == std::numeric_limits<std::int64_t>::max() ? "" : std::to_string(end)) + "\"",
               .rule = "is beyond the " + std::to_string(rows) + " rows of the data",
               .remedy = "rows are counted from 0; without an end (\"" + std::to_string(std::min(begin, std::max<std::int64_t>(rows - 1, 0))) +
                         ":\") a range goes up to the last"});
}

std::vector<std::int64_t> RowRange::numbers(std::int64_t count) const {
  std::vector<std::int64_t> found;
  if (begin == 0 && step == 1) return found;
  found.resize(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < found.size(); ++i) found[i] = begin + static_cast<std::int64_t>(i) * step;
  return found;
}

RowRange parse_rows(const std::string& text) {
  RowRange range;
  if (text.empty()) return range;
  const std::vector<std::string_view> parts = split(text);
  const auto span = parts.size() == 2 || parts.size() == 3 ? parse_span(parts) : std::nullopt;
  const std::optional<std::int64_t> step = parts.size() == 3 ? whole_number(parts[2]) : 1;
  if (!span || !step || *step < 1) {
    refuse("rows", text, "must be \"begin:end\" or \"begin:end:step\" with 0 <= begin < end and step >= 1",
           "rows are counted from 0 and the end is not part of them: \"0:1000\" are the first thousand, \"::10\" is every tenth");
  }
  range.begin = span->begin;
  range.end = span->end.value_or(range.end);
  range.step = *step;
  return range;
}

bool ColumnChoice::adjacent() const {
  for (std::size_t k = 1; k < used.size(); ++k) {
    if (used[k] != used[k - 1] + 1) return false;
  }
  return true;
}

std::vector<std::int64_t> ColumnChoice::places(std::int64_t columns) const {
  std::vector<std::int64_t> found(static_cast<std::size_t>(columns), -1);
  for (std::size_t k = 0; k < used.size(); ++k) found[static_cast<std::size_t>(used[k])] = static_cast<std::int64_t>(k);
  if (weights >= 0) found[static_cast<std::size_t>(weights)] = count();
  return found;
}

ColumnChoice choose_columns(const DataFileOptions& options, const std::vector<std::string>& names, std::int64_t columns, const std::string& source) {
  const Chooser chooser(names, columns, source);
  ColumnChoice choice;
  // Anything else in data.weights is the name of a file.
  const bool weights_column = std::find(names.begin(), names.end(), options.weights) != names.end() || whole_number(options.weights);
  if (weights_column) choice.weights = chooser.find("weights", options.weights).begin;
  if (options.columns.empty()) {
    choice.used.resize(static_cast<std::size_t>(columns));
    std::iota(choice.used.begin(), choice.used.end(), 0);
    if (choice.weights >= 0) choice.used.erase(choice.used.begin() + choice.weights);
  }
  std::vector<bool> taken(static_cast<std::size_t>(columns), false);
  for (const std::string& text : options.columns) {
    const Span span = chooser.find("columns", text);
    for (std::int64_t j = span.begin; j < *span.end; ++j) {
      if (taken[static_cast<std::size_t>(j)])
        refuse("columns", text, "chooses column " + std::to_string(j) + " a second time", "give every column once", source);
      if (j == choice.weights) refuse("columns", text, "holds the column of the weights, " + std::to_string(j), "leave it out of the columns", source);
      taken[static_cast<std::size_t>(j)] = true;
      choice.used.push_back(j);
    }
  }
  if (choice.used.empty() && choice.weights >= 0) refuse("weights", options.weights, "is the only column", "give the weights in a file of their own", source);
  choice.all = choice.count() == columns && choice.adjacent();
  if (!names.empty()) {
    for (const std::int64_t j : choice.used) choice.names.push_back(names[static_cast<std::size_t>(j)]);
  }
  return choice;
}

}  // namespace buffon::io_detail
