// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/model/model.hpp>

#include "guarded.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <set>

namespace buffon {
namespace {

class FunctionModel final : public Model {
 public:
  FunctionModel(Index inputs, std::vector<std::string> outputs, BatchFunction function)
      : inputs_(inputs), outputs_(std::move(outputs)), function_(std::move(function)) {}

  Index input_size() const override { return inputs_; }
  Index output_size() const override { return static_cast<Index>(outputs_.size()); }
  const std::vector<std::string>& output_names() const override { return outputs_; }

  std::vector<PointFailure> evaluate(const ConstMatrix& points, MutMatrix values, const std::stop_token&) const override {
    return detail::guarded(points, values, [&](const ConstMatrix& x, MutMatrix y) {
      y.setConstant(std::numeric_limits<double>::quiet_NaN());  // an output that the function forgets is not a number, not a leftover
      function_(x, y);
      return std::vector<PointFailure>{};
    });
  }

 private:
  Index inputs_;
  std::vector<std::string> outputs_;
  BatchFunction function_;
};

}  // namespace

std::shared_ptr<const Model> make_model(Index inputs, std::vector<std::string> outputs, BatchFunction function) {
  const std::string doing = "making a model from a function";
  if (inputs < 1) throw Error(ErrorCategory::usage, {.doing = doing, .key = "inputs", .value = std::to_string(inputs), .rule = "must be at least 1"});
  if (outputs.empty()) throw Error(ErrorCategory::usage, {.doing = doing, .key = "outputs", .rule = "must name at least one output"});
  std::set<std::string> seen;
  for (const auto& output : outputs) {
    if (!seen.insert(output).second) throw Error(ErrorCategory::usage, {.doing = doing, .key = "outputs", .value = output, .rule = "is named twice"});
  }
  if (!function) throw Error(ErrorCategory::usage, {.doing = doing, .key = "function", .rule = "is empty"});
  return std::make_shared<FunctionModel>(inputs, std::move(outputs), std::move(function));
}

namespace detail {

constexpr std::size_t inputs_in_message = 40;  // the whole point is in the error object

std::string describe_point(const std::vector<std::string>& names, const Eigen::VectorXd& point) {
  std::string text;
  const std::size_t shown = std::min(names.size(), inputs_in_message);
  for (std::size_t i = 0; i < shown; ++i) text += (i > 0 ? ", " : "") + names[i] + " = " + to_text(point[static_cast<Index>(i)]);
  if (shown < names.size()) text += ", and " + std::to_string(names.size() - shown) + " more";
  return text;
}

}  // namespace detail

ModelError::ModelError(ErrorText text, std::vector<std::string> input_names, Eigen::VectorXd point, std::vector<std::string> output_names,
                       Eigen::VectorXd output, std::string reason)
    : Error(ErrorCategory::model, std::move(text)),
      input_names_(std::move(input_names)),
      point_(std::move(point)),
      output_names_(std::move(output_names)),
      output_(std::move(output)),
      reason_(std::move(reason)) {}

struct CheckedModel::Counters {
  std::atomic<std::int64_t> replaced{0};
  std::atomic<std::int64_t> retried{0};
};

CheckedModel::CheckedModel(std::shared_ptr<const Model> model, std::vector<std::string> input_names, FailurePolicy policy)
    : model_(std::move(model)), input_names_(std::move(input_names)), policy_(policy), counters_(std::make_shared<Counters>()) {
  const std::string doing = "putting a model under a failure policy";
  if (!model_) throw Error(ErrorCategory::usage, {.doing = doing, .key = "model", .rule = "is missing"});
  if (static_cast<Index>(input_names_.size()) != model_->input_size()) {
    throw Error(ErrorCategory::usage, {.doing = doing,
                                       .key = "input_names",
                                       .value = std::to_string(input_names_.size()) + " names",
                                       .rule = "must be as many as the model has inputs, " + std::to_string(model_->input_size())});
  }
  if (!std::isfinite(policy_.replacement)) {
    throw Error(ErrorCategory::usage, {.doing = doing, .key = "replacement", .value = to_text(policy_.replacement), .rule = "must be finite"});
  }
  if (policy_.retries < 0) {
    throw Error(ErrorCategory::usage, {.doing = doing, .key = "retries", .value = std::to_string(policy_.retries), .rule = "must be at least 0"});
  }
}

void CheckedModel::evaluate(const ConstMatrix& points, MutMatrix values, const std::stop_token& stop) const {
  if (points.rows() != input_size() || values.rows() != output_size() || values.cols() != points.cols()) {
    const auto shape = [](Index rows, Index cols) { return std::to_string(rows) + " x " + std::to_string(cols); };
    throw Error(ErrorCategory::usage, {.doing = "evaluating the model",
                                       .key = "points, values",
                                       .value = shape(points.rows(), points.cols()) + ", " + shape(values.rows(), values.cols()),
                                       .rule = "must be " + shape(input_size(), points.cols()) + ", " + shape(output_size(), points.cols())});
  }
  const Index preferred = model_->preferred_batch();
  const Index batch = preferred > 0 ? preferred : std::max<Index>(points.cols(), 1);
  for (Index first = 0; first < points.cols(); first += batch) {
    if (stop.stop_requested()) throw Error(ErrorCategory::interrupted, {.doing = "evaluating the model", .rule = "stopped on request"});
    const Index size = std::min(batch, points.cols() - first);
    evaluate_batch(points.middleCols(first, size), values.middleCols(first, size), stop);
  }
}

void CheckedModel::evaluate_batch(const ConstMatrix& points, MutMatrix values, const std::stop_token& stop) const {
  const auto call = [&](const ConstMatrix& x, MutMatrix y) {
    auto failures = detail::guarded(x, y, [&](const ConstMatrix& xs, MutMatrix ys) { return model_->evaluate(xs, ys, stop); });
    if (failures.empty() && y.allFinite()) return failures;
    std::vector<PointFailure> all;
    std::size_t next = 0;
    for (Index i = 0; i < x.cols(); ++i) {
      while (next < failures.size() && failures[next].column < i) ++next;
      if (next < failures.size() && failures[next].column == i) {
        all.push_back(std::move(failures[next]));
      } else if (!y.col(i).allFinite()) {
        all.push_back({i, {}});
      }
    }
    return all;
  };

  std::vector<PointFailure> failures = call(points, values);
  if (failures.empty()) return;

  if (policy_.action == FailurePolicy::Action::retry) {
    for (std::int64_t attempt = 0; attempt < policy_.retries && !failures.empty(); ++attempt) {
      const auto count = static_cast<Index>(failures.size());
      counters_->retried += count;
      Eigen::MatrixXd x(points.rows(), count), y(values.rows(), count);
      for (Index i = 0; i < count; ++i) x.col(i) = points.col(failures[static_cast<std::size_t>(i)].column);
      std::vector<PointFailure> again = call(x, y);
      for (Index i = 0; i < count; ++i) values.col(failures[static_cast<std::size_t>(i)].column) = y.col(i);
      for (auto& failure : again) failure.column = failures[static_cast<std::size_t>(failure.column)].column;
      failures = std::move(again);
    }
    if (failures.empty()) return;
  }
  if (policy_.action == FailurePolicy::Action::replace) {
    for (const auto& failure : failures) values.col(failure.column).setConstant(policy_.replacement);
    counters_->replaced += static_cast<std::int64_t>(failures.size());
    return;
  }

  const PointFailure& first = failures.front();
  const Eigen::VectorXd point = points.col(first.column);
  const Eigen::VectorXd output = values.col(first.column);
  const auto& outputs = model_->output_names();
  const bool retried = policy_.action == FailurePolicy::Action::retry;
  ErrorText text{.doing = "evaluating the model at " + detail::describe_point(input_names_, point)};
  const std::string times = retried ? " (" + std::to_string(policy_.retries + 1) + " attempts)" : "";
  if (first.message.empty()) {
    Index bad = 0;
    while (bad + 1 < output.size() && std::isfinite(output[bad])) ++bad;
    text.key = "output " + outputs[static_cast<std::size_t>(bad)];
    text.value = to_text(output[bad]);
    text.rule = "must be finite" + times;
  } else {
    text.rule = "the model failed" + times + ": " + first.message;
  }
  text.remedy = retried ? "Raise model.retries, or set model.on_failure = \"replace\" with a model.replacement that makes sense"
                        : "Mend the model at this point, or set model.on_failure = \"retry\" or \"replace\"";
  throw ModelError(std::move(text), input_names_, point, outputs, output, first.message);
}

std::int64_t CheckedModel::replaced() const { return counters_->replaced; }
std::int64_t CheckedModel::retried() const { return counters_->retried; }

}  // namespace buffon
