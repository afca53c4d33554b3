// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/core/error.hpp>

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

namespace buffon::io_detail {

/// An open file, closed at the end of its life.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  explicit operator bool() const { return number_ >= 0; }
  int number() const { return number_; }

 private:
  int number_ = -1;
};

/// The error of the system call that just failed (errno), in words with a remedy.
inline Error system_failure(const std::string& doing, const std::filesystem::path& file, ErrorCategory category = ErrorCategory::data) {
  const int code = errno;
  std::string remedy;
  if (code == ENOSPC || code == EDQUOT) remedy = "free some space; a run that was going can then be resumed";
  if (code == EACCES || code == EPERM || code == EROFS) remedy = "choose a place that you may write to, or change its permissions";
  if (code == ENOENT && category == ErrorCategory::no_input) remedy = "check the spelling of the path";
  return Error(category, {.doing = doing + " " + file.string(), .rule = std::strerror(code), .remedy = remedy});
}

void write_all(const Descriptor& file, std::string_view bytes, const std::filesystem::path& name);

}  // namespace buffon::io_detail
