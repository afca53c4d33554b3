// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/core/error.hpp>

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace buffon;

TEST_CASE("an error's text names place, action, key, value, rule and remedy") {
  const Error error(ErrorCategory::configuration,
                    {.doing = "reading the options of plain_monte_carlo",
                     .key = "options.max_evaluations",
                     .value = "-5",
                     .rule = "must be at least 1",
                     .remedy = "give a positive whole number"},
                    {.file = "job.toml", .line = 3, .column = 7});
  CHECK(std::string(error.what()) ==
        "job.toml:3:7: reading the options of plain_monte_carlo: options.max_evaluations = -5 must be at least 1. give a positive whole number.");
  CHECK(exit_status(error.category()) == 78);
}

TEST_CASE("empty parts of an error leave no stray punctuation") {
  CHECK(std::string(Error(ErrorCategory::model, {.doing = "evaluating the model", .rule = "the process ended"}).what()) ==
        "evaluating the model: the process ended.");
}

TEST_CASE("an error keeps its category when it gets a place") {
  const Error bare(ErrorCategory::data, {.key = "mean", .value = "nan", .rule = "must be finite"});
  const Error placed = bare.at({.file = "a.toml", .line = 2, .column = 1}, "inputs[0].mean");
  CHECK(placed.category() == ErrorCategory::data);
  CHECK(std::string(placed.what()) == "a.toml:2:1: inputs[0].mean = nan must be finite.");
}

TEST_CASE("doubles are written in their shortest exact form") {
  CHECK(to_text(0.1) == "0.1");
  CHECK(to_text(1e300) == "1e+300");
  CHECK(to_text(-1.0 / 0.0) == "-inf");
}

TEST_CASE("the nearest name is suggested, a far one is not") {
  const std::vector<std::string> names = {"max_evaluations", "level", "seed"};
  CHECK(nearest("max_evaluation", names) == "max_evaluations");
  CHECK(nearest("lvele", names) == "level");
  CHECK(nearest("zzzzzzzzzz", names).empty());
  CHECK(edit_distance("ab", "ba") == 1);
}

TEST_CASE("a message stays on one line whatever the texts hold") {
  CHECK(std::string(Error(ErrorCategory::data, {.key = "name", .value = "a\nb\r\t\x7f", .rule = "is odd"}).what()) == "name = a\\nb    is odd.");
}
