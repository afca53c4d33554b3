// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/io/run_exchange.hpp>

#include <memory>

namespace buffon {

/// The team of processes that `mpirun` (or `srun`) started together with this one; null when it was started alone. At most
/// one may be made in the life of a process; call its functions from the thread that made it. Its end waits for all ranks.
/// @throws Error(usage) when several were started and this build has no MPI, or the starter and the MPI library differ
std::unique_ptr<Team> join_team();

}  // namespace buffon
