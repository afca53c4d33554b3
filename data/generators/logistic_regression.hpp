// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <Eigen/Core>

#include <cmath>
#include <cstdint>

#include <buffon/core/types.hpp>
#include <buffon/random/stream.hpp>

namespace buffon::generators {

/// Data of a logistic regression, drawn from the model.
struct LogisticData {
  Eigen::MatrixXd design;        ///< n × d, the last column is 1
  Eigen::VectorXd response;      ///< n, 0 or 1
  Eigen::VectorXd coefficients;  ///< d, from which the response was drawn
};

/// Design of independent standard normals but for a last column of ones, coefficients N(mean, std_dev²), P(y = 1) = 1/(1 + e^−η).
/// Streams of `seed`: "design", "coefficients", "response".
inline LogisticData logistic_regression(Index n, Index d, std::uint64_t seed, double mean = 0.5, double std_dev = 0.5) {
  const Stream root = Stream(seed).child("logistic regression");
  Eigen::MatrixXd rows(d, n), beta(d, 1), u(1, n);
  root.child("design").normals(0, rows);
  rows.row(d - 1).setOnes();
  root.child("coefficients").normals(0, beta);
  root.child("response").uniforms(0, u);
  LogisticData data{rows.transpose(), Eigen::VectorXd(n), mean + std_dev * beta.col(0).array()};
  const Eigen::VectorXd eta = data.design * data.coefficients;
  for (Index i = 0; i < n; ++i) data.response(i) = u(0, i) < 1 / (1 + std::exp(-eta(i))) ? 1 : 0;
  return data;
}

}  // namespace buffon::generators
