// SPDX-License-Identifier: BSD-3-Clause
#include "sample_run.hpp"

#include <buffon/core/check_options.hpp>
#include <buffon/estimators/plain_monte_carlo.hpp>

#include <utility>

namespace buffon {

struct PlainMonteCarlo::Run : SampleRun {
  using SampleRun::SampleRun;
};

void describe(OptionVisitor& v, PlainMonteCarloOptions& o) {
  v.on({.name = "max_evaluations", .meaning = "Model evaluations at most.", .unit = "evaluations", .range = at_least(1)}, o.max_evaluations);
  v.on({.name = "target_std_error", .meaning = "Stop when no estimate has a larger standard error.", .range = positive()}, o.target_std_error);
  v.on({.name = "target_relative_error", .meaning = "Stop when no estimate has a larger standard error relative to its value.", .range = positive()},
       o.target_relative_error);
  v.on({.name = "level", .meaning = "Confidence level of the intervals.", .range = strictly_between(0, 1)}, o.level);
}

PlainMonteCarlo::PlainMonteCarlo(const Problem& problem, const PlainMonteCarloOptions& options, const Stream& stream)
    : PlainMonteCarlo(problem_integrands(problem, PointSpace::automatic, "plain_monte_carlo"), options, stream) {}

PlainMonteCarlo::PlainMonteCarlo(std::shared_ptr<const Integrands> integrands, const PlainMonteCarloOptions& options, const Stream& stream) {
  check_options("plain_monte_carlo", options);
  AuxiliaryMixture law;
  law.initial_share = 1;
  run_ = std::make_unique<Run>(std::move(integrands), std::move(law),
                               SampleTargets{options.max_evaluations, options.target_std_error, options.target_relative_error}, options.level,
                               stream.child("plain_monte_carlo"));
}

PlainMonteCarlo::~PlainMonteCarlo() = default;

void PlainMonteCarlo::step(Context& context) { run_->step(context); }
bool PlainMonteCarlo::finished() const { return run_->finished(); }
void PlainMonteCarlo::stop(const std::string& reason) { run_->stop(reason); }
Progress PlainMonteCarlo::progress() const { return run_->progress(); }
Outcome PlainMonteCarlo::outcome() const { return run_->outcome(); }
void PlainMonteCarlo::describe_state(Archive& archive) { run_->describe_state(archive); }

PlainMonteCarloResult PlainMonteCarlo::result() const {
  Outcome o = outcome();
  return {std::move(o.estimates), std::move(o.covariance), run_->sample().points(), o.evaluations, std::move(o.warnings), std::move(o.stop_reason)};
}

PlainMonteCarloResult plain_monte_carlo(const Problem& problem, const PlainMonteCarloOptions& options, const Stream& stream, Context& context) {
  PlainMonteCarlo method(problem, options, stream);
  run_to_end(method, context);
  return method.result();
}

}  // namespace buffon
