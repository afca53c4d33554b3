// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/core/error.hpp>
#include <buffon/mpi/join_team.hpp>

#include "../launch.hpp"

#include <string>

namespace buffon {

std::unique_ptr<Team> join_team() {
  const int size = mpi_detail::started_together();
  if (size <= 1) return nullptr;
  throw Error(ErrorCategory::usage, {.doing = "starting on " + std::to_string(size) + " ranks",
                                     .rule = "this build of buffon has no MPI: every rank would do the whole job",
                                     .remedy = "build it where the package libopenmpi-dev is installed, or divide the job with --shard k/K"});
}

}  // namespace buffon
