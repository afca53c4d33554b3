// SPDX-License-Identifier: BSD-3-Clause
#include <doctest/doctest.h>

#include <buffon/core/error.hpp>
#include <buffon/io/npy.hpp>

using namespace buffon;

namespace {

std::string file(const std::string& header, const std::string& data) {
  std::string text = header;
  text += '\n';
  return std::string("\x93NUMPY\x01\x00", 8) + static_cast<char>(text.size()) + '\0' + text + data;
}

std::string bytes_of(const std::vector<double>& values) { return std::string(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(double)); }

}  // namespace

TEST_CASE("an .npy file has the layout of its format") {
  Eigen::MatrixXd m(2, 3);
  m << 1, 2, 3, 4, 5, 6;
  const std::string bytes = encode_npy(m);
  CHECK(bytes.substr(0, 8) == std::string("\x93NUMPY\x01\x00", 8));
  CHECK((bytes.size() - 48) % 64 == 0);  // the header ends at a multiple of 64, then come six doubles
  CHECK(bytes.find("{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3), }") == 10);
  CHECK(bytes.substr(bytes.size() - 48) == bytes_of({1, 2, 3, 4, 5, 6}));  // row by row
  CHECK(decode_npy(bytes, "x") == m);
}

TEST_CASE("column-major and one-dimensional .npy files are read") {
  const std::string data = bytes_of({1, 2, 3, 4});
  Eigen::MatrixXd m(2, 2);
  m << 1, 3, 2, 4;
  CHECK(decode_npy(file("{'descr': '<f8', 'fortran_order': True, 'shape': (2, 2), }", data), "x") == m);
  CHECK(decode_npy(file("{'shape': (4,), 'fortran_order': False, 'descr': '<f8'}", data), "x") == Eigen::Vector4d(1, 2, 3, 4));
  CHECK(decode_npy(encode_npy(Eigen::MatrixXd(0, 3)), "x").cols() == 3);
}

TEST_CASE("a wrong .npy file is refused") {
  const std::string data = bytes_of({1, 2, 3, 4});
  for (const char* header : {"{'descr': '>f8', 'fortran_order': False, 'shape': (4,)}", "{'descr': '<f8', 'fortran_order': Maybe, 'shape': (4,)}",
                             "{'descr': '<f8', 'fortran_order': False, 'shape': (5,)}", "{'descr': '<f8', 'fortran_order': False, 'shape': (-4,)}",
                             "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 2, 1)}", "{'descr': '<f8', 'fortran_order': False, 'shape': ()}",
                             "{'descr': '<f8', 'fortran_order': False, 'shape': (9223372036854775807, 9223372036854775807)}",
                             "{'descr': '<f8', 'fortran_order': False, 'shape': (4", "{'descr'", ""}) {
    CAPTURE(header);
    CHECK_THROWS_AS(decode_npy(file(header, data), "x"), Error);
  }
  const std::string bytes = encode_npy(Eigen::MatrixXd::Ones(2, 2));
  for (std::size_t size = 0; size < bytes.size(); ++size) CHECK_THROWS_AS(decode_npy(std::string_view(bytes).substr(0, size), "x"), Error);
}
