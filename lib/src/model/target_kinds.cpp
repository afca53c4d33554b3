// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/core/error.hpp>
#include <buffon/model/density_plugin.hpp>
#include <buffon/model/process_model.hpp>
#include <buffon/model/target_kind.hpp>
#include <buffon/model/umbridge_model.hpp>

#include "constraint.hpp"
#include "outside_density.hpp"
#include "regression_kind.hpp"

#include <string_view>
#include <utility>

namespace buffon {
namespace {

struct NamedDensityOptions {
  std::string name;
  std::int64_t dimension = 0;
  std::string data;
};

void describe(OptionVisitor& v, NamedDensityOptions& o) {
  std::vector<std::string_view> names;
  for (const auto& density : named_densities()) names.push_back(density.name);
  v.on({.name = "name", .meaning = "the named density", .choices = names, .required = true}, o.name);
  v.on({.name = "dimension", .meaning = "number of its parameters, where they may be chosen; 0 = the usual number", .range = between(0, 1e6)}, o.dimension);
  v.on({.name = "data", .meaning = "JSON file with the data, relative to this file, for densities that need one"}, o.data);
}

MadeDensity make(const NamedDensityOptions& options, const TargetSetting& setting) {
  const NamedDensity& density = named_density(options.name);
  const auto refuse = [&](std::string key, std::string value, std::string rule, std::string remedy) {
    throw Error(ErrorCategory::configuration, {.doing = "making the density " + density.name,
                                               .key = std::move(key),
                                               .value = std::move(value),
                                               .rule = std::move(rule),
                                               .remedy = std::move(remedy)});
  };
  if (options.dimension > 0 && !density.sized) {
    refuse("dimension", std::to_string(options.dimension), "cannot be chosen, the density has its own", "Leave it out");
  }
  if (density.needs_data && options.data.empty()) {
    refuse("data", {}, "is required and missing", "Give the JSON file with the data, see `buffon explain " + density.name + "`");
  }
  if (!density.needs_data && !options.data.empty()) refuse("data", "\"" + options.data + "\"", "has no meaning for a density without data", "Leave it out");
  const auto dimension = static_cast<Index>(options.dimension > 0 ? options.dimension : density.default_dimension);
  return density.make(dimension, options.data.empty() ? std::filesystem::path() : setting.base_directory / options.data);
}

struct ExpressionDensityOptions {
  std::string log_density;
};

void describe(OptionVisitor& v, ExpressionDensityOptions& o) {
  v.on(
      {.name = "log_density",
       .meaning = "logarithm of the density up to a constant, an expression of the parameters; -inf outside the support. A vector theta is theta_1, theta_2, …",
       .required = true},
      o.log_density);
}

MadeDensity make(const ExpressionDensityOptions& options, const TargetSetting& setting) {
  try {
    return {.density = expression_density(setting.parameters, options.log_density), .parameters = setting.parameters};
  } catch (const Error& error) {
    if (!error.text().key.empty()) throw;
    throw error.at({}, "log_density");
  }
}

/// Options of a model outside the library, as those of a density: it has one output.
struct ProgramDensityOptions : ProcessModelOptions {};
struct ServerDensityOptions : UmbridgeModelOptions {};

void describe(OptionVisitor& v, ProgramDensityOptions& o) { describe_program(v, o); }
void describe(OptionVisitor& v, ServerDensityOptions& o) { describe_server(v, o); }

ModelSetting model_setting(const TargetSetting& setting) {
  return {.input_names = detail::component_names(setting.parameters),
          .base_directory = setting.base_directory,
          .run_directory = setting.run_directory,
          .log_density = true};
}

MadeDensity make(const ProgramDensityOptions& options, const TargetSetting& setting) {
  ProcessModelOptions program = options;
  program.outputs = {"log_density"};
  return {.density = detail::outside_density(process_model(program, model_setting(setting)), setting), .parameters = setting.parameters};
}

MadeDensity make(const ServerDensityOptions& options, const TargetSetting& setting) {
  return {.density = detail::outside_density(umbridge_model(options, model_setting(setting)), setting), .parameters = setting.parameters};
}

MadeDensity make(const DensityPluginOptions& options, const TargetSetting& setting) { return density_plugin(options, setting); }

template <class Options>
TargetKind kind(std::string name, std::string summary, bool own_parameters) {
  return {std::move(name), std::move(summary),
          [](OptionVisitor& visitor) {
            Options options;
            describe(visitor, options);
          },
          [](OptionVisitor& visitor, const TargetSetting& setting) {
            Options options;
            describe(visitor, options);
            return make(options, setting);
          },
          own_parameters};
}

}  // namespace

const std::vector<TargetKind>& target_kinds() {
  static const std::vector<TargetKind> kinds = {
      kind<NamedDensityOptions>("named", "A density that buffon knows, with its parameters", true),
      kind<ExpressionDensityOptions>("expression", "A formula of the parameters", false),
      kind<ProgramDensityOptions>("process", "A program of yours that answers requests as lines of JSON on its standard input and output", false),
      kind<DensityPluginOptions>("plugin", "A shared library of yours with a C interface", true),
      kind<ServerDensityOptions>("umbridge", "A density that a server offers over HTTP (UM-Bridge 1.0)", false),
      kind<detail::RegressionOptions>("regression", "The posterior of a generalised linear model for a CSV file: logistic, Poisson or Gaussian", true),
  };
  return kinds;
}

}  // namespace buffon
