// SPDX-License-Identifier: BSD-3-Clause
#include "verbs.hpp"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <new>
#include <string>
#include <vector>

#include <buffon/core/error.hpp>
#include <buffon/estimators/registry.hpp>
#include <buffon/io/build_info.hpp>
#include <buffon/samplers/registry.hpp>

namespace buffon::cli {
namespace {

int report_error(const Error& error) {
  std::fprintf(stderr, "buffon: %s\n", error.what());
  return exit_status(error.category());
}

/// Unknown verbs get the nearest one before the parser sees them.
void check_verb(const CLI::App& app, int argc, char** argv) {
  if (argc < 2 || argv[1][0] == '-') return;
  std::vector<std::string> verbs;
  for (const CLI::App* verb : app.get_subcommands({})) verbs.push_back(verb->get_name());
  for (const std::string& verb : verbs) {
    if (verb == argv[1]) return;
  }
  const std::string near(nearest(argv[1], verbs));
  throw Error(ErrorCategory::usage, {.doing = "reading the command line",
                                     .key = "verb",
                                     .value = argv[1],
                                     .rule = "is not known",
                                     .remedy = (near.empty() ? "" : "did you mean `" + near + "`? ") + std::string("`buffon --help` lists the verbs")});
}

int run(int argc, char** argv) {
  CLI::App app("buffon: Monte Carlo and statistical sampling. A job is a TOML file; `buffon run job.toml` does it.", "buffon");
  app.require_subcommand(0, 1);
  app.set_version_flag("--version", "buffon " + build_info().version);
  Action action;
  add_run(app, action);
  add_resume(app, action);
  add_merge(app, action);
  add_validate(app, action);
  add_explain(app, action);
  add_list(app, action);
  add_plan(app, action);
  add_schedule(app, action);
  add_report(app, action);
  add_diagnose(app, action);
  add_compare(app, action);
  add_reproduce(app, action);
  add_serve(app, action);
  add_version(app, action);
  check_verb(app, argc, argv);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& done) {
    return app.exit(done);
  } catch (const CLI::ParseError& error) {
    std::string verb = app.get_subcommands().empty() ? "" : " " + app.get_subcommands().front()->get_name();
    throw Error(ErrorCategory::usage,
                {.doing = "reading the command line", .rule = error.what(), .remedy = "`buffon" + verb + " --help` lists what can be given"});
  }
  if (!action) {
    std::fputs(app.help().c_str(), stdout);
    return 0;
  }
  return action();
}

}  // namespace

const std::vector<MethodEntry>& all_methods() {
  static const std::vector<MethodEntry> all = [] {
    std::vector<MethodEntry> methods = estimator_methods();
    methods.insert(methods.end(), sampler_methods().begin(), sampler_methods().end());
    return methods;
  }();
  return all;
}

}  // namespace buffon::cli

int main(int argc, char** argv) {
  using namespace buffon;
  try {
    const int status = cli::run(argc, argv);
    if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
      throw Error(ErrorCategory::data,
                  {.doing = "writing to the standard output", .rule = "not everything could be written", .remedy = "check the space on the disk"});
    }
    return status;
  } catch (const Error& error) {
    return cli::report_error(error);
  } catch (const std::bad_alloc&) {
    return cli::report_error(Error(ErrorCategory::numeric, {.doing = "running", .rule = "there is not enough memory", .remedy = "ask for fewer points"}));
  } catch (const std::filesystem::filesystem_error& error) {
    return cli::report_error(Error(ErrorCategory::data, {.doing = "using the file " + error.path1().string(),
                                                         .rule = error.code().message(),
                                                         .remedy = "check the path, its permissions and the space on the disk"}));
  } catch (const std::exception& error) {
    return cli::report_error(
        Error(ErrorCategory::internal, {.doing = "running", .rule = error.what(), .remedy = "this is a defect of buffon: please report it"}));
  }
}
