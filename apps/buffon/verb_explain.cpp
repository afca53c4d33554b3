// SPDX-License-Identifier: BSD-3-Clause
#include <CLI/CLI.hpp>
#include <cstdio>
#include <functional>
#include <memory>

#include <buffon/core/error.hpp>
#include <buffon/io/job.hpp>
#include <buffon/io/option_list.hpp>
#include <buffon/model/marginal.hpp>
#include <buffon/model/model_kind.hpp>

#include "schema.hpp"
#include "session.hpp"
#include "verbs.hpp"

namespace buffon::cli {
namespace {

struct Options {
  std::string topic;
  bool markdown = false;
  bool schema = false;
};

/// Something with a name that can be explained.
struct Topic {
  std::string kind;
  std::string name;
  std::string title;
  std::string summary;
  std::vector<ListedOption> options;
  std::string where;  ///< place of the options in a job
};

std::vector<Topic> topics() {
  std::vector<Topic> all;
  for (const MethodEntry& e : all_methods()) all.push_back({"method", e.name, e.title, e.summary, list_options(e.describe), "[options]"});
  for (const MarginalFamily& e : marginal_families()) all.push_back({"law", e.name, "", e.summary, list_options(e.describe), "[[inputs]]"});
  for (const ModelKind& e : model_kinds()) all.push_back({"model kind", e.name, "", e.summary, list_options(e.describe), "[model]"});
  for (const NamedProblem& e : named_problems()) all.push_back({"named problem", e.name, "", e.summary, {}, ""});
  all.push_back({"section", "run", "", "How a job is run; never influences the numbers.", list_options_of<RunSettings>(), "[run]"});
  return all;
}

std::string default_of(const ListedOption& option) { return option.required ? "required" : option.default_text.empty() ? "none" : option.default_text; }

std::string rule_of(const ListedOption& option) {
  const std::string rule = option.rule();
  return std::string(type_text(option.type)) + (rule.empty() ? "" : ", " + rule);
}

std::string markdown_cell(std::string text) {
  for (std::size_t at = text.find('|'); at != std::string::npos; at = text.find('|', at + 2)) text.insert(at, "\\");
  return text;
}

void print_markdown(const Topic& topic) {
  std::printf("| key | meaning | type and rule | unit | default |\n|---|---|---|---|---|\n");
  for (const ListedOption& o : topic.options) {
    std::printf("| `%s` | %s | %s | %s | `%s` |\n", o.name.c_str(), markdown_cell(o.meaning).c_str(), markdown_cell(rule_of(o)).c_str(),
                o.unit.empty() ? "–" : o.unit.c_str(), default_of(o).c_str());
  }
}

void print_text(const Topic& topic) {
  std::printf("%s (%s)%s%s\n%s\n", topic.name.c_str(), topic.kind.c_str(), topic.title.empty() ? "" : ": ", topic.title.c_str(), topic.summary.c_str());
  if (topic.options.empty()) return;
  std::printf("\n%s\n", topic.where.c_str());
  for (const ListedOption& o : topic.options) {
    std::printf("  %s = %s\n      %s\n      %s%s%s\n", o.name.c_str(), default_of(o).c_str(), o.meaning.c_str(), rule_of(o).c_str(),
                o.unit.empty() ? "" : "; in ", o.unit.c_str());
  }
}

int explain(const Options& o) {
  if (o.topic.empty()) {
    if (o.schema) {
      std::fputs(job_schema().c_str(), stdout);
      return 0;
    }
    std::vector<std::vector<std::string>> rows = {{"name", "what", ""}};
    for (const Topic& topic : topics()) rows.push_back({topic.name, topic.kind, topic.summary});
    std::fputs(text_table(rows).c_str(), stdout);
    return 0;
  }
  bool found = false;
  std::vector<std::string> names;
  for (const Topic& topic : topics()) {
    names.push_back(topic.name);
    if (topic.name != o.topic) continue;
    if (found) std::puts("");
    found = true;
    if (o.schema) {
      std::fputs(options_schema(topic.options).c_str(), stdout);
    } else if (o.markdown) {
      print_markdown(topic);
    } else {
      print_text(topic);
    }
  }
  if (found) return 0;
  // A key: wherever it is an option.
  const std::string key = o.topic.substr(o.topic.find_last_of('.') + 1);
  for (Topic topic : topics()) {
    for (const ListedOption& option : topic.options) names.push_back(option.name);
    std::erase_if(topic.options, [&](const ListedOption& option) { return option.name != key; });
    if (topic.options.empty()) continue;
    if (found) std::puts("");
    found = true;
    o.markdown ? print_markdown(topic) : print_text(topic);
  }
  if (found) return 0;
  const std::string near(nearest(o.topic, names));
  throw Error(ErrorCategory::usage, {.doing = "explaining",
                                     .key = "name",
                                     .value = o.topic,
                                     .rule = "is no method, law, kind of model, named problem or key",
                                     .remedy = near.empty() ? "`buffon explain` lists what there is" : "did you mean " + near + "?"});
}

}  // namespace

void add_explain(CLI::App& app, Action& action) {
  auto* verb = app.add_subcommand("explain", "Options of a method, law or kind of model, or the meaning of a key");
  auto o = std::make_shared<Options>();
  verb->add_option("name", o->topic, "method, law, kind of model, named problem, `run`, or a key");
  verb->add_flag("--markdown", o->markdown, "as a Markdown table");
  verb->add_flag("--schema", o->schema, "as a JSON schema; without a name: of a whole job");
  verb->callback([o, &action] { action = [o] { return explain(*o); }; });
}

}  // namespace buffon::cli
