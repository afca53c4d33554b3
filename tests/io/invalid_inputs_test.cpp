// SPDX-License-Identifier: BSD-3-Clause
// Invalid configurations generated from the descriptions: whatever a method, law, model kind or section describes is
// given values of the wrong type, beyond its range, beyond its sizes and under misspelled keys.
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <string>
#include <vector>

#include <buffon/io/data_file.hpp>
#include <buffon/io/option_list.hpp>
#include <buffon/model/denoiser_kind.hpp>
#include <buffon/model/marginal.hpp>
#include <buffon/model/model_kind.hpp>
#include <buffon/model/nested_kind.hpp>
#include <buffon/model/target_kind.hpp>

#include "../support/all_methods.hpp"
#include "support_job.hpp"

using namespace buffon;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

std::string text_of(double value) {
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  return to_text(value);
}

bool whole(OptionType type) { return type == OptionType::integer || type == OptionType::integer_list; }

/// A number that the range contains.
std::string valid_number(const ListedOption& option) {
  const Range& r = option.range;
  double value = 1;
  if (!r.contains(value)) value = std::isfinite(r.min) && std::isfinite(r.max) ? r.min + (r.max - r.min) / 2 : std::isfinite(r.min) ? r.min + 1 : r.max - 1;
  return text_of(whole(option.type) ? std::floor(value) : value);
}

std::string valid_word(const ListedOption& option) { return "\"" + (option.choices.empty() ? std::string("word") : option.choices.front()) + "\""; }

std::string list_of(const std::string& element, std::int64_t count) {
  std::string out = "[";
  for (std::int64_t i = 0; i < count; ++i) out += (i > 0 ? ", " : "") + element;
  return out + "]";
}

/// One element of a list option, or the value of a plain one.
std::string valid_element(const ListedOption& option) {
  switch (option.type) {
    case OptionType::boolean:
      return "true";
    case OptionType::integer:
    case OptionType::number:
    case OptionType::optional_number:
    case OptionType::number_list:
    case OptionType::integer_list:
      return valid_number(option);
    case OptionType::text:
    case OptionType::text_list:
      return valid_word(option);
    case OptionType::text_lists:
      return "[" + valid_word(option) + "]";
    case OptionType::number_rows:
      return "[" + valid_number(option) + "]";
    case OptionType::number_tables:
      return "[[" + valid_number(option) + "]]";
  }
  return {};
}

bool is_list(const ListedOption& option) { return option.type >= OptionType::number_list; }

std::string valid_value(const ListedOption& option) {
  return is_list(option) ? list_of(valid_element(option), std::max<std::int64_t>(1, option.size_min)) : valid_element(option);
}

/// Elements (or plain values) that break a rule.
std::vector<std::string> invalid_elements(const ListedOption& option) {
  std::vector<std::string> out = {"2020-01-01"};
  if (!option.json) out.push_back("{ x = 1 }");
  const auto number = [&] {
    out.insert(out.end(), {"\"1\"", "true", "nan"});
    const Range& r = option.range;
    if (std::isfinite(r.min)) {
      out.push_back(text_of(r.min - std::max(1.0, std::abs(r.min) / 2)));
      if (r.open_min) out.push_back(text_of(r.min));
    }
    if (std::isfinite(r.max)) {
      out.push_back(text_of(r.max + std::max(1.0, std::abs(r.max) / 2)));
      if (r.open_max) out.push_back(text_of(r.max));
    }
    if (option.default_text != "inf" && option.default_text != "-inf") out.insert(out.end(), {"inf", "-inf"});
    if (whole(option.type)) out.push_back("1.5");
  };
  switch (option.type) {
    case OptionType::boolean:
      out.insert(out.end(), {"1", "\"true\"", "[true]"});
      break;
    case OptionType::integer:
    case OptionType::number:
    case OptionType::optional_number:
    case OptionType::number_list:
    case OptionType::integer_list:
      number();
      break;
    case OptionType::text:
    case OptionType::text_list:
      out.insert(out.end(), {"1", "false"});
      if (!option.choices.empty()) out.push_back("\"" + option.choices.front() + "x\"");
      break;
    case OptionType::text_lists:
      out.insert(out.end(), {"1", "\"word\"", "[1]"});
      break;
    case OptionType::number_rows:
      out.insert(out.end(), {"1", "[\"word\"]", "[[1]]", "[nan]"});
      break;
    case OptionType::number_tables:
      out.insert(out.end(), {"1", "[1]", "[[\"word\"]]", "[[nan]]"});
      break;
  }
  return out;
}

std::vector<std::string> invalid_values(const ListedOption& option) {
  std::vector<std::string> out;
  for (const auto& element : invalid_elements(option)) out.push_back(is_list(option) ? list_of(element, std::max<std::int64_t>(1, option.size_min)) : element);
  if (is_list(option)) {
    out.push_back(valid_element(option).front() == '[' ? "\"word\"" : valid_element(option));
    if (option.size_min > 0) out.push_back(list_of(valid_element(option), option.size_min - 1));
    if (option.size_max < 1000) out.push_back(list_of(valid_element(option), option.size_max + 1));
  } else {
    out.push_back("[]");
  }
  return out;
}

/// The required options with valid values, but not `without`.
std::string required_lines(const std::vector<ListedOption>& options, const std::string& without) {
  std::string out;
  for (const auto& option : options) {
    if (option.required && option.name != without) out += option.name + " = " + valid_value(option) + "\n";
  }
  return out;
}

const std::vector<MethodEntry>& methods() { return testing::all_methods(); }

std::string head() { return "method = \"" + methods().front().name + "\"\nseed = 1\n"; }
const std::string model = "[model]\nkind = \"expression\"\noutputs = [\"y = a\"]\n";
const std::string input = "[[inputs]]\nname = \"a\"\nlaw = \"normal\"\nmean = 1.0\nstd_dev = 1.0\n";

/// What a method works on.
std::string subject_of(const MethodEntry& entry) {
  if (entry.subject == SubjectKind::data) return "[data]\nfile = \"" BUFFON_SOURCE_DIR "/data/sets/clusters.csv\"\n";
  if (entry.subject == SubjectKind::diffusion) return "[denoiser]\nkind = \"named\"\nname = \"g3\"\n[schedule]\nkind = \"vp_linear\"\n";
  if (entry.subject == SubjectKind::target) return "[density]\nkind = \"named\"\nname = \"gaussian\"\n";
  return entry.subject == SubjectKind::nested ? "[nested]\nkind = \"named\"\nname = \"sin_gaussian\"\n" : model + input;
}

/// Reading must fail with a configuration error that has a place and a rule, and names the key.
Error expect_fault(const std::string& text, const std::string& key, const std::vector<MethodEntry>& known = methods()) {
  CAPTURE(text);
  try {
    parse_job(text, "job.toml", ".", {}, known);
  } catch (const Error& error) {
    CAPTURE(error.what());
    CHECK(error.category() == ErrorCategory::configuration);
    CHECK(error.where().file == "job.toml");
    CHECK(error.where().line > 0);
    CHECK(error.where().column > 0);
    CHECK_FALSE(error.text().rule.empty());
    CHECK(error.text().key.find(key) != std::string::npos);
    return error;
  }
  FAIL_CHECK("accepted:\n" << text);
  return Error(ErrorCategory::internal, {});
}

/// Every invalid value of every option. `text(line)` is a job with the line in the place of the options.
template <class Text>
void check_all(const std::vector<ListedOption>& options, Text&& text, const std::vector<MethodEntry>& known = methods()) {
  for (const auto& option : options) {
    const std::string rest = required_lines(options, option.name);
    for (const auto& value : invalid_values(option)) {
      const Error error = expect_fault(text(rest + option.name + " = " + value + "\n"), option.name, known);
      CHECK_FALSE(error.text().value.empty());
    }
    const std::string misspelled = option.name + "_";
    const Error error = expect_fault(text(rest + misspelled + " = " + valid_value(option) + "\n"), misspelled, known);
    CHECK(error.text().remedy.find("did you mean \"" + option.name + "\"?") != std::string::npos);
    if (option.required) expect_fault(text(rest), option.name, known);
  }
}

/// The defaults satisfy the description that they stand in.
void check_defaults(const std::vector<ListedOption>& options) {
  for (const auto& option : options) {
    CAPTURE(option.name);
    CHECK_FALSE(option.name.empty());
    CHECK_FALSE(option.meaning.empty());
    if (option.required || option.default_text.empty()) continue;
    if (option.type == OptionType::integer || option.type == OptionType::number) CHECK(option.range.contains(std::stod(option.default_text)));
    if (option.type == OptionType::text && !option.choices.empty()) {
      const std::string word = option.default_text.substr(1, option.default_text.size() - 2);
      CHECK(std::find(option.choices.begin(), option.choices.end(), word) != option.choices.end());
    }
  }
}

}  // namespace

TEST_CASE("invalid options of every method are refused with place, key, value and rule") {
  for (const auto& entry : methods()) {
    CAPTURE(entry.name);
    const auto options = list_options(entry.describe);
    check_defaults(options);
    check_all(options, [&](const std::string& lines) { return "method = \"" + entry.name + "\"\nseed = 1\n" + subject_of(entry) + "[options]\n" + lines; });
  }
}

TEST_CASE("invalid parameters of every law are refused with place, key, value and rule") {
  for (const auto& family : marginal_families()) {
    CAPTURE(family.name);
    const auto options = list_options(family.describe);
    check_defaults(options);
    check_all(options, [&](const std::string& lines) { return head() + model + "[[inputs]]\nname = \"a\"\nlaw = \"" + family.name + "\"\n" + lines; });
  }
}

TEST_CASE("invalid keys of every model kind are refused with place, key, value and rule") {
  for (const auto& kind : model_kinds()) {
    CAPTURE(kind.name);
    const auto options = list_options(kind.describe);
    check_defaults(options);
    check_all(options, [&](const std::string& lines) { return head() + input + "[model]\nkind = \"" + kind.name + "\"\n" + lines; });
  }
}

TEST_CASE("invalid keys of every kind of nested problem are refused with place, key, value and rule") {
  for (const auto& kind : nested_kinds()) {
    CAPTURE(kind.name);
    const auto options = list_options(kind.describe);
    check_defaults(options);
    check_all(
        options, [&](const std::string& lines) { return "method = \"nested_probe\"\nseed = 1\n[nested]\nkind = \"" + kind.name + "\"\n" + lines; },
        test::probe_methods());
  }
}

TEST_CASE("invalid keys of every kind of density are refused with place, key, value and rule") {
  for (const auto& kind : target_kinds()) {
    CAPTURE(kind.name);
    const auto options = list_options(kind.describe);
    check_defaults(options);
    const std::string parameters = kind.own_parameters ? "" : "[[parameters]]\nname = \"a\"\n";
    check_all(
        options,
        [&](const std::string& lines) { return "method = \"target_probe\"\nseed = 1\n" + parameters + "[density]\nkind = \"" + kind.name + "\"\n" + lines; },
        test::probe_methods());
  }
}

TEST_CASE("invalid keys of every kind of denoiser and noise schedule are refused with place, key, value and rule") {
  const std::string job = "method = \"diffusion\"\nseed = 1\n";
  for (const auto& kind : denoiser_kinds()) {
    CAPTURE(kind.name);
    const auto options = list_options(kind.describe);
    check_defaults(options);
    check_all(options, [&](const std::string& lines) { return job + "[schedule]\nkind = \"flow\"\n[denoiser]\nkind = \"" + kind.name + "\"\n" + lines; });
  }
  for (const auto& kind : schedule_kinds()) {
    CAPTURE(kind.name);
    const auto options = list_options(kind.describe);
    check_defaults(options);
    check_all(options, [&](const std::string& lines) {
      return job + "[denoiser]\nkind = \"named\"\nname = \"g3\"\n[schedule]\nkind = \"" + kind.name + "\"\n" + lines;
    });
  }
}

TEST_CASE("invalid keys of a data set are refused with place, key, value and rule") {
  const auto options = list_options_of<DataFileOptions>();
  check_defaults(options);
  check_all(
      options, [&](const std::string& lines) { return "method = \"data_probe\"\nseed = 1\n[data]\n" + lines; }, test::probe_methods());
}

TEST_CASE("invalid settings of the run are refused with place, key, value and rule") {
  const auto options = list_options_of<RunSettings>();
  check_defaults(options);
  check_all(options, [&](const std::string& lines) { return head() + model + input + "[run]\n" + lines; });
}

TEST_CASE("the generated valid values are accepted by the reader, so that the invalid ones are refused for their own fault") {
  for (const auto& option : list_options_of<RunSettings>()) {
    if (option.name == "shard") continue;  // a form of its own, and only for methods with independent blocks
    CAPTURE(option.name);
    CHECK_NOTHROW(parse_job("method = \"probe\"\nseed = 1\n" + model + input + "[run]\n" + option.name + " = " + valid_value(option) + "\n", "job.toml", ".",
                            {}, test::probe_methods()));
  }
  for (const auto& option : list_options_of<test::ProbeOptions>()) {
    if (option.type == OptionType::text_lists) continue;  // names of inputs
    CAPTURE(option.name);
    CHECK_NOTHROW(parse_job("method = \"probe\"\nseed = 1\n" + model + input + "[options]\n" + option.name + " = " + valid_value(option) + "\n", "job.toml",
                            ".", {}, test::probe_methods()));
  }
}

TEST_CASE("every example configuration validates and its resolved form reads back to the same job") {
  const std::filesystem::path folder = std::filesystem::path(BUFFON_SOURCE_DIR) / "data" / "configs";
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() != ".toml" && entry.path().extension() != ".json") continue;
    CAPTURE(entry.path().string());
    const Job job = read_job(entry.path(), {}, methods());
    const Job again = parse_job(job.resolved, "config.resolved.toml", folder, {}, methods());
    CHECK(again.resolved == job.resolved);
    CHECK(again.digest == job.digest);
    ++count;
  }
  CHECK(count > 0);
}

TEST_CASE("a job that would not fit into memory is refused before work, with the number that would fit") {
  const auto job = [](const std::string& method, const std::string& evaluations) {
    const std::string text =
        "method = \"" + method + "\"\nseed = 1\n[model]\nkind = \"named\"\nname = \"ishigami\"\n[options]\nmax_evaluations = " + evaluations;
    return parse_job(text, "job.toml", {}, {}, testing::all_methods());
  };
  // 1e15 evaluations: half of them are explored, and no machine has 4e16 bytes.
  for (const char* method : {"aiscv", "sobol_aiscv"}) {
    CAPTURE(method);
    try {
      job(method, "1_000_000_000_000_000");
      FAIL("accepted");
    } catch (const Error& error) {
      CHECK(error.category() == ErrorCategory::configuration);
      CHECK(error.text().key == "options.max_evaluations");
      CHECK(error.text().value == "1000000000000000");
      CHECK(error.where().line == 7);
      const std::string& remedy = error.text().remedy;
      REQUIRE(remedy.find("give at most ") == 0);
      const std::string fits = remedy.substr(13, remedy.find(' ', 13) - 13);
      CHECK_NOTHROW(job(method, fits));
      CHECK_THROWS_AS(job(method, std::to_string(std::stoll(fits) / 10 * 11)), Error);
    }
  }
  for (const char* method : {"plain_monte_carlo", "sobol"}) CHECK_NOTHROW(job(method, "1_000_000_000_000_000"));
}
