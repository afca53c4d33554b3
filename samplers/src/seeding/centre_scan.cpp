// SPDX-License-Identifier: BSD-3-Clause
#include "centre_scan.hpp"

namespace buffon {

bool CentreScan::beyond(Index row, double bound, std::int64_t& evaluations) const {
  for (auto c = centres_.rbegin(); c != centres_.rend(); ++c) {
    ++evaluations;
    if (distances_->within(row, *c, bound)) return false;
  }
  return true;
}

}  // namespace buffon
