// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/core/archive.hpp>
#include <buffon/core/check_options.hpp>
#include <buffon/core/error.hpp>
#include <buffon/estimators/nested_monte_carlo.hpp>

#include <algorithm>
#include <cmath>
#include <utility>

#include "nested_run.hpp"

namespace buffon {

void describe(OptionVisitor& v, NestedMonteCarloOptions& o) {
  v.on({.name = "samples",
        .meaning = "Draws at depth 0, ..., D; their product is the cost. Empty = sqrt(C) at depth 0 and C^(1/2D) at the others for C = max_evaluations.",
        .unit = "draws",
        .range = between(1, std::int64_t{1} << 40)},
       o.samples);
  v.on({.name = "max_evaluations", .meaning = "Cost C of the default design, innermost evaluations.", .unit = "evaluations", .range = between(1, 1e15)},
       o.max_evaluations);
  v.on({.name = "level", .meaning = "Confidence level of the interval.", .range = strictly_between(0, 1)}, o.level);
}

std::vector<std::int64_t> default_samples(std::int64_t max_evaluations, Index depth) {
  const auto whole = [](double x) { return std::max<std::int64_t>(1, static_cast<std::int64_t>(x * (1 + 1e-12))); };
  const auto cost = static_cast<double>(max_evaluations);
  if (depth == 0) return {max_evaluations};
  std::vector<std::int64_t> samples(static_cast<std::size_t>(depth) + 1, whole(std::pow(cost, 0.5 / static_cast<double>(depth))));
  double inner = 1;
  for (std::size_t d = 1; d < samples.size(); ++d) inner *= static_cast<double>(samples[d]);
  samples.front() = whole(cost / inner);
  return samples;
}

NestedMonteCarlo::NestedMonteCarlo(std::shared_ptr<const NestedProblem> problem, NestedMonteCarloOptions options, const Stream& stream)
    : samples_(std::move(options.samples)) {
  options.samples = samples_;
  check_options("nested_monte_carlo", options);
  const Index depth = problem->depth();
  if (samples_.empty()) samples_ = default_samples(options.max_evaluations, depth);
  double cost = 1;
  for (const std::int64_t n : samples_) cost *= static_cast<double>(n);
  const auto refuse = [](std::string value, std::string rule, std::string remedy) {
    throw Error(
        ErrorCategory::configuration,
        {.doing = "setting up nested_monte_carlo", .key = "options.samples", .value = std::move(value), .rule = std::move(rule), .remedy = std::move(remedy)});
  };
  if (static_cast<Index>(samples_.size()) != depth + 1) {
    refuse(std::to_string(samples_.size()) + " numbers", "must have one number for each depth: " + std::to_string(depth + 1),
           "leave it out for the default design");
  }
  if (cost > 0x1p62) refuse("a product of " + to_text(cost), "must have a product below 2^62", "give smaller numbers");
  std::vector<LevelLaw> laws;
  for (std::size_t d = 1; d < samples_.size(); ++d) laws.emplace_back(0.5, samples_[d], 0, 0);
  run_ = std::make_unique<NestedRun>(std::move(problem), std::move(laws), CopyTargets{samples_.front(), 0, {}, false}, options.level,
                                     stream.child("nested_monte_carlo"));
}

NestedMonteCarlo::~NestedMonteCarlo() = default;

void NestedMonteCarlo::step(Context& context) { run_->step(context); }
bool NestedMonteCarlo::finished() const { return run_->finished(); }
void NestedMonteCarlo::stop(const std::string& reason) { run_->stop(reason); }
Progress NestedMonteCarlo::progress() const { return run_->progress(); }
void NestedMonteCarlo::describe_state(Archive& archive) { run_->describe_state(archive); }

Outcome NestedMonteCarlo::outcome() const {
  Outcome o = run_->outcome();
  if (run_->depth() > 0) {
    o.warnings.push_back(
        "BIASED: nested Monte Carlo puts noisy inner means into the links. The bias, of order 1 / inner draws for smooth links, is not in the "
        "standard error, and the interval does not cover the wanted value in general. `read` is unbiased.");
    o.estimates.front().note = "biased: see the warnings";
  }
  return o;
}

NestedMonteCarloResult NestedMonteCarlo::result() const {
  Outcome o = outcome();
  return {o.estimates.front().estimate, samples_, run_->leaves(), std::move(o.warnings), std::move(o.stop_reason)};
}

NestedMonteCarloResult nested_monte_carlo(std::shared_ptr<const NestedProblem> problem, const NestedMonteCarloOptions& options, const Stream& stream,
                                          Context& context) {
  NestedMonteCarlo method(std::move(problem), options, stream);
  run_to_end(method, context);
  return method.result();
}

}  // namespace buffon
