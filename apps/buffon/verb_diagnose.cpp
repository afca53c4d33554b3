// SPDX-License-Identifier: BSD-3-Clause
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "chain_text.hpp"
#include "verbs.hpp"

namespace buffon::cli {

void add_diagnose(CLI::App& app, Action& action) {
  auto* verb = app.add_subcommand("diagnose", "Say what the chains of a finished sampler run suffer from; the last line is the verdict");
  auto name = std::make_shared<std::string>();
  verb->add_option("directory", *name, "run directory, or its result.json")->required();
  verb->callback([name, &action] {
    action = [name] {
      std::fputs(diagnosis_text(read_result(*name), *name).c_str(), stdout);
      return 0;
    };
  });
}

}  // namespace buffon::cli
