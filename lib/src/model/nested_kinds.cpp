// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/model/nested_kind.hpp>
#include <buffon/model/nested_plugin.hpp>

#include <string_view>
#include <utility>

namespace buffon {
namespace {

struct NamedNestedOptions {
  std::string name;
};

void describe(OptionVisitor& v, NamedNestedOptions& o) {
  std::vector<std::string_view> names;
  for (const auto& problem : named_nested_problems()) names.push_back(problem.name);
  v.on({.name = "name", .meaning = "the named nested problem", .choices = names, .required = true}, o.name);
}

std::shared_ptr<const NestedProblem> make(const NamedNestedOptions& options, const NestedSetting&) { return named_nested_problem(options.name).make(); }

struct ExpressionNestedOptions {};

void describe(OptionVisitor&, ExpressionNestedOptions&) {}

std::shared_ptr<const NestedProblem> make(const ExpressionNestedOptions&, const NestedSetting& setting) { return expression_nested_problem(setting.stages); }

std::shared_ptr<const NestedProblem> make(const NestedPluginOptions& options, const NestedSetting& setting) {
  return nested_plugin(options, setting.base_directory);
}

template <class Options>
NestedKind kind(std::string name, std::string summary, bool stages = false) {
  return {std::move(name), std::move(summary),
          [](OptionVisitor& visitor) {
            Options options;
            describe(visitor, options);
          },
          [](OptionVisitor& visitor, const NestedSetting& setting) {
            Options options;
            describe(visitor, options);
            return make(options, setting);
          },
          stages};
}

}  // namespace

const std::vector<NestedKind>& nested_kinds() {
  static const std::vector<NestedKind> kinds = {
      kind<NamedNestedOptions>("named", "A nested expectation that buffon knows"),
      kind<ExpressionNestedOptions>("expressions", "Laws and formulas, one [[stages]] per depth", true),
      kind<NestedPluginOptions>("plugin", "A shared library of yours with a C interface"),
  };
  return kinds;
}

}  // namespace buffon
