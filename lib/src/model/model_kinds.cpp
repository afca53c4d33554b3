// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/core/error.hpp>
#include <buffon/model/model_kind.hpp>
#include <buffon/model/process_model.hpp>
#include <buffon/model/umbridge_model.hpp>

#include "expressions.hpp"

namespace buffon {
namespace {

struct NamedModelOptions {
  std::string name;
};

void describe(OptionVisitor& v, NamedModelOptions& o) {
  std::vector<std::string_view> names;
  for (const auto& problem : named_problems()) names.push_back(problem.name);
  v.on({.name = "name", .meaning = "the named problem", .choices = names, .required = true}, o.name);
}

std::shared_ptr<const Model> make(const NamedModelOptions& options, const ModelSetting& setting) {
  auto model = named_problem(options.name).model();
  if (static_cast<Index>(setting.input_names.size()) != model->input_size()) {
    throw Error(ErrorCategory::configuration, {.doing = "making the model",
                                               .key = "inputs",
                                               .value = std::to_string(setting.input_names.size()) + " inputs",
                                               .rule = "must be the " + std::to_string(model->input_size()) + " inputs of " + options.name,
                                               .remedy = "Leave out [[inputs]] to use those of the problem"});
  }
  return model;
}

struct ExpressionModelOptions {
  std::vector<std::string> outputs;
};

void describe(OptionVisitor& v, ExpressionModelOptions& o) {
  v.on({.name = "outputs",
        .meaning = "outputs as \"name = expression\"; an expression may use the inputs and the outputs before it",
        .required = true,
        .size_min = 1},
       o.outputs);
}

std::shared_ptr<const Model> make(const ExpressionModelOptions& options, const ModelSetting& setting) {
  std::vector<std::string> names, expressions;
  const auto key = [](std::size_t entry) { return "outputs[" + std::to_string(entry) + "]"; };
  for (const auto& output : options.outputs) {
    const std::size_t equal = output.find('=');
    const auto trimmed = [](std::string text) {
      const std::size_t first = text.find_first_not_of(" \t\r\n");
      if (first == std::string::npos) return std::string{};
      return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
    };
    if (equal == std::string::npos || trimmed(output.substr(0, equal)).empty()) {
      throw Error(ErrorCategory::configuration, {.doing = "reading the outputs of the model",
                                                 .key = key(names.size()),
                                                 .value = "\"" + output + "\"",
                                                 .rule = "must have the form \"name = expression\"",
                                                 .remedy = "For example \"y = 2 * x\""});
    }
    names.push_back(trimmed(output.substr(0, equal)));
    expressions.push_back(trimmed(output.substr(equal + 1)));
  }
  try {
    return expression_model(setting.input_names, names, expressions);
  } catch (const Error&) {
    // The fault lies in the first entry that cannot follow those before it; without any entry, in the inputs.
    for (std::size_t n = 1; n <= names.size(); ++n) {
      const auto end = static_cast<std::ptrdiff_t>(n);
      try {
        expression_model(setting.input_names, {names.begin(), names.begin() + end}, {expressions.begin(), expressions.begin() + end});
      } catch (const Error& error) {
        if (error.text().key == "input") throw;
        throw error.at({}, key(n - 1));
      }
    }
    throw;
  }
}

std::shared_ptr<const Model> make(const ProcessModelOptions& options, const ModelSetting& setting) { return process_model(options, setting); }

std::shared_ptr<const Model> make(const UmbridgeModelOptions& options, const ModelSetting& setting) { return umbridge_model(options, setting); }

template <class Options>
ModelKind kind(std::string name, std::string summary) {
  return {std::move(name), std::move(summary),
          [](OptionVisitor& visitor) {
            Options options;
            describe(visitor, options);
          },
          [](OptionVisitor& visitor, const ModelSetting& setting) {
            Options options;
            describe(visitor, options);
            return make(options, setting);
          }};
}

}  // namespace

const std::vector<ModelKind>& model_kinds() {
  static const std::vector<ModelKind> kinds = {
      kind<NamedModelOptions>("named", "A problem that buffon knows, with the law of its inputs"),
      kind<ExpressionModelOptions>("expression", "Formulas of the inputs"),
      kind<ProcessModelOptions>("process", "A program of yours that answers requests as lines of JSON on its standard input and output"),
      kind<UmbridgeModelOptions>("umbridge", "A model that a server offers over HTTP (UM-Bridge 1.0)"),
  };
  return kinds;
}

}  // namespace buffon
