// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/model/method_entry.hpp>

#include <vector>

namespace buffon {

/// Every estimator, one line each in registry.cpp.
const std::vector<MethodEntry>& estimator_methods();

}  // namespace buffon
