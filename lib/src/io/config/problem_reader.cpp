// SPDX-License-Identifier: BSD-3-Clause
#include "problem_reader.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "sections.hpp"

namespace buffon::config {
namespace {

constexpr std::size_t max_inputs = 4096;
constexpr std::string_view name_rule = "must be made of letters, digits and _, and not begin with a digit";

template <class Entry>
const Entry& entry_named(const std::vector<Entry>& entries, std::string_view name) {
  return *std::find_if(entries.begin(), entries.end(), [&](const Entry& entry) { return entry.name == name; });
}

Node quoted_list(const std::vector<std::string>& names) {
  Node list = array_node();
  for (const auto& name : names) list.elements.push_back(text_node(name));
  return list;
}

/// Names of a list must differ; remembers those seen.
class DistinctNames {
 public:
  void add(const Section& section, const std::string& name, const std::string& what) {
    if (seen_.insert(name).second) return;
    section.fail(section.table->find("name")->value.where, section.key("name"), in_quotes(name), "is already the name of " + what,
                 "give every one its own name");
  }

 private:
  std::set<std::string> seen_;
};

/// Some outputs of a model, in any order.
class SelectedOutputs final : public Model {
 public:
  SelectedOutputs(std::shared_ptr<const Model> inner, std::vector<Index> rows, std::vector<std::string> names)
      : inner_(std::move(inner)), rows_(std::move(rows)), names_(std::move(names)) {}

  Index input_size() const override { return inner_->input_size(); }
  Index output_size() const override { return static_cast<Index>(rows_.size()); }
  const std::vector<std::string>& output_names() const override { return names_; }
  Index preferred_batch() const override { return inner_->preferred_batch(); }
  std::vector<PointFailure> evaluate(const ConstMatrix& points, MutMatrix values, const std::stop_token& stop) const override {
    Eigen::MatrixXd inside(inner_->output_size(), points.cols());
    auto failures = inner_->evaluate(points, inside, stop);
    for (std::size_t q = 0; q < rows_.size(); ++q) values.row(static_cast<Index>(q)) = inside.row(rows_[q]);
    return failures;
  }

 private:
  std::shared_ptr<const Model> inner_;
  std::vector<Index> rows_;
  std::vector<std::string> names_;
};

/// The table that an input of a named problem would have, from the text "family(key = number, …)" by which a law
/// describes itself; nothing when reading it back would not give the same law.
std::optional<Node> input_table(const Document& document, const Input& input) {
  const std::string text = input.law.describe();
  const std::size_t open = text.find('(');
  if (open == std::string::npos || text.back() != ')') return {};
  Node table = table_node();
  table.set("name", text_node(input.name));
  table.set("law", text_node(text.substr(0, open)));
  for (std::size_t at = open + 1; at < text.size();) {
    const std::size_t end = std::min(text.find(", ", at), text.size() - 1);
    const std::size_t equals = text.find(" = ", at);
    if (equals == std::string::npos || equals > end) return {};
    double value = 0;
    const auto [stop, status] = std::from_chars(text.data() + equals + 3, text.data() + end, value);
    if (status != std::errc() || stop != text.data() + end) return {};
    if (std::isfinite(value)) table.set(text.substr(at, equals - at), real_node(value));
    at = end + 2;
  }
  try {
    const Section section{&document, &table, "inputs", "reading the inputs of a named problem"};
    ReadInput read = read_input(section);
    if (read.input.law.describe() != text) return {};
    return std::move(read.resolved);
  } catch (const Error&) {
    return {};  // a law beyond the families; scenarios cannot override it
  }
}

class ProblemSections {
 public:
  ProblemSections(const Document& document, const std::filesystem::path& base_directory, const std::filesystem::path& run_directory)
      : document_(document), base_directory_(base_directory), run_directory_(run_directory) {}

  ReadProblem read() {
    read_model_head();
    read_inputs();
    Eigen::MatrixXd correlation = read_correlations();
    const Member* given = document_.root.find("correlations");
    const Section place{&document_, given != nullptr ? &given->value : &document_.root, "correlations", "reading the correlations"};
    JointLaw base = located(place, [&] { return JointLaw(inputs_, correlation); });
    auto model = read_model();
    read_quantities(model);
    std::vector<Scenario> scenarios = read_scenarios(base, correlation);
    const Section root{&document_, &document_.root, "", "putting the problem together"};
    out_.problem = located(root, [&] { return Problem(CheckedModel(std::move(model), base.names(), section_.policy), quantities_, std::move(scenarios)); });
    out_.policy = section_.policy;
    return std::move(out_);
  }

 private:
  void read_model_head() {
    model_ = section_of(document_, "model", "reading the model");
    if (document_.root.find("model") == nullptr)
      model_.fail(document_.root.where, "model", {}, "is required and missing", document_.remedy("model.kind=…", "add a section [model] with its kind"));
    section_ = model_section();
    OptionReader kind(model_);
    describe_kind(kind, section_);
    section_.journal = section_.kind == "process" || section_.kind == "umbridge";

    model_.doing = "reading the model of kind " + section_.kind;
    std::vector<std::string> keys;
    append_names(keys, list_options_of(section_));
    append_names(keys, list_options(entry_named(model_kinds(), section_.kind).describe));
    check_keys(model_, keys);
    OptionReader reader(model_);
    describe(reader, section_);
    out_.model = reader.take_resolved();
    OptionReader check(model_);
    entry_named(model_kinds(), section_.kind).describe(check);
    // Its law is needed before the model is made.
    if (section_.kind == "named") named_ = &named_problem(model_.table->find("name")->value.text);
  }

  void read_inputs() {
    out_.inputs = array_node();
    const auto sections = sections_of(document_, "inputs", "reading the inputs");
    if (sections.size() > max_inputs) {
      model_.fail(document_.root.find("inputs")->where, "inputs", std::to_string(sections.size()) + " inputs", "must be at most " + std::to_string(max_inputs));
    }
    DistinctNames names;
    for (const auto& section : sections) {
      ReadInput read = read_input(section);
      names.add(section, read.input.name, "another input");
      inputs_.push_back(std::move(read.input));
      tables_.push_back(*section.table);
      out_.inputs.elements.push_back(std::move(read.resolved));
    }
    if (named_ != nullptr) {
      own_law_ = named_->law();
      own_inputs_ = sections.empty();
      if (own_inputs_) {
        inputs_ = own_law_.inputs();
        for (const auto& input : inputs_) tables_.push_back(input_table(document_, input));
        if (std::all_of(tables_.begin(), tables_.end(), [](const auto& table) { return table.has_value(); })) {
          for (const auto& table : tables_) out_.inputs.elements.push_back(*table);
        }
      } else {
        check_order();
      }
    } else if (sections.empty()) {
      const Member* member = document_.root.find("inputs");
      model_.fail(member != nullptr ? member->where : document_.root.where, "inputs", {}, "is required and missing",
                  document_.remedy("'inputs=[{name=\"a\", law=\"uniform\", min=0, max=1}, …]'", "add an [[inputs]] with name and law for every input"));
    }
  }

  /// A named problem takes its inputs by position, so another order would silently ask another question.
  void check_order() const {
    std::vector<std::string> given;
    for (const auto& input : inputs_) given.push_back(input.name);
    if (given == own_law_.names()) return;
    const Section root{&document_, &document_.root, "", "reading the inputs"};
    root.fail(document_.root.find("inputs")->where, "inputs", show(quoted_list(given)),
              "must be the inputs of " + named_->name + " in their order: " + write_value(quoted_list(own_law_.names())),
              "leave out [[inputs]] to use those of the problem");
  }

  Eigen::MatrixXd read_correlations() {
    out_.correlations = array_node();
    const auto sections = sections_of(document_, "correlations", "reading the correlations");
    const auto d = static_cast<Index>(inputs_.size());
    const bool own = named_ != nullptr && own_inputs_ && own_law_.correlation().size() > 0;
    Eigen::MatrixXd r;
    if (own) r = own_law_.correlation();
    if (!own && sections.empty()) return r;
    if (!own) r = Eigen::MatrixXd::Identity(d, d);
    std::vector<std::string> names;
    std::map<std::string, Index> index;
    for (const auto& input : inputs_) {
      index[input.name] = static_cast<Index>(names.size());
      names.push_back(input.name);
    }
    std::set<std::pair<Index, Index>> seen;
    for (const auto& section : sections) {
      check_keys(section, {"between", "value"});
      CorrelationSection pair;
      OptionReader reader(section);
      describe(reader, pair);
      const Node& between = section.table->find("between")->value;
      Index at[2];
      for (std::size_t k = 0; k < 2; ++k) {
        const auto found = index.find(pair.between[k]);
        if (found == index.end()) {
          const std::string_view close = nearest(pair.between[k], names);
          section.fail(between.elements[k].where, section.key("between") + "[" + std::to_string(k) + "]", in_quotes(pair.between[k]), "is not an input",
                       (close.empty() ? std::string() : "did you mean " + in_quotes(close) + "? ") + "The inputs are: " + show(quoted_list(names)));
        }
        at[k] = found->second;
      }
      if (at[0] == at[1]) section.fail(between.where, section.key("between"), show(between), "must be two different inputs");
      if (!seen.insert(std::minmax(at[0], at[1])).second)
        section.fail(between.where, section.key("between"), show(between), "is given twice", "remove one of the two");
      r(at[0], at[1]) = r(at[1], at[0]) = pair.value;
    }
    for (Index i = 0; i < d; ++i) {
      for (Index j = i + 1; j < d; ++j) {
        if (r(i, j) == 0 && seen.count({i, j}) == 0) continue;
        Node pair = table_node();
        pair.set("between", quoted_list({names[static_cast<std::size_t>(i)], names[static_cast<std::size_t>(j)]}));
        pair.set("value", real_node(r(i, j)));
        out_.correlations.elements.push_back(std::move(pair));
      }
    }
    return r;
  }

  std::shared_ptr<const Model> read_model() {
    std::vector<std::string> names;
    for (const auto& input : inputs_) names.push_back(input.name);
    OptionReader reader(model_);
    const auto& kind = entry_named(model_kinds(), section_.kind);
    auto model = located(model_, [&] { return kind.make(reader, {.input_names = names, .base_directory = base_directory_, .run_directory = run_directory_}); });
    for (const auto& name : model->output_names()) {
      if (valid_name(name)) continue;
      const Member* outputs = model_.table->find("outputs");
      model_.fail(outputs != nullptr ? outputs->value.where : model_.table->where, model_.key("outputs"), in_quotes(name), std::string(name_rule));
    }
    for (auto& member : reader.take_resolved().members) {
      // A resolved configuration lies elsewhere than the one it came from, so its folder is written out.
      if (section_.kind == "process" && member.key == "directory") {
        const auto folder = std::filesystem::absolute(base_directory_ / member.value.text).lexically_normal();
        member.value.text = (folder.has_filename() ? folder : folder.parent_path()).string();
      }
      out_.model.members.push_back(std::move(member));
    }
    if (section_.journal && !run_directory_.empty()) {
      model = located(model_, [&] { return journaled_model(std::move(model), run_directory_ / "evaluations.journal"); });
    }
    return model;
  }

  void read_quantities(std::shared_ptr<const Model>& model) {
    out_.quantities = array_node();
    const auto sections = sections_of(document_, "quantities", "reading the quantities");
    const auto& outputs = model->output_names();
    std::vector<std::string> names, expressions;
    std::vector<Index> rows;
    DistinctNames distinct;
    for (const auto& section : sections) {
      check_keys(section, {"name", "value", "event"});
      QuantitySection quantity;
      OptionReader reader(section);
      describe(reader, quantity);
      check_name(section, quantity.name);
      distinct.add(section, quantity.name, "another quantity");
      if (quantity.value.empty() == quantity.event.empty()) {
        section.fail(section.table->where, section.path, {}, quantity.value.empty() ? "has neither value nor event" : "has both value and event",
                     "give value for the mean of an expression, or event for the probability that it is greater than 0");
      }
      const bool event = !quantity.event.empty();
      const std::string& expression = event ? quantity.event : quantity.value;
      names.push_back(quantity.name);
      expressions.push_back(expression);
      quantities_.push_back({.name = quantity.name, .event = event});
      const auto found = std::find(outputs.begin(), outputs.end(), expression);
      if (found != outputs.end()) {
        rows.push_back(static_cast<Index>(found - outputs.begin()));
      } else {
        Section place = section;
        place.doing = "reading quantity " + in_quotes(quantity.name);
        check_expression_of(place, event ? "event" : "value", [&] { postprocessed_model(model, input_names(), {quantity.name}, {expression}); });
      }
      Node resolved = reader.take_resolved();
      resolved.erase(event ? "value" : "event");
      out_.quantities.elements.push_back(std::move(resolved));
    }
    if (sections.empty()) {
      for (const auto& name : outputs) {
        quantities_.push_back({.name = name});
        Node resolved = table_node();
        resolved.set("name", text_node(name));
        resolved.set("value", text_node(name));
        out_.quantities.elements.push_back(std::move(resolved));
      }
    } else if (rows.size() < sections.size()) {
      model = postprocessed_model(std::move(model), input_names(), std::move(names), std::move(expressions));
    } else if (expressions != outputs) {
      model = std::make_shared<SelectedOutputs>(std::move(model), std::move(rows), std::move(names));
    }
  }

  /// An expression is at fault with the key it was written under, whatever the parser calls it.
  template <class Work>
  static void check_expression_of(const Section& section, const std::string& key, Work&& work) {
    try {
      work();
    } catch (const Error& error) {
      throw error.at(section.document->locate(section.table->find(key)->value.where), section.key(key));
    }
  }

  std::vector<Scenario> read_scenarios(const JointLaw& base, const Eigen::MatrixXd& correlation) {
    out_.scenarios = array_node();
    const auto sections = sections_of(document_, "scenarios", "reading the scenarios");
    std::vector<Scenario> scenarios;
    DistinctNames distinct;
    for (const auto& section : sections) {
      check_keys(section, {"name", "inputs"});
      ScenarioSection scenario;
      OptionReader reader(section);
      describe(reader, scenario);
      check_name(section, scenario.name);
      distinct.add(section, scenario.name, "another scenario");
      Node resolved = reader.take_resolved();
      std::vector<Input> inputs = inputs_;
      if (const Member* overrides = section.table->find("inputs")) resolved.set("inputs", override_inputs(section, overrides->value, scenario.name, inputs));
      Section place = section;
      place.doing = "reading scenario " + in_quotes(scenario.name);
      scenarios.push_back({scenario.name, located(place, [&] { return JointLaw(std::move(inputs), correlation); })});
      out_.scenarios.elements.push_back(std::move(resolved));
    }
    if (scenarios.empty()) scenarios.push_back({"nominal", base});
    return scenarios;
  }

  /// Replaces laws in `inputs` by those with overridden parameters. @returns the overrides as they were understood
  Node override_inputs(const Section& section, const Node& overrides, const std::string& scenario, std::vector<Input>& inputs) const {
    const std::string path = section.key("inputs");
    if (overrides.kind != Node::Kind::table)
      section.fail(overrides.where, path, show(overrides), "must be a table", "write inputs = { NAME = { mean = 1.0 } }");
    const std::vector<std::string> names = input_names();
    check_keys({&document_, &overrides, path, "reading scenario " + in_quotes(scenario)}, names);
    Node resolved = table_node();
    for (const auto& member : overrides.members) {
      const Section place{&document_, &member.value, path + "." + path_step(member.key), "reading scenario " + in_quotes(scenario)};
      if (member.value.kind != Node::Kind::table)
        place.fail(member.value.where, place.path, show(member.value), "must be a table of parameters", "write { mean = 1.0 }");
      if (member.value.find("name") != nullptr) place.fail(member.value.find("name")->where, place.key("name"), {}, "cannot be changed by a scenario");
      const auto i = static_cast<std::size_t>(std::find(names.begin(), names.end(), member.key) - names.begin());
      const bool other_law = member.value.find("law") != nullptr;
      if (!other_law && !tables_[i]) {
        place.fail(member.where, place.path, {}, "has a law without a family, " + inputs_[i].law.describe(), "give law and all parameters");
      }
      Node merged = table_node();
      if (!other_law) merged = *tables_[i];
      merged.where = member.value.where;
      merged.set("name", text_node(names[i]));
      for (const auto& parameter : member.value.members) merged.set(parameter.key, parameter.value);
      for (auto& parameter : merged.members) {
        if (const Member* given = member.value.find(parameter.key)) parameter.where = given->where;
      }
      ReadInput read = read_input({&document_, &merged, place.path, place.doing});
      inputs[i] = std::move(read.input);
      Node understood = table_node();
      for (const auto& parameter : read.resolved.members) {
        if (other_law ? parameter.key != "name" : member.value.find(parameter.key) != nullptr) understood.members.push_back(parameter);
      }
      resolved.set(member.key, std::move(understood));
    }
    return resolved;
  }

  std::vector<std::string> input_names() const {
    std::vector<std::string> names;
    for (const auto& input : inputs_) names.push_back(input.name);
    return names;
  }

  const Document& document_;
  const std::filesystem::path& base_directory_;
  const std::filesystem::path& run_directory_;
  Section model_;
  ModelSection section_;
  const NamedProblem* named_ = nullptr;
  JointLaw own_law_;
  bool own_inputs_ = false;  ///< the inputs are those of the named problem
  std::vector<Input> inputs_;
  std::vector<std::optional<Node>> tables_;  ///< of the inputs, where they have one
  std::vector<Quantity> quantities_;
  ReadProblem out_;
};

}  // namespace

Section section_of(const Document& document, std::string_view name, std::string doing) {
  static const Node empty = table_node({.line = 1, .column = 1});
  Section section{&document, &empty, std::string(name), std::move(doing)};
  const Member* member = document.root.find(name);
  if (member == nullptr) return section;
  if (member->value.kind != Node::Kind::table) {
    section.fail(member->value.where, section.path, show(member->value), "must be a section", "write [" + section.path + "] with its keys below");
  }
  section.table = &member->value;
  return section;
}

std::vector<Section> sections_of(const Document& document, std::string_view name, const std::string& doing) {
  std::vector<Section> sections;
  const Member* member = document.root.find(name);
  if (member == nullptr) return sections;
  const Section place{&document, &member->value, std::string(name), doing};
  const std::string remedy = "write [[" + place.path + "]] with its keys below";
  if (member->value.kind != Node::Kind::array) place.fail(member->value.where, place.path, show(member->value), "must be a list of tables", remedy);
  for (std::size_t i = 0; i < member->value.elements.size(); ++i) {
    const Node& element = member->value.elements[i];
    const std::string path = place.path + "[" + std::to_string(i) + "]";
    if (element.kind != Node::Kind::table) place.fail(element.where, path, show(element), "must be a table", remedy);
    sections.push_back({&document, &element, path, doing});
  }
  return sections;
}

bool valid_name(std::string_view name) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  return !name.empty() && letter(name.front()) && std::all_of(name.begin(), name.end(), [&](char c) { return letter(c) || (c >= '0' && c <= '9'); });
}

void check_name(const Section& section, const std::string& name) {
  if (!valid_name(name)) section.fail(section.table->find("name")->value.where, section.key("name"), in_quotes(name), std::string(name_rule));
}

ReadInput read_input(const Section& section, std::string_view role) {
  InputSection input = input_section();
  OptionReader reader(section);
  describe(reader, input);
  if (role == "input") check_name(section, input.name);
  const auto& family = entry_named(marginal_families(), input.law);

  Section named = section;
  named.doing = "reading " + std::string(role) + " " + in_quotes(input.name) + " with law " + input.law;
  std::vector<std::string> keys = {"name", "law"};
  append_names(keys, list_options(family.describe));
  check_keys(named, keys);
  OptionReader parameters(named);
  Marginal law = located(named, [&] { return family.make(parameters); });
  Node resolved = reader.take_resolved();
  for (auto& member : parameters.take_resolved().members) resolved.members.push_back(std::move(member));
  return {{input.name, std::move(law)}, std::move(resolved)};
}

ReadProblem read_problem(const Document& document, const std::filesystem::path& base_directory, const std::filesystem::path& run_directory) {
  return ProblemSections(document, base_directory, run_directory).read();
}

}  // namespace buffon::config
