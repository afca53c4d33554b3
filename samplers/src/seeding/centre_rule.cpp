// SPDX-License-Identifier: BSD-3-Clause
#include "centre_rule.hpp"

namespace buffon {

double uniform_at(const Stream& stream, std::uint64_t item) {
  Eigen::Matrix<double, 1, 1> u;
  stream.uniforms(item, u);
  return u(0);
}

}  // namespace buffon
