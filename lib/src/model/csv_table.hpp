// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <Eigen/Core>

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace buffon::detail {

/// A table of numbers with named columns.
struct CsvTable {
  std::vector<std::string> names;
  Eigen::MatrixXd values;  ///< rows × columns
};

/// Reads comma-separated values (RFC 4180): a first line of distinct names, then a finite number in every field. Spaces around fields,
/// quoted names, empty lines at the end, \r\n and a byte order mark are accepted.
/// @throws Error(no_input) when the file cannot be read, Error(data) with line and column (in characters) and the name of the field
CsvTable read_csv(const std::filesystem::path& file);

/// The same from a text. @param source how messages call it
CsvTable parse_csv(std::string_view text, const std::string& source);

}  // namespace buffon::detail
