// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/model/target.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace buffon::detail {

/// Numbers y that stand for the parameter on the unconstrained scale.
Index free_count(const Parameter& parameter);

/// x (count()) from y (free_count), strictly inside the constraint. @returns the log Jacobian; −∞ where x would overflow
double constrain(const Parameter& parameter, const double* y, double* x);

/// y from x. @throws Error(configuration) whose key is the component outside the constraint
void unconstrain(const Parameter& parameter, const double* x, double* y);

/// NAME, or NAME.1 … NAME.K.
std::string component_name(const Parameter& parameter, Index component);

/// Of all parameters in order.
std::vector<std::string> component_names(const std::vector<Parameter>& parameters);

/// Letters, digits and _, not a digit first, not ending in "__" (columns of samplers do).
bool is_name(std::string_view name);

}  // namespace buffon::detail
