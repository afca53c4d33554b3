// SPDX-License-Identifier: BSD-3-Clause
#include "node.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <iterator>
#include <unordered_set>
#include <utility>

namespace buffon::config {
namespace {

/// Characters of a text; tells how many have been taken, from which the place of every token follows.
struct CountingIterator {
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  const char* begin;
  const char* at;
  std::size_t* taken;

  const char& operator*() const { return *at; }
  CountingIterator& operator++() {
    ++at;
    *taken = static_cast<std::size_t>(at - begin);
    return *this;
  }
  CountingIterator operator++(int) {
    CountingIterator before = *this;
    ++*this;
    return before;
  }
  bool operator==(const CountingIterator& other) const { return at == other.at; }
  bool operator!=(const CountingIterator& other) const { return at != other.at; }
};

/// Builds nodes from the events of the JSON parser, which is not recursive.
class Builder {
 public:
  using number_integer_t = nlohmann::json::number_integer_t;
  using number_unsigned_t = nlohmann::json::number_unsigned_t;
  using number_float_t = nlohmann::json::number_float_t;
  using string_t = nlohmann::json::string_t;
  using binary_t = nlohmann::json::binary_t;

  Builder(std::string_view text, const std::string& file, const std::size_t& taken) : text_(text), file_(file), taken_(taken) {}

  bool null() { return leaf(null_node()); }
  bool boolean(bool value) { return leaf(boolean_node(value)); }
  bool number_integer(number_integer_t value) { return leaf(integer_node(value)); }
  bool number_unsigned(number_unsigned_t value) {
    // Above the signed range the value cannot be a whole number of ours; as a real number it fails the range with its size shown.
    return leaf(value > static_cast<std::uint64_t>(INT64_MAX) ? real_node(static_cast<double>(value)) : integer_node(static_cast<std::int64_t>(value)));
  }
  bool number_float(number_float_t value, const string_t&) { return leaf(real_node(value)); }
  bool string(string_t& value) { return leaf(text_node(value)); }
  bool binary(binary_t&) { return false; }
  bool start_object(std::size_t) { return open(table_node()); }
  bool start_array(std::size_t) { return open(array_node()); }
  bool end_object() { return close(); }
  bool end_array() { return close(); }

  bool key(string_t& name) {
    const Origin where = token();
    Level& level = stack_.back();
    if (!level.keys.insert(name).second) fail(where, path_step(name), "is given twice in one table", "remove one of the two");
    if (level.keys.size() > max_members) fail(where, {}, "a table must not have more than " + std::to_string(max_members) + " keys", {});
    level.node.members.push_back({name, where, table_node(where)});
    return true;
  }

  bool parse_error(std::size_t position, const std::string&, const nlohmann::json::exception& error) {
    // "[json.exception.parse_error.101] parse error at line 1, column 2: syntax error …": the reason follows the place.
    const std::string what = error.what();
    std::size_t start = what.find("] ");
    start = start == std::string::npos ? 0 : start + 2;
    const std::size_t colon = what.find(": ", start);
    if (what.compare(start, 11, "parse error") == 0 && colon != std::string::npos) start = colon + 2;
    fail(advance(position > 0 ? position - 1 : 0), {}, quoted_free(what.substr(start)), {});
  }

  Node take_root() { return std::move(root_); }

 private:
  struct Level {
    Node node;
    std::unordered_set<std::string> keys;
  };

  [[noreturn]] void fail(Origin where, std::string key, std::string rule, std::string remedy) const {
    throw Error(ErrorCategory::configuration,
                {.doing = "reading the configuration as JSON", .key = std::move(key), .rule = std::move(rule), .remedy = std::move(remedy)},
                {.file = file_, .line = where.line, .column = where.column});
  }

  static std::string quoted_free(std::string text) {
    for (char& c : text) {
      if (static_cast<unsigned char>(c) < 0x20) c = ' ';
    }
    return text.size() > 200 ? text.substr(0, 200) : text;
  }

  /// Line and column of a byte at or after the last one asked for.
  Origin advance(std::size_t byte) {
    for (; scanned_ < std::min(byte, text_.size()); ++scanned_) {
      if (text_[scanned_] == '\n') {
        ++line_;
        column_ = 1;
      } else if ((static_cast<unsigned char>(text_[scanned_]) & 0xc0) != 0x80) {
        ++column_;
      }
    }
    return {.line = line_, .column = column_};
  }

  /// Place of the token just read: the first character after the token before it that is no separator. A number is known
  /// to end only after its separator was taken, which this rule does not notice.
  Origin token() {
    std::size_t start = std::min(end_, text_.size());
    while (start < text_.size() && std::string_view(" \t\r\n,:]}").find(text_[start]) != std::string_view::npos) ++start;
    end_ = taken_;
    return advance(start);
  }

  bool leaf(Node value) {
    value.where = token();
    place(std::move(value));
    return true;
  }

  bool open(Node value) {
    value.where = token();
    if (static_cast<int>(stack_.size()) >= max_depth) {
      fail(value.where, {}, "tables and lists must not nest deeper than " + std::to_string(max_depth) + " levels", {});
    }
    stack_.push_back({std::move(value), {}});
    return true;
  }

  bool close() {
    Node value = std::move(stack_.back().node);
    stack_.pop_back();
    place(std::move(value));
    return true;
  }

  void place(Node value) {
    if (stack_.empty()) {
      root_ = std::move(value);
    } else if (stack_.back().node.kind == Node::Kind::table) {
      stack_.back().node.members.back().value = std::move(value);
    } else {
      stack_.back().node.elements.push_back(std::move(value));
    }
  }

  std::string_view text_;
  const std::string& file_;
  const std::size_t& taken_;
  std::size_t end_ = 0;
  std::size_t scanned_ = 0;
  int line_ = 1;
  int column_ = 1;
  std::vector<Level> stack_;
  Node root_;
};

nlohmann::ordered_json to_json(const Node& value) {
  switch (value.kind) {
    case Node::Kind::null:
      return nullptr;
    case Node::Kind::boolean:
      return value.boolean;
    case Node::Kind::integer:
      return value.integer;
    case Node::Kind::real:
      return value.real;
    case Node::Kind::text:
    case Node::Kind::date:
      return value.text;
    case Node::Kind::array: {
      auto list = nlohmann::ordered_json::array();
      for (const Node& element : value.elements) list.push_back(to_json(element));
      return list;
    }
    case Node::Kind::table:
      break;
  }
  auto object = nlohmann::ordered_json::object();
  for (const Member& member : value.members) object[member.key] = to_json(member.value);
  return object;
}

bool finite(const Node& value) {
  if (value.kind == Node::Kind::real) return std::isfinite(value.real);
  return std::all_of(value.elements.begin(), value.elements.end(), finite) &&
         std::all_of(value.members.begin(), value.members.end(), [](const Member& member) { return finite(member.value); });
}

}  // namespace

Node read_json(std::string_view text, const std::string& file) {
  std::size_t taken = 0;
  Builder builder(text, file, taken);
  const CountingIterator first{text.data(), text.data(), &taken};
  const CountingIterator last{text.data(), text.data() + text.size(), &taken};
  nlohmann::json::sax_parse(first, last, &builder);
  Node root = builder.take_root();
  if (root.kind != Node::Kind::table) {
    throw Error(ErrorCategory::configuration, {.doing = "reading the configuration as JSON", .value = show(root), .rule = "must be an object { … }"},
                {.file = file, .line = root.where.line, .column = root.where.column});
  }
  return root;
}

std::optional<std::string> write_json(const Node& value) {
  if (!finite(value)) return {};
  return to_json(value).dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace buffon::config
