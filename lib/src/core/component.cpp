// SPDX-License-Identifier: BSD-3-Clause
#include "component.hpp"

#include <dlfcn.h>

#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <vector>

namespace buffon::detail {
namespace {

/// The file that this code lies in: an executable or a shared library.
std::filesystem::path own_file() {
  Dl_info info{};
  if (dladdr(reinterpret_cast<const void*>(&own_file), &info) == 0 || info.dli_fname == nullptr) return {};
  std::error_code status;
  const std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe", status);
  const std::filesystem::path file = std::filesystem::canonical(info.dli_fname, status);
  return status ? program : file;  // a program found by PATH is named without its folder
}

}  // namespace

Component load_component(const std::string& name, const char* symbol) {
  const std::string file = "libbuffon_" + name + ".so";
  std::vector<std::filesystem::path> places;
  if (const char* folder = std::getenv("BUFFON_COMPONENTS")) places.push_back(std::filesystem::path(folder) / file);
  if (const std::filesystem::path own = own_file().parent_path(); !own.empty()) {
    for (const char* beside : {"", "../lib", "../" BUFFON_LIBRARIES}) places.push_back(own / beside / file);
  }
  std::error_code status;
  void* library = nullptr;
  for (const std::filesystem::path& place : places) {
    if (!std::filesystem::exists(place, status)) continue;
    library = dlopen(place.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library != nullptr) break;
    return {nullptr, std::string("the library cannot be loaded: ") + dlerror()};
  }
  if (library == nullptr) library = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) return {nullptr, "the library " + file + " is not there"};
  void* found = dlsym(library, symbol);
  if (found == nullptr) return {nullptr, file + " has no function " + symbol};
  return {found, ""};
}

}  // namespace buffon::detail
