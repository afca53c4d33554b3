// SPDX-License-Identifier: BSD-3-Clause
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <memory>

#include <buffon/core/error.hpp>
#include <buffon/model/marginal.hpp>
#include <buffon/model/model_kind.hpp>

#include "session.hpp"
#include "verbs.hpp"

namespace buffon::cli {
namespace {

template <class Entries>
void print(const std::string& title, const Entries& entries, bool heading) {
  std::vector<std::vector<std::string>> rows = {{title, ""}};
  for (const auto& entry : entries) rows.push_back({entry.name, entry.summary});
  std::fputs((text_table(rows) + (heading ? "\n" : "")).c_str(), stdout);
}

int list(const std::string& what) {
  const std::vector<std::string> kinds = {"methods", "laws", "models", "problems"};
  const bool all = what.empty();
  if (!all && std::find(kinds.begin(), kinds.end(), what) == kinds.end()) {
    const std::string near(nearest(what, kinds));
    throw Error(ErrorCategory::usage, {.doing = "listing",
                                       .key = "what",
                                       .value = what,
                                       .rule = "must be one of methods, laws, models, problems",
                                       .remedy = near.empty() ? "" : "did you mean " + near + "?"});
  }
  if (all || what == "methods") print("method", all_methods(), all);
  if (all || what == "laws") print("law", marginal_families(), all);
  if (all || what == "models") print("model kind", model_kinds(), all);
  if (all || what == "problems") print("named problem", named_problems(), all);
  if (all) std::puts("`buffon explain NAME` tells the options of each.");
  return 0;
}

}  // namespace

void add_list(CLI::App& app, Action& action) {
  auto* verb = app.add_subcommand("list", "List methods, laws of inputs, kinds of models, and named problems");
  auto what = std::make_shared<std::string>();
  verb->add_option("what", *what, "methods, laws, models or problems (default: all)");
  verb->callback([what, &action] { action = [what] { return list(*what); }; });
}

}  // namespace buffon::cli
