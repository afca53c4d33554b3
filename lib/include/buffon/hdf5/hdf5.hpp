// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace buffon {

/// Whether this build can read HDF5.
bool hdf5_available();

/// An array of numbers in an HDF5 file, of one or two dimensions; one dimension is one column. Sizes are checked here; the inner structures
/// are read by the HDF5 library in a process of its own: where a damaged file breaks the library, that is an error of the file.
class Hdf5Array {
 public:
  virtual ~Hdf5Array() = default;
  virtual std::int64_t rows() const = 0;
  virtual std::int64_t columns() const = 0;
  /// Bytes that reading takes beside the numbers: parts that are compressed are unpacked one by one.
  virtual std::int64_t working_bytes() const = 0;
  enum class Type { single_precision, double_precision, whole_numbers };  ///< what holds every number; whole_numbers of 64 bits
  virtual Type type() const = 0;
  /// Rows first … first + count − 1 into `out`, row by row. @throws Error(data)
  virtual void read(std::int64_t first, std::int64_t count, float* out) = 0;
  virtual void read(std::int64_t first, std::int64_t count, double* out) = 0;
  virtual void read(std::int64_t first, std::int64_t count, std::int64_t* out) = 0;
};

/// @param path of the array in the file; empty = the only array of numbers with one or two dimensions
/// @throws Error(configuration) in a build without HDF5, and where the path is not that of such an array; Error(data) for a damaged file
std::unique_ptr<Hdf5Array> open_hdf5_file(const std::string& file, const std::string& path);
/// @param bytes of a file; the library copies them twice @param name stands for the file in messages
std::unique_ptr<Hdf5Array> open_hdf5_bytes(std::string_view bytes, const std::string& path, const std::string& name);

}  // namespace buffon
