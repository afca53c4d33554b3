// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/core/check_options.hpp>
#include <buffon/core/error.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <string>

using namespace buffon;

namespace {

struct Sample {
  std::int64_t points = 10;
  double level = 0.95;
  std::string kind = "plain";
  std::vector<double> weights = {1.0};
};

void describe(OptionVisitor& v, Sample& o) {
  static constexpr std::array<std::string_view, 2> kinds = {"plain", "stratified"};
  v.on({.name = "points", .meaning = "points", .range = at_least(1)}, o.points);
  v.on({.name = "level", .meaning = "level", .range = strictly_between(0, 1)}, o.level);
  v.on({.name = "kind", .meaning = "kind", .choices = kinds}, o.kind);
  v.on({.name = "weights", .meaning = "weights", .range = positive(), .size_min = 1}, o.weights);
}

std::string complaint(const Sample& sample) {
  try {
    check_options("sample", sample);
  } catch (const Error& error) {
    CHECK(error.category() == ErrorCategory::configuration);
    return error.what();
  }
  return {};
}

}  // namespace

TEST_CASE("options that keep their rules pass") { CHECK(complaint({}).empty()); }

TEST_CASE("an option that breaks its rule is named with value and rule") {
  CHECK(complaint({.points = 0}) == "checking the options of sample: options.points = 0 must be at least 1.");
  CHECK(complaint({.level = 1.0}).find("options.level = 1 must be in (0, 1)") != std::string::npos);
  CHECK(complaint({.level = std::nan("")}).find("options.level = nan") != std::string::npos);
  CHECK(complaint({.kind = "stratifed"}).find("did you mean \"stratified\"") != std::string::npos);
  CHECK(complaint({.weights = {}}).find("options.weights = 0 elements must have at least 1") != std::string::npos);
  CHECK(complaint({.weights = {1.0, -1.0}}).find("options.weights = -1 must be greater than 0") != std::string::npos);
}
