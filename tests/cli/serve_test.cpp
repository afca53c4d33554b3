// SPDX-License-Identifier: BSD-3-Clause
#include <doctest/doctest.h>

#include <process.hpp>
#include <temporary_directory.hpp>

#include <buffon/http/http.hpp>
#include <buffon/io/files.hpp>
#include <buffon/io/result.hpp>

#include <cstdlib>
#include <thread>

using namespace buffon;

namespace {

const auto without_http = doctest::skip(!http::available());

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

/// `buffon serve` on a free port; its output goes to a folder of its own.
struct Serving {
  Serving(const TemporaryDirectory& parent, const std::string& folder, std::vector<std::string> arguments)
      : directory((std::filesystem::create_directories(parent / folder), parent / folder)), process(command(std::move(arguments)), directory) {
    const std::string before = "http://127.0.0.1:";
    while (process.running() && !contains(process.err(), "(Ctrl-C ends)")) std::this_thread::yield();
    const std::string said = process.err();
    REQUIRE_MESSAGE(contains(said, before), said);
    port = std::to_string(std::stoi(said.substr(said.find(before) + before.size())));
  }
  static std::vector<std::string> command(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {BUFFON_EXECUTABLE, "serve", "--port", "0"});
    return arguments;
  }
  std::filesystem::path directory;
  Process process;
  std::string port;
};

std::string job(const std::string& model, const std::string& run) {
  return "method = \"plain_monte_carlo\"\nseed = 3\n[options]\nmax_evaluations = 4000\n[model]\n" + model + "[run]\nreport = false\n" + run +
         "[[inputs]]\nname = \"x1\"\nlaw = \"normal\"\nmean = 1.0\nstd_dev = 2.0\n[[inputs]]\nname = \"x2\"\nlaw = \"normal\"\nmean = 0.0\nstd_dev = 1.0\n"
         "[[inputs]]\nname = \"x3\"\nlaw = \"normal\"\nmean = 0.0\nstd_dev = 1.0\n";
}

}  // namespace

TEST_CASE("a run on a served problem gives the bits of a run on the problem itself, whatever is in flight" * without_http) {
  TemporaryDirectory t;
  Serving server(t, "server", {"ishigami", "cantilever"});
  write_file(t / "native.toml", job("kind = \"named\"\nname = \"ishigami\"\n", ""));
  write_file(t / "served.toml", job("kind = \"umbridge\"\nurl = \"http://localhost:" + server.port + "\"\nname = \"ishigami\"\noutputs = [\"y\"]\n", ""));
  REQUIRE(Process({BUFFON_EXECUTABLE, "run", "native.toml", "--quiet", "--threads", "1"}, t.path()).wait() == 0);
  const auto expected = read_result(t / "native.out").outcome.estimates;
  for (const auto& [in_flight, threads] : std::vector<std::pair<std::string, std::string>>{{"2", "1"}, {"8", "3"}}) {
    const std::string out = "out" + in_flight;
    Process run({BUFFON_EXECUTABLE, "run", "served.toml", "--quiet", "--out", out, "--threads", threads, "--set", "model.max_in_flight=" + in_flight},
                t.path());
    const int status = run.wait();
    INFO(run.err());
    REQUIRE(status == 0);
    const auto found = read_result(t / out).outcome.estimates;
    REQUIRE(found.size() == expected.size());
    CHECK(found[0].estimate.value == expected[0].estimate.value);
    CHECK(found[0].estimate.std_error == expected[0].estimate.std_error);
    CHECK(std::filesystem::exists(t / out / "evaluations.journal"));
  }
  server.process.signal(SIGTERM);
  CHECK(server.process.wait() == 0);
  CHECK(contains(server.process.err(), "ended by SIGTERM"));

  Process late({BUFFON_EXECUTABLE, "validate", "served.toml", "--set", "model.reconnects=0"}, t.path());
  CHECK(late.wait() == 66);
  CHECK(contains(late.err(), "nobody answers there"));
}

TEST_CASE("Ctrl-C ends a run that waits for its server with status 75, and a server that waits for its model with 0" * without_http) {
  TemporaryDirectory t;
  const std::string inputs =
      "[[inputs]]\nname = \"x\"\nlaw = \"normal\"\nmean = 1.0\nstd_dev = 2.0\n[[inputs]]\nname = \"y\"\nlaw = \"normal\"\nmean = 0.0\nstd_dev = 1.0\n";
  const std::string head = "method = \"plain_monte_carlo\"\nseed = 3\n" + inputs + "[model]\n";
  write_file(t / "hang.toml",
             head + "kind = \"process\"\ncommand = [\"sh\", \"-c\", \"touch asked; exec " BUFFON_TEST_CHILD " hang\"]\noutputs = [\"sum\", \"product\"]\n");
  Serving server(t, "server", {"--job", (t / "hang.toml").string()});
  write_file(t / "job.toml", head + "kind = \"umbridge\"\nurl = \"http://127.0.0.1:" + server.port + "\"\n");
  Process run({BUFFON_EXECUTABLE, "run", "job.toml", "--out", "run"}, t.path());
  while (run.running() && !std::filesystem::exists(t / "asked")) std::this_thread::yield();
  run.signal(SIGINT);
  CHECK(run.wait() == 75);
  CHECK(contains(run.err(), "continue with `buffon resume run`"));
  server.process.signal(SIGINT);
  CHECK(server.process.wait() == 0);
}

TEST_CASE("serve lists what it would offer, and refuses wrong calls" * without_http) {
  TemporaryDirectory t;
  struct Case {
    std::vector<std::string> arguments;
    int status;
    std::string part;
  };
  Serving server(t, "server", {"flood"});
  write_file(t / "beam.toml", "method = \"plain_monte_carlo\"\nseed = 1\n[model]\nkind = \"named\"\nname = \"cantilever\"\n");
  const std::vector<Case> cases = {{{"--list"}, 0, "cantilever"},
                                   {{"flood", "--list"}, 0, "flood  4       "},
                                   {{"--job", "beam.toml", "--list"}, 0, "beam   6"},
                                   {{"floods"}, 78, "Did you mean \"flood\"?"},
                                   {{"flood", "flood", "--port", "0"}, 64, "is named twice"},
                                   {{"--port", server.port}, 64, "port = " + server.port + " on 127.0.0.1 cannot be listened on: Address already in use"},
                                   {{"--port", "70000"}, 78, "must be at most 65535"},
                                   {{"--port", "many"}, 64, "must be a whole number"}};
  for (const auto& c : cases) {
    std::vector<std::string> arguments = {BUFFON_EXECUTABLE, "serve"};
    arguments.insert(arguments.end(), c.arguments.begin(), c.arguments.end());
    Process process(arguments, t.path());
    const int status = process.wait();
    const std::string said = process.out() + process.err();
    CAPTURE(said);
    CHECK(status == c.status);
    CHECK(contains(said, c.part));
  }
}
