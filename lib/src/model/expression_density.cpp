// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/core/error.hpp>
#include <buffon/model/target_kind.hpp>

#include "constraint.hpp"
#include "expressions.hpp"

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

namespace buffon {
namespace {

std::string with_underscores(std::string name) {
  std::replace(name.begin(), name.end(), '.', '_');
  return name;
}

/// Names that expressions can use, all distinct.
std::vector<std::string> checked(std::vector<std::string> names) {
  std::set<std::string> seen;
  for (const auto& name : names) {
    detail::check_variable_name(name, "parameters");
    if (seen.insert(name).second) continue;
    throw Error(ErrorCategory::configuration, {.doing = "naming the variables of expressions",
                                               .key = "parameters",
                                               .value = "\"" + name + "\"",
                                               .rule = "is named twice",
                                               .remedy = "Components of a vector theta are called theta_1, theta_2, …; rename the other one"});
  }
  return names;
}

class ExpressionDensity final : public LogDensity {
 public:
  ExpressionDensity(std::vector<std::string> names, const std::string& text)
      : dimension_(static_cast<Index>(names.size())), none_(0, 1), expressions_(std::move(names), {"log_density"}, {text}, false) {}

  Index dimension() const override { return dimension_; }
  void evaluate(const ConstMatrix& x, MutVector values, const std::stop_token&) const override {
    expressions_.evaluate(x, Eigen::MatrixXd(0, x.cols()), Eigen::Map<Eigen::MatrixXd>(values.data(), 1, values.size()));
  }
  double at(const Eigen::VectorXd& x, const std::stop_token&) const override {
    double value = 0;
    expressions_.evaluate(x, none_, Eigen::Map<Eigen::MatrixXd>(&value, 1, 1));
    return value;
  }

 private:
  Index dimension_;
  Eigen::MatrixXd none_;
  detail::Expressions expressions_;
};

class GeneratedModel final : public Model {
 public:
  GeneratedModel(std::vector<std::string> variables, Index components, std::shared_ptr<const Model> own, const std::vector<GeneratedQuantity>& quantities)
      : components_(components), own_(std::move(own)), expressions_(std::move(variables), labels(quantities), texts(quantities), false) {
    if (own_) names_ = own_->output_names();
    for (const auto& quantity : quantities) {
      names_.push_back(quantity.name);
      events_.push_back(quantity.event);
    }
  }

  Index input_size() const override { return components_; }
  Index output_size() const override { return static_cast<Index>(names_.size()); }
  const std::vector<std::string>& output_names() const override { return names_; }
  std::vector<PointFailure> evaluate(const ConstMatrix& points, MutMatrix values, const std::stop_token& stop) const override {
    const Index brought = own_ ? own_->output_size() : 0, added = static_cast<Index>(events_.size());
    std::vector<PointFailure> failures;
    if (own_) failures = own_->evaluate(points, values.topRows(brought), stop);
    expressions_.evaluate(points, values.topRows(brought), values.bottomRows(added));
    for (Index q = 0; q < added; ++q) {
      if (!events_[static_cast<std::size_t>(q)]) continue;
      auto row = values.row(brought + q);
      for (Index i = 0; i < row.size(); ++i) row(i) = std::isnan(row(i)) ? row(i) : (row(i) > 0 ? 1 : 0);
    }
    return failures;
  }

 private:
  static std::vector<std::string> labels(const std::vector<GeneratedQuantity>& quantities) {
    std::vector<std::string> out;
    for (const auto& quantity : quantities) out.push_back(quantity.name);
    return out;
  }
  static std::vector<std::string> texts(const std::vector<GeneratedQuantity>& quantities) {
    std::vector<std::string> out;
    for (const auto& quantity : quantities) out.push_back(quantity.expression);
    return out;
  }

  Index components_;
  std::shared_ptr<const Model> own_;
  detail::Expressions expressions_;
  std::vector<std::string> names_;
  std::vector<bool> events_;
};

}  // namespace

std::vector<std::string> expression_names(const std::vector<Parameter>& parameters) {
  std::vector<std::string> names = detail::component_names(parameters);
  for (auto& name : names) name = with_underscores(std::move(name));
  return names;
}

std::shared_ptr<const LogDensity> expression_density(const std::vector<Parameter>& parameters, const std::string& log_density) {
  return std::make_shared<ExpressionDensity>(checked(expression_names(parameters)), log_density);
}

std::shared_ptr<const Model> generated_quantities(const std::vector<Parameter>& parameters, std::shared_ptr<const Model> own,
                                                  const std::vector<GeneratedQuantity>& quantities) {
  if (quantities.empty()) return own;
  std::vector<std::string> variables = expression_names(parameters);
  const auto components = static_cast<Index>(variables.size());
  if (own) {
    for (const auto& name : own->output_names()) variables.push_back(with_underscores(name));
  }
  return std::make_shared<GeneratedModel>(checked(std::move(variables)), components, std::move(own), quantities);
}

}  // namespace buffon
