// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <Eigen/Core>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>

#include <buffon/core/types.hpp>
#include <buffon/random/stream.hpp>

namespace buffon::generators {

/// Rows (x, y, loss): five equally likely Gaussian clusters in the plane, standard deviation 0.6, and a loss
/// (0.1 + 0.05 |(x, y) − (1, 1)|²) e^{z / 4}, z standard normal. Streams of `seed`: "clusters", "points", "factors".
/// @returns n × 3, x and y rounded to 10⁻⁴, the loss to 10⁻⁵
inline Eigen::MatrixXd row_losses(Index n, std::uint64_t seed) {
  constexpr std::array<std::array<double, 2>, 5> centres = {{{0, 0}, {6, 0}, {1, 6}, {6, 5}, {2, 2}}};
  constexpr double spread = 0.6;
  const Stream root = Stream(seed).child("row_losses");
  Eigen::MatrixXd choice(1, n), points(2, n), factors(1, n), rows(n, 3);
  root.child("clusters").uniforms(0, choice);
  root.child("points").normals(0, points);
  root.child("factors").normals(0, factors);
  for (Index i = 0; i < n; ++i) {
    const auto& centre = centres[std::min(centres.size() - 1, static_cast<std::size_t>(choice(0, i) * static_cast<double>(centres.size())))];
    const double x = std::round(1e4 * (centre[0] + spread * points(0, i))) / 1e4, y = std::round(1e4 * (centre[1] + spread * points(1, i))) / 1e4;
    const double loss = (0.1 + 0.05 * ((x - 1) * (x - 1) + (y - 1) * (y - 1))) * std::exp(factors(0, i) / 4);
    rows.row(i) << x, y, std::round(1e5 * loss) / 1e5;
  }
  return rows;
}

}  // namespace buffon::generators
