// SPDX-License-Identifier: BSD-3-Clause
#include <cmath>
#include <filesystem>
#include <fstream>

#include <buffon/model/target.hpp>

#include "support_job.hpp"

using namespace buffon;
using namespace buffon::test;

namespace {

std::string refusal_of(const std::string& job) {
  try {
    parse(job);
  } catch (const Error& error) {
    return error.what();
  }
  return "accepted";
}

/// A CSV file of this test, and jobs that read it.
class CsvFile {
 public:
  explicit CsvFile(const std::string& text) : file_(std::filesystem::temp_directory_path() / "buffon_regression_job_test.csv") {
    std::ofstream(file_, std::ios::binary) << text;
  }
  ~CsvFile() { std::filesystem::remove(file_); }

  std::string job(const std::string& lines) const {
    return "method = \"target_probe\"\nseed = 1\n[density]\nkind = \"regression\"\ndata = \"" + file_.string() + "\"\n" + lines;
  }
  std::shared_ptr<const Target> target(const std::string& lines) const { return parse(job(lines)).target; }
  std::string refusal(const std::string& lines) const { return refusal_of(job(lines)); }

 private:
  std::filesystem::path file_;
};

const std::string small = "x,2nd one,y,off\n1,2.5,0,0.5\n-1,0.5,1,0\n 0.25 , 1e-1,1,-1\r\n";

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

double at(const Target& target, std::initializer_list<double> x) {
  const Eigen::VectorXd point = Eigen::Map<const Eigen::VectorXd>(x.begin(), static_cast<Index>(x.size()));
  return target.unconstrained()->at(point, {});
}

double log_bernoulli(double y, double eta) { return y * eta - std::log1p(std::exp(eta)); }

}  // namespace

TEST_CASE("a logistic regression of a CSV file: names, offset, intercept and prior") {
  const CsvFile file(small);
  const auto target = file.target("response = \"y\"\noffset = \"off\"\nprior_std_dev = [1, 2, 4]\nprior_mean = [0.5]\n");
  CHECK(target->names() == std::vector<std::string>{"intercept", "x", "b_2nd_one"});
  const double a = 0.3, b = -0.7, c = 1.1;
  const double expected = log_bernoulli(0, 0.5 + a + b + 2.5 * c) + log_bernoulli(1, a - b + 0.5 * c) + log_bernoulli(1, -1 + a + 0.25 * b + 0.1 * c) -
                          0.5 * ((a - 0.5) * (a - 0.5) + (b - 0.5) * (b - 0.5) / 4 + (c - 0.5) * (c - 0.5) / 16);
  CHECK(at(*target, {a, b, c}) == doctest::Approx(expected).scale(0).epsilon(1e-13));
}

TEST_CASE("predictors in their order, no intercept, flat prior; counts") {
  const CsvFile file(small);
  const auto target = file.target("response = \"y\"\nfamily = \"poisson\"\npredictors = [\"off\", \"x\"]\nintercept = false\nprior_std_dev = [0]\n");
  CHECK(target->names() == std::vector<std::string>{"off", "x"});
  const double a = 0.4, b = 0.9;
  const double e1 = 0.5 * a + b, e2 = -b, e3 = -a + 0.25 * b;
  CHECK(at(*target, {a, b}) == doctest::Approx(-std::exp(e1) + e2 - std::exp(e2) + e3 - std::exp(e3)).scale(0).epsilon(1e-13));
}

TEST_CASE("normal errors: log_sigma is a parameter, sigma is stored; or sigma is known") {
  const CsvFile file(small);
  const std::string lines =
      "response = \"off\"\nfamily = \"gaussian\"\npredictors = [\"x\"]\nintercept = false\nprior_std_dev = [2]\nlog_sigma_std_dev = 3\nlog_sigma_mean = 1\n";
  const auto target = file.target(lines);
  CHECK(target->names() == std::vector<std::string>{"x", "log_sigma", "sigma"});
  const double b = 0.4, s = -0.6;
  const double squares = std::pow(0.5 - b, 2) + std::pow(b, 2) + std::pow(-1 - 0.25 * b, 2);
  const double expected = -3 * s - 0.5 * squares * std::exp(-2 * s) - 0.5 * b * b / 4 - 0.5 * (s - 1) * (s - 1) / 9;
  CHECK(at(*target, {b, s}) == doctest::Approx(expected).scale(0).epsilon(1e-13));
  Eigen::VectorXd stored(3);
  target->stored(Eigen::Vector2d(b, s), stored, {});
  CHECK(stored(2) == doctest::Approx(std::exp(s)).scale(0).epsilon(1e-15));
  CHECK(at(*file.target(lines + "sigma = 2\n"), {b}) == doctest::Approx(-0.5 * squares / 4 - 0.5 * b * b / 4).scale(0).epsilon(1e-13));
}

TEST_CASE("standardised predictors have mean 0 and standard deviation 1") {
  const CsvFile file("a,y\n1,0\n2,1\n6,1\n");
  const auto target = file.target("response = \"y\"\nstandardise = true\nprior_std_dev = [0]\nintercept = false\n");
  const double scale = std::sqrt((4 + 1 + 9) / 2.0), b = 0.8;
  const double expected = log_bernoulli(0, -2 / scale * b) + log_bernoulli(1, -1 / scale * b) + log_bernoulli(1, 3 / scale * b);
  CHECK(at(*target, {b}) == doctest::Approx(expected).scale(0).epsilon(1e-13));
  CHECK(contains(CsvFile("a,y\n1,0\n1,1\n").refusal("response = \"y\"\nstandardise = true\n"), "constant column"));
}

TEST_CASE("tables that are not numbers are refused with line and column") {
  const auto refused = [](const std::string& text, const std::string& said) {
    const std::string message = CsvFile(text).refusal("response = \"y\"\n");
    CAPTURE(message);
    CHECK(contains(message, said));
  };
  refused("x,y\n1,0\nNA,1\n", ".csv:3:1: ");
  refused("x,y\n1,0\n2,\n", ".csv:3:3: reading a table of numbers: column \"y\" is empty");
  refused("x,y\n1,0\n2,nan\n", "must be finite");
  refused("x,y\n1,0\n2,inf\n", "must be finite");
  refused("x,y\n1,0\n1e999,1\n", "beyond the numbers");
  refused("x,y\n1,0\n2,1,3\n", "more than 2 fields");
  refused("x,y\n1,0\n2\n", "has 1 fields, not 2");
  refused("x,y\n1;0\n", "is not a number");
  refused("x,x\n1,0\n", "names two columns");
  refused("x,\n1,0\n", "has no name");
  refused("x,y\n", "no rows");
  refused("", "is empty");
  refused("\"x,y\n1,0\n", "does not end");
  refused("\xEF\xBB\xBF\"x\",\"y\"\n1,2\n", "with 2 in row 1 of the data must be 0 or 1");
}

TEST_CASE("columns and priors that do not fit are refused with the key") {
  const CsvFile file(small);
  const auto refused = [&](const std::string& lines, const std::string& said) {
    const std::string message = file.refusal(lines);
    CAPTURE(message);
    CHECK(contains(message, said));
  };
  refused("response = \"yy\"\n", "Did you mean \"y\"?");
  refused("response = \"y\"\npredictors = [\"z\"]\n", "is not a column of the data");
  refused("response = \"y\"\npredictors = [\"x\", \"x\"]\n", "is there twice");
  refused("response = \"y\"\npredictors = [\"y\"]\n", "is the response");
  refused("response = \"y\"\nprior_std_dev = [1, 2]\n", "one for each of the 4 coefficients");
  refused("response = \"y\"\nprior_std_dev = [1, 2, -1, 1]\n", "prior_std_dev");
  CHECK(contains(refusal_of("method = \"target_probe\"\nseed = 1\n[density]\nkind = \"regression\"\ndata = \"nowhere.csv\"\nresponse = \"y\"\n"),
                 "cannot be read"));
}

TEST_CASE("what would be no regression is refused: the response as offset, a sigma without errors, folders, constant columns") {
  const CsvFile file(small);
  CHECK(contains(file.refusal("response = \"y\"\noffset = \"y\"\n"), "is the response"));
  CHECK(contains(file.refusal("response = \"y\"\nsigma = 1.0\n"), "has no meaning but for family"));
  CHECK(contains(file.refusal("response = \"x\"\npredictors = [\"off\"]\n"), "in row 2 of the data must be 0 or 1"));
  const std::string folder = refusal_of("method = \"target_probe\"\nseed = 1\n[density]\nkind = \"regression\"\nresponse = \"y\"\ndata = \"" +
                                        std::filesystem::temp_directory_path().string() + "\"\n");
  CHECK(contains(folder, "cannot be read"));
  std::string constant = "c,x,y\n";
  for (int i = 0; i < 13; ++i) constant += "0.1," + std::to_string(i) + "," + std::to_string(i % 2) + "\n";
  CHECK(contains(CsvFile(constant).refusal("response = \"y\"\nstandardise = true\n"), "is a constant column"));
}
