// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/samplers/diffusion/batch_solver.hpp>

#include "columns.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <utility>

#include <buffon/core/error.hpp>

namespace buffon {
namespace {

using backend::Matrix;
using backend::View;

/// What a solver keeps, as an answer.
Answer as_answer(Prediction prediction) {
  if (prediction == Prediction::noise) return Answer::noise;
  return prediction == Prediction::data ? Answer::data : Answer::velocity;
}

}  // namespace

Conversion conversion(Answer from, Prediction to, const NoiseLevel& level, const NoiseSchedule& schedule) {
  return conversion(from, as_answer(to), level, schedule);
}

BatchSolver::BatchSolver(DiffusionModel model, backend::Queue& queue, Index columns, buffon_type type)
    : model_(std::move(model)),
      queue_(&queue),
      work_(model_.denoiser->on(queue, columns, type)),
      factors_(queue.device(), columns, 2, BUFFON_F64),
      ones_(queue.device(), model_.denoiser->dimension(), 1, type),
      columns_(columns),
      type_(type) {
  queue.fill(ones_, BUFFON_CONSTANT, 1, Stream(0), 0);
}

void BatchSolver::start(View x, const NoiseLevel& level, const Stream& stream, std::uint64_t first) const {
  queue_->combine(x, {}, level.sigma, stream.peek("start"), first);
}

void BatchSolver::predict(View prediction, Prediction kind, const DenoiserCall& call) {
  const auto columns = static_cast<std::size_t>(call.x.columns);
  const auto fits = [&](std::size_t given) { return given == 1 || given == columns; };
  if (call.x.columns > columns_ || !fits(call.levels.size()) || !(call.labels.empty() || call.labels.size() == columns)) {
    throw Error(ErrorCategory::usage,
                {.doing = "asking the model " + model_.denoiser->name(),
                 .key = "columns, levels and labels",
                 .value = std::to_string(columns) + ", " + std::to_string(call.levels.size()) + " and " + std::to_string(call.labels.size()),
                 .rule = "must be at most " + std::to_string(columns_) + " columns, with one level or as many and no labels or as many",
                 .remedy = "make the solver for as many columns as are asked for"});
  }
  ++calls_;
  (*work_)(call, prediction);
  const auto factors = [&](const NoiseLevel& level) { return conversion(model_.denoiser->answers(), kind, level, *model_.schedule); };
  if (call.levels.size() == 1) {
    const Conversion c = factors(call.levels[0]);
    if (c.x_factor == 0 && c.answer_factor == 1) return;
    const std::array<buffon_term, 2> terms = {buffon_term{call.x, c.x_factor, nullptr, nullptr}, buffon_term{prediction, c.answer_factor, nullptr, nullptr}};
    queue_->combine(prediction, terms);
    return;
  }
  const Index count = call.x.columns;
  Eigen::MatrixXd each(factors_.view().rows, 2);
  for (Index i = 0; i < count; ++i) {
    const Conversion c = factors(call.levels[static_cast<std::size_t>(i)]);
    each.row(i) << c.x_factor, c.answer_factor;
  }
  each.bottomRows(each.rows() - count).setZero();
  queue_->upload(factors_, each);
  const auto* of_x = static_cast<const double*>(factors_.columns(0, 1).data);
  const auto* of_answer = static_cast<const double*>(factors_.columns(1, 1).data);
  const std::array<buffon_term, 2> terms = {buffon_term{call.x, 1, nullptr, of_x}, buffon_term{prediction, 1, nullptr, of_answer}};
  queue_->combine(prediction, terms);
}

void BatchSolver::run(const SolverPlan& plan, View x, const Stream& stream, std::uint64_t first, std::span<const std::int32_t> labels,
                      const Observer& observer) {
  const Index count = x.columns;
  if (count > columns_ || x.rows != model_.denoiser->dimension() || x.type != type_) {
    throw Error(ErrorCategory::usage, {.doing = "running a diffusion solver",
                                       .key = "x",
                                       .value = std::to_string(x.rows) + " x " + std::to_string(count),
                                       .rule = "must have " + std::to_string(model_.denoiser->dimension()) + " rows, at most " + std::to_string(columns_) +
                                               " columns and the type of the solver",
                                       .remedy = "make the solver for the largest batch"});
  }
  while (static_cast<int>(registers_.size()) < plan.registers - 1) registers_.emplace_back(queue_->device(), x.rows, columns_, type_);
  const auto place = [&](int number) { return number == 0 ? x : first_columns(registers_[static_cast<std::size_t>(number - 1)], count); };

  // How many numbers of every prediction are not finite, call after call; looked at once, when all is done.
  Matrix bad(queue_->device(), count, plan.calls, BUFFON_F64);
  struct Asked {
    std::size_t step;
    NoiseLevel level;
  };
  std::vector<Asked> asked;
  const auto in_step = [&](std::size_t step, const NoiseLevel& level) {
    return " in step " + std::to_string(step + 1) + " of " + std::to_string(plan.ends.size()) + ", time " + to_text(level.time) + ", lambda " +
           to_text(level.lambda);
  };
  const auto check = [&] {
    if (asked.empty() || count == 0) return;
    const Eigen::MatrixXd counts = queue_->download(bad.columns(0, static_cast<Index>(asked.size())));
    for (std::size_t k = 0; k < asked.size(); ++k) {
      const auto samples = (counts.col(static_cast<Index>(k)).array() > 0).count();
      if (samples == 0) continue;
      throw Error(ErrorCategory::model,
                  {.doing = "asking the model " + model_.denoiser->name() + in_step(asked[k].step, asked[k].level),
                   .key = "answer",
                   .value = to_text(100.0 * static_cast<double>(samples) / static_cast<double>(count)) + " % of " + std::to_string(count) + " samples",
                   .rule = "are not finite",
                   .remedy = "check what the model is given, try options.precision = \"float64\" or more steps"});
    }
  };

  // Numbers over the coordinates, on the device.
  std::vector<std::pair<const Eigen::VectorXd*, Matrix>> numbers;
  const auto of_rows = [&](const RowNumbers& values) -> const double* {
    if (!values) return nullptr;
    auto found = std::find_if(numbers.begin(), numbers.end(), [&](const auto& entry) { return entry.first == values.get(); });
    if (found == numbers.end()) {
      numbers.emplace_back(values.get(), Matrix(queue_->device(), x.rows, 1, BUFFON_F64));
      queue_->upload(numbers.back().second, *values);
      found = std::prev(numbers.end());
    }
    return static_cast<const double*>(found->second.view().data);
  };

  std::size_t node = 0;
  std::vector<buffon_term> terms;
  for (std::size_t k = 0; k < plan.operations.size(); ++k) {
    if (const auto* call = std::get_if<SolverPlan::Evaluate>(&plan.operations[k])) {
      const View target = place(call->target);
      if (asked.empty()) first_asked_ = call->level;
      try {
        if (evaluator_) {
          evaluator_(*call, target, place(call->source), labels);
        } else {
          predict(target, call->prediction, {place(call->source), {&call->level, 1}, labels});
        }
      } catch (const Error& error) {  // of a model that looks at its own answers
        ErrorText text = error.text();
        text.doing += in_step(node, call->level);
        throw Error(error.category(), std::move(text));
      }
      View counted = bad.columns(static_cast<Index>(asked.size()), 1);
      counted = {counted.data, 1, count, 1, BUFFON_F64};
      queue_->reduce(counted, target, BUFFON_NOT_FINITE);
      asked.push_back({node, call->level});
    } else {
      const auto& combine = std::get<SolverPlan::Combine>(plan.operations[k]);
      terms.clear();
      for (const SolverPlan::Term& term : combine.terms) terms.push_back({place(term.source), term.factor, of_rows(term.rows), nullptr});
      if (combine.offset) {
        View ones = ones_;
        ones.columns = count;
        ones.stride = 0;  // the same column for every sample
        terms.push_back({ones, 1, of_rows(combine.offset), nullptr});
      }
      if (combine.noise == 0) {
        queue_->combine(place(combine.target), terms);
      } else {
        queue_->combine(place(combine.target), terms, combine.noise, stream.peek("noise", combine.number), first);
      }
    }
    for (; node < plan.ends.size() && plan.ends[node] == k + 1; ++node) {
      if (!observer) continue;
      observer(node + 1, place(plan.states[node]));
    }
  }
  check();
}

}  // namespace buffon
