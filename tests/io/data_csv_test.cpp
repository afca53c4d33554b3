// SPDX-License-Identifier: BSD-3-Clause
#include <doctest/doctest.h>

#include <cstdint>

#include "support_data.hpp"
#include "support_gzip.hpp"

using namespace buffon;
using namespace buffon::test;

namespace {

Eigen::MatrixXd read(const std::string& text, const DataFileOptions& options = {}) { return matrix_of(*DataFile("table.csv", text).read(options)); }
std::string refusal(const std::string& text, const DataFileOptions& options = {}) { return DataFile("table.csv", text).refusal(options); }

}  // namespace

TEST_CASE("numbers of CSV files in all their spellings") {
  CHECK(read("1,2\n3,4\n") == matrix({{1, 2}, {3, 4}}));
  CHECK(read("1,2\r\n3,4") == matrix({{1, 2}, {3, 4}}));
  CHECK(read("\xEF\xBB\xBF-1.5e-3, +2 ,\"3\"\n.5,5.,\t6\n\n \r\n") == matrix({{-1.5e-3, 2, 3}, {0.5, 5, 6}}));
  CHECK(read("0.1\n123456789012345678901234567890\n4.9e-324\n") == matrix({{0.1}, {123456789012345678901234567890.0}, {4.9e-324}}));
  CHECK(std::holds_alternative<DenseRows<double>>(DataFile("t.csv", "1\n").read()->numbers()));
}

TEST_CASE("a first line of names is found by itself, or said") {
  const DataFile named("named.csv", "a,\"b, \"\"c\"\"\", d \n1,2,3\n");
  CHECK(named.read()->about().column_names == std::vector<std::string>{"a", "b, \"c\"", "d"});
  CHECK(matrix_of(*named.read()) == matrix({{1, 2, 3}}));
  CHECK(read("1,2\n3,4\n", {.header = CsvHeader::yes}) == matrix({{3, 4}}));
  CHECK(DataFile("numbers.csv", "1,2\n3,4\n").read({.header = CsvHeader::yes})->about().column_names == std::vector<std::string>{"1", "2"});
  CHECK(contains(refusal("a,b\n1,2\n", {.header = CsvHeader::no}), "table.csv:1:1: "));
  // A label among numbers must not turn a row into names in silence, and a missing value neither.
  CHECK(contains(refusal("5.1,3.5,setosa\n4.9,3,setosa\n"), "Say header = \"yes\" or \"no\""));
  CHECK(contains(refusal("5.1,,3\n4.9,3,1\n"), "Say header = \"yes\" or \"no\""));
  CHECK(read("5.1,3.5,setosa\n4.9,3,setosa\n", {.header = CsvHeader::no, .columns = {"0:2"}}) == matrix({{5.1, 3.5}, {4.9, 3}}));
  CHECK(contains(refusal("nan\n1\n"), "must be finite"));
}

TEST_CASE("columns of CSV files by name, number and range; what is passed over may be text") {
  const std::string text = "id,x,y,\"the label\",w\nn1,1,2,\"a, b\",0.5\nn2,3,4,c,2\n";
  CHECK(read(text, {.columns = {"y", "x"}}) == matrix({{2, 1}, {4, 3}}));
  CHECK(read(text, {.columns = {"1:3"}}) == matrix({{1, 2}, {3, 4}}));
  const auto data = DataFile("t.csv", text).read({.columns = {"x", "2"}, .rows = "1:", .weights = "w"});
  CHECK(matrix_of(*data) == matrix({{3, 4}}));
  CHECK(data->about().weights == std::vector<double>{2});
  CHECK(data->about().column_names == std::vector<std::string>{"x", "y"});
  CHECK(data->about().columns_used == std::vector<std::int64_t>{1, 2});
  CHECK(data->about().row_numbers == std::vector<std::int64_t>{1});
  CHECK(contains(refusal(text, {.columns = {"z"}}), "did you mean"));
  CHECK(contains(refusal(text, {.columns = {"the lable"}}), "did you mean \"the label\"?"));
  CHECK(contains(refusal("a,a\n1,2\n", {.columns = {"a"}}), "names two columns"));
  CHECK(contains(refusal(text), "table.csv:2:1: reading a table of numbers: column \"id\" = \"n1\" is not a number"));
}

TEST_CASE("rows that are not chosen are not looked at") {
  CHECK(read("x,y\nbad line\n1,2\nalso,bad,one\n3,4\nworse\n", {.header = CsvHeader::yes, .rows = "1:5:2"}) == matrix({{1, 2}, {3, 4}}));
  CHECK(contains(refusal("1\n2\n", {.rows = "0:3"}), "is beyond the 2 rows"));
  CHECK(contains(refusal("1\n2\n", {.rows = "2:"}), "is beyond the 2 rows"));
}

TEST_CASE("what is no table of numbers is refused with line and column") {
  const auto place = [](const std::string& text, const std::string& expected, const DataFileOptions& options = {}) {
    CAPTURE(text);
    const std::string found = refusal(text, options);
    CAPTURE(found);
    CHECK(contains(found, expected));
  };
  place("x,y\n1,\n", ".csv:2:3: reading a table of numbers: column \"y\" is empty");
  place("x,y\n1,2\n , 3\n", ".csv:3:2: reading a table of numbers: column \"x\" is empty");
  place("x,y\n1,NA\n", ".csv:2:3: reading a table of numbers: column \"y\" = \"NA\" is not a number");
  place("1,2\n3,4x\n", ".csv:2:3: reading a table of numbers: column 1 (from 0) = \"4x\" is not a number");
  place("1,2\n3,0x10\n", "is not a number");
  place("1,2\n3,+-4\n", "is not a number");
  place("1,2\n3,4 5\n", "is not a number");
  place("1,2\n3,nan\n", "must be finite");
  place("1,2\n3,-inf\n", "must be finite");
  place("1,2\n3,1e999\n", "is beyond the numbers of a computer");
  place("1,2\n3\n", ".csv:2:2: reading a table of numbers: the line has 1 fields, not 2");
  place("1,2\n3,4,5\n", "the line has more than 2 fields");
  place("1,2\n\n3,4\n", ".csv:2:1: reading a table of numbers: the line is empty");
  place("1,2\n3,\"4\n", "a quoted field does not end on its line");
  place("1,2\n3,\"4\"x\n", "text after a quoted field");
  place("1,2\n3,\"\"\n", "is empty");
  place("", "the table is empty");
  place("\n1,2\n", "the table is empty");
  place("a,b\n", "the table has no rows");
  place("1;2\n3;4\n", "1");
  place(std::string("1,2\n3,\0004\n", 9), "is not a number");
}

TEST_CASE("a line may be longer than what is read at once") {
  std::string text;
  const int columns = 200000;  // a line of 1.2 MB
  for (int row = 0; row < 3; ++row) {
    for (int j = 0; j < columns; ++j) text += std::to_string(j % 1000 + row) + (j + 1 < columns ? ", " : "\n");
  }
  const Eigen::MatrixXd values = read(text);
  CHECK(values.rows() == 3);
  CHECK(values.cols() == columns);
  CHECK(values(2, 199999) == 1001);
  CHECK(matrix_of(*DataFile("wide.csv.gz", gzip(text)).read()) == values);
}
