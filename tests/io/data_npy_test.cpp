// SPDX-License-Identifier: BSD-3-Clause
#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <limits>

#include "support_data.hpp"
#include "support_gzip.hpp"

using namespace buffon;
using namespace buffon::test;

namespace {

bool is_float(const DataSet& data) { return std::holds_alternative<DenseRows<float>>(data.numbers()); }

/// A 2 × 3 array of one type in both byte orders and both storage orders, in all versions of the format.
template <class T>
void check_type(const std::string& letters, bool expect_float) {
  const std::vector<T> rows = {T(1), T(2), T(3), T(4), T(5), T(6)}, columns = {T(1), T(4), T(2), T(5), T(3), T(6)};
  const Eigen::MatrixXd expected = matrix({{1, 2, 3}, {4, 5, 6}});
  for (const bool big : {false, true}) {
    for (const bool fortran : {false, true}) {
      for (const int version : {1, 2, 3}) {
        const std::string descr = (sizeof(T) == 1 ? "|" : big ? ">" : "<") + letters;
        CAPTURE(descr);
        CAPTURE(fortran);
        CAPTURE(version);
        const DataFile file("type.npy", npy_file(npy_dictionary(descr, "(2, 3)", fortran), bytes_of(fortran ? columns : rows, big), version));
        const auto data = file.read();
        CHECK(matrix_of(*data) == expected);
        CHECK(is_float(*data) == expect_float);
      }
    }
  }
}

}  // namespace

TEST_CASE("every number type of .npy in both byte orders, storage orders and all versions") {
  check_type<std::uint8_t>("u1", true);
  check_type<std::int8_t>("i1", true);
  check_type<std::int16_t>("i2", true);
  check_type<std::uint16_t>("u2", true);
  check_type<std::int32_t>("i4", false);
  check_type<std::uint32_t>("u4", false);
  check_type<std::int64_t>("i8", false);
  check_type<std::uint64_t>("u8", false);
  check_type<float>("f4", true);
  check_type<double>("f8", false);
}

namespace {

/// 4 rows of 3 numbers: row i, column j holds 10 i + j
std::vector<double> ten_i_plus_j(bool by_columns) {
  std::vector<double> numbers;
  for (int a = 0; a < (by_columns ? 3 : 4); ++a) {
    for (int b = 0; b < (by_columns ? 4 : 3); ++b) numbers.push_back(by_columns ? 10 * b + a : 10 * a + b);
  }
  return numbers;
}

std::string doubles_file(bool fortran = false) { return npy_file(npy_dictionary("<f8", "(4, 3)", fortran), bytes_of(ten_i_plus_j(fortran))); }

/// Whether the numbers are those of a mapped file: then writing to the file shows.
bool is_mapped(const DataFile& file, const DataSet& data) {
  const double before = data.point(0)[0];
  std::fstream stream(file.path(), std::ios::binary | std::ios::in | std::ios::out);
  stream.seekp(128);
  const double other = before + 1;
  stream.write(reinterpret_cast<const char*>(&other), sizeof other);
  stream.close();
  return data.point(0)[0] == other;
}

}  // namespace

TEST_CASE("numbers with all their bits: signs, extremes, subnormals") {
  const DataFile i1("i1.npy", npy_file(npy_dictionary("|i1", "(2,)"), bytes_of<std::int8_t>({-128, 127})));
  CHECK(matrix_of(*i1.read()) == matrix({{-128}, {127}}));
  const DataFile i2("i2.npy", npy_file(npy_dictionary(">i2", "(3,)"), bytes_of<std::int16_t>({-32768, 32767, -2}, true)));
  CHECK(matrix_of(*i2.read()) == matrix({{-32768}, {32767}, {-2}}));
  const DataFile i8("i8.npy", npy_file(npy_dictionary("<i8", "(2,)"), bytes_of<std::int64_t>({-(std::int64_t{1} << 53), std::int64_t{1} << 53})));
  CHECK(matrix_of(*i8.read()) == matrix({{-9007199254740992.0}, {9007199254740992.0}}));
  const double tiny = std::numeric_limits<double>::denorm_min(), huge = std::numeric_limits<double>::max();
  const DataFile f8("f8.npy", npy_file(npy_dictionary(">f8", "(1, 3)"), bytes_of<double>({tiny, -huge, 0.1}, true)));
  CHECK(matrix_of(*f8.read()) == matrix({{tiny, -huge, 0.1}}));
}

TEST_CASE("one dimension is one column, whatever fortran_order says") {
  for (const bool fortran : {false, true}) {
    const DataFile file("one.npy", npy_file(npy_dictionary("<f4", "(3,)", fortran), bytes_of<float>({1, 2, 3})));
    const auto data = file.read();
    CHECK(data->rows() == 3);
    CHECK(data->columns() == 1);
  }
}

TEST_CASE("uncompressed files in row order of f4 and f8 are mapped; others and packed ones are copies with the same numbers") {
  const DataFile rows("map.npy", doubles_file());
  const DataFile columns("columns.npy", doubles_file(true));
  const DataFile packed("map.npy.gz", gzip(doubles_file()));
  CHECK(matrix_of(*rows.read()) == matrix_of(*columns.read()));
  CHECK(matrix_of(*rows.read()) == matrix_of(*packed.read()));
  CHECK(is_mapped(rows, *rows.read()));
  CHECK(is_mapped(rows, *rows.read({.columns = {"0:2"}, .rows = "0:4:2"})));
  CHECK_FALSE(is_mapped(rows, *rows.read({.columns = {"0", "2"}})));
  CHECK_FALSE(is_mapped(rows, *rows.read({.scale = DataScale::centre})));
}

TEST_CASE("numbers that do not begin at a multiple of their size are copied") {
  std::string header = npy_dictionary("<f8", "(2,)");
  while ((10 + header.size()) % 8 != 3) header += ' ';
  std::string bytes = std::string("\x93NUMPY\x01\x00", 8) + static_cast<char>(header.size()) + '\0' + header + bytes_of<double>({4, 5});
  const DataFile file("odd.npy", bytes);
  CHECK(matrix_of(*file.read()) == matrix({{4}, {5}}));
}

TEST_CASE("chosen rows and columns of every layout, with their numbers in the source") {
  const DataFile rows("r.npy", doubles_file()), columns("c.npy", doubles_file(true)), packed("r.npy.gz", gzip(doubles_file())),
      packed_columns("c.npy.gz", gzip(doubles_file(true)));
  for (const DataFile* file : {&rows, &columns, &packed, &packed_columns}) {
    const auto data = file->read({.columns = {"2", "0"}, .rows = "1:4:2"});
    CHECK(matrix_of(*data) == matrix({{12, 10}, {32, 30}}));
    CHECK(data->about().row_numbers == std::vector<std::int64_t>{1, 3});
    CHECK(data->about().columns_used == std::vector<std::int64_t>{2, 0});
    CHECK(matrix_of(*file->read({.columns = {"1:"}, .rows = "2:"})) == matrix({{21, 22}, {31, 32}}));
    CHECK(matrix_of(*file->read({.rows = ":1"})) == matrix({{0, 1, 2}}));
    CHECK(file->read()->about().row_numbers.empty());
    CHECK(file->read()->about().columns_used.empty());

    const auto weighted = file->read({.rows = "1:", .weights = "1"});
    CHECK(matrix_of(*weighted) == matrix({{10, 12}, {20, 22}, {30, 32}}));
    CHECK(weighted->about().weights == std::vector<double>{11, 21, 31});
    const auto last = file->read({.rows = "1:", .weights = "2"});
    CHECK(matrix_of(*last) == matrix({{10, 11}, {20, 21}, {30, 31}}));
    CHECK(last->about().weights == std::vector<double>{12, 22, 32});
  }
}

TEST_CASE("choices that the data do not have are refused") {
  const DataFile file("choices.npy", doubles_file());
  CHECK(contains(file.refusal({.columns = {"3"}}), "data.columns = \"3\" is beyond the 3 columns"));
  CHECK(contains(file.refusal({.columns = {"1:4"}}), "is beyond the 3 columns"));
  CHECK(contains(file.refusal({.columns = {"x"}}), "these have no names"));
  CHECK(contains(file.refusal({.columns = {"2:1"}}), "these have no names"));
  CHECK(contains(file.refusal({.columns = {"0:2", "1"}}), "chooses column 1 a second time"));
  CHECK(contains(file.refusal({.columns = {"0:2"}, .weights = "1"}), "holds the column of the weights"));
  CHECK(contains(file.refusal({.rows = "2:5"}), "is beyond the 4 rows"));
  CHECK(contains(file.refusal({.rows = "4:"}), "is beyond the 4 rows"));
  for (const char* rows : {"1", "a:2", "2:2", "3:2", "0:4:0", "0:4:-1", "-1:2", "0:1:1:1", "0:99999999999999999999", " 0:2"}) {
    CAPTURE(rows);
    CHECK(contains(file.refusal({.rows = rows}), "data.rows"));
  }
  CHECK(contains(file.refusal({.weights = "nowhere.npy"}), "is neither a column of the data nor a file"));
  const DataFile one("one_column.npy", npy_file(npy_dictionary("<f8", "(2,)"), bytes_of<double>({1, 2})));
  CHECK(contains(one.refusal({.weights = "0"}), "is the only column"));
}

TEST_CASE("numbers that are not finite and whole numbers beyond 2^53 are refused with their place") {
  const double nan = std::numeric_limits<double>::quiet_NaN(), infinity = std::numeric_limits<double>::infinity();
  const DataFile not_a_number("nan.npy", npy_file(npy_dictionary("<f8", "(2, 2)"), bytes_of<double>({1, 2, nan, 4})));
  CHECK(contains(not_a_number.refusal(), "row 1, column 0 (both from 0) = nan"));
  CHECK(contains(not_a_number.refusal({.scale = DataScale::standardise}), "row 1, column 0 (both from 0) = nan"));
  CHECK(contains(not_a_number.refusal({.columns = {"0"}, .rows = "1:"}), "row 1, column 0"));
  CHECK(not_a_number.refusal({.columns = {"1"}}) == "accepted");
  const DataFile infinite("inf.npy", npy_file(npy_dictionary("<f4", "(2, 2)", true), bytes_of<float>({1, 2, static_cast<float>(infinity), 4})));
  CHECK(contains(infinite.refusal(), "row 0, column 1 (both from 0) = inf"));
  const DataFile large("large.npy", npy_file(npy_dictionary("<i8", "(2, 2)"), bytes_of<std::int64_t>({1, 2, 3, (std::int64_t{1} << 53) + 1})));
  CHECK(contains(large.refusal(), "row 1, column 1 (both from 0) = 9007199254740993 is beyond 2^53"));
  CHECK(large.refusal({.rows = ":1"}) == "accepted");
  const DataFile low("low.npy", npy_file(npy_dictionary("<i8", "(1,)"), bytes_of<std::int64_t>({std::numeric_limits<std::int64_t>::min()})));
  CHECK(contains(low.refusal(), "is beyond 2^53"));
}

TEST_CASE("a cut or lengthened .npy file is refused, packed or not, at every length") {
  const std::string bytes = doubles_file();
  const DataFile longer("long.npy", bytes + "x"), longer_packed("long.npy.gz", gzip(bytes + "x"));
  CHECK(contains(longer.refusal(), "more bytes than its header says"));
  CHECK(contains(longer_packed.refusal(), "more bytes than its header says"));
  for (std::size_t size = 0; size < bytes.size(); size += size < 140 ? 1 : 7) {
    CAPTURE(size);
    const DataFile cut("cut.npy", bytes.substr(0, size)), packed("cut.npy.gz", gzip(bytes.substr(0, size)));
    const std::string what = size < 12 ? "this is not an .npy file" : "is cut off";
    CHECK(contains(cut.refusal(), what));
    CHECK(contains(packed.refusal(), what));
  }
}

TEST_CASE("headers that are damaged or mean harm are refused") {
  const std::string data = bytes_of<double>({1, 2, 3, 4});
  const auto refusal = [&](const std::string& header) { return DataFile("header.npy", npy_file(header, data)).refusal(); };
  CHECK(refusal("{'descr': '<f8', 'fortran_order': False, 'shape': (4,)}") == "accepted");
  CHECK(refusal("{\"shape\":(2,2,),'fortran_order':True,'descr':'<f8'}") == "accepted");
  CHECK(contains(refusal(npy_dictionary("|O", "(4,)")), "type \"|O\""));
  CHECK(contains(refusal(npy_dictionary("<f2", "(4,)")), "type \"<f2\""));
  CHECK(contains(refusal(npy_dictionary("<c16", "(2,)")), "type \"<c16\""));
  CHECK(contains(refusal(npy_dictionary("<U1", "(4,)")), "type \"<U1\""));
  CHECK(contains(refusal("{'descr': [('a', '<f8'), ('b', '<f8')], 'fortran_order': False, 'shape': (2,)}"), "record"));
  CHECK(contains(refusal("{'descr': {'a': {'b': {}}}, 'fortran_order': False, 'shape': (2,)}"), "header"));
  CHECK(contains(refusal(npy_dictionary("<f8", "(-4,)")), "shape"));
  CHECK(contains(refusal(npy_dictionary("<f8", "(4.0,)")), "header"));
  CHECK(contains(refusal(npy_dictionary("<f8", "(2, 2, 1)")), "3 dimensions"));
  CHECK(contains(refusal(npy_dictionary("<f8", "()")), "0 dimensions"));
  CHECK(contains(refusal(npy_dictionary("<f8", "(0, 4)")), "0 rows"));
  CHECK(contains(refusal(npy_dictionary("<f8", "(4, 0)")), "0 columns"));
  CHECK(contains(refusal(npy_dictionary("<f8", "(9223372036854775807, 9223372036854775807)")), "no memory holds"));
  CHECK(contains(refusal(npy_dictionary("<f8", "(4611686018427387904, 4)")), "no memory holds"));
  CHECK(contains(refusal(npy_dictionary("<f8", "(1000000000000, 1)")), "is cut off"));
  CHECK(contains(refusal(npy_dictionary("<f8", "(99999999999999999999,)")), "shape"));
  CHECK(contains(refusal("{'descr': '<f8', 'fortran_order': False, 'shape': (4,), 'more': (4,)}"), "key too many"));
  CHECK(contains(refusal("{'descr': '<f8', 'descr': '<f8', 'shape': (4,)}"), "key too many"));
  CHECK(contains(refusal("{'descr': '<f8', 'fortran_order': False}"), "must say"));
  CHECK(contains(refusal("{'descr': '<f8', 'fortran_order': Maybe, 'shape': (4,)}"), "neither True nor False"));
  CHECK(contains(refusal("{'descr': '<f8', 'fortran_order': False, 'shape': (4,)} + os.system('x')"), "goes on"));
  CHECK(contains(refusal("{'descr': '<f8', 'fortran_order': False, 'shape': (" + std::string(5000, '(')), "shape"));
  CHECK(contains(refusal(""), "dictionary"));
  // A header that claims 4 GiB.
  const DataFile endless("endless.npy", std::string("\x93NUMPY\x02\x00\xff\xff\xff\xff", 12) + data);
  CHECK(contains(endless.refusal(), "claims 4294967295 bytes"));
  const DataFile version("version.npy", std::string("\x93NUMPY\x09\x00\x10\x00", 10) + data);
  CHECK(contains(version.refusal(), "version is 9"));
}

TEST_CASE("a small packed file that claims or unpacks to more than the memory is refused before it is taken") {
  // 10^15 numbers of 8 bytes: more than any machine has, in a file of some hundred bytes.
  const DataFile claim("claim.npy.gz", gzip(npy_file(npy_dictionary("<f8", "(1000000000000, 1000)"), std::string(1000, '\0'))));
  CHECK(contains(claim.refusal(), "more memory where"));
  const DataFile wide("wide.npy.gz", gzip(npy_file(npy_dictionary("<f8", "(1, 1000000000000000)"), std::string(1000, '\0'))));
  CHECK(contains(wide.refusal(), "more memory where"));
}
