// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/core/error.hpp>
#include <buffon/model/nested_expressions.hpp>
#include <buffon/model/nested_plugin.hpp>
#include <buffon/random/stream.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <string>

#include <temporary_directory.hpp>

using namespace buffon;

namespace {

Eigen::MatrixXd normals(const char* name, Index rows, Index columns) {
  Eigen::MatrixXd z(rows, columns);
  Stream(5).child(name).normals(0, z);
  return z;
}

std::string refusal(const std::string& library, const std::string& configuration = {}) {
  try {
    nested_plugin({library, configuration}, "/");
  } catch (const Error& error) {
    CHECK(error.category() == ErrorCategory::configuration);
    return error.what();
  }
  return "accepted";
}

void check_refusal(const std::string& library, const std::string& configuration, const std::string& said) {
  const std::string message = refusal(library, configuration);
  CAPTURE(message);
  CHECK(message.find(said) != std::string::npos);
}

}  // namespace

TEST_CASE("the example plug-in says the same as the named problem and as expressions, also on parts of larger arrays") {
  const std::filesystem::path file = BUFFON_TEST_PLUGIN;
  const auto plugin = nested_plugin({file.filename().string(), ""}, file.parent_path());
  const auto named = named_nested_problem("sin_gaussian").make();
  const auto variable = [](const char* name, const char* mean) { return NestedVariable{name, "normal", {{"mean", mean}, {"std_dev", 1.0}}}; };
  const auto expressions =
      expression_nested_problem({{{variable("y0", "pi / 2")}, "sin(y0 + z)"}, {{variable("y1", "y0")}, "sin(y1 - z)"}, {{variable("y2", "y1")}, "y2"}});
  REQUIRE(plugin->depth() == 2);
  const Index n = 200;
  const Eigen::MatrixXd large = normals("path", 5, n);
  for (Index d = 0; d <= 2; ++d) {
    CHECK(plugin->names(d) == named->names(d));
    CHECK(plugin->normals(d) == named->normals(d));
    const Eigen::MatrixXd z = normals("z", 2, n);
    Eigen::MatrixXd y = Eigen::MatrixXd::Zero(3, n), expected = y;
    plugin->sample(d, large.topRows(d), z.topRows(1), y.topRows(1));
    named->sample(d, large.topRows(d), z.topRows(1), expected.topRows(1));
    CHECK(y == expected);
    const Eigen::VectorXd inner = normals("inner", 1, n).row(0);
    Eigen::VectorXd g(n), h(n);
    plugin->link(d, large.topRows(d + 1), inner, g);
    named->link(d, large.topRows(d + 1), inner, h);
    CHECK((g - h).cwiseAbs().maxCoeff() < 1e-15);  // two ulp: the named problem has a sine of its own
    expressions->link(d, large.topRows(d + 1), inner, h);
    CHECK(g == h);
  }
}

TEST_CASE("a plug-in reads its configuration") {
  const auto plugin = nested_plugin({BUFFON_TEST_PLUGIN, "2.5"}, "/");
  Eigen::MatrixXd y(1, 1);
  plugin->sample(0, Eigen::MatrixXd(0, 1), Eigen::MatrixXd::Constant(1, 1, 0.25), y);
  CHECK(y(0) == 2.75);
  CHECK(refusal(BUFFON_TEST_PLUGIN, "two") ==
        "loading a nested problem: configuration = \"two\" is refused by the library: expected the mean of y0, a finite number.");
}

TEST_CASE("libraries that cannot be used are refused with the reason") {
  TemporaryDirectory t;
  check_refusal((t / "none.so").string(), "", "does not exist. give the path of a shared library, relative to the configuration file");
  check_refusal(t.path().string(), "", "is not a file");
  std::ofstream(t / "text.so") << "not a library";
  check_refusal((t / "text.so").string(), "", "cannot be loaded: ");
  check_refusal(BUFFON_TEST_PLUGIN_ABI, "", "has version 2 of the interface, this buffon has version 1. build it with the nested_plugin.h of this buffon");
  check_refusal(BUFFON_TEST_PLUGIN_SYMBOL, "", "has no function buffon_nested_sample");
}

TEST_CASE("libraries that break the interface are refused with the function") {
  const std::string faulty = BUFFON_TEST_PLUGIN_FAULTY;
  CHECK_NOTHROW(nested_plugin({faulty, "nothing"}, "/"));
  check_refusal(faulty, "create", "is refused by the library: " + std::string(511, 'x'));
  check_refusal(faulty, "silent", "is refused by the library: it gives no reason");
  check_refusal(faulty, "depth", "buffon_nested_depth returns -1, which must be in [0, 63]");
  check_refusal(faulty, "deep", "buffon_nested_depth returns 64");
  check_refusal(faulty, "components", "buffon_nested_components(1) returns -2");
  check_refusal(faulty, "normals", "buffon_nested_normals(1) returns -3");
  check_refusal(faulty, "null name", "buffon_nested_name(0, 0) returns no name");
  check_refusal(faulty, "bad name", "buffon_nested_name(0, 0) returns \"y 0\", which contains a character");
  check_refusal(faulty, "same name", "buffon_nested_name(1, 0) returns \"y0\" a second time");
}

TEST_CASE("an error return of a library is an error of the model with its message") {
  const Eigen::MatrixXd z = Eigen::MatrixXd::Zero(1, 2);
  const auto message_of = [](auto&& work) -> std::string {
    try {
      work();
    } catch (const Error& error) {
      CHECK(error.category() == ErrorCategory::model);
      return error.what();
    }
    return "no error";
  };
  Eigen::MatrixXd y(1, 2);
  Eigen::VectorXd out(2);
  const auto sample = nested_plugin({BUFFON_TEST_PLUGIN_FAULTY, "sample"}, "/");
  CHECK(message_of([&] { sample->sample(1, z, z, y); }) ==
        "drawing y^1 in " + std::string(BUFFON_TEST_PLUGIN_FAULTY) + ": the library failed with status 7: the mesh is degenerate.");
  const auto link = nested_plugin({BUFFON_TEST_PLUGIN_FAULTY, "link"}, "/");
  CHECK(message_of([&] { link->link(0, z, Eigen::Vector2d::Zero(), out); }) ==
        "evaluating the link at depth 0 in " + std::string(BUFFON_TEST_PLUGIN_FAULTY) + ": the library failed with status 1: it gives no reason.");
}
