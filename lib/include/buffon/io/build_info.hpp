// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>

namespace buffon {

/// What this library was built from and with.
struct BuildInfo {
  std::string version;     ///< "0.1.0"
  std::string commit;      ///< git commit at configuration time, "unknown" outside a repository
  std::string compiler;    ///< "GNU 12.2.0"
  std::string flags;       ///< compiler flags of the build type
  std::string build_type;  ///< "Release", "Debug", …
};
const BuildInfo& build_info();

/// Model name of this machine's processor, "unknown" where the system does not tell.
std::string cpu_model();

}  // namespace buffon
