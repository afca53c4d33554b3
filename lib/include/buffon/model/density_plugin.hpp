// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/core/options.hpp>
#include <buffon/model/target_kind.hpp>

#include <filesystem>
#include <string>

namespace buffon {

/// A density in a shared library with the C interface of `buffon/model/density_plugin.h`.
struct DensityPluginOptions {
  std::string library;        ///< path of the library, relative to the configuration file
  std::string configuration;  ///< text for the library, in a form of its own
};
void describe(OptionVisitor& visitor, DensityPluginOptions& options);

/// Loads the library; it is unloaded with the density. An error return of the library ends in ModelError with its message and the
/// point, or counts as a point outside the support when the setting says so.
/// @throws Error(configuration) for a file that is missing or no such library, another version of the interface, a missing
///         function, and a name or size that breaks the interface
MadeDensity density_plugin(const DensityPluginOptions& options, const TargetSetting& setting);

}  // namespace buffon
