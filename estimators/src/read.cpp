// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/core/archive.hpp>
#include <buffon/core/check_options.hpp>
#include <buffon/core/error.hpp>
#include <buffon/estimators/read.hpp>

#include <algorithm>
#include <cmath>
#include <utility>

#include "nested_run.hpp"

namespace buffon {
namespace {

constexpr double margin = 0.002;  // rates nearer to an end of their range have useless constants
constexpr Index deepest = 6;      // smooth links: the range of r_6 is narrower than the margins
constexpr double heavy_share = 0.5;

Error refusal(std::string key, std::string value, std::string rule, std::string remedy = {}) {
  return Error(
      ErrorCategory::configuration,
      {.doing = "setting up read", .key = "options." + std::move(key), .value = std::move(value), .rule = std::move(rule), .remedy = std::move(remedy)});
}

std::string rounded(double x) { return to_text(std::round(100 * x) / 100); }

template <class Number>
std::string listed(const std::vector<Number>& list) {
  std::string text = "[";
  for (const Number x : list) text += (text.size() > 1 ? ", " : "") + to_text(static_cast<double>(x));
  return text + "]";
}

template <class Number>
void check_length(const std::string& key, const std::vector<Number>& list, Index depth) {
  if (static_cast<Index>(list.size()) == depth) return;
  throw refusal(key, listed(list), "must have one number for each depth but the last: " + std::to_string(depth), "leave it out for the defaults");
}

std::vector<LevelLaw> level_laws(ReadOptions& o, Index depth) {
  if (o.rates.empty()) o.rates = default_rates(o.regime, o.delta, depth);
  if (o.base_samples.empty()) o.base_samples.assign(static_cast<std::size_t>(depth), 1);
  check_length("rates", o.rates, depth);
  check_length("base_samples", o.base_samples, depth);
  std::vector<LevelLaw> laws;
  if (o.regime == LinkRegime::smooth && depth > deepest) {
    throw refusal("regime", "\"smooth\"",
                  "leaves no usable rates at depth " + std::to_string(depth) + ": the range of the rates shrinks to 1/2, where the cost is infinite",
                  "state the problem with depth at most " + std::to_string(deepest));
  }
  for (Index d = 0; d < depth; ++d) {
    const double r = o.rates[static_cast<std::size_t>(d)], limit = rate_limit(o.regime, o.delta, d, depth);
    if (!(r >= 0.5 + margin && r <= limit - margin)) {
      const std::string regime(link_regime_names[static_cast<std::size_t>(o.regime)]);
      throw refusal("rates", listed(o.rates),
                    "must give depth " + std::to_string(d) + " a rate in (0.5, " + to_text(limit) + ") for " + regime +
                        " links, and no nearer than 0.002 to its ends: below 1/2 the expected cost is infinite, above the limit the variance",
                    "leave rates out for the defaults");
    }
    laws.emplace_back(r, o.base_samples[static_cast<std::size_t>(d)], 0, o.max_level);
  }
  return laws;
}

}  // namespace

void describe(OptionVisitor& v, ReadOptions& o) {
  v.on({.name = "max_copies",
        .meaning = "Independent copies at most, 0 = no limit; then another rule must end the run.",
        .unit = "copies",
        .range = at_least(0)},
       o.max_copies);
  v.on({.name = "max_evaluations",
        .meaning = "Innermost evaluations after which no new block of copies is begun; a copy in work is always finished. 0 = no limit.",
        .unit = "evaluations",
        .range = at_least(0)},
       o.max_evaluations);
  v.on({.name = "target_std_error", .meaning = "Stop when the standard error, plain and by batch means, is at most this.", .range = positive()},
       o.target_std_error);
  v.on({.name = "regime", .meaning = "What the links are like in the inner value: smooth (bounded second derivative), or only Lipschitz."}, o.regime,
       link_regime_names);
  v.on({.name = "delta", .meaning = "For Lipschitz links: the cost of an error e grows like e^(-2 (1 + delta)).", .range = strictly_between(0, 0.5)}, o.delta);
  v.on({.name = "rates",
        .meaning = "P(level 0) of the random level at depth 0, ..., D - 1, each in (1/2, limit of the regime); empty = 0.65, 0.60, 0.54, then half-way to the "
                   "limit; Lipschitz: half-way.",
        .range = strictly_between(0.5, 1)},
       o.rates);
  v.on({.name = "base_samples",
        .meaning = "Inner copies at level 0 for depth 0, ..., D - 1; level n has 2^n times as many. Empty = 1. Links that are products or squares of a random "
                   "depth need 4 or more.",
        .unit = "copies",
        .range = between(1, 1 << 30)},
       o.base_samples);
  v.on({.name = "max_level", .meaning = "BIASED when below 62: levels above this one are never drawn.", .range = between(0, LevelLaw::most_levels)},
       o.max_level);
  v.on({.name = "level", .meaning = "Confidence level of the intervals.", .range = strictly_between(0, 1)}, o.level);
}

double rate_limit(LinkRegime regime, double delta, Index d, Index depth) {
  if (regime == LinkRegime::lipschitz) return 1 - std::exp2(-std::pow(1 + delta, 1 / static_cast<double>(depth)));
  const double k = std::ldexp(2, static_cast<int>(d));
  return 1 - std::exp2(-k / (k - 1));
}

std::vector<double> default_rates(LinkRegime regime, double delta, Index depth) {
  static constexpr std::array<double, 3> smooth = {0.65, 0.60, 0.54};
  std::vector<double> rates;
  for (Index d = 0; d < depth; ++d) {
    const bool known = regime == LinkRegime::smooth && d < static_cast<Index>(smooth.size());
    rates.push_back(known ? smooth[static_cast<std::size_t>(d)] : 0.5 * (0.5 + rate_limit(regime, delta, d, depth)));
  }
  return rates;
}

Read::Read(std::shared_ptr<const NestedProblem> problem, ReadOptions options, const Stream& stream) : options_(std::move(options)) {
  check_options("read", options_);
  if (options_.max_copies == 0 && options_.max_evaluations == 0 && !options_.target_std_error) {
    throw refusal("max_copies", "0", "must be at least 1 unless max_evaluations or target_std_error ends the run", "give one of the three");
  }
  std::vector<LevelLaw> laws = level_laws(options_, problem->depth());
  run_ = std::make_unique<NestedRun>(std::move(problem), std::move(laws), CopyTargets{options_.max_copies, options_.max_evaluations, options_.target_std_error},
                                     options_.level, stream.child("read"));
}

Read::~Read() = default;

void Read::step(Context& context) { run_->step(context); }
bool Read::finished() const { return run_->finished(); }
void Read::stop(const std::string& reason) { run_->stop(reason); }
Progress Read::progress() const { return run_->progress(); }
void Read::describe_state(Archive& archive) { run_->describe_state(archive); }

void Read::warn(Outcome& o) const {
  const std::string robust = " The line median_of_means needs no variance.";
  if (options_.max_level < LevelLaw::most_levels && run_->depth() > 0)
    o.warnings.push_back("BIASED: levels above " + std::to_string(options_.max_level) + " were cut off (max_level); the interval covers the truncated value.");
  if (run_->copies() < 2) o.warnings.push_back("A single copy says nothing of its error. Ask for more copies.");
  bool trusted = true;
  const double share = run_->largest_share();
  if (run_->copies() >= 100 && share > heavy_share) {
    trusted = false;
    o.warnings.push_back("The largest 0.1 % of the copies hold " + std::to_string(static_cast<int>(100 * share)) +
                         " % of the sum of squares: the tails are heavy and the interval of value cannot be trusted. Raise base_samples (4, then 8) or lower "
                         "rates." +
                         robust);
  }
  for (Index d = 0; d < run_->depth() && options_.max_level == LevelLaw::most_levels; ++d) {
    const double rate = run_->laws()[static_cast<std::size_t>(d)].rate, needed = -std::log2(1 - rate);
    const auto [decay, error] = run_->variance_decay(d);
    const std::string fact = "At depth " + std::to_string(d) + " the variance of the level differences falls like 2^(-" + rounded(decay) + " level)";
    if (decay + 2 * error < std::min(needed, 1.0)) {
      o.warnings.push_back(fact +
                           ", no faster than their cost grows: the link jumps or is only continuous, no rate gives a finite variance, and the interval "
                           "of value cannot be trusted. Smooth the link, or set regime = \"lipschitz\"." +
                           robust);
    } else if (decay + 2 * error < needed) {
      o.warnings.push_back(
          fact + ", and its rate " + to_text(rate) + " needs more than " + rounded(needed) +
          " for a finite variance: the link has kinks or the tails are heavy, and the interval of value cannot be trusted. Lower the rate or raise "
          "base_samples." +
          robust);
    } else if (decay + 3 * error < 1.8 && needed > 1.4) {
      o.warnings.push_back(fact +
                           ", which speaks for a kink (max, abs; then 1.5): the variance is finite for rates below 0.646 only, and the interval of value "
                           "cannot be trusted at " +
                           to_text(rate) + ". Lower the rate to 0.6." + robust);
    } else {
      continue;
    }
    trusted = false;
  }
  if (options_.regime == LinkRegime::lipschitz && run_->depth() > 0) {
    o.warnings.push_back(
        "Lipschitz links: the copies have no finite variance in general, so value is the median of means with its own interval, not the mean.");
    const Estimate mean = o.estimates.front().estimate;
    o.estimates.front().estimate = o.estimates[1].estimate;
    if (std::isnan(o.estimates.front().estimate.value)) o.estimates.front().note = "needs more copies for a median of means";
    o.diagnostics.push_back({.name = "mean_of_copies", .value = mean.value, .meaning = "plain mean of the copies, whose error is not known"});
  }
  if (!trusted) o.estimates.front().note = "interval not to be trusted: see the warnings";
}

Outcome Read::outcome() const {
  Outcome o = run_->outcome();
  if (run_->copies() > 0) warn(o);
  return o;
}

ReadResult Read::result() const {
  Outcome o = outcome();
  return {.value = o.estimates[0].estimate,
          .median_of_means = o.estimates[1].estimate,
          .copies = run_->copies(),
          .evaluations = run_->leaves(),
          .variance_per_copy = run_->variance(),
          .warnings = std::move(o.warnings),
          .stop_reason = std::move(o.stop_reason)};
}

ReadResult read(std::shared_ptr<const NestedProblem> problem, const ReadOptions& options, const Stream& stream, Context& context) {
  Read method(std::move(problem), options, stream);
  run_to_end(method, context);
  return method.result();
}

}  // namespace buffon
