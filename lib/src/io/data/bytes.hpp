// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "../descriptor.hpp"
#include "memory.hpp"

namespace buffon::io_detail {

/// Bytes that come one after the other.
class Bytes {
 public:
  virtual ~Bytes() = default;
  /// At most `size` bytes into `out`; 0 only at the end.
  virtual std::size_t read(char* out, std::size_t size) = 0;
};

/// Bytes whose beginning can be looked at before they are read.
class Source : public Bytes {
 public:
  explicit Source(std::unique_ptr<Bytes> bytes) : bytes_(std::move(bytes)) {}
  std::size_t read(char* out, std::size_t size) override;
  /// The next `size` bytes, fewer at the end; they are still to be read.
  std::string_view peek(std::size_t size);
  /// Fills `out` as far as there are bytes. @return how many
  std::size_t fill(char* out, std::size_t size);
  /// Reads and forgets. @return how many there were
  std::int64_t skip(std::int64_t size);
  /// Bytes read so far
  std::int64_t position() const { return position_; }

 private:
  std::unique_ptr<Bytes> bytes_;
  std::string ahead_;
  std::size_t used_ = 0;
  std::int64_t position_ = 0;
};

/// A file or, for "-", the standard input.
class FileBytes : public Bytes {
 public:
  /// @throws Error(no_input)
  explicit FileBytes(const std::filesystem::path& file);
  std::size_t read(char* out, std::size_t size) override;
  int descriptor() const { return file_.number(); }
  /// Size of a regular file, −1 for anything else
  std::int64_t size() const { return size_; }

 private:
  std::filesystem::path name_;
  Descriptor file_;
  std::int64_t size_ = -1;
};

class MemoryBytes : public Bytes {
 public:
  explicit MemoryBytes(std::string_view bytes) : bytes_(bytes) {}
  std::size_t read(char* out, std::size_t size) override;

 private:
  std::string_view bytes_;
};

/// Whether the bytes begin like gzip (RFC 1952).
bool is_gzip(std::string_view beginning);
/// Unpacks gzip, also of several members, as the bytes are asked for. Checks the sums. @throws Error(data) on damage
std::unique_ptr<Bytes> gunzip(std::unique_ptr<Source> packed, const std::string& source);

/// Lines of a text. \r\n and a byte order mark are accepted.
class Lines {
 public:
  Lines(Source& source, MemoryBudget& budget);
  /// The next line without its end; valid until the next call. @return false at the end
  bool next(std::string_view& line);
  /// Number of the last line, from 1
  std::int64_t number() const { return number_; }

 private:
  Source& source_;
  Numbers<char> buffer_;
  std::int64_t begin_ = 0, end_ = 0;
  std::int64_t number_ = 0;
  bool all_read_ = false;
};

/// Everything that is left. @throws Error(data) when that is more than the budget
Numbers<char> read_all(Source& source, MemoryBudget& budget);

}  // namespace buffon::io_detail
