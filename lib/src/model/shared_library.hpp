// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

namespace buffon::detail {

/// What a library says, always with an end.
template <std::size_t size>
class LibraryMessage {
 public:
  char* data() { return text_; }
  std::string text() {
    text_[size - 1] = '\0';
    std::string said(text_);
    for (char& c : said) {
      if (static_cast<unsigned char>(c) < 0x20) c = ' ';
    }
    return said.empty() ? "it gives no reason" : said;
  }

 private:
  char text_[size] = {};
};

/// An open shared library of the user with functions of a C interface; closed at the end of its life.
class SharedLibrary {
 public:
  /// @param doing  for messages: "loading a density"
  /// @param header that defines the interface: "buffon/model/density_plugin.h"
  /// @throws Error(configuration) when it is missing or cannot be loaded
  SharedLibrary(std::filesystem::path file, std::string doing, std::string header);

  const std::filesystem::path& file() const { return file_; }

  /// @throws Error(configuration) when it has no such function
  template <class Function>
  Function* load(const char* symbol) const {
    return reinterpret_cast<Function*>(require(symbol));
  }
  /// Null when it has no such function.
  template <class Function>
  Function* find(const char* symbol) const {
    return reinterpret_cast<Function*>(address(symbol));
  }

  /// The version that the library reports must be ours.
  void check_version(std::int32_t version, std::int32_t ours) const;
  /// A count that a function of the library returned.
  void check_count(const std::string& function, std::int64_t value, std::int64_t min, std::int64_t max) const;

  /// @throws Error(configuration), about the file where no value is given
  [[noreturn]] void refuse(std::string key, std::string rule, std::string remedy = {}, std::string value = {}) const;
  /// @throws Error(model) for a status other than 0
  [[noreturn]] void fail(std::string doing, std::int32_t status, const std::string& message) const;

 private:
  struct Close {
    void operator()(void* handle) const;
  };
  void* address(const char* symbol) const;
  void* require(const char* symbol) const;

  std::filesystem::path file_;
  std::string doing_, header_;
  std::unique_ptr<void, Close> handle_;
};

}  // namespace buffon::detail
