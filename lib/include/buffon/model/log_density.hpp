// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/core/types.hpp>

#include <algorithm>
#include <functional>
#include <memory>
#include <stop_token>
#include <type_traits>
#include <utility>

namespace buffon {

class DensityProbe;

/// Logarithm of an unnormalised density p on R^d, d ≥ 1: log p(x) = −∞ outside the support; +∞ never. NaN is taken as −∞ and counted
/// by whoever asks. Called from several threads at once, so it must be thread-safe.
class LogDensity {
 public:
  virtual ~LogDensity() = default;
  virtual Index dimension() const = 0;

  /// @param x d × n, one column = one point
  /// @param values n, filled with log p
  /// @param stop fires when the run is to end; a slow density gives up and throws Error(interrupted)
  /// @throws Error(model) when it cannot be evaluated at all
  virtual void evaluate(const ConstMatrix& x, MutVector values, const std::stop_token& stop) const = 0;

  /// log p at one point.
  virtual double at(const Eigen::VectorXd& x, const std::stop_token& stop) const;

  /// For walks on lines and planes; densities that are cheaper there than at points of their own override it.
  /// This density must outlive the probe.
  virtual std::unique_ptr<DensityProbe> probe() const;
};

/// A log density on planes that move: at centre + a u + b v for many (a, b). Slice samplers evaluate nothing else. One per chain,
/// not thread-safe.
class DensityProbe {
 public:
  virtual ~DensityProbe() = default;
  virtual void set_centre(const Eigen::VectorXd& centre) = 0;
  virtual void set_first(const Eigen::VectorXd& u) = 0;
  virtual void set_second(const Eigen::VectorXd& v) = 0;
  /// u ← a u + b v
  virtual void turn(double a, double b) = 0;
  /// log p(centre + a u + b v)
  virtual double at(double a, double b, const std::stop_token& stop) = 0;
  /// x = centre + a u + b v with the bits at which `at` evaluates.
  virtual void point(double a, double b, Eigen::VectorXd& x) const = 0;
};

/// @param function fills values (n) with log p at the columns of points (d × n)
std::shared_ptr<const LogDensity> make_batch_log_density(Index dimension, std::function<void(const ConstMatrix& points, MutVector values)> function);

namespace detail {

template <class Function>
class PointLogDensity final : public LogDensity {
 public:
  PointLogDensity(Index dimension, Function function) : dimension_(dimension), function_(std::move(function)) {}
  Index dimension() const override { return dimension_; }
  void evaluate(const ConstMatrix& x, MutVector values, const std::stop_token&) const override {
    Eigen::VectorXd point(dimension_);
    for (Index i = 0; i < x.cols(); ++i) {
      std::copy_n(x.col(i).data(), dimension_, point.data());
      values(i) = function_(point);
    }
  }
  double at(const Eigen::VectorXd& x, const std::stop_token&) const override { return function_(x); }

 private:
  Index dimension_;
  Function function_;
};

}  // namespace detail

/// Rim template: a log density from `double(const Eigen::VectorXd&)`.
///
///     auto normal = make_log_density(10, [](const Eigen::VectorXd& x) { return -0.5 * x.squaredNorm(); });
template <class Function>
requires std::is_invocable_r_v<double, const Function&, const Eigen::VectorXd&> std::shared_ptr<const LogDensity> make_log_density(Index dimension,
                                                                                                                                   Function function) {
  return std::make_shared<detail::PointLogDensity<Function>>(dimension, std::move(function));
}

}  // namespace buffon
