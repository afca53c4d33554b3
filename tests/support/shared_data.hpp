// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdlib>
#include <filesystem>

#include <doctest/doctest.h>

namespace buffon::test {

/// A file of reference data that is too large for the repository: in the folder that the environment variable BUFFON_SHARED_DATA names, else
/// in ../shared/data beside the source tree. Empty, with a message, where it is not there.
inline std::filesystem::path shared_data(const std::filesystem::path& file) {
  const char* given = std::getenv("BUFFON_SHARED_DATA");
  const std::filesystem::path path = (given != nullptr ? std::filesystem::path(given) : std::filesystem::path(BUFFON_SOURCE_DIR) / "../shared/data") / file;
  if (std::filesystem::exists(path)) return path;
  MESSAGE("skipped, no reference data at ", path.string(), "; BUFFON_SHARED_DATA names their folder");
  return {};
}

}  // namespace buffon::test
