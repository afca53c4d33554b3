// SPDX-License-Identifier: BSD-3-Clause
#include <thread>

#include <buffon/core/method.hpp>
#include <buffon/estimators/registry.hpp>
#include <buffon/http/http.hpp>
#include <buffon/model/model_kind.hpp>
#include <buffon/model/umbridge_server.hpp>
#include <buffon/parallel/context.hpp>

#include "support_job.hpp"

using namespace buffon;

namespace {

const auto without_http = doctest::skip(!http::available());

struct RunningServer {
  explicit RunningServer(std::vector<ServedModel> models)
      : server(std::move(models), "127.0.0.1", 0), thread([this](const std::stop_token& stop) { server.run(stop); }) {}
  std::string url() const { return "http://127.0.0.1:" + std::to_string(server.port()); }
  UmbridgeServer server;
  std::jthread thread;
};

Job parse(const std::string& text) { return parse_job(text, "job.toml", ".", {}, estimator_methods()); }

/// A job of the method on a model, with inputs of its own.
std::string job_text(const std::string& method, const std::string& options, const std::string& model) {
  return "method = \"" + method + "\"\nseed = 5\n[options]\n" + options + "[model]\n" + model +
         "[[inputs]]\nname = \"x1\"\nlaw = \"normal\"\nmean = 1.0\nstd_dev = 2.0\n[[inputs]]\nname = \"x2\"\nlaw = \"uniform\"\nmin = -3.0\nmax = 3.0\n"
         "[[inputs]]\nname = \"x3\"\nlaw = \"exponential\"\nrate = 0.5\n[[quantities]]\nname = \"m\"\nvalue = \"y\"\n[[quantities]]\nname = \"p\"\n"
         "event = \"y - 4\"\n";
}

std::string served_model(const std::string& url, int in_flight) {
  return "kind = \"umbridge\"\nurl = \"" + url + "\"\nname = \"ishigami\"\noutputs = [\"y\"]\nmax_in_flight = " + std::to_string(in_flight) + "\n";
}

Outcome run(const std::string& text, int threads) {
  const Job job = parse(text);
  Context context(threads);
  const auto method = job.make();
  run_to_end(*method, context);
  return method->outcome();
}

void check_same_bits(const Outcome& a, const Outcome& b) {
  REQUIRE(a.estimates.size() == b.estimates.size());
  for (std::size_t i = 0; i < a.estimates.size(); ++i) {
    CHECK(a.estimates[i].name == b.estimates[i].name);
    CHECK(a.estimates[i].estimate.value == b.estimates[i].estimate.value);
    CHECK(a.estimates[i].estimate.std_error == b.estimates[i].estimate.std_error);
  }
  CHECK(a.evaluations == b.evaluations);
}

}  // namespace

TEST_CASE("a served model gives the bits of the model itself, whatever the requests in flight and the threads" * without_http) {
  const RunningServer server({{"ishigami", named_problem("ishigami").model()}});
  struct Case {
    std::string method, options;
  };
  for (const auto& [method, options] : std::vector<Case>{{"plain_monte_carlo", "max_evaluations = 3000\n"}, {"aiscv", "max_evaluations = 3000\n"}}) {
    const auto& case_method = method;
    CAPTURE(case_method);
    const Outcome native = run(job_text(method, options, "kind = \"named\"\nname = \"ishigami\"\n"), 1);
    CHECK(native.estimates.front().estimate.std_error > 0);
    for (const auto& [in_flight, threads] : std::vector<std::pair<int, int>>{{1, 1}, {2, 1}, {8, 3}}) {
      const auto& case_in_flight = in_flight;
      CAPTURE(case_in_flight);
      check_same_bits(run(job_text(method, options, served_model(server.url(), in_flight)), threads), native);
    }
  }
}

TEST_CASE("what reaches the server does not belong to the digest, what it is asked does" * without_http) {
  const RunningServer one({{"ishigami", named_problem("ishigami").model()}}), other({{"ishigami", named_problem("ishigami").model()}});
  const auto digest = [](const std::string& model) { return parse(job_text("plain_monte_carlo", "", model)).digest; };
  const std::string first = digest(served_model(one.url(), 1));
  CHECK(digest(served_model(other.url(), 7) + "timeout_seconds = 9\nheaders = [\"A: b\"]\n") == first);
  CHECK(digest(served_model(one.url(), 1) + "config = { order = 4 }\n") != first);
}

TEST_CASE("the configuration of a server is a table or JSON text, and is stored as text" * without_http) {
  const RunningServer server({{"ishigami", named_problem("ishigami").model()}});
  const std::string model = served_model(server.url(), 1);
  const Job table = parse(job_text("plain_monte_carlo", "", model + "config = { order = 4, mesh = [0.5, \"fine\"], inner = { on = true } }\n"));
  const Job text = parse(job_text("plain_monte_carlo", "", model + "config = '{\"order\":4,\"mesh\":[0.5,\"fine\"],\"inner\":{\"on\":true}}'\n"));
  CHECK(table.resolved == text.resolved);
  CHECK(parse(table.resolved).resolved == table.resolved);
  CHECK(table.resolved.find("journal = true") != std::string::npos);
  CHECK_THROWS_WITH_AS(parse(job_text("plain_monte_carlo", "", model + "config = { x = nan }\n")), doctest::Contains("holds a number that JSON cannot say"),
                       Error);
}

TEST_CASE("a wrong number of inputs and an absent server are told with the place in the job" * without_http) {
  std::string url, text;
  {
    const RunningServer server({{"ishigami", named_problem("cantilever").model()}});
    url = server.url();
    text = job_text("plain_monte_carlo", "", served_model(url, 1));
    CHECK_THROWS_WITH_AS(parse(text), doctest::Contains("job.toml:"), Error);
    CHECK_THROWS_WITH_AS(parse(text), doctest::Contains("3 inputs must be the 6 inputs of model \"ishigami\""), Error);
  }
  try {
    parse(job_text("plain_monte_carlo", "", served_model(url, 1) + "reconnects = 0\n"));
    FAIL("no error");
  } catch (const Error& error) {
    CHECK(error.category() == ErrorCategory::no_input);
    CHECK(std::string(error.what()).find("nobody answers there") != std::string::npos);
  }
}
