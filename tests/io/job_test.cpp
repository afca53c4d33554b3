// SPDX-License-Identifier: BSD-3-Clause
#include <cmath>
#include <filesystem>
#include <fstream>

#include <buffon/model/model_kind.hpp>

#include "support_job.hpp"

using namespace buffon;
using namespace buffon::test;

namespace {

const std::string head = "method = \"probe\"\nseed = 7\n";
const std::string model = "[model]\nkind = \"expression\"\noutputs = [\"y = a + b\", \"z = a * b\"]\n";
const std::string inputs =
    "[[inputs]]\nname = \"a\"\nlaw = \"normal\"\nmean = 1\nstd_dev = 0.5\n[[inputs]]\nname = \"b\"\nlaw = \"lognormal\"\nmean = 2.0\ncov = 0.1\n";
const std::string base = head + model + inputs;

Eigen::VectorXd values_at(const Job& job, double a, double b) {
  Context context(1);
  Eigen::MatrixXd x(2, 1);
  x << a, b;
  Eigen::MatrixXd values(static_cast<Index>(job.problem.quantities().size()), 1);
  job.problem.evaluate(context, x, values);
  return values.col(0);
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("a job is read with its defaults") {
  const Job job = parse(base);
  CHECK(job.method == "probe");
  CHECK(job.seed == 7);
  CHECK(job.run.threads == 0);
  CHECK(job.run.report);
  REQUIRE(job.problem.quantities().size() == 2);
  CHECK(job.problem.quantities()[1].name == "z");
  CHECK(job.problem.scenarios().size() == 1);
  CHECK(job.problem.scenarios()[0].law.inputs()[1].law.mean() == doctest::Approx(2.0));
  CHECK(values_at(job, 2, 3) == Eigen::Vector2d(5, 6));
  CHECK(options_of(job).count == 10);
}

TEST_CASE("options of every type are read") {
  const Job job = parse(base +
                        "[options]\nflag = true\ncount = 1e6\nlevel = 0.25\nword = \"w\"\ntarget = 3\nnumbers = [1, 2.5]\nsteps = [1, 2e3]\n"
                        "words = [\"slow\"]\ngroups = [[\"a\"], [\"a\", \"b\"]]\nmode = \"slow\"\n");
  const ProbeOptions o = options_of(job);
  CHECK(o.flag);
  CHECK(o.count == 1000000);
  CHECK(o.level == 0.25);
  CHECK(o.word == "w");
  CHECK(o.target.value() == 3);
  CHECK(o.numbers == std::vector<double>{1, 2.5});
  CHECK(o.steps == std::vector<std::int64_t>{1, 2000});
  CHECK(o.words == std::vector<std::string>{"slow"});
  CHECK(o.groups == std::vector<std::vector<std::string>>{{"a"}, {"a", "b"}});
  CHECK(o.mode == ProbeMode::slow);
}

TEST_CASE("a method object is made anew, the same every time") {
  const Job job = parse(base, {"options.count=77"});
  CHECK(job.make().get() != job.make().get());
  CHECK(options_of(job).count == 77);
  CHECK(options_of(job).count == 77);
}

TEST_CASE("JSON with the same keys gives the same job") {
  const std::string json = R"({"method": "probe", "seed": 7,
    "model": {"kind": "expression", "outputs": ["y = a + b", "z = a * b"]},
    "inputs": [{"name": "a", "law": "normal", "mean": 1, "std_dev": 0.5}, {"name": "b", "law": "lognormal", "mean": 2.0, "cov": 0.1}]})";
  const Job from_json = parse(json, {}, "job.json");
  const Job from_toml = parse(base);
  CHECK(from_json.resolved == from_toml.resolved);
  CHECK(from_json.digest == from_toml.digest);
}

TEST_CASE("JSON faults name line and column of the value") {
  CHECK(contains(message_of("{\"method\": \"probe\", \"seed\": 7,\n  \"model\": {\"kind\": \"expresion\"}}", {}, "job.json"), "job.json:2:21: "));
  CHECK(contains(message_of("{\"method\": \"probe\",\n \"seed\":\n -7}", {}, "job.json"), "job.json:3:2: "));
  CHECK(contains(message_of("{\"seed\": 1,\n \"seed\": 2}", {}, "job.json"), "job.json:2:2: reading the configuration as JSON: seed is given twice"));
  CHECK(contains(message_of("{\"seed\": 1,\n x}", {}, "job.json"), "job.json:2:2: "));
  CHECK(contains(message_of("[1]", {}, "job.json"), "must be an object"));
}

TEST_CASE("quantities are outputs, expressions and events") {
  const Job job = parse(base +
                        "[[quantities]]\nname = \"sum2\"\nvalue = \"y^2 + a\"\n[[quantities]]\nname = \"p\"\nevent = \"z - 5\"\n"
                        "[[quantities]]\nname = \"plain\"\nvalue = \"z\"\n");
  CHECK(values_at(job, 2, 3) == Eigen::Vector3d(27, 1, 6));
  CHECK(job.problem.quantities()[1].event);
  const Job selected = parse(base + "[[quantities]]\nname = \"only\"\nvalue = \"z\"\n");
  CHECK(values_at(selected, 2, 3)(0) == 6);
}

TEST_CASE("scenarios override parameters and keep the rest") {
  const Job job = parse(
      base +
      "[[scenarios]]\nname = \"nominal\"\n[[scenarios]]\nname = \"shifted\"\ninputs = { a = { mean = 4.0 }, b = { law = \"uniform\", min = 0, max = 1 } }\n");
  REQUIRE(job.problem.scenarios().size() == 2);
  const JointLaw& law = job.problem.scenarios()[1].law;
  CHECK(law.inputs()[0].law.describe() == "normal(mean = 4, std_dev = 0.5)");
  CHECK(law.inputs()[1].law.mean() == doctest::Approx(0.5));
  CHECK(job.problem.scenarios()[0].law.inputs()[0].law.mean() == 1);
}

TEST_CASE("correlations fill the matrix of the copula") {
  const Job job = parse(base + "[[correlations]]\nbetween = [\"b\", \"a\"]\nvalue = -0.3\n");
  CHECK(job.problem.scenarios()[0].law.correlation()(0, 1) == -0.3);
  CHECK(job.problem.scenarios()[0].law.correlation()(1, 0) == -0.3);
}

TEST_CASE("overrides change single values, by number and by name, and add keys") {
  const Job job = parse(base, {"seed=9", "inputs.0.mean=5", "inputs.b.cov=0.2", "options.word=hello world", "options.numbers=[3]", "run.threads=2"});
  CHECK(job.seed == 9);
  CHECK(job.problem.scenarios()[0].law.inputs()[0].law.mean() == 5);
  CHECK(job.problem.scenarios()[0].law.inputs()[1].law.describe() == "lognormal(mean = 2, cov = 0.2)");
  CHECK(options_of(job).word == "hello world");
  CHECK(options_of(job).numbers == std::vector<double>{3});
  CHECK(job.run.threads == 2);
}

TEST_CASE("faults of overrides name the flag") {
  CHECK(message_of(base, {"options.count=0"}) ==
        "--set \"options.count=0\": reading the options of probe: options.count = 0 must be in [1, 1e+09]. its unit is points.");
  CHECK(contains(message_of(base, {"options.cuont=1"}),
                 "--set \"options.cuont=1\": reading the options of probe: options.cuont is not a key here. did you mean \"count\"?"));
  CHECK(contains(message_of(base, {"seed"}), "has no \"=\""));
  CHECK(contains(message_of(base, {"inputs.c.mean=1"}), "has no element named \"c\""));
  CHECK(contains(message_of(base, {"inputs.7.mean=1"}), "has 2 elements"));
  CHECK(contains(message_of(base, {"seed.x=1"}), "seed is 7 and has no keys"));
  CHECK(contains(message_of(base, {"options.numbers=[1"}), "--set \"options.numbers=[1\": "));
  CHECK(contains(message_of(head + "[model]\nkind = \"named\"\nname = \"cantilever\"\n", {"inputs.F_X.mean=1"}), "inputs has no elements in the file"));
  CHECK(contains(message_of(base, {"options..x=1"}), "has an empty key"));
  CHECK(contains(message_of(base, {"options.word=\"a\"\nseed=3"}), "must give one value"));
}

TEST_CASE("each fault ends in one message with place, key, value and rule") {
  CHECK(message_of("seed = 1\nmethdo = \"probe\"\n" + model + inputs) ==
        "job.toml:2:1: reading the configuration: methdo is not a key here. did you mean \"method\"? the keys here are: method, seed, title, model, inputs, "
        "correlations, density, parameters, start, quantities, scenarios, nested, stages, data, denoiser, schedule, derived, options, run.");
  CHECK(message_of("method = \"prob\"\nseed = 1\n" + model + inputs) ==
        "job.toml:1:10: reading the configuration: method = \"prob\" must be one of probe, other_probe, nested_probe, target_probe, data_probe. did you mean "
        "\"probe\"?");
  CHECK(contains(message_of("method = \"probe\"\n" + model + inputs), "job.toml:1:1: reading the configuration: seed is required and missing"));
  CHECK(contains(message_of("method = \"probe\"\nseed = -1\n" + model + inputs), "job.toml:2:8: reading the configuration: seed = -1 must be at least 0"));
  CHECK(contains(message_of(head + "title = 3\n" + model + inputs), "title = 3 must be a text"));
  CHECK(contains(message_of(head + inputs), "model is required and missing"));
  CHECK(contains(message_of(head + model), "inputs is required and missing"));
  CHECK(contains(message_of("seed = 1\nseed = 2\n"), "job.toml:2:"));
  CHECK(contains(message_of(base + "[options]\ncount = \"5\"\n"), "options.count = \"5\" must be a whole number. write it without quotes"));
  CHECK(contains(message_of(base + "[options]\ncount = 1.5\n"), "options.count = 1.5 must be a whole number"));
  CHECK(contains(message_of(base + "[options]\nlevel = nan\n"), "options.level = nan must not be NaN"));
  CHECK(contains(message_of(base + "[options]\ntarget = inf\n"), "options.target = inf must be finite"));
  CHECK(contains(message_of(base + "[options]\nnumbers = [1, -2]\n"),
                 "job.toml:17:15: reading the options of probe: options.numbers[1] = -2 must be at least 0"));
  CHECK(contains(message_of(base + "[options]\nnumbers = []\n"), "must have at least 1 element"));
  CHECK(contains(message_of(base + "[options]\nnumbers = 3\n"), "options.numbers = 3 must be a list. write [3]"));
  CHECK(contains(message_of(base + "[options]\nsteps = [1e18]\n"),
                 "options.steps[0] = 1e+18 must be a whole number of at most 9007199254740992 in this notation. write a larger one with all its digits"));
  CHECK(contains(message_of(base + "[[options]]\ncount = 3\n"), "must be a section"));
  CHECK(contains(message_of(base + "[options]\ncount = 2020-01-01\n"), "options.count = 2020-01-01 must be a whole number"));
}

TEST_CASE("a fault in an output is told at its place in the list") {
  const auto outputs = [](const std::string& list) {
    return message_of("method = \"probe\"\nseed = 1\n[model]\nkind = \"expression\"\noutputs = " + list + "\n" + inputs);
  };
  CHECK(contains(outputs("[\"y = a\", \"z = aa\"]"), "job.toml:5:21: "));
  CHECK(contains(outputs("[\"y = a\", \"z = aa\"]"), "model.outputs[1] = \"aa\""));
  CHECK(contains(outputs("[\"y = a\",\n  \"z = a +\"]"), "job.toml:6:3: "));
  CHECK(contains(outputs("[\"y = a\", \"z = b\", \"y = b\"]"), "model.outputs[2] = \"y\" is named twice"));
  CHECK(contains(outputs("[\"y = a\", \"z\"]"), "job.toml:5:21: "));
  CHECK(contains(message_of("method = \"probe\"\nseed = 1\n[model]\nkind = \"process\"\ncommand = \"python3 proc.py ok\"\noutputs = [\"y\"]\n" + inputs),
                 "must be a list. write [\"python3\", \"proc.py\", \"ok\"]"));
}

TEST_CASE("faults found by a constructor get the place of their key") {
  CHECK(message_of(base + "[options]\ngroups = [[\"a\"], [\"c\"]]\n") == "job.toml:17:18: starting probe: options.groups[1] = c is not an input.");
  CHECK(contains(message_of(head + model + "[[inputs]]\nname = \"a\"\nlaw = \"uniform\"\nmin = 3\nmax = 2\n"), "job.toml:"));
  CHECK(contains(message_of(head + model + "[[inputs]]\nname = \"a\"\nlaw = \"uniform\"\nmin = 3\nmax = 2\n"), "inputs[0].m"));
}

TEST_CASE("faults of inputs, correlations, quantities, scenarios and derived quantities") {
  CHECK(contains(message_of(base + "[[inputs]]\nname = \"a\"\nlaw = \"normal\"\nmean = 1\nstd_dev = 1\n"),
                 "inputs[2].name = \"a\" is already the name of another input"));
  CHECK(contains(message_of(base + "[[inputs]]\nname = \"2a\"\nlaw = \"normal\"\nmean = 1\nstd_dev = 1\n"), "must be made of letters"));
  CHECK(contains(message_of(base + "[[inputs]]\nname = \"c\"\nlaw = \"normla\"\n"), "did you mean \"normal\"?"));
  CHECK(contains(message_of(base + "[[inputs]]\nname = \"c\"\nlwa = \"normal\"\n"), "did you mean \"law\"?"));
  CHECK(contains(message_of(base + "[[inputs]]\nname = \"c\"\nlaw = \"normal\"\nmaen = 1\n"),
                 "reading input \"c\" with law normal: inputs[2].maen is not a key here. did you mean \"mean\"?"));
  const std::string pair = "[[correlations]]\nbetween = [\"a\", \"b\"]\nvalue = 0.5\n";
  CHECK(contains(message_of(base + pair + pair), "correlations[1].between = [\"a\", \"b\"] is given twice"));
  CHECK(contains(message_of(base + "[[correlations]]\nbetween = [\"a\", \"a\"]\nvalue = 0.5\n"), "must be two different inputs"));
  CHECK(contains(message_of(base + "[[correlations]]\nbetween = [\"a\", \"q\"]\nvalue = 0.5\n"), "correlations[0].between[1] = \"q\" is not an input"));
  CHECK(contains(message_of(base + "[[correlations]]\nbetween = [\"a\", \"b\"]\nvalue = 1\n"), "must be in (-1, 1)"));
  CHECK(contains(message_of(base + "[[quantities]]\nname = \"q\"\n"), "has neither value nor event"));
  CHECK(contains(message_of(base + "[[quantities]]\nname = \"q\"\nvalue = \"y\"\nevent = \"y\"\n"), "has both value and event"));
  CHECK(contains(message_of(base + "[[quantities]]\nname = \"q\"\nvalue = \"y +\"\n"), "job.toml:18:9: "));
  CHECK(contains(message_of(base + "[[quantities]]\nname = \"q\"\nvalue = \"y +\"\n"), "quantities[0].value"));
  CHECK(contains(message_of(base + "[[scenarios]]\nname = \"s\"\ninputs = { q = { mean = 1 } }\n"), "scenarios[0].inputs.q is not a key here"));
  CHECK(contains(message_of(base + "[[scenarios]]\nname = \"s\"\ninputs = { a = { std_dev = -1 } }\n"),
                 "scenarios[0].inputs.a.std_dev = -1 must be greater than 0"));
  CHECK(contains(message_of(base + "[[scenarios]]\nname = \"s\"\n[[scenarios]]\nname = \"s\"\n"), "is already the name of another scenario"));
  CHECK(contains(message_of(base + "[[derived]]\nname = \"r\"\nvalue = \"y / q\"\n"), "derived[0].value"));
  CHECK(contains(message_of(base + "[[derived]]\nname = \"y\"\nvalue = \"y / z\"\n"), "is already the name of an estimate"));
}

TEST_CASE("names of outputs are checked like other names, since they become quantities") {
  CHECK(contains(message_of(head + inputs + "[model]\nkind = \"process\"\ncommand = [\"sh\"]\noutputs = [\"y\", \"tip 2\"]\n"),
                 "model.outputs = \"tip 2\" must be made of letters"));
}

TEST_CASE("derived quantities refer to estimates of scenarios with _ in place of @") {
  const Job job = parse(base + "[[scenarios]]\nname = \"s\"\n[[scenarios]]\nname = \"t\"\n[[derived]]\nname = \"ratio\"\nvalue = \"y_s / y_t\"\n");
  REQUIRE(job.derived.size() == 1);
  CHECK(job.derived[0].expression == "y_s / y_t");
}

TEST_CASE("a named problem brings its inputs, which scenarios and overrides of the resolved job can change") {
  const std::string named = head + "[model]\nkind = \"named\"\nname = \"cantilever\"\n";
  const Job job = parse(named);
  REQUIRE(job.problem.dimension() > 0);
  CHECK(contains(job.resolved, "[[inputs]]"));
  const std::string first = job.problem.scenarios()[0].law.names()[0];
  const Job again = parse(job.resolved);
  for (std::size_t i = 0; i < static_cast<std::size_t>(job.problem.dimension()); ++i) {
    CHECK(again.problem.scenarios()[0].law.inputs()[i].law.describe() == job.problem.scenarios()[0].law.inputs()[i].law.describe());
  }
  const Job scenario = parse(named + "[[scenarios]]\nname = \"s\"\ninputs = { " + first + " = { mean = 500.0 } }\n");
  CHECK(scenario.problem.scenarios()[0].law.inputs()[0].law.mean() == doctest::Approx(500));
  CHECK(contains(message_of(named + inputs), "must be the inputs of cantilever in their order"));
  CHECK(contains(message_of(head + "[model]\nkind = \"named\"\nname = \"cantilevr\"\n"), "did you mean \"cantilever\"?"));
}

TEST_CASE("every named problem is resolved with inputs that give the same law") {
  for (const auto& problem : named_problems()) {
    CAPTURE(problem.name);
    const Job job = parse(head + "[model]\nkind = \"named\"\nname = \"" + problem.name + "\"\n");
    const Job again = parse(job.resolved);
    CHECK(again.resolved == job.resolved);
    CHECK(again.digest == job.digest);
    const JointLaw law = problem.law();
    for (std::size_t i = 0; i < law.inputs().size(); ++i) CHECK(again.problem.scenarios()[0].law.inputs()[i].law.describe() == law.inputs()[i].law.describe());
  }
}

TEST_CASE("the resolved configuration reads back to itself") {
  const std::string full =
      base +
      "[[correlations]]\nbetween = [\"b\", \"a\"]\nvalue = 0.25\n"
      "[[quantities]]\nname = \"q\"\nvalue = \"y^2\"\n[[quantities]]\nname = \"p\"\nevent = \"z - 1\"\n"
      "[[scenarios]]\nname = \"s\"\n[[scenarios]]\nname = \"t\"\ninputs = { a = { mean = 3 }, b = { law = \"uniform\", min = 1, max = 2 } }\n"
      "[[derived]]\nname = \"ratio\"\nvalue = \"q_s / q_t\"\n"
      "[options]\ntarget = 0.1\nword = \"tab\\tquote\\\" é\"\n[run]\nthreads = 3\n";
  const Job job = parse(full);
  const Job again = parse(job.resolved, {}, "config.resolved.toml");
  CHECK(again.resolved == job.resolved);
  CHECK(again.digest == job.digest);
  CHECK(options_of(again).target.value() == 0.1);
  CHECK(contains(job.resolved, "max_seconds = 0.0"));
  CHECK(contains(job.resolved, "level = 0.5"));
}

TEST_CASE("the digest depends on what determines the numbers and on nothing else") {
  const std::string digest = parse(base).digest;
  CHECK(digest.size() == 64);
  CHECK(parse(base, {"run.threads=3", "run.max_seconds=5", "title=other", "model.journal=true"}).digest == digest);
  CHECK(parse("# a comment\n" + base).digest == digest);
  CHECK(parse(base, {"options.count=10"}).digest == digest);
  for (const auto* change : {"seed=8", "options.count=11", "inputs.a.mean=1.0000000000000002", "model.on_failure=retry", "method=other_probe"}) {
    CAPTURE(change);
    CHECK(parse(base, {change}).digest != digest);
  }
}

TEST_CASE("hostile texts end in an error") {
  std::string deep = "a";
  for (int i = 0; i < 100000; ++i) deep += ".a";
  CHECK(contains(message_of(deep + " = 1\n"), "must not nest deeper"));
  CHECK(contains(message_of("a = " + std::string(100000, '[')), "must not nest deeper"));
  CHECK(contains(message_of(std::string(100000, '['), {}, "job.json"), "must not nest deeper"));
  CHECK(contains(message_of(std::string(2000000, '#')), "must be at most"));
  std::string wide;
  for (int i = 0; i < 5000; ++i) wide += "k" + std::to_string(i) + " = 1\n";
  CHECK(contains(message_of(wide), "more than 4096 keys"));
  CHECK(contains(message_of("a = \"\xff\""), "job.toml:"));
  CHECK(message_of(std::string(300, 'k') + " = 1\n").size() < 400);
}

TEST_CASE("a missing file is an error of its own category") {
  try {
    read_job("no/such/job.toml", {}, probe_methods());
    FAIL("no error");
  } catch (const Error& error) {
    CHECK(error.category() == ErrorCategory::no_input);
    CHECK(contains(error.what(), "no/such/job.toml: reading the configuration: does not exist"));
  }
}

TEST_CASE("reading a job with a process model starts no process") {
  const auto folder = std::filesystem::temp_directory_path() / "buffon_config_spawns_nothing";
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  const Job job =
      parse(head + inputs + "[model]\nkind = \"process\"\ncommand = [\"touch\", \"started\"]\noutputs = [\"y\"]\ndirectory = \"" + folder.string() + "\"\n");
  job.make();
  CHECK_FALSE(std::filesystem::exists(folder / "started"));
  CHECK(contains(job.resolved, "journal = true"));
  CHECK(contains(job.resolved, "directory = \"" + folder.string() + "\""));
  std::filesystem::remove_all(folder);
}
