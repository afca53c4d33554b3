// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace buffon::io_detail {

constexpr std::string_view npy_magic("\x93NUMPY", 6);
constexpr std::size_t npy_prefix_most = 12;

/// Magic, version and length of the header.
struct NpyPrefix {
  std::size_t size = 0;           ///< 10 bytes in version 1, 12 in 2 and 3
  std::size_t header_length = 0;  ///< bytes that follow before the numbers
};
/// @param beginning the first `npy_prefix_most` bytes @param name stands for the file in messages @throws Error(data)
NpyPrefix read_npy_prefix(std::string_view beginning, const std::string& name);

struct NpyHeader {
  std::string descr;  ///< type of the numbers, e.g. "<f8"
  bool fortran_order = false;
  std::vector<std::int64_t> shape;  ///< not negative
};
/// Reads the dictionary {'descr': '<f8', 'fortran_order': False, 'shape': (3, 2), } with its keys in any order. @throws Error(data)
NpyHeader read_npy_header(std::string_view header, const std::string& name);

}  // namespace buffon::io_detail
