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
                                   {{"schedule", "beam.toml", "--out", "x.txt"}, 64, "has no schedule"}};
  for (const Case& wrong : cases) {
    const Ended r = call(t, wrong.arguments);
    CAPTURE(r.err);
    CHECK(r.status == wrong.status);
    CHECK(contains(r.err, wrong.part));
    CHECK_FALSE(std::filesystem::exists(t / "x.txt"));
  }
}
