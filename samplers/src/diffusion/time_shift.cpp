// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/samplers/diffusion/time_shift.hpp>

#include <algorithm>
#include <cmath>
#include <utility>

#include <buffon/core/error.hpp>

#include "columns.hpp"
#include "plan_builder.hpp"

namespace buffon {

using backend::View;

struct TimeShift::Memory {
  Memory(backend::Queue& queue, Index columns) : sums(queue.device(), 1, columns, BUFFON_F64), squares(queue.device(), 1, columns, BUFFON_F64) {}
  backend::Matrix sums, squares;
};

double TimeShift::shifted_time(const NoiseSchedule& schedule, double time, double window, double variance) {
  double low = std::max(time - 0.5 * window, schedule.last_time()), high = std::min(time + 0.5 * window, schedule.first_time());
  const auto square = [&](double t) {
    const double sigma = schedule.at_time(t).sigma;
    return sigma * sigma;
  };
  if (!(low < high)) return time;
  if (variance <= square(low)) return low;
  if (variance >= square(high)) return high;
  for (int k = 0; k < 60; ++k) {  // sigma rises with time
    const double middle = 0.5 * (low + high);
    (square(middle) < variance ? low : high) = middle;
  }
  return 0.5 * (low + high);
}

TimeShift::TimeShift(DiffusionModel model, backend::Queue& queue, Index columns, buffon_type type, TimeShiftOptions options)
    : model_(model), solver_(std::move(model), queue, columns, type), memory_(std::make_unique<Memory>(queue, columns)) {
  if (!(options.window >= 0)) refuse_solver("with shifted times", "window", to_text(options.window), "must not be negative", "take 0 for no shift");
  solver_.answer_by([this, &queue, options](const SolverPlan::Evaluate& question, View target, View source, std::span<const std::int32_t> labels) {
    const NoiseLevel& level = question.level;
    const bool first = level.lambda <= solver_.first_asked().lambda;
    if (first || options.window == 0 || level.time <= options.cutoff) {
      solver_.predict(target, question.prediction, {source, {&level, 1}, labels});
      return;
    }
    const View sums = first_columns(memory_->sums, source.columns), squares = first_columns(memory_->squares, source.columns);
    queue.reduce(sums, source, BUFFON_SUM);
    queue.reduce(squares, source, BUFFON_SUM_SQUARES);
    const Eigen::MatrixXd sum = queue.download(sums), square = queue.download(squares);
    const auto n = static_cast<double>(source.rows);
    std::vector<NoiseLevel> levels;
    for (Index c = 0; c < source.columns; ++c) {
      const double mean = sum(0, c) / n, variance = square(0, c) / n - mean * mean;
      levels.push_back(model_.schedule->at_time(shifted_time(*model_.schedule, level.time, options.window, variance)));
    }
    solver_.predict(target, Prediction::noise, {source, levels, labels});
    const Conversion c = conversion(Answer::noise, question.prediction, level, *model_.schedule);
    if (question.prediction != Prediction::noise) {
      queue.combine(target, std::vector<buffon_term>{plain_term(source, c.x_factor), plain_term(target, c.answer_factor)});
    }
  });
}
TimeShift::~TimeShift() = default;

}  // namespace buffon
