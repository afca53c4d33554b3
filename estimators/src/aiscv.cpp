// SPDX-License-Identifier: BSD-3-Clause
#include "aiscv_exploration.hpp"
#include "option_words.hpp"

#include <buffon/core/check_options.hpp>
#include <buffon/core/error.hpp>
#include <buffon/estimators/aiscv.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

namespace buffon {
namespace {

constexpr std::int64_t enough_when_stopped = 1000;  // points of the final sample after a stop request

constexpr std::int64_t fewest_points = 20;

enum class Phase { pilot, tempering, adapting, sampling };

AiscvOptions checked(const Integrands& integrands, AiscvOptions o) {
  check_options("aiscv", o);
  const auto count = static_cast<std::size_t>(integrands.count());
  const auto refuse = [](const std::string& key, const std::string& value, const std::string& rule, const std::string& remedy) {
    return Error(ErrorCategory::configuration, {.doing = "setting up aiscv", .key = "options." + key, .value = value, .rule = rule, .remedy = remedy});
  };
  if (o.max_evaluations / integrands.calls_per_point() < fewest_points) {
    throw refuse("max_evaluations", std::to_string(o.max_evaluations),
                 "must pay for at least " + std::to_string(fewest_points) + " points of " + std::to_string(integrands.calls_per_point()) + " evaluations",
                 "give at least " + std::to_string(fewest_points * integrands.calls_per_point()));
  }
  if (o.weights == AiscvWeights::custom && o.custom_weights.size() != count) {
    throw refuse("custom_weights", std::to_string(o.custom_weights.size()) + " numbers", "must have one per expectation, " + std::to_string(count),
                 "give them in the order of the expectations, or use weights = \"relative\"");
  }
  if (o.weights != AiscvWeights::custom && !o.custom_weights.empty()) {
    throw refuse("custom_weights", std::to_string(o.custom_weights.size()) + " numbers", "has no effect unless weights = \"custom\"",
                 "remove it or set weights = \"custom\"");
  }
  for (const double w : o.custom_weights) {
    if (!std::isfinite(w)) throw refuse("custom_weights", to_text(w), "must be finite", "give positive numbers");
  }
  if (o.start == AiscvStart::tempering) {
    bool any = false;
    for (Index j = 0; j < integrands.count(); ++j) any = any || integrands.has_level(j);
    if (!any) throw refuse("start", "\"tempering\"", "needs at least one event quantity, whose level it follows", "use start = \"direct\"");
  }
  return o;
}

}  // namespace

void describe(OptionVisitor& v, AiscvOptions& o) {
  static constexpr std::array<std::string_view, 2> family_words = {"gaussian", "gaussian_mixture"};
  static constexpr std::array<std::string_view, 3> weight_words = {"relative", "absolute", "custom"};
  static constexpr std::array<std::string_view, 2> final_words = {"newest", "previous"};
  static constexpr std::array<std::string_view, 2> sampling_words = {"multinomial", "stratified"};
  static constexpr std::array<std::string_view, 2> control_words = {"own", "regression"};
  static constexpr std::array<std::string_view, 2> start_words = {"direct", "tempering"};
  v.on({.name = "max_evaluations",
        .meaning = "Model evaluations at most, the exploration included; each serves every quantity.",
        .unit = "evaluations",
        .range = at_least(20)},
       o.max_evaluations);
  v.on({.name = "exploration_fraction", .meaning = "Largest share of max_evaluations that the exploration may use.", .range = strictly_between(0, 1)},
       o.exploration_fraction);
  v.on({.name = "exploration_batches", .meaning = "The exploration share is cut into so many batches, the pilot included.", .range = between(2, 1000)},
       o.exploration_batches);
  v.on({.name = "family", .meaning = "Family of the auxiliary density of every expectation."}, o.family, family_words);
  v.on({.name = "components", .meaning = "Gaussians per auxiliary density, for family = gaussian_mixture.", .range = between(1, 20)}, o.components);
  v.on({.name = "diagonal", .meaning = "Fit variances only, no correlations: for many dimensions with few points."}, o.diagonal);
  v.on({.name = "weights", .meaning = "What the exploration minimises: relative variances, absolute variances, or their sum with custom_weights."}, o.weights,
       weight_words);
  v.on({.name = "custom_weights", .meaning = "Weights of the variances in the order of the expectations, for weights = custom.", .range = positive()},
       o.custom_weights);
  v.on({.name = "final", .meaning = "Densities of the final sample when the last exploration round did not help: the newest or the ones before."}, o.final,
       final_words);
  v.on({.name = "space", .meaning = "Where densities are fitted: standard normal space (one scenario) or the space of the inputs; auto chooses."}, o.space,
       space_words);
  v.on({.name = "sampling", .meaning = "How draws choose their density: independently, or stratified by a low-discrepancy sequence."}, o.sampling,
       sampling_words);
  v.on({.name = "control", .meaning = "Control variates: each expectation its own density, or a regression on all of them in the final sample."}, o.control,
       control_words);
  v.on({.name = "ridge", .meaning = "Added to fitted variances, as a share of the inputs' variances.", .range = positive()}, o.ridge);
  v.on({.name = "absolute_ridge", .meaning = "Take the ridge as a variance instead of a share."}, o.absolute_ridge);
  v.on({.name = "start", .meaning = "How the exploration starts: from the law of the inputs, or by tempering towards rare events."}, o.start, start_words);
  v.on({.name = "tempering_quantile",
        .meaning = "Share of the points above the next threshold of a tempered event.",
        .range = {.min = 0, .max = 0.5, .open_min = true}},
       o.tempering_quantile);
  describe_level(v, o.level);
}

struct AiscvKernel::State {
  State(std::shared_ptr<const Integrands> integrands_in, const AiscvOptions& options_in, const Stream& stream)
      : integrands(std::move(integrands_in)),
        options(checked(*integrands, options_in)),
        root(stream.child("aiscv")),
        final_stream(root.child("final")),
        exploration(integrands, options, root) {}

  void start_sample(AuxiliaryMixture law) {
    phase = Phase::sampling;
    sample = std::make_unique<MixtureSample>(integrands, std::move(law),
                                             MixtureSampleSettings{.stratified = options.sampling == AiscvSampling::stratified,
                                                                   .regression = options.control == AiscvControl::regression,
                                                                   .level = options.level,
                                                                   .exponents = exploration.exponents()},
                                             final_stream);
  }
  void end_exploration() {
    start_sample(exploration.final_law());
    exploration.release_points();
  }
  void after_exploration_round() {
    if (exploration.finished() || !asked.empty()) {
      end_exploration();
    } else {
      phase = exploration.tempering() ? Phase::tempering : Phase::adapting;
    }
  }
  std::int64_t limit() const { return exploration.points_in_all() - exploration.spent(); }
  std::int64_t used() const { return exploration.spent() + (sample ? sample->points() : 0); }
  std::int64_t evaluations() const { return used() * integrands->calls_per_point(); }
  bool enough() const { return sample && (sample->points() == limit() || (!asked.empty() && sample->points() >= std::min(enough_when_stopped, limit()))); }

  std::shared_ptr<const Integrands> integrands;
  AiscvOptions options;
  Stream root, final_stream;
  AiscvExploration exploration;
  std::unique_ptr<MixtureSample> sample;
  Phase phase = Phase::pilot;
  std::int64_t recorded = 0;
  std::string asked;  // reason of a stop request
};

AiscvKernel::AiscvKernel(const Problem& problem, const AiscvOptions& options, const Stream& stream)
    : AiscvKernel(problem_integrands(problem, options.space, "aiscv"), options, stream) {}

AiscvKernel::AiscvKernel(std::shared_ptr<const Integrands> integrands, const AiscvOptions& options, const Stream& stream)
    : state_(std::make_unique<State>(std::move(integrands), options, stream)) {}

AiscvKernel::~AiscvKernel() = default;

void AiscvKernel::step(Context& context) {
  State& s = *state_;
  switch (s.phase) {
    case Phase::pilot:
      s.exploration.pilot(context);
      s.after_exploration_round();
      break;
    case Phase::tempering:
      if (s.asked.empty()) s.exploration.temper(context);
      s.after_exploration_round();
      break;
    case Phase::adapting:
      if (s.asked.empty()) s.exploration.adapt(context);
      s.after_exploration_round();
      break;
    case Phase::sampling:
      s.sample->round(context, next_round(s.sample->points(), s.limit(), largest_round(*s.integrands)));
      if (s.enough() || 10 * s.sample->points() >= 11 * s.recorded) {
        s.sample->record(s.evaluations());
        s.recorded = s.sample->points();
      }
      break;
  }
}

bool AiscvKernel::finished() const { return state_->enough(); }

void AiscvKernel::stop(const std::string& reason) { state_->asked = reason; }

Progress AiscvKernel::progress() const {
  const State& s = *state_;
  Progress p;
  p.evaluations = s.evaluations();
  p.fraction = finished() ? 1.0 : static_cast<double>(s.used()) / static_cast<double>(s.exploration.points_in_all());
  p.name = s.integrands->names().front();
  switch (s.phase) {
    case Phase::pilot:
      p.phase = "pilot";
      break;
    case Phase::tempering:
      p.phase = "tempering, round " + std::to_string(s.exploration.rounds());
      break;
    case Phase::adapting:
      p.phase = "adapting, round " + std::to_string(s.exploration.rounds());
      break;
    case Phase::sampling:
      p.phase = "final sample";
      if (s.sample->points() > 0) p.current = s.sample->estimates().front().estimate;
      break;
  }
  return p;
}

AiscvResult AiscvKernel::result() const {
  const State& s = *state_;
  AiscvResult r;
  r.exploration_points = s.exploration.spent();
  r.evaluations = s.evaluations();
  r.weights = s.exploration.weights();
  r.warnings = s.exploration.warnings([&](Index j) { return !s.sample || s.sample->points() == 0 || s.sample->doubtful(j); });
  r.stop_reason = s.asked.empty() ? (finished() ? "the budget was spent" : "") : s.asked;
  if (!s.sample) return r;
  r.points = s.sample->points();
  r.alpha = s.sample->law().alpha;
  r.beta = s.sample->law().beta;
  r.signed_functions = s.sample->signed_functions();
  if (s.sample->points() == 0) return r;
  r.estimates = s.sample->estimates();
  r.covariance = s.sample->covariance();
  const Eigen::VectorXd root = (0.5 * r.weights.array().log()).exp() * r.covariance.diagonal().array().sqrt();
  r.criterion = root.squaredNorm();
  Outcome words;
  s.sample->report(words);
  r.warnings.insert(r.warnings.end(), words.warnings.begin(), words.warnings.end());
  return r;
}

Outcome AiscvKernel::outcome() const {
  const State& s = *state_;
  AiscvResult r = result();
  Outcome o;
  o.estimates = r.estimates.empty() ? unknown_estimates(*s.integrands) : std::move(r.estimates);
  o.covariance = std::move(r.covariance);
  o.evaluations = r.evaluations;
  o.stop_reason = r.stop_reason;

  o.diagnostics.push_back({"exploration_points", r.exploration_points, "points spent on fitting the auxiliary densities"});
  o.diagnostics.push_back({"final_points", r.points, "independent points behind the estimates"});
  o.diagnostics.push_back({"exploration_ended", s.exploration.stop_reason(), "why the exploration ended"});
  if (s.sample && s.sample->points() > 0) {
    o.diagnostics.push_back({"alpha", std::vector<double>(r.alpha.begin(), r.alpha.end()), "share of each auxiliary density in the final sample"});
    o.diagnostics.push_back({"beta", std::vector<double>(r.beta.begin(), r.beta.end()), "control parameter of each expectation"});
    o.diagnostics.push_back({"criterion", r.criterion, "weighted sum of the variances of the estimates, what the exploration tries to make small"});
    o.diagnostics.push_back({"signed_functions", r.signed_functions, "a quantity took negative values; its variance can then not become zero"});
    o.tables.push_back(s.sample->convergence());
    s.sample->report(o);
  }
  o.warnings = std::move(r.warnings);

  Table rounds;
  rounds.name = "rounds";
  rounds.title = "Exploration rounds";
  rounds.columns = {"evaluations", "predicted_criterion", "smallest_effective_size", "largest_alpha", "alpha_iterations"};
  const auto& list = s.exploration.round_list();
  rounds.rows.resize(static_cast<Index>(list.size()), 5);
  for (std::size_t i = 0; i < list.size(); ++i) {
    rounds.row_labels.push_back(list[i].label);
    rounds.rows.row(static_cast<Index>(i)) << static_cast<double>(list[i].points * s.integrands->calls_per_point()), list[i].criterion, list[i].smallest_size,
        list[i].largest_share, list[i].alpha_iterations;
  }
  o.tables.push_back(std::move(rounds));
  return o;
}

MemoryNeed AiscvKernel::memory_need() const { return aiscv_memory_need(*state_->integrands, state_->options); }

MemoryNeed aiscv_memory_need(const Integrands& integrands, const AiscvOptions& options) {
  const auto count = static_cast<double>(integrands.count());
  const double kept =
      static_cast<double>(integrands.dimension()) + count + (integrands.common_law() ? 1 : count) + (options.start == AiscvStart::tempering ? count : 0) + 1;
  const double points = options.exploration_fraction * static_cast<double>(options.max_evaluations / integrands.calls_per_point());
  return {.amount = options.max_evaluations, .bytes = sizeof(double) * points * (3 * kept + 2 * count)};
}

void AiscvKernel::describe_state(Archive& archive) {
  State& s = *state_;
  archive.item("phase", s.phase);
  archive.item("exploration", s.exploration);
  archive.item("recorded", s.recorded);
  archive.item("asked", s.asked);
  if (s.phase == Phase::sampling) {
    if (archive.loading()) s.start_sample({});
    archive.item("sample", *s.sample);
  }
}

AiscvResult aiscv(std::shared_ptr<const Integrands> integrands, const AiscvOptions& options, const Stream& stream, Context& context) {
  AiscvKernel method(std::move(integrands), options, stream);
  run_to_end(method, context);
  return method.result();
}

AiscvResult aiscv(const Problem& problem, const AiscvOptions& options, const Stream& stream, Context& context) {
  AiscvKernel method(problem, options, stream);
  run_to_end(method, context);
  return method.result();
}

}  // namespace buffon
