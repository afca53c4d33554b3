// SPDX-License-Identifier: BSD-3-Clause
#include "option_reader.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <sstream>

#include "values.hpp"

namespace buffon::config {
namespace {

/// Whole numbers written as 1e6 are accepted up to here, where doubles still hold every whole number.
constexpr double exact_integers = 9007199254740992.0;

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const auto& word : words) out += (out.empty() ? "" : ", ") + word;
  return out;
}

/// A command line as the elements of a list.
std::string quoted_words(const std::string& line) {
  std::istringstream words(line);
  std::vector<std::string> quoted;
  for (std::string word; words >> word;) quoted.push_back(in_quotes(word));
  return joined(quoted);
}

std::string did_you_mean(std::string_view word) { return word.empty() ? std::string() : "did you mean " + in_quotes(word) + "?"; }

}  // namespace

void Section::fail(const Origin& where, std::string key, std::string value, std::string rule, std::string remedy) const {
  throw Error(ErrorCategory::configuration,
              {.doing = doing, .key = std::move(key), .value = std::move(value), .rule = std::move(rule), .remedy = std::move(remedy)},
              document->locate(where));
}

const Node* OptionReader::find(const Field& field) {
  visited_.emplace_back(field.name);
  const Member* member = section_.table->find(field.name);
  if (member != nullptr) return &member->value;
  if (!field.required) return nullptr;
  // A key that is nearly the missing one is the likelier mistake.
  for (const auto& other : section_.table->members) {
    const bool near = edit_distance(other.key, field.name) <= std::max<std::size_t>(1, field.name.size() / 3);
    if (near && std::find(visited_.begin(), visited_.end(), other.key) == visited_.end()) {
      section_.fail(other.where, section_.key(other.key), {}, "is not a key here", did_you_mean(field.name));
    }
  }
  section_.fail(section_.table->where, section_.key(field.name), {}, "is required and missing",
                section_.document->remedy(section_.key(field.name) + "=…", "add " + std::string(field.name)) + ": " + std::string(field.meaning));
}

template <class T>
void OptionReader::read(const Field& field, T& value) {
  if (const Node* node = find(field)) {
    if constexpr (std::is_same_v<T, double>) infinite_default_ = std::isinf(value);
    convert(field, *node, section_.key(field.name), value);
    infinite_default_ = false;
  }
  resolved_.members.push_back({std::string(field.name), {}, to_node(value)});
}

void OptionReader::note(const Field& field, Node value) {
  visited_.emplace_back(field.name);
  resolved_.members.push_back({std::string(field.name), {}, std::move(value)});
}

void OptionReader::on(const Field& field, std::optional<double>& value) {
  if (const Node* node = find(field)) {
    double number = 0;
    convert(field, *node, section_.key(field.name), number);
    value = number;
  }
  if (value) resolved_.members.push_back({std::string(field.name), {}, to_node(*value)});
}

void OptionReader::convert(const Field&, const Node& node, const std::string& key, bool& value) const {
  if (node.kind != Node::Kind::boolean) section_.fail(node.where, key, show(node), "must be true or false", "write it without quotes");
  value = node.boolean;
}

void OptionReader::convert(const Field& field, const Node& node, const std::string& key, std::int64_t& value) const {
  if (node.kind == Node::Kind::integer) {
    value = node.integer;
  } else if (node.kind == Node::Kind::real && node.real == std::floor(node.real) && std::abs(node.real) <= exact_integers) {
    value = static_cast<std::int64_t>(node.real);
  } else {
    if (node.kind == Node::Kind::real && !field.range.contains(node.real)) check_range(field, node, key, node.real);
    if (node.kind == Node::Kind::real && std::abs(node.real) > exact_integers) {
      section_.fail(node.where, key, show(node), "must be a whole number of at most " + to_text(exact_integers) + " in this notation",
                    "write a larger one with all its digits, at most 9223372036854775807");
    }
    section_.fail(node.where, key, show(node), "must be a whole number", node.kind == Node::Kind::text ? "write it without quotes" : "");
  }
  check_range(field, node, key, static_cast<double>(value));
}

void OptionReader::convert(const Field& field, const Node& node, const std::string& key, double& value) const {
  if (node.kind == Node::Kind::integer) {
    value = static_cast<double>(node.integer);
  } else if (node.kind == Node::Kind::real) {
    value = node.real;
  } else {
    section_.fail(node.where, key, show(node), "must be a number", node.kind == Node::Kind::text ? "write it without quotes" : "");
  }
  check_range(field, node, key, value);
}

void OptionReader::check_range(const Field& field, const Node& node, const std::string& key, double value) const {
  if (std::isnan(value)) section_.fail(node.where, key, show(node), "must not be NaN");
  if (!field.range.contains(value)) {
    section_.fail(node.where, key, show(node), field.range.rule(), field.unit.empty() ? std::string() : "its unit is " + std::string(field.unit));
  }
  if (std::isinf(value) && !infinite_default_) section_.fail(node.where, key, show(node), "must be finite");
}

void OptionReader::convert(const Field& field, const Node& node, const std::string& key, std::string& value) const {
  if (field.json && node.kind == Node::Kind::table) {
    const auto json = write_json(node);
    if (!json) section_.fail(node.where, key, show(node), "holds a number that JSON cannot say");
    value = *json;
    return;
  }
  if (node.kind == Node::Kind::integer && node.where.override_index >= 0 && field.choices.empty()) {
    value = std::to_string(node.integer);  // --set data.weights=3: a shell has taken the quotes
    return;
  }
  if (node.kind != Node::Kind::text) section_.fail(node.where, key, show(node), "must be a text", "write it in quotes");
  if (!field.choices.empty() && std::find(field.choices.begin(), field.choices.end(), node.text) == field.choices.end()) {
    std::string rule = "must be one of ";
    for (std::size_t i = 0; i < field.choices.size(); ++i) rule += (i == 0 ? "" : ", ") + std::string(field.choices[i]);
    section_.fail(node.where, key, show(node), std::move(rule), did_you_mean(nearest(node.text, field.choices)));
  }
  value = node.text;
}

template <class T>
void OptionReader::convert(const Field& field, const Node& node, const std::string& key, std::vector<T>& value) const {
  if (node.kind != Node::Kind::array) {
    const bool words = field.name == "command" && node.kind == Node::Kind::text;
    section_.fail(node.where, key, show(node), "must be a list", "write [" + (words ? quoted_words(node.text) : show(node)) + "]");
  }
  value.clear();
  for (std::size_t i = 0; i < node.elements.size(); ++i) {
    T element{};
    convert(field, node.elements[i], key + "[" + std::to_string(i) + "]", element);
    value.push_back(std::move(element));
  }
  // The sizes in a description are those of the outer list.
  if (key.back() == ']') return;
  const auto size = static_cast<std::int64_t>(node.elements.size());
  const auto count = [](std::int64_t n) { return std::to_string(n) + (n == 1 ? " element" : " elements"); };
  if (size < field.size_min) section_.fail(node.where, key, show(node), "must have at least " + count(field.size_min), "it has " + std::to_string(size));
  if (size > field.size_max) section_.fail(node.where, key, show(node), "must have at most " + count(field.size_max), "it has " + std::to_string(size));
}

void check_keys(const Section& section, const std::vector<std::string>& keys) {
  for (const auto& member : section.table->members) {
    if (std::find(keys.begin(), keys.end(), member.key) != keys.end()) continue;
    const std::string_view close = nearest(member.key, keys);
    std::string remedy = did_you_mean(close);
    if (!remedy.empty()) remedy += " ";
    remedy += keys.empty() ? "no key is known here" : "the keys here are: " + joined(keys);
    section.fail(member.where, section.key(member.key), {}, "is not a key here", std::move(remedy));
  }
}

void append_names(std::vector<std::string>& keys, const std::vector<ListedOption>& options) {
  for (const auto& option : options) keys.push_back(option.name);
}

Error locate_error(const Section& section, const Error& error) {
  ErrorText text = error.text();
  if (text.doing.empty()) text.doing = section.doing;
  std::string name = text.key;
  if (!section.path.empty() && name.rfind(section.path + ".", 0) == 0) name.erase(0, section.path.size() + 1);
  if (const std::size_t dot = name.find('.'); dot != std::string::npos && section.table->find(name.substr(0, dot)) == nullptr) name.erase(0, dot + 1);
  const std::size_t end = name.find_first_of(".[");
  const std::string first = name.substr(0, end);
  Origin where = section.table->where;
  if (const Member* member = section.table->find(first)) {
    where = member->value.where;
    text.key = section.key(first) + (end == std::string::npos ? "" : name.substr(end));
    if (end != std::string::npos && name[end] == '[') {
      const std::size_t index = static_cast<std::size_t>(std::strtoull(name.c_str() + end + 1, nullptr, 10));
      if (index < member->value.elements.size()) where = member->value.elements[index].where;
    }
  } else if (error.category() == ErrorCategory::data && !text.key.empty()) {
    return Error(ErrorCategory::data, std::move(text), error.where());  // about something in a file, not a key here
  } else if (text.key.empty()) {
    text.key = section.path;
  } else if (text.key == first) {
    text.key = section.key(first);
  }
  const ErrorCategory category = error.category() == ErrorCategory::usage ? ErrorCategory::configuration : error.category();
  return Error(category, std::move(text), section.document->locate(where));
}

Origin find_place(const Document& document, std::string_view key) {
  const Node* node = &document.root;
  while (!key.empty()) {
    const std::size_t end = std::min(key.find_first_of(".["), key.size());
    if (const Member* member = node->find(key.substr(0, end))) {
      node = &member->value;
    } else {
      break;
    }
    key.remove_prefix(end);
    if (!key.empty() && key.front() == '[') {
      const std::size_t index = std::strtoull(std::string(key.substr(1)).c_str(), nullptr, 10);
      if (index >= node->elements.size()) break;
      node = &node->elements[index];
      key.remove_prefix(std::min(key.find(']') + 1, key.size()));
    }
    if (!key.empty() && key.front() == '.') key.remove_prefix(1);
  }
  return node->where;
}

}  // namespace buffon::config
