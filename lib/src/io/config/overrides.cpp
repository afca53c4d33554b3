// SPDX-License-Identifier: BSD-3-Clause
#include "node.hpp"
#include "sections.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace buffon::config {
namespace {

/// What is wrong with an override; its place is the flag itself.
[[noreturn]] void fail(const Document& document, std::size_t index, std::string key, std::string rule, std::string remedy) {
  throw Error(ErrorCategory::configuration, {.doing = "applying an override", .key = std::move(key), .rule = std::move(rule), .remedy = std::move(remedy)},
              document.locate({.override_index = static_cast<int>(index)}));
}

void mark(Node& node, Origin origin) {
  node.where = origin;
  for (auto& element : node.elements) mark(element, origin);
  for (auto& member : node.members) {
    member.where = origin;
    mark(member.value, origin);
  }
}

/// The value as TOML; text that does not read as TOML and opens no quote or bracket stands for itself.
Node value_of(const Document& document, std::size_t index, const std::string& text) {
  const SourceLocation flag = document.locate({.override_index = static_cast<int>(index)});
  const std::size_t first = text.find_first_not_of(" \t");
  const bool literal = first == std::string::npos || std::string_view("\"'[{").find(text[first]) == std::string_view::npos;
  if (literal && text.find_first_of("\r\n") != std::string::npos) return text_node(text);
  try {
    Node root = read_toml("value = " + text, flag.file);
    if (root.members.size() == 1 && root.members.front().value.kind != Node::Kind::date && text.find('#') == std::string::npos) {
      return std::move(root.members.front().value);
    }
    if (!literal && root.members.size() == 1) return std::move(root.members.front().value);
  } catch (const Error& error) {
    if (!literal) throw Error(ErrorCategory::configuration, error.text(), {.file = flag.file});
  }
  if (!literal) fail(document, index, {}, "must give one value", "use one --set for each key");
  return text_node(text);
}

std::vector<std::string> steps_of(const std::string& path) {
  std::vector<std::string> steps(1);
  for (const char c : path) {
    if (c == '.') {
      steps.emplace_back();
    } else {
      steps.back() += c;
    }
  }
  return steps;
}

std::vector<std::string> element_names(const Node& array) {
  std::vector<std::string> names;
  for (const auto& element : array.elements) {
    const Member* name = element.kind == Node::Kind::table ? element.find("name") : nullptr;
    names.push_back(name != nullptr && name->value.kind == Node::Kind::text ? name->value.text : std::string());
  }
  return names;
}

/// The element that a step of the path means: its number, or its `name`.
std::size_t element_of(const Document& document, std::size_t index, const Node& array, const std::string& step, const std::string& path) {
  std::size_t number = 0;
  const auto [end, status] = std::from_chars(step.data(), step.data() + step.size(), number);
  if (status == std::errc() && end == step.data() + step.size()) {
    if (number < array.elements.size()) return number;
    fail(document, index, path, "has " + std::to_string(array.elements.size()) + " elements, numbered from 0", "give an existing number or name");
  }
  const std::vector<std::string> names = element_names(array);
  const auto found = std::find(names.begin(), names.end(), step);
  if (found != names.end()) return static_cast<std::size_t>(found - names.begin());
  const std::string_view close = nearest(step, names);
  fail(document, index, path, "has no element named " + in_quotes(step), close.empty() ? std::string() : "did you mean " + in_quotes(close) + "?");
}

}  // namespace

void apply_override(Document& document, std::size_t index) {
  const Origin origin{.override_index = static_cast<int>(index)};
  const std::string text = document.overrides[index];
  const std::size_t equals = text.find('=');
  const std::string remedy = "write section.key=value, for example options.level=0.99";
  if (text.size() > max_bytes) fail(document, index, {}, "is longer than " + std::to_string(max_bytes) + " bytes", {});
  if (equals == std::string::npos) fail(document, index, {}, "has no \"=\"", remedy);

  std::string path = text.substr(0, equals);
  while (!path.empty() && path.back() == ' ') path.pop_back();
  const std::vector<std::string> steps = steps_of(path);
  if (std::any_of(steps.begin(), steps.end(), [](const std::string& s) { return s.empty(); })) fail(document, index, {}, "has an empty key", remedy);
  if (static_cast<int>(steps.size()) > max_depth) fail(document, index, {}, "has a key of more than " + std::to_string(max_depth) + " steps", {});

  Node value = value_of(document, index, text.substr(equals + 1));
  mark(value, origin);

  Node* node = &document.root;
  std::string so_far;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const bool last = i + 1 == steps.size();
    if (node->kind == Node::Kind::table) {
      Member* member = node->find(steps[i]);
      if (member == nullptr) {
        if (i == 0 && !last && repeated_section(steps[0])) {
          if (document.file.empty()) fail(document, index, steps[0], "has no elements", "give the whole list: --set '" + steps[0] + "=[{…}, {…}]'");
          fail(document, index, steps[0], "has no elements in the file",
               "write [[" + steps[0] + "]] in the file; a run's config.resolved.toml has those of named problems");
        }
        if (node->members.size() >= max_members) fail(document, index, so_far, "has too many keys", {});
        node->members.push_back({steps[i], origin, table_node(origin)});
        member = &node->members.back();
      }
      if (last) member->where = origin;
      node = &member->value;
    } else if (node->kind == Node::Kind::array) {
      node = &node->elements[element_of(document, index, *node, steps[i], so_far)];
    } else {
      fail(document, index, so_far, "is " + show(*node) + " and has no keys", {});
    }
    so_far += (i == 0 ? "" : ".") + path_step(steps[i]);
  }
  *node = std::move(value);
}

}  // namespace buffon::config
