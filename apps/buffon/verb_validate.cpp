// SPDX-License-Identifier: BSD-3-Clause
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include <buffon/io/runner.hpp>

#include "session.hpp"
#include "verbs.hpp"

namespace buffon::cli {
namespace {

void print_list(const char* what, const std::vector<std::string>& names) {
  std::printf("  %-12s %zu:", what, names.size());
  const std::size_t shown = names.size() > 12 ? 10 : names.size();
  for (std::size_t i = 0; i < shown; ++i) std::printf("%s %s", i > 0 ? "," : "", names[i].c_str());
  std::puts(shown < names.size() ? ", …" : "");
}

int validate(const JobRequest& request, bool resolved) {
  const Job job = request.read();
  derived_estimates(job.derived, job.make()->outcome());
  if (resolved) {
    std::fputs(job.resolved.c_str(), stdout);
    return 0;
  }
  std::printf("valid: %s\n", request.name().c_str());
  if (!job.title.empty()) std::printf("  %-12s %s\n", "title", job.title.c_str());
  for (const MethodEntry& entry : all_methods()) {
    if (entry.name == job.method) std::printf("  %-12s %s (%s)\n", "method", entry.name.c_str(), entry.title.c_str());
  }
  std::printf("  %-12s %llu\n", "seed", static_cast<unsigned long long>(job.seed));
  if (!job.problem.scenarios().empty()) {
    std::printf("  %-12s %td\n", "inputs", job.problem.dimension());
    print_list("estimates", job.problem.expectation_names());
  }
  if (job.nested != nullptr) {
    std::printf("  %-12s %td\n", "depth", job.nested->depth());
    std::vector<std::string> components;
    for (Index d = 0; d <= job.nested->depth(); ++d) {
      for (const std::string& name : job.nested->names(d)) components.push_back(name);
    }
    print_list("variables", components);
  }
  if (job.target != nullptr) {
    print_list("draws of", job.target->names());
    std::printf("  %-12s %td\n", "dimension", job.target->dimension());
  }
  if (job.data != nullptr) {
    std::printf("  %-12s %s\n", "data", job.data->about().source.c_str());
    std::printf("  %-12s %td of %td numbers%s%s\n", "rows", job.data->rows(), job.data->columns(), job.data->sparse() ? ", sparse" : "",
                job.data->weighted() ? ", weighted" : "");
  }
  std::vector<std::string> derived;
  for (const DerivedQuantity& d : job.derived) derived.push_back(d.name);
  if (!derived.empty()) print_list("derived", derived);
  std::printf("  %-12s %s\n", "digest", job.digest.c_str());
  return 0;
}

}  // namespace

void add_validate(CLI::App& app, Action& action) {
  auto* verb = app.add_subcommand("validate", "Read and check a job as a whole, without running it");
  auto job = std::make_shared<JobRequest>();
  auto resolved = std::make_shared<bool>(false);
  verb->add_option("job", job->file, "job file (TOML or JSON)");
  verb->add_option("--method", job->method, "check a job of this method without a file, keys by --set; the seed is 1 unless given");
  verb->add_option("--set", job->set, "override a key: section.key=value (repeatable)")->allow_extra_args(false);
  verb->add_option_function<std::string>(
          "--seed", [job](const std::string& text) { job->seed = whole_number("--seed", text); }, "seed of the random numbers")
      ->type_name("INT");
  verb->add_flag("--print-config", *resolved, "print the configuration with every default filled in");
  verb->callback([=, &action] { action = [=] { return validate(*job, *resolved); }; });
}

}  // namespace buffon::cli
