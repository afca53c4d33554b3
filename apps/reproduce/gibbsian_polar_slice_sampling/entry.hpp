// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "../reproduce.hpp"

namespace buffon::reproduce::gibbsian_polar_slice_sampling {

ReproduceEntry entry();

}  // namespace buffon::reproduce::gibbsian_polar_slice_sampling
