// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/model/method_entry.hpp>

#include <functional>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace buffon::cli {

/// What a chosen verb does; its value is the exit status.
using Action = std::function<int()>;

/// Every verb adds itself to the command line and says what it does through `action`.
void add_run(CLI::App& app, Action& action);
void add_resume(CLI::App& app, Action& action);
void add_merge(CLI::App& app, Action& action);
void add_validate(CLI::App& app, Action& action);
void add_explain(CLI::App& app, Action& action);
void add_list(CLI::App& app, Action& action);
void add_plan(CLI::App& app, Action& action);
void add_schedule(CLI::App& app, Action& action);
void add_report(CLI::App& app, Action& action);
void add_diagnose(CLI::App& app, Action& action);
void add_compare(CLI::App& app, Action& action);
void add_reproduce(CLI::App& app, Action& action);
void add_serve(CLI::App& app, Action& action);
void add_version(CLI::App& app, Action& action);

/// Every method of the library.
const std::vector<MethodEntry>& all_methods();

}  // namespace buffon::cli
