// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/core/types.hpp>
#include <buffon/model/data_set.hpp>

#include <memory>
#include <string>
#include <vector>

namespace buffon::draws {

/// A data set without one of its columns, and that column in units of the source.
struct SplitColumn {
  std::shared_ptr<const DataSet> rest;
  std::vector<double> values;
};

/// @param column a name, or its number in the source. The rest is copied in its own precision.
/// @throws Error(configuration) with `key` for a column that is not there, or is the only one
SplitColumn split_column(const DataSet& data, const std::string& column, const std::string& key, const std::string& doing);

}  // namespace buffon::draws
