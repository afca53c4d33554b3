// SPDX-License-Identifier: BSD-3-Clause
#pragma once

namespace buffon {

/// Do roots `Stream(seed)` made from now on remember which children were taken, and abort on a second claim? On by default in
/// debug builds and in builds with BUFFON_CHECK_STREAMS, off otherwise; a stream then carries a null pointer and nothing else.
bool stream_checks();
void set_stream_checks(bool on);

}  // namespace buffon
