// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/backend/operations.h>

namespace buffon::backend {

/// A table whose memory is the host's and whose queues do everything at once, without operations.
buffon_backend host_memory();

const buffon_backend& reference_backend();
const buffon_backend& cpu_backend();

}  // namespace buffon::backend
