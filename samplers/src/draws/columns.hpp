// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/core/types.hpp>
#include <buffon/model/data_set.hpp>

#include <memory>
#include <string>
#include <vector>

namespace buffon::draws {

/// Name of a column: its own, else its number in the source.
std::string column_name(const DataSet& data, Index column);
/// The names of all columns.
std::vector<std::string> column_names(const DataSet& data);
/// The column with this name, or this number in the source.
/// @throws Error(configuration) with `key` for a column that is not there
Index find_column(const DataSet& data, const std::string& column, const std::string& key, const std::string& doing);

/// A column in units of the source.
std::vector<double> column_values(const DataSet& data, Index column);
/// The other columns, copied in their own precision; there must be one.
std::shared_ptr<const DataSet> without_column(const DataSet& data, Index column);

}  // namespace buffon::draws
