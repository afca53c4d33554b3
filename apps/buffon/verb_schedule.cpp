// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>

#include <buffon/core/error.hpp>
#include <buffon/io/files.hpp>
#include <buffon/report/format.hpp>
#include <buffon/samplers/diffusion.hpp>
#include <buffon/samplers/diffusion/schedule_search.hpp>

#include "session.hpp"
#include "verbs.hpp"

namespace buffon::cli {
namespace {

struct Options {
  JobRequest job;
  std::string method = "boss";
  std::optional<std::int64_t> steps;  // else the job's
  std::int64_t starts = 256;
  std::int64_t fine_steps = 120;
  std::optional<std::int64_t> budget;  // else the method's
  std::string out;
  bool force = false;
};

struct NamedMethod {
  const char* name;
  ScheduleMethod method;
};
constexpr std::array<NamedMethod, 4> methods = {
    {{"boss", ScheduleMethod::boss}, {"descent", ScheduleMethod::descent}, {"klub", ScheduleMethod::klub}, {"evolution", ScheduleMethod::evolution}}};

[[noreturn]] void refuse(std::string key, std::string value, std::string rule, std::string remedy) {
  throw Error(ErrorCategory::usage,
              {.doing = "searching a schedule", .key = std::move(key), .value = std::move(value), .rule = std::move(rule), .remedy = std::move(remedy)});
}

ScheduleMethod method_of(const std::string& name) {
  for (const NamedMethod& method : methods) {
    if (name == method.name) return method.method;
  }
  refuse("--method", name, "is not known", "take boss, descent, klub or evolution");
}

constexpr std::int64_t most_steps = 100'000, most_fine_steps = 5'000, most_starts = 10'000;
constexpr double most_numbers = 1e8;  ///< of the states of the flow at all nodes: 0.8 GB

void check_range(const std::string& key, std::int64_t value, std::int64_t least, std::int64_t most, std::string remedy) {
  if (value >= least && value <= most) return;
  refuse(key, std::to_string(value), "must be from " + std::to_string(least) + " to " + std::to_string(most), std::move(remedy));
}

/// What needs no model.
void check_options(const Options& o, ScheduleMethod method) {
  if (o.out.empty()) refuse("--out", "", "is required and missing", "name the file for the grid");
  if (std::filesystem::exists(o.out) && !o.force) refuse("--out", o.out, "is there already", "give --force to replace it");
  if (o.steps) check_range("--steps", *o.steps, 1, most_steps, "leave it out to take the job's");
  check_range("--fine-steps", o.fine_steps, 1, most_fine_steps, "120 do for most models");
  check_range("--starts", o.starts, 2, most_starts,
              "256 do for most models; each costs at least " + format_count(8 * o.fine_steps) + " model evaluations, half of them for a start held out");
  if (!o.budget) return;
  if (method == ScheduleMethod::boss || method == ScheduleMethod::klub) {
    refuse("--budget", std::to_string(*o.budget), "is read by descent and evolution alone; what " + o.method + " costs follows from --fine-steps",
           "leave it out");
  }
  if (*o.budget < 1) refuse("--budget", std::to_string(*o.budget), "must be at least 1", "leave it out to take the method's own");
}

/// Steps of the job: those between the nodes of its file, where it has one.
std::int64_t steps_of_job(const DiffusionModel& model, const DiffusionOptions& options, double first, double last) {
  if (!options.times.empty()) {
    refuse("options.times", std::to_string(options.times.size()) + " times", "are the nodes already, and exclude a grid file",
           "give --set options.times=[], with options.first_time and options.last_time where the ends are not the schedule's");
  }
  if (model.grid.empty()) return options.steps;
  return static_cast<std::int64_t>(grid_of_text(*model.schedule, model.grid, first, last, model.grid_file).size()) - 1;
}

/// Error, or a dash where there is none.
std::string cell(double x) { return std::isnan(x) ? "-" : format_number(x, 4); }

std::string lines_text(const FoundSchedule& found, bool noisy, bool klub) {
  std::vector<std::vector<std::string>> rows = {{"grid"}};
  const auto add_column = [&](const char* title, double ScheduleLine::*member) {
    rows[0].emplace_back(title);
    for (std::size_t i = 0; i < found.lines.size(); ++i) {
      if (rows.size() < i + 2) rows.push_back({found.lines[i].grid});
      rows[i + 1].push_back(cell(found.lines[i].*member));
    }
  };
  if (noisy) {
    add_column("distance of moments", &ScheduleLine::moment_distance);
  } else {
    add_column("error", &ScheduleLine::error);
    add_column("error, held out", &ScheduleLine::held_out_error);
  }
  if (klub) add_column("bound", &ScheduleLine::bound);
  return text_table(rows);
}

int search(const Options& o) {
  const ScheduleMethod method = method_of(o.method);
  check_options(o, method);
  const Job job = o.job.read();
  const std::unique_ptr<Method> made = job.make();
  const auto* sampler = dynamic_cast<const Diffusion*>(made.get());
  if (sampler == nullptr || job.diffusion == nullptr) {
    refuse("method", job.method, "has no schedule", "give a job with method = \"diffusion\"");
  }
  const DiffusionOptions& options = sampler->options();
  const DiffusionModel& model = *job.diffusion;

  ScheduleSearch wanted;
  wanted.method = method;
  wanted.solver = solver_setting(options);
  wanted.first_time = options.first_time.value_or(model.schedule->first_time());
  wanted.last_time = options.last_time.value_or(model.schedule->last_time());
  const std::int64_t steps = steps_of_job(model, options, *wanted.first_time, *wanted.last_time);
  wanted.steps = static_cast<int>(o.steps.value_or(steps));
  wanted.fine_steps = static_cast<int>(o.fine_steps);
  wanted.budget = o.budget.value_or(0);
  const double numbers = static_cast<double>(model.denoiser->dimension()) * static_cast<double>((o.fine_steps + 1) * o.starts);
  if (numbers > most_numbers) {
    refuse("--starts", std::to_string(o.starts),
           "makes " + format_number(8e-9 * numbers, 3) + " GB of states at the nodes of the fine grid, more than " + format_number(8e-9 * most_numbers, 3),
           "give fewer starts or --fine-steps");
  }
  if (!model.grid.empty()) {
    const std::string number = o.steps ? "" : "; they give the number of steps, " + std::to_string(steps);
    std::fprintf(stderr, "buffon: the nodes of the job's schedule.grid_file are not compared%s\n", number.c_str());
  }

  const NoiseLevel first = model.schedule->at_time(*wanted.first_time);
  const Stream stream = Stream(job.seed).child("schedule");
  Eigen::MatrixXd starts(model.denoiser->dimension(), 2 * o.starts);
  stream.child("starts").normals(0, starts);
  starts *= first.sigma;
  backend::Queue queue(backend::Device::open(options.backend), static_cast<int>(o.job.threads.value_or(1)));
  const auto begin = std::chrono::steady_clock::now();
  const FoundSchedule found = search_schedule(wanted, model, queue, starts.leftCols(o.starts), starts.rightCols(o.starts), stream);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();

  const bool noisy = std::isnan(found.lines.back().error);
  const auto measure = [&](const ScheduleLine& line) { return noisy ? line.moment_distance : line.held_out_error; };
  const std::string about = fmt::format("{} for {}, {} steps, {} starts, seed {}", o.method, options.solver, wanted.steps, o.starts, job.seed);
  write_file(o.out, "# lambda = log(alpha / sigma) of the nodes, by " + about + "\n" + grid_text(found.grid));

  // Files of a job are found from its folder.
  const std::string from_job = std::filesystem::absolute(o.out).lexically_proximate(std::filesystem::absolute(o.job.base_directory())).generic_string();
  std::printf("%s\n\n%s\n", about.c_str(), lines_text(found, noisy, method == ScheduleMethod::klub).c_str());
  if (noisy) {
    std::printf("Distances between Gaussians with the moments of samples and of exact ends; a part of them is chance.\n");
  } else {
    std::printf("Errors are root mean square distances from the exact ends of the flow; held out: from starts that the search did not see.\n");
  }
  std::printf("Model evaluations: %s in %s. Nodes are in %s. For the job:\n\n[schedule]\ngrid_file = \"%s\"\n", format_count(found.calls).c_str(),
              format_seconds(seconds).c_str(), o.out.c_str(), from_job.c_str());
  const auto best =
      std::min_element(found.lines.begin(), found.lines.end() - 1, [&](const ScheduleLine& a, const ScheduleLine& b) { return measure(a) < measure(b); });
  if (best != found.lines.end() - 1 && measure(*best) <= measure(found.lines.back())) {
    std::fflush(stdout);
    std::fprintf(stderr, "buffon: warning: the grid %s is as good or better on starts that the search did not see; try --method descent%s\n",
                 best->grid.c_str(), noisy ? " with a solver without noise" : ", or more --starts");
  }
  return 0;
}

}  // namespace

void add_schedule(CLI::App& app, Action& action) {
  auto* verb = app.add_subcommand("schedule", "Search the nodes of a diffusion or flow solver for a job's model; writes a grid file");
  auto o = std::make_shared<Options>();
  const auto count = [verb](const std::string& flag, auto& value, const std::string& meaning) {
    verb->add_option_function<std::string>(
            flag, [flag, &value](const std::string& text) { value = whole_number(flag, text); }, meaning)
        ->type_name("INT");
  };
  verb->add_option("job", o->job.file, "job file (TOML or JSON) of method diffusion")->required();
  verb->add_option("--method", o->method, "boss (dynamic programming), descent (on step sizes), klub (for solvers with noise) or evolution")
      ->capture_default_str();
  count("--steps", o->steps, "steps of the grid (default: the job's, or those of its grid file)");
  count("--starts", o->starts, "starts of the search, and as many that it does not see; each costs 8 model evaluations a fine step or more (default: 256)");
  count("--fine-steps", o->fine_steps, "steps of the fine grid whose nodes are chosen from (default: 120)");
  count("--budget", o->budget, "for descent and evolution: most runs of the solver on all starts (default: 2000 and 600)");
  verb->add_option("--out,-o", o->out, "file for the grid: one lambda a line");
  verb->add_flag("--force", o->force, "replace the file");
  verb->add_option("--set", o->job.set, "override a key: section.key=value (repeatable)")->allow_extra_args(false);
  verb->add_option_function<std::string>(
          "--threads", [o](const std::string& text) { o->job.threads = whole_number("--threads", text); },
          "worker threads, 0 = every CPU (default: 1, batches are small; never changes the grid)")
      ->type_name("INT");
  verb->add_option_function<std::string>(
          "--seed", [o](const std::string& text) { o->job.seed = whole_number("--seed", text); }, "seed of the random numbers")
      ->type_name("INT");
  verb->callback([o, &action] { action = [o] { return search(*o); }; });
}

}  // namespace buffon::cli
