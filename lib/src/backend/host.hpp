// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/backend/operations.h>

namespace buffon::backend {

/// Calls body(T{}) with the type of a view of numbers.
template <class Body>
void with_type(buffon_type type, Body&& body) {
  if (type == BUFFON_F32) {
    body(float{});
  } else {
    body(double{});
  }
}

/// A table whose memory is the host's and whose queues do everything at once, without operations.
buffon_backend host_memory();

const buffon_backend& reference_backend();
const buffon_backend& cpu_backend();

}  // namespace buffon::backend
