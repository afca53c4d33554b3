// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "bytes.hpp"

namespace buffon::io_detail {

/// The words of a line of numbers, which blanks separate.
class Words {
 public:
  /// @param text part of `line` that is read @param number of the line, from 1 @param source both for messages
  Words(std::string_view text, std::string_view line, std::int64_t number, const std::string& source)
      : rest_(text), line_(line), number_(number), source_(source) {}

  /// @return false at the end
  bool next(std::string_view& word);
  /// The next word, which must be there. @param what it is, for messages
  std::string_view required(const char* what);
  void end();

  /// A finite number. @throws Error(data) with line and column
  double number(std::string_view word) const;
  std::int64_t whole_number(std::string_view word) const;
  /// "index:value"
  std::pair<std::int64_t, double> pair(std::string_view word) const;

  [[noreturn]] void refuse(std::string_view word, std::string rule, std::string remedy) const;

 private:
  std::string_view rest_, line_;
  std::int64_t number_;
  const std::string& source_;
};

}  // namespace buffon::io_detail
