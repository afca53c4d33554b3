// SPDX-License-Identifier: BSD-3-Clause
#include <doctest/doctest.h>

#include <process.hpp>
#include <string>
#include <temporary_directory.hpp>
#include <vector>

#include "run_numbers.hpp"

using namespace buffon;

namespace {

const std::string program = BUFFON_EXECUTABLE;

struct Ended {
  int status;
  std::string err;
};

Ended call(const TemporaryDirectory& t, std::vector<std::string> arguments) {
  Process process(arguments, t.path());
  const int status = process.wait();
  return {status, process.err()};
}

Ended buffon_cli(const TemporaryDirectory& t, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), program);
  return call(t, arguments);
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

const std::string cantilever = "[model]\nkind = \"named\"\nname = \"cantilever\"\n[run]\ncheckpoint_seconds = 0\nsave_draws = true\nreport = false\n";
const std::string sin_gaussian = "[nested]\nkind = \"named\"\nname = \"sin_gaussian\"\n[run]\ncheckpoint_seconds = 0\nreport = false\n";

struct Case {
  std::string name;
  std::string job;
};

/// Every method whose blocks are independent, in several rounds that do not divide evenly.
const std::vector<Case> divisible = {
    {"plain_monte_carlo", "method = \"plain_monte_carlo\"\nseed = 3\noptions = {max_evaluations = 50001}\n" + cantilever},
    {"importance_sampling",
     "method = \"importance_sampling\"\nseed = 3\noptions = {max_evaluations = 50001, center = [0.0, 0.0, 0.0, -1.0, 0.0, 1.0]}\n" + cantilever},
    {"sobol", "method = \"sobol\"\nseed = 3\noptions = {max_evaluations = 50000, bootstrap = 10}\n" + cantilever},
    {"read", "method = \"read\"\nseed = 3\noptions = {max_copies = 50001}\n" + sin_gaussian},
    {"diffusion", diffusion_job("unipc")},
    {"nested_monte_carlo", "method = \"nested_monte_carlo\"\nseed = 3\noptions = {max_evaluations = 50000}\n" + sin_gaussian},
};

/// A model with failing points that are replaced and counted.
const Case replacing = {"replaced points",
                        "method = \"plain_monte_carlo\"\nseed = 3\noptions = {max_evaluations = 3000}\n[model]\nkind = \"expression\"\n"
                        "outputs = [\"y = sqrt(x)\"]\non_failure = \"replace\"\n[run]\ncheckpoint_seconds = 0\nreport = false\n"
                        "[[inputs]]\nname = \"x\"\nlaw = \"normal\"\nmean = 1\nstd_dev = 1\n"};

std::vector<std::string> shard_arguments(const std::string& job, int k, int count, const std::string& threads, const std::string& out) {
  return {"run", job, "--shard", std::to_string(k) + "/" + std::to_string(count), "--threads", threads, "--out", out, "--quiet"};
}

/// All shards of a job as folders sK; on 1 and 2 threads in turn.
std::vector<std::string> run_shards(const TemporaryDirectory& t, const std::string& job, int count, const std::string& prefix) {
  std::vector<std::string> names;
  for (int k = count; k >= 1; --k) {
    names.push_back(prefix + std::to_string(k));
    const Ended r = buffon_cli(t, shard_arguments(job, k, count, std::to_string(1 + k % 2), names.back()));
    INFO(r.err);
    REQUIRE(r.status == 0);
  }
  return names;
}

Ended merge(const TemporaryDirectory& t, std::vector<std::string> shards, const std::string& out) {
  shards.insert(shards.begin(), "merge");
  shards.insert(shards.end(), {"--out", out, "--quiet"});
  return buffon_cli(t, shards);
}

const std::string small_job = "method = \"plain_monte_carlo\"\nseed = 3\noptions = {max_evaluations = 20000}\n";

}  // namespace

TEST_CASE("shards 1, 2 and 5, on 1 and 2 threads, merged in any order give the bytes of a single process") {
  std::vector<Case> cases = divisible;
  cases.push_back(replacing);
  for (const Case& c : cases) {
    CAPTURE(c.name);
    TemporaryDirectory t;
    write_file(t / "job.toml", c.job);
    REQUIRE(buffon_cli(t, {"run", "job.toml", "--out", "whole", "--quiet"}).status == 0);
    const std::string expected = numbers(t / "whole");
    for (const int count : {1, 2, 5}) {
      CAPTURE(count);
      const auto names = run_shards(t, "job.toml", count, "s" + std::to_string(count) + "-");
      const std::string out = "merged" + std::to_string(count);
      const Ended r = merge(t, names, out);
      INFO(r.err);
      REQUIRE(r.status == 0);
      CHECK(numbers(t / out) == expected);
    }
    CHECK(read_result(t / "s5-1").outcome.estimates.empty());
    CHECK(read_result(t / "s5-1").outcome.evaluations < read_result(t / "whole").outcome.evaluations);
  }
}

TEST_CASE("shards that evaluate divide the evaluations among them") {
  TemporaryDirectory t;
  write_file(t / "job.toml", small_job + cantilever);
  std::int64_t sum = 0;
  for (const std::string& name : run_shards(t, "job.toml", 5, "s")) {
    const std::int64_t mine = read_result(t / name).outcome.evaluations;
    CHECK(mine > 20000 / 5 - 1100);  // all blocks in turn: at most one of 1024 points less than an equal part
    CHECK(mine < 20000 / 5 + 1100);
    sum += mine;
  }
  CHECK(sum == 20000 + 4 * 64);  // the points that centre the search for heavy tails are evaluated by every shard
}

TEST_CASE("a shard killed at 6 pinned places, twice each, and resumed on another number of threads merges to the same bytes") {
  TemporaryDirectory t;
  write_file(t / "job.toml", "method = \"plain_monte_carlo\"\nseed = 3\noptions = {max_evaluations = 2000000}\n" + cantilever);
  REQUIRE(buffon_cli(t, {"run", "job.toml", "--out", "whole", "--quiet"}).status == 0);
  const std::string expected = numbers(t / "whole");
  REQUIRE(buffon_cli(t, shard_arguments("job.toml", 1, 2, "1", "s1")).status == 0);
  int killed = 0;
  for (const int place : {1, 2, 5, 9, 14, 20}) {
    CAPTURE(place);
    std::vector<std::string> arguments = shard_arguments("job.toml", 2, 2, "1", "s2");
    for (int part = 0; part < 2; ++part) {
      arguments.insert(arguments.begin(), program);
      Process process(arguments, t.path());
      wait_for(process, t / "s2", static_cast<std::uint64_t>(place));
      process.signal(SIGKILL);
      if (process.wait() == -SIGKILL) ++killed;
      arguments = {"resume", "s2", "--threads", "2", "--quiet"};
    }
    REQUIRE(buffon_cli(t, arguments).status == 0);
    REQUIRE(merge(t, {"s1", "s2"}, "merged").status == 0);
    CHECK(numbers(t / "merged") == expected);
    std::filesystem::remove_all(t / "s2");
    std::filesystem::remove_all(t / "merged");
  }
  CHECK(killed >= 8);
}

TEST_CASE("missing, unfinished, repeated, foreign, damaged and whole runs are refused with the reason, and nothing is written") {
  TemporaryDirectory t;
  write_file(t / "job.toml", small_job + cantilever);
  write_file(t / "other.toml", "method = \"plain_monte_carlo\"\nseed = 4\noptions = {max_evaluations = 20000}\n" + cantilever);
  run_shards(t, "job.toml", 3, "s");
  run_shards(t, "other.toml", 3, "o");
  run_shards(t, "job.toml", 2, "h");
  REQUIRE(buffon_cli(t, {"run", "job.toml", "--out", "whole", "--quiet"}).status == 0);
  std::filesystem::copy(t / "s3", t / "unfinished", std::filesystem::copy_options::recursive);
  std::filesystem::remove(t / "unfinished/result.json");
  std::filesystem::copy(t / "s3", t / "damaged", std::filesystem::copy_options::recursive);
  for (const auto& file : std::filesystem::directory_iterator(t / "damaged/shard")) {
    std::string bytes = read_file(file.path());
    bytes[bytes.size() / 2] ^= 1;
    write_file(file.path(), bytes);
  }
  std::filesystem::copy(t / "s3", t / "short", std::filesystem::copy_options::recursive);
  for (const auto& file : std::filesystem::directory_iterator(t / "short/shard")) {
    if (!file.path().filename().string().ends_with("000.bin")) std::filesystem::remove(file.path());
  }
  struct Wrong {
    std::vector<std::string> shards;
    int status;
    std::string part;
  };
  const std::vector<Wrong> wrong = {
      {{"s1", "s3"}, 64, "shard = 2/3 is missing"},
      {{"s1", "s2", "s3", "s2"}, 64, "2/3 is given twice: s2 and s2"},
      {{"s1", "s2", "unfinished"}, 65, "finish it with `buffon resume unfinished`"},
      {{"s1", "o2", "s3"}, 65, "configuration digest of o2"},
      {{"s1", "h2", "s3"}, 65, "is of another division"},
      {{"s1", "s2", "whole"}, 65, "holds a whole run and no shard"},
      {{"s1", "s2", "nowhere"}, 66, "does not exist"},
  };
  for (const Wrong& w : wrong) {
    const Ended r = merge(t, w.shards, "merged");
    CAPTURE(w.part);
    CAPTURE(r.err);
    CHECK(r.status == w.status);
    CHECK(contains(r.err, w.part));
    CHECK_FALSE(std::filesystem::exists(t / "merged"));
  }
  for (const auto& [name, part] : {std::pair("damaged", "its checksum is wrong"), std::pair("short", "but more are needed")}) {
    const Ended r = merge(t, {"s1", "s2", name}, name + std::string("-merged"));
    CAPTURE(r.err);
    CHECK(r.status == 65);
    CHECK(contains(r.err, part));
    CHECK_FALSE(std::filesystem::exists(t / (name + std::string("-merged/result.json"))));
  }
}

TEST_CASE("what a shard cannot do is refused with key and remedy") {
  TemporaryDirectory t;
  write_file(t / "job.toml", small_job + cantilever);
  write_file(t / "read.toml", divisible[3].job);
  write_file(t / "sobol.toml", divisible[2].job);
  write_file(t / "aiscv.toml", "method = \"aiscv\"\nseed = 3\n" + cantilever);
  struct Wrong {
    std::vector<std::string> arguments;
    std::string part;
  };
  const std::vector<Wrong> wrong = {
      {{"job.toml", "--set", "options.target_std_error=0.1"}, "options.target_std_error = 0.1 must be off in a shard"},
      {{"job.toml", "--set", "options.target_relative_error=0.1"}, "options.target_relative_error = 0.1 must be off in a shard"},
      {{"sobol.toml", "--set", "options.target_half_width=0.1"}, "options.target_half_width = 0.1 must be off in a shard"},
      {{"read.toml", "--set", "options.max_evaluations=100"}, "options.max_evaluations = 100 must be off in a shard"},
      {{"job.toml", "--set", "run.max_seconds=5"}, "run.max_seconds = 5 must be off in a shard"},
      {{"aiscv.toml"}, "method aiscv decides from all values so far"},
      {{"job.toml", "--shard", "0/2"}, "must be k/K"},
      {{"job.toml", "--shard", "3/2"}, "must be k/K"},
      {{"job.toml", "--shard", "2"}, "must be k/K"},
      {{"job.toml", "--shard", "auto"}, "SLURM_ARRAY_TASK_ID is not set"},
  };
  for (const Wrong& w : wrong) {
    std::vector<std::string> arguments = w.arguments;
    arguments.insert(arguments.begin(), "run");
    if (w.arguments.size() < 2 || w.arguments[1] != "--shard") arguments.insert(arguments.end(), {"--shard", "1/2"});
    const Ended r = buffon_cli(t, arguments);
    CAPTURE(w.part);
    CAPTURE(r.err);
    CHECK((r.status == 78 || r.status == 64));
    CHECK(contains(r.err, w.part));
  }
}

TEST_CASE("a SLURM array gives the shard and the folder is named after it") {
  TemporaryDirectory t;
  write_file(t / "job.toml", small_job + cantilever);
  const auto array = [&](const std::string& id, const std::string& count, const std::string& max) {
    return call(t, {"/usr/bin/env", "SLURM_ARRAY_TASK_ID=" + id, "SLURM_ARRAY_TASK_COUNT=" + count, "SLURM_ARRAY_TASK_MIN=0", "SLURM_ARRAY_TASK_MAX=" + max,
                    program, "run", "job.toml", "--shard", "auto", "--quiet"});
  };
  CHECK(array("1", "3", "2").status == 0);
  CHECK(std::filesystem::exists(t / "job.shard-2-of-3.out/result.json"));
  const Ended gaps = array("1", "3", "6");
  CHECK(gaps.status == 64);
  CHECK(contains(gaps.err, "it has gaps"));
}

#ifdef BUFFON_MPIRUN

namespace {

/// Open MPI leaves memory to the end of the process, which leak checks would report.
const std::vector<std::string> start_ranks = {
    "/usr/bin/env", "OMPI_ALLOW_RUN_AS_ROOT=1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1", "ASAN_OPTIONS=detect_leaks=0", BUFFON_MPIRUN, "--oversubscribe", "-n"};

std::vector<std::string> ranks_arguments(int ranks, const std::vector<std::string>& arguments) {
  std::vector<std::string> all = start_ranks;
  all.insert(all.end(), {std::to_string(ranks), program});
  all.insert(all.end(), arguments.begin(), arguments.end());
  return all;
}

Ended on_ranks(const TemporaryDirectory& t, int ranks, const std::vector<std::string>& arguments) { return call(t, ranks_arguments(ranks, arguments)); }

}  // namespace

TEST_CASE("1, 2 and 3 MPI ranks, on 1 and 2 threads, give the bytes of a single process") {
  std::vector<Case> cases = divisible;
  cases.push_back(replacing);
  cases.push_back({"aiscv", "method = \"aiscv\"\nseed = 3\noptions = {max_evaluations = 20000}\n" + cantilever});
  cases.push_back(
      {"to a target", "method = \"plain_monte_carlo\"\nseed = 3\noptions = {target_relative_error = 0.001, max_evaluations = 1000000}\n" + cantilever});
  cases.push_back({"chains", chains_job("polar_slice")});
  for (const char* algorithm : {"snapshot", "exact", "pruned", "kmeans_parallel"}) {
    cases.push_back({algorithm, seeding_job(std::string("k = 60\nlloyd_rounds = 2\nalgorithm = \"") + algorithm + "\"\n")});
  }
  cases.push_back({"row_sampling", data_job("row_sampling", "k = 300\nscheme = \"gumbel_top_k\"\nsizes = \"6\"\n")});
  cases.push_back({"lightweight_coreset", data_job("lightweight_coreset", "size = 500\n")});
  cases.push_back({"clustering_sensitivity", data_job("clustering_sensitivity", "k = 30\nsize = 200\nloss = \"6\"\nlambda_quantile = 0.5\n")});
  for (const Case& c : cases) {
    CAPTURE(c.name);
    TemporaryDirectory t;
    write_file(t / "job.toml", c.job);
    if (contains(c.job, "points.npy")) write_points(t / "points.npy");
    REQUIRE(buffon_cli(t, {"run", "job.toml", "--out", "whole", "--quiet"}).status == 0);
    for (const int ranks : {1, 2, 3}) {
      for (const char* threads : {"1", "2"}) {
        const std::string out = "ranks" + std::to_string(ranks) + "-" + threads;
        const Ended r = on_ranks(t, ranks, {"run", "job.toml", "--out", out, "--threads", threads, "--quiet"});
        INFO(r.err);
        REQUIRE(r.status == 0);
        CHECK(numbers(t / out) == numbers(t / "whole"));
        CHECK_FALSE(std::filesystem::exists(t / out / "ranks"));
      }
    }
  }
}

TEST_CASE("a run on ranks stopped by its parent goes on with another number of ranks, or alone") {
  TemporaryDirectory t;
  write_file(t / "job.toml", "method = \"plain_monte_carlo\"\nseed = 3\noptions = {max_evaluations = 4000000}\n" + cantilever);
  REQUIRE(buffon_cli(t, {"run", "job.toml", "--out", "whole", "--quiet"}).status == 0);
  for (const int ranks : {1, 3}) {
    {
      Process process(ranks_arguments(2, {"run", "job.toml", "--out", "run", "--quiet"}), t.path());
      wait_for(process, t / "run", 5);
      process.signal(SIGUSR1);  // passed on to every rank
      const int status = process.wait();
      INFO(process.err());
      REQUIRE(status == 75);
      CHECK(contains(process.err(), "continue with `buffon resume run`"));
    }
    const Ended r = on_ranks(t, ranks, {"resume", "run", "--quiet"});
    INFO(r.err);
    REQUIRE(r.status == 0);
    CHECK(numbers(t / "run") == numbers(t / "whole"));
    std::filesystem::remove_all(t / "run");
  }
}

TEST_CASE("an error on any rank ends all of them with one message, its status and the failed point") {
  TemporaryDirectory t;
  write_file(t / "root.toml",
             "method = \"plain_monte_carlo\"\nseed = 1\noptions = {max_evaluations = 100000}\n[model]\nkind = \"expression\"\noutputs = [\"y = sqrt(x + 4)\"]\n"
             "[[inputs]]\nname = \"x\"\nlaw = \"normal\"\nmean = 0\nstd_dev = 1\n");
  Ended r = on_ranks(t, 3, {"run", "root.toml", "--out", "run", "--quiet"});
  CAPTURE(r.err);
  CHECK(r.status == 70);
  const std::size_t first = r.err.find("buffon: evaluating the model at x = -4");
  CHECK(first != std::string::npos);
  CHECK(r.err.find("buffon: evaluating the model", first + 1) == std::string::npos);
  CHECK(std::filesystem::exists(t / "run/failed_point.json"));

  r = on_ranks(t, 2, {"run", "nowhere.toml", "--quiet"});
  CHECK(r.status == 66);
  r = on_ranks(t, 2, {"run", "root.toml", "--shard", "1/2"});
  CHECK(r.status == 64);
  CHECK(contains(r.err, "a shard is one process"));
}

#else

TEST_CASE("without MPI, a start on several ranks is refused in plain words") {
  MESSAGE("this build has no MPI: runs on several ranks are not tested");
  TemporaryDirectory t;
  write_file(t / "job.toml", small_job + cantilever);
  const Ended r = call(t, {"/usr/bin/env", "OMPI_COMM_WORLD_SIZE=3", program, "run", "job.toml"});
  CHECK(r.status == 64);
  CHECK(contains(r.err, "this build of buffon has no MPI"));
}

#endif
