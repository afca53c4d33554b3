// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <sys/stat.h>

#include <chrono>
#include <filesystem>
#include <process.hpp>
#include <string>
#include <thread>
#include <utility>

#include <buffon/io/files.hpp>
#include <buffon/io/result.hpp>

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

/// Everything that a run promises to repeat: the result without its block "run", and the draws.
inline std::string numbers(const std::filesystem::path& run) {
  std::string all = reproducible_part(read_result(run));
  if (std::filesystem::exists(run / "draws")) {
    for (const char* name : {"weights.npy", "weights.csv"}) {
      if (std::filesystem::exists(run / "draws" / name)) all += read_file(run / "draws" / name);
    }
  }
  return all;
}

}  // namespace buffon
