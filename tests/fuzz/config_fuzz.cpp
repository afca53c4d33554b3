// SPDX-License-Identifier: BSD-3-Clause
// Any text is either refused with an Error that has a place, or read; what was read reads back to itself. The first byte
// chooses the format; a first line that begins with "#set " is an override.
#include <buffon/core/error.hpp>
#include <buffon/io/job.hpp>

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "../support/all_methods.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  if (std::string_view(reinterpret_cast<const char*>(data), size).find("umbridge") != std::string_view::npos) return 0;  // it would call a server
  // It would wait for the standard input, or read a device.
  for (const std::string_view place : {"\"-\"", "'-'", "dev/"}) {
    if (std::string_view(reinterpret_cast<const char*>(data), size).find(place) != std::string_view::npos) return 0;
  }
  const std::string name = data[0] == '{' ? "job.json" : "job.toml";
  const std::string text(reinterpret_cast<const char*>(data), size);
  std::vector<std::string> overrides;
  if (text.rfind("#set ", 0) == 0) overrides.push_back(text.substr(5, text.find('\n') - 5));
  std::string resolved, digest;
  try {
    const buffon::Job job = buffon::parse_job(text, name, ".", overrides, buffon::testing::all_methods());
    resolved = job.resolved;
    digest = job.digest;
  } catch (const buffon::Error& error) {
    if (error.where().file.empty()) std::abort();
    if (std::string(error.what()).find('\n') != std::string::npos) std::abort();
    return 0;
  }
  const buffon::Job again = buffon::parse_job(resolved, "config.resolved.toml", ".", {}, buffon::testing::all_methods());
  if (again.resolved != resolved || again.digest != digest) std::abort();
  return 0;
}
