// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/core/error.hpp>
#include <buffon/core/types.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace buffon {

/// One point that a model could not evaluate.
struct PointFailure {
  Index column;         ///< column of the batch
  std::string message;  ///< what the model said
  bool lasting = true;  ///< false: time ran out or a connection broke, so the same point might succeed another time
};

/// What users bring: a deterministic function of d inputs with m outputs, evaluated in batches.
/// `evaluate` is called from several threads at once, so it must be thread-safe.
class Model {
 public:
  virtual ~Model() = default;
  virtual Index input_size() const = 0;
  virtual Index output_size() const = 0;
  /// Names of the outputs, distinct, in order.
  virtual const std::vector<std::string>& output_names() const = 0;

  /// @param points d × n, one column = one point
  /// @param values m × n, filled; columns of failed points hold NaN
  /// @param stop   fires when the run is to end; a slow model gives up and throws Error(interrupted)
  /// @returns the points that failed, in order of their column (usually none). Output that is not finite need not be listed.
  virtual std::vector<PointFailure> evaluate(const ConstMatrix& points, MutMatrix values, const std::stop_token& stop) const = 0;

  /// Largest number of points worth handing over at once (0 = no preference). Slow models say a small number, so that
  /// progress, cancellation and the journal have a fine grain. Has no influence on the numbers.
  virtual Index preferred_batch() const { return 0; }
};

using BatchFunction = std::function<void(const ConstMatrix& points, MutMatrix values)>;

/// A model from a batch function of the caller. When the function throws, the points of its batch are evaluated one by
/// one to find those that fail; a batch that fails although each of its points succeeds alone fails as a whole.
/// Errors of category interrupted, configuration, usage, no_input and internal pass through.
/// @throws Error(usage) for no output, a duplicate output name or an empty function
std::shared_ptr<const Model> make_model(Index inputs, std::vector<std::string> outputs, BatchFunction function);

/// Rim template: a model from `double(const Eigen::VectorXd&)`.
template <class Function>
requires std::is_invocable_r_v<double, Function, const Eigen::VectorXd&> std::shared_ptr<const Model> make_point_model(Index inputs, std::string output,
                                                                                                                       Function function) {
  return make_model(inputs, {std::move(output)}, [f = std::move(function)](const ConstMatrix& points, MutMatrix values) {
    Eigen::VectorXd x(points.rows());
    for (Index i = 0; i < points.cols(); ++i) {
      x = points.col(i);
      values(0, i) = f(x);
    }
  });
}

/// What happens to a point whose model value is missing or not finite.
struct FailurePolicy {
  enum class Action { stop, retry, replace };
  Action action = Action::stop;
  std::int64_t retries = 3;  ///< attempts after the first, for `retry`; then the run stops
  double replacement = 0;    ///< value of every output, for `replace`
};

/// The error of a model at one point. The message names the inputs with their values (all digits), the output and what
/// the model said; the numbers are here too, so that the point can be stored and repeated.
class ModelError : public Error {
 public:
  ModelError(ErrorText text, std::vector<std::string> input_names, Eigen::VectorXd point, std::vector<std::string> output_names, Eigen::VectorXd output,
             std::string reason);

  const std::vector<std::string>& input_names() const { return input_names_; }
  const Eigen::VectorXd& point() const { return point_; }
  const std::vector<std::string>& output_names() const { return output_names_; }
  const Eigen::VectorXd& output() const { return output_; }  ///< as far as there is one, else NaN
  const std::string& reason() const { return reason_; }      ///< what the model said; empty for output that is not finite

 private:
  std::vector<std::string> input_names_;
  Eigen::VectorXd point_;
  std::vector<std::string> output_names_;
  Eigen::VectorXd output_;
  std::string reason_;
};

/// A model under a failure policy: after `evaluate` every value is finite, or ModelError was thrown that names the
/// point (inputs by name and value) and what the model said. A point that fails is never dropped: its estimate would be
/// biased. Hands over at most `preferred_batch` points at once. Counts what it replaced and retried.
class CheckedModel {
 public:
  /// @throws Error(usage) when there is no model, the number of names is not that of the inputs, or the replacement is not finite
  CheckedModel(std::shared_ptr<const Model> model, std::vector<std::string> input_names, FailurePolicy policy = {});

  const Model& model() const { return *model_; }
  Index input_size() const { return model_->input_size(); }
  Index output_size() const { return model_->output_size(); }

  /// @param points d × n  @param values m × n
  /// @throws ModelError for the first point that fails, Error(interrupted), Error(usage) for wrong sizes
  void evaluate(const ConstMatrix& points, MutMatrix values, const std::stop_token& stop) const;

  std::int64_t replaced() const;  ///< points replaced since construction (for warnings; not part of the numbers)
  std::int64_t retried() const;   ///< evaluations repeated since construction; a point counts once per repetition

 private:
  struct Counters;
  void evaluate_batch(const ConstMatrix& points, MutMatrix values, const std::stop_token& stop) const;
  std::shared_ptr<const Model> model_;
  std::vector<std::string> input_names_;
  FailurePolicy policy_;
  std::shared_ptr<Counters> counters_;
};

}  // namespace buffon
