// SPDX-License-Identifier: BSD-3-Clause
#include <doctest/doctest.h>
#include <temporary_directory.hpp>

#include <cmath>

#include <buffon/core/error.hpp>
#include <buffon/io/compare.hpp>
#include <buffon/io/files.hpp>
#include <buffon/io/npy.hpp>
#include <buffon/io/result.hpp>

using namespace buffon;

namespace {

Result sample() {
  Result r;
  r.method = "plain_monte_carlo";
  r.title = "A \"quoted\" title, with ± and a line\nbreak";
  r.outcome.estimates = {{.name = "mean", .estimate = normal_estimate(0.1, 1e-17, 1000), .group = "expectation", .note = ""},
                         {.name = "p", .estimate = normal_estimate(1, std::nan("")), .group = "expectation", .note = "no error"}};
  r.outcome.covariance = Eigen::Matrix2d{{1.0 / 3, 0}, {0, HUGE_VAL}};
  r.outcome.diagnostics = {{"flag", true, "a flag"},         {"count", std::int64_t{3}, "a count"}, {"ratio", 3.0, "a whole double"},
                           {"bad", -HUGE_VAL, "not finite"}, {"word", std::string("ok"), ""},       {"list", std::vector<double>{1, 0.1}, "a list"}};
  r.outcome.tables = {
      {.name = "weights", .title = "Weights", .columns = {"a", "b,c"}, .rows = Eigen::Matrix2d{{1, 2}, {0.1, std::nan("")}}, .row_labels = {"x", "y \"z\""}}};
  r.outcome.warnings = {"not valid UTF-8: \xff"};
  r.outcome.evaluations = 123456789012;
  r.outcome.stop_reason = "the budget was spent";
  r.derived = {{.name = "cov", .estimate = normal_estimate(2, 0.5), .group = "derived", .note = ""}};
  r.seconds = 1.5;
  r.threads = 2;
  r.provenance = provenance(7, "abc", 2);
  return r;
}

}  // namespace

TEST_CASE("a result that is written, read and written again is the same text") {
  const std::string text = encode_result(sample());
  const Result read = decode_result(text, "x");
  CHECK(encode_result(read) == text);
  CHECK(read.outcome.estimates[0].estimate.value == 0.1);
  CHECK(std::isnan(read.outcome.estimates[1].estimate.std_error));
  CHECK(read.outcome.covariance(0, 0) == 1.0 / 3);
  CHECK(std::isinf(read.outcome.covariance(1, 1)));
  for (std::size_t i = 0; i < sample().outcome.diagnostics.size(); ++i) {
    CHECK(read.outcome.diagnostics[i].value.index() == sample().outcome.diagnostics[i].value.index());
  }
  CHECK(read.outcome.tables[0].row_labels[1] == "y \"z\"");
}

TEST_CASE("times and provenance are not in the reproducible part, everything else is") {
  Result other = sample();
  other.seconds = 99;
  other.threads = 8;
  other.provenance = {{"cpu", "another"}};
  CHECK(reproducible_part(other) == reproducible_part(sample()));
  CHECK(encode_result(other) != encode_result(sample()));
  other.outcome.estimates[0].estimate.value = std::nextafter(0.1, 1.0);
  CHECK(reproducible_part(other) != reproducible_part(sample()));
}

TEST_CASE("a result that is cut off or has another type somewhere is refused as data") {
  const std::string text = encode_result(sample());
  for (std::size_t size = 0; size + 1 < text.size(); size += 7) CHECK_THROWS_AS(decode_result(std::string_view(text).substr(0, size), "x"), Error);
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string changed = text;
    changed.replace(changed.find(from), from.size(), to);
    return changed;
  };
  CHECK_THROWS_AS(decode_result(with("\"format\": 1", "\"format\": 2"), "x"), Error);
  CHECK_THROWS_AS(decode_result(with("\"value\": 0.1", "\"value\": \"high\""), "x"), Error);
  CHECK_THROWS_AS(decode_result(with("[1.0, 2.0]", "[1.0]"), "x"), Error);
  CHECK_THROWS_AS(decode_result(with("\"warnings\": [", "\"warnings\": [1, "), "x"), Error);
}

TEST_CASE("tables are written as .npy and as CSV with quoted names") {
  TemporaryDirectory directory;
  write_tables(directory / "draws", sample().outcome.tables);
  CHECK(read_npy(directory / "draws/weights.npy").col(0) == Eigen::Vector2d(1, 0.1));
  CHECK(read_file(directory / "draws/weights.csv") == "label,a,\"b,c\"\nx,1,2\n\"y \"\"z\"\"\",0.1,nan\n");
}

TEST_CASE("results agree within their errors, and disagree beyond them") {
  Result a = sample();
  a.outcome.estimates = {{.name = "mean", .estimate = normal_estimate(1.0, 0.1), .group = "expectation", .note = ""}};
  a.derived.clear();
  Result b = a;
  Comparison c = compare(a, b);
  CHECK(c.agree);
  CHECK_FALSE(c.first_difference);

  b.outcome.estimates[0].estimate = normal_estimate(1.2, 0.1);
  c = compare(a, b);
  CHECK(c.agree);
  CHECK(c.estimates[0].z == doctest::Approx(-std::sqrt(2.0)));
  CHECK(c.estimates[0].p_value == doctest::Approx(0.157299).scale(0).epsilon(1e-5));  // 2 Φ(−√2)
  CHECK(*c.first_difference == "estimates[0] (mean).value: 1 and 1.2");

  b.outcome.estimates[0].estimate = normal_estimate(1.6, 0.1);
  c = compare(a, b);
  CHECK_FALSE(c.agree);
  CHECK(c.verdict.find("differ by more than their errors explain") != std::string::npos);

  b.outcome.estimates[0].estimate = normal_estimate(std::nan(""), 0.1);
  CHECK_FALSE(compare(a, b).agree);
  c = compare(a, b);
  CHECK(std::isnan(c.estimates[0].p_value));
  CHECK(c.verdict.find("None of the estimates can be compared") == 0);
  a.outcome.estimates.push_back({.name = "other", .estimate = normal_estimate(3, 0.1), .group = "expectation", .note = ""});
  b.outcome.estimates.push_back({.name = "other", .estimate = normal_estimate(3.1, 0.1), .group = "expectation", .note = ""});
  c = compare(a, b);
  CHECK(c.agree);
  CHECK(c.verdict.find("1 cannot be compared") != std::string::npos);
  b.outcome.estimates[1].estimate = normal_estimate(5, 0.1);
  CHECK_FALSE(compare(a, b).agree);
  b.outcome.estimates.resize(1);
  a.outcome.estimates.resize(1);
  b.outcome.estimates[0].name = "other";
  CHECK_THROWS_AS(compare(a, b), Error);
}

TEST_CASE("the smallest p value is judged against the number of estimates") {
  Result a = sample(), b = sample();
  a.derived.clear();
  a.outcome.estimates.clear();
  for (int i = 0; i < 50; ++i) a.outcome.estimates.push_back({.name = "m" + std::to_string(i), .estimate = normal_estimate(0, 1), .group = "g", .note = ""});
  b.derived.clear();
  b.outcome = a.outcome;
  b.outcome.estimates[10].estimate.value = 3.0 * std::sqrt(2.0);  // z = 3, p = 0.0027 alone, 0.13 as the smallest of 50
  CHECK(compare(a, b).agree);
  CHECK(compare(a, b).smallest_p == doctest::Approx(50 * 0.0026998).scale(0).epsilon(1e-4));
  b.outcome.estimates[10].estimate.value = 5.0 * std::sqrt(2.0);
  CHECK_FALSE(compare(a, b).agree);
}
