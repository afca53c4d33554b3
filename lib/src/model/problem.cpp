// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/model/problem.hpp>

#include <set>
#include <utility>

#include <buffon/core/error.hpp>

namespace buffon {
namespace {

[[noreturn]] void refuse_problem(std::string key, std::string value, std::string rule, std::string remedy) {
  throw Error(
      ErrorCategory::configuration,
      {.doing = "putting the problem together", .key = std::move(key), .value = std::move(value), .rule = std::move(rule), .remedy = std::move(remedy)});
}

template <class Named>
void check_names(const std::vector<Named>& list, const std::string& what) {
  std::set<std::string> seen;
  for (const auto& item : list) {
    if (item.name.empty()) refuse_problem("name of a " + what, "\"\"", "must not be empty", "give every " + what + " a name");
    if (!seen.insert(item.name).second)
      refuse_problem("name", "\"" + item.name + "\"", "is given to more than one " + what, "give every " + what + " its own name");
  }
}

std::string list_text(const std::vector<std::string>& names) {
  std::string text = "[";
  for (const auto& name : names) text += (text.size() > 1 ? ", " : "") + name;
  return text + "]";
}

std::vector<Quantity> all_outputs(const Model& model) {
  std::vector<Quantity> quantities;
  for (const auto& name : model.output_names()) quantities.push_back({.name = name});
  return quantities;
}

const std::shared_ptr<const Model>& given(const std::shared_ptr<const Model>& model) {
  if (!model) refuse_problem("model", "null", "must be given", "make one with make_model");
  return model;
}

}  // namespace

Problem::Problem(CheckedModel model, std::vector<Quantity> quantities, std::vector<Scenario> scenarios)
    : model_(std::make_shared<const CheckedModel>(std::move(model))), quantities_(std::move(quantities)), scenarios_(std::move(scenarios)) {
  if (quantities_.empty()) refuse_problem("quantities", "", "is empty", "ask for at least one quantity");
  if (scenarios_.empty()) refuse_problem("scenarios", "", "is empty", "give at least one law of the inputs");
  check_names(quantities_, "quantity");
  check_names(scenarios_, "scenario");
  if (model_->output_size() != static_cast<Index>(quantities_.size())) {
    refuse_problem("quantities", std::to_string(quantities_.size()), "must be as many as the model has outputs, " + std::to_string(model_->output_size()),
                   "give one quantity per output, in their order");
  }
  const auto names = scenarios_.front().law.names();
  for (const auto& scenario : scenarios_) {
    if (scenario.law.size() != model_->input_size()) {
      refuse_problem("inputs of scenario \"" + scenario.name + "\"", std::to_string(scenario.law.size()),
                     "must be as many as the model takes, " + std::to_string(model_->input_size()), "give one input per argument of the model");
    }
    if (scenario.law.names() != names) {
      refuse_problem("inputs of scenario \"" + scenario.name + "\"", list_text(scenario.law.names()),
                     "must have the names and the order of scenario \"" + scenarios_.front().name + "\", " + list_text(names),
                     "a scenario changes laws, not inputs");
    }
  }
}

Problem::Problem(std::shared_ptr<const Model> model, JointLaw law, FailurePolicy policy)
    : Problem(CheckedModel(given(model), law.names(), policy), all_outputs(*given(model)), {Scenario{.name = "nominal", .law = law}}) {}

const JointLaw& Problem::single_law(const std::string& method) const {
  if (scenarios_.size() != 1) {
    throw Error(ErrorCategory::configuration, {.doing = "starting " + method,
                                               .key = "scenarios",
                                               .value = std::to_string(scenarios_.size()),
                                               .rule = "must be one law of the inputs",
                                               .remedy = "run it once per scenario, or take a method that handles several (aiscv)"});
  }
  return scenarios_.front().law;
}

std::vector<std::string> Problem::expectation_names() const {
  std::vector<std::string> names;
  names.reserve(scenarios_.size() * quantities_.size());
  for (const auto& scenario : scenarios_) {
    for (const auto& quantity : quantities_) names.push_back(scenarios_.size() == 1 ? quantity.name : quantity.name + "@" + scenario.name);
  }
  return names;
}

void Problem::evaluate(Context& context, const ConstMatrix& x, MutMatrix values) const {
  model_->evaluate(x, values, context.stop_token());
  context.add_evaluations(x.cols());
}

void Problem::apply_events(MutMatrix values) const {
  for (Index q = 0; q < values.rows(); ++q) {
    if (quantities_[static_cast<std::size_t>(q)].event) values.row(q) = (values.row(q).array() > 0).cast<double>();
  }
}

}  // namespace buffon
