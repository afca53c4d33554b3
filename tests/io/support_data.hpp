// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/core/error.hpp>
#include <buffon/io/data_file.hpp>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

namespace buffon::test {

/// A file of this test, removed at its end.
class DataFile {
 public:
  DataFile(const std::string& name, const std::string& bytes) : path_(std::filesystem::temp_directory_path() / ("buffon_data_test_" + name)) {
    std::ofstream(path_, std::ios::binary) << bytes;
  }
  ~DataFile() { std::filesystem::remove(path_); }
  DataFile(const DataFile&) = delete;
  DataFile& operator=(const DataFile&) = delete;

  std::string path() const { return path_.string(); }
  std::shared_ptr<const DataSet> read(DataFileOptions options = {}) const {
    options.file = path();
    return read_data(options);
  }
  /// The whole message, or "accepted"
  std::string refusal(const DataFileOptions& options = {}) const {
    try {
      read(options);
    } catch (const Error& error) {
      return error.what();
    }
    return "accepted";
  }

 private:
  std::filesystem::path path_;
};

inline bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

/// Bytes of numbers, most significant first where `big`.
template <class T>
std::string bytes_of(const std::vector<T>& values, bool big = false) {
  std::string bytes;
  for (const T value : values) {
    std::string one(reinterpret_cast<const char*>(&value), sizeof(T));
    if (big) std::reverse(one.begin(), one.end());
    bytes += one;
  }
  return bytes;
}

/// An .npy file of version 1, 2 or 3.
inline std::string npy_file(const std::string& header, const std::string& numbers, int version = 1) {
  const std::size_t before = version == 1 ? 10 : 12;
  std::string text = header;
  while ((before + text.size() + 1) % 64 != 0) text += ' ';
  text += '\n';
  std::string bytes("\x93NUMPY", 6);
  bytes += static_cast<char>(version);
  bytes += '\0';
  for (std::size_t i = 0; i < before - 8; ++i) bytes += static_cast<char>((text.size() >> (8 * i)) & 0xff);
  return bytes + text + numbers;
}

inline std::string npy_dictionary(const std::string& descr, const std::string& shape, bool fortran = false) {
  return "{'descr': '" + descr + "', 'fortran_order': " + (fortran ? "True" : "False") + ", 'shape': " + shape + ", }";
}

/// n × d, one row = one row of the data set
inline Eigen::MatrixXd matrix_of(const DataSet& data) {
  Eigen::MatrixXd all(data.rows(), data.columns());
  for (Index i = 0; i < data.rows(); ++i) all.row(i) = data.point(i).transpose();
  return all;
}

inline Eigen::MatrixXd matrix(std::initializer_list<std::initializer_list<double>> rows) {
  Eigen::MatrixXd all(static_cast<Index>(rows.size()), static_cast<Index>(rows.begin()->size()));
  Index i = 0;
  for (const auto& row : rows) {
    Index j = 0;
    for (const double x : row) all(i, j++) = x;
    ++i;
  }
  return all;
}

}  // namespace buffon::test
