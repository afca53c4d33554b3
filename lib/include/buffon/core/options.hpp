// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace buffon {

/// Admissible interval of a number (or of every number of a list).
struct Range {
  double min = -std::numeric_limits<double>::infinity();
  double max = std::numeric_limits<double>::infinity();
  bool open_min = false;  ///< min itself is not allowed
  bool open_max = false;  ///< max itself is not allowed

  bool contains(double x) const { return (open_min ? x > min : x >= min) && (open_max ? x < max : x <= max); }
  /// "must be at least 1", "must be in (0, 1]", …; empty when everything is allowed.
  std::string rule() const;
};

inline Range at_least(double min) { return {.min = min}; }
inline Range at_most(double max) { return {.max = max}; }
inline Range positive() { return {.min = 0, .open_min = true}; }
inline Range between(double min, double max) { return {.min = min, .max = max}; }
inline Range strictly_between(double min, double max) { return {.min = min, .max = max, .open_min = true, .open_max = true}; }

/// What is said of one option, once. The default is whatever the options object holds when it is visited.
struct Field {
  std::string_view name;                                             ///< key in a configuration and member of the struct
  std::string_view meaning;                                          ///< one sentence
  std::string_view unit = {};                                        ///< "points", "seconds", …; empty = none
  Range range = {};                                                  ///< for numbers
  std::span<const std::string_view> choices = {};                    ///< for words: the allowed ones (empty = any text)
  bool required = false;                                             ///< must be given; there is no default
  std::int64_t size_min = 0;                                         ///< for lists: fewest elements
  std::int64_t size_max = std::numeric_limits<std::int64_t>::max();  ///< for lists: most elements
  bool json = false;                                                 ///< for texts: JSON; a table may be given, which is read as its JSON text
};

/// Visitor of an options struct. Reading a configuration, explaining it, writing the JSON schema and generating
/// invalid inputs are implementations of this interface; a struct is listed once, in `describe(OptionVisitor&, S&)`.
///
///     void describe(OptionVisitor& v, PlainMonteCarloOptions& o) {
///       v.on({.name = "max_evaluations", .meaning = "…", .unit = "points", .range = at_least(1)}, o.max_evaluations);
///     }
class OptionVisitor {
 public:
  virtual ~OptionVisitor() = default;
  virtual void on(const Field& field, bool& value) = 0;
  virtual void on(const Field& field, std::int64_t& value) = 0;
  virtual void on(const Field& field, double& value) = 0;
  virtual void on(const Field& field, std::string& value) = 0;
  virtual void on(const Field& field, std::optional<double>& value) = 0;
  virtual void on(const Field& field, std::vector<double>& value) = 0;
  virtual void on(const Field& field, std::vector<std::int64_t>& value) = 0;
  virtual void on(const Field& field, std::vector<std::string>& value) = 0;
  virtual void on(const Field& field, std::vector<std::vector<std::string>>& value) = 0;
  /// Rows of numbers, and lists of these; visitors of parameters that have none need not know them.
  virtual void on(const Field&, std::vector<std::vector<double>>&) {}
  virtual void on(const Field&, std::vector<std::vector<std::vector<double>>>&) {}

  /// An enumeration whose words are `names` in the order of its values 0, 1, 2, …
  template <class Enum>
  requires std::is_enum_v<Enum>
  void on(Field field, Enum& value, std::span<const std::string_view> names) {
    field.choices = names;
    std::string word(names[static_cast<std::size_t>(value)]);
    on(field, word);
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (names[i] == word) value = static_cast<Enum>(i);
    }
  }
};

}  // namespace buffon
