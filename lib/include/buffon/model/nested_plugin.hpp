// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/core/options.hpp>
#include <buffon/model/nested_problem.hpp>

#include <filesystem>
#include <memory>
#include <string>

namespace buffon {

/// A nested problem in a shared library with the C interface of `buffon/model/nested_plugin.h`.
struct NestedPluginOptions {
  std::string library;        ///< path of the library, relative to the configuration file
  std::string configuration;  ///< text for the library, in a form of its own
};
void describe(OptionVisitor& visitor, NestedPluginOptions& options);

/// Loads the library; it is unloaded with the problem. An error return of the library ends in Error(model) with its message.
/// @throws Error(configuration) for a file that is missing or no such library, another version of the interface, a missing
///         function, and a depth, name or size that breaks the interface
std::shared_ptr<const NestedProblem> nested_plugin(const NestedPluginOptions& options, const std::filesystem::path& base_directory);

}  // namespace buffon
