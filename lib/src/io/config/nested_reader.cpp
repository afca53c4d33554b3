// SPDX-License-Identifier: BSD-3-Clause
#include "nested_reader.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <buffon/model/marginal.hpp>

#include "option_reader.hpp"
#include "problem_reader.hpp"
#include "sections.hpp"

namespace buffon::config {
namespace {

/// Reads the parameters of a law where a text is an expression.
class ParameterReader final : public OptionReader {
 public:
  using OptionReader::on;
  using OptionReader::OptionReader;
  void on(const Field& field, double& value) override {
    if (expression(field)) return;
    OptionReader::on(field, value);
    parameters.push_back({std::string(field.name), value});
  }
  void on(const Field& field, std::optional<double>& value) override {
    if (expression(field)) return;
    OptionReader::on(field, value);
    if (value) parameters.push_back({std::string(field.name), *value});
  }

  std::vector<NestedParameter> parameters;

 private:
  bool expression(const Field& field) {
    const Member* member = section().table->find(field.name);
    if (member == nullptr || member->value.kind != Node::Kind::text) return false;
    parameters.push_back({std::string(field.name), member->value.text});
    note(field, text_node(member->value.text));
    return true;
  }
};

NestedVariable read_variable(const Section& section, Node& resolved) {
  InputSection head = input_section();
  OptionReader reader(section);
  describe(reader, head);
  check_name(section, head.name);
  const auto& families = marginal_families();
  const auto& family = *std::find_if(families.begin(), families.end(), [&](const MarginalFamily& f) { return f.name == head.law; });

  Section named = section;
  named.doing = "reading variable " + in_quotes(head.name) + " with law " + head.law;
  std::vector<std::string> keys = {"name", "law"};
  append_names(keys, list_options(family.describe));
  check_keys(named, keys);
  ParameterReader parameters(named);
  family.describe(parameters);
  resolved = reader.take_resolved();
  for (auto& member : parameters.take_resolved().members) resolved.members.push_back(std::move(member));
  return {head.name, head.law, std::move(parameters.parameters)};
}

NestedStage read_stage(const Section& section, Node& resolved) {
  check_keys(section, {"variables", "link"});
  NestedStage stage;
  Node variables = array_node();
  if (const Member* member = section.table->find("variables")) {
    const std::string path = section.key("variables");
    const std::string remedy = "write variables = [{ name = \"y\", law = \"normal\", mean = 0.0, std_dev = 1.0 }]";
    if (member->value.kind != Node::Kind::array) section.fail(member->value.where, path, show(member->value), "must be a list of tables", remedy);
    for (std::size_t k = 0; k < member->value.elements.size(); ++k) {
      const Node& element = member->value.elements[k];
      const Section place{section.document, &element, path + "[" + std::to_string(k) + "]", "reading the variables of a stage"};
      if (element.kind != Node::Kind::table) place.fail(element.where, place.path, show(element), "must be a table", remedy);
      variables.elements.emplace_back();
      stage.variables.push_back(read_variable(place, variables.elements.back()));
    }
  }
  StageSection options;
  OptionReader reader(section);
  describe(reader, options);
  stage.link = options.link;
  resolved.set("variables", std::move(variables));
  for (auto& member : reader.take_resolved().members) resolved.members.push_back(std::move(member));
  return stage;
}

std::vector<NestedStage> read_stages(const Document& document, const NestedKind& kind, Node& resolved) {
  resolved = array_node();
  const auto sections = sections_of(document, "stages", "reading the stages of the nested problem");
  if (const Member* member = document.root.find("stages"); member != nullptr && !kind.stages) {
    const Section root{&document, &document.root, "", "reading the nested problem of kind " + kind.name};
    root.fail(member->where, "stages", {}, "does not go with nested.kind = \"" + kind.name + "\"", "leave it out, or set nested.kind = \"expressions\"");
  }
  std::vector<NestedStage> stages;
  for (const auto& section : sections) {
    resolved.elements.emplace_back();
    stages.push_back(read_stage(section, resolved.elements.back()));
  }
  return stages;
}

}  // namespace

ReadNested read_nested(const Document& document, const std::filesystem::path& base_directory) {
  Section section = section_of(document, "nested", "reading the nested problem");
  if (document.root.find("nested") == nullptr) {
    section.fail(document.root.where, "nested", {}, "is required and missing", document.remedy("nested.kind=…", "add a section [nested] with its kind"));
  }
  NestedSection head = nested_section();
  OptionReader reader(section);
  describe(reader, head);
  const auto& kinds = nested_kinds();
  const NestedKind& kind = *std::find_if(kinds.begin(), kinds.end(), [&](const NestedKind& k) { return k.name == head.kind; });

  section.doing = "reading the nested problem of kind " + kind.name;
  std::vector<std::string> keys;
  append_names(keys, list_options_of(head));
  append_names(keys, list_options(kind.describe));
  check_keys(section, keys);

  ReadNested out;
  NestedSetting setting{.base_directory = base_directory, .stages = read_stages(document, kind, out.stages)};
  OptionReader options(section);
  try {
    out.problem = kind.make(options, setting);
  } catch (const Error& error) {
    if (!error.where().file.empty()) throw;
    if (error.text().key.rfind("stages", 0) != 0) throw locate_error(section, error);
    throw error.at(document.locate(find_place(document, error.text().key)));
  }
  out.nested = reader.take_resolved();
  for (auto& member : options.take_resolved().members) {
    // A resolved configuration lies elsewhere than the one it came from, so its folder is written out.
    if (kind.name == "plugin" && member.key == "library") {
      member.value.text = std::filesystem::absolute(base_directory / member.value.text).lexically_normal().string();
    }
    out.nested.members.push_back(std::move(member));
  }
  return out;
}

}  // namespace buffon::config
