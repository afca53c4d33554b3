// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/core/error.hpp>
#include <buffon/io/files.hpp>
#include <buffon/io/npy.hpp>

#include <charconv>
#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>
#include <vector>

namespace buffon {
namespace {

using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
constexpr std::string_view magic("\x93NUMPY", 6);

/// The text after `'key':` in the header's dictionary, without leading blanks.
std::optional<std::string_view> entry(std::string_view header, std::string_view key) {
  const std::size_t at = header.find("'" + std::string(key) + "'");
  if (at == std::string_view::npos) return std::nullopt;
  const std::size_t text = header.find_first_not_of(" ", std::min(header.size(), header.find(':', at)) + 1);
  if (text == std::string_view::npos) return std::nullopt;
  return header.substr(text);
}

}  // namespace

std::string npy_header(const std::vector<std::int64_t>& shape) {
  std::string header = "{'descr': '<f8', 'fortran_order': False, 'shape': (";
  for (std::size_t i = 0; i < shape.size(); ++i) header += (i == 0 ? "" : ", ") + std::to_string(shape[i]);
  header += shape.size() == 1 ? ",), }" : "), }";
  const std::size_t before = magic.size() + 4;  // magic, two bytes of version, two of length
  header.append(63 - (before + header.size()) % 64, ' ');
  header += '\n';  // the data start at a multiple of 64 bytes
  std::string bytes(magic);
  bytes += '\1';
  bytes += '\0';
  bytes += static_cast<char>(header.size() & 0xff);
  bytes += static_cast<char>(header.size() >> 8);
  return bytes + header;
}

std::string encode_npy(const ConstMatrix& values) {
  std::string bytes = npy_header({values.rows(), values.cols()});
  const RowMajor rows = values;
  bytes.append(reinterpret_cast<const char*>(rows.data()), static_cast<std::size_t>(rows.size()) * sizeof(double));
  return bytes;
}

Eigen::MatrixXd decode_npy(std::string_view bytes, const std::string& name) {
  const auto refuse = [&](const std::string& rule) { throw Error(ErrorCategory::data, {.doing = "reading " + name, .rule = rule}); };
  if (bytes.size() < 12 || !bytes.starts_with(magic)) refuse("this is not an .npy file");
  const auto byte = [&](std::size_t i) { return static_cast<std::size_t>(static_cast<unsigned char>(bytes[i])); };
  const std::size_t version = byte(6);
  if (version < 1 || version > 3) refuse("its format version must be 1, 2 or 3");
  const std::size_t start = version == 1 ? 10 : 12;
  const std::size_t length = version == 1 ? byte(8) + (byte(9) << 8) : byte(8) + (byte(9) << 8) + (byte(10) << 16) + (byte(11) << 24);
  if (length > bytes.size() - start) refuse("its header is cut off");
  const std::string_view header = bytes.substr(start, length);
  bytes.remove_prefix(start + length);

  const auto descr = entry(header, "descr"), order = entry(header, "fortran_order"), shape = entry(header, "shape");
  if (!descr || !descr->starts_with("'<f8'")) refuse("its numbers must be little-endian doubles ('<f8')");
  if (!order || !(order->starts_with("True") || order->starts_with("False"))) refuse("its header lacks fortran_order");
  if (!shape || !shape->starts_with("(") || shape->find(')') == std::string_view::npos) refuse("its header lacks the shape");

  std::vector<std::int64_t> sizes;
  const char* at = shape->data() + 1;
  const char* const end = shape->data() + shape->find(')');
  while (at < end) {
    if (*at == ' ' || *at == ',') {
      ++at;
      continue;
    }
    std::int64_t size = 0;
    const auto [next, problem] = std::from_chars(at, end, size);
    if (problem != std::errc() || size < 0) refuse("its shape is not made of whole numbers");
    sizes.push_back(size);
    at = next;
  }
  if (sizes.empty() || sizes.size() > 2) refuse("it must have one or two dimensions");
  const std::int64_t rows = sizes[0], cols = sizes.size() == 2 ? sizes[1] : 1;
  const std::int64_t held = static_cast<std::int64_t>(bytes.size() / sizeof(double));
  const bool empty = rows == 0 || cols == 0;
  if (bytes.size() % sizeof(double) != 0 || (empty ? held != 0 : (held % rows != 0 || held / rows != cols))) refuse("its size is not that of its shape");
  if (empty) {
    constexpr std::int64_t most = std::numeric_limits<std::int32_t>::max();
    if (rows > most || cols > most) refuse("its shape is absurd");
    return Eigen::MatrixXd(rows, cols);
  }
  Eigen::MatrixXd values(rows, cols);
  if (order->starts_with("True")) {
    std::memcpy(values.data(), bytes.data(), bytes.size());
  } else {
    RowMajor data(rows, cols);
    std::memcpy(data.data(), bytes.data(), bytes.size());
    values = data;
  }
  return values;
}

void write_npy(const std::filesystem::path& file, const ConstMatrix& values) { write_file(file, encode_npy(values)); }
Eigen::MatrixXd read_npy(const std::filesystem::path& file) { return decode_npy(read_file(file), file.string()); }

}  // namespace buffon
