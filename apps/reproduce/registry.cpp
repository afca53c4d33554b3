// SPDX-License-Identifier: BSD-3-Clause
#include "reproduce.hpp"

#include "ais_control_variates/entry.hpp"
#include "diffusion_solvers/entry.hpp"
#include "gibbsian_polar_slice_sampling/entry.hpp"
#include "kmeans_rejection_seeding/entry.hpp"
#include "read/entry.hpp"

namespace buffon::reproduce {

const std::vector<ReproduceEntry>& entries() {
  static const std::vector<ReproduceEntry> all = {
      ais_control_variates::entry(), read::entry(), gibbsian_polar_slice_sampling::entry(), kmeans_rejection_seeding::entry(), diffusion_solvers::entry(),
  };
  return all;
}

}  // namespace buffon::reproduce
