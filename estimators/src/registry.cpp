// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/estimators/registry.hpp>

namespace buffon {

const std::vector<MethodEntry>& estimator_methods() {
  static const std::vector<MethodEntry> entries = {};
  return entries;
}

}  // namespace buffon
