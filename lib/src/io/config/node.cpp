// SPDX-License-Identifier: BSD-3-Clause
#include "node.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace buffon::config {
namespace {

constexpr std::size_t shown = 60;

bool bare(std::string_view key) {
  return !key.empty() && std::all_of(key.begin(), key.end(),
                                     [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-'; });
}

std::string escaped(std::string_view text) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (byte < 0x20 || byte == 0x7f) {
      out += "\\u00";
      out += digits[byte >> 4];
      out += digits[byte & 15];
    } else {
      out += c;
    }
  }
  return out;
}

/// A prefix that does not end inside a UTF-8 sequence.
std::string_view prefix(std::string_view text, std::size_t bytes) {
  if (text.size() <= bytes) return text;
  while (bytes > 0 && (static_cast<unsigned char>(text[bytes]) & 0xc0) == 0x80) --bytes;
  return text.substr(0, bytes);
}

std::string real_text(double value) {
  std::string text = to_text(value);
  if (std::isfinite(value) && text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

/// Appends `value` on one line; stops once `out` is longer than `limit`.
void write_inline(const Node& value, std::string& out, std::size_t limit) {
  if (out.size() > limit) return;
  switch (value.kind) {
    case Node::Kind::boolean:
      out += value.boolean ? "true" : "false";
      return;
    case Node::Kind::integer:
      out += std::to_string(value.integer);
      return;
    case Node::Kind::real:
      out += real_text(value.real);
      return;
    case Node::Kind::text:
      out += '"' + escaped(limit == std::string::npos ? std::string_view(value.text) : prefix(value.text, limit + 1)) + '"';
      return;
    case Node::Kind::date:
      out += value.text;
      return;
    case Node::Kind::null:
      out += "null";
      return;
    case Node::Kind::array:
      out += '[';
      for (std::size_t i = 0; i < value.elements.size() && out.size() <= limit; ++i) {
        if (i > 0) out += ", ";
        write_inline(value.elements[i], out, limit);
      }
      out += ']';
      return;
    case Node::Kind::table:
      out += '{';
      for (std::size_t i = 0; i < value.members.size() && out.size() <= limit; ++i) {
        out += i > 0 ? ", " : " ";
        out += key_text(value.members[i].key) + " = ";
        write_inline(value.members[i].value, out, limit);
      }
      out += value.members.empty() ? "}" : " }";
      return;
  }
}

bool list_of_tables(const Node& value) {
  return value.kind == Node::Kind::array && !value.elements.empty() && value.elements.front().kind == Node::Kind::table;
}

void write_plain(const Node& table, std::string& out) {
  for (const auto& member : table.members) {
    out += key_text(member.key) + " = ";
    write_inline(member.value, out, std::string::npos);
    out += '\n';
  }
}

}  // namespace

const Member* Node::find(std::string_view key) const {
  const auto found = std::find_if(members.begin(), members.end(), [&](const Member& m) { return m.key == key; });
  return found == members.end() ? nullptr : &*found;
}

Member* Node::find(std::string_view key) { return const_cast<Member*>(std::as_const(*this).find(key)); }

void Node::set(std::string_view key, Node value) {
  if (Member* member = find(key)) {
    member->where = value.where;
    member->value = std::move(value);
  } else {
    const Origin origin = value.where;
    members.push_back({std::string(key), origin, std::move(value)});
  }
}

void Node::erase(std::string_view key) {
  members.erase(std::remove_if(members.begin(), members.end(), [&](const Member& m) { return m.key == key; }), members.end());
}

Node table_node(Origin where) {
  Node node;
  node.where = where;
  return node;
}

Node array_node() {
  Node node;
  node.kind = Node::Kind::array;
  return node;
}

Node null_node() {
  Node node;
  node.kind = Node::Kind::null;
  return node;
}

Node text_node(std::string_view text) {
  Node node;
  node.kind = Node::Kind::text;
  node.text = text;
  return node;
}

Node integer_node(std::int64_t value) {
  Node node;
  node.kind = Node::Kind::integer;
  node.integer = value;
  return node;
}

Node real_node(double value) {
  Node node;
  node.kind = Node::Kind::real;
  node.real = value;
  return node;
}

Node boolean_node(bool value) {
  Node node;
  node.kind = Node::Kind::boolean;
  node.boolean = value;
  return node;
}

SourceLocation Document::locate(const Origin& origin) const {
  if (origin.override_index >= 0) return {.file = "--set " + in_quotes(overrides[static_cast<std::size_t>(origin.override_index)])};
  if (file.empty()) return {.file = "command line"};
  return {.file = file, .line = origin.line, .column = origin.column};
}

std::string Document::remedy(const std::string& set, const std::string& in_file) const { return file.empty() ? "give --set " + set : in_file; }

std::string key_text(std::string_view key) { return bare(key) ? std::string(key) : '"' + escaped(key) + '"'; }

std::string path_step(std::string_view key) { return bare(key) && key.size() <= shown ? std::string(key) : in_quotes(key); }

std::string in_quotes(std::string_view text) {
  const std::string_view part = prefix(text, shown);
  return '"' + escaped(part) + (part.size() < text.size() ? "…\"" : "\"");
}

std::string write_value(const Node& value) {
  std::string out;
  write_inline(value, out, std::string::npos);
  return out;
}

std::string show(const Node& value) {
  if (value.kind == Node::Kind::text) return in_quotes(value.text);
  std::string out;
  write_inline(value, out, shown);
  const std::string_view part = prefix(out, shown + 2);
  return part.size() < out.size() ? std::string(part) + "…" : out;
}

std::string write_toml(const Node& root) {
  std::string out;
  Node plain;
  for (const auto& member : root.members) {
    if (member.value.kind != Node::Kind::table && !list_of_tables(member.value)) plain.members.push_back(member);
  }
  write_plain(plain, out);
  for (const auto& member : root.members) {
    if (member.value.kind == Node::Kind::table) {
      out += "\n[" + key_text(member.key) + "]\n";
      write_plain(member.value, out);
    } else if (list_of_tables(member.value)) {
      for (const auto& element : member.value.elements) {
        out += "\n[[" + key_text(member.key) + "]]\n";
        write_plain(element, out);
      }
    }
  }
  return out;
}

}  // namespace buffon::config
