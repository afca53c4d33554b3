// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/model/model_kind.hpp>

#include <vector>

namespace buffon::detail {

NamedProblem cantilever_problem();
NamedProblem ishigami_problem();
NamedProblem sobol_g_problem();
NamedProblem borehole_problem();
NamedProblem flood_problem();

NamedProblem gaussian_moments_problem();
NamedProblem exponential_tilts_problem();

NamedProblem four_branch_problem();
NamedProblem parabolic_problem();
NamedProblem hyperplane_problem();

}  // namespace buffon::detail
