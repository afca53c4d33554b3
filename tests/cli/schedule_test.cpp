// SPDX-License-Identifier: BSD-3-Clause
// A grid searched for on the command line, and a job that takes it.
#include <buffon/io/files.hpp>
#include <buffon/io/result.hpp>

#include <doctest/doctest.h>

#include <process.hpp>
#include <string>
#include <temporary_directory.hpp>
#include <vector>

using namespace buffon;

namespace {

struct Ended {
  int status;
  std::string out, err;
};

Ended call(const TemporaryDirectory& directory, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), BUFFON_EXECUTABLE);
  Process process(arguments, directory.path());
  const int status = process.wait();
  return {status, process.out(), process.err()};
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

constexpr const char* job =
    "method = \"diffusion\"\nseed = 1\n[denoiser]\nkind = \"named\"\nname = \"g3\"\n[schedule]\nkind = \"vp_linear\"\n[options]\nsamples = 200\nsolver = "
    "\"ddim\"\n"
    "steps = 6\n";

}  // namespace

TEST_CASE("a searched grid is written, told beside everyday grids, and taken by a job") {
  TemporaryDirectory t;
  write_file(t / "g3.toml", job);
  const std::vector<std::string> search = {"schedule", "g3.toml", "--starts", "20", "--fine-steps", "40", "--out", "grid.txt"};
  const Ended first = call(t, search);
  INFO(first.err);
  REQUIRE(first.status == 0);
  for (const char* part : {"boss for ddim, 6 steps", "log_snr", "karras", "found", "held out", "grid_file = \"grid.txt\""}) CHECK(contains(first.out, part));
  const std::string grid = read_file(t / "grid.txt");
  CHECK(contains(grid, "-5.02497840"));

  write_file(t / "with.toml", std::string(job).insert(std::string(job).find("[options]"), "grid_file = \"grid.txt\"\n"));
  const Ended run = call(t, {"run", "with.toml", "--quiet"});
  INFO(run.err);
  REQUIRE(run.status == 0);
  REQUIRE(call(t, {"run", "g3.toml", "--quiet"}).status == 0);
  CHECK(read_result(t / "with.out").outcome.estimates[0].estimate.value != read_result(t / "g3.out").outcome.estimates[0].estimate.value);

  // Not over what is there; the same again with --force, on any number of threads.
  const Ended again = call(t, search);
  CHECK(again.status == 64);
  CHECK(contains(again.err, "--force"));
  std::vector<std::string> forced = search;
  forced.insert(forced.end(), {"--force", "--threads", "3"});
  REQUIRE(call(t, forced).status == 0);
  CHECK(read_file(t / "grid.txt") == grid);
  // A grid of another range is refused.
  write_file(t / "with.toml", read_file(t / "with.toml") + "last_time = 0.01\n");
  const Ended other = call(t, {"run", "with.toml", "--force"});
  CHECK(other.status == 78);
  CHECK(contains(other.err, "lambda of the last time"));
}

TEST_CASE("a schedule is searched for solvers with noise by the bound, and for nothing else") {
  TemporaryDirectory t;
  write_file(t / "g3.toml", job);
  const Ended noisy = call(t, {"schedule", "g3.toml", "--set", "options.solver=ddpm", "--method", "klub", "--starts", "50", "--out", "grid.txt"});
  INFO(noisy.err);
  REQUIRE(noisy.status == 0);
  CHECK(contains(noisy.out, "distance of moments"));
  CHECK(contains(noisy.out, "bound"));
  struct Case {
    std::vector<std::string> arguments;
    int status;
    std::string part;
  };
  write_file(t / "beam.toml", "method = \"plain_monte_carlo\"\nseed = 1\n[model]\nkind = \"named\"\nname = \"cantilever\"\n");
  const std::vector<Case> cases = {{{"schedule", "g3.toml", "--set", "options.solver=ddpm", "--out", "x.txt"}, 78, "take klub"},
                                   {{"schedule", "g3.toml", "--method", "bose", "--out", "x.txt"}, 64, "is not known"},
                                   {{"schedule", "g3.toml"}, 64, "--out"},
                                   {{"schedule", "g3.toml", "--steps", "200", "--out", "x.txt"}, 78, "finer grid"},
                                   {{"schedule", "g3.toml", "--steps", "0", "--out", "x.txt"}, 64, "--steps = 0 must be from 1 to"},
                                   {{"schedule", "g3.toml", "--steps", "4294967302", "--out", "x.txt"}, 64, "--steps = 4294967302 must be from 1 to"},
                                   {{"schedule", "g3.toml", "--fine-steps", "0", "--out", "x.txt"}, 64, "--fine-steps = 0 must be from 1 to"},
                                   {{"schedule", "g3.toml", "--fine-steps", "4294967416", "--out", "x.txt"}, 64, "--fine-steps = 4294967416 must be"},
                                   {{"schedule", "g3.toml", "--starts", "1", "--out", "x.txt"}, 64, "--starts = 1 must be from 2 to"},
                                   {{"schedule", "g3.toml", "--starts", "1000000", "--out", "x.txt"}, 64, "each costs at least 960 model evaluations"},
                                   {{"schedule", "g3.toml", "--starts", "1e4", "--fine-steps", "5000", "--out", "x.txt"}, 64, "GB of states"},
                                   {{"schedule", "g3.toml", "--budget", "50", "--out", "x.txt"}, 64, "--budget = 50 is read by descent and evolution"},
                                   {{"schedule", "g3.toml", "--method", "klub", "--budget", "50", "--out", "x.txt"}, 64, "what klub costs"},
                                   {{"schedule", "g3.toml", "--method", "evolution", "--budget", "0", "--out", "x.txt"}, 64, "--budget = 0 must be"},
                                   {{"schedule", "g3.toml", "--set", "options.times=[1.0, 0.5, 0.1]", "--out", "x.txt"}, 64, "options.times = 3 times are"},
                                   {{"schedule", "beam.toml", "--out", "x.txt"}, 64, "has no schedule"}};
  for (const Case& wrong : cases) {
    const Ended r = call(t, wrong.arguments);
    CAPTURE(r.err);
    CHECK(r.status == wrong.status);
    CHECK(contains(r.err, wrong.part));
    CHECK_FALSE(std::filesystem::exists(t / "x.txt"));
  }
}

TEST_CASE("a job with a grid file gives the search as many steps as the file has, and what refused its times leads on") {
  TemporaryDirectory t;
  write_file(t / "g3.toml", job);
  const std::vector<std::string> brief = {"--starts", "10", "--fine-steps", "20"};
  const auto search = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "schedule");
    arguments.insert(arguments.end(), brief.begin(), brief.end());
    return call(t, arguments);
  };
  const Ended first = search({"g3.toml", "--steps", "4", "--out", "four.txt"});
  INFO(first.err);
  REQUIRE(first.status == 0);
  CHECK(first.err.find("grid_file") == std::string::npos);
  write_file(t / "with.toml", std::string(job).insert(std::string(job).find("[options]"), "grid_file = \"four.txt\"\n"));
  const Ended second = search({"with.toml", "--out", "again.txt"});
  INFO(second.err);
  REQUIRE(second.status == 0);
  CHECK(contains(second.out, "boss for ddim, 4 steps"));
  CHECK(contains(second.err, "schedule.grid_file are not compared; they give the number of steps, 4"));
  CHECK(read_file(t / "again.txt") == read_file(t / "four.txt"));
  const Ended third = search({"with.toml", "--steps", "3", "--out", "three.txt"});
  CHECK(contains(third.out, "boss for ddim, 3 steps"));
  CHECK(contains(third.err, "are not compared"));

  write_file(t / "times.toml", std::string(job) + "times = [1.0, 0.5, 0.001]\n");
  CHECK(search({"times.toml", "--out", "x.txt"}).status == 64);
  const Ended led = search({"times.toml", "--set", "options.times=[]", "--out", "x.txt"});
  INFO(led.err);
  CHECK(led.status == 0);
}
