// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/model/method_entry.hpp>

#include <vector>

namespace buffon {

/// Every sampler, as the command line and the configuration know it. A new one adds one line in registry.cpp.
const std::vector<MethodEntry>& sampler_methods();

}  // namespace buffon
