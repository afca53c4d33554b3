// SPDX-License-Identifier: BSD-3-Clause
// Throughput of slow and of remote models, by the clock on the wall.
//
// A program that takes one millisecond for every point, as a process model with 1 and 2 workers. The ideal beside it: the same
// programs with all their requests waiting in their pipes, so that none ever waits for us. We ask of ourselves 95 % of it. A unit of
// work is the work of one worker in one millisecond, so a machine with nothing else to do shows about 1.
// A served problem over HTTP on this machine, with 1 and 8 requests in flight: a unit of work is an evaluation.
#include <buffon/estimators/plain_monte_carlo.hpp>
#include <buffon/http/http.hpp>
#include <buffon/model/marginal.hpp>
#include <buffon/model/problem.hpp>
#include <buffon/model/process_model.hpp>
#include <buffon/model/umbridge_model.hpp>
#include <buffon/model/umbridge_server.hpp>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "interleave.hpp"

using namespace buffon;

namespace {

constexpr std::int64_t evaluations = 200;

JointLaw law() { return JointLaw({{"x", normal_law(0, 1)}}); }

std::function<void()> estimate(std::shared_ptr<const Model> model, int threads, std::int64_t count) {
  return [problem = Problem(std::move(model), law()), threads, count] {
    Context context(threads);
    plain_monte_carlo(problem, {.max_evaluations = count}, Stream(1), context);
  };
}

std::shared_ptr<const Model> process(int workers) {
  ProcessModelOptions o;
  o.command = {BUFFON_MILLISECOND_CHILD};
  o.outputs = {"y"};
  o.workers = workers;
  return process_model(o, {.input_names = {"x"}, .base_directory = {}, .run_directory = {}});
}

std::function<void()> method_with(int workers, int threads) {
  auto run = estimate(process(workers), threads, evaluations);
  run();  // starts the programs
  return run;
}

std::function<void()> one_call(int workers) {
  return [model = process(workers)] {
    const Eigen::MatrixXd points = Eigen::MatrixXd::Ones(1, evaluations);
    Eigen::MatrixXd values(1, evaluations);
    model->evaluate(points, values, {});
  };
}

/// The program with pipes to its input and output.
class Program {
 public:
  Program() {
    int to[2], from[2];
    if (pipe2(to, O_CLOEXEC) != 0 || pipe2(from, O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, to[0], 0);
    posix_spawn_file_actions_adddup2(&actions, from[1], 1);
    char* arguments[] = {const_cast<char*>(BUFFON_MILLISECOND_CHILD), nullptr};
    if (posix_spawn(&pid_, arguments[0], &actions, nullptr, arguments, environ) != 0) throw std::runtime_error("no program");
    posix_spawn_file_actions_destroy(&actions);
    close(to[0]);
    close(from[1]);
    in_ = to[1];
    out_ = from[0];
  }
  ~Program() {
    close(in_);
    close(out_);
    waitpid(pid_, nullptr, 0);
  }
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  /// All requests fit into the pipe.
  void ask(std::int64_t count) const {
    std::string text;
    for (std::int64_t i = 0; i < count; ++i) text += "{\"id\":1,\"inputs\":{\"x\":1}}\n";
    if (write(in_, text.data(), text.size()) != static_cast<ssize_t>(text.size())) throw std::runtime_error("the program does not listen");
  }
  void listen(std::int64_t count) const {
    char buffer[4096];
    while (count > 0) {
      const ssize_t got = read(out_, buffer, sizeof buffer);
      if (got <= 0) throw std::runtime_error("the program does not answer");
      count -= std::count(buffer, buffer + got, '\n');
    }
  }

 private:
  pid_t pid_ = 0;
  int in_ = -1, out_ = -1;
};

std::function<void()> ideal(int workers) {
  return [programs = std::make_shared<std::vector<Program>>(static_cast<std::size_t>(workers)), workers] {
    for (const Program& program : *programs) program.ask(evaluations / workers);
    for (const Program& program : *programs) program.listen(evaluations / workers);
  };
}

}  // namespace

int main(int argc, char** argv) {
  bench::Report report("process_bench", argc, argv);
  for (const int workers : {1, 2}) {
    report.compare("process of 1 ms, " + std::to_string(workers) + (workers == 1 ? " worker" : " workers"), "of the nominal", 1e-3 * evaluations / workers,
                   {{"ideal: all requests in the pipes", ideal(workers)},
                    {"one call", one_call(workers)},
                    {"plain_monte_carlo, 1 thread", method_with(workers, 1)},
                    {"plain_monte_carlo, 2 threads", method_with(workers, 2)}},
                   bench::Clock::wall);
  }

  if (!http::available()) {
    report.skip("this build has no HTTP");
    return report.finish();
  }
  const auto twice = make_model(1, {"y"}, [](const ConstMatrix& x, MutMatrix y) { y = 2 * x; });
  const auto slow = make_model(1, {"y"}, [](const ConstMatrix& x, MutMatrix y) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    y = 2 * x;
  });
  UmbridgeServer server({{"twice", twice}, {"slow", slow}}, "127.0.0.1", 0);
  const std::jthread serving([&](const std::stop_token& stop) { server.run(stop); });
  const auto served = [&](const std::string& name, int in_flight) {
    UmbridgeModelOptions o;
    o.url = "http://127.0.0.1:" + std::to_string(server.port());
    o.name = name;
    o.max_in_flight = in_flight;
    auto run = estimate(umbridge_model(o, {.input_names = {"x"}, .base_directory = {}, .run_directory = {}}), 1, evaluations);
    run();
    return run;
  };
  for (const std::string name : {"twice", "slow"}) {
    report.compare(name == "slow" ? "served model that sleeps 1 ms" : "served model of no cost", "evaluations/s", static_cast<double>(evaluations),
                   {{"8 in flight", served(name, 8)}, {"1 in flight", served(name, 1)}}, bench::Clock::wall);
  }
  return report.finish();
}
