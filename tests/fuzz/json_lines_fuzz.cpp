// SPDX-License-Identifier: BSD-3-Clause
// Any line of a model process is read without a crash; what counts as values is complete and finite.
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "model/json_lines.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace buffon::detail;
  const std::vector<std::string> outputs = {"tip", "stress"};
  const Reply reply = parse_reply({reinterpret_cast<const char*>(data), size}, 7, outputs);
  if (reply.kind == Reply::Kind::values) {
    if (reply.values.size() != outputs.size()) std::abort();
    for (const double value : reply.values) {
      if (!std::isfinite(value)) std::abort();
    }
  } else if (reply.kind != Reply::Kind::hello && reply.kind != Reply::Kind::error && reply.message.empty()) {
    std::abort();
  }
  if (reply.message.find('\n') != std::string::npos) std::abort();
  return 0;
}
