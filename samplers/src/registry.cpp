// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/samplers/registry.hpp>

namespace buffon {

const std::vector<MethodEntry>& sampler_methods() {
  static const std::vector<MethodEntry> entries = {};
  return entries;
}

}  // namespace buffon
