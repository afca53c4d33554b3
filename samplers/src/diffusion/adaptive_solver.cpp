// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/samplers/diffusion/adaptive_solver.hpp>

#include <algorithm>
#include <cmath>
#include <utility>

#include <buffon/core/error.hpp>

#include "columns.hpp"
#include "plan_builder.hpp"

namespace buffon {

using backend::Matrix;
using backend::View;

/// x and x_low of the step before, each beside what may take its place; two sets, for the step that leaves samples out.
struct AdaptiveSolver::Memory {
  Memory(backend::Queue& queue, Index rows, Index columns, buffon_type type)
      : state{Matrix(queue.device(), rows, 2 * columns, type), Matrix(queue.device(), rows, 2 * columns, type)},
        before{Matrix(queue.device(), rows, 2 * columns, type), Matrix(queue.device(), rows, 2 * columns, type)},
        stage(queue.device(), rows, columns, type),
        noise{Matrix(queue.device(), rows, columns, type), Matrix(queue.device(), rows, columns, type), Matrix(queue.device(), rows, columns, type)},
        index(queue.device(), 1, columns, BUFFON_I32),
        factors(queue, columns, 11) {}
  std::array<Matrix, 2> state, before;
  Matrix stage;
  std::array<Matrix, 3> noise;
  Matrix index;
  ColumnFactors factors;
};

AdaptiveSolver::AdaptiveSolver(DiffusionModel model, backend::Queue& queue, Index columns, buffon_type type, AdaptiveOptions options)
    : model_(model), queue_(&queue), solver_(std::move(model), queue, columns, type), columns_(columns), options_(options) {
  if (options.order != 2 && options.order != 3) refuse_solver("adaptive", "order", std::to_string(options.order), "must be 2 or 3", "take 3");
  const std::array<std::pair<const char*, double>, 4> positive = {
      {{"first_step", options.first_step}, {"absolute", options.absolute}, {"safety", options.safety}, {"most_growth", options.most_growth}}};
  for (const auto& [key, value] : positive) {
    if (!(value > 0)) refuse_solver("adaptive", key, to_text(value), "must be positive", "leave it out for its default");
  }
  if (!(options.relative >= 0)) refuse_solver("adaptive", "relative", to_text(options.relative), "must not be negative", "leave it out for its default");
  memory_ = std::make_unique<Memory>(queue, model_.denoiser->dimension(), columns, type);
}
AdaptiveSolver::~AdaptiveSolver() = default;

AdaptiveSteps AdaptiveSolver::run(View x, const NoiseLevel& first, const NoiseLevel& last, std::span<const std::int32_t> labels) {
  check_states("adaptive", x, model_.denoiser->dimension(), columns_);
  if (!std::isfinite(first.lambda) || !std::isfinite(last.lambda) || !(first.lambda < last.lambda)) {
    refuse_solver("adaptive", "levels", "lambda from " + to_text(first.lambda) + " to " + to_text(last.lambda), "must rise and be finite",
                  "begin after pure noise and end before sigma = 0");
  }
  struct Sample {
    Index column;
    NoiseLevel at;
    double h;
  };
  Memory& m = *memory_;
  const bool third = options_.order == 3;
  const double r1 = third ? 1.0 / 3 : 0.5, r2 = 2.0 / 3;
  AdaptiveSteps steps;
  const auto count = static_cast<std::size_t>(x.columns);
  steps.taken.assign(count, 0);
  steps.refused.assign(count, 0);
  std::vector<Sample> samples;
  std::vector<std::int32_t> classes(labels.begin(), labels.end());
  for (Index c = 0; c < x.columns; ++c) samples.push_back({c, first, std::min(options_.first_step, last.lambda - first.lambda)});
  copy(*queue_, m.state[0].columns(0, x.columns), x);
  copy(*queue_, m.before[0].columns(0, x.columns), x);

  while (!samples.empty()) {
    const auto active = static_cast<Index>(samples.size());
    std::vector<NoiseLevel> at, at_1, at_2, to;
    for (std::size_t c = 0; c < samples.size(); ++c) {
      const auto& [column, s, h] = samples[c];
      const bool to_end = h >= last.lambda - s.lambda;  // s + (last − s) may fall an ulp short of last
      if (steps.taken[static_cast<std::size_t>(column)] + steps.refused[static_cast<std::size_t>(column)] >= options_.most_steps || (!to_end && !(h > 1e-10))) {
        throw Error(ErrorCategory::model, {.doing = "choosing steps of a sample at time " + to_text(s.time) + ", lambda " + to_text(s.lambda),
                                           .key = "step",
                                           .value = to_text(h) + " in lambda after " + std::to_string(steps.taken[static_cast<std::size_t>(column)]) + " steps",
                                           .rule = "must stay above 1e-10, in at most " + std::to_string(options_.most_steps) + " trials",
                                           .remedy = "check that the model's answers are finite and smooth, or raise the tolerances"});
      }
      const NoiseLevel m1 = model_.schedule->at_lambda(s.lambda + r1 * h), m2 = model_.schedule->at_lambda(s.lambda + r2 * h);
      const NoiseLevel t = to_end ? last : model_.schedule->at_lambda(s.lambda + h);
      at.push_back(s);
      at_1.push_back(m1);
      at_2.push_back(m2);
      to.push_back(t);
      auto factors = m.factors.values.row(static_cast<Index>(c));
      const double scale = t.alpha / s.alpha, big = std::expm1(h);
      factors(0) = m1.alpha / s.alpha;
      factors(1) = -m1.sigma * std::expm1(r1 * h);
      if (third) {
        const double slope = -t.sigma * big / (2 * r1), d = -m2.sigma * (r2 / r1) * (std::expm1(r2 * h) / (r2 * h) - 1), high = -t.sigma / r2 * (big / h - 1);
        factors.segment(2, 3) << scale, -t.sigma * big - slope, slope;                       // x_low on x, e0, e1
        factors.segment(5, 3) << m2.alpha / s.alpha, -m2.sigma * std::expm1(r2 * h) - d, d;  // second stage
        factors.segment(8, 3) << scale, -t.sigma * big - high, high;                         // x_high on x, e0, e2
      } else {
        const double slope = -t.sigma * big / (2 * r1);
        factors.segment(2, 3) << scale, -t.sigma * big, 0;
        factors.segment(8, 3) << scale, -t.sigma * big - slope, slope;  // x_high on x, e0, e1
      }
    }
    m.factors.send();
    const View state = m.state[0].columns(0, active), high = m.state[0].columns(columns_, active), before = m.before[0].columns(0, active),
               low = m.before[0].columns(columns_, active), stage = first_columns(m.stage, active);
    std::array<View, 3> e;
    for (std::size_t k = 0; k < 3; ++k) e[k] = first_columns(m.noise[k], active);
    const auto combine = [&](View target, Index kind, View third_source) {
      const std::vector<buffon_term> terms = {m.factors.term(state, kind), m.factors.term(e[0], kind + 1), m.factors.term(third_source, kind + 2)};
      queue_->combine(target, terms);
    };
    solver_.predict(e[0], Prediction::noise, {state, at, classes});
    queue_->combine(stage, std::vector<buffon_term>{m.factors.term(state, 0), m.factors.term(e[0], 1)});
    solver_.predict(e[1], Prediction::noise, {stage, at_1, classes});
    combine(low, 2, e[1]);
    if (third) {
      combine(stage, 5, e[1]);
      solver_.predict(e[2], Prediction::noise, {stage, at_2, classes});
    }
    combine(high, 8, third ? e[2] : e[1]);

    const Eigen::ArrayXXd x_high = queue_->download(high).array(), x_low = queue_->download(low).array(), x_before = queue_->download(before).array();
    std::vector<std::int32_t> staying;
    std::vector<Sample> rest;
    std::vector<std::int32_t> rest_classes;
    for (std::size_t c = 0; c < samples.size(); ++c) {
      Sample sample = samples[c];
      const auto i = static_cast<Index>(c);
      const Eigen::ArrayXd delta =
          x_low.col(i).abs().max(x_before.col(i).abs()).cwiseProduct(Eigen::ArrayXd::Constant(x_low.rows(), options_.relative)).max(options_.absolute);
      double sum = 0;
      for (Index r = 0; r < delta.size(); ++r) {
        const double off = (x_high(r, i) - x_low(r, i)) / delta(r);
        sum += off * off;
      }
      const double error = std::sqrt(sum / static_cast<double>(delta.size()));
      const bool taken = error <= 1;
      ++(taken ? steps.taken : steps.refused)[static_cast<std::size_t>(sample.column)];
      const double growth = std::isfinite(error) ? std::min(options_.safety * std::pow(error, -1.0 / options_.order), options_.most_growth) : 0.2;
      if (taken) sample.at = to[c];
      sample.h = std::min(sample.h * growth, last.lambda - sample.at.lambda);
      if (taken && sample.at.lambda >= last.lambda) {
        copy(*queue_, column_of(x, sample.column), column_of(high, i));
        continue;
      }
      staying.push_back(static_cast<std::int32_t>(taken ? columns_ + i : i));
      rest.push_back(sample);
      if (!classes.empty()) rest_classes.push_back(classes[c]);
    }
    if (!staying.empty()) {
      gather(*queue_, m.state[1], m.state[0], m.index, staying);
      gather(*queue_, m.before[1], m.before[0], m.index, staying);
      std::swap(m.state[0], m.state[1]);
      std::swap(m.before[0], m.before[1]);
    }
    samples = std::move(rest);
    classes = std::move(rest_classes);
  }
  return steps;
}

}  // namespace buffon
