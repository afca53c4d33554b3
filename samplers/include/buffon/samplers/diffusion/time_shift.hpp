// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/samplers/diffusion/batch_solver.hpp>

#include <memory>

namespace buffon {

struct TimeShiftOptions {
  double window = 0.02;  ///< width of the times looked at, in the schedule's units; 0: no shift
  double cutoff = 0.3;   ///< at times up to this the model is given the plan's own
};

/// Time-Shift sampling (Li and others, 2024): after the first node the model is told the time, within half a window of the plan's, whose sigma² is nearest
/// to the variance of a sample's coordinates; the solver keeps the times of its plan. It corrects networks whose inputs drift from the law
/// that they were trained on, and takes for granted that the coordinates of alpha x₀ vary little within a sample; with exact denoisers it only adds error.
/// What is kept of the model's answer is its noise prediction.
class TimeShift {
 public:
  TimeShift(DiffusionModel model, backend::Queue& queue, Index columns, buffon_type type, TimeShiftOptions options);
  ~TimeShift();
  TimeShift(const TimeShift&) = delete;

  BatchSolver& solver() { return solver_; }  ///< runs plans with shifted times

  /// The time in [time − window/2, time + window/2], within the schedule, whose sigma² is nearest to a variance.
  static double shifted_time(const NoiseSchedule& schedule, double time, double window, double variance);

 private:
  struct Memory;
  DiffusionModel model_;
  BatchSolver solver_;
  std::unique_ptr<Memory> memory_;
};

}  // namespace buffon
