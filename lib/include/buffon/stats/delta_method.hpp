// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/core/types.hpp>
#include <buffon/stats/estimate.hpp>

#include <functional>

namespace buffon {

/// A number, or K numbers, made of J estimated ones.
using ScalarFunction = std::function<double(const Eigen::VectorXd&)>;
using VectorFunction = std::function<Eigen::VectorXd(const Eigen::VectorXd&)>;

/// g(θ̂) with its standard error √(∇gᵀ Σ ∇g) and normal interval (delta method), right to first order when the errors of θ̂
/// are small against the curvature of g; the bias ½ tr(Σ ∇²g) is not removed.
/// The gradient is taken by central differences with steps ε^{1/3} max(|θ_j|, σ_j), so that neither units nor scales matter
/// (1e±60 are fine); next to the border of g's domain by smaller or one-sided steps. A component with variance 0 is a
/// constant. Where g or a needed derivative cannot be computed, the result holds NaN, never an exception.
/// @param values θ̂, J; @param covariance Σ of θ̂, J × J; @throws Error(usage) when sizes do not fit
Estimate delta_method(const ScalarFunction& g, const ConstVector& values, const ConstMatrix& covariance, double level = 0.95);

/// The same with the user's value g(θ̂) and gradient (J).
Estimate delta_method(double value, const ConstVector& gradient, const ConstMatrix& covariance, double level = 0.95);

/// K functions at once: values, their covariance D Σ Dᵀ, and D.
struct DeltaResult {
  Eigen::VectorXd values;      ///< K
  Eigen::MatrixXd covariance;  ///< K × K
  Eigen::MatrixXd jacobian;    ///< K × J
  /// Component k with standard error and normal interval.
  Estimate estimate(Index k, double level = 0.95) const;
};
DeltaResult delta_method_vector(const VectorFunction& g, const ConstVector& values, const ConstMatrix& covariance);

}  // namespace buffon
