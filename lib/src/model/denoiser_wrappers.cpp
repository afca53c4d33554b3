// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/model/denoiser_wrappers.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>
#include <vector>

#include <buffon/core/error.hpp>
#include <buffon/model/answer_conversion.hpp>

#include "device_views.hpp"

namespace buffon {
namespace {

using backend::Matrix;
using backend::Queue;
using backend::View;
using device::columns_times;
using device::factors;
using device::term;

[[noreturn]] void refuse_wrapper(std::string doing, std::string key, std::string value, std::string rule, std::string remedy) {
  throw Error(ErrorCategory::configuration,
              {.doing = std::move(doing), .key = std::move(key), .value = std::move(value), .rule = std::move(rule), .remedy = std::move(remedy)});
}

/// What a wrapper says of itself: what the model in it says.
class Wrapper : public Denoiser {
 public:
  explicit Wrapper(std::shared_ptr<const Denoiser> inner) : inner_(std::move(inner)) {}
  Index dimension() const override { return inner_->dimension(); }
  Answer answers() const override { return inner_->answers(); }
  std::optional<ImageShape> image() const override { return inner_->image(); }
  int classes() const override { return inner_->classes(); }

 protected:
  std::shared_ptr<const Denoiser> inner_;
};

/// The level of a column.
const NoiseLevel& level_of(const DenoiserCall& call, Index column) { return call.levels[call.levels.size() == 1 ? 0 : static_cast<std::size_t>(column)]; }

/// One factor for every column that is asked about, put on the device; the rest of the columns get 0.
template <class Value>
void put_factors(Queue& queue, const Matrix& factors, Index count, Value&& value) {
  Eigen::MatrixXd values = Eigen::MatrixXd::Zero(factors.view().rows, factors.view().columns);
  for (Index c = 0; c < count; ++c) values.row(c) = value(c);
  queue.upload(factors, values);
}

// ------------------------------------------------------------------------------------------------------------------

class Guided : public Wrapper {
 public:
  Guided(std::shared_ptr<const Denoiser> inner, double weight, double from, double to) : Wrapper(std::move(inner)), weight_(weight), from_(from), to_(to) {}
  std::string name() const override { return inner_->name() + ", guided"; }
  std::unique_ptr<DenoiserWork> on(Queue& queue, Index columns, buffon_type type) const override { return std::make_unique<Work>(*this, queue, columns, type); }

 private:
  class Work : public DenoiserWork {
   public:
    Work(const Guided& model, Queue& queue, Index columns, buffon_type type)
        : model_(model),
          queue_(queue),
          inner_(model.inner_->on(queue, 2 * columns, type)),
          x_(queue.device(), model.dimension(), 2 * columns, type),
          answer_(queue.device(), model.dimension(), 2 * columns, type),
          factors_(queue.device(), columns, 2, BUFFON_F64) {}

    void operator()(const DenoiserCall& call, View answer) override {
      device::check_columns(model_.name(), call, factors_.view().rows);
      const Index count = call.x.columns;
      const auto weight = [&](Index column) {
        const double t = level_of(call, column).time;
        return t >= model_.from_ && t <= model_.to_ ? model_.weight_ : 1.0;
      };
      const Index levels = static_cast<Index>(call.levels.size());
      bool plain = call.labels.empty();
      for (Index c = 0; !plain && c < levels && weight(c) == 1; ++c) plain = c + 1 == levels;
      if (plain) return (*inner_)(call, answer);
      queue_.combine(x_.columns(0, count), std::array{term(call.x, 1)});
      queue_.combine(x_.columns(count, count), std::array{term(call.x, 1)});
      std::vector<std::int32_t> labels(call.labels.begin(), call.labels.end());
      labels.resize(2 * labels.size(), -1);
      std::vector<NoiseLevel> both(call.levels.begin(), call.levels.end());
      if (levels > 1) both.insert(both.end(), call.levels.begin(), call.levels.end());
      (*inner_)({x_.columns(0, 2 * count), both, labels}, answer_.columns(0, 2 * count));
      const View given = answer_.columns(0, count), none = answer_.columns(count, count);
      if (levels == 1) {
        queue_.combine(answer, std::array{term(given, weight(0)), term(none, 1 - weight(0))});
        return;
      }
      put_factors(queue_, factors_, count, [&](Index c) { return Eigen::RowVector2d(weight(c), 1 - weight(c)); });
      queue_.combine(answer, std::array{columns_times(given, factors(factors_)), columns_times(none, factors(factors_, 1))});
    }

   private:
    const Guided& model_;
    Queue& queue_;
    std::unique_ptr<DenoiserWork> inner_;
    Matrix x_, answer_, factors_;
  };
  double weight_, from_, to_;
};

// ------------------------------------------------------------------------------------------------------------------

class Edm : public Wrapper {
 public:
  Edm(std::shared_ptr<const Denoiser> network, double deviation) : Wrapper(std::move(network)), deviation_(deviation) {}
  std::string name() const override { return inner_->name() + ", edm"; }
  Answer answers() const override { return Answer::data; }
  std::unique_ptr<DenoiserWork> on(Queue& queue, Index columns, buffon_type type) const override { return std::make_unique<Work>(*this, queue, columns, type); }

 private:
  class Work : public DenoiserWork {
   public:
    Work(const Edm& model, Queue& queue, Index columns, buffon_type type)
        : model_(model),
          queue_(queue),
          inner_(model.inner_->on(queue, columns, type)),
          x_(queue.device(), model.dimension(), columns, type),
          factors_(queue.device(), columns, 3, BUFFON_F64) {}

    void operator()(const DenoiserCall& call, View answer) override {
      device::check_columns(model_.name(), call, factors_.view().rows);
      const Index count = call.x.columns;
      const double d = model_.deviation_;
      put_factors(queue_, factors_, count, [&](Index c) {
        const NoiseLevel& l = level_of(call, c);
        const double variance = l.sigma * l.sigma + d * d * l.alpha * l.alpha, root = std::sqrt(variance);  // alpha² (rho² + d²)
        return Eigen::RowVector3d(1 / root, d * d * l.alpha / variance, l.sigma * d / root);
      });
      std::vector<NoiseLevel> levels;
      for (const NoiseLevel& l : call.levels) levels.push_back({0.25 * std::log(l.rho()), 1, l.rho(), -std::log(l.rho())});
      const View scaled = x_.columns(0, count);
      queue_.combine(scaled, std::array{columns_times(call.x, factors(factors_))});
      (*inner_)({scaled, levels, call.labels}, answer);
      queue_.combine(answer, std::array{columns_times(call.x, factors(factors_, 1)), columns_times(answer, factors(factors_, 2))});
    }

   private:
    const Edm& model_;
    Queue& queue_;
    std::unique_ptr<DenoiserWork> inner_;
    Matrix x_, factors_;
  };
  double deviation_;
};

// ------------------------------------------------------------------------------------------------------------------

/// Quantile of numbers, linear between order statistics; disturbs their order.
double quantile_of(Eigen::VectorXd& numbers, double share) {
  const double place = share * static_cast<double>(numbers.size() - 1);
  const auto below = static_cast<Index>(place);
  double* const at = numbers.data() + below;
  double* const end = numbers.data() + numbers.size();
  std::nth_element(numbers.data(), at, end);
  const double low = *at, high = at + 1 < end ? *std::min_element(at + 1, end) : low;
  return low + (place - static_cast<double>(below)) * (high - low);
}

class Thresholded : public Wrapper {
 public:
  Thresholded(std::shared_ptr<const Denoiser> inner, std::shared_ptr<const NoiseSchedule> schedule, double quantile)
      : Wrapper(std::move(inner)), schedule_(std::move(schedule)), quantile_(quantile) {}
  std::string name() const override { return inner_->name() + ", thresholded"; }
  Answer answers() const override { return Answer::data; }
  std::unique_ptr<DenoiserWork> on(Queue& queue, Index columns, buffon_type type) const override { return std::make_unique<Work>(*this, queue, columns, type); }

 private:
  class Work : public DenoiserWork {
   public:
    Work(const Thresholded& model, Queue& queue, Index columns, buffon_type type)
        : model_(model), queue_(queue), inner_(model.inner_->on(queue, columns, type)), factors_(queue.device(), columns, 2, BUFFON_F64) {}

    void operator()(const DenoiserCall& call, View answer) override {
      device::check_columns(model_.name(), call, factors_.view().rows);
      (*inner_)(call, answer);
      const Index count = call.x.columns;
      if (model_.inner_->answers() != Answer::data) {
        put_factors(queue_, factors_, count, [&](Index c) {
          const Conversion found = conversion(model_.inner_->answers(), Answer::data, level_of(call, c), *model_.schedule_);
          return Eigen::RowVector2d(found.x_factor, found.answer_factor);
        });
        queue_.combine(answer, std::array{columns_times(call.x, factors(factors_)), columns_times(answer, factors(factors_, 1))});
      }
      const Eigen::MatrixXd size = queue_.download(answer).cwiseAbs();
      put_factors(queue_, factors_, count, [&](Index c) {
        Eigen::VectorXd numbers = size.col(c);
        if (!numbers.allFinite()) return Eigen::RowVector2d(std::numeric_limits<double>::quiet_NaN(), 0);  // not to be hidden by the clamp
        return Eigen::RowVector2d(1 / std::max(1.0, quantile_of(numbers, model_.quantile_)), 0);
      });
      queue_.combine(answer, std::array{columns_times(answer, factors(factors_))});
      queue_.apply(answer, answer, BUFFON_CLAMP, -1, 1);
    }

   private:
    const Thresholded& model_;
    Queue& queue_;
    std::unique_ptr<DenoiserWork> inner_;
    Matrix factors_;
  };
  std::shared_ptr<const NoiseSchedule> schedule_;
  double quantile_;
};

}  // namespace

std::shared_ptr<const Denoiser> guided(std::shared_ptr<const Denoiser> denoiser, double weight, double from, double to) {
  const std::string doing = "guiding the model " + denoiser->name();
  if (denoiser->classes() == 0) refuse_wrapper(doing, "guidance", to_text(weight), "is for models that take labels", "leave it out");
  if (!std::isfinite(weight)) refuse_wrapper(doing, "guidance", to_text(weight), "must be finite", "1 is the plain conditional model");
  if (!(from <= to)) refuse_wrapper(doing, "guidance_from", to_text(from), "must not be above guidance_to = " + to_text(to), "give the lower time first");
  return std::make_shared<Guided>(std::move(denoiser), weight, from, to);
}

std::shared_ptr<const Denoiser> edm_denoiser(std::shared_ptr<const Denoiser> network, double deviation) {
  if (!(deviation > 0) || !std::isfinite(deviation)) {
    refuse_wrapper("scaling the network " + network->name(), "deviation", to_text(deviation), "must be finite and greater than 0",
                   "give the deviation of the data");
  }
  return std::make_shared<Edm>(std::move(network), deviation);
}

std::shared_ptr<const Denoiser> thresholded(std::shared_ptr<const Denoiser> denoiser, std::shared_ptr<const NoiseSchedule> schedule, double quantile) {
  if (!(quantile > 0 && quantile <= 1)) {
    refuse_wrapper("thresholding the model " + denoiser->name(), "quantile", to_text(quantile), "must be above 0 and at most 1", "take 0.995");
  }
  return std::make_shared<Thresholded>(std::move(denoiser), std::move(schedule), quantile);
}

}  // namespace buffon
