// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/core/error.hpp>
#include <buffon/http/http.hpp>
#include <buffon/model/density_plugin.hpp>
#include <buffon/model/process_model.hpp>
#include <buffon/model/target_kind.hpp>
#include <buffon/model/umbridge_model.hpp>
#include <buffon/model/umbridge_server.hpp>
#include <buffon/parallel/blocks.hpp>
#include <buffon/parallel/context.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <filesystem>
#include <limits>
#include <string>
#include <thread>
#include <vector>

using namespace buffon;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

/// Sets the options of a kind: all keys as texts or lists of texts.
class Setter final : public OptionVisitor {
 public:
  explicit Setter(std::vector<std::pair<std::string, std::vector<std::string>>> values) : values_(std::move(values)) {}
  using OptionVisitor::on;
  void on(const Field&, bool&) override {}
  void on(const Field& f, std::int64_t& v) override {
    if (const auto* words = find(f)) v = std::stoll(words->front());
  }
  void on(const Field&, double&) override {}
  void on(const Field& f, std::string& v) override {
    if (const auto* words = find(f)) v = words->front();
  }
  void on(const Field&, std::optional<double>&) override {}
  void on(const Field&, std::vector<double>&) override {}
  void on(const Field&, std::vector<std::int64_t>&) override {}
  void on(const Field& f, std::vector<std::string>& v) override {
    if (const auto* words = find(f)) v = *words;
  }
  void on(const Field&, std::vector<std::vector<std::string>>&) override {}

 private:
  const std::vector<std::string>* find(const Field& f) const {
    for (const auto& [key, words] : values_) {
      if (key == f.name) return &words;
    }
    return nullptr;
  }
  std::vector<std::pair<std::string, std::vector<std::string>>> values_;
};

MadeDensity made(const std::string& kind, std::vector<std::pair<std::string, std::vector<std::string>>> options, bool reject = false,
                 std::vector<Parameter> parameters = {{.name = "x"}}) {
  for (const auto& k : target_kinds()) {
    if (k.name != kind) continue;
    Setter setter(std::move(options));
    return k.make(setter, {.parameters = std::move(parameters), .base_directory = "/", .run_directory = {}, .reject_failures = reject});
  }
  throw std::runtime_error("no such kind");
}

double at(const MadeDensity& density, double x) { return density.density->at(Eigen::VectorXd::Constant(1, x), {}); }

template <class Work>
std::string error_of(ErrorCategory category, Work&& work) {
  try {
    work();
  } catch (const Error& error) {
    CHECK(error.category() == category);
    return error.what();
  }
  return "no error";
}

#define CHECK_SAYS(message, part)                \
  do {                                           \
    const std::string said = (message);          \
    CAPTURE(said);                               \
    CHECK(said.find(part) != std::string::npos); \
  } while (false)

MadeDensity program(bool reject, const std::string& workers = "1") {
  return made("process", {{"command", {BUFFON_TEST_CHILD, "density"}}, {"workers", {workers}}}, reject);
}

std::string plugin_refusal(const std::string& library, const std::string& configuration) {
  return error_of(ErrorCategory::configuration, [&] { density_plugin({library, configuration}, {}); });
}

}  // namespace

TEST_CASE("a program answers log densities, minus infinity among them") {
  const MadeDensity density = program(false);
  CHECK(at(density, 2) == -2);
  CHECK(at(density, 5) == -infinity);
  CHECK(at(density, 6) == -infinity);
  CHECK(at(density, -1) == -0.5);
  Eigen::VectorXd values(4);
  density.density->evaluate(Eigen::RowVector4d(1, 5, 3, 6), values, {});
  CHECK(values == Eigen::Vector4d(-0.5, -infinity, -4.5, -infinity));
}

TEST_CASE("a program that fails stops the run with the point, or rejects it") {
  const auto failure = [](double x) { return error_of(ErrorCategory::model, [&] { at(program(false), x); }); };
  CHECK_SAYS(failure(9), "evaluating the density at x = 9: worker 1: mesh is degenerate.");
  CHECK_SAYS(failure(9), "on_failure = \"reject\"");
  CHECK_SAYS(failure(7), "null; where the density is zero write \"-inf\"");
  CHECK_SAYS(failure(8), "NaN or infinity");
  const MadeDensity rejecting = program(true);
  for (const double x : {7.0, 8.0, 9.0}) CHECK(std::isnan(at(rejecting, x)));
  Eigen::VectorXd values(3);
  rejecting.density->evaluate(Eigen::RowVector3d(1, 9, 3), values, {});
  CHECK(values(0) == -0.5);
  CHECK(std::isnan(values(1)));
  CHECK(values(2) == -4.5);
}

TEST_CASE("a program that is gone for good ends the run, also where its failures are rejected") {
  const MadeDensity rejecting = program(true);
  for (int i = 0; i < 999; ++i) CHECK(std::isnan(at(rejecting, 9)));
  CHECK(at(rejecting, 1) == -0.5);  // it is there after all
  for (int i = 0; i < 1000; ++i) CHECK(std::isnan(at(rejecting, 9)));
  CHECK_SAYS(error_of(ErrorCategory::model, [&] { at(rejecting, 9); }), "failed 1000 times in a row, at last with: worker 1: mesh is degenerate");
}

TEST_CASE("the numbers of a program do not depend on how many threads ask how many copies") {
  const Index n = 40;
  for (const char* workers : {"1", "3"}) {
    const MadeDensity density = program(false, workers);
    Eigen::VectorXd values(n);
    Context context(4);
    for_blocks(context, n, 1, [&](const Block& block) {
      for (Index i = block.begin; i < block.end; ++i) values(i) = at(density, 0.1 * static_cast<double>(i));
    });
    for (Index i = 0; i < n; ++i) {
      const double x = 0.1 * static_cast<double>(i);
      CHECK(values(i) == -0.5 * x * x);
    }
  }
}

TEST_CASE("a request to stop ends a slow program") {
  const MadeDensity density = made("process", {{"command", {BUFFON_TEST_CHILD, "hang"}}});
  std::stop_source source;
  std::jthread stopper([&] { source.request_stop(); });
  CHECK_SAYS(error_of(ErrorCategory::interrupted, [&] { density.density->at(Eigen::VectorXd::Zero(1), source.get_token()); }), "stopped on request");
}

TEST_CASE("a shared library gives density, parameters and generated quantities") {
  const MadeDensity density = density_plugin({BUFFON_TEST_DENSITY, "1 2 4.5"}, {});
  const Target target(density.density, density.parameters, {}, density.generated);
  CHECK(target.names() == std::vector<std::string>{"mu", "sigma", "q90"});
  CHECK(target.parameters()[1].constraint == Constraint::lower);
  const auto formula = expression_density(density.parameters, "-4 * log(sigma) - ((1 - mu)^2 + (2 - mu)^2 + (4.5 - mu)^2) / (2 * sigma^2)");
  Eigen::MatrixXd larger = Eigen::MatrixXd::Random(5, 6).cwiseAbs();
  const ConstMatrix points = larger.middleRows(1, 2);
  Eigen::VectorXd values(6), expected(6);
  density.density->evaluate(points, values, {});
  formula->evaluate(points, expected, {});
  // Both are sums of a few terms; they agree to some units in the last place of the largest.
  for (Index i = 0; i < 6; ++i) CHECK(values(i) == doctest::Approx(expected(i)).scale(0).epsilon(1e-13));
  Eigen::VectorXd stored(3);
  target.stored(Eigen::Vector2d(2, 0), stored, {});
  CHECK(stored(2) == doctest::Approx(3.2815515655446004).scale(0).epsilon(1e-15));
}

TEST_CASE("faults of a shared library are refused with what is wrong") {
  CHECK_SAYS(plugin_refusal("no.so", ""), "no.so\" does not exist");
  CHECK_SAYS(plugin_refusal(BUFFON_TEST_PLUGIN, ""), "has no function buffon_density_abi. define every function of buffon/model/density_plugin.h");
  CHECK_SAYS(plugin_refusal(BUFFON_TEST_DENSITY_ABI, ""), "has version 2 of the interface, this buffon has version 1");
  CHECK_SAYS(plugin_refusal(BUFFON_TEST_DENSITY_SYMBOL, ""), "has no function buffon_density_evaluate");
  CHECK_SAYS(plugin_refusal(BUFFON_TEST_DENSITY, "1"), "configuration = \"1\" is refused by the library: expected at least two different finite numbers");
  CHECK_SAYS(plugin_refusal(BUFFON_TEST_DENSITY_FAULTY, "silent"), "it gives no reason");
  CHECK_SAYS(plugin_refusal(BUFFON_TEST_DENSITY_FAULTY, "create"), std::string(511, 'x'));
  CHECK_SAYS(plugin_refusal(BUFFON_TEST_DENSITY_FAULTY, "parameters"), "buffon_density_parameters returns 0, which must be in [1,");
  CHECK_SAYS(plugin_refusal(BUFFON_TEST_DENSITY_FAULTY, "null name"), "buffon_density_describe(0) sets no name");
  CHECK_SAYS(plugin_refusal(BUFFON_TEST_DENSITY_FAULTY, "size"), "buffon_density_describe(0), size, returns -1");
  CHECK_SAYS(plugin_refusal(BUFFON_TEST_DENSITY_FAULTY, "constraint"), "constraint, returns 8");
  for (const auto* fault : {"bad name", "bounds"}) {
    const MadeDensity density = density_plugin({BUFFON_TEST_DENSITY_FAULTY, fault}, {});
    CHECK_THROWS_AS(Target(density.density, density.parameters), Error);
  }
}

TEST_CASE("a library that fails at a point stops the run there, or rejects the point alone") {
  const MadeDensity density = density_plugin({BUFFON_TEST_DENSITY_FAULTY, ""}, {});
  CHECK(at(density, 2) == -2);
  CHECK(at(density, 0) == -infinity);
  CHECK_SAYS(error_of(ErrorCategory::model, [&] { at(density, -1); }), "evaluating the density at x = -1: ");
  CHECK_SAYS(error_of(ErrorCategory::model, [&] { at(density, -1); }), "the library failed with status 7: the mesh is degenerate");
  const MadeDensity rejecting =
      density_plugin({BUFFON_TEST_DENSITY_FAULTY, ""}, {.parameters = {}, .base_directory = {}, .run_directory = {}, .reject_failures = true});
  Eigen::VectorXd values(3);
  rejecting.density->evaluate(Eigen::RowVector3d(1, -1, 3), values, {});
  CHECK(values(0) == -1);
  CHECK(std::isnan(values(1)));
  CHECK(values(2) == -3);
}

TEST_CASE("a server offers a density" * doctest::skip(!http::available())) {
  UmbridgeServer server({{"posterior", make_point_model(2, "log_density", [](const Eigen::VectorXd& x) { return -x.squaredNorm(); })},
                         {"pair", make_model(2, {"a", "b"}, [](const ConstMatrix&, MutMatrix out) { out.setZero(); })}},
                        "127.0.0.1", 0);
  const std::jthread thread([&](const std::stop_token& stop) { server.run(stop); });
  const std::string url = "http://127.0.0.1:" + std::to_string(server.port());
  const auto density = [&](const std::string& name, Index size) {
    return made("umbridge", {{"url", {url}}, {"name", {name}}}, false, {{.name = "theta", .size = size}});
  };
  CHECK(density("posterior", 2).density->at(Eigen::Vector2d(1, 2), {}) == -5);
  CHECK_SAYS(error_of(ErrorCategory::configuration, [&] { density("pair", 2); }), "2 outputs must have one output, the log density");
  CHECK_SAYS(error_of(ErrorCategory::configuration, [&] { density("posterior", 3); }), "3");
}
