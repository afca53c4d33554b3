// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/core/constants.hpp>
#include <buffon/samplers/diffusion.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <mutex>
#include <utility>

#include <buffon/core/archive.hpp>
#include <buffon/core/check_options.hpp>
#include <buffon/core/error.hpp>
#include <buffon/parallel/blocks.hpp>
#include <buffon/stats/outcome.hpp>

#include "diffusion/endpoint_errors.hpp"
#include "diffusion/sample_moments.hpp"
#include "diffusion/sample_workers.hpp"

namespace buffon {
namespace {

using constants::nan;
constexpr std::int64_t most_shown = 10, most_points = 2000, most_nodes = 50;
constexpr std::array<std::string_view, 5> spacing_words = {"automatic", "log_snr", "time", "quadratic", "karras"};
constexpr std::array<std::string_view, 2> precision_words = {"float32", "float64"};
constexpr std::array<std::string_view, 2> prediction_words = {"noise", "data"};

[[noreturn]] void refuse(std::string key, std::string value, std::string rule, std::string remedy) {
  throw Error(
      ErrorCategory::configuration,
      {.doing = "setting up diffusion", .key = "options." + std::move(key), .value = std::move(value), .rule = std::move(rule), .remedy = std::move(remedy)});
}

const std::vector<std::string_view>& solver_words() {
  static const std::vector<std::string_view> words = [] {
    std::vector<std::string_view> names;
    for (const SolverName& solver : solver_names()) names.emplace_back(solver.name);
    return names;
  }();
  return words;
}

/// Refuses options that the chosen solver would pass over.
void check_read(const DiffusionOptions& o) {
  const auto& names = solver_names();
  const SolverName& solver = *std::find_if(names.begin(), names.end(), [&](const SolverName& s) { return s.name == o.solver; });
  const DiffusionOptions own;
  const std::string read = " " + solver.options + " ";
  const auto check = [&](const std::string& key, bool given, const std::string& value) {
    const bool known = read.find(" " + key + " ") != std::string::npos || read.find(" " + key + ",") != std::string::npos;
    if (given && !known) refuse(key, value, "is no option of the solver " + solver.name, "leave it out; `buffon list solvers` shows the others");
  };
  if (solver.options.find("statistics") != std::string::npos) {
    refuse("solver", o.solver, "needs statistics of the model, which no job can give", "use it from C++ (estimate_statistics), or take unipc or dpmpp_3m here");
  }
  check("order", o.order != 0 && !solver.order.starts_with(std::to_string(o.order)), std::to_string(o.order));
  check("eta", o.eta != own.eta, to_text(o.eta));
  check("variant", o.variant != own.variant, o.variant);
  check("prediction", o.prediction != own.prediction, std::string(prediction_words[static_cast<std::size_t>(o.prediction)]));
  check("beta", o.beta != own.beta, to_text(o.beta));
  check("churn", o.churn != own.churn, to_text(o.churn));
  check("churn_from", o.churn_from != own.churn_from, to_text(o.churn_from));
  check("churn_to", o.churn_to != own.churn_to, to_text(o.churn_to));
  check("churn_noise", o.churn_noise != own.churn_noise, to_text(o.churn_noise));
  check("restarts", !o.restarts.empty(), std::to_string(o.restarts.size()) + " parts");
  check("ratios", !o.ratios.empty(), std::to_string(o.ratios.size()) + " numbers");
  check("lower_order_final", o.lower_order_final, "true");
  if (o.blend_first && o.blend == 0) refuse("blend_first", "true", "says how predictions are blended, and blend is 0", "set blend, or leave it out");
}

/// Refuses options of the nodes that nodes given otherwise would pass over.
void check_nodes(const DiffusionOptions& o, const std::string& giver) {
  const DiffusionOptions own;
  const auto check = [&](const char* key, bool given, const std::string& value) {
    if (given) refuse(key, value, "has no effect beside the nodes of " + giver, "leave it out, or leave those nodes out");
  };
  check("spacing", o.spacing != own.spacing, std::string(spacing_words[static_cast<std::size_t>(o.spacing)]));
  check("power", o.power != own.power, to_text(o.power));
}

/// Nodes of a run with `steps` steps, between the ends that the options or the schedule name.
std::vector<NoiseLevel> nodes(const DiffusionOptions& o, const NoiseSchedule& schedule, int steps) {
  const double first = o.first_time.value_or(schedule.first_time()), last = o.last_time.value_or(schedule.last_time());
  const double from = schedule.at_time(first).lambda, to = schedule.at_time(last).lambda;
  if (!(from < to)) {
    refuse(o.last_time ? "last_time" : "first_time", to_text(o.last_time ? last : first), "must leave less noise at the end than at the beginning",
           "the schedule goes from time " + to_text(schedule.first_time()) + " to " + to_text(schedule.last_time()));
  }
  if (o.power != 0 && o.spacing != NodeSpacing::quadratic && o.spacing != NodeSpacing::karras) {
    refuse("power", to_text(o.power), "is the root of the spacings quadratic and karras", "set spacing to one of them, or leave it out");
  }
  const bool finite = std::isfinite(from) && std::isfinite(to);
  if (!finite && (o.spacing == NodeSpacing::log_snr || o.spacing == NodeSpacing::karras)) {
    refuse("spacing", std::string(spacing_words[static_cast<std::size_t>(o.spacing)]), "needs ends with both data and noise in them",
           "take spacing = \"time\", or first_time and last_time inside the schedule");
  }
  GridSpacing spacing = finite ? GridSpacing::log_snr : GridSpacing::time;
  if (o.spacing == NodeSpacing::time) spacing = GridSpacing::time;
  if (o.spacing == NodeSpacing::quadratic) spacing = GridSpacing::quadratic;
  if (o.spacing == NodeSpacing::karras) spacing = GridSpacing::karras;
  return time_grid(schedule, spacing, steps, first, last, o.power);
}

}  // namespace

SolverSetting solver_setting(const DiffusionOptions& o) {
  check_read(o);
  SolverSetting s;
  s.solver = o.solver;
  s.order = static_cast<int>(o.order);
  s.eta = o.eta;
  s.variant = o.variant;
  s.prediction = o.prediction;
  s.beta = o.beta;
  s.churn = o.churn;
  s.churn_from = o.churn_from;
  s.churn_to = o.churn_to;
  s.churn_noise = o.churn_noise;
  for (std::size_t i = 0; i < o.restarts.size(); ++i) {
    const std::vector<double>& r = o.restarts[i];
    const auto whole = [](double x) { return x == std::floor(x) && x >= 1 && x <= 1e6; };
    if (r.size() != 4 || !whole(r[0]) || !whole(r[1])) {
      refuse("restarts[" + std::to_string(i) + "]", std::to_string(r.size()) + " numbers",
             "must be nodes, times, rho_min, rho_max, the first two whole and positive", "write [3, 2, 0.2, 1.0]");
    }
    s.restarts.push_back({static_cast<int>(r[0]), static_cast<int>(r[1]), r[2], r[3]});
  }
  s.lower_order_final = o.lower_order_final;
  s.denoise_to_zero = o.denoise_to_zero;
  s.blend = o.blend;
  s.blend_first = o.blend_first;
  s.ratios = o.ratios;
  return s;
}

void describe(OptionVisitor& v, DiffusionOptions& o) {
  if (o.prediction == Prediction::velocity) refuse("prediction", "velocity", "must be one of noise, data", "take data");
  v.on({.name = "samples", .meaning = "Samples drawn.", .unit = "samples", .range = between(1, 1e12)}, o.samples);
  v.on({.name = "solver", .meaning = "Solver of the reverse process; `buffon list solvers` explains each.", .choices = solver_words()}, o.solver);
  v.on({.name = "order", .meaning = "Order of solvers that have several, 0 = the solver's own.", .range = between(0, 8)}, o.order);
  v.on({.name = "eta",
        .meaning = "Share of fresh noise, 0 = none. ddim: at most 1 = ddpm. SDE forms: 1 = the reverse equation; more stirs more and keeps the same law, at "
                   "the price of more "
                   "steps.",
        .range = at_least(0)},
       o.eta);
  v.on({.name = "variant", .meaning = "Variant of the solver, as `buffon list solvers` says; empty = its own."}, o.variant);
  v.on({.name = "prediction", .meaning = "What unipc, unip and dc_solver interpolate."}, o.prediction, prediction_words);
  v.on({.name = "beta", .meaning = "Damping of the momentum of ghvb, plms_hb and plms_nt, 1 = no momentum.", .range = {.min = 0, .max = 1, .open_min = true}},
       o.beta);
  v.on({.name = "churn",
        .meaning = "Noise added and removed again by the solver edm, in all steps together; never above that of the first node.",
        .range = at_least(0)},
       o.churn);
  v.on({.name = "churn_from", .meaning = "Smallest sigma / alpha with churn.", .range = at_least(0)}, o.churn_from);
  v.on({.name = "churn_to", .meaning = "Largest sigma / alpha with churn.", .range = at_least(0)}, o.churn_to);
  v.on({.name = "churn_noise", .meaning = "Factor on the noise of churn.", .range = positive()}, o.churn_noise);
  v.on({.name = "restarts",
        .meaning = "For restart: for every part of the way that is gone again, [nodes, times, rho_min, rho_max], rho = sigma / alpha.",
        .range = at_least(0)},
       o.restarts);
  v.on({.name = "lower_order_final", .meaning = "Multistep solvers: order at most the steps that are left."}, o.lower_order_final);
  v.on({.name = "denoise_to_zero", .meaning = "One more call in the end: the sample becomes the model's estimate of the data."}, o.denoise_to_zero);
  v.on({.name = "blend", .meaning = "Share of the noise predicted before in every prediction of noise (DualFast).", .range = between(0, 1)}, o.blend);
  v.on({.name = "blend_first", .meaning = "With blend: take that noise from the first node, not from the one before."}, o.blend_first);
  v.on({.name = "ratios", .meaning = "For dc_solver: one ratio for each step, 1 in the first two."}, o.ratios);
  v.on({.name = "steps", .meaning = "Steps of the grid; without effect where the nodes are given.", .unit = "steps", .range = between(1, 1e5)}, o.steps);
  v.on(
      {.name = "spacing",
       .meaning = "How the nodes lie: equally in log(alpha / sigma), in time, in a root of time, or in a root of sigma / alpha (Karras and others); automatic: "
                  "log_snr, or time where the grid begins with noise alone or ends with data."},
      o.spacing, spacing_words);
  v.on({.name = "power", .meaning = "The root of the spacings quadratic and karras, 0 = 2 and 7; for others none.", .range = at_least(0)}, o.power);
  v.on({.name = "first_time", .meaning = "Where sampling begins; the beginning of the schedule if not given."}, o.first_time);
  v.on({.name = "last_time", .meaning = "Where sampling ends; the end of the schedule if not given."}, o.last_time);
  v.on({.name = "times", .meaning = "All nodes, as falling times; in the place of steps, spacing and ends."}, o.times);
  v.on({.name = "batch",
        .meaning = "Samples that the model is asked about together; no number depends on it, but for networks, which may add up in another order (not with "
                   "denoiser.together = 1).",
        .unit = "samples",
        .range = between(1, 1e7)},
       o.batch);
  v.on({.name = "round",
        .meaning = "Batches between two places where the state can be saved, divided among threads and processes.",
        .unit = "batches",
        .range = between(1, 1e5)},
       o.round);
  v.on({.name = "backend", .meaning = "Where it runs: cpu, cpu:reference, cuda, cuda:1 …; `buffon list backends` shows what is there."}, o.backend);
  v.on({.name = "precision", .meaning = "Type of states, and of the numbers in samples.npy."}, o.precision, precision_words);
  v.on({.name = "trajectories", .meaning = "Of models in the plane: samples whose states at the nodes are kept for the report.", .range = between(0, 1000)},
       o.trajectories);
  v.on({.name = "error_curve", .meaning = "Measure the error of a deterministic solver against its calls, where the law of the data is known and small."},
       o.error_curve);
  v.on({.name = "level", .meaning = "Confidence level of the intervals.", .range = strictly_between(0, 1)}, o.level);
}

struct Diffusion::State {
  enum class Stage { sampling, moments, trajectories, errors, done };

  std::shared_ptr<const DiffusionModel> model;
  DiffusionOptions options;
  Stream stream;
  std::vector<NoiseLevel> grid;
  SolverPlan plan;
  SampleWorkers workers;

  Stage stage = Stage::sampling;
  std::int64_t wanted = 0, done = 0;
  bool known = true;  ///< the samples are here, not in the shards of other processes
  std::string stop_reason;
  std::shared_ptr<std::string> bytes = std::make_shared<std::string>();
  SampleMoments moments;
  Eigen::MatrixXd paths;  ///< one column per state: path, node, x1, x2
  EndpointErrors errors;

  State(std::shared_ptr<const DiffusionModel> model_, const DiffusionOptions& options_, const Stream& stream_)
      : model(std::move(model_)),
        options((check_options("diffusion", options_), options_)),
        stream(stream_.child("diffusion")),
        grid(nodes_of_run()),
        plan(plan_of_run()),
        workers(*model, plan, options.backend, options.precision == SamplePrecision::float32 ? BUFFON_F32 : BUFFON_F64,
                std::min(options.batch, options.samples), std::min(options.round, block_count(options.samples, options.batch))),
        wanted(options.samples) {}

  /// The plan; what a solver says of the nodes is said of the option that they come from.
  SolverPlan plan_of_run() const {
    try {
      return plan_solver(solver_setting(options), *model->schedule, grid);
    } catch (const Error& error) {
      if (error.text().key != "nodes") throw;
      ErrorText text = error.text();
      text.key = !options.times.empty() ? "options.times" : (!model->grid.empty() ? "schedule.grid_file" : "options.first_time");
      throw Error(error.category(), text, error.where());
    }
  }

  Index dimension() const { return model->denoiser->dimension(); }

  std::vector<NoiseLevel> nodes_of_run() const {
    const NoiseSchedule& schedule = *model->schedule;
    if (!options.times.empty() && !model->grid.empty()) {
      refuse("times", std::to_string(options.times.size()) + " times", "are nodes beside those of schedule.grid_file", "leave one of them out");
    }
    if (!options.times.empty()) {
      check_nodes(options, "options.times");
      for (const auto& [key, end] : {std::pair{"first_time", options.first_time}, {"last_time", options.last_time}}) {
        if (end) refuse(key, to_text(*end), "has no effect beside options.times", "leave it out: the first and last of the times are the ends");
      }
      return grid_of_times(schedule, options.times);
    }
    if (options.first_time) require_time(schedule, *options.first_time, "options.first_time");
    if (options.last_time) require_time(schedule, *options.last_time, "options.last_time");
    if (!model->grid.empty()) {
      auto found = grid_of_text(schedule, model->grid, options.first_time.value_or(schedule.first_time()), options.last_time.value_or(schedule.last_time()),
                                model->grid_file);
      check_nodes(options, "schedule.grid_file");
      return found;
    }
    return nodes(options, schedule, static_cast<int>(options.steps));
  }

  void sample(Context& context) {
    const std::int64_t items = std::min(wanted - done, options.batch * options.round);
    std::vector<std::string> parts(static_cast<std::size_t>(block_count(items, options.batch)));
    const bool all = for_shared_blocks(
        context, items, options.batch, Needed::at_the_end,
        [&](const Block& block) {
          parts[static_cast<std::size_t>(block.index)] = workers.draw(context, grid.front(), stream, done + block.begin, block.size());
          context.add_evaluations(block.size() * plan.calls);
        },
        [&](std::int64_t block, Archive& archive) { archive.item("samples", parts[static_cast<std::size_t>(block)]); });
    known = known && all;
    if (known) {
      for (const std::string& part : parts) *bytes += part;
    }
    done += items;
    if (done == wanted) stage = Stage::moments;
  }

  void describe_moments(Context& context) {
    if (known) moments = sample_moments(samples(), model->law, context);
    stage = stop_reason.empty() ? Stage::trajectories : Stage::done;
  }

  void follow_paths(Context& context) {
    stage = Stage::errors;
    const std::int64_t count = std::min(options.trajectories, done);
    if (dimension() != 2 || count == 0) return;
    Eigen::MatrixXd found;
    const bool all = for_shared_blocks(
        context, 1, 1, Needed::at_the_end, [&](const Block&) { found = workers.paths(context, grid.front(), stream, count, most_nodes); },
        [&](std::int64_t, Archive& archive) { archive.item("paths", found); });
    if (all) paths = std::move(found);
  }

  void measure_errors(Context& context) {
    stage = Stage::done;
    if (!options.error_curve || !EndpointErrors::possible(*model, grid, plan)) return;
    EndpointErrors found;
    const bool all = for_shared_blocks(
        context, 1, 1, Needed::at_the_end,
        [&](const Block&) {
          const auto plan_of = [&](int numerator, int denominator) -> std::optional<PlannedGrid> { return grid_of_part(numerator, denominator); };
          try {
            found = EndpointErrors::measure(*model, workers.device(), context.threads(), grid, plan_of, stream);
          } catch (const Error& error) {  // the samples are drawn: a model that fails on other grids or in float64 does not take them away
            if (error.category() != ErrorCategory::model && error.category() != ErrorCategory::numeric) throw;
            found.failure = error.what();
          }
        },
        [&](std::int64_t, Archive& archive) { archive.item("errors", found); });
    if (all) errors = std::move(found);
  }

  /// The solver with numerator / denominator times as many steps; nothing where that makes no plan.
  std::optional<PlannedGrid> grid_of_part(int numerator, int denominator) const {
    const auto steps = static_cast<int>(grid.size()) - 1;
    if (steps * numerator % denominator != 0 || steps * numerator / denominator < 1) return std::nullopt;
    PlannedGrid out;
    if (options.times.empty() && model->grid.empty()) {
      out.grid = nodes(options, *model->schedule, steps * numerator / denominator);
    } else if (numerator == 1) {
      for (std::size_t i = 0; i < grid.size(); i += static_cast<std::size_t>(denominator)) out.grid.push_back(grid[i]);
    } else {
      return std::nullopt;
    }
    try {
      SolverSetting setting = solver_setting(options);
      setting.denoise_to_zero = false;  // ends are compared with states of the flow, which hold noise
      out.plan = plan_solver(setting, *model->schedule, out.grid);
    } catch (const Error&) {
      return std::nullopt;  // fewer steps than the solver needs
    }
    return out;
  }

  SampleSet samples() const {
    const auto image = model->denoiser->image();
    SampleSet out{known ? done : 0, dimension(), {dimension()}, options.precision == SamplePrecision::float32, bytes, image.has_value()};
    if (image) out.shape = {image->channels, image->height, image->width};
    return out;
  }

  Estimate estimate(double value, double error) const { return normal_estimate(value, error, static_cast<double>(done), options.level); }
};

Diffusion::Diffusion(std::shared_ptr<const DiffusionModel> model, const DiffusionOptions& options, const Stream& stream)
    : state_(std::make_unique<State>(std::move(model), options, stream)) {}

Diffusion::~Diffusion() = default;

const DiffusionOptions& Diffusion::options() const { return state_->options; }

void Diffusion::step(Context& context) {
  State& s = *state_;
  using Stage = State::Stage;
  if (s.stage == Stage::sampling) return s.sample(context);
  if (s.stage == Stage::moments) return s.describe_moments(context);
  if (s.stage == Stage::trajectories) return s.follow_paths(context);
  if (s.stage == Stage::errors) return s.measure_errors(context);
}

bool Diffusion::finished() const { return state_->stage == State::Stage::done; }

void Diffusion::stop(const std::string& reason) {
  State& s = *state_;
  if (s.stage == State::Stage::done) return;
  s.stop_reason = reason;
  if (s.stage == State::Stage::sampling) {
    s.wanted = std::max(s.done, std::min(s.options.batch, s.wanted));
    if (s.done == s.wanted) s.stage = State::Stage::moments;
  } else if (s.stage != State::Stage::moments) {
    s.stage = State::Stage::done;
  }
}

Progress Diffusion::progress() const {
  const State& s = *state_;
  Progress p;
  p.fraction = s.stage == State::Stage::done ? 1 : 0.99 * static_cast<double>(s.done) / static_cast<double>(s.wanted);
  p.evaluations = s.done * s.plan.calls;
  static constexpr std::array<const char*, 5> phases = {"drawing samples", "moments of the samples", "following trajectories",
                                                        "measuring the error of the solver", "done"};
  p.phase = phases[static_cast<std::size_t>(s.stage)];
  return p;
}

Outcome Diffusion::outcome() const {
  const State& s = *state_;
  const bool told = s.known && !s.moments.mean.empty();
  const Index d = s.dimension();
  Outcome out;
  const auto shown = static_cast<std::size_t>(std::min<Index>(d, most_shown));
  const auto number = [&](const std::vector<double>& list, std::size_t i) { return told ? list[i] : nan; };
  const auto exact = [](double value) {
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "exact: %.6g", value);
    return std::string(text.data());
  };
  const std::optional<KnownLaw>& law = s.model->law;
  for (std::size_t i = 0; i < shown; ++i) {
    out.estimates.push_back({"mean_x" + std::to_string(i + 1), s.estimate(number(s.moments.mean, i), number(s.moments.mean_error, i)), "mean",
                             law ? exact(law->mean(static_cast<Index>(i))) : ""});
  }
  for (std::size_t i = 0; i < shown; ++i) {
    const auto k = static_cast<Index>(i);
    out.estimates.push_back({"variance_x" + std::to_string(i + 1), s.estimate(number(s.moments.variance, i), number(s.moments.variance_error, i)), "variance",
                             law && law->covariance.size() > 0 ? exact(law->covariance(k, k)) : ""});
  }
  if (d > most_shown) {
    out.estimates.push_back({"mean_of_all", s.estimate(told ? s.moments.overall : nan, told ? s.moments.overall_error : nan), "all coordinates", ""});
    out.estimates.push_back({"square_of_all", s.estimate(told ? s.moments.square : nan, told ? s.moments.square_error : nan), "all coordinates", ""});
  }
  const auto tell = [&](std::string name, auto value, std::string meaning) { out.diagnostics.push_back({std::move(name), value, std::move(meaning)}); };
  tell("samples", s.done, "Samples drawn.");
  tell("calls", static_cast<std::int64_t>(s.plan.calls), "Calls of the model for one sample.");
  tell("nodes", static_cast<std::int64_t>(s.grid.size()), "Nodes of the grid, both ends included.");
  tell("noises", static_cast<std::int64_t>(s.plan.noises), "Fresh normals for one coordinate after the start; 0 = the solver is deterministic.");
  tell("model", s.model->denoiser->name(), "The model.");
  tell("schedule", s.model->schedule->name(), "The noise schedule.");
  out.evaluations = s.done * s.plan.calls;
  out.ran_on = s.workers.ran_on();
  if (s.stage != State::Stage::done) return out;
  out.stop_reason = s.stop_reason.empty() ? "all samples were drawn" : s.stop_reason;
  if (const std::string long_steps = warn_of_long_steps(solver_setting(s.options), s.grid); !long_steps.empty()) out.warnings.push_back(long_steps);
  if (!told) return out;
  if (s.moments.compared) {
    const LawDistance& w = s.moments.distance;
    const std::string chance = "The same for as many samples of a law without error, root mean square.";
    tell("mean_distance", w.mean, "Distance of the sample mean from the mean of the data.");
    tell("mean_distance_by_chance", w.mean_by_chance, chance);
    if (!std::isnan(w.w2_by_chance)) {
      tell("covariance_distance", w.covariance, "Frobenius distance of the sample covariance from that of the data.");
      tell("covariance_distance_by_chance", w.covariance_by_chance, chance);
      tell("gaussian_w2", w.w2,
           "Wasserstein-2 distance between Gaussians with the moments of the samples and of the data; at most that between the laws themselves.");
      tell("gaussian_w2_by_chance", w.w2_by_chance, chance);
    }
    const auto beyond = [](double distance, double by_chance) { return !std::isnan(by_chance) && !(distance <= 3 * by_chance); };  // NaN is beyond too
    if (beyond(w.mean, w.mean_by_chance) || beyond(w.w2, w.w2_by_chance)) {
      out.warnings.push_back(
          "The samples differ from the law of the data by more than chance explains: the solver's error (take more steps or another solver), or "
          "that of its ends (first_time, last_time).");
    }
  }
  if (!s.errors.failure.empty()) out.warnings.push_back("The error curve could not be measured: " + s.errors.failure);
  const SampleSet samples = s.samples();
  if (d == 1) {
    const Eigen::MatrixXd x = samples.columns(0, samples.count);
    const double low = x.minCoeff(), high = x.maxCoeff(), width = (high - low) / 40;
    Eigen::MatrixXd rows(40, 3);
    for (Index k = 0; k < 40; ++k) rows.row(k) << low + static_cast<double>(k) * width, low + static_cast<double>(k + 1) * width, 0;
    for (Index i = 0; i < x.size() && width > 0; ++i) rows(std::min<Index>(39, static_cast<Index>((x(0, i) - low) / width)), 2) += 1;
    out.tables.push_back({"sample_histogram", "Histogram of the samples", {"from", "to", "samples"}, rows, {}});
  } else if (d == 2) {
    out.tables.push_back({"sample_points", "The first samples", {"x1", "x2"}, samples.columns(0, std::min(samples.count, most_points)).transpose(), {}});
  }
  if (s.paths.size() > 0)
    out.tables.push_back({"trajectories", "States of the first samples at the nodes", {"sample", "node", "x1", "x2"}, s.paths.transpose(), {}});
  if (s.errors.rows.size() > 0) {
    out.tables.push_back({"log_log_error", s.errors.title(), {"model calls", s.options.solver}, s.errors.rows, {}});
  }
  out.samples = std::make_shared<const SampleSet>(samples);
  return out;
}

MemoryNeed Diffusion::memory_need() const {
  const State& s = *state_;
  const DiffusionOptions& o = s.options;
  const double size = o.precision == SamplePrecision::float32 ? 4 : 8, d = static_cast<double>(s.dimension());
  const double samples = 3 * size * static_cast<double>(o.samples) * d;
  // Registers of a worker, and its result on the way to the samples, in double.
  const std::int64_t batch = std::min(o.batch, o.samples);
  const double batches = static_cast<double>(s.workers.most_at_once()) * (s.plan.registers * size + sizeof(double)) * static_cast<double>(batch) * d;
  if (batches > samples) return {batch, samples + batches, "batch", "take a smaller options.round, or a solver of lower order"};
  return {o.samples, samples + batches, "samples", "draw them in several runs with other seeds"};
}

void Diffusion::describe_state(Archive& archive) {
  State& s = *state_;
  archive.item("stage", s.stage);
  archive.item("wanted", s.wanted);
  archive.item("done", s.done);
  archive.item("known", s.known);
  archive.item("stop_reason", s.stop_reason);
  archive.item("samples", *s.bytes);
  archive.item("moments", s.moments);
  archive.item("paths", s.paths);
  archive.item("errors", s.errors);
}

DiffusionResult Diffusion::result() const {
  const State& s = *state_;
  DiffusionResult out{s.samples(), s.plan.calls, {}};
  if (s.moments.compared) out.distance = s.moments.distance;
  return out;
}

DiffusionResult diffusion(std::shared_ptr<const DiffusionModel> model, const DiffusionOptions& options, const Stream& stream, Context& context) {
  Diffusion method(std::move(model), options, stream);
  run_to_end(method, context);
  return method.result();
}

}  // namespace buffon
