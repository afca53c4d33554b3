// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/core/error.hpp>
#include <buffon/model/nested_problem.hpp>

#include <algorithm>
#include <set>
#include <utility>

#include "named_nested.hpp"

namespace buffon {
namespace {

class FunctionProblem : public NestedProblem {
 public:
  explicit FunctionProblem(NestedFunctions functions) : f_(std::move(functions)) {
    const auto refuse = [](std::string rule) { throw Error(ErrorCategory::usage, {.doing = "making a nested problem", .rule = std::move(rule)}); };
    if (f_.names.empty()) refuse("needs the names of the components of at least one depth");
    if (!f_.sample || !f_.link) refuse("needs the functions sample and link");
    std::set<std::string> seen;
    for (const auto& list : f_.names) {
      for (const std::string& name : list) {
        if (!seen.insert(name).second) refuse("the name " + name + " is used twice");
      }
    }
    if (f_.normals.empty()) {
      for (const auto& list : f_.names) f_.normals.push_back(static_cast<Index>(list.size()));
    }
    if (f_.normals.size() != f_.names.size()) refuse("normals must have one number per depth");
    if (*std::min_element(f_.normals.begin(), f_.normals.end()) < 0) refuse("numbers of normals must not be negative");
  }

  Index depth() const override { return static_cast<Index>(f_.names.size()) - 1; }
  const std::vector<std::string>& names(Index d) const override { return f_.names[static_cast<std::size_t>(d)]; }
  Index normals(Index d) const override { return f_.normals[static_cast<std::size_t>(d)]; }
  void sample(Index d, const ConstMatrix& past, const ConstMatrix& z, MutMatrix y) const override { f_.sample(d, past, z, y); }
  void link(Index d, const ConstMatrix& path, const ConstVector& inner, MutVector out) const override { f_.link(d, path, inner, out); }

 private:
  NestedFunctions f_;
};

}  // namespace

std::shared_ptr<const NestedProblem> make_nested_problem(NestedFunctions functions) { return std::make_shared<FunctionProblem>(std::move(functions)); }

const std::vector<NamedNestedProblem>& named_nested_problems() {
  static const std::vector<NamedNestedProblem> problems = [] {
    std::vector<NamedNestedProblem> all = detail::toy_nested_problems();
    for (auto& problem : detail::example_nested_problems()) all.push_back(std::move(problem));
    return all;
  }();
  return problems;
}

const NamedNestedProblem& named_nested_problem(std::string_view name) {
  const auto& problems = named_nested_problems();
  const auto found = std::find_if(problems.begin(), problems.end(), [&](const NamedNestedProblem& p) { return p.name == name; });
  if (found != problems.end()) return *found;
  std::vector<std::string_view> names;
  for (const auto& problem : problems) names.push_back(problem.name);
  const std::string_view near = nearest(name, names);
  throw Error(ErrorCategory::configuration, {.doing = "looking up a nested problem",
                                             .key = "name",
                                             .value = std::string(name),
                                             .rule = "is not the name of a nested problem",
                                             .remedy = near.empty() ? "`buffon list nested` shows them" : "did you mean " + std::string(near) + "?"});
}

}  // namespace buffon
