// SPDX-License-Identifier: BSD-3-Clause
#include "memory.hpp"

#include <buffon/core/error.hpp>

#include <algorithm>
#include <fstream>
#include <limits>
#include <string>

namespace buffon::io_detail {
namespace {

constexpr std::int64_t unknown = std::numeric_limits<std::int64_t>::max();

/// The number of a file that holds one; `unknown` where there is none ("max", no such file).
std::int64_t number_in(const char* file) {
  std::ifstream in(file);
  std::int64_t value = 0;
  return in >> value ? value : unknown;
}

std::int64_t left_of(const char* limit, const char* used) {
  const std::int64_t most = number_in(limit), now = number_in(used);
  return most == unknown || now == unknown ? unknown : std::max<std::int64_t>(most - now, 0);
}

std::int64_t left_of_system() {
  std::ifstream in("/proc/meminfo");
  std::string word;
  while (in >> word) {
    std::int64_t kibibytes = 0;
    if (word == "MemAvailable:" && in >> kibibytes) return kibibytes * 1024;
  }
  return unknown;
}

}  // namespace

std::int64_t available_memory() {
  return std::min({left_of_system(), left_of("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
                   left_of("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes")});
}

void MemoryBudget::take(std::int64_t bytes) {
  if (bytes > left_) {
    throw Error(ErrorCategory::data, {.doing = "reading " + source_,
                                      .rule = "needs " + std::to_string(bytes / 1000000 + 1) + " MB more memory where " +
                                              std::to_string(std::max<std::int64_t>(left_, 0) / 1000000) + " MB are left",
                                      .remedy = "choose fewer rows or columns (data.rows, data.columns), or a machine with more memory"});
  }
  left_ -= bytes;
}

std::int64_t product(std::int64_t a, std::int64_t b, const std::string& source) {
  std::int64_t result = 0;
  if (__builtin_mul_overflow(a, b, &result)) {
    throw Error(ErrorCategory::data, {.doing = "reading " + source,
                                      .rule = "claims to hold " + std::to_string(a) + " times " + std::to_string(b) + ", which no memory holds",
                                      .remedy = "the file is damaged, or not what it says it is"});
  }
  return result;
}

}  // namespace buffon::io_detail
