// SPDX-License-Identifier: BSD-3-Clause
#include <doctest/doctest.h>

#include <unistd.h>

#include <fcntl.h>

#include <cmath>
#include <cstdint>

#include "shared_data.hpp"
#include "support_data.hpp"
#include "support_gzip.hpp"

using namespace buffon;
using namespace buffon::test;

namespace {

double mean_of(const std::vector<double>& x, const std::vector<double>& w) {
  long double sum = 0, total = 0;
  for (std::size_t i = 0; i < x.size(); ++i) sum += static_cast<long double>(x[i]) * w[i], total += w[i];
  return static_cast<double>(sum / total);
}

double deviation_of(const std::vector<double>& x, const std::vector<double>& w) {
  const long double mean = mean_of(x, w);
  long double sum = 0, total = 0;
  for (std::size_t i = 0; i < x.size(); ++i) sum += w[i] * (x[i] - mean) * (x[i] - mean), total += w[i];
  return static_cast<double>(std::sqrt(sum / total));
}

/// Replaces the standard input by a file.
class StandardInput {
 public:
  explicit StandardInput(const std::string& file) : before_(::dup(0)) {
    const int opened = ::open(file.c_str(), O_RDONLY);
    ::dup2(opened, 0);
    ::close(opened);
  }
  ~StandardInput() {
    ::dup2(before_, 0);
    ::close(before_);
  }
  StandardInput(const StandardInput&) = delete;
  StandardInput& operator=(const StandardInput&) = delete;

 private:
  int before_;
};

}  // namespace

TEST_CASE("standardised columns have mean 0 and standard deviation 1, constant ones are left out, and the transformation is told") {
  const std::string text = "a,b,c,d\n1,5,2,1e6\n2,5,-1,1000001\n4,5,7,1000002\n9,5,0,1000007\n";
  const std::vector<double> one(4, 1.0), a = {1, 2, 4, 9}, c = {2, -1, 7, 0};
  const auto data = DataFile("scale.csv", text).read({.scale = DataScale::standardise});
  REQUIRE(data->columns() == 3);
  CHECK(data->about().column_names == std::vector<std::string>{"a", "c", "d"});
  CHECK(data->about().columns_used == std::vector<std::int64_t>{0, 2, 3});
  // One rounding each for the sums, the difference and the quotient: some units of 2^-53 of numbers near 1.
  CHECK(data->about().centre[0] == doctest::Approx(mean_of(a, one)).scale(0).epsilon(1e-15));
  CHECK(data->about().scale[0] == doctest::Approx(deviation_of(a, one)).scale(0).epsilon(1e-15));
  for (Index i = 0; i < 4; ++i) {
    const auto k = static_cast<std::size_t>(i);
    CHECK(data->point(i)[1] == doctest::Approx((c[k] - mean_of(c, one)) / deviation_of(c, one)).scale(1).epsilon(1e-14));
    CHECK(data->point(i)[0] * data->about().scale[0] + data->about().centre[0] == doctest::Approx(a[k]).scale(0).epsilon(1e-14));
  }
  const auto centred = DataFile("scale.csv", text).read({.columns = {"b", "a"}, .scale = DataScale::centre});
  CHECK(matrix_of(*centred) == matrix({{0, -3}, {0, -2}, {0, 0}, {0, 5}}));
  CHECK(centred->about().centre == Eigen::Vector2d(5, 4));
  CHECK(centred->about().scale == Eigen::Vector2d(1, 1));
}

TEST_CASE("weights count in mean, standard deviation and in what is constant") {
  const std::vector<double> a = {1, 2, 4, 9}, w = {1, 0, 2.5, 0.5};
  const auto data = DataFile("weighted.csv", "1,7,1\n2,8,0\n4,7,2.5\n9,7,0.5\n").read({.weights = "2", .scale = DataScale::standardise});
  REQUIRE(data->columns() == 1);  // column 1 is constant among the rows that count
  for (Index i = 0; i < 4; ++i)
    CHECK(data->point(i)[0] == doctest::Approx((a[static_cast<std::size_t>(i)] - mean_of(a, w)) / deviation_of(a, w)).scale(0).epsilon(1e-14));
  CHECK(data->about().weights == w);
}

TEST_CASE("single precision stays single, computed in double") {
  // In float the mean of 2^24 and 2^24 + 2 would be 2^24 and the deviations 0 and 2.
  const DataFile file("float.npy", npy_file(npy_dictionary("<f4", "(2, 2)"), bytes_of<float>({16777216, 3, 16777218, 3})));
  const auto data = file.read({.scale = DataScale::standardise});
  REQUIRE(std::holds_alternative<DenseRows<float>>(data->numbers()));
  CHECK(matrix_of(*data) == matrix({{-1}, {1}}));
}

TEST_CASE("what cannot be scaled is refused") {
  CHECK(contains(DataFile("constant.csv", "1,2\n1,2\n").refusal({.scale = DataScale::standardise}), "every column is constant"));
  CHECK(contains(DataFile("beyond.csv", "x,y\n1e300,1\n-1e300,2\n").refusal({.scale = DataScale::standardise}), "of column x is beyond double precision"));
}

TEST_CASE("weights from a file of any format, one number for each row of the source") {
  const DataFile data("points.csv", "1,2\n3,4\n5,6\n");
  const DataFile npy("w.npy", npy_file(npy_dictionary("|u1", "(3,)"), bytes_of<std::uint8_t>({1, 0, 3}))), csv("w.csv", "weight\n1\n0\n3\n"),
      packed("w.csv.gz", gzip("1\n0\n3\n"));
  for (const DataFile* file : {&npy, &csv, &packed}) {
    CHECK(data.read({.weights = file->path()})->about().weights == std::vector<double>{1, 0, 3});
    CHECK(data.read({.rows = "0::2", .weights = file->path()})->about().weights == std::vector<double>{1, 3});
  }
  const DataFile sparse("points.svm", "0 1:1\n0 2:1\n0 3:1\n");
  CHECK(sparse.read({.weights = csv.path()})->about().weights == std::vector<double>{1, 0, 3});
  const DataFile shorter("short.csv", "1\n2\n"), wide("wide.csv", "1,2\n1,2\n1,2\n"), negative("negative.csv", "1\n-1\n1\n"), zero("zero.csv", "0\n0\n0\n");
  CHECK(contains(data.refusal({.weights = shorter.path()}), "has 2 rows, and the data have 3"));
  CHECK(contains(data.refusal({.weights = wide.path()}), "has 2 columns"));
  CHECK(contains(data.refusal({.weights = negative.path()}), "weight of row 1 = -1"));
  CHECK(contains(data.refusal({.weights = zero.path()}), "sum of the weights"));
  CHECK(contains(data.refusal({.weights = "-1"}), "neither a column"));
}

TEST_CASE("the standard input holds data of any format, packed or not") {
  const std::vector<float> numbers = {1, 2, 3, 4};
  const std::string npy = npy_file(npy_dictionary("<f4", "(2, 2)"), bytes_of(numbers));
  for (const std::string& bytes : {npy, gzip(npy), std::string("1,2\n3,4\n"), gzip("x,y\n1,2\n3,4\n"),
                                   std::string("%%MatrixMarket matrix array real general\n2 2\n1\n3\n2\n4\n"), std::string("7 1:1 2:2\n7 1:3 2:4\n")}) {
    const DataFile file("stdin", bytes);
    const StandardInput input(file.path());
    const auto data = read_data({.file = "-"});
    CHECK(matrix_of(*data) == matrix({{1, 2}, {3, 4}}));
    CHECK(data->about().source == "the standard input");
  }
  const DataFile file("stdin", "1,2\n3,4\n");
  const StandardInput input(file.path());
  CHECK_THROWS_WITH_AS(read_data({.file = "-", .weights = "-"}), doctest::Contains("cannot be the standard input"), Error);
}

TEST_CASE("gzip: several members and padding are read, damage is refused") {
  const std::string text = "1,2\n3,4\n", packed = gzip(text);
  const Eigen::MatrixXd expected = matrix({{1, 2}, {3, 4}});
  CHECK(matrix_of(*DataFile("members.csv.gz", gzip("1,2\n3,") + gzip("4\n")).read()) == expected);
  CHECK(matrix_of(*DataFile("padded.csv.gz", packed + std::string(512, '\0')).read()) == expected);
  CHECK(matrix_of(*DataFile("name_without_ending", packed).read()) == expected);
  CHECK(contains(DataFile("more.csv.gz", packed + "more").refusal(), "other bytes after its compressed data"));
  for (std::size_t size = 2; size < packed.size(); ++size) {
    CHECK(contains(DataFile("cut.csv.gz", packed.substr(0, size)).refusal(), "ends in the middle of its compressed data"));
  }
  for (std::size_t i = packed.size() - 8; i < packed.size(); ++i) {  // the two sums
    std::string damaged = packed;
    damaged[i] = static_cast<char>(damaged[i] ^ 1);
    CHECK(contains(DataFile("damaged.csv.gz", damaged).refusal(), "damaged"));
  }
}

TEST_CASE("files that are not there, folders and options without meaning") {
  try {
    read_data({.file = "nowhere.npy"}, "/no/such/folder");
    FAIL("accepted");
  } catch (const Error& error) {
    CHECK(error.category() == ErrorCategory::no_input);
    CHECK(contains(error.what(), "/no/such/folder/nowhere.npy"));
  }
  CHECK_THROWS_AS(read_data({.file = "/"}), Error);
  const DataFile file("relative.csv", "1\n2\n");
  const std::filesystem::path path = file.path();
  CHECK(read_data({.file = path.filename().string()}, path.parent_path())->rows() == 2);
  CHECK(contains(DataFile("named.npy", "1,2\n").refusal(), "this is not an .npy file"));
  CHECK(contains(DataFile("named.h5", "1,2\n").refusal(), "HDF5"));
  CHECK(DataFile("named.npy", "1,2\n").refusal({.format = DataFormat::csv}) == "accepted");
}

TEST_CASE("the sets of the reference data have the shapes, sums of squares and constant columns that are written of them") {
  struct Set {
    const char* file;
    Index rows, columns, constant;
    double one_means_cost;
  };
  for (const Set& set :
       {Set{"kdd99_10pct", 494021, 38, 2, 4.829872e+17}, Set{"skin_bgr", 245057, 3, 0, 3.120538e+09}, Set{"kegg_undirected", 63608, 28, 1, 6.309402e+09},
        Set{"casp_protein", 45730, 10, 0, 1.454914e+16}, Set{"covtype20k", 20000, 54, 2, 1.380469e+11}, Set{"mnist_t10k", 10000, 784, 116, 3.436457e+10},
        Set{"spambase", 4601, 57, 0, 1.870739e+09}, Set{"htru2", 17898, 8, 0, 2.390589e+08}}) {
    CAPTURE(set.file);
    const std::filesystem::path path = shared_data(std::filesystem::path("clustering") / (std::string(set.file) + ".npy.gz"));
    if (path.empty()) return;
    const auto raw = read_data({.file = path.string()}), z = read_data({.file = path.string(), .scale = DataScale::standardise});
    CHECK(raw->rows() == set.rows);
    CHECK(raw->columns() == set.columns);
    CHECK(std::holds_alternative<DenseRows<float>>(raw->numbers()));
    CHECK(z->columns() == set.columns - set.constant);
    // Σ n_j s_j² of the columns that vary is the cost of one mean, which is given with 7 digits.
    CHECK(z->about().scale.squaredNorm() * static_cast<double>(set.rows) == doctest::Approx(set.one_means_cost).scale(0).epsilon(1e-6));
    // Rounding to single precision moves each number by at most 2^-24 of it, so the sum of squares by 2^-23 of it and less.
    const auto& rows = std::get<DenseRows<float>>(z->numbers());
    double squares = 0;
    for (Index i = 0; i < rows.rows; ++i) {
      for (Index j = 0; j < rows.columns; ++j) squares += static_cast<double>(rows.row(i)[j]) * static_cast<double>(rows.row(i)[j]);
    }
    CHECK(squares == doctest::Approx(static_cast<double>(set.rows * z->columns())).scale(0).epsilon(2e-7));
  }
}
