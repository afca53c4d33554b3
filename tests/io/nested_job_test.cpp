// SPDX-License-Identifier: BSD-3-Clause
#include <cmath>

#include <buffon/io/explain.hpp>
#include <buffon/model/nested_problem.hpp>

#include "support_job.hpp"

using namespace buffon;
using namespace buffon::test;

namespace {

const std::string head = "method = \"nested_probe\"\nseed = 7\n";
const std::string named = "[nested]\nkind = \"named\"\nname = \"sin_gaussian\"\n";

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

void check_round_trip(const Job& job) {
  const Job again = parse(job.resolved, {}, "config.resolved.toml");
  CHECK(again.resolved == job.resolved);
  CHECK(again.digest == job.digest);
}

}  // namespace

TEST_CASE("a nested method reads a named nested problem") {
  const Job job = parse(head + named + "[options]\ncount = 5\n[run]\nthreads = 2\n[[derived]]\nname = \"twice\"\nvalue = \"2 * value\"\n");
  REQUIRE(job.nested != nullptr);
  CHECK(job.problem.scenarios().empty());
  CHECK(job.nested->depth() == 2);
  CHECK(job.nested->names(1) == std::vector<std::string>{"y1"});
  CHECK(job.run.threads == 2);
  CHECK(&dynamic_cast<const NestedProbe&>(*job.make()).problem() == job.nested.get());
  CHECK(contains(job.resolved, "[nested]\nkind = \"named\"\nname = \"sin_gaussian\"\n"));
  check_round_trip(job);
  CHECK(parse(head + named).digest != parse(head + named, {"nested.name=cos_of_mean"}).digest);
}

TEST_CASE("JSON gives the same nested job") {
  const Job json = parse(R"({"method": "nested_probe", "seed": 7, "nested": {"kind": "named", "name": "sin_gaussian"}})", {}, "job.json");
  CHECK(json.digest == parse(head + named).digest);
}

TEST_CASE("faults of a nested section name place, key, value, rule and the nearest spelling") {
  CHECK(message_of(head) == "job.toml:1:1: reading the nested problem: nested is required and missing. add a section [nested] with its kind.");
  CHECK(contains(message_of(head + "[nested]\n"), "job.toml:3:1: reading the nested problem: nested.kind is required and missing."));
  CHECK(contains(message_of(head + "[nested]\nkind = \"name\"\n"), "job.toml:4:8: reading the nested problem: nested.kind = \"name\" must be one of named"));
  CHECK(contains(message_of(head + "[nested]\nkind = \"name\"\n"), "did you mean \"named\"?"));
  CHECK(contains(message_of(head + "[nested]\nkind = \"named\"\nname = \"sin_gausian\"\n"), "did you mean \"sin_gaussian\"?"));
  CHECK(contains(message_of(head + "[nested]\nkind = \"named\"\nname = 1\n"), "job.toml:5:8: "));
  CHECK(contains(message_of(head + "[nested]\nkind = \"named\"\nnome = \"sin_gaussian\"\n"),
                 "job.toml:5:1: reading the nested problem of kind named: nested.nome is not a key here. did you mean \"name\"?"));
  CHECK(contains(message_of(head + "nested = 1\n"), "must be a section"));
}

TEST_CASE("sections of the other kind of question are refused with what to give instead") {
  CHECK(message_of(head + named + "[model]\nkind = \"named\"\nname = \"ishigami\"\n") ==
        "job.toml:6:2: reading the configuration: model does not go with method = \"nested_probe\". its question is a nested expectation: give it in "
        "[nested].");
  for (const auto* section : {"[[inputs]]", "[[correlations]]", "[[quantities]]", "[[scenarios]]"}) {
    CHECK(contains(message_of(head + named + section + "\nname = \"a\"\n"), "does not go with method = \"nested_probe\""));
  }
  CHECK(contains(message_of("method = \"probe\"\nseed = 1\n" + named), "nested does not go with method = \"probe\". its question is about a model"));
}

TEST_CASE("nested problems and their kinds are listed and explained") {
  const auto& methods = probe_methods();
  for (const auto& problem : named_nested_problems()) {
    CAPTURE(problem.name);
    CHECK(contains(list_text("nested", methods), problem.name));
    CHECK(contains(explain(problem.name, methods), "in [nested]"));
  }
  CHECK(contains(explain("sin_gaussian", methods), "Known value: 0.6065306597126334 (closed form)"));
  for (const auto& kind : nested_kinds()) CHECK(contains(explain(kind.name, methods), "\" in [nested]"));
  CHECK(contains(explain("nested", methods), "[nested]"));
  CHECK(contains(explain("nested.name", methods), "named.name"));
}
