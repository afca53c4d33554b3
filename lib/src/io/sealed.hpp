// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/io/binary_archive.hpp>

#include <cstring>
#include <optional>
#include <string>
#include <string_view>

namespace buffon::io_detail {

/// The bytes of a file: magic, contents, checksum over both.
inline std::string sealed(std::string_view magic, std::string_view contents) {
  std::string bytes(magic);
  bytes += contents;
  const std::uint64_t sum = checksum(bytes);
  bytes.append(reinterpret_cast<const char*>(&sum), sizeof sum);
  return bytes;
}

/// The contents, or nothing when a byte is missing, extra or changed.
inline std::optional<std::string_view> unsealed(std::string_view magic, std::string_view bytes) {
  std::uint64_t sum = 0;
  if (bytes.size() < magic.size() + sizeof sum || !bytes.starts_with(magic)) return std::nullopt;
  std::memcpy(&sum, bytes.data() + bytes.size() - sizeof sum, sizeof sum);
  bytes.remove_suffix(sizeof sum);
  if (checksum(bytes) != sum) return std::nullopt;
  return bytes.substr(magic.size());
}

}  // namespace buffon::io_detail
