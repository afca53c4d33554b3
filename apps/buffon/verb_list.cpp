// SPDX-License-Identifier: BSD-3-Clause
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include <buffon/io/explain.hpp>
#include <buffon/samplers/diffusion/solver_plan.hpp>

#include "verbs.hpp"

namespace buffon::cli {

void add_list(CLI::App& app, Action& action) {
  auto* verb = app.add_subcommand(
      "list",
      "List methods, laws of inputs, kinds of models, named and nested problems, densities, denoisers, schedules, solvers, backends, and sections of a job");
  auto what = std::make_shared<std::string>();
  verb->add_option("what", *what, "methods, laws, models, problems, nested, densities, denoisers, schedules, solvers, backends or sections (default: all)");
  verb->callback([what, &action] {
    action = [what] {
      ListedGroup solvers{"solvers", {}};
      for (const SolverName& solver : solver_names()) {
        solvers.entries.emplace_back(solver.name, solver.meaning + (solver.options.empty() ? "" : " [" + solver.options + "]"));
      }
      std::fputs(list_text(*what, all_methods(), {solvers}).c_str(), stdout);
      return 0;
    };
  });
}

}  // namespace buffon::cli
