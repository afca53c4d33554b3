// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/core/constants.hpp>
#include <buffon/core/error.hpp>
#include <buffon/model/target.hpp>

#include "constraint.hpp"

#include <cmath>
#include <string_view>
#include <unordered_set>
#include <utility>

namespace buffon {
namespace {

using constants::infinity;
constexpr Index max_components = 10'000'000;

[[noreturn]] void refuse_target(std::string key, std::string value, std::string rule, std::string remedy) {
  throw Error(ErrorCategory::configuration,
              {.doing = "making the target", .key = std::move(key), .value = std::move(value), .rule = std::move(rule), .remedy = std::move(remedy)});
}

/// All parameters side by side. @returns the log Jacobian
double constrain_all(const std::vector<Parameter>& parameters, const double* y, double* x) {
  double log_jacobian = 0;
  for (const auto& parameter : parameters) {
    log_jacobian += detail::constrain(parameter, y, x);
    y += detail::free_count(parameter);
    x += parameter.count();
  }
  return log_jacobian;
}

/// log p(x(y)) + log |∂x/∂y|. A point where x overflows or y is not finite is outside the support, and the density is not asked there.
class UnconstrainedDensity final : public LogDensity {
 public:
  UnconstrainedDensity(std::shared_ptr<const LogDensity> density, std::vector<Parameter> parameters, Index dimension)
      : density_(std::move(density)), parameters_(std::move(parameters)), dimension_(dimension) {}

  Index dimension() const override { return dimension_; }

  void evaluate(const ConstMatrix& y, MutVector values, const std::stop_token& stop) const override {
    Eigen::MatrixXd x(density_->dimension(), y.cols());
    Eigen::VectorXd log_jacobians(y.cols()), found(y.cols());
    Index inside = 0;
    for (Index i = 0; i < y.cols(); ++i) {
      values(i) = y.col(i).allFinite() ? constrain_all(parameters_, y.col(i).data(), x.col(inside).data()) : -infinity;
      if (values(i) > -infinity) log_jacobians(inside++) = values(i);
    }
    if (inside == 0) return;
    density_->evaluate(x.leftCols(inside), found.head(inside), stop);
    Index next = 0;
    for (Index i = 0; i < y.cols(); ++i) {
      if (!(values(i) > -infinity)) continue;
      values(i) = found(next) + log_jacobians(next);
      ++next;
    }
  }

  double at(const Eigen::VectorXd& y, const std::stop_token& stop) const override {
    Eigen::VectorXd x(density_->dimension());
    return at(y, x, stop);
  }

  /// @param x room for the components
  double at(const Eigen::VectorXd& y, Eigen::VectorXd& x, const std::stop_token& stop) const {
    if (!y.allFinite()) return -infinity;
    const double log_jacobian = constrain_all(parameters_, y.data(), x.data());
    return log_jacobian > -infinity ? density_->at(x, stop) + log_jacobian : -infinity;
  }

  std::unique_ptr<DensityProbe> probe() const override;

 private:
  std::shared_ptr<const LogDensity> density_;
  std::vector<Parameter> parameters_;
  Index dimension_;
};

/// Keeps room for the components, so that nothing is allocated per evaluation.
class UnconstrainedProbe final : public DensityProbe {
 public:
  UnconstrainedProbe(const UnconstrainedDensity& density, Index components)
      : density_(density), centre_(Eigen::VectorXd::Zero(density.dimension())), first_(centre_), second_(centre_), y_(centre_), x_(components) {}

  void set_centre(const Eigen::VectorXd& centre) override { centre_ = centre; }
  void set_first(const Eigen::VectorXd& u) override { first_ = u; }
  void set_second(const Eigen::VectorXd& v) override { second_ = v; }
  void turn(double a, double b) override { first_ = a * first_ + b * second_; }
  double at(double a, double b, const std::stop_token& stop) override {
    point(a, b, y_);
    return density_.at(y_, x_, stop);
  }
  void point(double a, double b, Eigen::VectorXd& y) const override { y = centre_ + (a * first_ + b * second_); }

 private:
  const UnconstrainedDensity& density_;
  Eigen::VectorXd centre_, first_, second_, y_, x_;
};

std::unique_ptr<DensityProbe> UnconstrainedDensity::probe() const { return std::make_unique<UnconstrainedProbe>(*this, density_->dimension()); }

bool has_lower(Constraint c) { return c == Constraint::lower || c == Constraint::interval; }
bool has_upper(Constraint c) { return c == Constraint::upper || c == Constraint::interval; }

void check(const Parameter& p, std::size_t entry, std::size_t entries) {
  const auto fail = [&](const char* key, std::string value, std::string rule, std::string remedy) {
    refuse_target("parameters[" + std::to_string(entry) + "]." + key, std::move(value), std::move(rule), std::move(remedy));
  };
  if (!detail::is_name(p.name)) {
    fail("name", "\"" + p.name + "\"", "must consist of letters, digits and _, with no digit first and no __ at the end", "For example \"sigma_1\"");
  }
  if (p.size < 0 || p.size > max_components) {
    fail("size", std::to_string(p.size), "must be between 0 and " + std::to_string(max_components), "0 stands for a single number");
  }
  const std::string constraint(constraint_names()[static_cast<std::size_t>(p.constraint)]);
  if ((p.constraint == Constraint::simplex || p.constraint == Constraint::unit_vector) && p.size < 2) {
    fail("size", std::to_string(p.size), "must be at least 2 under the constraint " + constraint, "Give the number of components");
  }
  if ((p.constraint == Constraint::ordered || p.constraint == Constraint::positive_ordered) && p.size < 1) {
    fail("size", std::to_string(p.size), "must be at least 1 under the constraint " + constraint, "Give the number of components");
  }
  if (p.constraint == Constraint::unit_vector && entries > 1) {
    fail("constraint", constraint, "must be that of the only parameter", "Samplers on the sphere take one vector; leave out the other parameters");
  }
  const auto bound = [&](const char* key, double value, double absent, bool used) {
    if (used && !std::isfinite(value)) {
      fail(key, to_text(value), "must be a finite number under the constraint " + constraint, std::string("Give ") + key + ", or another constraint");
    }
    if (!used && value != absent) {
      fail(key, to_text(value), "has no meaning under the constraint " + constraint,
           "Leave it out, or say constraint = \"" + std::string(has_lower(p.constraint) || has_upper(p.constraint) ? "interval" : key) + "\"");
    }
  };
  bound("lower", p.lower, -infinity, has_lower(p.constraint));
  bound("upper", p.upper, infinity, has_upper(p.constraint));
  if (p.constraint == Constraint::interval && !(std::nextafter(p.lower, infinity) < p.upper && std::isfinite(p.upper - p.lower))) {
    fail("upper", to_text(p.upper), "must be greater than lower = " + to_text(p.lower) + ", at a distance that a double holds",
         "Give the larger bound as upper");
  }
}

void check(const StartPolicy& start, const Target& target) {
  switch (start.kind) {
    case StartPolicy::Kind::overdispersed:
      if (!(start.radius > 0 && std::isfinite(start.radius)))
        refuse_target("start.radius", to_text(start.radius), "must be positive and finite", "2 is the default");
      break;
    case StartPolicy::Kind::given: {
      if (start.points.empty()) refuse_target("start.points", "none", "must hold at least one point", "Give one for all chains, or one for each");
      Eigen::VectorXd y(target.dimension());
      for (std::size_t i = 0; i < start.points.size(); ++i) {
        const std::string key = "start.points[" + std::to_string(i) + "]";
        if (start.points[i].size() != target.size()) {
          refuse_target(key, std::to_string(start.points[i].size()) + " numbers",
                        "must have one number for each of the " + std::to_string(target.size()) + " components", "They stand in the order of the parameters");
        }
        try {
          target.unconstrain(start.points[i], y);
        } catch (const Error& error) {
          const ErrorText& text = error.text();
          refuse_target(key, "a point with " + text.key + " = " + text.value, "lies outside: " + text.key + " " + text.rule, text.remedy);
        }
      }
      break;
    }
    case StartPolicy::Kind::law:
      if (start.law.size() != target.size()) {
        refuse_target("start.laws", std::to_string(start.law.size()) + " laws", "must be one for each of the " + std::to_string(target.size()) + " components",
                      "They stand in the order of the parameters");
      }
      break;
  }
  if (start.retries < 0) refuse_target("start.retries", std::to_string(start.retries), "must not be negative", "100 is the default");
}

/// NAME and k of NAME.k, k ≥ 1 without leading zeros; k = 0 for a name without a number.
std::pair<std::string_view, Index> split(std::string_view name) {
  const std::size_t dot = name.rfind('.');
  if (dot == std::string_view::npos || dot + 1 == name.size() || name.size() - dot > 9 || name[dot + 1] == '0') return {name, 0};
  Index number = 0;
  for (const char c : name.substr(dot + 1)) {
    if (c < '0' || c > '9') return {name, 0};
    number = 10 * number + (c - '0');
  }
  return {name.substr(0, dot), number};
}

}  // namespace

Target::Target(std::shared_ptr<const LogDensity> density, std::vector<Parameter> parameters, StartPolicy start, std::shared_ptr<const Model> generated)
    : density_(std::move(density)), parameters_(std::move(parameters)), start_(std::move(start)), generated_(std::move(generated)) {
  if (!density_) refuse_target("density", "none", "must be given", "make_log_density makes one of a function");
  if (parameters_.empty()) refuse_target("parameters", "none", "must be at least one", "Name what the density takes");
  bool identity = true;
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    const Parameter& parameter = parameters_[i];
    check(parameter, i, parameters_.size());
    identity = identity && (parameter.constraint == Constraint::none || parameter.constraint == Constraint::unit_vector);
    dimension_ += detail::free_count(parameter);
    size_ += parameter.count();
    if (size_ > max_components) {
      refuse_target("parameters[" + std::to_string(i) + "].size", std::to_string(parameter.size),
                    "must leave at most " + std::to_string(max_components) + " components in all", "Give fewer");
    }
  }
  if (size_ != density_->dimension()) {
    refuse_target("parameters", std::to_string(size_) + " components in all",
                  "must be the " + std::to_string(density_->dimension()) + " that the density takes", "Change the sizes of the parameters");
  }
  names_ = detail::component_names(parameters_);
  if (generated_) {
    if (generated_->input_size() != size_) {
      refuse_target("quantities", std::to_string(generated_->input_size()) + " inputs", "must be functions of the " + std::to_string(size_) + " components",
                    "Make them from the names of the target");
    }
    for (const auto& name : generated_->output_names()) {
      if (!detail::is_name(split(name).first)) {
        refuse_target("quantities", "\"" + name + "\"", "must consist of letters, digits and _, with no digit first and no __ at the end, then perhaps .k",
                      "Choose another name");
      }
      names_.push_back(name);
    }
  }
  std::unordered_set<std::string> seen;
  for (const auto& variable : variables()) {
    if (!seen.insert(variable.name).second) {
      refuse_target("name", "\"" + variable.name + "\"", "must not be that of another parameter or quantity", "Choose another name");
    }
  }
  unconstrained_ = identity ? density_ : std::make_shared<UnconstrainedDensity>(density_, parameters_, dimension_);
  check(start_, *this);
}

Target::Target(std::shared_ptr<const LogDensity> density, const std::string& name)
    : Target(density, std::vector<Parameter>{{.name = name, .size = density ? density->dimension() : 1}}) {}

bool Target::on_sphere() const { return parameters_.front().constraint == Constraint::unit_vector; }

std::vector<Parameter> Target::variables() const {
  std::vector<Parameter> all = parameters_;
  for (auto name = names_.begin() + size_; name != names_.end(); ++name) {
    const auto [base, number] = split(*name);
    if (number == 0) {
      all.push_back({.name = *name});
    } else if (number == 1) {
      all.push_back({.name = std::string(base), .size = 1});
    } else if (all.back().name == base && all.back().size == number - 1 && name != names_.begin() + size_) {
      all.back().size = number;
    } else {
      all.push_back({.name = *name});
    }
  }
  return all;
}

void Target::constrain(const ConstVector& y, MutVector x) const { constrain_all(parameters_, y.data(), x.data()); }

void Target::unconstrain(const ConstVector& x, MutVector y) const {
  const double* from = x.data();
  double* to = y.data();
  for (const auto& parameter : parameters_) {
    detail::unconstrain(parameter, from, to);
    from += parameter.count();
    to += detail::free_count(parameter);
  }
}

void Target::stored(const ConstVector& y, MutVector out, const std::stop_token& stop) const {
  constrain(y, out.head(size_));
  if (!generated_) return;
  generated_->evaluate(out.head(size_), out.tail(generated_->output_size()), stop);
}

}  // namespace buffon
