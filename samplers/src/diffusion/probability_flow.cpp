// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/samplers/diffusion/probability_flow.hpp>

#include <algorithm>
#include <array>
#include <cmath>

#include <buffon/core/error.hpp>
#include <buffon/samplers/diffusion/batch_solver.hpp>

namespace buffon {
namespace {

constexpr double far = 18;  ///< beyond this |lambda| the flow stands still up to e^−18

/// Even numbers of midpoint steps; the extrapolated value of the last has order 16.
constexpr std::array<int, 8> pieces = {2, 4, 6, 8, 10, 12, 14, 16};

/// dz/dlambda of a model.
class Slope {
 public:
  Slope(const DiffusionModel& model, Index columns, std::span<const std::int32_t> labels)
      : schedule_(*model.schedule),
        labels_(labels),
        queue_(backend::Device::open("cpu"), 1),
        solver_(model, queue_, columns, BUFFON_F64),
        x_(queue_.device(), model.denoiser->dimension(), columns, BUFFON_F64),
        data_(queue_.device(), model.denoiser->dimension(), columns, BUFFON_F64) {}

  Eigen::MatrixXd data(const Eigen::MatrixXd& z, double lambda) {
    const NoiseLevel level = schedule_.at_lambda(lambda);
    queue_.upload(x_, level.sigma * z);
    solver_.predict(data_, Prediction::data, {x_, {&level, 1}, labels_});
    return queue_.download(data_);
  }
  Eigen::MatrixXd operator()(const Eigen::MatrixXd& z, double lambda) { return std::exp(lambda) * data(z, lambda); }

 private:
  const NoiseSchedule& schedule_;
  std::span<const std::int32_t> labels_;
  backend::Queue queue_;
  BatchSolver solver_;
  backend::Matrix x_, data_;
};

}  // namespace

Eigen::MatrixXd reference_endpoints(const DiffusionModel& model, const ConstMatrix& starts, const NoiseLevel& first, const NoiseLevel& last,
                                    std::span<const std::int32_t> labels, const ReferenceSetting& setting) {
  const double from = std::max(first.lambda, -far), to = std::min(last.lambda, far);
  Slope slope(model, starts.cols(), labels);
  Eigen::MatrixXd z = starts / first.sigma;
  if (first.lambda < from) z += slope(z, from);  // ∫ e^l D dl from −∞, where D stands still
  double lambda = from, h = std::min(0.1, to - from);
  for (int step = 0; lambda < to; ++step) {
    if (step == setting.most_steps) {
      throw Error(ErrorCategory::numeric, {.doing = "integrating the probability flow of " + model.denoiser->name(),
                                           .key = "most_steps",
                                           .value = std::to_string(setting.most_steps),
                                           .rule = "are not enough to come beyond lambda " + to_text(lambda),
                                           .remedy = "raise the tolerance"});
    }
    h = std::min(h, to - lambda);
    const Eigen::MatrixXd begin = slope(z, lambda);
    std::vector<Eigen::MatrixXd> table;  // of the row before, in place: table[j] has order 2 (j + 1)
    double error = 0;
    for (std::size_t k = 0; k < pieces.size(); ++k) {
      const double part = h / pieces[k];
      Eigen::MatrixXd before = z, now = z + part * begin;
      for (int i = 1; i < pieces[k]; ++i) {
        const Eigen::MatrixXd next = before + 2 * part * slope(now, lambda + i * part);
        before = std::move(now);
        now = next;
      }
      Eigen::MatrixXd value = std::move(now);
      for (std::size_t j = 0; j < k; ++j) {
        const double ratio = static_cast<double>(pieces[k]) / pieces[k - 1 - j];
        const Eigen::MatrixXd better = value + (value - table[j]) / (ratio * ratio - 1);
        table[j] = std::move(value);
        value = better;
      }
      table.push_back(std::move(value));
    }
    const Eigen::MatrixXd& ours = table.back();
    error = ((ours - table[table.size() - 2]).array().abs() / (1 + ours.array().abs())).maxCoeff() / setting.tolerance;
    if (error <= 1) {
      z = ours;
      lambda += h;
      if (to - lambda < 1e-14 * std::max(1.0, std::abs(to))) lambda = to;
    }
    h *= std::clamp(0.9 * std::pow(std::max(error, 1e-12), -1.0 / (2 * pieces.size() - 1)), 0.2, 4.0);
  }
  if (last.lambda <= far) return last.sigma * z;
  const Eigen::MatrixXd data = slope.data(z, to);
  return last.alpha * data + last.sigma * (z - std::exp(to) * data);
}

}  // namespace buffon
