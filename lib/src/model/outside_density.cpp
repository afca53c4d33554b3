// SPDX-License-Identifier: BSD-3-Clause
#include "outside_density.hpp"

#include <buffon/core/error.hpp>

#include "constraint.hpp"
#include "guarded.hpp"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace buffon::detail {
namespace {

class OutsideDensity final : public LogDensity {
 public:
  OutsideDensity(std::shared_ptr<const Model> model, std::vector<std::string> names, bool reject)
      : model_(std::move(model)), names_(std::move(names)), reject_(reject) {}

  Index dimension() const override { return model_->input_size(); }

  void evaluate(const ConstMatrix& x, MutVector values, const std::stop_token& stop) const override {
    const Index preferred = model_->preferred_batch();
    const Index batch = preferred > 0 ? preferred : std::max<Index>(x.cols(), 1);
    for (Index first = 0; first < x.cols(); first += batch) {
      if (stop.stop_requested()) throw Error(ErrorCategory::interrupted, {.doing = "evaluating the density", .rule = "stopped on request"});
      const Index size = std::min(batch, x.cols() - first);
      Eigen::Map<Eigen::MatrixXd> row(values.data() + first, 1, size);
      const ConstMatrix points = x.middleCols(first, size);
      for (const auto& failure : guarded(points, row, [&](const ConstMatrix&xs, MutMatrix ys) { return model_->evaluate(xs, ys, stop); })) {
        if (!reject_ || !failure.lasting) fail(points.col(failure.column), failure.message, failure.lasting);
        if (++in_a_row_ > most_in_a_row) give_up(points.col(failure.column), failure.message);
        row(0, failure.column) = std::numeric_limits<double>::quiet_NaN();
      }
      if (row.array().isNaN().all()) continue;
      in_a_row_ = 0;
    }
  }

 private:
  /// Failures without a value between them, of all chains, after which the model counts as gone for good.
  static constexpr std::int64_t most_in_a_row = 1000;

  [[noreturn]] void fail(const Eigen::VectorXd& point, const std::string& message, bool lasting) const {
    raise(point, message,
          lasting ? "Mend it, or say on_failure = \"reject\" to take such points as outside the support"
                  : "Rejecting it would make the draws depend on how fast the machine was: allow more time and continue with `buffon resume`");
  }
  [[noreturn]] void give_up(const Eigen::VectorXd& point, const std::string& message) const {
    raise(point, "failed " + std::to_string(most_in_a_row) + " times in a row, at last with: " + message, "Mend it and continue with `buffon resume`");
  }
  [[noreturn]] void raise(const Eigen::VectorXd& point, const std::string& message, std::string remedy) const {
    throw ModelError({.doing = "evaluating the density at " + describe_point(names_, point), .rule = message, .remedy = std::move(remedy)}, names_, point,
                     model_->output_names(), Eigen::VectorXd::Constant(1, std::numeric_limits<double>::quiet_NaN()), message);
  }

  std::shared_ptr<const Model> model_;
  std::vector<std::string> names_;
  bool reject_;
  mutable std::atomic<std::int64_t> in_a_row_ = 0;
};

}  // namespace

std::shared_ptr<const LogDensity> outside_density(std::shared_ptr<const Model> model, const TargetSetting& setting) {
  if (model->output_size() != 1) {
    throw Error(ErrorCategory::configuration, {.doing = "making the density",
                                               .key = "density",
                                               .value = std::to_string(model->output_size()) + " outputs",
                                               .rule = "must have one output, the log density",
                                               .remedy = "Choose or write a model with a single output"});
  }
  return std::make_shared<OutsideDensity>(std::move(model), component_names(setting.parameters), setting.reject_failures);
}

}  // namespace buffon::detail
