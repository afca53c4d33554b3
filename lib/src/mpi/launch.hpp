// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdlib>

namespace buffon::mpi_detail {

/// Processes that a starter of parallel programs (Open MPI, PMI, SLURM) says it started together with this one.
inline int started_together() {
  for (const char* name : {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_STEP_NUM_TASKS"}) {
    if (const char* text = std::getenv(name); text != nullptr) return std::atoi(text);
  }
  return 1;
}

}  // namespace buffon::mpi_detail
