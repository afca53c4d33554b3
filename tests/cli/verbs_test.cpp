// SPDX-License-Identifier: BSD-3-Clause
#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>
#include <process.hpp>
#include <temporary_directory.hpp>

#include <buffon/io/files.hpp>
#include <buffon/io/result.hpp>

using namespace buffon;

namespace {

struct Outcome3 {
  int status;
  std::string out;
  std::string err;
};

Outcome3 buffon_cli(const TemporaryDirectory& directory, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), BUFFON_EXECUTABLE);
  Process process(arguments, directory.path());
  const int status = process.wait();
  return {status, process.out(), process.err()};
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

constexpr const char* job = R"(method = "plain_monte_carlo"
seed = 1
title = "Beam"
[model]
kind = "named"
name = "cantilever"
[options]
max_evaluations = 5000
[run]
threads = 1
)";

}  // namespace

TEST_CASE("a job runs into the directory of its name, prints a summary and where the results are") {
  TemporaryDirectory t;
  write_file(t / "beam.toml", job);
  Outcome3 r = buffon_cli(t, {"run", "beam.toml"});
  INFO(r.err);
  REQUIRE(r.status == 0);
  CHECK(contains(r.out, "Beam (plain_monte_carlo)"));
  CHECK(contains(r.out, "5,000 model evaluations"));
  CHECK(contains(r.out, "Result: beam.out/result.json"));
  for (const char* file : {"result.json", "report.html", "log.jsonl", "config.resolved.toml", "config.original.toml", "checkpoint/state.bin"}) {
    CHECK(std::filesystem::exists(t / "beam.out" / file));
  }
  CHECK(read_file(t / "beam.out/config.original.toml") == job);
  CHECK(read_result(t / "beam.out").outcome.evaluations == 5000);

  CHECK(buffon_cli(t, {"run", "beam.toml", "--quiet"}).status == 0);
  CHECK(std::filesystem::exists(t / "beam.out.2/result.json"));
  r = buffon_cli(t, {"run", "beam.toml", "--out", "beam.out"});
  CHECK(r.status == 64);
  CHECK(contains(r.err, "buffon resume beam.out"));
  CHECK(buffon_cli(t, {"run", "beam.toml", "--out", "beam.out", "--force", "--quiet", "--seed", "2e0"}).status == 0);

  r = buffon_cli(t, {"compare", "beam.out", "beam.out.2"});
  CHECK(r.status == 0);
  CHECK(contains(r.out, "agree within their errors"));
  CHECK(contains(r.out, "Bits first differ at estimates[0]"));
  r = buffon_cli(t, {"compare", "beam.out.2", "beam.out.2/result.json"});
  CHECK(r.status == 0);
  CHECK(contains(r.out, "the same, byte for byte"));

  r = buffon_cli(t, {"resume", "beam.out"});
  CHECK(r.status == 0);
  CHECK(contains(r.err, "has ended already"));
  std::filesystem::remove(t / "beam.out/report.html");
  CHECK(buffon_cli(t, {"report", "beam.out"}).status == 0);
  CHECK(contains(read_file(t / "beam.out/report.html"), "Beam"));
}

TEST_CASE("results that differ are told by status 1") {
  TemporaryDirectory t;
  write_file(t / "beam.toml", job);
  REQUIRE(buffon_cli(t, {"run", "beam.toml", "--out", "a", "--quiet"}).status == 0);
  Result other = read_result(t / "a");
  other.outcome.estimates[0].estimate.value += 100 * other.outcome.estimates[0].estimate.std_error;
  write_file(t / "b.json", encode_result(other));
  const Outcome3 r = buffon_cli(t, {"compare", "a", "b.json"});
  CHECK(r.status == 1);
  CHECK(contains(r.out, "differ by more than their errors explain"));
}

TEST_CASE("rows are chosen without a file, told in the summary, and compared") {
  TemporaryDirectory t;
  std::string points = "x,y\n";
  for (int i = 0; i < 60; ++i) points += std::to_string(i * i % 37) + "," + std::to_string(i % 11) + "\n";
  write_file(t / "points.csv", points);
  const auto run = [&](const std::string& out, std::vector<std::string> more) {
    more.insert(more.begin(), {"run", "--method", "kmeans_seeding", "--set", "data.file=points.csv", "--set", "options.k=7", "--out", out});
    return buffon_cli(t, more);
  };
  Outcome3 r = run("a", {});
  INFO(r.err);
  REQUIRE(r.status == 0);
  CHECK(contains(r.out, "7 rows chosen, in the order of the draws: "));
  CHECK(contains(r.out, "Every one of 60 rows has the label"));
  CHECK(contains(r.out, "distances computed"));
  CHECK(contains(r.out, "Chosen rows: a/selection/rows.csv"));
  CHECK(contains(read_file(t / "a/config.resolved.toml"), "seed = 1\n"));
  CHECK(contains(read_file(t / "a/report.html"), "distances computed"));
  REQUIRE(run("b", {"--threads", "2"}).status == 0);
  REQUIRE(run("c", {"--seed", "2"}).status == 0);
  r = buffon_cli(t, {"compare", "a", "b"});
  CHECK(r.status == 0);
  CHECK(contains(r.out, "the same, byte for byte"));
  r = buffon_cli(t, {"compare", "a", "c"});
  CHECK(r.status == 1);
  CHECK(contains(r.out, "Rows first differ at row "));

  r = run("d", {"--set", "options.k=many"});
  CHECK(r.status == 78);
  CHECK(contains(r.err, "--set \"options.k=many\""));
  r = buffon_cli(t, {"run", "--method", "kmeans_seeding", "--set", "data.file=points.csv"});
  CHECK(r.status == 78);
  CHECK(contains(r.err, "give --set options.k=…"));
  r = buffon_cli(t, {"validate", "--method", "kmeans_seeding", "--set", "data.file=nowhere.npy", "--set", "options.k=7"});
  CHECK(r.status == 66);
  CHECK(contains(r.err, "--set \"data.file=nowhere.npy\""));
  CHECK_FALSE(std::filesystem::exists(t / "d"));
}

TEST_CASE("a job without a file runs from the command line alone") {
  TemporaryDirectory t;
  const Outcome3 r = buffon_cli(t, {"run", "--method", "plain_monte_carlo", "--seed", "4", "--set", "model.kind=\"named\"", "--set",
                                    "model.name=\"cantilever\"", "--set", "options.max_evaluations=2000"});
  INFO(r.err);
  CHECK(r.status == 0);
  CHECK(std::filesystem::exists(t / "plain_monte_carlo.out/result.json"));
}

TEST_CASE("samples are drawn without a file, counted, written and compared; solvers and backends are listed") {
  TemporaryDirectory t;
  const std::vector<std::string> job_keys = {"--set", "denoiser.kind=mixture",          "--set", "denoiser.means=[[1.0], [-1.0]]",
                                             "--set", "denoiser.deviations=[0.3, 0.2]", "--set", "schedule.kind=flow"};
  const auto run = [&](const std::string& out, std::vector<std::string> more) {
    std::vector<std::string> arguments = {"run", "--method", "diffusion", "--out", out};
    arguments.insert(arguments.end(), job_keys.begin(), job_keys.end());
    arguments.insert(arguments.end(), more.begin(), more.end());
    return buffon_cli(t, arguments);
  };
  const Outcome3 r = run("a", {"--set", "options.samples=500"});
  INFO(r.err);
  REQUIRE(r.status == 0);
  CHECK(contains(r.out, "variance_x1"));
  CHECK(contains(r.out, "exact: 1.065"));
  CHECK(contains(r.out, "Samples: a/samples.npy"));
  CHECK(std::filesystem::exists(t / "a/report.html"));
  CHECK(run("b", {"--set", "options.samples=500", "--set", "options.batch=7", "--threads", "2", "--quiet"}).status == 0);
  CHECK(read_file(t / "a/samples.npy") == read_file(t / "b/samples.npy"));
  CHECK(run("c", {"--set", "options.samples=500", "--seed", "2", "--quiet"}).status == 0);
  CHECK(buffon_cli(t, {"compare", "a", "c"}).status == 0);
  CHECK(buffon_cli(t, {"report", "a"}).status == 0);
  const Outcome3 wrong = run("d", {"--set", "options.solver=unipcc"});
  CHECK(wrong.status == 78);
  CHECK(contains(wrong.err, "did you mean \"unipc\"?"));
  CHECK(contains(buffon_cli(t, {"list", "solvers"}).out, "dpmpp_3m"));
  CHECK(contains(buffon_cli(t, {"list", "backends"}).out, "cpu:reference"));
}

TEST_CASE("warnings go to stderr, also when quiet; a comparison stands under the estimates") {
  TemporaryDirectory t;
  const std::string inputs = "[[inputs]]\nname = \"x\"\nlaw = \"normal\"\nmean = 0\nstd_dev = 1\n";
  write_file(t / "root.toml",
             "method = \"plain_monte_carlo\"\nseed = 1\noptions = {max_evaluations = 1000}\n[model]\nkind = \"expression\"\noutputs = [\"y = sqrt(x)\"]\n"
             "on_failure = \"replace\"\n" +
                 inputs);
  const std::string warning = "failed and were replaced by 0: the estimates are biased by this";
  for (const char* flag : {"--quiet", "--threads=1"}) {
    const Outcome3 r = buffon_cli(t, {"run", "root.toml", "--out", "root", "--force", flag});
    CHECK(r.status == 0);
    CHECK(contains(r.err, "buffon: warning: "));
    CHECK(contains(r.err, warning));
    CHECK_FALSE(contains(r.out, warning));
  }
  write_file(t / "beam.toml",
             "method = \"sobol_aiscv\"\nseed = 1\noptions = {max_evaluations = 20000, comparison = \"jansen\"}\n"
             "[model]\nkind = \"named\"\nname = \"cantilever\"\n[run]\nreport = false\n");
  const Outcome3 r = buffon_cli(t, {"run", "beam.toml"});
  INFO(r.err);
  CHECK(r.status == 0);
  CHECK(contains(r.out, "Beside the classical estimator"));
  CHECK(contains(r.out, "model evaluations, the comparison included, in"));
}

TEST_CASE("validate tells the resolved question and runs nothing") {
  TemporaryDirectory t;
  write_file(t / "beam.toml", job);
  const Outcome3 r = buffon_cli(t, {"validate", "beam.toml"});
  INFO(r.err);
  CHECK(r.status == 0);
  CHECK(contains(r.out, "valid: beam.toml"));
  CHECK(contains(r.out, "plain_monte_carlo"));
  CHECK_FALSE(std::filesystem::exists(t / "beam.out"));
  CHECK(contains(buffon_cli(t, {"validate", "beam.toml", "--print-config"}).out, "max_evaluations"));
}

TEST_CASE("plan proposes parameters of read, predicts errors and leaves nothing behind") {
  TemporaryDirectory t;
  write_file(t / "nested.toml", "method = \"read\"\nseed = 1\n[nested]\nkind = \"named\"\nname = \"cos_of_mean\"\n");
  const Outcome3 nested = buffon_cli(t, {"plan", "nested.toml", "--pilot", "1e6", "--budget", "1e7", "--target-std-error", "0.001"});
  CHECK(nested.status == 0);
  CHECK(contains(nested.out, "\nrates = [0."));
  CHECK(contains(nested.out, "\nbase_samples = ["));
  CHECK(contains(nested.out, "\nmax_evaluations = 10000000\n"));
  CHECK(contains(nested.out, "\ntarget_std_error = 0.001\n"));
  write_file(t / "beam.toml", job);
  const Outcome3 plain = buffon_cli(t, {"plan", "beam.toml", "--target-std-error", "1e-4"});
  CHECK(plain.status == 0);
  CHECK(contains(plain.out, "tip: standard error 0.00010 with "));
  CHECK_FALSE(std::filesystem::exists(t / "beam.out"));
  const Outcome3 other = buffon_cli(t, {"plan", "--method", "aiscv", "--seed", "1", "--set", "model.kind=\"named\"", "--set", "model.name=\"cantilever\""});
  CHECK(other.status == 64);
  CHECK(contains(other.err, "cannot be planned"));
}

TEST_CASE("every verb that lists or explains works and names what exists") {
  TemporaryDirectory t;
  for (const char* what : {"methods", "laws", "models", "problems"}) CHECK(buffon_cli(t, {"list", what}).status == 0);
  CHECK(contains(buffon_cli(t, {"list"}).out, "lognormal"));
  CHECK(contains(buffon_cli(t, {"explain", "plain_monte_carlo"}).out, "max_evaluations"));
  CHECK(contains(buffon_cli(t, {"explain", "plain_monte_carlo", "--markdown"}).out, "| `max_evaluations` |"));
  CHECK(contains(buffon_cli(t, {"explain", "options.max_evaluations"}).out, "plain_monte_carlo"));
  CHECK(contains(buffon_cli(t, {"explain", "run", "--markdown"}).out, "checkpoint_seconds"));
  CHECK(contains(buffon_cli(t, {"explain", "--schema"}).out, "\"$schema\""));
  CHECK(contains(buffon_cli(t, {"version"}).out, "stream version"));
  CHECK(buffon_cli(t, {"reproduce"}).status == 0);
  CHECK(buffon_cli(t, {}).status == 0);
}

TEST_CASE("every wrong call ends in one message, the right status and no directory") {
  struct Case {
    std::vector<std::string> arguments;
    int status;
    std::string part;
  };
  TemporaryDirectory t;
  write_file(t / "beam.toml", job);
  write_file(t / "wrong.toml", "method = \"plain_monte_carlo\"\nseed = 1\n[model]\nkind = \"named\"\nname = \"cantilever\"\n[options]\nmax_evaluation = 5\n");
  write_file(t / "torn.toml", "method = \n");
  write_file(t / "torn.json", "{\"format\": 1");
  write_file(t / "occupied", "");
  const std::vector<Case> cases = {
      {{"rum", "beam.toml"}, 64, "did you mean `run`?"},
      {{"run"}, 64, "a job is missing"},
      {{"run", "beam.toml", "--nonsense"}, 64, "--nonsense"},
      {{"run", "beam.toml", "--threads", "many"}, 64, "many"},
      {{"run", "beam.toml", "--threads", "-1"}, 78, "--threads = -1 must be at least 0"},
      {{"run", "beam.toml", "--seed", "-1"}, 78, "--seed = -1 must be at least 0"},
      {{"run", "beam.toml", "--seed", "1.5"}, 64, "--seed = 1.5 must be a whole number"},
      {{"run", "beam.toml", "--out", std::string(300, 'a')}, 65, "File name too long. check the path"},
      {{"run", "missing.toml"}, 66, "missing.toml"},
      {{"run", "wrong.toml"}, 78, "wrong.toml:7:1"},
      {{"run", "wrong.toml"}, 78, "max_evaluations"},
      {{"run", "torn.toml"}, 78, "torn.toml:1"},
      {{"run", "beam.toml", "--set", "options.level=2"}, 78, "level"},
      {{"run", "beam.toml", "--method", "sobol"}, 64, "exclude each other"},
      {{"run", "beam.toml", "--out", "occupied"}, 64, "a file of this name exists"},
      {{"validate", "wrong.toml"}, 78, "max_evaluations"},
      {{"resume", "nowhere"}, 66, "does not exist"},
      {{"resume", "."}, 66, "holds no config.resolved.toml"},
      {{"report", "nowhere"}, 66, "does not exist"},
      {{"compare", "nowhere", "beam.toml"}, 66, "nowhere"},
      {{"compare", "torn.json", "torn.json"}, 65, "torn.json: is not JSON from byte 13 on"},
      {{"explain", "foo"}, 64, "`buffon list` shows every name"},
      {{"explain", "plain_monte_carl"}, 64, "plain_monte_carlo\"?"},
      {{"list", "law"}, 64, "laws\"?"},
      {{"reproduce", "nothing-like-it"}, 64, "lists the papers"},
  };
  for (const Case& c : cases) {
    const Outcome3 r = buffon_cli(t, c.arguments);
    CAPTURE(c.arguments.front());
    CAPTURE(c.part);
    CAPTURE(r.err);
    CHECK(r.status == c.status);
    CHECK(contains(r.err, c.part));
    CHECK(std::count(r.err.begin(), r.err.end(), '\n') == 1);
    CHECK(r.err.substr(0, 8) == "buffon: ");
    CHECK_FALSE(std::filesystem::exists(t / "beam.out"));
    CHECK_FALSE(std::filesystem::exists(t / "wrong.out"));
  }
}

TEST_CASE("a place that cannot be written to is told with what the system said") {
  TemporaryDirectory t;
  write_file(t / "beam.toml", job);
  // /proc refuses new folders to everybody, also to root, whom permissions do not stop.
  const Outcome3 r = buffon_cli(t, {"run", "beam.toml", "--out", "/proc/buffon/run"});
  CHECK(r.status == 65);
  CHECK(contains(r.err, "creating the run directory /proc/buffon/run"));
  if (std::filesystem::exists("/dev/full")) {
    std::filesystem::create_symlink("/dev/full", t / "full.tmp");
    CHECK_THROWS_WITH(write_file(t / "full", "x"), doctest::Contains("No space left on device"));
    const int listed = std::system(BUFFON_EXECUTABLE " list > /dev/full 2> /dev/null");
    CHECK(WEXITSTATUS(listed) == 65);
  }
}
