// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <Eigen/Core>

#include <algorithm>
#include <cmath>
#include <cstdint>

#include <buffon/core/types.hpp>
#include <buffon/random/stream.hpp>

namespace buffon::generators {

/// Points in Gaussian clusters: centres uniform on (0, 100)^d, standard deviations 1, the clusters equally likely. One point in a hundred is an outlier,
/// uniform on a cube ten times as wide. Streams of `seed`: "centres", "clusters", "points", "outliers".
/// @returns n × d, rounded to thousandths
inline Eigen::MatrixXd clusters(Index n, Index d, Index count, std::uint64_t seed) {
  constexpr double side = 100, outliers = 0.01, wide = 10;
  const Stream root = Stream(seed).child("clusters");
  Eigen::MatrixXd centres(d, count), choice(2, n), points(d, n), far(d, n);
  root.child("centres").uniforms(0, centres);
  root.child("clusters").uniforms(0, choice);
  root.child("points").normals(0, points);
  root.child("outliers").uniforms(0, far);
  for (Index i = 0; i < n; ++i) {
    const auto cluster = std::min(count - 1, static_cast<Index>(choice(0, i) * static_cast<double>(count)));
    points.col(i) += side * centres.col(cluster);
    if (choice(1, i) < outliers) points.col(i) = (side * (0.5 + wide * (far.col(i).array() - 0.5))).matrix();
  }
  return (1000 * points.transpose()).array().round() / 1000;
}

}  // namespace buffon::generators
