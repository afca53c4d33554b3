// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace buffon {

/// Who has to act on an error; decides the exit status of the command line.
enum class ErrorCategory {
  usage,          ///< wrong call of the command line or of a function              (exit 64)
  configuration,  ///< a key or an option breaks a rule                             (exit 78)
  data,           ///< an input file or data set is wrong                           (exit 65)
  no_input,       ///< an input file or data set is missing or unreadable           (exit 66)
  model,          ///< the user's model failed or returned something unusable      (exit 70)
  numeric,        ///< a computation cannot continue (singular, overflow, …)        (exit 70)
  interrupted,    ///< stopped on request, a checkpoint was written, resume later   (exit 75)
  internal,       ///< a defect of the library                                      (exit 70)
};

/// The category's name as written in logs and results.
std::string_view name(ErrorCategory category);

/// Exit status of the command line, after sysexits.
int exit_status(ErrorCategory category);

/// The five parts of a message. Empty parts are left out of the text.
struct ErrorText {
  std::string doing = {};   ///< what was being done, e.g. "reading the options of plain_monte_carlo"
  std::string key = {};     ///< the argument or the configuration key, e.g. "options.max_evaluations"
  std::string value = {};   ///< the value that was given, as text
  std::string rule = {};    ///< the rule that it breaks, e.g. "must be at least 1"
  std::string remedy = {};  ///< what to do, e.g. "give a positive whole number"
};

/// Position in a text file; line and column start at 1, 0 = unknown.
struct SourceLocation {
  std::string file;
  int line = 0;
  int column = 0;
};

/// The one exception family of buffon. `what()` is the whole message on one line:
/// `file:line:column: doing: key = value: rule. remedy.`
class Error : public std::runtime_error {
 public:
  Error(ErrorCategory category, ErrorText text, SourceLocation where = {});

  ErrorCategory category() const { return category_; }
  const ErrorText& text() const { return text_; }
  const SourceLocation& where() const { return where_; }

  /// The same error with the place in a file (and, where given, the full key) filled in.
  Error at(SourceLocation where, std::string key = {}) const;

 private:
  ErrorCategory category_;
  ErrorText text_;
  SourceLocation where_;
};

/// Shortest decimal text that reads back to the same double ("inf", "-inf", "nan" for non-finite values).
std::string to_text(double value);

/// The candidate closest to `word` by edit distance, or an empty view when none is near.
/// Used for "did you mean" in every message about an unknown name.
template <class Names>
std::string_view nearest(std::string_view word, const Names& names);

/// Damerau–Levenshtein distance (optimal string alignment), the measure behind `nearest`.
std::size_t edit_distance(std::string_view a, std::string_view b);

template <class Names>
std::string_view nearest(std::string_view word, const Names& names) {
  std::string_view best;
  std::size_t best_distance = word.size() / 2 + 2;  // further than half of the word is a guess, not a suggestion
  for (const auto& candidate : names) {
    const std::size_t distance = edit_distance(word, candidate);
    if (distance < best_distance) {
      best_distance = distance;
      best = candidate;
    }
  }
  return best;
}

}  // namespace buffon
