// SPDX-License-Identifier: BSD-3-Clause
#include "target_reader.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "option_reader.hpp"
#include "problem_reader.hpp"
#include "sections.hpp"

namespace buffon::config {
namespace {

/// A fault of a part of the target at the place where the part was written.
[[noreturn]] void rethrow_located(const Document& document, const Error& error) { throw error.at(document.locate(find_place(document, error.text().key))); }

class TargetSections {
 public:
  TargetSections(const Document& document, const std::filesystem::path& base_directory, const std::filesystem::path& run_directory)
      : document_(document), base_directory_(base_directory), run_directory_(run_directory) {}

  ReadTarget read() {
    read_density();
    std::shared_ptr<const Model> generated = read_quantities();
    read_start();
    try {
      out_.target = std::make_shared<Target>(made_.density, made_.parameters, std::move(made_.start), std::move(generated));
    } catch (const Error& error) {
      rethrow_located(document_, error);
    }
    return std::move(out_);
  }

 private:
  void read_density() {
    Section section = section_of(document_, "density", "reading the density");
    if (document_.root.find("density") == nullptr) {
      section.fail(document_.root.where, "density", {}, "is required and missing", document_.remedy("density.kind=…", "add a section [density] with its kind"));
    }
    DensitySection head = density_section();
    OptionReader reader(section);
    describe(reader, head);
    const auto& kinds = target_kinds();
    const TargetKind& kind = *std::find_if(kinds.begin(), kinds.end(), [&](const TargetKind& k) { return k.name == head.kind; });

    section.doing = "reading the density of kind " + kind.name;
    std::vector<std::string> keys;
    append_names(keys, list_options_of(head));
    append_names(keys, list_options(kind.describe));
    check_keys(section, keys);

    const TargetSetting setting{.parameters = read_parameters(kind),
                                .base_directory = base_directory_,
                                .run_directory = run_directory_,
                                .reject_failures = head.on_failure == DensitySection::OnFailure::reject};
    OptionReader options(section);
    try {
      made_ = kind.make(options, setting);
    } catch (const Error& error) {
      if (!error.where().file.empty()) throw;
      if (error.text().key.rfind("parameters", 0) == 0) rethrow_located(document_, error);
      throw locate_error(section, error);
    }
    out_.density = reader.take_resolved();
    for (auto& member : options.take_resolved().members) {
      // A resolved configuration lies elsewhere than the one it came from, so folders are written out.
      const bool path = member.key == "directory" || member.key == "library" || member.key == "data";
      if (path && !member.value.text.empty()) {
        const auto place = std::filesystem::absolute(base_directory_ / member.value.text).lexically_normal();
        member.value.text = (place.has_filename() ? place : place.parent_path()).string();
      }
      out_.density.members.push_back(std::move(member));
    }
  }

  std::vector<Parameter> read_parameters(const TargetKind& kind) {
    out_.parameters = array_node();
    const auto sections = sections_of(document_, "parameters", "reading the parameters of the density");
    const Section root{&document_, &document_.root, "", "reading the density of kind " + kind.name};
    const Member* given = document_.root.find("parameters");
    if (kind.own_parameters && given != nullptr) {
      root.fail(given->where, "parameters", {}, "does not go with density.kind = \"" + kind.name + "\", which has its own", "leave it out");
    }
    if (!kind.own_parameters && sections.empty()) {
      root.fail(given != nullptr ? given->where : document_.root.where, "parameters", {}, "is required and missing",
                document_.remedy("'parameters=[{name=\"a\"}, …]'", "add a [[parameters]] with its name for every parameter"));
    }
    std::vector<Parameter> parameters;
    constexpr Index most_components = 10'000'000;
    Index components = 0;
    for (const auto& section : sections) {
      std::vector<std::string> keys;
      append_names(keys, list_options_of<ParameterSection>());
      check_keys(section, keys);
      ParameterSection read;
      OptionReader reader(section);
      describe(reader, read);
      check_name(section, read.name);
      Parameter parameter{.name = read.name, .size = static_cast<Index>(read.size), .constraint = read.constraint};
      const bool two_sided = read.constraint == Constraint::interval;
      const auto bound = [&](const char* key, const std::optional<double>& value, double& into, bool needed) {
        if (value) into = *value;
        if (needed && !value) {
          section.fail(section.table->where, section.key(key), {},
                       "is required and missing under the constraint " + std::string(constraint_names()[static_cast<std::size_t>(read.constraint)]),
                       std::string("add ") + key);
        }
      };
      bound("lower", read.lower, parameter.lower, two_sided || read.constraint == Constraint::lower);
      bound("upper", read.upper, parameter.upper, two_sided || read.constraint == Constraint::upper);
      components += parameter.count();
      if (parameter.size < 0 || components > most_components) {
        section.fail(section.table->find("size")->value.where, section.key("size"), std::to_string(read.size),
                     "must leave at most " + std::to_string(most_components) + " components in all", "give fewer");
      }
      parameters.push_back(std::move(parameter));
      out_.parameters.elements.push_back(reader.take_resolved());
    }
    return parameters;
  }

  std::shared_ptr<const Model> read_quantities() {
    out_.quantities = array_node();
    std::vector<GeneratedQuantity> quantities;
    std::set<std::string> names;
    for (const auto& parameter : made_.parameters) names.insert(parameter.name);
    if (made_.generated) names.insert(made_.generated->output_names().begin(), made_.generated->output_names().end());
    for (const auto& section : sections_of(document_, "quantities", "reading the quantities")) {
      check_keys(section, {"name", "value", "event"});
      QuantitySection read;
      OptionReader reader(section);
      describe(reader, read);
      check_name(section, read.name);
      if (!names.insert(read.name).second) {
        section.fail(section.table->find("name")->value.where, section.key("name"), in_quotes(read.name),
                     "is already the name of a parameter or of another column", "give every one its own name");
      }
      if (read.value.empty() == read.event.empty()) {
        section.fail(section.table->where, section.path, {}, read.value.empty() ? "has neither value nor event" : "has both value and event",
                     "give value for an expression, or event for the probability that it is greater than 0");
      }
      const bool event = !read.event.empty();
      const GeneratedQuantity quantity{read.name, event ? read.event : read.value, event};
      const char* key = event ? "event" : "value";
      try {
        generated_quantities(made_.parameters, made_.generated, {quantity});
      } catch (const Error& error) {
        throw error.at(document_.locate(section.table->find(key)->value.where), section.key(key));
      }
      quantities.push_back(quantity);
      Node resolved = reader.take_resolved();
      resolved.erase(event ? "value" : "event");
      out_.quantities.elements.push_back(std::move(resolved));
    }
    return generated_quantities(made_.parameters, made_.generated, quantities);
  }

  void read_start() {
    if (document_.root.find("start") == nullptr) {
      if (made_.start.kind != StartPolicy::Kind::overdispersed) return;
      out_.start.set("kind", text_node("overdispersed"));
      out_.start.set("radius", real_node(made_.start.radius));
      out_.start.set("retries", integer_node(made_.start.retries));
      return;
    }
    const Section section = section_of(document_, "start", "reading where chains begin");
    check_keys(section, {"kind", "radius", "retries", "points", "laws"});
    StartSection read{.radius = made_.start.radius, .retries = made_.start.retries};
    OptionReader reader(section);
    describe(reader, read);
    out_.start = reader.take_resolved();
    const std::string kind = out_.start.find("kind")->value.text;
    const auto only_for = [&](const char* key, std::vector<StartPolicy::Kind> kinds, const std::string& remedy) {
      if (std::find(kinds.begin(), kinds.end(), read.kind) != kinds.end()) return;
      out_.start.erase(key);
      const Member* member = section.table->find(key);
      if (member != nullptr) section.fail(member->where, section.key(key), {}, "does not go with start.kind = \"" + kind + "\"", remedy);
    };
    using Kind = StartPolicy::Kind;
    only_for("radius", {Kind::overdispersed}, "leave it out, or set start.kind = \"overdispersed\"");
    only_for("retries", {Kind::overdispersed, Kind::law}, "leave it out");
    only_for("points", {Kind::given}, "set start.kind = \"given\"");
    only_for("laws", {Kind::law}, "set start.kind = \"law\"");
    made_.start = {.kind = read.kind, .radius = read.radius, .retries = read.retries};
    if (read.kind == Kind::given) read_points(section);
    if (read.kind == Kind::law) read_laws(section);
  }

  Index components() const {
    Index count = 0;
    for (const auto& parameter : made_.parameters) count += parameter.count();
    return count;
  }

  void read_points(const Section& section) {
    const Member* member = section.table->find("points");
    const std::string remedy =
        "write points = [[1.0, 2.0]], one list for all chains or one for each, with a number for each of the " + std::to_string(components()) + " components";
    const std::string key = section.key("points");
    if (member == nullptr) section.fail(section.table->where, key, {}, "is required and missing for start.kind = \"given\"", remedy);
    if (member->value.kind != Node::Kind::array) section.fail(member->value.where, key, show(member->value), "must be a list of lists of numbers", remedy);
    Node resolved = array_node();
    for (std::size_t i = 0; i < member->value.elements.size(); ++i) {
      const Node& row = member->value.elements[i];
      const std::string place = key + "[" + std::to_string(i) + "]";
      if (row.kind != Node::Kind::array) section.fail(row.where, place, show(row), "must be a list of numbers", remedy);
      Eigen::VectorXd point(static_cast<Index>(row.elements.size()));
      Node numbers = array_node();
      for (std::size_t k = 0; k < row.elements.size(); ++k) {
        const Node& number = row.elements[k];
        const bool whole = number.kind == Node::Kind::integer;
        const double value = whole ? static_cast<double>(number.integer) : number.real;
        if ((!whole && number.kind != Node::Kind::real) || !std::isfinite(value)) {
          section.fail(number.where, place + "[" + std::to_string(k) + "]", show(number), "must be a finite number", remedy);
        }
        point(static_cast<Index>(k)) = value;
        numbers.elements.push_back(real_node(value));
      }
      made_.start.points.push_back(std::move(point));
      resolved.elements.push_back(std::move(numbers));
    }
    out_.start.set("points", std::move(resolved));
  }

  void read_laws(const Section& section) {
    const Member* member = section.table->find("laws");
    const std::string remedy = "add a [[start.laws]] with name, law and its parameters for every parameter";
    if (member == nullptr) section.fail(section.table->where, section.key("laws"), {}, "is required and missing for start.kind = \"law\"", remedy);
    if (member->value.kind != Node::Kind::array)
      section.fail(member->value.where, section.key("laws"), show(member->value), "must be a list of tables", remedy);
    std::vector<Input> inputs;
    std::vector<std::string> names;
    for (const auto& parameter : made_.parameters) {
      names.push_back(parameter.name);
      for (Index k = 0; k < parameter.count(); ++k) {
        inputs.push_back({parameter.size == 0 ? parameter.name : parameter.name + "." + std::to_string(k + 1), {}});
        if (parameter.size > 0) names.push_back(inputs.back().name);
      }
    }
    std::vector<bool> filled(inputs.size(), false);
    Node resolved = array_node();
    for (std::size_t i = 0; i < member->value.elements.size(); ++i) {
      const Node& element = member->value.elements[i];
      const Section place{&document_, &element, "start.laws[" + std::to_string(i) + "]", section.doing};
      if (element.kind != Node::Kind::table) place.fail(element.where, place.path, show(element), "must be a table", remedy);
      ReadInput read = read_input(place, "the start of");
      bool found = false;
      for (std::size_t k = 0; k < inputs.size(); ++k) {
        const std::string& component = inputs[k].name;
        if (component != read.input.name && component.substr(0, component.find('.')) != read.input.name) continue;
        found = true;
        if (filled[k])
          place.fail(element.find("name")->value.where, place.key("name"), in_quotes(read.input.name), "has a law already, " + component,
                     "remove one of the two");
        filled[k] = true;
        inputs[k].law = read.input.law;
      }
      if (!found) {
        const std::string_view close = nearest(read.input.name, names);
        place.fail(element.find("name")->value.where, place.key("name"), in_quotes(read.input.name), "is not a parameter",
                   close.empty() ? std::string("name a parameter, or a component as NAME.1") : "did you mean " + in_quotes(close) + "?");
      }
      resolved.elements.push_back(std::move(read.resolved));
    }
    for (std::size_t k = 0; k < inputs.size(); ++k) {
      if (!filled[k]) section.fail(member->where, section.key("laws"), {}, "has no law for " + inputs[k].name, remedy);
    }
    made_.start.law = JointLaw(std::move(inputs));
    out_.start.set("laws", std::move(resolved));
  }

  const Document& document_;
  const std::filesystem::path& base_directory_;
  const std::filesystem::path& run_directory_;
  MadeDensity made_;
  ReadTarget out_;
};

}  // namespace

ReadTarget read_target(const Document& document, const std::filesystem::path& base_directory, const std::filesystem::path& run_directory) {
  return TargetSections(document, base_directory, run_directory).read();
}

}  // namespace buffon::config
