// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/core/error.hpp>
#include <buffon/http/http.hpp>
#include <buffon/model/umbridge_model.hpp>

#include <doctest/doctest.h>

#include <plain_server.hpp>

#include <chrono>
#include <cmath>
#include <condition_variable>
#include <cstdlib>
#include <map>
#include <thread>
#include <vector>

using namespace buffon;

namespace {

const auto without_http = doctest::skip(!http::available());
using Answer = PlainServer::Answer;

/// The numbers of {"name":"forward","input":[[x,y],[z]],…}.
std::vector<double> inputs_of(const std::string& body) {
  std::vector<double> numbers;
  const std::size_t start = body.find("\"input\":");
  for (const char* at = body.c_str() + start + 8; *at != '\0' && *at != '"';) {
    char* end = nullptr;
    const double value = std::strtod(at, &end);
    if (end == at) {
      ++at;
    } else {
      numbers.push_back(value);
      at = end;
    }
  }
  return numbers;
}

std::string number(double value) { return to_text(value); }

/// x + y + z in one output vector and (x y, z) in another.
std::string sums(const std::vector<double>& x) {
  return "{\"output\":[[" + number(x[0] + x[1] + x[2]) + "],[" + number(x[0] * x[1]) + "," + number(x[2]) + "]]}";
}

/// Answers all questions well, but for those in `instead`, and evaluations as `evaluate` says.
PlainServer::Handler well_behaved(PlainServer::Handler evaluate = {}, std::map<std::string, Answer> instead = {}) {
  return [=](const std::string& path, const std::string& head, const std::string& body) -> Answer {
    if (const auto found = instead.find(path); found != instead.end()) return found->second;
    if (path == "/Info") return {200, "{\"protocolVersion\":1.0,\"models\":[\"forward\",\"posterior\"]}"};
    if (path == "/ModelInfo") return {200, "{\"support\":{\"Evaluate\":true}}"};
    if (path == "/InputSizes") return {200, "{\"inputSizes\":[2,1]}"};
    if (path == "/OutputSizes") return {200, "{\"outputSizes\":[1,2]}"};
    return evaluate ? evaluate(path, head, body) : Answer{200, sums(inputs_of(body))};
  };
}

UmbridgeModelOptions options(const std::string& url) {
  UmbridgeModelOptions o;
  o.url = url;
  o.name = "forward";
  o.timeout_seconds = 30;
  return o;
}

const ModelSetting setting{.input_names = {"x", "y", "z"}, .base_directory = {}, .run_directory = {}};

std::shared_ptr<const Model> model_at(const PlainServer& server) { return umbridge_model(options(server.url()), setting); }

/// The failure of a point whose evaluation is answered so, between two good ones.
std::string failure_of(const Answer& answer, UmbridgeModelOptions o = options({})) {
  const PlainServer server(well_behaved([&](const auto&, const auto&, const std::string& body) {
    const auto x = inputs_of(body);
    return x[0] == 13 ? answer : Answer{200, sums(x)};
  }));
  o.url = server.url();
  const auto model = umbridge_model(o, setting);
  Eigen::MatrixXd points(3, 3), values(3, 3);
  points << 1, 13, 3, 2, 2, 2, 5, 5, 5;
  const auto failures = model->evaluate(points, values, {});
  CHECK(values.col(0) == Eigen::Vector3d(8, 2, 5));
  CHECK(values.col(2) == Eigen::Vector3d(10, 6, 5));
  REQUIRE(failures.size() == 1);
  CHECK(failures[0].column == 1);
  CHECK(std::isnan(values(0, 1)));
  return failures[0].message;
}

/// The error of preparing a model.
Error refusal(const std::map<std::string, Answer>& instead, const std::function<void(UmbridgeModelOptions&)>& change = {}) {
  const PlainServer server(well_behaved({}, instead));
  auto o = options(server.url());
  if (change) change(o);
  try {
    umbridge_model(o, setting);
  } catch (const Error& error) {
    return error;
  }
  FAIL("accepted");
  return Error(ErrorCategory::internal, {});
}

bool says(const std::string& text, const std::string& part) {
  const bool found = text.find(part) != std::string::npos;
  if (!found) MESSAGE("\"" << part << "\" is not in: " << text);
  return found;
}
bool says(const Error& error, const std::string& part) { return says(std::string(error.what()), part); }

}  // namespace

TEST_CASE("inputs are split into the vectors of the server, its vectors one after another are the outputs" * without_http) {
  std::mutex mutex;
  std::map<std::string, std::string> bodies;
  std::string heads;
  const PlainServer server([&](const std::string& path, const std::string& head, const std::string& body) -> Answer {
    const std::lock_guard lock(mutex);
    bodies[path] = body;
    heads = head;
    if (path.rfind("/gate/", 0) != 0) return {404, "nothing here"};
    return well_behaved()(path.substr(5), head, body);
  });
  auto o = options(server.url() + "/gate/");
  o.config = "{\"order\": 4,\n \"mesh\": [0.1]}";
  o.headers = {"Authorization: Bearer abc"};
  o.outputs = {"sum", "product", "last"};
  const auto model = umbridge_model(o, setting);
  CHECK(model->input_size() == 3);
  CHECK(model->output_names() == o.outputs);
  Eigen::MatrixXd values(3, 1);
  CHECK(model->evaluate(Eigen::Vector3d(0.1, -1e-300, 5e22), values, {}).empty());
  CHECK(values.col(0) == Eigen::Vector3d(0.1 + -1e-300 + 5e22, 0.1 * -1e-300, 5e22));

  const std::string config = R"({"mesh":[0.1],"order":4})";
  CHECK(bodies["/gate/Info"].empty());
  CHECK(bodies["/gate/ModelInfo"] == R"({"name":"forward"})");
  CHECK(bodies["/gate/InputSizes"] == R"({"name":"forward","config":)" + config + "}");
  CHECK(bodies["/gate/OutputSizes"] == bodies["/gate/InputSizes"]);
  CHECK(bodies["/gate/Evaluate"] == R"({"name":"forward","input":[[0.1,-1e-300],[5e+22]],"config":)" + config + "}");
  CHECK(heads.find("Authorization: Bearer abc") != std::string::npos);
}

TEST_CASE("outputs without names of their own are numbered; a model need not be named where there is one" * without_http) {
  const PlainServer server(well_behaved({}, {{"/Info", {200, "{\"protocolVersion\":1,\"models\":[\"forward\"]}"}}}));
  auto o = options(server.url());
  o.name.clear();
  CHECK(umbridge_model(o, setting)->output_names() == std::vector<std::string>{"out0", "out1", "out2"});
}

TEST_CASE("values are placed by index, whatever the order of the answers" * without_http) {
  // Pairs of requests: the one that comes first is answered last.
  std::mutex mutex;
  std::condition_variable changed;
  int arrived = 0, answered = 0;
  const PlainServer server(well_behaved([&](const auto&, const auto&, const std::string& body) -> Answer {
    std::unique_lock lock(mutex);
    const int place = arrived++;
    changed.notify_all();
    if (place % 2 == 0) changed.wait(lock, [&] { return answered > place; });
    answered += place % 2 == 0 ? 1 : 2;
    changed.notify_all();
    return {200, sums(inputs_of(body))};
  }));
  auto o = options(server.url());
  o.max_in_flight = 2;
  const auto model = umbridge_model(o, setting);
  const Eigen::MatrixXd points = Eigen::MatrixXd::Random(3, 20);
  Eigen::MatrixXd values(3, 20);
  CHECK(model->evaluate(points, values, {}).empty());
  for (Index i = 0; i < 20; ++i) {
    CHECK(values.col(i) == Eigen::Vector3d(points(0, i) + points(1, i) + points(2, i), points(0, i) * points(1, i), points(2, i)));
  }
  const std::lock_guard lock(mutex);
  CHECK(answered == 30);
}

TEST_CASE("any number of requests in flight and of calling threads gives the same values, bit for bit" * without_http) {
  std::atomic<int> now = 0, most = 0;
  const PlainServer server(well_behaved([&](const auto&, const auto&, const std::string& body) -> Answer {
    const int here = ++now;
    for (int seen = most; here > seen && !most.compare_exchange_weak(seen, here);) {
    }
    const std::string text = sums(inputs_of(body));
    --now;
    return {200, text};
  }));
  const Eigen::MatrixXd points = Eigen::MatrixXd::Random(3, 160) * 1e3;
  for (const int in_flight : {1, 3, 8}) {
    auto o = options(server.url());
    o.max_in_flight = in_flight;
    const auto model = umbridge_model(o, setting);
    Eigen::MatrixXd values(3, 160);
    most = 0;
    {
      std::vector<std::jthread> threads;
      for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&, t] { model->evaluate(points.middleCols(40 * t, 40), values.middleCols(40 * t, 40), {}); });
      }
    }
    CHECK(most <= in_flight);
    bool equal = true;
    for (Index i = 0; i < 160; ++i) {
      equal = equal && values.col(i) == Eigen::Vector3d(points(0, i) + points(1, i) + points(2, i), points(0, i) * points(1, i), points(2, i));
    }
    CHECK(equal);
  }
}

TEST_CASE("every documented error and every unusable answer fails its point, and the points around it are right" * without_http) {
  for (const int status : {200, 400, 500}) {
    for (const std::string type : {"ModelNotFound", "UnsupportedFeature", "InvalidInput", "InvalidOutput"}) {
      CHECK(says(failure_of({status, "{\"error\":{\"type\":\"" + type + "\",\"message\":\"mesh is\\ndegenerate\"}}"}),
                 "the server reports " + type + ": mesh is degenerate"));
    }
  }
  CHECK(says(failure_of({500, "{\"error\":\"plain\"}"}), "the server reports an error: {\"error\":\"plain\"}"));
  CHECK(says(failure_of({200, "{\"output\":[[1],[2,null]]}"}), "output out2 is null, which stands for NaN or infinity"));
  CHECK(says(failure_of({200, "{\"output\":[[NaN],[2,3]]}"}), "the answer holds NaN or infinity, which JSON cannot say"));
  CHECK(says(failure_of({200, "{\"output\":[[1],[-Infinity,3]]}"}), "the answer holds NaN or infinity"));
  CHECK(says(failure_of({200, "{\"output\":[[1e999],[2,3]]}"}), "does not fit a double"));
  CHECK(says(failure_of({200, "{\"output\":[[1],[2,\"3\"]]}"}), "output out2 is of type string, not a number"));
  CHECK(says(failure_of({200, "{\"output\":[[1],[2]]}"}), "output vector 1 has 1 numbers instead of 2"));
  CHECK(says(failure_of({200, "{\"output\":[[1],[2,3,4]]}"}), "output vector 1 has 3 numbers instead of 2"));
  CHECK(says(failure_of({200, "{\"output\":[[1]]}"}), "the answer has 1 output vectors instead of 2"));
  CHECK(says(failure_of({200, "{\"output\":[1,2]}"}), "output vector 0 is of type number, not a list of numbers"));
  CHECK(says(failure_of({200, "{\"outputs\":[[1],[2,3]]}"}), "the answer lacks \"output\""));
  CHECK(says(failure_of({200, "[[1],[2,3]]"}), "the answer must be a JSON object"));
  CHECK(says(failure_of({200, "{\"output\":[[1],[2"}), "the answer is not JSON"));
  CHECK(says(failure_of({200, ""}), "the answer is not JSON"));
  CHECK(says(failure_of({502, "<html>Bad Gateway</html>"}), "HTTP status 502: <html>Bad Gateway</html>"));
  CHECK(says(failure_of({404, "{\"output\":[[1],[2,3]]}"}), "HTTP status 404"));
  CHECK(says(failure_of({200, std::string(std::size_t{1} << 20, '[')}), "the answer is longer than"));
}

TEST_CASE("a point that is not finite is not sent" * without_http) {
  const PlainServer server(well_behaved());
  const auto model = model_at(server);
  const int before = server.requests();
  Eigen::MatrixXd values(3, 1);
  const auto failures = model->evaluate(Eigen::Vector3d(1, NAN, 2), values, {});
  REQUIRE(failures.size() == 1);
  CHECK(says(failures[0].message, "input y is nan, which JSON cannot say"));
  CHECK(server.requests() == before);
}

TEST_CASE("a broken connection is tried again; one that always breaks fails its point" * without_http) {
  std::atomic<int> drops = 2;
  const PlainServer server(well_behaved([&](const auto&, const auto&, const std::string& body) -> Answer {
    if (drops-- > 0) return {.drop = true};
    return {200, sums(inputs_of(body))};
  }));
  Eigen::MatrixXd values(3, 1);
  CHECK(model_at(server)->evaluate(Eigen::Vector3d(1, 2, 3), values, {}).empty());
  CHECK(values(0, 0) == 6);

  auto o = options({});
  o.reconnects = 1;
  CHECK(says(failure_of({.drop = true}, o), "the server closed the connection without a whole answer, 2 times"));
}

TEST_CASE("a silent server fails the point after the time-out" * without_http) {
  std::atomic<bool> enough = false;
  const PlainServer server(well_behaved([&](const auto&, const auto&, const std::string& body) -> Answer {
    const auto x = inputs_of(body);
    while (x[0] == 13 && !enough) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    return {200, sums(x)};
  }));
  auto o = options(server.url());
  o.timeout_seconds = 0.2;
  Eigen::MatrixXd values(3, 1);
  const auto failures = umbridge_model(o, setting)->evaluate(Eigen::Vector3d(13, 2, 3), values, {});
  enough = true;
  REQUIRE(failures.size() == 1);
  CHECK(says(failures[0].message, "no answer in time (timeout_seconds = 0.2"));
}

TEST_CASE("a stop request interrupts a call that waits for the server" * without_http) {
  std::mutex mutex;
  std::condition_variable changed;
  bool stopped = false;
  std::stop_source source;
  const PlainServer server(well_behaved([&](const auto&, const auto&, const std::string&) -> Answer {
    source.request_stop();
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return stopped; });
    return {.drop = true};
  }));
  auto o = options(server.url());
  o.max_in_flight = 2;
  o.timeout_seconds = 0;
  const auto model = umbridge_model(o, setting);
  Eigen::MatrixXd points = Eigen::MatrixXd::Ones(3, 8), values(3, 8);
  try {
    model->evaluate(points, values, source.get_token());
    FAIL_CHECK("not interrupted");
  } catch (const Error& error) {
    CHECK(error.category() == ErrorCategory::interrupted);
  }
  {
    const std::lock_guard lock(mutex);
    stopped = true;
  }
  changed.notify_all();
}

TEST_CASE("failed points fall under the failure policy" * without_http) {
  std::atomic<int> count = 0;
  const PlainServer server(well_behaved([&](const auto&, const auto&, const std::string& body) -> Answer {
    const auto x = inputs_of(body);
    if (x[0] == 13) return {500, "{\"error\":{\"type\":\"InvalidOutput\",\"message\":\"no convergence\"}}"};
    if (x[0] == 14 && count++ < 2) return {200, "{\"output\":[[null],[1,2]]}"};
    return {200, sums(x)};
  }));
  const auto model = model_at(server);
  Eigen::MatrixXd points(3, 2), values(3, 2);
  points << 1, 13, 2, 2, 3, 3;
  CHECK_THROWS_WITH_AS(CheckedModel(model, setting.input_names).evaluate(points, values, {}),
                       doctest::Contains("evaluating the model at x = 13, y = 2, z = 3: the model failed: the server reports InvalidOutput: no convergence"),
                       ModelError);
  const CheckedModel replacing(model, setting.input_names, {.action = FailurePolicy::Action::replace, .replacement = -1});
  replacing.evaluate(points, values, {});
  CHECK(values.col(1) == Eigen::Vector3d(-1, -1, -1));
  CHECK(replacing.replaced() == 1);
  points(0, 1) = 14;
  const CheckedModel retrying(model, setting.input_names, {.action = FailurePolicy::Action::retry, .retries = 2});
  retrying.evaluate(points, values, {});
  CHECK(values.col(1) == Eigen::Vector3d(19, 28, 3));
  CHECK(retrying.retried() == 2);
}

TEST_CASE("a server that goes away ends the run, whatever the failure policy, and says what to do" * without_http) {
  PlainServer server(well_behaved());
  auto o = options(server.url());
  o.reconnects = 1;
  const auto model = umbridge_model(o, setting);
  server.stop();
  Eigen::MatrixXd points = Eigen::MatrixXd::Ones(3, 5), values(3, 5);
  const CheckedModel checked(model, setting.input_names, {.action = FailurePolicy::Action::replace});
  try {
    checked.evaluate(points, values, {});
    FAIL_CHECK("no error");
  } catch (const Error& error) {
    CHECK(error.category() == ErrorCategory::no_input);
    CHECK(says(error, "model.url = \"" + o.url + "\" cannot be used: nobody answers there"));
    CHECK(says(error, "Start the server"));
  }
  CHECK_THROWS_WITH_AS(umbridge_model(o, setting), doctest::Contains("nobody answers there"), Error);
}

TEST_CASE("what the server offers is compared with the job before any work" * without_http) {
  CHECK(says(refusal({{"/InputSizes", {200, "{\"inputSizes\":[2,2]}"}}}), "inputs = 3 inputs must be the 4 inputs of model \"forward\""));
  CHECK(says(refusal({{"/ModelInfo", {200, "{\"support\":{\"Gradient\":true}}"}}}), "does not support Evaluate"));
  CHECK(says(refusal({}, [](auto& o) { o.name = "forwards"; }), "is not offered by the server. Did you mean \"forward\"? There are forward, posterior"));
  CHECK(says(refusal({}, [](auto& o) { o.name = ""; }), "must be given, since the server offers several models"));
  CHECK(says(refusal({}, [](auto& o) { o.outputs = {"a", "b"}; }), "2 names must be as many as the model has outputs, 3"));

  CHECK(says(refusal({{"/Info", {200, "{\"protocolVersion\":0.9,\"models\":[\"forward\"]}"}}}), "the server speaks UM-Bridge 0.9, this version speaks 1.0"));
  CHECK(says(refusal({{"/Info", {200, "{\"models\":[\"forward\"]}"}}}), "lacks \"protocolVersion\""));
  CHECK(says(refusal({{"/Info", {200, "{\"protocolVersion\":1.0,\"models\":[]}"}}}), "offers no model"));
  CHECK(says(refusal({{"/Info", {200, "<html>"}}}), "asking the UM-Bridge server for Info"));
  CHECK(says(refusal({{"/OutputSizes", {200, "{\"outputSizes\":[-1]}"}}}), "must be whole numbers"));
  CHECK(says(refusal({{"/OutputSizes", {200, "{\"outputSizes\":[1000000000]}"}}}), "at most 1000000"));
  CHECK(says(refusal({{"/OutputSizes", {200, "{\"outputSizes\":[]}"}}}), "names no number"));
  CHECK(says(refusal({{"/ModelInfo", {400, "{\"error\":{\"type\":\"ModelNotFound\",\"message\":\"gone\"}}"}}}), "reports ModelNotFound: gone"));
}

TEST_CASE("options that cannot work are refused" * without_http) {
  const auto refused = [](const std::function<void(UmbridgeModelOptions&)>& change) {
    auto o = options("http://localhost:1");
    change(o);
    return [o] { umbridge_model(o, setting); };
  };
  CHECK_THROWS_WITH_AS(refused([](auto& o) { o.url = "localhost:4242"; })(), doctest::Contains("Give an address like http://localhost:4242"), Error);
  CHECK_THROWS_WITH_AS(refused([](auto& o) { o.url = "ftp://localhost"; })(), doctest::Contains("is not the address of a server"), Error);
  CHECK_THROWS_WITH_AS(refused([](auto& o) { o.url = "http:///x"; })(), doctest::Contains("is not the address of a server"), Error);
  CHECK_THROWS_WITH_AS(refused([](auto& o) { o.config = "[1]"; })(), doctest::Contains("must be a JSON object"), Error);
  CHECK_THROWS_WITH_AS(refused([](auto& o) { o.config = "{order:4}"; })(), doctest::Contains("is not JSON"), Error);
  CHECK_THROWS_WITH_AS(refused([](auto& o) { o.headers = {"Token"}; })(), doctest::Contains("must have the form"), Error);
  CHECK_THROWS_WITH_AS(refused([](auto& o) { o.outputs = {"a", "a", "b"}; })(), doctest::Contains("is named twice"), Error);
  CHECK_THROWS_WITH_AS(refused([](auto& o) { o.max_in_flight = 0; })(), doctest::Contains("must be in [1, 1024]"), Error);
}

TEST_CASE("a build without HTTP says which package it needs" * doctest::skip(http::available())) {
  CHECK_THROWS_WITH_AS(umbridge_model(options("http://localhost:4242"), setting), doctest::Contains("libcpp-httplib-dev"), Error);
}

TEST_CASE("where a log density is asked for, minus infinity is an answer" * without_http) {
  ModelSetting densities = setting;
  densities.log_density = true;
  const auto value = [&](const std::string& number, const ModelSetting& asked) {
    const PlainServer server(well_behaved([&](const auto&, const auto&, const std::string&) { return Answer{200, "{\"output\":[[" + number + "],[1,2]]}"}; }));
    const auto model = umbridge_model(options(server.url()), asked);
    Eigen::MatrixXd out(3, 1);
    const auto failures = model->evaluate(Eigen::Vector3d(1, 2, 3), out, {});
    return std::make_pair(out(0, 0), failures.empty() ? std::string() : failures.front().message);
  };
  const double none = -std::numeric_limits<double>::infinity();
  for (const char* text : {"\"-inf\"", "\"-Infinity\"", "-Infinity"}) {
    CHECK(value(text, densities).first == none);
    CHECK(std::isnan(value(text, setting).first));
  }
  CHECK(value("null", densities).second.find("answer \"-inf\"") != std::string::npos);
  CHECK(std::isnan(value("Infinity", densities).first));
}
