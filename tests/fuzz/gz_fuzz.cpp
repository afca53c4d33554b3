// SPDX-License-Identifier: BSD-3-Clause
// Any bytes are unpacked, or refused; what is unpacked is read as whatever it looks like.
#include "data_fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace buffon::io_detail;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  try {
    MemoryBudget budget("the data", std::int64_t{1} << 22);
    Source unpacked(gunzip(std::make_unique<Source>(std::make_unique<MemoryBytes>(bytes)), budget.source()));
    read_all(unpacked, budget);
  } catch (const buffon::Error& error) {
    if (error.category() != buffon::ErrorCategory::data) std::abort();
  }
  return bytes.starts_with("\x1f\x8b") ? buffon::fuzz::read_as(buffon::DataFormat::automatic, data, size) : 0;
}
