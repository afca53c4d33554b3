// SPDX-License-Identifier: BSD-3-Clause
#include "bytes.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace buffon::io_detail {

std::size_t Source::read(char* out, std::size_t size) {
  std::size_t got = std::min(size, ahead_.size() - used_);
  if (got > 0) {
    std::memcpy(out, ahead_.data() + used_, got);
    used_ += got;
  } else {
    got = bytes_->read(out, size);
  }
  position_ += static_cast<std::int64_t>(got);
  return got;
}

std::string_view Source::peek(std::size_t size) {
  ahead_.erase(0, used_);
  used_ = 0;
  while (ahead_.size() < size) {
    const std::size_t held = ahead_.size();
    ahead_.resize(size);
    const std::size_t got = bytes_->read(ahead_.data() + held, size - held);
    ahead_.resize(held + got);
    if (got == 0) break;
  }
  return std::string_view(ahead_).substr(0, size);
}

std::size_t Source::fill(char* out, std::size_t size) {
  std::size_t filled = 0;
  while (filled < size) {
    const std::size_t got = read(out + filled, size - filled);
    if (got == 0) break;
    filled += got;
  }
  return filled;
}

std::int64_t Source::skip(std::int64_t size) {
  std::vector<char> buffer(static_cast<std::size_t>(std::min<std::int64_t>(size, 1 << 18)));
  std::int64_t skipped = 0;
  while (skipped < size) {
    const std::size_t got = read(buffer.data(), static_cast<std::size_t>(std::min<std::int64_t>(size - skipped, 1 << 18)));
    if (got == 0) break;
    skipped += static_cast<std::int64_t>(got);
  }
  return skipped;
}

FileBytes::FileBytes(const std::filesystem::path& file) : name_(file == "-" ? "the standard input" : file) {
  file_ = Descriptor(file == "-" ? ::dup(0) : ::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file_) throw system_failure("reading", name_, ErrorCategory::no_input);
  struct stat status = {};
  if (file != "-" && ::fstat(file_.number(), &status) == 0 && S_ISREG(status.st_mode)) size_ = status.st_size;
}

std::size_t FileBytes::read(char* out, std::size_t size) {
  for (;;) {
    const ssize_t got = ::read(file_.number(), out, size);
    if (got >= 0) return static_cast<std::size_t>(got);
    if (errno != EINTR) throw system_failure("reading", name_, ErrorCategory::no_input);
  }
}

std::size_t MemoryBytes::read(char* out, std::size_t size) {
  const std::size_t got = std::min(size, bytes_.size());
  if (got > 0) std::memcpy(out, bytes_.data(), got);
  bytes_.remove_prefix(got);
  return got;
}

Lines::Lines(Source& source, MemoryBudget& budget) : source_(source), buffer_(budget) {
  buffer_.append(1 << 18);
  if (source_.peek(3) == "\xEF\xBB\xBF") source_.skip(3);
}

bool Lines::next(std::string_view& line) {
  for (std::int64_t searched = 0;;) {
    const char* first = buffer_.data() + begin_;
    const std::int64_t held = end_ - begin_;
    const void* newline = held > searched ? std::memchr(first + searched, '\n', static_cast<std::size_t>(held - searched)) : nullptr;
    if (newline != nullptr || (all_read_ && held > 0)) {
      const std::int64_t length = newline != nullptr ? static_cast<const char*>(newline) - first : held;
      line = std::string_view(first, static_cast<std::size_t>(length));
      if (line.ends_with('\r')) line.remove_suffix(1);
      begin_ += length + (newline != nullptr ? 1 : 0);
      ++number_;
      return true;
    }
    if (all_read_) return false;
    searched = held;
    if (begin_ > 0) std::memmove(buffer_.data(), first, static_cast<std::size_t>(held));
    begin_ = 0;
    end_ = held;
    if (end_ == buffer_.size()) buffer_.append(buffer_.size());
    const std::size_t got = source_.read(buffer_.data() + end_, static_cast<std::size_t>(buffer_.size() - end_));
    end_ += static_cast<std::int64_t>(got);
    all_read_ = got == 0;
  }
}

Numbers<char> read_all(Source& source, MemoryBudget& budget) {
  constexpr std::int64_t step = 1 << 18;
  Numbers<char> bytes(budget);
  for (;;) {
    char* out = bytes.append(step);
    const std::size_t got = source.fill(out, step);
    bytes.drop(step - static_cast<std::int64_t>(got));
    if (got < step) return bytes;
  }
}

}  // namespace buffon::io_detail
