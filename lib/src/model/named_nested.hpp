// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/model/nested_problem.hpp>

#include <vector>

namespace buffon::detail {

/// The examples of the paper on READ and toys with exact answers.
std::vector<NamedNestedProblem> toy_nested_problems();

/// Optimal stopping and Bayesian experimental design.
std::vector<NamedNestedProblem> example_nested_problems();

}  // namespace buffon::detail
