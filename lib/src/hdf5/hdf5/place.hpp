// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/hdf5/hdf5.hpp>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace buffon {

/// Where an array is: a path in a file, or in the bytes of one.
struct Hdf5Place {
  std::string name;                       ///< of the file; in messages only where there are bytes
  std::string path;                       ///< of the array; empty = the only one
  std::optional<std::string_view> bytes;  ///< of the file

  /// Reads with the HDF5 library in this process.
  std::unique_ptr<Hdf5Array> open() const;
};

}  // namespace buffon
