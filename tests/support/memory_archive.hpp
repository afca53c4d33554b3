// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/core/archive.hpp>
#include <buffon/core/error.hpp>

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace buffon::testing {

/// State of an object as bytes, for tests: equal bytes mean equal state, bit for bit.
///
///     const std::string saved = state_of(method);   // save
///     restore(other, saved);                        // load
///     CHECK(state_of(other) == saved);
class MemoryArchive : public Archive {
 public:
  MemoryArchive() = default;                                                               // saves
  explicit MemoryArchive(std::string bytes) : loading_(true), bytes_(std::move(bytes)) {}  // loads

  const std::string& bytes() const { return bytes_; }
  bool at_end() const { return position_ == bytes_.size(); }

  bool loading() const override { return loading_; }

  using Archive::item;
  void item(std::string_view name, bool& v) override {
    std::uint8_t byte = v ? 1 : 0;
    mark(name, 'b');
    raw(&byte, 1);
    v = byte != 0;
  }
  void item(std::string_view name, std::int64_t& v) override { plain(name, 'i', v); }
  void item(std::string_view name, std::uint64_t& v) override { plain(name, 'u', v); }
  void item(std::string_view name, double& v) override { plain(name, 'd', v); }
  void item(std::string_view name, std::string& v) override {
    mark(name, 's');
    text(v);
  }
  void item(std::string_view name, std::vector<double>& v) override { list(name, 'D', v); }
  void item(std::string_view name, std::vector<std::int64_t>& v) override { list(name, 'I', v); }
  void item(std::string_view name, std::vector<std::string>& v) override {
    mark(name, 'S');
    v.resize(length(v.size()));
    for (auto& s : v) text(s);
  }
  void item(std::string_view name, Eigen::VectorXd& v) override {
    mark(name, 'v');
    v.resize(static_cast<Eigen::Index>(length(static_cast<std::size_t>(v.size()))));
    raw(v.data(), static_cast<std::size_t>(v.size()) * sizeof(double));
  }
  void item(std::string_view name, Eigen::MatrixXd& v) override {
    mark(name, 'm');
    const auto rows = static_cast<Eigen::Index>(length(static_cast<std::size_t>(v.rows())));
    const auto cols = static_cast<Eigen::Index>(length(static_cast<std::size_t>(v.cols())));
    v.resize(rows, cols);
    raw(v.data(), static_cast<std::size_t>(v.size()) * sizeof(double));
  }

 private:
  void begin(std::string_view name) override { mark(name, '{'); }
  void end() override { mark("", '}'); }
  std::size_t checked_size(std::int64_t size) override {
    if (size < 0 || static_cast<std::size_t>(size) > bytes_.size()) fail("a list is longer than the state");
    return static_cast<std::size_t>(size);
  }

  [[noreturn]] void fail(const std::string& rule) const {
    throw Error(ErrorCategory::data, {.doing = "loading a state from memory at byte " + std::to_string(position_), .rule = rule});
  }
  void raw(void* data, std::size_t size) {
    if (size == 0) return;
    if (!loading_) {
      bytes_.append(static_cast<const char*>(data), size);
      return;
    }
    if (bytes_.size() - position_ < size) fail("the state is too short");
    std::memcpy(data, bytes_.data() + position_, size);
    position_ += size;
  }
  std::size_t length(std::size_t size) {
    auto n = static_cast<std::uint64_t>(size);
    raw(&n, sizeof n);
    if (loading_ && n > bytes_.size()) fail("a list is longer than the state");
    return static_cast<std::size_t>(n);
  }
  void text(std::string& v) {
    v.resize(length(v.size()));
    raw(v.data(), v.size());
  }
  // Names and kinds are written too, so that listing the state in another order or under another name is noticed.
  void mark(std::string_view name, char kind) {
    std::string expected(name);
    expected += kind;
    std::string found = expected;
    text(found);
    if (found != expected) fail("expected '" + expected + "', found '" + found + "'");
  }
  template <class T>
  void plain(std::string_view name, char kind, T& v) {
    mark(name, kind);
    raw(&v, sizeof v);
  }
  template <class T>
  void list(std::string_view name, char kind, std::vector<T>& v) {
    mark(name, kind);
    v.resize(length(v.size()));
    raw(v.data(), v.size() * sizeof(T));
  }

  bool loading_ = false;
  std::string bytes_;
  std::size_t position_ = 0;
};

/// The state of an object with `describe_state`, as bytes.
template <class T>
std::string state_of(T& object) {
  MemoryArchive archive;
  object.describe_state(archive);
  return archive.bytes();
}

/// Loads bytes made by `state_of`; all of them must be used.
template <class T>
void restore(T& object, const std::string& bytes) {
  MemoryArchive archive(bytes);
  object.describe_state(archive);
  if (!archive.at_end()) throw Error(ErrorCategory::data, {.doing = "loading a state from memory", .rule = "bytes are left over"});
}

}  // namespace buffon::testing
