// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <sys/stat.h>

#include <chrono>
#include <filesystem>
#include <process.hpp>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <utility>

#include <buffon/io/files.hpp>
#include <buffon/io/npy.hpp>
#include <buffon/io/result.hpp>
#include <buffon/random/stream.hpp>

namespace buffon {

/// Changes whenever a new checkpoint stands under its name.
inline std::pair<ino_t, long> mark(const std::filesystem::path& file) {
  struct stat status = {};
  if (::stat(file.c_str(), &status) != 0) return {0, 0};
  return {status.st_ino, status.st_ctim.tv_nsec};
}

/// Waits until `checkpoints` new ones were written, or the process ended.
inline void wait_for(Process& process, const std::filesystem::path& run, std::uint64_t checkpoints) {
  const std::filesystem::path file = run / "checkpoint/state.bin";
  auto last = mark(file);
  while (checkpoints > 0 && process.running()) {
    const auto now = mark(file);
    if (now != last) --checkpoints;
    last = now;
    std::this_thread::sleep_for(std::chrono::microseconds(100));
  }
}

/// Everything that a run promises to repeat: the result without its block "run", which holds digests of the files of a selection, and the draws without
/// comments, which hold times.
inline std::string numbers(const std::filesystem::path& run) {
  std::string all = reproducible_part(read_result(run));
  if (std::filesystem::exists(run / "samples.npy")) all += read_file(run / "samples.npy");
  if (!std::filesystem::exists(run / "draws")) return all;
  std::set<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(run / "draws")) files.insert(entry.path());
  for (const auto& file : files) {
    all += file.filename().string() + "\n";
    if (file.extension() == ".npy") {
      all += read_file(file);
    } else if (file.extension() == ".csv") {
      std::istringstream lines(read_file(file));
      for (std::string line; std::getline(lines, line);) all += line.starts_with('#') ? "" : line + "\n";
    }
  }
  return all;
}

/// A method on points of six columns and a positive seventh that stand in a file beside, with many checkpoints.
/// @param options lines of the section
inline std::string data_job(const std::string& method, const std::string& options) {
  return "method = \"" + method + "\"\nseed = 3\n[data]\nfile = \"points.npy\"\n[options]\n" + options +
         "[run]\nthreads = 1\ncheckpoint_seconds = 0\nreport = false\n";
}
inline std::string seeding_job(const std::string& options) { return data_job("kmeans_seeding", options); }
inline void write_points(const std::filesystem::path& file) {
  Eigen::MatrixXd points(7, 20000);
  Stream(8).peek("points").normals(0, points);
  for (Eigen::Index i = 0; i < points.cols(); ++i) points.col(i) *= 1 + static_cast<double>(i % 7);
  points.row(6) = 1 + points.row(6).array().square();
  write_npy(file, points.transpose());
}

/// A diffusion job of about a hundred rounds, with trajectories and an error curve where the solver has no noise.
inline std::string diffusion_job(const std::string& solver) {
  return "method = \"diffusion\"\nseed = 3\n[denoiser]\nkind = \"named\"\nname = \"g3\"\n[schedule]\nkind = \"vp_linear\"\n[options]\nsamples = 6001\nsteps = "
         "8\n"
         "batch = 20\nround = 3\nsolver = \"" +
         solver + "\"\n[run]\nthreads = 1\ncheckpoint_seconds = 0\nreport = false\n";
}

/// A sampler's job whose density is an expression: a constraint, an event, thinning, files of draws. About a hundred rounds.
inline std::string chains_job(const std::string& method) {
  return "method = \"" + method + R"("
seed = 3
[density]
kind = "expression"
log_density = "-0.5 * x^2 - 0.5 * y^2 * exp(-x) - 0.5 * x - s"
[[parameters]]
name = "x"
[[parameters]]
name = "y"
[[parameters]]
name = "s"
constraint = "lower"
lower = 0.0
[[quantities]]
name = "far"
event = "x + s - 2"
[options]
chains = 6
warmup = 600
draws = 3000
thin = 2
[run]
threads = 1
checkpoint_seconds = 0
report = false
draws = ["csv", "npy"]
)";
}

}  // namespace buffon
