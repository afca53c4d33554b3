// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/estimators/registry.hpp>
#include <buffon/samplers/registry.hpp>

#include <vector>

namespace buffon::testing {

/// Every method of the library, as the command line knows them.
inline const std::vector<MethodEntry>& all_methods() {
  static const std::vector<MethodEntry> all = [] {
    std::vector<MethodEntry> methods = estimator_methods();
    methods.insert(methods.end(), sampler_methods().begin(), sampler_methods().end());
    return methods;
  }();
  return all;
}

}  // namespace buffon::testing
