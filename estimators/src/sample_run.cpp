// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/core/error.hpp>
#include <buffon/estimators/sample_run.hpp>

#include <algorithm>
#include <cmath>
#include <utility>

namespace buffon {

std::int64_t largest_round(const Integrands& integrands) {
  return std::clamp<std::int64_t>((std::int64_t{1} << 22) / (integrands.count() + integrands.dimension()), 1024, 65536);
}

SampleRun::SampleRun(std::shared_ptr<const Integrands> integrands, AuxiliaryMixture law, const SampleTargets& targets, Stream stream)
    : integrands_(std::move(integrands)),
      targets_(targets),
      sample_(integrands_, std::move(law), {.level = targets.level, .exponents = {}}, std::move(stream)) {
  limit_ = targets_.max_evaluations / integrands_->calls_per_point();
  if (limit_ < 1) {
    throw Error(ErrorCategory::configuration, {.doing = "setting up the sample",
                                               .key = "options.max_evaluations",
                                               .value = std::to_string(targets_.max_evaluations),
                                               .rule = "must allow one point, which costs " + std::to_string(integrands_->calls_per_point()) + " evaluations"});
  }
}

void SampleRun::step(Context& context) {
  sample_.round(context, next_round(sample_.points(), limit_, largest_round(*integrands_)));
  if (!asked_.empty()) {
    reason_ = asked_;
  } else if (sample_.points() == limit_) {
    reason_ = "the budget was spent";
  } else if (targets_met()) {
    reason_ = "the target error was reached";
  }
  if (sample_.known() && (!reason_.empty() || 10 * sample_.points() >= 11 * recorded_)) {
    sample_.record(evaluations());
    recorded_ = sample_.points();
  }
}

bool SampleRun::finished() const { return !reason_.empty() || (!asked_.empty() && sample_.points() > 0); }

bool SampleRun::targets_met() const {
  if (!targets_.std_error && !targets_.relative_error) return false;
  if (sample_.points() < 1024) return false;
  const auto estimates = sample_.estimates();
  for (std::size_t j = 0; j < estimates.size(); ++j) {
    const Estimate& e = estimates[j].estimate;
    const std::int64_t hits = sample_.hits(static_cast<Index>(j));
    const bool event = integrands_->has_level(static_cast<Index>(j));
    if (!event && !(e.std_error > 0)) return false;  // equal values so far say nothing of the error
    if (event && std::min(hits, sample_.points() - hits) < 10 && hits < sample_.points()) return false;
    if (targets_.std_error && !(e.std_error <= *targets_.std_error)) return false;
    if (targets_.relative_error && !(e.relative_error() <= *targets_.relative_error)) return false;
  }
  return true;
}

Progress SampleRun::progress() const {
  Progress p;
  p.fraction = finished() ? 1.0 : static_cast<double>(sample_.points()) / static_cast<double>(limit_);
  p.evaluations = evaluations();
  p.phase = "sampling";
  p.name = integrands_->names().front();
  if (const auto list = sample_.estimates(); !list.empty()) p.current = list.front().estimate;
  return p;
}

Outcome SampleRun::outcome() const {
  Outcome o;
  o.evaluations = evaluations();
  o.stop_reason = !reason_.empty() ? reason_ : asked_;
  if (!sample_.known()) {
    o.estimates = unknown_estimates(*integrands_);
    return o;
  }
  o.estimates = sample_.estimates();
  o.covariance = sample_.covariance();
  o.tables.push_back(sample_.convergence());
  sample_.report(o);
  return o;
}

SampleResult SampleRun::result() const {
  Outcome o = outcome();
  return {std::move(o.estimates), std::move(o.covariance), sample_.points(), o.evaluations, std::move(o.warnings), std::move(o.stop_reason)};
}

void SampleRun::describe_state(Archive& archive) {
  archive.item("sample", sample_);
  archive.item("recorded", recorded_);
  archive.item("asked", asked_);
  archive.item("reason", reason_);
}

}  // namespace buffon
