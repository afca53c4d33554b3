// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/core/error.hpp>
#include <buffon/io/sample_files.hpp>

#include <zlib.h>

namespace buffon {
namespace {

void put(std::string& out, std::uint64_t number) {
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(number >> shift & 0xff);
}

/// Length, name, contents, and the CRC of the last two.
void chunk(std::string& out, const std::string& name, const std::string& contents) {
  put(out, contents.size());
  const std::string body = name + contents;
  out += body;
  put(out, crc32(0, reinterpret_cast<const Bytef*>(body.data()), static_cast<uInt>(body.size())));
}

}  // namespace

std::string encode_png(std::int64_t width, std::int64_t height, int channels, const std::string& pixels) {
  std::string head;
  put(head, static_cast<std::uint64_t>(width));
  put(head, static_cast<std::uint64_t>(height));
  head += {8, static_cast<char>(channels == 3 ? 2 : 0), 0, 0, 0};  // bits, colour type, and the only methods that there are; not interlaced
  const auto row = static_cast<std::size_t>(width * channels);
  std::string lines;
  for (std::size_t y = 0; y < static_cast<std::size_t>(height); ++y) lines += '\0' + pixels.substr(y * row, row);  // 0: the line as it is
  uLongf size = compressBound(static_cast<uLong>(lines.size()));
  std::string packed(size, '\0');
  if (compress2(reinterpret_cast<Bytef*>(packed.data()), &size, reinterpret_cast<const Bytef*>(lines.data()), static_cast<uLong>(lines.size()), 9) != Z_OK) {
    throw Error(ErrorCategory::internal, {.doing = "compressing an image", .rule = "zlib refused"});
  }
  packed.resize(size);
  std::string out = "\x89PNG\r\n\x1a\n";
  chunk(out, "IHDR", head);
  chunk(out, "IDAT", packed);
  chunk(out, "IEND", "");
  return out;
}

}  // namespace buffon
