// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <cmath>
#include <cstdio>
#include <memory>

#include <buffon/io/compare.hpp>
#include <buffon/report/format.hpp>

#include "session.hpp"
#include "verbs.hpp"

namespace buffon::cli {
namespace {

struct CompareArguments {
  std::string first, second;
  double level = 0.01;
};

void print_missing(const std::vector<std::string>& names, const std::string& where) {
  for (const std::string& name : names) std::printf("only in %s: %s\n", where.c_str(), name.c_str());
}

int compare_results(const CompareArguments& o) {
  const Result first = read_result(o.first), second = read_result(o.second);
  const Comparison c = compare(first, second, o.level);
  std::vector<std::vector<std::string>> rows = {{"kind", "name", "first", "±", "second", "±", "z", "p"}};
  for (const ComparedEstimate& e : c.estimates) {
    const FormattedEstimate a = format_estimate(e.first), b = format_estimate(e.second);
    const bool comparable = !std::isnan(e.p_value);
    rows.push_back({e.group, e.name, a.value, a.std_error, b.value, b.std_error, comparable ? fmt::format("{:.2f}", e.z) : "",
                    comparable ? fmt::format("{:.2g}", e.p_value) : "not comparable"});
  }
  if (!c.estimates.empty()) std::fputs(text_table(rows).c_str(), stdout);
  print_missing(c.only_first, o.first);
  print_missing(c.only_second, o.second);
  if (!c.estimates.empty()) std::printf("\nSmallest p times the number of estimates: %.2g (they differ below %g).\n", c.smallest_p, c.level);
  std::printf("%s\n", c.verdict.c_str());
  if (c.selection && c.selection->first_difference) std::printf("Rows first differ at %s\n", c.selection->first_difference->c_str());
  if (c.first_difference) std::printf("Bits first differ at %s\n", c.first_difference->c_str());
  return c.agree ? 0 : 1;
}

}  // namespace

void add_compare(CLI::App& app, Action& action) {
  auto* verb =
      app.add_subcommand("compare", "Do two results agree within their errors, and where do their bits first differ? Exit status 0 = agree, 1 = differ");
  auto o = std::make_shared<CompareArguments>();
  verb->add_option("first", o->first, "run directory or result.json")->required();
  verb->add_option("second", o->second, "run directory or result.json, from another seed or method")->required();
  verb->add_option("--level", o->level, "probability of a false alarm")->capture_default_str();
  verb->callback([o, &action] { action = [o] { return compare_results(*o); }; });
}

}  // namespace buffon::cli
