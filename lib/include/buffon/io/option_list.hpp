// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/core/options.hpp>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace buffon {

/// Type of an option.
enum class OptionType { boolean, integer, number, text, optional_number, number_list, integer_list, text_list, text_lists, number_rows, number_tables };

/// In words: "true or false", "whole number", "number", "text", "list of numbers", …
std::string_view type_text(OptionType type);

/// One described option with its default, owning all that a Field refers to.
struct ListedOption {
  std::string name;
  std::string meaning;
  std::string unit;
  OptionType type = OptionType::number;
  Range range;
  std::vector<std::string> choices;
  bool required = false;
  std::int64_t size_min = 0;
  std::int64_t size_max = std::numeric_limits<std::int64_t>::max();
  bool json = false;
  std::string default_text;  ///< as TOML; empty when required or when nothing is the default

  /// The rule of the values without the word "must": "at least 1", "one of a, b", "in (0, 1), 2 elements"; may be empty.
  std::string rule() const;
};

/// The options that `describe` visits, in its order.
std::vector<ListedOption> list_options(const std::function<void(OptionVisitor&)>& describe);

/// The options of a struct with `describe(OptionVisitor&, S&)`, defaults from `options`.
template <class Options>
std::vector<ListedOption> list_options_of(Options options = {}) {
  return list_options([&](OptionVisitor& visitor) { describe(visitor, options); });
}

}  // namespace buffon
