// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/core/types.hpp>
#include <buffon/model/joint_law.hpp>
#include <buffon/model/log_density.hpp>
#include <buffon/model/model.hpp>

#include <cstdint>
#include <limits>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace buffon {

/// Where a parameter may lie. Transforms to the whole line as in the Stan reference manual.
enum class Constraint {
  none,
  lower,             ///< x > lower: log(x − lower)
  upper,             ///< x < upper: log(upper − x)
  interval,          ///< lower < x < upper: logit
  simplex,           ///< K numbers > 0 with sum 1: stick breaking to K − 1 numbers
  ordered,           ///< x_1 < x_2 < …: first, then logs of the differences
  positive_ordered,  ///< 0 < x_1 < x_2 < …
  unit_vector        ///< |x| = 1: no transform; for samplers on the sphere only
};

/// Words of a configuration, in the order of Constraint.
const std::vector<std::string_view>& constraint_names();

/// A parameter of a density: one number, or several under one name and constraint.
struct Parameter {
  std::string name;  ///< letters, digits and _, not a digit first
  Index size = 0;    ///< 0 = a single number called NAME; K ≥ 1 = numbers NAME.1 … NAME.K
  Constraint constraint = Constraint::none;
  double lower = -std::numeric_limits<double>::infinity();
  double upper = std::numeric_limits<double>::infinity();

  Index count() const { return size == 0 ? 1 : size; }
};

/// Where chains begin.
struct StartPolicy {
  enum class Kind {
    overdispersed,  ///< uniform on (−radius, radius) on the unconstrained scale, drawn again up to `retries` times until log p is finite
    given,          ///< `points`
    law             ///< drawn from `law`, again up to `retries` times
  };
  Kind kind = Kind::overdispersed;
  double radius = 2;
  std::int64_t retries = 100;
  std::vector<Eigen::VectorXd> points = {};  ///< on the scale of the parameters; one for all chains, or one for each
  JointLaw law = {};                         ///< of all components in order, on the scale of the parameters
};

/// What a sampler works on: a density of named parameters under constraints, where chains begin, and what else is stored with every
/// draw. Kernels work on R^n, n = `dimension()`: the density there has the Jacobian of the transforms.
class Target {
 public:
  /// @param density   log p of the components of all parameters in order, under the constraints, with respect to their Lebesgue measure
  ///                  (simplex: the first K − 1 components; unit_vector: the surface measure)
  /// @param generated functions of the components, stored with every draw; null = none
  /// @throws Error(configuration) for sizes, names or bounds that do not fit
  Target(std::shared_ptr<const LogDensity> density, std::vector<Parameter> parameters, StartPolicy start = {},
         std::shared_ptr<const Model> generated = nullptr);
  /// Unconstrained components NAME.1 … NAME.d.
  explicit Target(std::shared_ptr<const LogDensity> density, const std::string& name = "x");

  Index dimension() const { return dimension_; }  ///< n, of the unconstrained space
  Index size() const { return size_; }            ///< components of the parameters
  const std::vector<Parameter>& parameters() const { return parameters_; }
  const StartPolicy& start() const { return start_; }
  const std::shared_ptr<const Model>& generated() const { return generated_; }
  bool constrained() const { return unconstrained_ != density_; }
  bool on_sphere() const;  ///< the one parameter is a unit_vector

  /// What is stored with every draw: components of the parameters, then generated quantities.
  const std::vector<std::string>& names() const { return names_; }
  /// The names as variables with their sizes, for files that hold arrays; generated NAME.1 … NAME.K in order are one.
  std::vector<Parameter> variables() const;

  /// log p on R^n with the log Jacobian; the density itself where nothing is constrained.
  const std::shared_ptr<const LogDensity>& unconstrained() const { return unconstrained_; }
  /// x (size) from y (n); bounds are never reached nor crossed by rounding.
  void constrain(const ConstVector& y, MutVector x) const;
  /// y from x. @throws Error(configuration) naming the component outside its constraint
  void unconstrain(const ConstVector& x, MutVector y) const;
  /// `names()` values of one draw. A generated quantity may be NaN.
  void stored(const ConstVector& y, MutVector out, const std::stop_token& stop) const;

 private:
  std::shared_ptr<const LogDensity> density_, unconstrained_;
  std::vector<Parameter> parameters_;
  StartPolicy start_;
  std::shared_ptr<const Model> generated_;
  std::vector<std::string> names_;
  Index dimension_ = 0, size_ = 0;
};

}  // namespace buffon
