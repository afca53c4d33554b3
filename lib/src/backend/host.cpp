// SPDX-License-Identifier: BSD-3-Clause
#include "host.hpp"

#include <cstdlib>
#include <cstring>

// What a device and a queue of the host hold: nothing.
struct buffon_device {};
struct buffon_queue {};

namespace buffon::backend {
namespace {

constexpr std::size_t alignment = 64;

const char* allocate(buffon_device*, int64_t bytes, void** data) {
  const auto size = (static_cast<std::size_t>(bytes) + alignment - 1) / alignment * alignment;
  *data = std::aligned_alloc(alignment, size);
  return *data != nullptr ? nullptr : "the memory of the machine does not suffice";
}

const char* copy(buffon_queue*, void* to, const void* from, int64_t bytes) {
  if (bytes > 0) std::memcpy(to, from, static_cast<std::size_t>(bytes));
  return nullptr;
}

}  // namespace

buffon_backend host_memory() {
  buffon_backend table{};
  table.version = BUFFON_BACKEND_VERSION;
  table.devices = [] { return 1; };
  table.open = [](int, buffon_device** device) -> const char* {
    *device = new buffon_device;
    return nullptr;
  };
  table.close = [](buffon_device* device) { delete device; };
  table.allocate = allocate;
  table.release = [](buffon_device*, void* data) { std::free(data); };
  table.make_queue = [](buffon_device*, int, buffon_queue** queue) -> const char* {
    *queue = new buffon_queue;
    return nullptr;
  };
  table.end_queue = [](buffon_queue* queue) { delete queue; };
  table.synchronise = [](buffon_queue*) -> const char* { return nullptr; };
  table.upload = copy;
  table.download = copy;
  return table;
}

}  // namespace buffon::backend
