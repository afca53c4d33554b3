// SPDX-License-Identifier: BSD-3-Clause
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>

#include <buffon/io/draws.hpp>
#include <buffon/io/explain.hpp>
#include <buffon/model/target_kind.hpp>

#include "../support/all_methods.hpp"
#include "support_job.hpp"

using namespace buffon;
using namespace buffon::test;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
const std::string head = "method = \"target_probe\"\nseed = 7\n";
const std::string named = "[density]\nkind = \"named\"\nname = \"gaussian\"\n";
const std::string formula = "[density]\nkind = \"expression\"\nlog_density = \"-0.5 * x^2 - s + log(p_1)\"\n";
const std::string x = "[[parameters]]\nname = \"x\"\n";
const std::string s = "[[parameters]]\nname = \"s\"\nconstraint = \"lower\"\nlower = 0\n";
const std::string p = "[[parameters]]\nname = \"p\"\nsize = 3\nconstraint = \"simplex\"\n";

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

void check_message(const std::string& text, const std::string& said) {
  const std::string message = message_of(text);
  CAPTURE(message);
  CHECK(contains(message, said));
}

void check_round_trip(const Job& job) {
  const Job again = parse(job.resolved, {}, "config.resolved.toml");
  CHECK(again.resolved == job.resolved);
  CHECK(again.digest == job.digest);
}

std::string one(const std::string& parameter, const std::string& log_density = "0") {
  return head + "[density]\nkind = \"expression\"\nlog_density = \"" + log_density + "\"\n[[parameters]]\n" + parameter;
}

}  // namespace

TEST_CASE("a sampler reads a named density") {
  const Job job = parse(head + named + "dimension = 3\n[options]\ncount = 5\n");
  REQUIRE(job.target != nullptr);
  CHECK(job.problem.scenarios().empty());
  CHECK(job.nested == nullptr);
  CHECK(job.target->size() == 3);
  CHECK(&dynamic_cast<const TargetProbe&>(*job.make()).target() == job.target.get());
  CHECK(contains(job.resolved, "[density]\nkind = \"named\"\non_failure = \"stop\"\nname = \"gaussian\"\ndimension = 3\ndata = \"\"\n"));
  check_round_trip(job);
  CHECK(parse(head + named).digest != parse(head + named, {"density.name=funnel"}).digest);
}

TEST_CASE("a density is a formula of parameters under constraints") {
  const Job job = parse(head + formula + x + s + p);
  REQUIRE(job.target != nullptr);
  const Target& target = *job.target;
  CHECK(target.names() == std::vector<std::string>{"x", "s", "p.1", "p.2", "p.3"});
  CHECK(target.dimension() == 4);
  CHECK(target.parameters()[1].lower == 0);
  CHECK(target.parameters()[1].upper == infinity);
  CHECK(target.start().kind == StartPolicy::Kind::overdispersed);
  // x = 0.5, s = e^{−1}, p the centre: its Jacobian is that of y = 0 with z_1 = 1/3, z_2 = 1/2.
  const double jacobian = -1 + std::log(1.0 / 3 * 2 / 3) + std::log(2.0 / 3 * 0.5 * 0.5);
  const double expected = -0.125 - std::exp(-1.0) + std::log(1.0 / 3) + jacobian;
  CHECK(target.unconstrained()->at(Eigen::Vector4d(0.5, -1, 0, 0), {}) == doctest::Approx(expected).scale(0).epsilon(1e-14));
  CHECK(contains(job.resolved, "[[parameters]]\nname = \"s\"\nsize = 0\nconstraint = \"lower\"\nlower = 0.0\n"));
  CHECK(contains(job.resolved, "[start]\nkind = \"overdispersed\"\nradius = 2.0\nretries = 100\n"));
  check_round_trip(job);
  for (const auto* other : {"parameters.s.lower=1", "parameters.2.size=2", "density.log_density=-x^2+p_1+s", "start.radius=1"}) {
    CHECK(parse(head + formula + x + s + p, {other}).digest != job.digest);
  }
}

TEST_CASE("a formula says -inf outside the support") {
  const Job job = parse(one("name = \"x\"\n", "x > 0 ? -x : -inf"));
  Eigen::VectorXd point(1);
  point << 2;
  CHECK(job.target->unconstrained()->at(point, {}) == -2);
  point << -2;
  CHECK(job.target->unconstrained()->at(point, {}) == -infinity);
  Eigen::VectorXd values(2);
  job.target->unconstrained()->evaluate(Eigen::RowVector2d(3, -1), values, {});
  CHECK(values == Eigen::Vector2d(-3, -infinity));
}

TEST_CASE("starts are given points or drawn from laws") {
  const std::string density = head + formula + x + s + p;
  const Job given = parse(density + "[start]\nkind = \"given\"\npoints = [[0, 1, 0.25, 0.25, 0.5], [1.5, 2, 0.5, 0.25, 0.25]]\n");
  CHECK(given.target->start().kind == StartPolicy::Kind::given);
  REQUIRE(given.target->start().points.size() == 2);
  CHECK(given.target->start().points[1](0) == 1.5);
  CHECK(contains(given.resolved, "[start]\nkind = \"given\"\npoints = [[0.0, 1.0, 0.25, 0.25, 0.5], [1.5, 2.0, 0.5, 0.25, 0.25]]\n"));
  check_round_trip(given);

  const std::string laws =
      "[[start.laws]]\nname = \"s\"\nlaw = \"exponential\"\nrate = 1\n"
      "[[start.laws]]\nname = \"p.2\"\nlaw = \"uniform\"\nmin = 0\nmax = 0.1\n"
      "[[start.laws]]\nname = \"x\"\nlaw = \"normal\"\nmean = 3\nstd_dev = 1\n";
  const std::string rest =
      "[[start.laws]]\nname = \"p.1\"\nlaw = \"uniform\"\nmin = 0\nmax = 1\n"
      "[[start.laws]]\nname = \"p.3\"\nlaw = \"uniform\"\nmin = 0\nmax = 1\n";
  const Job drawn = parse(density + "[start]\nkind = \"law\"\nretries = 7\n" + laws + rest);
  CHECK(drawn.target->start().kind == StartPolicy::Kind::law);
  CHECK(drawn.target->start().retries == 7);
  CHECK(drawn.target->start().law.names() == drawn.target->names());
  CHECK(contains(drawn.target->start().law.inputs()[3].law.describe(), "max = 0.1"));
  check_round_trip(drawn);
  // One law for all components of a vector.
  const Job vector =
      parse(one("name = \"v\"\nsize = 2\n") + "[start]\nkind = \"law\"\n[[start.laws]]\nname = \"v\"\nlaw = \"normal\"\nmean = 0\nstd_dev = 1\n");
  CHECK(vector.target->start().law.names() == std::vector<std::string>{"v.1", "v.2"});
  check_round_trip(vector);

  check_message(density + "[start]\nkind = \"law\"\n" + laws, "start.laws has no law for p.1");
  check_message(density + "[start]\nkind = \"law\"\n" + laws + rest + laws, "start.laws[5].name = \"s\" has a law already, s");
  check_message(density + "[start]\nkind = \"law\"\n[[start.laws]]\nname = \"x1\"\nlaw = \"exponential\"\nrate = 1\n",
                "start.laws[0].name = \"x1\" is not a parameter. did you mean \"x\"?");
  check_message(density + "[start]\nkind = \"law\"\n[[start.laws]]\nname = \"x\"\nlaw = \"exponential\"\nrate = -1\n", "start.laws[0].rate = -1 must be");
  check_message(density + "[start]\nkind = \"law\"\n", "start.laws is required and missing");
}

TEST_CASE("faults of a start name place, key, value and rule") {
  const std::string density = one("name = \"x\"\n") + "[[parameters]]\nname = \"s\"\nconstraint = \"lower\"\nlower = 0\n";
  check_message(density + "[start]\nknid = \"given\"\n", "start.knid is not a key here. did you mean \"kind\"?");
  check_message(density + "[start]\nkind = \"givn\"\n", "start.kind = \"givn\" must be one of overdispersed, given, law. did you mean \"given\"?");
  check_message(density + "[start]\npoints = [[1, 1]]\n",
                "job.toml:13:1: reading where chains begin: start.points does not go with start.kind = \"overdispersed\"");
  check_message(density + "[start]\nkind = \"given\"\nradius = 1\npoints = [[1, 1]]\n", "start.radius does not go with start.kind = \"given\"");
  check_message(density + "[start]\nkind = \"given\"\n", "start.points is required and missing");
  check_message(density + "[start]\nkind = \"given\"\npoints = [1, 1]\n",
                "job.toml:14:11: reading where chains begin: start.points[0] = 1 must be a list of numbers");
  check_message(density + "[start]\nkind = \"given\"\npoints = [[1, 1], [1, \"a\"]]\n", "start.points[1][1] = \"a\" must be a finite number");
  check_message(density + "[start]\nkind = \"given\"\npoints = [[1, 1], [1, inf]]\n", "start.points[1][1] = inf must be a finite number");
  check_message(density + "[start]\nkind = \"given\"\npoints = [[1, 1], [1]]\n",
                "job.toml:14:19: making the target: start.points[1] = 1 numbers must have one number");
  check_message(density + "[start]\nkind = \"given\"\npoints = [[1, 1], [1, -2]]\n",
                "job.toml:14:19: making the target: start.points[1] = a point with s = -2 lies outside: s must be greater than 0");
  check_message(density + "[start]\nkind = \"given\"\npoints = []\n", "start.points = none must hold at least one point");
  check_message(density + "[start]\nradius = 0\n", "start.radius = 0 must be greater than 0");
}

TEST_CASE("quantities are columns stored with every draw") {
  const Job job =
      parse(head + formula + x + s + p + "[[quantities]]\nname = \"ratio\"\nvalue = \"p_2 / s\"\n[[quantities]]\nname = \"far\"\nevent = \"x - 3\"\n");
  CHECK(job.target->names() == std::vector<std::string>{"x", "s", "p.1", "p.2", "p.3", "ratio", "far"});
  Eigen::VectorXd stored(7);
  job.target->stored(Eigen::Vector4d(4, 0, 0, 0), stored, {});
  CHECK(stored(5) == doctest::Approx(1.0 / 3).scale(0).epsilon(1e-15));
  CHECK(stored(6) == 1);
  job.target->stored(Eigen::Vector4d(2, 0, 0, 0), stored, {});
  CHECK(stored(6) == 0);
  CHECK(contains(job.resolved, "[[quantities]]\nname = \"far\"\nevent = \"x - 3\"\n"));
  check_round_trip(job);
  const Job not_a_number = parse(one("name = \"x\"\n") + "[[quantities]]\nname = \"q\"\nevent = \"log(x)\"\n");
  Eigen::VectorXd pair(2);
  not_a_number.target->stored(Eigen::VectorXd::Constant(1, -1), pair, {});
  CHECK(std::isnan(pair(1)));

  const std::string density = one("name = \"x\"\n");
  check_message(density + "[[quantities]]\nname = \"q\"\n", "quantities[0] has neither value nor event");
  check_message(density + "[[quantities]]\nname = \"q\"\nvalue = \"x\"\nevent = \"x\"\n", "has both value and event");
  check_message(density + "[[quantities]]\nname = \"x\"\nvalue = \"x\"\n",
                "job.toml:9:8: reading the quantities: quantities[0].name = \"x\" is already the name");
  check_message(density + "[[quantities]]\nname = \"q__\"\nvalue = \"x\"\n", "no __ at the end");
  check_message(density + "[[quantities]]\nname = \"q\"\nvalue = \"y\"\n",
                "job.toml:10:9: reading the expression of \"q\": quantities[0].value = \"y\" unknown name");
}

TEST_CASE("faults of a density name place, key, value, rule and the nearest spelling") {
  CHECK(message_of(head) == "job.toml:1:1: reading the density: density is required and missing. add a section [density] with its kind.");
  check_message(head + "[density]\nkind = \"name\"\n",
                "job.toml:4:8: reading the density: density.kind = \"name\" must be one of named, expression, process, plugin, umbridge");
  check_message(head + "[density]\nkind = \"name\"\n", "did you mean \"named\"?");
  check_message(head + "[density]\nkind = \"named\"\nname = \"gausian\"\n", "did you mean \"gaussian\"?");
  check_message(head + "[density]\nkind = \"named\"\nnome = \"gaussian\"\n", "density.nome is not a key here. did you mean \"name\"?");
  check_message(head + "[density]\nkind = \"named\"\nname = \"gaussian\"\ndata = \"a.json\"\n",
                "job.toml:6:8: making the density gaussian: density.data = \"a.json\"");
  check_message(head + "[density]\nkind = \"named\"\nname = \"gaussian\"\non_failure = \"retry\"\n", "must be one of stop, reject");
  check_message(head + named + x, "job.toml:6:3: reading the density of kind named: parameters does not go with density.kind = \"named\", which has its own.");
  check_message(head + formula, "parameters is required and missing. add a [[parameters]] with its name for every parameter.");
  check_message(head + "[density]\nkind = \"expression\"\n" + x, "density.log_density is required and missing");
  check_message(one("name = \"x\"\n", "-y^2"),
                "job.toml:5:15: reading the expression of \"log_density\": density.log_density = \"-y^2\" at character 2: unknown name \"y\"");
  check_message(one("name = \"x\"\nsize = 2\n", "-x^2"), "unknown name \"x\". The names are x_1, x_2");
  check_message(one("name = \"x\"\nsize = 2\n", "-x.1^2"), "The names are x_1, x_2");
}

TEST_CASE("faults of parameters name place, key, value and rule") {
  check_message(one("nmae = \"x\"\n"), "parameters[0].nmae is not a key here. did you mean \"name\"?");
  check_message(one("size = 2\n"), "parameters[0].name is required and missing");
  check_message(one("name = \"2x\"\n"), "job.toml:7:8: reading the parameters of the density: parameters[0].name = \"2x\" must be made of letters");
  check_message(one("name = \"lp__\"\n"), "job.toml:7:8: making the target: parameters[0].name = \"lp__\" must consist of letters, digits and _");
  check_message(one("name = \"x\"\nconstraint = \"lowr\"\n"), "job.toml:8:14: ");
  check_message(one("name = \"x\"\nconstraint = \"lowr\"\n"), "did you mean \"lower\"?");
  check_message(one("name = \"x\"\nconstraint = \"lower\"\n"), "parameters[0].lower is required and missing under the constraint lower");
  check_message(one("name = \"x\"\nconstraint = \"interval\"\nlower = 1\n"), "parameters[0].upper is required and missing under the constraint interval");
  check_message(one("name = \"x\"\nlower = 1\n"), "job.toml:8:9: making the target: parameters[0].lower = 1 has no meaning under the constraint none");
  check_message(one("name = \"x\"\nconstraint = \"interval\"\nlower = 1\nupper = 0\n"),
                "job.toml:10:9: making the target: parameters[0].upper = 0 must be greater than lower = 1");
  check_message(one("name = \"x\"\nsize = 1\nconstraint = \"simplex\"\n"), "job.toml:8:8: making the target: parameters[0].size = 1 must be at least 2");
  check_message(one("name = \"x\"\nsize = 3\nconstraint = \"unit_vector\"\n[[parameters]]\nname = \"y\"\n"), "must be that of the only parameter");
  check_message(one("name = \"x\"\n[[parameters]]\nname = \"x\"\n"), "named twice");
  check_message(one("name = \"x\"\nsize = 2\n[[parameters]]\nname = \"x_1\"\n"), "\"x_1\" is named twice");
}

TEST_CASE("sections of other kinds of question are refused with what to give instead") {
  check_message(head + named + "[model]\nkind = \"named\"\nname = \"ishigami\"\n",
                "model does not go with method = \"target_probe\". it draws from a density: give it in [density] and [[parameters]].");
  for (const auto* section : {"[[inputs]]", "[[correlations]]", "[[scenarios]]", "[nested]", "[[stages]]"}) {
    check_message(head + named + section + "\nname = \"a\"\n", "does not go with method = \"target_probe\"");
  }
  for (const auto* section : {"[density]", "[[parameters]]", "[start]"}) {
    check_message("method = \"probe\"\nseed = 1\n" + std::string(section) + "\nname = \"a\"\n", "does not go with method = \"probe\"");
    check_message("method = \"nested_probe\"\nseed = 1\n" + std::string(section) + "\nname = \"a\"\n", "its question is a nested expectation");
  }
  check_message("method = \"nested_probe\"\nseed = 1\n[[quantities]]\nname = \"a\"\nvalue = \"1\"\n", "quantities does not go with method = \"nested_probe\"");
}

TEST_CASE("densities and their kinds are listed and explained") {
  const auto& methods = probe_methods();
  for (const auto& density : named_densities()) {
    CAPTURE(density.name);
    CHECK(contains(list_text("densities", methods), density.name));
    CHECK(contains(explain(density.name, methods), "in [density]"));
  }
  for (const auto& kind : target_kinds()) CHECK(contains(explain(kind.name, methods), "\" in [density]"));
  CHECK(contains(explain("density", methods), "on_failure"));
  CHECK(contains(explain("parameters.constraint", methods), "positive_ordered"));
  CHECK(contains(explain("start", methods), "points"));
  CHECK(contains(explain("density.log_density", methods), "expression.log_density"));
}

TEST_CASE("a density is a shared library next to the job, or a program") {
  const std::filesystem::path file = BUFFON_TEST_DENSITY;
  const std::string plugin = "[density]\nkind = \"plugin\"\nlibrary = \"" + file.filename().string() + "\"\nconfiguration = \"1 2 4\"\n";
  const auto parse_there = [](const std::string& text, const std::filesystem::path& folder) {
    return parse_job(text, "job.toml", folder, {}, probe_methods());
  };
  const Job job = parse_there(head + plugin + "[[quantities]]\nname = \"above\"\nevent = \"q90 - mu - 3\"\n", file.parent_path());
  CHECK(job.target->names() == std::vector<std::string>{"mu", "sigma", "q90", "above"});
  Eigen::VectorXd stored(4);
  job.target->stored(Eigen::Vector2d(0, 1), stored, {});
  CHECK(stored(3) == 1);
  CHECK(contains(job.resolved, "library = \"" + file.string() + "\"\nconfiguration = \"1 2 4\"\n"));
  check_round_trip(job);
  // Another folder is the same job, another configuration is not.
  const std::filesystem::path up = file.parent_path().parent_path();
  const Job plain = parse_there(head + plugin, file.parent_path());
  CHECK(
      parse_there(head + "[density]\nkind = \"plugin\"\nlibrary = \"" + file.lexically_relative(up).string() + "\"\nconfiguration = \"1 2 4\"\n", up).digest ==
      plain.digest);
  CHECK(parse_there(head + "[density]\nkind = \"plugin\"\nlibrary = \"" + file.string() + "\"\nconfiguration = \"1 2 5\"\n", up).digest != plain.digest);
  check_message(head + "[density]\nkind = \"plugin\"\nlibrary = \"no.so\"\n", "job.toml:5:11: loading a density: density.library = \"");
  check_message(head + "[density]\nkind = \"plugin\"\nlibrary = \"" + file.string() + "\"\nconfiguration = \"x\"\n",
                "job.toml:6:17: loading a density: density.configuration = \"x\" is refused by the library: expected at least two");

  const Job program = parse(head + "[density]\nkind = \"process\"\ncommand = [\"cat\"]\non_failure = \"reject\"\n" + x);
  CHECK(contains(program.resolved, "kind = \"process\"\non_failure = \"reject\"\ncommand = [\"cat\"]\n"));
  check_round_trip(program);
  check_message(head + "[density]\nkind = \"process\"\ncommand = [\"no-such-program\"]\n" + x,
                "job.toml:5:11: preparing the model process: density.command = \"no-such-program\" is not a program");
  check_message(head + "[density]\nkind = \"process\"\ncommand = [\"cat\"]\noutputs = [\"y\"]\n" + x, "density.outputs is not a key here");
}

TEST_CASE("data count by their content") {
  const auto folder = std::filesystem::temp_directory_path() / "buffon_target_job_test";
  std::filesystem::create_directories(folder / "other");
  const auto data_file = [&](const char* name, const char* text) { std::ofstream(folder / name) << text; };
  const char* data = "{\"N\": 3, \"kid_score\": [1, 2, 4], \"mom_iq\": [90, 100, 120]}";
  data_file("a.json", data);
  data_file("other/b.json", data);
  data_file("c.json", "{\"N\": 3, \"kid_score\": [1, 2, 5], \"mom_iq\": [90, 100, 120]}");
  const auto job = [&](const std::string& file) {
    return parse_job(head + "[density]\nkind = \"named\"\nname = \"kidiq\"\ndata = \"" + file + "\"\n", "job.toml", folder, {}, probe_methods());
  };
  CHECK(contains(job("a.json").resolved, "data = \"" + (folder / "a.json").string() + "\"\n"));
  check_round_trip(job("a.json"));
  CHECK(job("a.json").digest == job("other/b.json").digest);
  CHECK(job("a.json").digest != job("c.json").digest);
  std::filesystem::remove_all(folder);
}

TEST_CASE("netCDF refuses variables named as its dimensions") {
  const auto job = [](const std::string& name) {
    return parse("method = \"target_probe\"\nseed = 1\n[density]\nkind = \"expression\"\nlog_density = \"-" + name + "^2\"\n[[parameters]]\nname = \"" + name +
                 "\"\n[run]\ndraws = [\"netcdf\"]\n");
  };
  if (!can_write_draws("netcdf")) return;
  CHECK_NOTHROW(job("x"));
  try {
    job("draw");
    FAIL("accepted");
  } catch (const Error& error) {
    CHECK(contains(error.what(), "cannot hold a variable named draw"));
  }
}

TEST_CASE("the jobs of the guide to densities are valid, and the guide names every kind and constraint") {
  std::ifstream file(std::filesystem::path(BUFFON_SOURCE_DIR) / "docs" / "guide" / "densities.md");
  const std::string page(std::istreambuf_iterator<char>(file), {});
  std::size_t jobs = 0;
  for (std::size_t at = page.find("```toml\n"); at != std::string::npos; at = page.find("```toml\n", at + 1)) {
    const std::string text = page.substr(at + 8, page.find("```\n", at + 8) - at - 8);
    if (!contains(text, "method")) continue;
    CHECK(parse_job(text, "densities.md", ".", {}, testing::all_methods()).target != nullptr);
    ++jobs;
  }
  CHECK(jobs == 3);
  for (const auto& name : constraint_names()) CHECK(contains(page, "`" + std::string(name) + "`"));
  for (const auto& kind : target_kinds()) CHECK(contains(page, "kind = \"" + kind.name + "\""));
}
