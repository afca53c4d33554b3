// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/model/target_kind.hpp>

namespace buffon::detail {

NamedDensity gaussian_density();
NamedDensity cauchy_density();
NamedDensity hyperplane_disk_density();
NamedDensity axial_modes_density();
NamedDensity funnel_density();
NamedDensity eight_schools_density();
NamedDensity kidiq_density();
NamedDensity ar_k_density();

}  // namespace buffon::detail
