// SPDX-License-Identifier: BSD-3-Clause
#include <doctest/doctest.h>
#include <process.hpp>
#include <temporary_directory.hpp>

#include <algorithm>
#include <sstream>

#include <buffon/io/files.hpp>
#include <buffon/io/result.hpp>

using namespace buffon;

namespace {

struct Ended {
  int status;
  std::string out, err;
};

Ended buffon_cli(const TemporaryDirectory& directory, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), BUFFON_EXECUTABLE);
  Process process(arguments, directory.path());
  const int status = process.wait();
  return {status, process.out(), process.err()};
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

/// Two modes 20 apart: chains stay where they begin.
std::string job(bool two_modes) {
  return std::string("method = \"hit_and_run_slice\"\nseed = 4\n[density]\nkind = \"expression\"\nlog_density = \"") +
         (two_modes ? "-0.5 * (abs(x) - 10)^2 - 0.5 * y^2" : "-0.5 * x^2 - 0.5 * y^2") +
         "\"\n[[parameters]]\nname = \"x\"\n[[parameters]]\nname = \"y\"\n[options]\nwarmup = 200\ndraws = 1500\ntuning = \"none\"\n[run]\nthreads = 1\nreport "
         "= false\n"
         "draws = [\"csv\", \"npy\"]\n";
}

std::string last_line(const std::string& text) {
  std::istringstream lines(text);
  std::string last;
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty()) last = line;
  }
  return last;
}

/// A file without its comments.
std::string numbers_of(const std::filesystem::path& file) {
  std::istringstream lines(read_file(file));
  std::string out;
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("#")) out += line + "\n";
  }
  return out;
}

}  // namespace

TEST_CASE("a run of chains prints the summary in CmdStan's order and writes the draws, the same on any number of threads") {
  TemporaryDirectory t;
  write_file(t / "good.toml", job(false));
  const Ended r = buffon_cli(t, {"run", "good.toml", "--out", "a"});
  INFO(r.err);
  REQUIRE(r.status == 0);
  std::istringstream lines(r.out);
  std::string head;
  while (std::getline(lines, head) && !contains(head, "Mean")) {
  }
  std::istringstream words(head);
  std::vector<std::string> columns;
  for (std::string word; words >> word;) columns.push_back(word);
  CHECK(columns == std::vector<std::string>{"Mean", "MCSE", "StdDev", "MAD", "5%", "50%", "95%", "ESS_bulk", "ESS_tail", "ESS_bulk/s", "R_hat"});
  CHECK(contains(r.out, "\nlp__ "));
  CHECK(contains(r.out, "No problems found"));
  CHECK(contains(r.out, "density evaluations"));

  const Result result = read_result(t / "a");
  CHECK(result.warmup_seconds > 0);
  CHECK(result.warmup_seconds < result.seconds);
  CHECK(contains(read_file(t / "a/result.json"), "\"ess_bulk_per_second\""));
  CHECK_FALSE(contains(reproducible_part(result), "seconds"));

  REQUIRE(buffon_cli(t, {"run", "good.toml", "--out", "b", "--threads", "3", "--quiet"}).status == 0);
  for (const char* file : {"hit_and_run_slice_1.csv", "hit_and_run_slice_4.csv"}) CHECK(numbers_of(t / "a/draws" / file) == numbers_of(t / "b/draws" / file));
  CHECK(read_file(t / "a/draws/draws.npy") == read_file(t / "b/draws/draws.npy"));
  CHECK(reproducible_part(result) == reproducible_part(read_result(t / "b")));

  const Ended d = buffon_cli(t, {"diagnose", "a"});
  CHECK(d.status == 0);
  CHECK(contains(d.out, "R-hat above 1.01: none"));
  CHECK(contains(last_line(d.out), "No problems found"));
}

TEST_CASE("diagnose names what did not mix and still exits with 0") {
  TemporaryDirectory t;
  write_file(t / "bad.toml", job(true));
  const Ended r = buffon_cli(t, {"run", "bad.toml", "--out", "a"});
  REQUIRE(r.status == 0);
  CHECK(contains(r.err, "R-hat is above 1.01 for"));
  const Ended d = buffon_cli(t, {"diagnose", "a"});
  CHECK(d.status == 0);
  CHECK(contains(d.out, "R-hat above 1.01: "));
  CHECK_FALSE(contains(d.out, "R-hat above 1.01: none"));
  CHECK(contains(d.out, "\nx "));
  CHECK_FALSE(contains(d.out, "\ny  1.0"));
  CHECK(contains(last_line(d.out), "do not trust"));
}

TEST_CASE("diagnose refuses a run without chains") {
  TemporaryDirectory t;
  REQUIRE(buffon_cli(t, {"run", "--method", "plain_monte_carlo", "--seed", "1", "--set", "model.kind=\"named\"", "--set", "model.name=\"cantilever\"", "--set",
                         "options.max_evaluations=1000", "--set", "run.report=false", "--out", "a", "--quiet"})
              .status == 0);
  const Ended d = buffon_cli(t, {"diagnose", "a"});
  CHECK(d.status != 0);
  CHECK(contains(d.err, "runs no chains"));
}

TEST_CASE("no files of draws are written when none are asked for, and wrong kinds are refused when the job is read") {
  TemporaryDirectory t;
  write_file(t / "good.toml", job(false));
  REQUIRE(buffon_cli(t, {"run", "good.toml", "--out", "a", "--quiet", "--set", "run.draws=[]"}).status == 0);
  CHECK_FALSE(std::filesystem::exists(t / "a/draws"));
  const Ended r = buffon_cli(t, {"validate", "good.toml", "--set", "run.draws=[\"parquet\"]"});
  CHECK(r.status != 0);
  CHECK(contains(r.err, "must be one of csv, npy, netcdf"));
}
