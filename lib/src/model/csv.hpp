// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <Eigen/Core>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace buffon::detail {

/// A number at the beginning of a text; `rest` is what follows. A leading + is accepted.
std::errc read_number(const char* at, const char* end, double& value, const char*& rest);

/// Comma-separated values (RFC 4180, but a quoted field ends on its line), line by line: names, then numbers. Blanks around fields and quotes
/// around numbers are accepted. Every refusal is Error(data) with line, column (in characters) and the name of the field.
class CsvRows {
 public:
  explicit CsvRows(std::string source) : source_(std::move(source)) {}

  /// Takes the first line as names or, where it is not one of names, learns the number of columns from it.
  /// @param header whether the line holds names; not given = when none of its fields is a number; fields of both kinds are refused
  /// @return whether it was a line of names
  bool begin(std::string_view line, std::optional<bool> header);
  const std::vector<std::string>& names() const { return names_; }  ///< empty without a header
  std::int64_t columns() const { return columns_; }

  /// @param places of every column where its number goes in `out`; negative = it is passed over, whatever it holds
  void choose(std::vector<std::int64_t> places) { places_ = std::move(places); }
  /// Reads a line of numbers. @param number of the line, from 1
  void read(std::string_view line, std::int64_t number, double* out) const;

  /// @param at place in the line
  [[noreturn]] void refuse(std::string_view line, std::int64_t number, const char* at, std::int64_t column, std::string_view value, std::string rule,
                           std::string remedy) const;

 private:
  const char* skip_field(const char* at, std::string_view line, std::int64_t number, std::int64_t column) const;
  [[noreturn]] void refuse_field(const char* at, std::string_view line, std::int64_t number, std::int64_t column) const;
  std::vector<std::string> fields_of(std::string_view line) const;

  std::string source_;
  std::vector<std::string> names_;
  std::vector<std::int64_t> places_;
  std::int64_t columns_ = 0;
};

/// A table of numbers with named columns.
struct CsvTable {
  std::vector<std::string> names;
  Eigen::MatrixXd values;  ///< rows × columns
};
/// Reads a whole file: a first line of distinct names, then a finite number in every field. Empty lines at the end are accepted.
/// @throws Error(no_input) when the file cannot be read, Error(data) with its place for what is wrong
CsvTable read_csv(const std::filesystem::path& file);

}  // namespace buffon::detail
