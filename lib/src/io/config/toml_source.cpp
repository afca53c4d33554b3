// SPDX-License-Identifier: BSD-3-Clause
#include "node.hpp"

#include <toml++/toml.h>

#include <algorithm>
#include <sstream>
#include <utility>

namespace buffon::config {
namespace {

Origin origin(const toml::source_region& region) { return {.line = static_cast<int>(region.begin.line), .column = static_cast<int>(region.begin.column)}; }

SourceLocation place(const std::string& file, Origin where) { return {.file = file, .line = where.line, .column = where.column}; }

/// Refuses brackets and dotted keys that nest deeper than the limit, before the recursive parser sees them.
void check_depth(std::string_view text, const std::string& file) {
  int line = 1;
  std::size_t line_start = 0;
  int brackets = 0;
  int dots = 0;
  const auto newline = [&](std::size_t i) {
    ++line;
    line_start = i + 1;
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    switch (c) {
      case '#':
        while (i + 1 < text.size() && text[i + 1] != '\n') ++i;
        break;
      case '"':
      case '\'': {
        const bool escapes = c == '"';
        const bool multiline = i + 2 < text.size() && text[i + 1] == c && text[i + 2] == c;
        for (i += multiline ? 3 : 1; i < text.size(); ++i) {
          if (text[i] == '\n') {
            newline(i);
            if (!multiline) break;
          }
          if (escapes && text[i] == '\\') {
            if (i + 1 < text.size() && text[i + 1] != '\n') ++i;
          } else if (text[i] == c && (!multiline || text.substr(i, 3) == std::string(3, c))) {
            if (multiline) i += 2;
            break;
          }
        }
        break;
      }
      case '\n':
        newline(i);
        dots = 0;
        break;
      case '[':
      case '{':
        ++brackets;
        dots = 0;
        break;
      case ']':
      case '}':
        brackets = std::max(0, brackets - 1);
        break;
      case '=':
      case ',':
        dots = 0;
        break;
      case '.':
        ++dots;
        break;
      default:
        break;
    }
    if (brackets > max_depth || dots > max_depth) {
      throw Error(ErrorCategory::configuration,
                  {.doing = "reading the configuration", .rule = "tables and lists must not nest deeper than " + std::to_string(max_depth) + " levels"},
                  place(file, {.line = line, .column = static_cast<int>(i - line_start) + 1}));
    }
  }
}

struct Converter {
  const std::string& file;

  Node convert(const toml::node& source) const {
    Node node;
    node.where = origin(source.source());
    switch (source.type()) {
      case toml::node_type::table: {
        const toml::table& table = *source.as_table();
        if (table.size() > max_members) {
          throw Error(ErrorCategory::configuration,
                      {.doing = "reading the configuration", .rule = "a table must not have more than " + std::to_string(max_members) + " keys"},
                      place(file, node.where));
        }
        for (const auto& [key, value] : table) node.members.push_back({std::string(key.str()), origin(key.source()), convert(value)});
        // toml++ sorts by key; the order of the file is what the reader of a message or of a resolved configuration expects.
        std::stable_sort(node.members.begin(), node.members.end(),
                         [](const Member& a, const Member& b) { return std::pair(a.where.line, a.where.column) < std::pair(b.where.line, b.where.column); });
        break;
      }
      case toml::node_type::array:
        node.kind = Node::Kind::array;
        for (const auto& element : *source.as_array()) node.elements.push_back(convert(element));
        break;
      case toml::node_type::string:
        node.kind = Node::Kind::text;
        node.text = source.as_string()->get();
        break;
      case toml::node_type::integer:
        node.kind = Node::Kind::integer;
        node.integer = source.as_integer()->get();
        break;
      case toml::node_type::floating_point:
        node.kind = Node::Kind::real;
        node.real = source.as_floating_point()->get();
        break;
      case toml::node_type::boolean:
        node.kind = Node::Kind::boolean;
        node.boolean = source.as_boolean()->get();
        break;
      default: {
        std::ostringstream text;
        source.visit([&](const auto& leaf) {
          using Leaf = std::decay_t<decltype(leaf)>;
          if constexpr (toml::is_date<Leaf> || toml::is_time<Leaf> || toml::is_date_time<Leaf>) text << leaf.get();
        });
        node.kind = Node::Kind::date;
        node.text = text.str();
        break;
      }
    }
    return node;
  }
};

}  // namespace

Node read_toml(std::string_view text, const std::string& file) {
  check_depth(text, file);
  try {
    const toml::table table = toml::parse(text);
    Node root = Converter{file}.convert(table);
    root.where = {.line = 1, .column = 1};
    return root;
  } catch (const toml::parse_error& error) {
    throw Error(ErrorCategory::configuration, {.doing = "reading the configuration as TOML", .rule = std::string(error.description())},
                place(file, origin(error.source())));
  }
}

}  // namespace buffon::config
