// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/core/error.hpp>
#include <buffon/http/http.hpp>
#include <buffon/model/model_kind.hpp>
#include <buffon/model/umbridge_model.hpp>
#include <buffon/model/umbridge_server.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <cmath>
#include <condition_variable>
#include <csignal>
#include <mutex>
#include <thread>
#include <vector>

using namespace buffon;

namespace {

const auto without_http = doctest::skip(!http::available());

/// x + y, and x / y.
std::shared_ptr<const Model> pair_model() {
  return make_model(2, {"sum", "ratio"}, [](const ConstMatrix& x, MutMatrix y) {
    y.row(0) = x.row(0) + x.row(1);
    y.row(1) = x.row(0).cwiseQuotient(x.row(1));
    if (x(0, 0) == 13) throw std::runtime_error("bad luck");
  });
}

UmbridgeService service() { return UmbridgeService({{"pair", pair_model()}, {"ishigami", named_problem("ishigami").model()}}); }

/// Answer as "STATUS BODY".
std::string post(const std::string& path, const std::string& body, const std::string& method = "POST") {
  const auto [status, text] = service().answer(method, path, body);
  return std::to_string(status) + " " + text;
}

std::string error(int status, const std::string& type, const std::string& message) {
  return std::to_string(status) + " {\"error\":{\"message\":\"" + message + "\",\"type\":\"" + type + "\"}}";
}

/// A server that runs while this lives.
struct RunningServer {
  explicit RunningServer(std::vector<ServedModel> models)
      : server(std::move(models), "127.0.0.1", 0), thread([this](const std::stop_token& stop) { server.run(stop); }) {}
  std::string url() const { return "http://127.0.0.1:" + std::to_string(server.port()); }
  UmbridgeServer server;
  std::jthread thread;
};

}  // namespace

TEST_CASE("every endpoint answers with exactly the documented keys") {
  CHECK(post("/Info", "", "GET") == R"(200 {"models":["pair","ishigami"],"protocolVersion":1.0})");
  CHECK(post("/ModelInfo", R"({"name":"pair"})") == R"(200 {"support":{"ApplyHessian":false,"ApplyJacobian":false,"Evaluate":true,"Gradient":false}})");
  CHECK(post("/InputSizes", R"({"name":"ishigami","config":{}})") == R"(200 {"inputSizes":[3]})");
  CHECK(post("/InputSizes", R"({"name":"ishigami"})") == R"(200 {"inputSizes":[3]})");
  CHECK(post("/OutputSizes", R"({"name":"pair","config":{"level":1}})") == R"(200 {"outputSizes":[2]})");
  CHECK(post("/Evaluate", R"({"name":"pair","input":[[0.1,0.2]],"config":{}})") == R"(200 {"output":[[0.30000000000000004,0.5]]})");
  CHECK(post("/Evaluate", R"({"name":"pair","input":[[1,3]]})") == R"(200 {"output":[[4,0.3333333333333333]]})");
  CHECK(post("/Evaluate", R"({"name":"pair","input":[[5e-324,1]]})") == R"(200 {"output":[[1,5e-324]]})");
}

TEST_CASE("output that is not finite is null") {
  CHECK(post("/Evaluate", R"({"name":"pair","input":[[1,0]],"config":{}})") == R"(200 {"output":[[1,null]]})");
  CHECK(post("/Evaluate", R"({"name":"pair","input":[[0,0]],"config":{}})") == R"(200 {"output":[[0,null]]})");
}

TEST_CASE("every error has its type and status, and nothing else") {
  for (const char* path : {"/ModelInfo", "/InputSizes", "/OutputSizes", "/Evaluate", "/Gradient", "/ApplyJacobian", "/ApplyHessian"}) {
    CAPTURE(path);
    CHECK(post(path, R"({"name":"pear"})") == error(400, "ModelNotFound", "there is no model \\\"pear\\\""));
    CHECK(post(path, R"({"name":"pe)") == error(400, "InvalidInput", "the body is not JSON"));
    CHECK(post(path, "") == error(400, "InvalidInput", "the body is not JSON"));
    CHECK(post(path, "[]") == error(400, "InvalidInput", "the body must be a JSON object"));
    CHECK(post(path, "{}") == error(400, "InvalidInput", "\\\"name\\\" must be the name of a model"));
  }
  CHECK(post("/Gradient", R"({"name":"pair"})") == error(400, "UnsupportedFeature", "Gradient is not supported by model pair"));
  CHECK(post("/ApplyJacobian", R"({"name":"pair"})") == error(400, "UnsupportedFeature", "ApplyJacobian is not supported by model pair"));
  CHECK(post("/ApplyHessian", R"({"name":"pair"})") == error(400, "UnsupportedFeature", "ApplyHessian is not supported by model pair"));

  const auto evaluate = [](const std::string& rest) { return post("/Evaluate", R"({"name":"pair")" + rest + "}"); };
  CHECK(evaluate("") == error(400, "InvalidInput", "\\\"input\\\" must be a list of input vectors"));
  CHECK(evaluate(R"(,"input":[[1,2],[3]])") == error(400, "InvalidInput", "the model takes 1 input vector, not 2"));
  CHECK(evaluate(R"(,"input":[])") == error(400, "InvalidInput", "the model takes 1 input vector, not 0"));
  CHECK(evaluate(R"(,"input":[[1,2,3]])") == error(400, "InvalidInput", "input vector 0 must have 2 numbers, not 3"));
  CHECK(evaluate(R"(,"input":[1,2])") == error(400, "InvalidInput", "input vector 0 is of type number, not a list of numbers"));
  CHECK(evaluate(R"(,"input":[[1,null]])") == error(400, "InvalidInput", "input vector 0 holds a value of type null, not a number"));
  CHECK(evaluate(R"(,"input":[[1,2]],"config":[])") == error(400, "InvalidInput", "\\\"config\\\" must be an object"));
  CHECK(evaluate(R"(,"input":[[13,2]])") == error(500, "InvalidOutput", "the model failed: bad luck"));
  CHECK(post("/Nothing", "{}") == error(404, "UnsupportedFeature", "POST /Nothing is not offered"));
  CHECK(post("/Evaluate", "", "GET") == error(404, "UnsupportedFeature", "GET /Evaluate is not offered"));
}

TEST_CASE("checks come in the documented order: name, feature, parse, sizes") {
  CHECK(post("/Gradient", R"({"name":"pear","input":0})").find("ModelNotFound") != std::string::npos);
  CHECK(post("/Gradient", R"({"name":"pair","input":0})").find("UnsupportedFeature") != std::string::npos);
  CHECK(post("/Evaluate", R"({"name":"pair","input":[["a"],[2]]})").find("of type string") != std::string::npos);
  CHECK(post("/Evaluate", R"({"name":"pair","input":[[13,2],[2]]})").find("1 input vector, not 2") != std::string::npos);
}

TEST_CASE("a service without a model, or with a name given twice, is refused") {
  CHECK_THROWS_WITH_AS(UmbridgeService({}), doctest::Contains("there is none"), Error);
  CHECK_THROWS_WITH_AS(UmbridgeService({{"a", pair_model()}, {"a", pair_model()}}), doctest::Contains("is named twice"), Error);
}

TEST_CASE("client and server give the bits of the model itself" * without_http) {
  for (const char* name : {"cantilever", "borehole", "hyperplane"}) {
    const NamedProblem& problem = named_problem(name);
    const auto native = problem.model();
    const RunningServer server({{name, native}});
    const Index d = native->input_size();
    Eigen::MatrixXd points(d, 50), expected(native->output_size(), 50), values(native->output_size(), 50);
    problem.law().sample(Stream(3), 0, points);
    native->evaluate(points, expected, {});
    UmbridgeModelOptions o;
    o.url = server.url();
    o.max_in_flight = 8;
    const auto model = umbridge_model(o, {.input_names = problem.law().names(), .base_directory = {}, .run_directory = {}});
    CHECK(model->evaluate(points, values, {}).empty());
    CHECK(values == expected);
  }
}

TEST_CASE("null from our server is a failed point of our client" * without_http) {
  const RunningServer server({{"pair", pair_model()}});
  UmbridgeModelOptions o;
  o.url = server.url();
  const auto model = umbridge_model(o, {.input_names = {"x", "y"}, .base_directory = {}, .run_directory = {}});
  Eigen::MatrixXd points(2, 2), values(2, 2);
  points << 1, 3, 0, 4;
  const auto failures = model->evaluate(points, values, {});
  REQUIRE(failures.size() == 1);
  CHECK(failures[0].message == "output out1 is null, which stands for NaN or infinity");
  CHECK(values.col(1) == Eigen::Vector2d(7, 0.75));
}

TEST_CASE("requests are answered at the same time" * without_http) {
  // Every evaluation waits until three are under way.
  std::mutex mutex;
  std::condition_variable changed;
  int together = 0;
  const RunningServer server({{"meet", make_model(1, {"y"}, [&](const ConstMatrix& x, MutMatrix y) {
                                 std::unique_lock lock(mutex);
                                 ++together;
                                 changed.notify_all();
                                 changed.wait(lock, [&] { return together >= 3; });
                                 y = x;
                               })}});
  UmbridgeModelOptions o;
  o.url = server.url();
  o.max_in_flight = 3;
  const auto model = umbridge_model(o, {.input_names = {"x"}, .base_directory = {}, .run_directory = {}});
  Eigen::MatrixXd points = Eigen::RowVector3d(1, 2, 3), values(1, 3);
  CHECK(model->evaluate(points, values, {}).empty());
  CHECK(values == points);
}

TEST_CASE("a server ends when asked, also one that has not begun, and leaves SIGPIPE as it was" * without_http) {
  struct sigaction before = {}, after = {};
  sigaction(SIGPIPE, nullptr, &before);
  { const RunningServer server({{"pair", pair_model()}}); }
  std::stop_source stopped;
  stopped.request_stop();
  UmbridgeServer({{"pair", pair_model()}}, "127.0.0.1", 0).run(stopped.get_token());
  sigaction(SIGPIPE, nullptr, &after);
  const bool same = after.sa_handler == before.sa_handler;
  CHECK(same);
}

TEST_CASE("a busy port and an address that is not ours are clear errors" * without_http) {
  const RunningServer server({{"pair", pair_model()}});
  const int port = server.server.port();
  CHECK_THROWS_WITH_AS(UmbridgeServer({{"pair", pair_model()}}, "127.0.0.1", port), doctest::Contains("cannot be listened on: Address already in use"), Error);
  CHECK_THROWS_WITH_AS(UmbridgeServer({{"pair", pair_model()}}, "192.0.2.1", 0), doctest::Contains("cannot be listened on"), Error);
}
