// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/model/target_kind.hpp>

#include <filesystem>
#include <memory>

#include "node.hpp"

namespace buffon::config {

/// A target read from the sections density, parameters, start and quantities, with these sections resolved.
struct ReadTarget {
  std::shared_ptr<const Target> target;
  Node density;     ///< table
  Node parameters;  ///< array of tables, empty where the kind has its own
  Node start;       ///< table, empty where the density's own start holds
  Node quantities;  ///< array of tables
};

/// @throws Error(configuration) with place, key, value and rule
ReadTarget read_target(const Document& document, const std::filesystem::path& base_directory, const std::filesystem::path& run_directory);

}  // namespace buffon::config
