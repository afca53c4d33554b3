// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace buffon::io_detail {

/// SHA-256 (FIPS 180-4) of bytes that come in parts.
class Sha256 {
 public:
  void add(std::string_view bytes);
  /// The digest of all bytes in hexadecimal; ends the use of the object.
  std::string finish();

 private:
  std::array<std::uint32_t, 8> state_ = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  std::array<unsigned char, 64> rest_ = {};
  std::uint64_t size_ = 0;
};

/// Of a file, read in pieces. @throws Error(no_input) when it cannot be read
std::string sha256_of_file(const std::filesystem::path& file);

}  // namespace buffon::io_detail
