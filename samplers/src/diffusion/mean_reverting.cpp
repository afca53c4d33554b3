// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/samplers/diffusion/mean_reverting.hpp>

#include <cmath>
#include <numbers>
#include <utility>

#include <buffon/core/error.hpp>

#include "columns.hpp"

namespace buffon {
namespace {

constexpr double pi = std::numbers::pi;

[[noreturn]] void refuse_reverting(std::string key, std::string value, std::string rule, std::string remedy) {
  throw Error(ErrorCategory::configuration, {.doing = "setting up a mean-reverting diffusion",
                                             .key = std::move(key),
                                             .value = std::move(value),
                                             .rule = std::move(rule),
                                             .remedy = std::move(remedy)});
}

class MeanReverting : public NoiseSchedule {
 public:
  MeanReverting(double stationary, double last_alpha, double offset, double last)
      : NoiseSchedule(1, last), stationary_(stationary), offset_(offset), scale_(1) {
    scale_ = -std::log(last_alpha) / area(1);
  }
  std::string name() const override { return "mean_reverting"; }
  NoiseLevel at_time(double t) const override { return level(t, area(t)); }
  NoiseLevel at_lambda(double lambda) const override {
    // sigma² / alpha² = s² (1 / alpha² − 1)
    const double a = 0.5 * std::log1p(std::exp(-2 * lambda) / (stationary_ * stationary_));
    double low = 0, high = 1;
    for (int k = 0; k < 100 && low < high; ++k) {  // A rises with time
      const double middle = 0.5 * (low + high);
      if (middle == low || middle == high) break;
      (area(middle) < a ? low : high) = middle;
    }
    NoiseLevel found = level(0.5 * (low + high), a);
    found.lambda = lambda;
    return found;
  }
  Slopes slopes(double t) const override {
    const double theta = scale_ * (1 - ratio() * square(t)), alpha = std::exp(-area(t));
    const double sigma = stationary_ * std::sqrt(-std::expm1(-2 * area(t)));
    return {-theta * alpha, stationary_ * stationary_ * alpha * alpha * theta / sigma};
  }

 private:
  double phase(double t) const { return pi * (t + offset_) / (1 + offset_); }
  double square(double t) const { return 0.5 * (1 + std::cos(phase(t))); }
  double ratio() const { return 1 / square(0); }
  /// A(t)
  double area(double t) const { return scale_ * (t - 0.5 * ratio() * (t + (1 + offset_) / pi * (std::sin(phase(t)) - std::sin(phase(0))))); }
  NoiseLevel level(double t, double a) const {
    const double sigma = stationary_ * std::sqrt(-std::expm1(-2 * a));
    return {t, std::exp(-a), sigma, -a - std::log(sigma)};
  }
  double stationary_, offset_, scale_;
};

class ShiftedWork : public DenoiserWork {
 public:
  ShiftedWork(std::unique_ptr<DenoiserWork> work, backend::Queue& queue, Index columns, buffon_type type, const Eigen::VectorXd& mean, bool of_data)
      : work_(std::move(work)),
        queue_(&queue),
        moved_(queue.device(), mean.size(), columns, type),
        ones_(queue.device(), mean.size(), 1, type),
        mean_(queue.device(), mean.size(), 1, BUFFON_F64),
        of_data_(of_data) {
    queue.fill(ones_, BUFFON_CONSTANT, 1, Stream(0), 0);
    queue.upload(mean_, mean);
  }
  void operator()(const DenoiserCall& call, backend::View answer) override {
    const backend::View moved = first_columns(moved_, call.x.columns);
    add_mean(moved, call.x, 1);
    (*work_)({moved, call.levels, call.labels}, answer);
    if (of_data_) add_mean(answer, answer, -1);
  }

 private:
  void add_mean(backend::View target, backend::View source, double factor) {
    backend::View ones = ones_;
    ones.columns = source.columns;
    ones.stride = 0;  // the same column for every sample
    queue_->combine(target, std::vector<buffon_term>{plain_term(source), {ones, factor, static_cast<const double*>(mean_.view().data), nullptr}});
  }
  std::unique_ptr<DenoiserWork> work_;
  backend::Queue* queue_;
  backend::Matrix moved_, ones_, mean_;
  bool of_data_;
};

class ShiftedDenoiser : public Denoiser {
 public:
  ShiftedDenoiser(std::shared_ptr<const Denoiser> denoiser, Eigen::VectorXd mean) : denoiser_(std::move(denoiser)), mean_(std::move(mean)) {}
  std::string name() const override { return denoiser_->name(); }
  Index dimension() const override { return denoiser_->dimension(); }
  Answer answers() const override { return denoiser_->answers(); }
  std::optional<ImageShape> image() const override { return denoiser_->image(); }
  int classes() const override { return denoiser_->classes(); }
  std::unique_ptr<DenoiserWork> on(backend::Queue& queue, Index columns, buffon_type type) const override {
    // E[ε | x], the score and the velocity alpha′ (x₀ − m) + sigma′ ε are those of x itself; the data lose m.
    return std::make_unique<ShiftedWork>(denoiser_->on(queue, columns, type), queue, columns, type, mean_, answers() == Answer::data);
  }

 private:
  std::shared_ptr<const Denoiser> denoiser_;
  Eigen::VectorXd mean_;
};

}  // namespace

std::shared_ptr<const NoiseSchedule> mean_reverting_schedule(double stationary, double last_alpha, double offset, double last_time) {
  if (!(stationary > 0)) refuse_reverting("stationary", to_text(stationary), "must be positive", "give the deviation of the noise in the end");
  if (!(last_alpha > 0 && last_alpha < 1)) refuse_reverting("last_alpha", to_text(last_alpha), "must lie between 0 and 1", "take 0.005");
  if (!(offset > 0)) refuse_reverting("offset", to_text(offset), "must be positive", "take 0.008");
  if (!(last_time > 0 && last_time < 1)) refuse_reverting("last_time", to_text(last_time), "must lie between 0 and 1", "take 0.01");
  return std::make_shared<MeanReverting>(stationary, last_alpha, offset, last_time);
}

std::shared_ptr<const Denoiser> shifted_denoiser(std::shared_ptr<const Denoiser> denoiser, const Eigen::VectorXd& mean) {
  const Answer answers = denoiser->answers();
  if (answers == Answer::v || answers == Answer::edm) {
    refuse_reverting("denoiser", denoiser->name(), "must answer data, noise, score or velocity", "convert its answers before");
  }
  if (mean.size() != denoiser->dimension()) {
    refuse_reverting("mean", std::to_string(mean.size()) + " numbers", "must have the model's " + std::to_string(denoiser->dimension()),
                     "give one for each coordinate");
  }
  return std::make_shared<ShiftedDenoiser>(std::move(denoiser), mean);
}

}  // namespace buffon
