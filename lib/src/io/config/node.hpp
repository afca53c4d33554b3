// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/core/error.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace buffon::config {

/// Limits of a configuration, part of its format: a hostile file ends in an error, never in a crash.
inline constexpr std::size_t max_bytes = std::size_t{1} << 20;  ///< of a file or an override
inline constexpr int max_depth = 32;                            ///< of tables and lists inside each other
inline constexpr std::size_t max_members = 4096;                ///< keys of one table

/// Where a key or a value was written: a place in the file, or an override. Line 0 = not known.
struct Origin {
  int line = 0;
  int column = 0;
  int override_index = -1;  ///< number of the `--set` that wrote it; −1 = the file
};

struct Member;

/// A value of a configuration with its place, independent of the format it was written in.
struct Node {
  enum class Kind { table, array, text, integer, real, boolean, date, null };
  Kind kind = Kind::table;
  bool boolean = false;
  std::int64_t integer = 0;
  double real = 0;
  std::string text;             ///< of a text; of a date as written
  std::vector<Node> elements;   ///< of an array
  std::vector<Member> members;  ///< of a table, in the order of the file
  Origin where;

  const Member* find(std::string_view key) const;
  Member* find(std::string_view key);
  /// Replaces the value of the key, or adds it at the end.
  void set(std::string_view key, Node value);
  void erase(std::string_view key);
};

/// A key with its value; both have a place.
struct Member {
  std::string key;
  Origin where;
  Node value;
};

Node table_node(Origin where = {});
Node array_node();
Node null_node();
Node text_node(std::string_view text);
Node integer_node(std::int64_t value);
Node real_node(double value);
Node boolean_node(bool value);

/// A configuration as it was written.
struct Document {
  std::string file;                    ///< name for messages; empty = the command line alone
  std::vector<std::string> overrides;  ///< texts of `--set`
  Node root;

  SourceLocation locate(const Origin& origin) const;
  /// What to do about something missing: `in_file`, or the flag --set with what follows it.
  std::string remedy(const std::string& set, const std::string& in_file) const;
};

/// Reads TOML. @throws Error(configuration) with the place
Node read_toml(std::string_view text, const std::string& file);
/// Reads JSON with the same meaning. @throws Error(configuration) with the place
Node read_json(std::string_view text, const std::string& file);

/// JSON text of a value on one line; nothing when it holds a number that JSON cannot say. Dates become texts.
std::optional<std::string> write_json(const Node& value);

/// Applies `section.key=value`, number `index` of document.overrides, to document.root. A step of the path is a key, a
/// number of an element (from 0), or the name of an element that has a `name`. The value is TOML; what does not read as
/// TOML is taken as text, so that quotes may be left out.
/// @throws Error(configuration) that names the flag
void apply_override(Document& document, std::size_t index);

/// Canonical TOML: the members of a table in their order, plain values first, then tables, then lists of tables.
std::string write_toml(const Node& root);

/// A value on one line of TOML, whole.
std::string write_value(const Node& value);

/// One line of TOML for messages, cut after about 60 characters.
std::string show(const Node& value);
/// A word in quotes with control characters escaped, cut after about 60 characters.
std::string in_quotes(std::string_view text);
/// The key as TOML writes it: bare where that is allowed, else in quotes.
std::string key_text(std::string_view key);
/// The same for paths in messages, cut after about 60 characters.
std::string path_step(std::string_view key);

/// SHA-256 (FIPS 180-4) in hexadecimal.
std::string sha256(std::string_view bytes);

}  // namespace buffon::config
