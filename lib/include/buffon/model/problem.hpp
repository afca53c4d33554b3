// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/core/types.hpp>
#include <buffon/model/joint_law.hpp>
#include <buffon/model/model.hpp>
#include <buffon/parallel/context.hpp>

#include <memory>
#include <string>
#include <vector>

namespace buffon {

/// One function of interest, a row of the model's output.
struct Quantity {
  std::string name;
  /// false: φ(x) is the output itself. true: φ(x) = 1 where the output is > 0, else 0: the probability of the event
  /// "output > 0"; the output itself serves as the level of a tempered start.
  bool event = false;
};

/// One law of the inputs under which expectations are taken.
struct Scenario {
  std::string name;
  JointLaw law;
};

/// What an estimator works on: a model whose row q is quantity q, and one or several laws of its inputs.
/// Expectations are all pairs (quantity, scenario), quantity by quantity within a scenario.
class Problem {
 public:
  Problem() = default;
  /// @throws Error(configuration) when sizes or names disagree
  Problem(CheckedModel model, std::vector<Quantity> quantities, std::vector<Scenario> scenarios);
  /// One law, every output a quantity.
  Problem(std::shared_ptr<const Model> model, JointLaw law, FailurePolicy policy = {});

  Index dimension() const { return scenarios_.front().law.size(); }
  const std::vector<Quantity>& quantities() const { return quantities_; }
  const std::vector<Scenario>& scenarios() const { return scenarios_; }
  /// The law, for methods that need a single one. @throws Error(configuration) when there are several.
  const JointLaw& single_law(const std::string& method) const;
  const CheckedModel& model() const { return *model_; }

  /// Names of the expectations: QUANTITY, or QUANTITY@SCENARIO when there are several scenarios.
  std::vector<std::string> expectation_names() const;

  /// Model outputs at physical points x (d × n) into `values` (quantities × n), events still as levels. Counts evaluations
  /// in the context. Call it from inside a block: it runs on the calling thread.
  void evaluate(Context& context, const ConstMatrix& x, MutMatrix values) const;
  /// φ from outputs, in place: rows of event quantities become 0 or 1.
  void apply_events(MutMatrix values) const;

 private:
  std::shared_ptr<const CheckedModel> model_;
  std::vector<Quantity> quantities_;
  std::vector<Scenario> scenarios_;
};

}  // namespace buffon
