// SPDX-License-Identifier: BSD-3-Clause
#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <memory>

#include <buffon/core/error.hpp>
#include <buffon/io/runner.hpp>
#include <buffon/model/model_kind.hpp>
#include <buffon/model/umbridge_server.hpp>

#include "session.hpp"
#include "verbs.hpp"

namespace buffon::cli {
namespace {

struct ServeArguments {
  std::vector<std::string> names;
  std::string job;
  std::string host = "127.0.0.1";
  std::string port;
  bool list = false;
};

/// --port, else the variable that cluster scripts set, else the port that clients try first.
int port_of(const std::string& given) {
  const char* variable = std::getenv("PORT");
  if (given.empty() && (variable == nullptr || *variable == '\0')) return 4242;
  const std::string flag = given.empty() ? "PORT" : "--port";
  const std::int64_t port = whole_number(flag, given.empty() ? variable : given);
  if (port > 65535) {
    throw Error(ErrorCategory::configuration,
                {.doing = "reading the command line", .key = flag, .value = std::to_string(port), .rule = "must be at most 65535"});
  }
  return static_cast<int>(port);
}

std::vector<ServedModel> models_of(const ServeArguments& o) {
  std::vector<ServedModel> models;
  if (!o.job.empty()) {
    JobRequest request;
    request.file = o.job;
    const auto job = std::make_shared<Job>(request.read());
    if (job->problem.scenarios().empty()) {
      throw Error(ErrorCategory::configuration,
                  {.doing = "serving the model of a job", .key = "method", .value = job->method, .rule = "has no model to serve"});
    }
    models.push_back({std::filesystem::path(o.job).stem().string(), {job, &job->problem.model().model()}});
  }
  for (const auto& name : o.names) models.push_back({name, named_problem(name).model()});
  if (!models.empty()) return models;
  for (const auto& problem : named_problems()) models.push_back({problem.name, problem.model()});
  return models;
}

int serve(const ServeArguments& o) {
  const auto models = models_of(o);
  if (o.list) {
    std::vector<std::vector<std::string>> rows = {{"model", "inputs", "outputs"}};
    for (const auto& [name, model] : models) rows.push_back({name, std::to_string(model->input_size()), std::to_string(model->output_size())});
    std::fputs(text_table(rows).c_str(), stdout);
    return 0;
  }
  const int port = port_of(o.port);
  SignalStop signals;
  UmbridgeServer server(models, o.host, port);
  const std::string count = models.size() == 1 ? "model " + models.front().name : std::to_string(models.size()) + " models";
  std::fprintf(stderr, "buffon: serving %s on http://%s:%d (Ctrl-C ends)\n", count.c_str(), o.host.c_str(), server.port());
  server.run(signals.token());
  std::fprintf(stderr, "buffon: ended by %s\n", signals.signal_name().c_str());
  return 0;
}

}  // namespace

void add_serve(CLI::App& app, Action& action) {
  auto* verb = app.add_subcommand("serve", "Offer named problems, or the model of a job, to UM-Bridge clients over HTTP");
  auto o = std::make_shared<ServeArguments>();
  verb->add_option("names", o->names, "named problems (default: all, or none with --job)");
  verb->add_option("--job", o->job, "offer the quantities of this job under the name of its file");
  verb->add_option("--port,-p", o->port, "port, 0 = any free one (default: the variable PORT, else 4242)")->type_name("INT");
  verb->add_option("--host", o->host, "address to listen on; 0.0.0.0 lets other machines in, and there is no authentication")->capture_default_str();
  verb->add_flag("--list", o->list, "list what would be offered, with sizes, and end");
  verb->callback([o, &action] { action = [o] { return serve(*o); }; });
}

}  // namespace buffon::cli
