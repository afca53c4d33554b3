// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/core/error.hpp>
#include <buffon/io/files.hpp>
#include <buffon/io/npy.hpp>

#include <cstdint>
#include <cstring>
#include <limits>
#include <vector>

#include "npy_header.hpp"

namespace buffon {
namespace {

using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using io_detail::npy_magic;

}  // namespace

std::string npy_header(const std::vector<std::int64_t>& shape, std::string_view descr) {
  std::string header = "{'descr': '" + std::string(descr) + "', 'fortran_order': False, 'shape': (";
  for (std::size_t i = 0; i < shape.size(); ++i) header += (i == 0 ? "" : ", ") + std::to_string(shape[i]);
  header += shape.size() == 1 ? ",), }" : "), }";
  const std::size_t before = npy_magic.size() + 4;  // magic, two bytes of version, two of length
  header.append(63 - (before + header.size()) % 64, ' ');
  header += '\n';  // the data start at a multiple of 64 bytes
  std::string bytes(npy_magic);
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
  const io_detail::NpyPrefix prefix = io_detail::read_npy_prefix(bytes.substr(0, io_detail::npy_prefix_most), name);
  if (prefix.header_length > bytes.size() - prefix.size) refuse("its header is cut off");
  const io_detail::NpyHeader header = io_detail::read_npy_header(bytes.substr(prefix.size, prefix.header_length), name);
  bytes.remove_prefix(prefix.size + prefix.header_length);
  if (header.descr != "<f8") refuse("its numbers must be little-endian doubles ('<f8')");
  const std::vector<std::int64_t>& sizes = header.shape;
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
  if (header.fortran_order) {
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
