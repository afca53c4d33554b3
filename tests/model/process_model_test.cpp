// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/core/error.hpp>
#include <buffon/model/process_model.hpp>

#include <doctest/doctest.h>

#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cmath>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

using namespace buffon;
namespace fs = std::filesystem;

namespace {

/// A new empty folder that is removed with its contents.
class Folder {
 public:
  Folder() {
    std::string name = (fs::temp_directory_path() / "buffon-test-XXXXXX").string();
    path_ = mkdtemp(name.data());
  }
  ~Folder() { fs::remove_all(path_); }
  const fs::path& path() const { return path_; }
  std::string text(const std::string& file) const {
    std::ostringstream text;
    text << std::ifstream(path_ / file).rdbuf();
    return text.str();
  }

 private:
  fs::path path_;
};

ProcessModelOptions options(std::vector<std::string> arguments = {}) {
  ProcessModelOptions o;
  o.command = {BUFFON_TEST_CHILD};
  o.command.insert(o.command.end(), arguments.begin(), arguments.end());
  o.outputs = {"sum", "product"};
  o.timeout_seconds = 20;
  return o;
}

ModelSetting setting(const fs::path& run_directory = {}) { return {.input_names = {"x", "y"}, .base_directory = {}, .run_directory = run_directory}; }

/// The message of the failure at y, with a good point before and after it that must be right.
std::string failure_at(double y, ProcessModelOptions o = options()) {
  const auto model = process_model(o, setting());
  Eigen::MatrixXd points(2, 3), values(2, 3);
  points << 1, 2, 3, 4, y, 6;
  const auto failures = model->evaluate(points, values, {});
  CHECK(values(0, 0) == 5);
  CHECK(values(1, 0) == 4);
  CHECK(values(0, 2) == 9);
  CHECK(values(1, 2) == 18);
  REQUIRE(failures.size() == 1);
  CHECK(failures[0].column == 1);
  CHECK(std::isnan(values(0, 1)));
  CHECK(std::isnan(values(1, 1)));
  return failures[0].message;
}

void check_failure(double y, const std::string& said) {
  CAPTURE(y);
  const std::string message = failure_at(y);
  CAPTURE(message);
  CHECK(message.find(said) != std::string::npos);
}

std::size_t open_descriptors() {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& entry : fs::directory_iterator("/proc/self/fd")) ++count;
  return count;
}

/// No child of this process is left, running or dead.
bool no_children() { return waitpid(-1, nullptr, WNOHANG) == -1 && errno == ECHILD; }

}  // namespace

TEST_CASE("any number of workers and calling threads gives the same values, bit for bit") {
  const Eigen::MatrixXd points = Eigen::MatrixXd::Random(2, 120) * 1e3;
  Eigen::MatrixXd expected(2, 120);
  expected.row(0) = points.row(0) + points.row(1);
  expected.row(1) = points.row(0).cwiseProduct(points.row(1));
  for (const int workers : {1, 2, 3}) {
    auto o = options();
    o.workers = workers;
    const auto model = process_model(o, setting());
    Eigen::MatrixXd values(2, 120);
    {
      std::vector<std::jthread> threads;
      for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&, t] { model->evaluate(points.middleCols(30 * t, 30), values.middleCols(30 * t, 30), {}); });
      }
    }
    CHECK(values == expected);
  }
  CHECK(no_children());
}

TEST_CASE("a misbehaving program fails its point with a message, and the points around it are right") {
  check_failure(101, "the process ended with exit status 3 without a reply, also when it was started again; its standard error ends:");
  check_failure(101, "| cannot factorise the matrix");
  check_failure(102, "was killed by signal 9 (Killed)");
  check_failure(104, "the reply is not JSON (other output belongs on standard error): Welcome to the simulator");
  check_failure(105, "ended with exit status 0 in the middle of a reply");
  check_failure(107, "the reply holds NaN or infinity, which JSON cannot say");
  check_failure(108, "output product is null");
  check_failure(109, "the reply has id 123456 where request 2 was to be answered");
  check_failure(110, "the reply has 1 outputs instead of 2 (sum, product)");
  check_failure(111, "worker 1: mesh is degenerate");
  check_failure(112, "more than one line");
  check_failure(114, "output product is missing from the reply");
  check_failure(115, "output product is of type string, not a number");
  check_failure(116, "does not fit a double");
  check_failure(118, "without a reply, also when it was started again");
  check_failure(NAN, "input y is nan, which JSON cannot say");
  CHECK(no_children());
}

TEST_CASE("a reply that never ends is cut off") {
  auto o = options();
  o.max_reply_bytes = 1000;
  CHECK(failure_at(106, o).find("the reply is longer than 1000 bytes") != std::string::npos);
}

TEST_CASE("a program that hangs is stopped after the time-out and the next point has a new one") {
  auto o = options();
  o.timeout_seconds = 0.3;
  CHECK(failure_at(103, o).find("timed out after 0.3 s (model.timeout_seconds)") != std::string::npos);
  CHECK(no_children());
}

TEST_CASE("outputs may come by name in any order, with others beside them") {
  const auto model = process_model(options(), setting());
  Eigen::MatrixXd values(2, 1);
  CHECK(model->evaluate(Eigen::Vector2d(2, 113), values, {}).empty());
  CHECK(values(0, 0) == 7);
  CHECK(values(1, 0) == 226);
}

TEST_CASE("a program that dies is started again once, and its standard error is kept") {
  const Folder folder;
  {
    const auto model = process_model(options({"", (folder.path() / "marker").string()}), setting(folder.path()));
    Eigen::MatrixXd values(2, 1);
    CHECK(model->evaluate(Eigen::Vector2d(2, 117), values, {}).empty());
    CHECK(values(0, 0) == 119);
    CHECK(folder.text("marker") == "died once");
  }
  CHECK(folder.text("model-stderr-1.log") == "started as worker 1\nstarted as worker 1\nend of input\n");
}

TEST_CASE("a program that answers once and ends is started for every point") {
  const auto model = process_model(options({"one-shot"}), setting());
  Eigen::MatrixXd points = Eigen::MatrixXd::Ones(2, 5), values(2, 5);
  CHECK(model->evaluate(points, values, {}).empty());
  CHECK(values.row(0) == Eigen::RowVectorXd::Constant(5, 2));
}

TEST_CASE("a program may write much to its standard error before it answers") {
  const auto model = process_model(options({"flood"}), setting());
  Eigen::MatrixXd values(2, 1);
  CHECK(model->evaluate(Eigen::Vector2d(1, 2), values, {}).empty());
  CHECK(values(1, 0) == 2);
}

TEST_CASE("a stop request ends the programs promptly, even those that ignore SIGTERM") {
  for (const std::string mode : {"hang", "ignore-term"}) {
    auto o = options({mode});
    o.workers = 2;
    o.timeout_seconds = 0;
    const auto model = process_model(o, setting());
    std::stop_source source;
    std::jthread stopper([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
      source.request_stop();
    });
    Eigen::MatrixXd points = Eigen::MatrixXd::Ones(2, 8), values(2, 8);
    try {
      model->evaluate(points, values, source.get_token());
      FAIL("not interrupted");
    } catch (const Error& error) {
      CHECK(error.category() == ErrorCategory::interrupted);
    }
    CHECK(no_children());
  }
}

TEST_CASE("the end of a model leaves no process and no open file behind") {
  const std::size_t before = open_descriptors();
  for (const std::string mode : {"", "ignore-term"}) {
    auto o = options({mode});
    o.workers = 3;
    if (mode == "ignore-term") o.timeout_seconds = 0.05;
    const auto model = process_model(o, setting());
    Eigen::MatrixXd points = Eigen::MatrixXd::Ones(2, 9), values(2, 9);
    model->evaluate(points, values, {});
  }
  CHECK(no_children());
  CHECK(open_descriptors() == before);
}

TEST_CASE("the programs live in process groups of their own") {
  const auto model = process_model(options({"sleep"}), setting());
  Eigen::MatrixXd values(2, 1);
  model->evaluate(Eigen::Vector2d(1, 0), values, {});
  const Folder folder;
  std::size_t found = 0;
  for (const auto& entry : fs::directory_iterator("/proc")) {
    std::ifstream stat(entry.path() / "stat");
    int pid = 0, parent = 0, group = 0;
    std::string name, state;
    if (stat >> pid >> name >> state >> parent >> group && parent == getpid()) {
      ++found;
      CHECK(group == pid);
    }
  }
  CHECK(found == 1);
}

TEST_CASE("the handshake compares protocol and names before the first request") {
  auto o = options({"greets"});
  o.handshake = true;
  Eigen::MatrixXd values(2, 1);
  CHECK(process_model(o, setting())->evaluate(Eigen::Vector2d(1, 2), values, {}).empty());
  CHECK(values(0, 0) == 3);
  o.command[1] = "old";
  CHECK_THROWS_WITH_AS(process_model(o, setting())->evaluate(Eigen::Vector2d(1, 2), values, {}), doctest::Contains("speaks protocol 0"), Error);
  o.command[1] = "other-outputs";
  CHECK_THROWS_WITH_AS(process_model(o, setting())->evaluate(Eigen::Vector2d(1, 2), values, {}), doctest::Contains("outputs differ"), Error);
  CHECK(no_children());
}

TEST_CASE("a program or option that cannot work is refused before anything starts") {
  auto o = options();
  o.command = {"no-such-program-of-buffon"};
  CHECK_THROWS_WITH_AS(process_model(o, setting()), doctest::Contains("is not a program on the search path"), Error);
  o.command = {"./missing"};
  CHECK_THROWS_WITH_AS(process_model(o, setting()), doctest::Contains("is not an executable file"), Error);
  o = options();
  o.directory = "no/such/folder";
  CHECK_THROWS_WITH_AS(process_model(o, setting()), doctest::Contains("is not a directory"), Error);
  o = options();
  o.environment = {"NAME"};
  CHECK_THROWS_WITH_AS(process_model(o, setting()), doctest::Contains("NAME=value"), Error);
  o = options();
  o.outputs = {"a", "a"};
  CHECK_THROWS_WITH_AS(process_model(o, setting()), doctest::Contains("is named twice"), Error);
}

TEST_CASE("requests hold numbers that read back exactly, and go to a program found by its path") {
  // `cat` answers with the request itself, which names neither outputs nor error; the message shows it.
  auto o = options();
  o.command = {"cat"};
  const auto model = process_model(o, setting());
  Eigen::MatrixXd values(2, 1);
  const auto failures = model->evaluate(Eigen::Vector2d(0.1, -1e-300), values, {});
  REQUIRE(failures.size() == 1);
  CHECK(failures[0].message.find("{\"id\":1,\"inputs\":{\"x\":0.1,\"y\":-1e-300}}") != std::string::npos);
}
