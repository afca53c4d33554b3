// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/core/error.hpp>

#include <zlib.h>

#include <array>
#include <utility>

#include "bytes.hpp"

namespace buffon::io_detail {
namespace {

class Gunzip : public Bytes {
 public:
  Gunzip(std::unique_ptr<Source> packed, std::string source) : packed_(std::move(packed)), source_(std::move(source)) {
    if (inflateInit2(&stream_, 15 + 16) != Z_OK) throw std::bad_alloc();  // the largest window, with the header and sums of gzip
  }
  ~Gunzip() override { inflateEnd(&stream_); }
  Gunzip(const Gunzip&) = delete;
  Gunzip& operator=(const Gunzip&) = delete;

  std::size_t read(char* out, std::size_t size) override {
    stream_.next_out = reinterpret_cast<Bytef*>(out);
    stream_.avail_out = static_cast<uInt>(std::min<std::size_t>(size, 1 << 30));
    const uInt room = stream_.avail_out;
    while (stream_.avail_out == room && !ended_) {
      if (stream_.avail_in == 0) {
        stream_.next_in = reinterpret_cast<Bytef*>(buffer_.data());
        stream_.avail_in = static_cast<uInt>(packed_->read(buffer_.data(), buffer_.size()));
        if (stream_.avail_in == 0) refuse("ends in the middle of its compressed data", "the file is cut off: copy or download it again");
      }
      const int status = inflate(&stream_, Z_NO_FLUSH);
      if (status == Z_MEM_ERROR) throw std::bad_alloc();
      if (status != Z_OK && status != Z_STREAM_END) {
        refuse("its compressed data are damaged" + (stream_.msg != nullptr ? " (" + std::string(stream_.msg) + ")" : std::string()),
               "copy or download the file again");
      }
      if (status == Z_STREAM_END) next_member();
    }
    return room - stream_.avail_out;
  }

 private:
  /// After a member comes another one, or zeros up to the end of a block, or nothing.
  void next_member() {
    for (bool padded = false;;) {
      if (stream_.avail_in == 0) {
        stream_.next_in = reinterpret_cast<Bytef*>(buffer_.data());
        stream_.avail_in = static_cast<uInt>(packed_->read(buffer_.data(), buffer_.size()));
        if (stream_.avail_in == 0) {
          ended_ = true;
          return;
        }
      }
      if (*stream_.next_in != 0) {
        if (padded || *stream_.next_in != 0x1f) refuse("has other bytes after its compressed data", "remove what was added to the file");
        inflateReset(&stream_);
        return;
      }
      padded = true;
      ++stream_.next_in;
      --stream_.avail_in;
    }
  }

  [[noreturn]] void refuse(std::string rule, std::string remedy) const {
    throw Error(ErrorCategory::data, {.doing = "unpacking " + source_, .rule = std::move(rule), .remedy = std::move(remedy)});
  }

  std::unique_ptr<Source> packed_;
  std::string source_;
  z_stream stream_ = {};
  std::array<char, 1 << 16> buffer_ = {};
  bool ended_ = false;
};

}  // namespace

bool is_gzip(std::string_view beginning) { return beginning.starts_with("\x1f\x8b"); }

std::unique_ptr<Bytes> gunzip(std::unique_ptr<Source> packed, const std::string& source) { return std::make_unique<Gunzip>(std::move(packed), source); }

}  // namespace buffon::io_detail
