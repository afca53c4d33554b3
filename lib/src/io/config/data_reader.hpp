// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/io/job.hpp>
#include <buffon/model/data_set.hpp>

#include <filesystem>
#include <memory>
#include <string>

#include "node.hpp"

namespace buffon::config {

/// A data set read from the section data, with the section resolved.
struct ReadData {
  std::shared_ptr<const DataSet> data;
  Node section;         ///< table
  Node for_the_digest;  ///< the same with files named by their content
};

/// @throws Error(configuration), Error(data), Error(no_input) with the place
ReadData read_data_section(const Document& document, const std::filesystem::path& base_directory, const StandardInput& standard_input);

}  // namespace buffon::config
