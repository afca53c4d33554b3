// SPDX-License-Identifier: BSD-3-Clause
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <buffon/estimators/registry.hpp>
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

namespace {

const std::string expressions = "[nested]\nkind = \"expressions\"\n";
const std::string stages =
    "[[stages]]\nvariables = [{ name = \"y0\", law = \"normal\", mean = \"pi/2\", std_dev = 1 }]\nlink = \"sin(y0 + z)\"\n"
    "[[stages]]\nvariables = [{ name = \"y1\", law = \"normal\", mean = \"y0\", std_dev = 1 }]\nlink = \"sin(y1 - z)\"\n"
    "[[stages]]\nvariables = [{ name = \"y2\", law = \"normal\", mean = \"y1\", std_dev = 1 }]\nlink = \"y2\"\n";

std::string stage(const std::string& variables, const std::string& link = "1") {
  return head + expressions + "[[stages]]\nvariables = " + variables + "\nlink = \"" + link + "\"\n";
}

void check_message(const std::string& text, const std::string& said) {
  const std::string message = message_of(text);
  CAPTURE(message);
  CHECK(contains(message, said));
}

}  // namespace

TEST_CASE("a nested problem is written as laws and formulas") {
  const Job job = parse(head + expressions + stages);
  REQUIRE(job.nested != nullptr);
  CHECK(job.nested->depth() == 2);
  Eigen::MatrixXd y(1, 2);
  job.nested->sample(1, Eigen::RowVector2d(1, 2), Eigen::RowVector2d(0.5, -0.5), y);
  CHECK(y == Eigen::RowVector2d(1.5, 1.5));
  Eigen::VectorXd g(1);
  job.nested->link(0, Eigen::MatrixXd::Constant(1, 1, 0.25), Eigen::VectorXd::Constant(1, 0.5), g);
  CHECK(g(0) == std::sin(0.75));
  CHECK(contains(job.resolved, "\n[[stages]]\nvariables = [{ name = \"y0\", law = \"normal\", mean = \"pi/2\", std_dev = 1.0 }]\nlink = \"sin(y0 + z)\"\n"));
  check_round_trip(job);
  CHECK(parse(head + expressions + stages, {"stages.2.link=2 * y2"}).digest != job.digest);
  CHECK(parse(head + expressions + stages, {"stages.0.variables.0.std_dev=2"}).digest != job.digest);
}

TEST_CASE("defaults of laws stand in the resolved stages, and variables may be left out") {
  const Job job = parse(head + expressions + "[[stages]]\nlink = \"exp(z)\"\n" +
                        "[[stages]]\nvariables = [{ name = \"y\", law = \"student_t\", degrees = 4 }]\n" + "link = \"y\"\n");
  CHECK(job.nested->normals(0) == 0);
  CHECK(contains(job.resolved, "[[stages]]\nvariables = []\nlink = \"exp(z)\"\n"));
  CHECK(contains(job.resolved, "{ name = \"y\", law = \"student_t\", degrees = 4.0, location = 0.0, scale = 1.0 }"));
  check_round_trip(job);
}

TEST_CASE("faults of stages name place, key, value, rule and the nearest spelling") {
  CHECK(message_of(head + expressions) ==
        "job.toml:1:1: making a nested problem from expressions: stages must hold at least one stage. give one stage per depth, the outermost first.");
  check_message(head + named + stages, "job.toml:6:3: reading the nested problem of kind named: stages does not go with nested.kind = \"named\".");
  check_message(head + expressions + "[[stages]]\nlnik = \"1\"\n",
                "job.toml:6:1: reading the stages of the nested problem: stages[0].lnik is not a key here. did you mean \"link\"?");
  check_message(head + expressions + "[[stages]]\nvariables = []\n", "stages[0].link is required and missing");
  check_message(head + expressions + "[[stages]]\nlink = 1\n", "job.toml:6:8: reading the stages of the nested problem: stages[0].link = 1 must be a text");
  check_message(stage("1"), "job.toml:6:13: reading the stages of the nested problem: stages[0].variables = 1 must be a list of tables");
  check_message(stage("[1]"), "job.toml:6:14: reading the variables of a stage: stages[0].variables[0] = 1 must be a table");
  check_message(stage("[{ name = \"x\", law = \"norml\" }]"),
                "job.toml:6:34: reading the variables of a stage: stages[0].variables[0].law = \"norml\" must be one of");
  check_message(stage("[{ name = \"x\", law = \"norml\" }]"), "did you mean \"normal\"?");
  check_message(stage("[{ law = \"normal\" }]"), "stages[0].variables[0].name is required and missing");
  check_message(stage("[{ name = \"x y\", law = \"normal\", mean = 0, std_dev = 1 }]"), "stages[0].variables[0].name = \"x y\" must be made of letters");
  check_message(stage("[{ name = \"x\", law = \"normal\", mean = 0, sdt_dev = 1 }]"),
                "job.toml:6:54: reading variable \"x\" with law normal: stages[0].variables[0].sdt_dev is not a key here. did you mean \"std_dev\"?");
  check_message(stage("[{ name = \"x\", law = \"normal\", std_dev = 1 }]"), "stages[0].variables[0].mean is required and missing");
  check_message(stage("[{ name = \"x\", law = \"normal\", mean = 0, std_dev = -1 }]"),
                "job.toml:6:64: reading variable \"x\" with law normal: stages[0].variables[0].std_dev = -1 must be greater than 0");
  check_message(stage("[{ name = \"x\", law = \"normal\", mean = 0, std_dev = true }]"), "std_dev = true must be a number");
  check_message(stage("[{ name = \"x\", law = \"normal\", mean = 0, std_dev = \"1 - 3\" }]"), "job.toml:6:64: ");
  check_message(stage("[{ name = \"x\", law = \"normal\", mean = 0, std_dev = \"yy\" }]"),
                "job.toml:6:64: reading the expression of \"std_dev\" of \"x\": stages[0].variables[0].std_dev = \"yy\" unknown name \"yy\"");
  check_message(stage("[{ name = \"x\", law = \"normal\", mean = 0 }]"), "job.toml:6:14: ");
  check_message(stage("[{ name = \"x\", law = \"normal\", mean = 0, std_dev = 1 }, { name = \"y\", law = \"exponential\", rate = \"x - 3\" }]"),
                "job.toml:6:111: drawing y at the path x = 0.3: stages[0].variables[1].rate = -2.7 must be greater than 0");
  check_message(stage("[]", "1 + "), "job.toml:7:8: reading the expression of \"stages[0].link\": stages[0].link = \"1 + \" at character 5");
  check_message(stage("[]", "z"),
                "job.toml:7:8: making a nested problem from expressions: stages[0].link = \"z\" uses z, but the last stage has no inner value");
  check_message(head + expressions + "stages = 1\n", "job.toml:5:1: reading the nested problem of kind expressions: nested.stages is not a key here");
}

TEST_CASE("a nested problem is a shared library next to the job") {
  const std::filesystem::path file = BUFFON_TEST_PLUGIN;
  const std::string plugin = "[nested]\nkind = \"plugin\"\nlibrary = \"" + file.filename().string() + "\"\nconfiguration = \"1\"\n";
  const auto parse_there = [](const std::string& text, const std::filesystem::path& folder) {
    return parse_job(text, "job.toml", folder, {}, probe_methods());
  };
  const Job job = parse_there(head + plugin, file.parent_path());
  CHECK(job.nested->names(2) == std::vector<std::string>{"y2"});
  CHECK(contains(job.resolved, "library = \"" + file.string() + "\"\nconfiguration = \"1\"\n"));
  check_round_trip(job);
  // Another folder is the same job, another configuration is not.
  const std::filesystem::path up = file.parent_path().parent_path();
  CHECK(parse_there(head + "[nested]\nkind = \"plugin\"\nlibrary = \"" + file.lexically_relative(up).string() + "\"\nconfiguration = \"1\"\n", up).digest ==
        job.digest);
  CHECK(parse_there(head + "[nested]\nkind = \"plugin\"\nlibrary = \"" + file.string() + "\"\n", up).digest != job.digest);
  check_message(head + "[nested]\nkind = \"plugin\"\n", "job.toml:3:1: reading the nested problem of kind plugin: nested.library is required and missing");
  check_message(head + "[nested]\nkind = \"plugin\"\nlibrary = \"no.so\"\n", "job.toml:5:11: loading a nested problem: nested.library = \"");
  check_message(head + "[nested]\nkind = \"plugin\"\nlibrary = \"no.so\"\n", "no.so\" does not exist.");
  check_message(head + "[nested]\nkind = \"plugin\"\nlibrary = \"" + file.string() + "\"\nconfiguration = \"x\"\n",
                "job.toml:6:17: loading a nested problem: nested.configuration = \"x\" is refused by the library: expected the mean of y0");
}

TEST_CASE("named, written as expressions or in a library, one problem has one value") {
  const auto value_of = [](const std::string& nested_sections) {
    const Job job = parse_job("method = \"read\"\nseed = 3\n" + nested_sections + "[options]\nmax_copies = 20000\n", "job.toml", ".", {}, estimator_methods());
    const auto method = job.make();
    Context context(2);
    while (!method->finished()) method->step(context);
    return method->outcome().find("value")->estimate;
  };
  const Estimate first = value_of(expressions + stages);
  const Estimate plugin = value_of("[nested]\nkind = \"plugin\"\nlibrary = \"" BUFFON_TEST_PLUGIN "\"\n");
  CHECK(first.value == plugin.value);
  CHECK(first.std_error == plugin.std_error);
  CHECK(value_of(named).value == doctest::Approx(first.value).scale(0).epsilon(1e-12));  // its sine differs by two ulp
  CHECK(std::abs(first.value - std::exp(-0.5)) < 4.9 * first.std_error);                 // level 1e-6
}

TEST_CASE("the jobs of the guide to nested problems are valid") {
  std::ifstream file(std::filesystem::path(BUFFON_SOURCE_DIR) / "docs" / "guide" / "nested_problems.md");
  const std::string page(std::istreambuf_iterator<char>(file), {});
  std::size_t jobs = 0;
  for (std::size_t at = page.find("```toml\n"); at != std::string::npos; at = page.find("```toml\n", at + 1)) {
    const std::string text = page.substr(at + 8, page.find("```\n", at + 8) - at - 8);
    if (!contains(text, "method")) continue;
    CHECK(parse_job(text, "nested_problems.md", ".", {}, estimator_methods()).nested != nullptr);
    ++jobs;
  }
  CHECK(jobs == 2);
  for (const auto& problem : named_nested_problems()) CHECK(contains(page, "`" + problem.name + "`"));
}
