// SPDX-License-Identifier: BSD-3-Clause
#include <doctest/doctest.h>
#include <signal.h>
#include <temporary_directory.hpp>

#include <cmath>
#include <thread>

#include <buffon/core/archive.hpp>
#include <buffon/core/error.hpp>
#include <buffon/io/checkpoint.hpp>
#include <buffon/io/files.hpp>
#include <buffon/io/runner.hpp>
#include <buffon/parallel/blocks.hpp>
#include <buffon/random/stream.hpp>

using namespace buffon;

namespace {

constexpr std::int64_t last_round = 40;

/// Sums normals of addressed items, one block of them a round; stops or fails on demand in the middle of a round.
class Walk : public Method {
 public:
  struct Events {
    std::int64_t fail_in_round = -1;
    std::int64_t stop_in_round = -1;
    std::stop_source* source = nullptr;
    const Problem* problem = nullptr;  ///< evaluated at every normal
    bool forget = false;               ///< the deliberately wrong variant: a part of the state is not listed
  };

  explicit Walk(Events events) : events_(events), stream_(Stream(5).peek("walk")) {}

  void step(Context& context) override {
    const Eigen::Vector2d part = reduce_blocks<Eigen::Vector2d>(
        context, 4000, 500,
        [&](const Block& block) {
          if (block.index == 3 && round_ == events_.stop_in_round) {
            events_.source->request_stop();
            context.throw_if_stopped();  // other threads may have done all other blocks by now: then nobody else would look
          }
          if (block.index == 5 && round_ == events_.fail_in_round) {
            throw ModelError({.doing = "evaluating the model", .rule = "it failed"}, {"x"}, Eigen::VectorXd::Constant(1, 0.1), {"y"},
                             Eigen::VectorXd::Constant(1, std::nan("")), "no convergence");
          }
          Eigen::MatrixXd z(1, block.size());
          stream_.normals(static_cast<std::uint64_t>(round_ * 4000 + block.begin), z);
          if (events_.problem != nullptr) {
            Eigen::MatrixXd y(1, block.size());
            events_.problem->evaluate(context, z, y);
            return Eigen::Vector2d(y.sum(), z.squaredNorm());
          }
          return Eigen::Vector2d(z.sum(), z.squaredNorm());
        },
        [](Eigen::Vector2d& into, const Eigen::Vector2d& from) { into += from; });
    sums_ = sums_.size() == 0 ? Eigen::VectorXd(part) : Eigen::VectorXd(sums_ + part);
    // The next round depends on all before it in every bit.
    sums_ *= 1.0 + 1e-3 * std::sin(sums_(0));
    unlisted_ += part(0);
    ++round_;
  }
  bool finished() const override { return round_ == last_round || !reason_.empty(); }
  void stop(const std::string& reason) override { reason_ = reason; }
  Progress progress() const override {
    return {.fraction = static_cast<double>(round_) / last_round, .evaluations = round_ * 4000, .phase = "", .name = "a", .current = {}};
  }
  Outcome outcome() const override {
    const Eigen::VectorXd s = sums_.size() == 0 ? Eigen::VectorXd::Zero(2) : sums_;
    Outcome o;
    o.estimates = {{.name = "a", .estimate = normal_estimate(s(0), 1), .group = "expectation", .note = ""},
                   {.name = "b@two", .estimate = normal_estimate(s(1) + (events_.forget ? unlisted_ : 0), 2), .group = "expectation", .note = ""}};
    o.covariance = Eigen::Matrix2d{{1, 0.5}, {0.5, 4}};
    o.tables = {{.name = "draws", .title = "Draws", .columns = {"s"}, .rows = s, .row_labels = {}}};
    o.evaluations = round_ * 4000;
    o.stop_reason = reason_.empty() ? "the budget was spent" : reason_;
    return o;
  }
  void describe_state(Archive& a) override {
    a.item("round", round_);
    a.item("sums", sums_);
    a.item("reason", reason_);
  }

 private:
  Events events_;
  Stream stream_;
  std::int64_t round_ = 0;
  Eigen::VectorXd sums_;
  double unlisted_ = 0;
  std::string reason_;
};

class Quiet : public RunObserver {
 public:
  void started(const Context&, const Progress&) override {}
  void progressed(const Progress& p) override { last = p; }
  void note(const std::string& sentence) override { notes.push_back(sentence); }
  void ended() override { ++ends; }
  Progress last;
  std::vector<std::string> notes;
  int ends = 0;
};

Job job(Walk::Events events = {}, int threads = 1) {
  Job j;
  j.method = "walk";
  j.seed = 5;
  j.resolved = "method = \"walk\"\n";
  j.digest = "d1";
  j.run.threads = threads;
  j.run.checkpoint_seconds = 0;
  j.run.save_draws = true;
  j.derived = {{.name = "ratio", .expression = "b_two / a"}};
  j.make = [events] { return std::make_unique<Walk>(events); };
  return j;
}

RunDirectory fresh(const std::filesystem::path& path) { return RunDirectory::create(path, "method = \"walk\"\n", "", {}); }

std::string undisturbed() {
  TemporaryDirectory temporary;
  RunDirectory directory = fresh(temporary / "run");
  Quiet quiet;
  return reproducible_part(run_job(job(), directory, {}, quiet));
}

ErrorCategory failure(const Job& j, RunDirectory& directory, std::stop_token stop, std::string* text = nullptr) {
  Quiet quiet;
  try {
    run_job(j, directory, stop, quiet);
  } catch (const Error& error) {
    CHECK(quiet.ends == 1);
    if (text != nullptr) *text = error.what();
    return error.category();
  }
  FAIL("the run did not fail");
  return ErrorCategory::internal;
}

}  // namespace

TEST_CASE("a run leaves its result, draws and log in the directory") {
  TemporaryDirectory temporary;
  RunDirectory directory = fresh(temporary / "run");
  Quiet quiet;
  const Result result = run_job(job(), directory, {}, quiet);
  CHECK(read_file(directory.file("result.json")) == encode_result(result));
  CHECK(std::filesystem::exists(directory.file("draws/draws.npy")));
  CHECK(quiet.last.fraction == 1);
  CHECK(result.outcome.evaluations == last_round * 4000);
  const std::string log = read_file(directory.file("log.jsonl"));
  CHECK(log.find("\"event\":\"started\"") < log.find("\"event\":\"finished\""));
}

TEST_CASE("a run stopped in the middle of any round and resumed gives the same bytes, on any number of threads") {
  const std::string expected = undisturbed();
  for (const std::int64_t round : {0, 1, 7, 20, 39}) {
    for (const int threads : {1, 2, 3, 8}) {
      TemporaryDirectory temporary;
      std::stop_source source;
      {
        RunDirectory directory = fresh(temporary / "run");
        std::string text;
        CHECK(failure(job({.stop_in_round = round, .source = &source}, 2), directory, source.get_token(), &text) == ErrorCategory::interrupted);
        CHECK(text.find("continue with `buffon resume") != std::string::npos);
        CHECK_FALSE(std::filesystem::exists(directory.file("result.json")));
      }
      RunDirectory directory = RunDirectory::open(temporary / "run");
      Quiet quiet;
      CHECK(reproducible_part(run_job(job({}, threads), directory, {}, quiet)) == expected);
    }
  }
}

TEST_CASE("the same comparison rejects a method that forgets a part of its state") {
  TemporaryDirectory temporary, other;
  std::stop_source source;
  RunDirectory directory = fresh(temporary / "run"), whole = fresh(other / "run");
  Quiet quiet;
  const std::string expected = reproducible_part(run_job(job({.forget = true}), whole, {}, quiet));
  failure(job({.stop_in_round = 20, .source = &source, .forget = true}), directory, source.get_token());
  CHECK(reproducible_part(run_job(job({.forget = true}), directory, {}, quiet)) != expected);
}

TEST_CASE("replaced points are counted once, told in the result, and the same however the run was stopped") {
  const auto root = make_point_model(1, "y", [](const Eigen::VectorXd& x) { return std::sqrt(x(0) + 2); });
  const Problem problem(root, JointLaw({{"x", normal_law(0, 1)}}), {.action = FailurePolicy::Action::replace, .replacement = 0.5});
  // The failures of all rounds, counted apart from the model.
  std::int64_t failures = 0;
  Eigen::MatrixXd z(1, last_round * 4000);
  Stream(5).peek("walk").normals(0, z);
  failures = (z.array() < -2).count();
  REQUIRE(failures > 1000);

  const auto with_model = [&](Walk::Events events, int threads) {
    events.problem = &problem;
    Job j = job(events, threads);
    j.problem = problem;
    j.policy.replacement = 0.5;
    return j;
  };
  TemporaryDirectory temporary;
  RunDirectory whole = fresh(temporary / "whole");
  Quiet quiet;
  const Result expected = run_job(with_model({}, 1), whole, {}, quiet);
  const Diagnostic& told = expected.outcome.diagnostics.back();
  CHECK(told.name == "replaced_points");
  CHECK(std::get<std::int64_t>(told.value) == failures);
  REQUIRE(expected.outcome.warnings.size() == 1);
  const std::string count = std::to_string(failures) + " of 160000 model evaluations (2.3 %) failed and were replaced by 0.5";
  CHECK(expected.outcome.warnings[0].find(count) == 0);

  for (const double checkpoint_seconds : {0.0, 1000.0}) {
    for (const std::int64_t round : {0, 7, 39}) {
      const std::string name = "run" + std::to_string(round) + (checkpoint_seconds > 0 ? "s" : "");
      std::stop_source source;
      RunDirectory directory = fresh(temporary / name);
      Job first = with_model({.stop_in_round = round, .source = &source}, 2);
      first.run.checkpoint_seconds = checkpoint_seconds;
      CHECK(failure(first, directory, source.get_token()) == ErrorCategory::interrupted);
      CHECK(reproducible_part(run_job(with_model({}, 3), directory, {}, quiet)) == reproducible_part(expected));
    }
  }
  CHECK(problem.model().replaced() > failures);  // a count since the model was made would be wrong
}

TEST_CASE("a failing model leaves its point and a state from which a mended model goes on") {
  TemporaryDirectory temporary;
  RunDirectory directory = fresh(temporary / "run");
  CHECK(failure(job({.fail_in_round = 11}), directory, {}) == ErrorCategory::model);
  const std::string point = read_file(directory.file("failed_point.json"));
  CHECK(point.find("\"inputs\": {\"x\": 0.1}") != std::string::npos);
  CHECK(point.find("\"outputs\": {\"y\": \"nan\"}") != std::string::npos);
  CHECK(point.find("no convergence") != std::string::npos);
  std::vector<std::string> notes;
  CHECK(read_checkpoint(directory.checkpoints(), "d1", notes)->rounds == 11);
  Quiet quiet;
  CHECK(reproducible_part(run_job(job(), directory, {}, quiet)) == undisturbed());
}

TEST_CASE("a damaged newest checkpoint costs a round, not the result") {
  TemporaryDirectory temporary;
  RunDirectory directory = fresh(temporary / "run");
  failure(job({.fail_in_round = 11}), directory, {});
  write_file(directory.checkpoints() / "state.bin", "torn");
  Quiet quiet;
  CHECK(reproducible_part(run_job(job(), directory, {}, quiet)) == undisturbed());
  CHECK(quiet.notes.size() == 1);
}

TEST_CASE("a time limit ends the run in order and is told in the result") {
  TemporaryDirectory temporary;
  RunDirectory directory = fresh(temporary / "run");
  Job limited = job();
  limited.run.max_seconds = 1e-9;
  Quiet quiet;
  CHECK(run_job(limited, directory, {}, quiet).outcome.stop_reason == "the time limit of 1e-09 s was reached");
}

TEST_CASE("derived quantities have the error of the delta method with the covariance") {
  Outcome o;
  o.estimates = {{.name = "a", .estimate = normal_estimate(2, 0.1), .group = "expectation", .note = ""},
                 {.name = "b@two", .estimate = normal_estimate(6, 0.2), .group = "expectation", .note = ""}};
  o.covariance = Eigen::Matrix2d{{0.01, 0.015}, {0.015, 0.04}};
  const std::vector<NamedEstimate> d = derived_estimates({{.name = "ratio", .expression = "b_two / a"}}, o);
  CHECK(d[0].estimate.value == 3);
  // gradient (−b/a², 1/a) = (−1.5, 0.5): variance 2.25·0.01 − 2·0.75·0.015 + 0.25·0.04 = 0.01
  CHECK(d[0].estimate.std_error == doctest::Approx(0.1).scale(0).epsilon(1e-7));
  o.covariance.resize(0, 0);
  CHECK(std::isnan(derived_estimates({{.name = "ratio", .expression = "b_two / a"}}, o)[0].estimate.std_error));
  CHECK(derived_estimates({{.name = "square", .expression = "a^2"}}, o)[0].estimate.std_error == doctest::Approx(0.4).scale(0).epsilon(1e-7));
  try {
    derived_estimates({{.name = "ratio", .expression = "c / a"}}, o);
    FAIL("an unknown estimate was accepted");
  } catch (const Error& error) {
    CHECK(error.category() == ErrorCategory::configuration);
    CHECK(std::string(error.what()).find("the estimates are called a, b_two") != std::string::npos);
    CHECK(std::string(error.what()).find("none") == std::string::npos);
  }
}

TEST_CASE("a derived quantity that is not defined says at which estimates, and the result warns") {
  TemporaryDirectory temporary;
  RunDirectory directory = fresh(temporary / "run");
  Quiet quiet;
  Job j = job();
  j.derived = {{.name = "root", .expression = "sqrt(0 - b_two)"}};
  const Result result = run_job(j, directory, {}, quiet);
  const std::string note = "not defined at these estimates: b_two = " + to_text(result.outcome.estimates[1].estimate.value);
  CHECK(result.derived[0].note == note);
  REQUIRE(result.outcome.warnings.size() == 1);
  CHECK(result.outcome.warnings[0] == "The derived quantity root is " + note + ".");
}

TEST_CASE("a signal fires the stop token, and handlers are put back") {
  struct sigaction before = {}, after = {};
  ::sigaction(SIGTERM, nullptr, &before);
  {
    SignalStop stop;
    CHECK_FALSE(stop.token().stop_requested());
    ::raise(SIGTERM);
    while (!stop.token().stop_requested()) std::this_thread::yield();
    CHECK(stop.signal_name() == "SIGTERM");
  }
  ::sigaction(SIGTERM, nullptr, &after);
  const bool restored = before.sa_handler == after.sa_handler;
  CHECK(restored);
}

TEST_CASE("a run directory is made once, locked while it is used, and replaced only on demand") {
  TemporaryDirectory temporary;
  const auto refusal = [&](bool replace) {
    try {
      RunDirectory::create(temporary / "run", "new\n", "", {}, replace);
    } catch (const Error& error) {
      CHECK(error.category() == ErrorCategory::usage);
      return std::string(error.what());
    }
    return std::string();
  };
  {
    RunDirectory directory = RunDirectory::create(temporary / "run", "old\n", "text", {.file = "job.toml", .base_directory = "/a", .overrides = {"x=1"}});
    CHECK(directory.resolved() == "old\n");
    CHECK(directory.origin().overrides == std::vector<std::string>{"x=1"});
    CHECK_THROWS_WITH_AS(RunDirectory::open(temporary / "run"), doctest::Contains("another process is working in it"), Error);
    CHECK(refusal(true).find("another process is working in it") != std::string::npos);
  }
  CHECK(refusal(false).find("continue it with `buffon resume") != std::string::npos);
  CHECK(RunDirectory::open(temporary / "run").resolved() == "old\n");
  CHECK(refusal(true).empty());
  CHECK(RunDirectory::open(temporary / "run").resolved() == "new\n");
  std::filesystem::create_directory(temporary / "photos");
  write_file(temporary / "photos/one.jpg", "x");
  CHECK_THROWS_WITH_AS(RunDirectory::create(temporary / "photos", "", "", {}, true), doctest::Contains("holds no run"), Error);
  CHECK(std::filesystem::exists(temporary / "photos/one.jpg"));
  std::filesystem::create_directory(temporary / "empty");
  RunDirectory::create(temporary / "empty", "", "", {});
  CHECK_THROWS_AS(RunDirectory::open(temporary / "nowhere"), Error);
}

TEST_CASE("half a line at the end of the log is closed before the next event") {
  TemporaryDirectory temporary;
  fresh(temporary / "run").log("info", "one");
  write_file(temporary / "run/log.jsonl", "{\"time\":\"2");
  RunDirectory::open(temporary / "run").log("info", "two");
  const std::string log = read_file(temporary / "run/log.jsonl");
  CHECK(log.substr(0, 11) == "{\"time\":\"2\n");
  CHECK(log.back() == '\n');
}
