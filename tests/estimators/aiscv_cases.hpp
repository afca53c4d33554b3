// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/estimators/integrands.hpp>
#include <buffon/model/joint_law.hpp>
#include <buffon/model/marginal.hpp>
#include <buffon/model/model.hpp>
#include <buffon/model/problem.hpp>

#include <cmath>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace buffon::testing {

/// Functions of X ~ N(0, I_d), all from one callable that fills a column.
class NormalIntegrands : public Integrands {
 public:
  using Function = std::function<void(const Eigen::VectorXd& x, MutVector phi)>;
  NormalIntegrands(Index dimension, Index count, Function function) : dimension_(dimension), function_(std::move(function)) {
    for (Index j = 0; j < count; ++j) names_.push_back("phi" + std::to_string(j + 1));
  }
  Index dimension() const override { return dimension_; }
  Index count() const override { return static_cast<Index>(names_.size()); }
  const std::vector<std::string>& names() const override { return names_; }
  bool common_law() const override { return true; }
  bool standard_normal() const override { return true; }
  std::int64_t calls_per_point() const override { return 1; }
  void sample(const Stream& stream, std::uint64_t first, MutMatrix x) const override { stream.normals(first, x); }
  void log_densities(const ConstMatrix& x, MutMatrix log_f) const override {
    log_f.row(0) = (-0.5 * x.colwise().squaredNorm()).array() - 0.5 * static_cast<double>(dimension_) * std::log(2 * 3.14159265358979323846);
  }
  void evaluate(Context& context, const ConstMatrix& x, MutMatrix phi) const override {
    for (Index i = 0; i < x.cols(); ++i) function_(x.col(i), phi.col(i));
    context.add_evaluations(x.cols());
  }

 private:
  Index dimension_;
  Function function_;
  std::vector<std::string> names_;
};

/// (2j − 1)!!, the moment of order 2j of N(0, 1).
inline double even_moment(Index j) {
  double value = 1;
  for (Index k = 1; k <= j; ++k) value *= static_cast<double>(2 * k - 1);
  return value;
}

/// Case A: φ_j = x^{2j} under N(0, 1), I_j = (2j − 1)!!.
inline std::shared_ptr<const Integrands> gaussian_moments(Index count, const std::vector<double>& unit = {}) {
  return std::make_shared<NormalIntegrands>(1, count, [count, unit](const Eigen::VectorXd& x, MutVector phi) {
    double power = 1;
    for (Index j = 0; j < count; ++j) phi(j) = (power *= x(0) * x(0)) * (unit.empty() ? 1.0 : unit[static_cast<std::size_t>(j)]);
  });
}

inline std::vector<double> inverse_squared_moments(Index count) {
  std::vector<double> w;
  for (Index j = 1; j <= count; ++j) w.push_back(1 / (even_moment(j) * even_moment(j)));
  return w;
}

/// Tip displacement of the cantilever, inputs (F_X, F_Y, E, w, t, L) with E in GPa; absurd sections (w, t <= 0) are ten sigma away.
inline std::shared_ptr<const Model> cantilever_tip() {
  return make_model(6, {"tip"}, [](const ConstMatrix& x, MutMatrix out) {
    for (Index i = 0; i < x.cols(); ++i) {
      const double w2 = x(3, i) * x(3, i), t2 = x(4, i) * x(4, i);
      out(0, i) = 4 * std::pow(x(5, i), 3) / (x(2, i) * 1e9 * x(3, i) * x(4, i)) * std::hypot(x(0, i) / w2, x(1, i) / t2);
    }
  });
}

/// Law of the cantilever's inputs from the nine parameters of case B.
inline JointLaw cantilever_law(const Eigen::VectorXd& p) {
  Eigen::MatrixXd r = Eigen::MatrixXd::Identity(6, 6);
  r(3, 4) = r(4, 3) = p(6);
  r(3, 5) = r(5, 3) = p(7);
  r(4, 5) = r(5, 4) = p(8);
  return JointLaw({{"F_X", lognormal_law_by_moments(p(0), 0.08)},
                   {"F_Y", lognormal_law_by_moments(p(1), 0.08)},
                   {"E", lognormal_law_by_moments(p(2), 0.06)},
                   {"w", normal_law(p(3), 0.1 * p(3))},
                   {"t", normal_law(p(4), 0.1 * p(4))},
                   {"L", normal_law(p(5), 0.1 * p(5))}},
                  r);
}

/// Case B: one function under `count` laws. The first three are the rows whose exact means are known (quadrature, 6 digits);
/// the others are a Latin hypercube sample of the parameters.
inline Problem cantilever_laws(Index count) {
  Eigen::MatrixXd p(9, count);
  Eigen::VectorXd low(9), high(9);
  low << 525, 425, 175, .06, .09, 4, -.6, 0, 0;
  high << 575, 475, 225, .07, .10, 5, 0, .5, .5;
  Eigen::MatrixXd u(9, count), v(9, count);
  Stream(20221201).peek("jitter").uniforms(0, u);
  Stream(20221201).peek("order").uniforms(0, v);
  for (Index r = 0; r < 9; ++r) {
    for (Index c = 0; c < count; ++c) {
      const auto rank = static_cast<double>((v.row(r).array() < v(r, c)).count());
      p(r, c) = low(r) + (high(r) - low(r)) * (rank + u(r, c)) / static_cast<double>(count);
    }
  }
  p.col(0) << 527.491, 473.331, 215.519, .069111, .093222, 4.26196, -.352268, .221222, .169939;
  p.col(1) << 554.868, 449.497, 199.827, .062013, .094686, 4.34029, -.520221, .208799, .085248;
  p.col(2) << 542.106, 433.502, 196.584, .064533, .092167, 4.68473, -.159795, .030846, .190868;
  std::vector<Scenario> scenarios;
  for (Index c = 0; c < count; ++c) scenarios.push_back({"law" + std::to_string(c + 1), cantilever_law(p.col(c))});
  std::vector<std::string> inputs = scenarios.front().law.names();
  return Problem(CheckedModel(cantilever_tip(), inputs), {{"tip", false}}, std::move(scenarios));
}
inline constexpr double cantilever_exact[3] = {0.029762, 0.045945, 0.054235};

/// Event "β − sum(x)/√d < 0" of N(0, I_d): probability Φ(−β), level sum(x)/√d − β.
inline Problem linear_event(Index dimension, std::vector<double> betas, std::vector<double> directions = {}) {
  std::vector<Input> inputs;
  std::vector<std::string> outputs;
  std::vector<Quantity> quantities;
  for (Index i = 0; i < dimension; ++i) inputs.push_back({"x" + std::to_string(i + 1), normal_law(0, 1)});
  for (std::size_t k = 0; k < betas.size(); ++k) {
    outputs.push_back("p" + std::to_string(k + 1));
    quantities.push_back({outputs.back(), true});
  }
  if (directions.empty()) directions.assign(betas.size(), 1.0);
  const JointLaw law(std::move(inputs));
  auto model = make_model(dimension, outputs, [betas, directions](const ConstMatrix& x, MutMatrix out) {
    const double root = std::sqrt(static_cast<double>(x.rows()));
    for (std::size_t k = 0; k < betas.size(); ++k) out.row(static_cast<Index>(k)) = (directions[k] / root * x.colwise().sum()).array() - betas[k];
  });
  const auto names = law.names();
  return Problem(CheckedModel(model, names), quantities, {{"law", law}});
}

}  // namespace buffon::testing
