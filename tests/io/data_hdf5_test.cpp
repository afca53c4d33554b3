// SPDX-License-Identifier: BSD-3-Clause
#include <doctest/doctest.h>

#include <buffon/hdf5/hdf5.hpp>

#include "support_data.hpp"

#ifdef BUFFON_TEST_HDF5
#include <hdf5.h>
#include <sys/wait.h>

#include <array>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <limits>

#include "support_gzip.hpp"
#endif

using namespace buffon;
using namespace buffon::test;

#ifdef BUFFON_TEST_HDF5
namespace {

/// An HDF5 file that this test writes.
class Hdf5File {
 public:
  explicit Hdf5File(const std::string& name) : name_(std::filesystem::temp_directory_path() / ("buffon_data_test_" + name)) {
    file_ = H5Fcreate(name_.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  }
  /// @param columns 0 = one dimension @param chunk rows of a compressed part; 0 = in one piece
  template <class T>
  Hdf5File& array(const char* path, hid_t stored, hid_t given, hsize_t rows, hsize_t columns, const std::vector<T>& numbers, hsize_t chunk = 0) {
    const std::array<hsize_t, 2> shape = {rows, columns}, part = {chunk, columns};
    const hid_t space = H5Screate_simple(columns == 0 ? 1 : 2, shape.data(), nullptr), links = H5Pcreate(H5P_LINK_CREATE), how = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_create_intermediate_group(links, 1);
    if (chunk > 0) {
      H5Pset_chunk(how, columns == 0 ? 1 : 2, part.data());
      H5Pset_shuffle(how);
      H5Pset_deflate(how, 4);
    }
    const hid_t array = H5Dcreate2(file_, path, stored, space, links, how, H5P_DEFAULT);
    if (!numbers.empty()) H5Dwrite(array, given, H5S_ALL, H5S_ALL, H5P_DEFAULT, numbers.data());
    H5Dclose(array);
    H5Pclose(how);
    H5Pclose(links);
    H5Sclose(space);
    return *this;
  }
  std::string bytes() {
    H5Fclose(file_);
    std::ifstream in(name_, std::ios::binary);
    std::string all{std::istreambuf_iterator<char>(in), {}};
    std::filesystem::remove(name_);
    return all;
  }

 private:
  std::filesystem::path name_;
  hid_t file_;
};

template <class T>
std::string one_array(hid_t stored, hid_t given, const std::vector<T>& numbers, hsize_t chunk = 0) {
  return Hdf5File("scratch.h5").array("/x", stored, given, numbers.size() / 3, 3, numbers, chunk).bytes();
}

const Eigen::MatrixXd two_by_three = matrix({{1, 2, 3}, {4, 5, 6}});
const std::vector<double> one_to_six = {1, 2, 3, 4, 5, 6};

}  // namespace

TEST_CASE("arrays of every number type are read from HDF5, packed parts and packed files too") {
  for (const hid_t type : {H5T_STD_U8LE, H5T_STD_I8BE, H5T_STD_I16BE, H5T_STD_U16LE, H5T_IEEE_F32LE, H5T_IEEE_F32BE, H5T_STD_I32LE, H5T_STD_U32BE,
                           H5T_STD_I64LE, H5T_STD_U64BE, H5T_IEEE_F64LE, H5T_IEEE_F64BE}) {
    const std::size_t size = H5Tget_size(type);
    const bool expect_float = size <= 2 || (size == 4 && H5Tget_class(type) == H5T_FLOAT);
    for (const hsize_t chunk : {0, 1}) {
      const std::string bytes = one_array(type, H5T_NATIVE_DOUBLE, one_to_six, chunk);
      const DataFile file("types.h5", bytes), packed("types.h5.gz", gzip(bytes));
      CHECK(matrix_of(*file.read()) == two_by_three);
      CHECK(matrix_of(*packed.read()) == two_by_three);
      CHECK(std::holds_alternative<DenseRows<float>>(file.read()->numbers()) == expect_float);
    }
  }
}

TEST_CASE("rows, columns, weights and scales of HDF5 arrays") {
  std::vector<double> numbers;
  for (int i = 0; i < 4; ++i) {
    for (int j = 0; j < 3; ++j) numbers.push_back(10 * i + j);
  }
  for (const hid_t type : {H5T_IEEE_F32LE, H5T_IEEE_F64LE, H5T_STD_I64LE}) {
    const DataFile file("choice.h5", one_array(type, H5T_NATIVE_DOUBLE, numbers));
    CHECK(matrix_of(*file.read({.columns = {"2", "0"}, .rows = "1:4:2"})) == matrix({{12, 10}, {32, 30}}));
    CHECK(matrix_of(*file.read({.rows = "1:3"})) == matrix({{10, 11, 12}, {20, 21, 22}}));
    const auto weighted = file.read({.rows = "1:", .weights = "1"});
    CHECK(weighted->about().weights == std::vector<double>{11, 21, 31});
    CHECK(weighted->about().columns_used == std::vector<std::int64_t>{0, 2});
    CHECK(matrix_of(*file.read({.columns = {"0"}, .scale = DataScale::centre})) == matrix({{-15}, {-5}, {5}, {15}}));
    CHECK(contains(file.refusal({.rows = "0:5"}), "is beyond the 4 rows"));
  }
}

TEST_CASE("the array of an HDF5 file is the only one, or named") {
  const DataFile one("only.h5", Hdf5File("scratch.h5").array("/group/inner/x", H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, 6, 0, one_to_six).bytes());
  CHECK(one.read()->rows() == 6);
  CHECK(one.read({.dataset = "/group/inner/x"})->columns() == 1);
  CHECK(one.read({.dataset = "group/inner/x"})->columns() == 1);
  CHECK(contains(one.refusal({.dataset = "/group"}), "there are group/inner/x"));
  CHECK(contains(one.refusal({.dataset = "/nothing/here"}), "data.dataset = \"/nothing/here\" is not an array of the file"));
  const DataFile two("two.h5", Hdf5File("scratch.h5")
                                   .array("/a", H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, 2, 3, one_to_six)
                                   .array("/b", H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, 3, 2, one_to_six)
                                   .bytes());
  CHECK(contains(two.refusal(), "which of several arrays is meant. there are a, b"));
  CHECK(two.read({.dataset = "b"})->rows() == 3);
  const DataFile none("none.h5", Hdf5File("scratch.h5").bytes());
  CHECK(contains(none.refusal(), "holds no array"));
}

TEST_CASE("wrong numbers and shapes in HDF5 files are refused") {
  const DataFile infinite("inf.h5", one_array(H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, std::vector<double>{1, 2, 3, 4, std::numeric_limits<double>::infinity(), 6}));
  CHECK(contains(infinite.refusal(), "row 1, column 1 (both from 0) = inf"));
  const DataFile large("large.h5", one_array(H5T_STD_I64LE, H5T_NATIVE_INT64, std::vector<std::int64_t>{1, 2, 3, 4, 5, (std::int64_t{1} << 53) + 1}));
  CHECK(contains(large.refusal(), "row 1, column 2 (both from 0) = 9007199254740993 is beyond 2^53"));
  const DataFile unsigned_large("ularge.h5", one_array(H5T_STD_U64LE, H5T_NATIVE_UINT64, std::vector<std::uint64_t>{1, 2, ~std::uint64_t{0}}));
  CHECK(contains(unsigned_large.refusal(), "is beyond 2^53"));
  const DataFile empty("empty.h5", Hdf5File("scratch.h5").array("/x", H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, 0, 3, std::vector<double>()).bytes());
  CHECK(contains(empty.refusal(), "the array is empty"));
  // Nothing is stored of an array that nobody wrote: a small file of 10^15 numbers.
  const DataFile claim("claim.h5",
                       Hdf5File("scratch.h5").array("/x", H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, 1000000000000, 1000, std::vector<double>(), 1000).bytes());
  CHECK(contains(claim.refusal(), "more memory where"));
}

TEST_CASE("HDF5 files that are cut, or whose packed parts are damaged, are refused") {
  std::vector<double> numbers(300);
  for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = static_cast<double>(i);
  const std::string bytes = one_array(H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, numbers, 10);
  for (std::size_t size = 0; size < bytes.size(); size += 1 + bytes.size() / 60) {
    CHECK(DataFile("cut.h5", bytes.substr(0, size)).refusal({.format = DataFormat::hdf5}) != "accepted");
  }
  // A packed part begins with the bytes of its method; what follows is damaged.
  const std::size_t part = bytes.find("\x78\x5e");
  REQUIRE(part != std::string::npos);
  std::string damaged = bytes;
  damaged.replace(part + 2, 8, 8, '\xff');
  CHECK(contains(DataFile("damaged.h5", damaged).refusal(), "rows from 0 on cannot be read"));
}

TEST_CASE("an HDF5 file in which a byte is wrong is read or refused, and the reader lives on") {
  const std::string bytes = one_array(H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, one_to_six, 1);
  const DataFile sound("sound.h5", bytes);
  int refused = 0;
  for (std::size_t place = 8; place < bytes.size(); place += 11) {
    std::string wrong = bytes;
    wrong[place] = static_cast<char>(wrong[place] ^ (place % 3 == 0 ? '\xff' : '\x15'));
    try {
      DataFile("wrong.h5", wrong).read({.format = DataFormat::hdf5});
    } catch (const Error& error) {
      ++refused;
      CHECK(contains(error.what(), "wrong.h5"));
    }
    if (place % 50 == 0) CHECK(matrix_of(*sound.read()) == two_by_three);
  }
  CHECK(refused > 20);
  CHECK(::waitpid(-1, nullptr, WNOHANG) == -1);  // no process is left
}
#endif

TEST_CASE("a build without HDF5 says which package it needs") {
  if (hdf5_available()) {
    CHECK(contains(DataFile("not.h5", "\x89HDF\r\n\x1a\n").refusal(), "is no HDF5 file that can be read"));
  } else {
    CHECK(contains(DataFile("not.h5", "\x89HDF\r\n\x1a\n").refusal(), "install the package libhdf5-dev"));
  }
}
