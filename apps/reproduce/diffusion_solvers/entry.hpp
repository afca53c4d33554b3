// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "../reproduce.hpp"

namespace buffon::reproduce::diffusion_solvers {

ReproduceEntry entry();

}  // namespace buffon::reproduce::diffusion_solvers
