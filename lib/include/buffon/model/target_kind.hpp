// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/core/options.hpp>
#include <buffon/model/target.hpp>

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace buffon {

/// What the maker of a target may need to know besides its own options.
struct TargetSetting {
  std::vector<Parameter> parameters;     ///< of the sections [[parameters]]; empty = those of the kind itself
  std::filesystem::path base_directory;  ///< of the configuration file; relative paths start here
  std::filesystem::path run_directory;   ///< where logs of child processes go; empty = nowhere
  bool reject_failures = false;          ///< a point at which an outside model fails is outside the support (NaN), instead of ending the run
};

/// A density with the names of what it takes, before the configuration adds start and generated quantities.
struct MadeDensity {
  std::shared_ptr<const LogDensity> density;
  std::vector<Parameter> parameters;
  std::shared_ptr<const Model> generated = nullptr;
  StartPolicy start = {};
};

/// A kind of density as a configuration names it (`[density] kind = "expression"`).
struct TargetKind {
  std::string name;
  std::string summary;
  std::function<void(OptionVisitor&)> describe;  ///< visits default options
  std::function<MadeDensity(OptionVisitor&, const TargetSetting&)> make;
  bool own_parameters = false;  ///< the kind knows its parameters; [[parameters]] is refused
};

/// named, expression, process, plugin, umbridge, regression; the order is that of `buffon list densities`.
const std::vector<TargetKind>& target_kinds();

/// Components of the parameters as expressions call them: NAME, or NAME_1 … NAME_K.
std::vector<std::string> expression_names(const std::vector<Parameter>& parameters);

/// The log density that an expression of the components says.
/// @throws Error(configuration) with the position in the expression and what was expected
std::shared_ptr<const LogDensity> expression_density(const std::vector<Parameter>& parameters, const std::string& log_density);

/// A column of draws that is an expression of the components and of the columns that the density brings itself.
struct GeneratedQuantity {
  std::string name;
  std::string expression;
  bool event = false;  ///< 1 where the expression is greater than 0, else 0; NaN where it is not a number
};

/// The columns of `own` (null = none), then the quantities; names of columns stand in expressions with _ in the place of a dot.
/// @throws Error(configuration) with the position in the expression and what was expected
std::shared_ptr<const Model> generated_quantities(const std::vector<Parameter>& parameters, std::shared_ptr<const Model> own,
                                                  const std::vector<GeneratedQuantity>& quantities);

/// A number that is known about a named density: "mean(theta.1)", "std_dev(mu)", "quantile(x.1, 0.05)", "probability(…)".
struct KnownMoment {
  std::string quantity;
  double value;
  std::string source;
};

/// A density that a configuration may name.
struct NamedDensity {
  std::string name;
  std::string summary;          ///< one sentence with source
  bool sized = false;           ///< `dimension` may be chosen
  Index default_dimension = 0;  ///< where it may
  bool needs_data = false;      ///< `data`, a JSON file, must be given
  std::function<MadeDensity(Index dimension, const std::filesystem::path& data)> make;
  std::vector<KnownMoment> known;  ///< at the default dimension
};
const std::vector<NamedDensity>& named_densities();
/// @throws Error(configuration) with the nearest name
const NamedDensity& named_density(std::string_view name);

}  // namespace buffon
