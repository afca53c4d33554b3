// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/model/log_density.hpp>

namespace buffon {
namespace {

class PointProbe final : public DensityProbe {
 public:
  explicit PointProbe(const LogDensity& density)
      : density_(density), centre_(Eigen::VectorXd::Zero(density.dimension())), first_(centre_), second_(centre_), point_(density.dimension()) {}

  void set_centre(const Eigen::VectorXd& centre) override { centre_ = centre; }
  void set_first(const Eigen::VectorXd& u) override { first_ = u; }
  void set_second(const Eigen::VectorXd& v) override { second_ = v; }
  void turn(double a, double b) override { first_ = a * first_ + b * second_; }
  double at(double a, double b, const std::stop_token& stop) override {
    point(a, b, point_);
    return density_.at(point_, stop);
  }
  void point(double a, double b, Eigen::VectorXd& x) const override { x = centre_ + (a * first_ + b * second_); }

 private:
  const LogDensity& density_;
  Eigen::VectorXd centre_, first_, second_, point_;
};

class BatchLogDensity final : public LogDensity {
 public:
  BatchLogDensity(Index dimension, std::function<void(const ConstMatrix&, MutVector)> function) : dimension_(dimension), function_(std::move(function)) {}
  Index dimension() const override { return dimension_; }
  void evaluate(const ConstMatrix& x, MutVector values, const std::stop_token&) const override { function_(x, values); }

 private:
  Index dimension_;
  std::function<void(const ConstMatrix&, MutVector)> function_;
};

}  // namespace

double LogDensity::at(const Eigen::VectorXd& x, const std::stop_token& stop) const {
  Eigen::Matrix<double, 1, 1> value;
  evaluate(x, value, stop);
  return value(0);
}

std::unique_ptr<DensityProbe> LogDensity::probe() const { return std::make_unique<PointProbe>(*this); }

std::shared_ptr<const LogDensity> make_batch_log_density(Index dimension, std::function<void(const ConstMatrix&, MutVector)> function) {
  return std::make_shared<BatchLogDensity>(dimension, std::move(function));
}

}  // namespace buffon
