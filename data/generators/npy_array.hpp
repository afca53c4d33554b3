// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <vector>

namespace buffon::generators {

/// Numbers of an .npy file with any number of axes, the last running fastest.
struct NpyArray {
  std::vector<std::int64_t> shape;
  std::vector<double> values;
  bool whole = false;  ///< of a type of whole numbers
};

/// Reads little-endian f4, f8, i4 and i8 in C order, format 1.0. @throws std::runtime_error
inline NpyArray read_npy_array(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(in), {}};
  const auto refuse = [&](const char* why) { throw std::runtime_error(file.string() + ": " + why); };
  if (bytes.size() < 10 || bytes.compare(0, 8, "\x93NUMPY\x01\x00", 8) != 0) refuse("is no .npy file of format 1.0");
  const std::size_t begin = 10U + static_cast<unsigned char>(bytes[8]) + 256U * static_cast<unsigned char>(bytes[9]);
  if (bytes.size() < begin) refuse("is too short");
  const std::string header = bytes.substr(10, begin - 10);
  if (header.find("'fortran_order': False") == std::string::npos) refuse("must be in C order");

  NpyArray out;
  std::size_t count = 1;
  const std::size_t open = header.find('(');
  const std::string axes = header.substr(open + 1, header.find(')') - open - 1);
  for (std::size_t at = axes.find_first_of("0123456789"); at != std::string::npos; at = axes.find_first_of("0123456789", axes.find(',', at))) {
    out.shape.push_back(std::stoll(axes.substr(at)));
    count *= static_cast<std::size_t>(out.shape.back());
    if (axes.find(',', at) == std::string::npos) break;
  }
  const auto take = [&](auto type) {
    using T = decltype(type);
    if (bytes.size() - begin != count * sizeof(T)) refuse("has not as many numbers as its shape says");
    for (std::size_t i = 0; i < count; ++i) {
      T value;
      std::memcpy(&value, bytes.data() + begin + i * sizeof(T), sizeof value);
      out.values.push_back(static_cast<double>(value));
    }
  };
  const auto has = [&](const char* type) { return header.find(std::string("'") + type + "'") != std::string::npos; };
  if (has("<f4")) {
    take(float{});
  } else if (has("<f8")) {
    take(double{});
  } else if (has("<i4")) {
    take(std::int32_t{});
    out.whole = true;
  } else if (has("<i8")) {
    take(std::int64_t{});
    out.whole = true;
  } else {
    refuse("must hold numbers of type f4, f8, i4 or i8");
  }
  return out;
}

}  // namespace buffon::generators
