// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/estimators/registry.hpp>

#include <buffon/estimators/sobol.hpp>

namespace buffon {

const std::vector<MethodEntry>& estimator_methods() {
  static const std::vector<MethodEntry> entries = {
      method_entry<Sobol, SobolOptions>("sobol", "Sobol' indices by pick-freeze sampling",
                                        "First-order, total and closed variance-based sensitivity indices by centred classical estimators"),
  };
  return entries;
}

}  // namespace buffon
