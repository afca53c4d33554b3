// SPDX-License-Identifier: BSD-3-Clause
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include <buffon/core/error.hpp>
#include <buffon/io/explain.hpp>

#include "verbs.hpp"

namespace buffon::cli {
namespace {

struct ExplainArguments {
  std::string topic;
  bool markdown = false;
  bool schema = false;
};

std::string text(const ExplainArguments& o) {
  if (o.schema) return job_schema(all_methods());
  if (o.topic.empty() && !o.markdown) return list_text("", all_methods());
  if (!o.markdown) return explain(o.topic, all_methods());
  for (const MethodEntry& entry : all_methods()) {
    if (entry.name == o.topic) return method_markdown_table(entry);
  }
  if (o.topic.empty()) {
    throw Error(ErrorCategory::usage,
                {.doing = "explaining", .rule = "--markdown needs a method or a section of a job", .remedy = "`buffon list` tells their names"});
  }
  return section_markdown_table(o.topic);
}

}  // namespace

void add_explain(CLI::App& app, Action& action) {
  auto* verb = app.add_subcommand("explain", "ExplainArguments of a method, law, kind of model or section, or the meaning of a key");
  auto o = std::make_shared<ExplainArguments>();
  verb->add_option("name", o->topic, "method, law, kind of model, named problem, section, `job`, or a key");
  verb->add_flag("--markdown", o->markdown, "a method's or a section's options as a Markdown table");
  verb->add_flag("--schema", o->schema, "the JSON schema of a job");
  verb->callback([o, &action] {
    action = [o] {
      std::fputs(text(*o).c_str(), stdout);
      return 0;
    };
  });
}

}  // namespace buffon::cli
