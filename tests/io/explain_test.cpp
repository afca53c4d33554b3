// SPDX-License-Identifier: BSD-3-Clause
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

#include <buffon/io/explain.hpp>
#include <buffon/io/option_list.hpp>

#include "../support/all_methods.hpp"
#include "support_job.hpp"

using namespace buffon;

namespace {

std::string contents(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

/// Text between two markers, without them.
std::string between_markers(const std::string& text, const std::string& begin, const std::string& end) {
  const std::size_t from = text.find(begin);
  const std::size_t to = text.find(end);
  if (from == std::string::npos || to == std::string::npos) return "no markers";
  std::string part = text.substr(from + begin.size(), to - from - begin.size());
  part.erase(0, part.find_first_not_of('\n'));
  return part.substr(0, part.find_last_not_of('\n') + 1) + "\n";
}

}  // namespace

TEST_CASE("an option is explained with type, default, rule, unit and meaning") {
  const std::string text = explain_method(test::probe_methods().front());
  CHECK(contains(text, "probe: Probe\n"));
  CHECK(contains(text, "  count    whole number             default: 10\n      a count [in [1, 1e+09], unit points]\n"));
  CHECK(contains(text, "  target   number, may be left out  default: none\n"));
  CHECK(contains(text, "numbers [at least 0, at least 1 element, at most 3 elements]"));
  CHECK(contains(text, "a mode [one of fast, slow]"));
}

TEST_CASE("every name and every key can be explained, unknown ones suggest the nearest") {
  const auto& methods = testing::all_methods();
  for (const auto& entry : methods) {
    CHECK(contains(explain(entry.name, methods), entry.title));
    for (const auto& option : list_options(entry.describe)) {
      CAPTURE(option.name);
      CHECK(contains(explain(entry.name + "." + option.name, methods), option.name));
      CHECK(contains(explain("options." + option.name, methods), entry.name + "." + option.name));
    }
  }
  for (const auto& family : marginal_families()) CHECK(contains(explain(family.name, methods), family.name));
  for (const auto& problem : named_problems()) CHECK(contains(explain(problem.name, methods), "Outputs:"));
  CHECK(contains(explain("run.threads", methods), "worker threads"));
  CHECK(contains(explain("job", methods), "[[correlations]]"));
  CHECK(contains(list_text("", methods), "lognormal"));
  CHECK(contains(list_text("laws", methods), "lognormal"));
  CHECK_FALSE(contains(list_text("methods", methods), "lognormal"));
  try {
    explain("lognormall", methods);
    FAIL("no error");
  } catch (const Error& error) {
    CHECK(error.category() == ErrorCategory::usage);
    CHECK(contains(error.what(), "did you mean \"lognormal\"?"));
  }
  CHECK_THROWS_AS(list_text("methdos", methods), Error);
}

TEST_CASE("a Markdown table has a row for every option") {
  const std::string table = method_markdown_table(test::probe_methods().front());
  CHECK(contains(table, "| `count` | whole number | `10` | in [1, 1e+09], unit points | a count |\n"));
  CHECK(std::count(table.begin(), table.end(), '\n') == 12);
}

TEST_CASE("the committed JSON schema is the generated one") {
  const std::string generated = job_schema(testing::all_methods());
  const auto file = std::filesystem::path(BUFFON_SOURCE_DIR) / "data" / "schema" / "job.schema.json";
  const bool current = contents(file) == generated;
  CHECK_MESSAGE(current, "regenerate with: cmake --build BUILD --target update_generated");
}

TEST_CASE("the pages of methods hold the generated option tables") {
  for (const auto& entry : testing::all_methods()) {
    const auto page = std::filesystem::path(BUFFON_SOURCE_DIR) / "docs" / "methods" / (entry.name + ".md");
    if (!std::filesystem::exists(page)) continue;
    CAPTURE(page.string());
    CHECK_MESSAGE(between_markers(contents(page), "<!-- options:begin -->", "<!-- options:end -->") == method_markdown_table(entry),
                  "regenerate with: cmake --build BUILD --target update_generated");
  }
}

TEST_CASE("the guide of configurations holds the generated tables of the sections") {
  const std::string page = contents(std::filesystem::path(BUFFON_SOURCE_DIR) / "docs" / "guide" / "configuration.md");
  for (const auto* section : {"model", "inputs", "correlations", "quantities", "nested", "stages", "density", "parameters", "start", "derived", "run"}) {
    CAPTURE(section);
    const std::string name(section);
    CHECK(between_markers(page, "<!-- " + name + ":begin -->", "<!-- " + name + ":end -->") == section_markdown_table(section));
  }
  CHECK(between_markers(page, "<!-- top:begin -->", "<!-- top:end -->") == section_markdown_table(""));
}

TEST_CASE("the example of the guide is a valid job") {
  const std::string page = contents(std::filesystem::path(BUFFON_SOURCE_DIR) / "docs" / "guide" / "configuration.md");
  const Job job = parse_job(between_markers(page, "```toml", "```\n\n`buffon"), "configuration.md", ".", {}, testing::all_methods());
  CHECK(job.problem.quantities().front().name == "mean_tip");
}
