// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <memory>

#include <buffon/core/error.hpp>
#include <buffon/estimators/read_plan.hpp>
#include <buffon/io/runner.hpp>
#include <buffon/report/format.hpp>

#include "session.hpp"
#include "verbs.hpp"

namespace buffon::cli {
namespace {

using Rows = std::vector<std::vector<std::string>>;

struct PlanArguments {
  JobRequest job;
  std::int64_t budget = 0;
  std::optional<double> target;
  std::int64_t pilot = 0;  // 0 = by method
};

constexpr std::int64_t nested_pilot = 10000000;
constexpr std::int64_t plain_pilot = 10000;

double seconds_since(std::chrono::steady_clock::time_point start) { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(); }

template <class Number>
std::string listed(const std::vector<Number>& list) {
  std::string text = "[";
  for (const Number x : list) text += (text.size() > 1 ? ", " : "") + to_text(static_cast<double>(x));
  return text + "]";
}

/// "±0.0011 after 1e+07 evaluations" and the like for work × variance w, at `rate` evaluations per second.
void print_predictions(const PlanArguments& o, const std::string& name, double w, double rate) {
  const auto line = [&](double evaluations, double error) {
    std::printf("  %s: standard error %s with %s evaluations, about %s\n", name.c_str(), format_number(error, 2).c_str(),
                format_count(std::llround(std::min(evaluations, 9e18))).c_str(), format_seconds(evaluations / rate).c_str());
  };
  if (o.budget > 0) line(static_cast<double>(o.budget), std::sqrt(w / static_cast<double>(o.budget)));
  if (o.target) line(std::ceil(w / (*o.target * *o.target)), *o.target);
  if (o.budget == 0 && !o.target) line(1e8, std::sqrt(w / 1e8));
}

void print_warnings(const std::vector<std::string>& warnings) {
  std::fflush(stdout);
  for (const std::string& warning : warnings) std::fprintf(stderr, "buffon: warning: %s\n", warning.c_str());
}

int plan_nested(const Job& job, const PlanArguments& o) {
  SignalStop signals;
  Context context(static_cast<int>(job.run.threads), signals.token());
  const auto start = std::chrono::steady_clock::now();
  const ReadPlan plan = plan_read(job.nested, {.pilot_evaluations = o.pilot > 0 ? o.pilot : nested_pilot}, Stream(job.seed), context);
  const double seconds = seconds_since(start);
  Rows rows = {{"rates", "base_samples", "leaves per copy", "variance per copy", "work x variance", "±", "largest share"}};
  for (const ReadCandidate& c : plan.candidates) {
    const FormattedEstimate product = format_estimate(normal_estimate(c.work_times_variance(), c.leaves * c.variance_error));
    rows.push_back({listed(c.rates), listed(c.base_samples), format_number(c.leaves, 4), format_number(c.variance, 3), product.value, product.std_error,
                    format_number(c.largest_share, 2)});
  }
  std::printf("%s\n", text_table(rows).c_str());
  Rows levels = {plan.levels.columns};
  for (Index i = 0; i < plan.levels.rows.rows(); ++i) {
    std::vector<std::string>& row = levels.emplace_back();
    for (Index j = 0; j < plan.levels.rows.cols(); ++j) row.push_back(format_number(plan.levels.rows(i, j), 3));
  }
  if (levels.size() > 1) std::printf("Levels of the first line\n\n%s\n", text_table(levels).c_str());
  std::printf("Pilot: %s evaluations in %s. Prediction for the first line:\n", format_count(plan.evaluations).c_str(), format_seconds(seconds).c_str());
  print_predictions(o, "value", plan.best().work_times_variance(), static_cast<double>(plan.evaluations) / seconds);
  std::printf("\nFor the job (the search supposes smooth links):\n\nmethod = \"read\"\n\n[options]\nregime = \"smooth\"\n");
  if (job.nested->depth() > 0) std::printf("rates = %s\nbase_samples = %s\n", listed(plan.best().rates).c_str(), listed(plan.best().base_samples).c_str());
  std::printf("max_copies = 0\n");
  if (o.target) {
    std::printf("target_std_error = %s\n", to_text(*o.target).c_str());
  }
  if (o.budget > 0 || !o.target) std::printf("max_evaluations = %lld\n", static_cast<long long>(o.budget > 0 ? o.budget : 100000000));
  print_warnings(plan.warnings);
  return 0;
}

int plan_plain(const PlanArguments& o) {
  JobRequest pilot = o.job;
  pilot.set.push_back("options.max_evaluations=" + std::to_string(o.pilot > 0 ? o.pilot : plain_pilot));
  const Job job = pilot.read();
  SignalStop signals;
  Context context(static_cast<int>(job.run.threads), signals.token());
  const auto start = std::chrono::steady_clock::now();
  const auto method = job.make();
  run_to_end(*method, context);
  const double seconds = seconds_since(start);
  const Outcome outcome = method->outcome();
  const auto spent = static_cast<double>(outcome.evaluations);
  Rows rows = {{"name", "estimate", "std. error", "work x variance", ""}};
  for (const NamedEstimate& e : outcome.estimates) {
    const FormattedEstimate text = format_estimate(e.estimate);
    rows.push_back({e.name, text.value, text.std_error, format_number(spent * e.estimate.std_error * e.estimate.std_error, 3), e.note});
  }
  std::printf("%s\nPilot: %s evaluations in %s. Prediction, each for itself:\n", text_table(rows).c_str(), format_count(outcome.evaluations).c_str(),
              format_seconds(seconds).c_str());
  for (const NamedEstimate& e : outcome.estimates) {
    const double w = spent * e.estimate.std_error * e.estimate.std_error;
    if (std::isfinite(w) && w > 0) {
      print_predictions(o, e.name, w, spent / seconds);
    } else {
      std::printf("  %s: the pilot does not know its error; give a larger --pilot\n", e.name.c_str());
    }
  }
  print_warnings(outcome.warnings);
  return 0;
}

int plan(const PlanArguments& o) {
  if (o.target && !(*o.target > 0 && std::isfinite(*o.target))) {
    throw Error(ErrorCategory::configuration,
                {.doing = "planning", .key = "--target-std-error", .value = to_text(*o.target), .rule = "must be greater than 0"});
  }
  const Job job = o.job.read();
  if (job.nested != nullptr) return plan_nested(job, o);
  if (job.method == "plain_monte_carlo" || job.method == "importance_sampling") return plan_plain(o);
  throw Error(ErrorCategory::usage, {.doing = "planning " + o.job.name(),
                                     .key = "method",
                                     .value = job.method,
                                     .rule = "cannot be planned: its error does not follow from a pilot run",
                                     .remedy = "plan a nested problem, plain_monte_carlo or importance_sampling"});
}

}  // namespace

void add_plan(CLI::App& app, Action& action) {
  auto* verb = app.add_subcommand("plan", "Pilot run: parameters to propose for a nested problem, and the error to expect for a budget");
  auto o = std::make_shared<PlanArguments>();
  const auto count = [verb](const std::string& flag, std::int64_t& value, const std::string& meaning) {
    verb->add_option_function<std::string>(
            flag, [flag, &value](const std::string& text) { value = whole_number(flag, text); }, meaning)
        ->type_name("INT");
  };
  verb->add_option("job", o->job.file, "job file (TOML or JSON)");
  verb->add_option("--method", o->job.method, "plan a job of this method without a file, keys by --set; the seed is 1 unless given");
  count("--budget", o->budget, "evaluations: predict the standard error");
  verb->add_option("--target-std-error", o->target, "standard error: predict the evaluations");
  count("--pilot", o->pilot, "evaluations of the pilot (default: 1e7 for nested problems, else 1e4)");
  verb->add_option("--set", o->job.set, "override a key: section.key=value (repeatable)")->allow_extra_args(false);
  verb->add_option_function<std::string>(
          "--threads", [o](const std::string& text) { o->job.threads = whole_number("--threads", text); },
          "worker threads, 0 = every CPU (never changes the proposal)")
      ->type_name("INT");
  verb->add_option_function<std::string>(
          "--seed", [o](const std::string& text) { o->job.seed = whole_number("--seed", text); }, "seed of the random numbers")
      ->type_name("INT");
  verb->callback([o, &action] { action = [o] { return plan(*o); }; });
}

}  // namespace buffon::cli
