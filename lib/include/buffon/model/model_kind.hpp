// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/core/options.hpp>
#include <buffon/model/joint_law.hpp>
#include <buffon/model/model.hpp>

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace buffon {

/// What the maker of a model may need to know besides its own options.
struct ModelSetting {
  std::vector<std::string> input_names;  ///< names of the inputs, in order
  std::filesystem::path base_directory;  ///< of the configuration file; relative paths start here
  std::filesystem::path run_directory;   ///< where logs of child processes and journals go; empty = nowhere
  bool log_density = false;              ///< the output is a log density, which may be −∞ (in JSON "-inf")
};

/// A kind of model as a configuration names it (`[model] kind = "expression"`).
struct ModelKind {
  std::string name;
  std::string summary;
  std::function<void(OptionVisitor&)> describe;  ///< visits default options
  std::function<std::shared_ptr<const Model>(OptionVisitor&, const ModelSetting&)> make;
};

/// named, expression, process, umbridge; the order is that of `buffon list models`.
const std::vector<ModelKind>& model_kinds();

/// A number that is known about a named problem, for tests and for tables of reproduced figures.
struct KnownValue {
  std::string quantity;  ///< "mean(tip)", "second_moment(tip)", "variance(y)", "first_order(tip, F_X)", "total(y, x1)", "probability(level > 0)"
  double value;
  int digits;          ///< significant digits that are sure; 16 = closed form, exact to rounding
  std::string source;  ///< how it was obtained
};

/// A named problem: model, the law of its inputs, and what is known exactly about it.
struct NamedProblem {
  std::string name;
  std::string summary;  ///< one sentence with source
  std::function<std::shared_ptr<const Model>()> model;
  std::function<JointLaw()> law;  ///< used when the configuration gives no inputs of its own
  std::vector<KnownValue> known;  ///< under `law`
};

const std::vector<NamedProblem>& named_problems();
/// @throws Error(configuration) with the nearest name
const NamedProblem& named_problem(std::string_view name);

/// A model from expressions (muParser) of named inputs. Expressions may use outputs defined before them, the constants pi,
/// e and inf (hidden by inputs of these names), + - * / ^ (right-associative, above the unary sign: -2^2 = -4), comparisons,
/// && || and condition ? a : b, of which only the branch taken is evaluated; log is the natural logarithm.
/// @param outputs name and text of every output
/// @throws Error(configuration) with the position in the expression and what was expected
std::shared_ptr<const Model> expression_model(std::vector<std::string> input_names, std::vector<std::string> output_names,
                                              std::vector<std::string> expressions);

/// A model whose outputs are expressions of another model's inputs and outputs. The new outputs do not see each other.
/// A point where an output of the inner model is not finite fails, since a comparison would hide it.
/// @throws Error(configuration)
std::shared_ptr<const Model> postprocessed_model(std::shared_ptr<const Model> inner, std::vector<std::string> input_names,
                                                 std::vector<std::string> output_names, std::vector<std::string> expressions);

/// A model that remembers every evaluation in an append-only file keyed by the exact bits of the inputs, so that a resumed
/// run does not pay twice for an expensive simulator. A torn last record (kill −9) is cut off on opening. Failed points
/// are not remembered. One process at a time may use a file.
/// @param identity text that determines the model besides its sizes and output names, such as the resolved [model] table
/// @throws Error(configuration) when the file belongs to another model, Error(no_input) when it cannot be read or written
std::shared_ptr<const Model> journaled_model(std::shared_ptr<const Model> inner, const std::filesystem::path& file, const std::string& identity = {});

}  // namespace buffon
