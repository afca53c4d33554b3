// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/core/error.hpp>
#include <buffon/model/model.hpp>
#include <buffon/model/nested_expressions.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "guarded.hpp"
#include "path_law.hpp"

namespace buffon {
namespace detail {
namespace {

const std::string inner_name = "z";

std::string place(std::size_t stage) { return "stages[" + std::to_string(stage) + "]"; }
std::string place(std::size_t stage, std::size_t variable) { return place(stage) + ".variables[" + std::to_string(variable) + "]"; }

/// The place of the parameter that a law names in its error; of the variable where it names several or none.
std::string place(std::size_t stage, std::size_t variable, const std::string& key) {
  return place(stage, variable) + (key.empty() || key.find(',') != std::string::npos ? "" : "." + key);
}

[[noreturn]] void refuse_nested(std::string key, std::string value, std::string rule, std::string remedy = {}) {
  throw Error(ErrorCategory::configuration, {.doing = "making a nested problem from expressions",
                                             .key = std::move(key),
                                             .value = std::move(value),
                                             .rule = std::move(rule),
                                             .remedy = std::move(remedy)});
}

class ExpressionNested final : public NestedProblem {
 public:
  explicit ExpressionNested(std::vector<NestedStage> stages) {
    if (stages.empty()) refuse_nested("stages", {}, "must hold at least one stage", "give one stage per depth, the outermost first");
    if (stages.size() > max_nested_stages) {
      refuse_nested("stages", std::to_string(stages.size()) + " stages", "must be at most " + std::to_string(max_nested_stages));
    }
    for (std::size_t d = 0; d < stages.size(); ++d) add(d, std::move(stages[d]), d + 1 == stages.size());
  }

  Index depth() const override { return static_cast<Index>(stages_.size()) - 1; }
  const std::vector<std::string>& names(Index d) const override { return at(d).names; }
  Index normals(Index d) const override { return static_cast<Index>(at(d).names.size()); }

  void sample(Index d, const ConstMatrix& past, const ConstMatrix& z, MutMatrix y) const override {
    const Stage& stage = at(d);
    for (Index k = 0; k < y.rows(); ++k) {
      Eigen::VectorXd u = z.row(k);
      try {
        stage.laws[static_cast<std::size_t>(k)].draw(past, y.topRows(k), u);
      } catch (const PathLaw::Fault& fault) {
        Eigen::VectorXd path(past.rows() + k);
        path << past.col(fault.column), y.col(fault.column).head(k);
        fail(stage.names[static_cast<std::size_t>(k)], fault.error, std::move(path));
      }
      y.row(k) = u;
    }
  }

  void link(Index d, const ConstMatrix& path, const ConstVector& inner, MutVector out) const override {
    Eigen::Map<Eigen::MatrixXd> values(out.data(), 1, out.size());
    if (d == depth()) {
      at(d).link->evaluate(path, Eigen::MatrixXd(0, out.size()), values);
    } else {
      at(d).link->evaluate(path, Eigen::Map<const Eigen::MatrixXd>(inner.data(), 1, inner.size()), values);
    }
  }

 private:
  struct Stage {
    std::vector<std::string> names;
    std::vector<PathLaw> laws;
    std::unique_ptr<const Expressions> link;
  };
  const Stage& at(Index d) const { return stages_[static_cast<std::size_t>(d)]; }

  void add(std::size_t d, NestedStage given, bool last) {
    Stage stage;
    for (std::size_t k = 0; k < given.variables.size(); ++k) {
      NestedVariable& variable = given.variables[k];
      const std::string key = place(d, k) + ".name";
      if (known_.size() == max_nested_variables) {
        refuse_nested(place(d) + ".variables", std::to_string(max_nested_variables + 1) + " variables",
                      "must be at most " + std::to_string(max_nested_variables));
      }
      if (variable.name == inner_name) refuse_nested(key, "\"z\"", "is the name of the inner value in links", "give the variable another name");
      try {
        check_variable_name(variable.name, "name");
      } catch (const Error& error) {
        throw error.at({}, key);
      }
      if (std::find(known_.begin(), known_.end(), variable.name) != known_.end()) {
        refuse_nested(key, "\"" + variable.name + "\"", "is already the name of another variable", "give every one its own name");
      }
      stage.names.push_back(variable.name);
      try {
        stage.laws.emplace_back(std::move(variable), known_);
      } catch (const Error& error) {
        throw error.at({}, place(d, k, error.text().key));
      }
      known_.push_back(stage.names.back());
    }
    stage.link = make_link(d, given.link, last);
    stages_.push_back(std::move(stage));
  }

  std::unique_ptr<const Expressions> make_link(std::size_t d, const std::string& text, bool last) const {
    std::vector<std::string> variables = known_;
    if (!last) variables.push_back(inner_name);
    const std::string key = place(d) + ".link";
    try {
      return std::make_unique<const Expressions>(variables, std::vector{key}, std::vector{text}, false);
    } catch (const Error& error) {
      if (last && uses_inner(text))
        refuse_nested(key, "\"" + text + "\"", "uses z, but the last stage has no inner value", "give its link by the variables alone");
      throw error.at({}, key);
    }
  }

  /// An expression of the variables and z, though not of the variables alone.
  bool uses_inner(const std::string& text) const {
    std::vector<std::string> variables = known_;
    variables.push_back(inner_name);
    try {
      check_expression("link", text, variables);
    } catch (const Error&) {
      return false;
    }
    return true;
  }

  [[noreturn]] void fail(const std::string& variable, const Error& error, Eigen::VectorXd path) const {
    const std::vector<std::string> names(known_.begin(), known_.begin() + path.size());
    ErrorText text = error.text();
    text.doing = "drawing " + variable + " at the path " + describe_point(names, path);
    throw ModelError(std::move(text), names, std::move(path), {variable}, Eigen::VectorXd::Constant(1, std::numeric_limits<double>::quiet_NaN()),
                     error.text().rule);
  }

  std::vector<Stage> stages_;
  std::vector<std::string> known_;  ///< all variables, outermost first
};

/// Draws one path. Where a law refuses its parameters, the place of that law is at fault.
void try_path(const NestedProblem& problem) {
  Eigen::MatrixXd path(0, 1);
  for (Index d = 0; d <= problem.depth(); ++d) {
    const auto& names = problem.names(d);
    const auto size = static_cast<Index>(names.size());
    Eigen::VectorXd z(size);
    for (Index k = 0; k < size; ++k) z(k) = (k + d) % 2 == 0 ? 0.3 : -0.2;  // no path of measure zero
    Eigen::MatrixXd y(size, 1);
    try {
      problem.sample(d, path, z, y);
    } catch (const ModelError& error) {
      const auto k = static_cast<std::size_t>(std::find(names.begin(), names.end(), error.output_names().front()) - names.begin());
      throw Error(ErrorCategory::configuration, error.text()).at({}, place(static_cast<std::size_t>(d), k, error.text().key));
    }
    Eigen::MatrixXd longer(path.rows() + size, 1);
    longer << path, y;
    path = std::move(longer);
  }
}

}  // namespace
}  // namespace detail

std::shared_ptr<const NestedProblem> expression_nested_problem(std::vector<NestedStage> stages) {
  auto problem = std::make_shared<detail::ExpressionNested>(std::move(stages));
  detail::try_path(*problem);
  return problem;
}

}  // namespace buffon
