// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/model/nested_kind.hpp>

#include <filesystem>
#include <memory>

#include "node.hpp"

namespace buffon::config {

/// A nested problem read from the sections nested and stages, with these sections resolved.
struct ReadNested {
  std::shared_ptr<const NestedProblem> problem;
  Node nested;  ///< table
  Node stages;  ///< array of tables, empty where the kind has none
};

/// @throws Error(configuration) with place, key, value and rule
ReadNested read_nested(const Document& document, const std::filesystem::path& base_directory);

}  // namespace buffon::config
