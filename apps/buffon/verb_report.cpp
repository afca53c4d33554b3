// SPDX-License-Identifier: BSD-3-Clause
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "session.hpp"
#include "verbs.hpp"

namespace buffon::cli {

void add_report(CLI::App& app, Action& action) {
  auto* verb = app.add_subcommand("report", "Write report.html of a finished run again and print its summary");
  auto name = std::make_shared<std::string>();
  verb->add_option("directory", *name, "run directory")->required();
  verb->callback([name, &action] {
    action = [name] {
      RunDirectory directory = RunDirectory::open(*name);
      const Result result = read_result(directory.path());
      write_report_of(result, directory.path(), directory.resolved());
      print_summary(result, false);
      std::printf("\nReport: %s\n", directory.file("report.html").c_str());
      return 0;
    };
  });
}

}  // namespace buffon::cli
