// SPDX-License-Identifier: BSD-3-Clause
#include <doctest/doctest.h>

#include <cstdint>

#include "support_data.hpp"
#include "support_gzip.hpp"

using namespace buffon;
using namespace buffon::test;

namespace {

std::shared_ptr<const DataSet> read(const std::string& name, const std::string& text, const DataFileOptions& options = {}) {
  return DataFile(name, text).read(options);
}
void refused(const std::string& name, const std::string& text, const std::string& expected, const DataFileOptions& options = {}) {
  CAPTURE(text);
  const std::string found = DataFile(name, text).refusal(options);
  CAPTURE(found);
  CHECK(contains(found, expected));
}

const std::string banner = "%%MatrixMarket matrix ";

}  // namespace

TEST_CASE("libsvm text becomes sparse rows; labels, groups and comments are passed over") {
  const auto data = read("a.svm", "1 1:0.5 3:-2\n# a comment\n\n-1 qid:7 2:4 # another\r\n+2.5\n0 1:1 2:+2 3:3e-1 4:0");
  REQUIRE(data->sparse());
  CHECK(std::holds_alternative<SparseRows<double>>(data->numbers()));
  CHECK(matrix_of(*data) == matrix({{0.5, 0, -2, 0}, {0, 4, 0, 0}, {0, 0, 0, 0}, {1, 2, 0.3, 0}}));
  const auto& rows = std::get<SparseRows<double>>(data->numbers());
  CHECK(rows.first[4] == 6);  // the zero is not stored
  CHECK(matrix_of(*read("b.libsvm.gz", gzip("1:2 3:4\n2:1\n"))) == matrix({{2, 0, 4}, {0, 1, 0}}));
  CHECK(read("nameless", "1 1:2 3:4\n")->sparse());
}

TEST_CASE("rows, columns and weights of sparse data") {
  const std::string text = "0 1:1 2:2 3:3\n0 3:6\n0 1:7 3:9\n0 2:8\n";
  const auto data = read("c.svm", text, {.columns = {"2", "0"}, .rows = "0:3:2"});
  CHECK(matrix_of(*data) == matrix({{3, 1}, {9, 7}}));
  const auto& rows = std::get<SparseRows<double>>(data->numbers());
  CHECK(rows.column[0] == 0);  // columns ascend in the new order
  CHECK(rows.column[1] == 1);
  CHECK(data->about().row_numbers == std::vector<std::int64_t>{0, 2});
  CHECK(data->about().columns_used == std::vector<std::int64_t>{2, 0});
  const auto weighted = read("c.svm", text, {.weights = "2"});
  CHECK(matrix_of(*weighted) == matrix({{1, 2}, {0, 0}, {7, 0}, {0, 8}}));
  CHECK(weighted->about().weights == std::vector<double>{3, 6, 9, 0});
  refused("c.svm", text, "is beyond the 4 rows", {.rows = "0:5"});
  refused("c.svm", text, "is beyond the 3 columns", {.columns = {"3"}});
}

TEST_CASE("libsvm text that is wrong is refused with line and column") {
  refused("d.svm", "1 1:1\n1 0:1\n", "d.svm:2:3: reading numbers: \"0:1\" columns are counted from 1");
  refused("d.svm", "1 3:1 2:1\n", "must ascend");
  refused("d.svm", "1 3:1 3:1\n", "must ascend");
  refused("d.svm", "1 -1:1\n", "counted from 1");
  refused("d.svm", "1 1:1 x\n", "must be \"index:value\"");
  refused("d.svm", "1 1:x\n", "is not a number");
  refused("d.svm", "1 1:\n", "is not a number");
  refused("d.svm", "1 1:nan\n", "must be finite");
  refused("d.svm", "1 a:1\n", "is not a whole number");
  refused("d.svm", "1 3000000000:1\n", "beyond 2147483647");
  refused("d.svm", "one 1:1\n", "d.svm:1:1: reading numbers: \"one\" is not a number");
  refused("d.svm", "1\n2\n", "rows of 0 columns");
  refused("d.svm", "\n", "0 rows");
}

TEST_CASE("Matrix Market files of every supported kind") {
  const Eigen::MatrixXd expected = matrix({{1.5, 0, 7}, {1000, 0, 4}, {0, 0, -2}});
  const auto real = read("a.mtx", banner + "coordinate real general\n% comment\n\n3 3 5\n1 1 1.5\n3 3 -2\n2 1 1e3\n2 3 4\n1 3 7\n");
  REQUIRE(real->sparse());
  CHECK(matrix_of(*real) == expected);
  CHECK(matrix_of(*read("a.mtx", banner + "Coordinate INTEGER General\n2 3 2\n2 3 -5\n1 1 0\n")) == matrix({{0, 0, 0}, {0, 0, -5}}));
  CHECK(matrix_of(*read("a.mtx", banner + "coordinate pattern general\n2 3 3\n1 2\n2 3\n1 1\n")) == matrix({{1, 1, 0}, {0, 0, 1}}));
  CHECK(matrix_of(*read("nameless", banner + "coordinate real symmetric\n3 3 3\n1 1 2\n3 1 5\n3 2 -1\n")) == matrix({{2, 0, 5}, {0, 0, -1}, {5, -1, 0}}));
  const auto dense = read("a.mtx", banner + "array real general\n2 3\n1\n2\n3\n4\n5\n6\n");
  REQUIRE_FALSE(dense->sparse());
  CHECK(matrix_of(*dense) == matrix({{1, 3, 5}, {2, 4, 6}}));
  CHECK(matrix_of(*read("a.mtx.gz", gzip(banner + "array integer symmetric\n3 3\n1\n2\n3\n4\n5\n6\n"))) == matrix({{1, 2, 3}, {2, 4, 5}, {3, 5, 6}}));
}

TEST_CASE("rows, columns and weights of Matrix Market files") {
  const std::string sparse = banner + "coordinate real general\n4 3 5\n4 3 43\n1 1 11\n3 2 32\n3 1 31\n3 3 33\n",
                    dense = banner + "array real general\n3 2\n1\n2\n3\n4\n5\n6\n";
  const auto data = read("b.mtx", sparse, {.columns = {"2", "0"}, .rows = "0::2"});
  CHECK(matrix_of(*data) == matrix({{0, 11}, {33, 31}}));
  CHECK(read("b.mtx", sparse, {.weights = "0"})->about().weights == std::vector<double>{11, 0, 31, 0});
  CHECK(matrix_of(*read("b.mtx", dense, {.columns = {"1", "0"}, .rows = "1:"})) == matrix({{5, 2}, {6, 3}}));
  CHECK(read("b.mtx", dense, {.weights = "1"})->about().weights == std::vector<double>{4, 5, 6});
}

TEST_CASE("Matrix Market files that are wrong are refused with their place") {
  refused("c.mtx", "1 2 3\n", "is no banner");
  refused("c.mtx", "", "lacks the banner");
  refused("c.mtx", banner + "coordinate complex general\n1 1 1\n1 1 1 0\n", "complex");
  refused("c.mtx", banner + "coordinate real hermitian\n1 1 1\n1 1 1\n", "symmetry");
  refused("c.mtx", banner + "coordinate real skew-symmetric\n1 1 0\n", "symmetry");
  refused("c.mtx", banner + "array pattern general\n1 1\n", "field");
  refused("c.mtx", banner + "vector real general\n1 1\n", "neither coordinate nor array");
  refused("c.mtx", banner + "coordinate real\n1 1 0\n", "lacks the symmetry");
  refused("c.mtx", banner + "coordinate real general\n", "before the line of sizes");
  refused("c.mtx", banner + "coordinate real general\n2 2\n", "lacks the number of entries");
  refused("c.mtx", banner + "coordinate real general\n-2 2 1\n", "must be from 0 to");
  refused("c.mtx", banner + "coordinate real general\n2 99999999999999999999 1\n", "is not a whole number");
  refused("c.mtx", banner + "coordinate real symmetric\n2 3 1\n1 1 1\n", "as many rows as columns");
  refused("c.mtx", banner + "coordinate real general\n2 2 1\n3 1 1\n", "c.mtx:3:1: reading numbers: \"3\" the row must be from 1 to 2");
  refused("c.mtx", banner + "coordinate real general\n2 2 1\n1 0 1\n", "c.mtx:3:3: reading numbers: \"0\" the column must be from 1 to 2");
  refused("c.mtx", banner + "coordinate real general\n2 2 1\n1 1\n", "lacks the value");
  refused("c.mtx", banner + "coordinate real general\n2 2 1\n1 1 inf\n", "must be finite");
  refused("c.mtx", banner + "coordinate real general\n2 2 1\n1 1 1 1\n", "one word too many");
  refused("c.mtx", banner + "coordinate real general\n2 2 2\n1 1 1\n", "ends after 1 of 2 entries");
  refused("c.mtx", banner + "coordinate real general\n2 2 1\n1 1 1\n2 2 2\n", "comes after the last of the 1 entries");
  refused("c.mtx", banner + "coordinate real general\n2 2 2\n2 1 1\n2 1 3\n", "row 2, column 1 (both from 1)");
  refused("c.mtx", banner + "array real general\n2 2\n1\n2\n3\n", "the file ends in column 2 of 2");
  refused("c.mtx", banner + "array real general\n2 2\n1\n2\n3\n4\n5\n", "comes after the last number");
  refused("c.mtx", banner + "array real general\n0 2\n1\n", "comes after the last number");
  refused("c.mtx", banner + "array real general\n2147483647 2147483647\n1\n", "more memory where");
}

TEST_CASE("sparse rows are neither centred nor standardised, and the refusal says what to do") {
  for (const DataScale scale : {DataScale::centre, DataScale::standardise}) refused("e.svm", "1 1:1\n1 1:2\n", "would fill sparse rows", {.scale = scale});
}
