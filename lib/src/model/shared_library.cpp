// SPDX-License-Identifier: BSD-3-Clause
#include "shared_library.hpp"

#include <dlfcn.h>

#include <system_error>
#include <utility>

#include <buffon/core/error.hpp>

namespace buffon::detail {

void SharedLibrary::Close::operator()(void* handle) const { dlclose(handle); }

SharedLibrary::SharedLibrary(std::filesystem::path file, std::string doing, std::string header)
    : file_(std::move(file)), doing_(std::move(doing)), header_(std::move(header)) {
  std::error_code status;
  if (!std::filesystem::exists(file_, status)) refuse("library", "does not exist", "give the path of a shared library, relative to the configuration file");
  if (!std::filesystem::is_regular_file(file_, status)) refuse("library", "is not a file", "give the path of a shared library");
  handle_.reset(dlopen(file_.c_str(), RTLD_NOW | RTLD_LOCAL));
  if (!handle_) {
    const char* reason = dlerror();
    refuse("library", std::string("cannot be loaded: ") + (reason != nullptr ? reason : "unknown reason"),
           "build it as a shared library for this machine, with all libraries that it needs");
  }
}

void SharedLibrary::refuse(std::string key, std::string rule, std::string remedy, std::string value) const {
  throw Error(ErrorCategory::configuration, {.doing = doing_,
                                             .key = std::move(key),
                                             .value = value.empty() ? "\"" + file_.string() + "\"" : std::move(value),
                                             .rule = std::move(rule),
                                             .remedy = std::move(remedy)});
}

void SharedLibrary::fail(std::string doing, std::int32_t status, const std::string& message) const {
  throw Error(ErrorCategory::model,
              {.doing = std::move(doing) + " in " + file_.string(), .rule = "the library failed with status " + std::to_string(status) + ": " + message});
}

void SharedLibrary::check_version(std::int32_t version, std::int32_t ours) const {
  if (version == ours) return;
  const std::string name = header_.substr(header_.rfind('/') + 1);
  refuse("library", "has version " + std::to_string(version) + " of the interface, this buffon has version " + std::to_string(ours),
         "build it with the " + name + " of this buffon");
}

void SharedLibrary::check_count(const std::string& function, std::int64_t value, std::int64_t min, std::int64_t max) const {
  if (value >= min && value <= max) return;
  refuse("library", function + " returns " + std::to_string(value) + ", which must be in [" + std::to_string(min) + ", " + std::to_string(max) + "]");
}

void* SharedLibrary::address(const char* symbol) const { return dlsym(handle_.get(), symbol); }

void* SharedLibrary::require(const char* symbol) const {
  void* found = address(symbol);
  if (found == nullptr) refuse("library", "has no function " + std::string(symbol), "define every function of " + header_ + " with C linkage");
  return found;
}

}  // namespace buffon::detail
