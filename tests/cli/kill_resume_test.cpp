// SPDX-License-Identifier: BSD-3-Clause
#include <doctest/doctest.h>

#include <chrono>
#include <process.hpp>
#include <string_view>
#include <temporary_directory.hpp>
#include <thread>
#include <utility>

#include <buffon/io/files.hpp>
#include <buffon/io/result.hpp>
#include <buffon/random/stream.hpp>

#include "run_numbers.hpp"

using namespace buffon;

namespace {

const std::string program = BUFFON_EXECUTABLE;

// About fifty rounds of some milliseconds, a checkpoint after each.
constexpr const char* plain_job = R"(method = "plain_monte_carlo"
seed = 3
[model]
kind = "expression"
outputs = ["y = exp(0.3 * x1) * sin(x2) + x1^2"]
[[inputs]]
name = "x1"
law = "normal"
mean = 0.0
std_dev = 1.0
[[inputs]]
name = "x2"
law = "uniform"
min = 0.0
max = 2.0
[[quantities]]
name = "mean"
value = "y"
[[quantities]]
name = "p"
event = "y - 3"
[[derived]]
name = "ratio"
value = "p / mean"
[options]
max_evaluations = 1500000
[run]
threads = 1
checkpoint_seconds = 0
report = false
save_draws = true
)";

constexpr const char* adaptive_job = R"(method = "aiscv"
seed = 3
[model]
kind = "named"
name = "cantilever"
[options]
max_evaluations = 20000
[run]
threads = 1
checkpoint_seconds = 0
report = false
save_draws = true
)";

std::string undisturbed(const TemporaryDirectory& temporary, const std::string& threads) {
  Process process({program, "run", "job.toml", "--out", "whole" + threads, "--threads", threads, "--quiet"}, temporary.path());
  const int status = process.wait();
  INFO(process.err());
  REQUIRE(status == 0);
  return numbers(temporary / ("whole" + threads));
}

/// Kills runs of a job at `points` pinned places and resumes each; returns how many were really killed in their work.
int kill_and_resume(const char* job, int points, std::uint64_t most_checkpoints) {
  TemporaryDirectory temporary;
  if (std::string_view(job).find("points.npy") != std::string_view::npos) write_points(temporary / "points.npy");
  write_file(temporary / "job.toml", job);
  const std::string expected = undisturbed(temporary, "1");
  CHECK(undisturbed(temporary, "3") == expected);

  const Stream places = Stream(20).peek("places of the kills");
  int killed = 0;
  for (int point = 0; point < points; ++point) {
    std::uint32_t words[4];
    places.words(static_cast<std::uint64_t>(point), 0, words);
    const std::string name = "run" + std::to_string(point);
    const std::filesystem::path run = temporary / name;
    // Two kills: one in the first part, one after the first resumption.
    for (int part = 0; part < 2; ++part) {
      std::vector<std::string> arguments = {program, "run", "job.toml", "--out", name, "--quiet"};
      if (part == 1) arguments = {program, "resume", name, "--quiet", "--threads", "2"};
      if (part == 1 && !std::filesystem::exists(run)) continue;  // killed before the directory stood
      Process process(arguments, temporary.path());
      wait_for(process, run, words[2 * part] % most_checkpoints);
      std::this_thread::sleep_for(std::chrono::microseconds(words[2 * part + 1] % 8000));
      process.signal(SIGKILL);
      if (process.wait() == -SIGKILL) ++killed;
    }
    std::vector<std::string> arguments = {program, "resume", name, "--threads", std::to_string(1 + point % 3), "--quiet"};
    if (!std::filesystem::exists(run)) arguments = {program, "run", "job.toml", "--out", name, "--quiet"};
    Process process(arguments, temporary.path());
    const int status = process.wait();
    INFO(process.err());
    REQUIRE(status == 0);
    CHECK(numbers(run) == expected);
    std::filesystem::remove_all(run);
  }
  return killed;
}

}  // namespace

TEST_CASE("plain Monte Carlo killed at 20 pinned places, twice each, and resumed on other thread counts gives the same bytes") {
  CHECK(kill_and_resume(plain_job, 20, 30) >= 20);
}

TEST_CASE("adaptive importance sampling killed at 6 pinned places, twice each, and resumed gives the same bytes") {
  CHECK(kill_and_resume(adaptive_job, 6, 6) >= 6);
}

TEST_CASE("every other method killed and resumed gives the same bytes") {
  const std::string model = "seed = 3\n[model]\nkind = \"named\"\nname = \"cantilever\"\n[run]\ncheckpoint_seconds = 0\nreport = false\nsave_draws = true\n";
  for (const char* method : {"method = \"sobol\"\noptions = {max_evaluations = 4000000}\n", "method = \"sobol_aiscv\"\noptions = {max_evaluations = 1400000}\n",
                             "method = \"importance_sampling\"\noptions = {max_evaluations = 1500000, center = [0.0, 0.0, 0.0, -1.0, 0.0, 1.0]}\n"}) {
    CAPTURE(method);
    CHECK(kill_and_resume((method + model).c_str(), 3, 6) >= 3);
  }
}

TEST_CASE("chains of slice samplers killed at pinned places, twice each, and resumed give the same draws") {
  CHECK(kill_and_resume(chains_job("polar_slice").c_str(), 6, 25) >= 6);
  CHECK(kill_and_resume(chains_job("elliptical_slice").c_str(), 2, 25) >= 2);
}

TEST_CASE("seeding of k-means killed at pinned places, twice each, and resumed chooses the same rows, with the same labels") {
  for (const char* algorithm : {"snapshot", "exact", "pruned", "rejection", "capped_rejection", "greedy", "kmeans_parallel", "afk_mc2"}) {
    CAPTURE(algorithm);
    const std::string options = std::string("k = 400\nlloyd_rounds = 6\nlloyd_tolerance = 0.0\nalgorithm = \"") + algorithm + "\"\n";
    CHECK(kill_and_resume(seeding_job(options).c_str(), 2, 40) >= 2);
  }
}

TEST_CASE("sampling by clusters killed while it seeds, twice each, and resumed chooses the same rows with the same weights") {
  const std::string options = "k = 400\nsize = 300\nloss = \"6\"\nlambda_quantile = 0.5\n";
  CHECK(kill_and_resume(data_job("clustering_sensitivity", options).c_str(), 2, 40) >= 2);
}

TEST_CASE("diffusion runs killed at pinned places, twice each, and resumed draw the same samples") {
  CHECK(kill_and_resume(diffusion_job("unipc").c_str(), 6, 90) >= 6);
  CHECK(kill_and_resume(diffusion_job("ddpm").c_str(), 2, 90) >= 2);
}

TEST_CASE("a run is not resumed on data that changed, and goes on when they are back") {
  TemporaryDirectory t;
  write_file(t / "job.toml", seeding_job("k = 400\n"));
  write_points(t / "points.npy");
  const std::string expected = undisturbed(t, "1");
  Process process({program, "run", "job.toml", "--out", "run", "--quiet"}, t.path());
  wait_for(process, t / "run", 3);
  process.signal(SIGKILL);
  REQUIRE(process.wait() == -SIGKILL);
  const std::string bytes = read_file(t / "points.npy");
  std::string changed = bytes;
  changed[changed.size() - 9] ^= 1;
  write_file(t / "points.npy", changed);
  {
    Process resumed({program, "resume", "run"}, t.path());
    CHECK(resumed.wait() == 65);
    CHECK(resumed.err().find("has other contents than when the run began") != std::string::npos);
  }
  write_file(t / "points.npy", bytes);
  Process resumed({program, "resume", "run", "--quiet"}, t.path());
  CHECK(resumed.wait() == 0);
  CHECK(numbers(t / "run") == expected);
}

TEST_CASE("a run on the standard input keeps it and is resumed to the same bytes") {
  TemporaryDirectory t;
  write_file(t / "job.toml", seeding_job("k = 400\n"));
  write_points(t / "points.npy");
  const std::string expected = undisturbed(t, "1");
  {
    Process process({"/bin/sh", "-c", "exec " + program + " run job.toml --set data.file=- --out run --quiet < points.npy"}, t.path());
    wait_for(process, t / "run", 3);
    process.signal(SIGKILL);
    CHECK(process.wait() == -SIGKILL);
  }
  CHECK(read_file(t / "run/data/standard_input") == read_file(t / "points.npy"));
  std::filesystem::remove(t / "points.npy");
  Process process({program, "resume", "run", "--quiet"}, t.path());
  const int status = process.wait();
  INFO(process.err());
  REQUIRE(status == 0);
  CHECK(numbers(t / "run") == expected);
  for (const auto& entry : std::filesystem::directory_iterator(t.path())) CHECK(entry.path().extension() != ".stdin");
}

TEST_CASE("a run with a child process and its journal killed and resumed gives the same bytes") {
  const std::string job =
      "method = \"plain_monte_carlo\"\nseed = 3\noptions = {max_evaluations = 30000}\n[model]\nkind = \"process\"\ncommand = [\"" BUFFON_TEST_CHILD
      "\"]\noutputs = [\"sum\", \"product\"]\nworkers = 2\n[run]\ncheckpoint_seconds = 0\nreport = false\n"
      "[[inputs]]\nname = \"x\"\nlaw = \"normal\"\nmean = 0\nstd_dev = 1\n[[inputs]]\nname = \"y\"\nlaw = \"uniform\"\nmin = 1\nmax = 2\n";
  CHECK(kill_and_resume(job.c_str(), 3, 4) >= 3);
}

TEST_CASE("SIGTERM, SIGINT and SIGUSR1 end a run with status 75, a saved state and the command that goes on") {
  TemporaryDirectory temporary;
  write_file(temporary / "job.toml", plain_job);
  const std::string expected = undisturbed(temporary, "1");
  for (const int number : {SIGTERM, SIGINT, SIGUSR1}) {
    const std::string name = "run" + std::to_string(number);
    {
      Process process({program, "run", "job.toml", "--out", name, "--set", "run.checkpoint_seconds=1000"}, temporary.path());
      while (process.running() && !std::filesystem::exists(temporary / (name + "/log.jsonl"))) std::this_thread::yield();
      while (process.running() && read_file(temporary / (name + "/log.jsonl")).find("started") == std::string::npos) std::this_thread::yield();
      process.signal(number);
      CHECK(process.wait() == 75);
      CHECK(process.err().find("continue with `buffon resume " + name + "`") != std::string::npos);
      CHECK(std::filesystem::exists(temporary / (name + "/checkpoint/state.bin")));
      CHECK_FALSE(std::filesystem::exists(temporary / (name + "/result.json")));
    }
    Process process({program, "resume", name, "--quiet"}, temporary.path());
    CHECK(process.wait() == 0);
    CHECK(numbers(temporary / name) == expected);
  }
}

TEST_CASE("a second process in a directory at work is refused, and its first is not disturbed") {
  TemporaryDirectory temporary;
  write_file(temporary / "job.toml", plain_job);
  Process first({program, "run", "job.toml", "--out", "run", "--quiet"}, temporary.path());
  wait_for(first, temporary / "run", 2);
  REQUIRE(first.running());
  first.signal(SIGSTOP);  // holds the lock as long as the test needs it
  std::filesystem::create_directory(temporary / "second");
  {
    Process second({program, "resume", "../run"}, temporary / "second");
    CHECK(second.wait() == 64);
    CHECK(second.err().find("another process is working in it") != std::string::npos);
    Process third({program, "run", "../job.toml", "--out", "../run", "--force"}, temporary / "second");
    CHECK(third.wait() == 64);
  }
  first.signal(SIGCONT);
  CHECK(first.wait() == 0);
}
