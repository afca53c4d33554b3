// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/core/error.hpp>

#include "expressions.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

namespace buffon::detail {
namespace {

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

std::string all_function_names() {
  std::string text;
  for (const auto& function : expression_functions()) text += (text.empty() ? "" : ", ") + std::string(function.name);
  return text;
}

class Checker {
 public:
  Checker(const std::string& label, std::string_view text, const std::vector<std::string>& variables) : label_(label), text_(text), variables_(variables) {}

  void check() {
    if (text_.size() > max_expression_length) {
      fail(0, "is " + std::to_string(text_.size()) + " characters long; at most " + std::to_string(max_expression_length) + " are allowed",
           "Split it into several outputs");
    }
    frames_.push_back({});
    while (skip_space()) {
      const char c = text_[at_];
      if (is_digit(c) || c == '.') {
        number();
      } else if (is_letter(c)) {
        name();
      } else {
        symbol(c);
      }
    }
    if (expecting_operand_) {
      if (at_start_) fail(0, "is empty", "Give an expression, for example \"2 * " + (variables_.empty() ? "pi" : variables_.front()) + "\"");
      fail(text_.size(), "expected a number, a name or \"(\" but the expression ends here");
    }
    if (frames_.size() > 1) fail(frames_.back().position, "this \"(\" is never closed", "Add \")\"");
    close_conditions();
  }

 private:
  struct Frame {
    std::size_t position = 0;                      ///< of the opening parenthesis
    const ExpressionFunction* function = nullptr;  ///< whose arguments these are
    int arguments = 1;
    bool compared = false;                ///< a comparison was seen since the last &&, ||, ?, :, comma
    std::vector<std::size_t> conditions;  ///< positions of "?" that wait for their ":"
  };

  [[noreturn]] void fail(std::size_t position, const std::string& rule, const std::string& remedy = {}) const {
    std::string where;
    if (!at_start_ || position > 0) where = "at character " + std::to_string(position + 1) + ": ";
    std::string shown(text_.substr(0, 200));
    if (text_.size() > 200) shown += "...";
    for (char& c : shown) {
      if (static_cast<unsigned char>(c) < 0x20) c = ' ';
    }
    throw Error(ErrorCategory::configuration,
                {.doing = "reading the expression of " + label_, .value = "\"" + shown + "\"", .rule = where + rule, .remedy = remedy});
  }

  bool skip_space() {
    while (at_ < text_.size() && is_space(text_[at_])) ++at_;
    return at_ < text_.size();
  }

  char next_symbol(std::size_t from) const {
    while (from < text_.size() && is_space(text_[from])) ++from;
    return from < text_.size() ? text_[from] : '\0';
  }

  void operand(std::size_t size, const std::string& what) {
    if (!expecting_operand_) fail(at_, "expected an operator before " + what, "Write a product with \"*\"");
    expecting_operand_ = false;
    after_sign_ = false;
    at_start_ = false;
    at_ += size;
  }

  void number() {
    double value = 0;
    const std::size_t size = scan_number(text_.substr(at_), value);
    const std::string token(text_.substr(at_, std::max<std::size_t>(size, 1)));
    if (size == 0) fail(at_, "\".\" is not a number", "Write decimals as 0.5");
    if (!std::isfinite(value)) fail(at_, "the number " + token + " does not fit a double");
    operand(size, "the number " + token);
  }

  void name() {
    std::size_t end = at_;
    while (end < text_.size() && (is_letter(text_[end]) || is_digit(text_[end]))) ++end;
    const std::string word(text_.substr(at_, end - at_));
    const bool called = next_symbol(end) == '(';
    const auto& functions = expression_functions();
    const auto function = std::find_if(functions.begin(), functions.end(), [&](const ExpressionFunction& f) { return f.name == word; });
    const bool variable = std::find(variables_.begin(), variables_.end(), word) != variables_.end() || word == "pi" || word == "e" || word == "inf";
    if (called) {
      if (function != functions.end()) {
        if (!expecting_operand_) fail(at_, "expected an operator before " + word + "(", "Write a product with \"*\"");
        at_start_ = false;
        at_ = text_.find('(', end);
        open(&*function);
        return;
      }
      if (variable) fail(at_, word + " is not a function", "Write a product with \"*\"");
      if (word == "if") fail(at_, "there is no function if", "Write condition ? value : other value");
      std::vector<std::string_view> names;
      for (const auto& f : functions) names.push_back(f.name);
      fail(at_, "unknown function \"" + word + "\"", suggestion(word, names, "The functions are " + all_function_names()));
    }
    if (function != functions.end() && !variable) fail(at_, "the function " + word + " needs its arguments in parentheses", "Write " + word + "(...)");
    if (!variable) {
      std::vector<std::string_view> names(variables_.begin(), variables_.end());
      std::string known;
      for (std::size_t i = 0; i < variables_.size() && i < 30; ++i) known += (i > 0 ? ", " : "") + variables_[i];
      if (variables_.size() > 30) known += ", ...";
      if (known.empty()) known = "none";
      fail(at_, "unknown name \"" + word + "\"", suggestion(word, names, "The names are " + known));
    }
    operand(end - at_, "\"" + word + "\"");
  }

  static std::string suggestion(const std::string& word, const std::vector<std::string_view>& names, const std::string& otherwise) {
    const std::string_view near = nearest(word, names);
    return (near.empty() ? "" : "Did you mean \"" + std::string(near) + "\"? ") + otherwise;
  }

  void open(const ExpressionFunction* function) {
    if (frames_.size() > max_expression_depth) {
      fail(at_, "parentheses are nested more than " + std::to_string(max_expression_depth) + " deep", "Split the expression into several outputs");
    }
    Frame frame;
    frame.position = at_;
    frame.function = function;
    frames_.push_back(std::move(frame));
    ++at_;
    expecting_operand_ = true;
    after_sign_ = false;
  }

  void close() {
    Frame& frame = frames_.back();
    if (frames_.size() == 1) fail(at_, "there is no \"(\" for this \")\"");
    const bool no_argument = expecting_operand_ && frame.function != nullptr && frame.arguments == 1 && at_ == first_after(frame.position);
    if (expecting_operand_ && !no_argument) fail(at_, "expected a number, a name or \"(\" before \")\"");
    close_conditions();
    if (frame.function != nullptr) {
      const int given = no_argument ? 0 : frame.arguments;
      const auto& f = *frame.function;
      if (given < f.min_arguments || given > f.max_arguments) {
        std::string needed = std::to_string(f.min_arguments);
        if (f.max_arguments > f.min_arguments) needed += " to " + std::to_string(f.max_arguments);
        fail(frame.position, std::string(f.name) + " takes " + needed + " argument" + (f.max_arguments > 1 ? "s" : "") + " and has " + std::to_string(given));
      }
    }
    frames_.pop_back();
    ++at_;
    expecting_operand_ = false;
  }

  std::size_t first_after(std::size_t position) const {
    ++position;
    while (position < text_.size() && is_space(text_[position])) ++position;
    return position;
  }

  void close_conditions() const {
    if (!frames_.back().conditions.empty()) fail(frames_.back().conditions.back(), "this \"?\" has no \":\"", "Write condition ? value : other value");
  }

  void binary(std::size_t size) {
    if (expecting_operand_) fail(at_, "expected a number, a name or \"(\" but found \"" + std::string(text_.substr(at_, size)) + "\"");
    at_ += size;
    expecting_operand_ = true;
  }

  void symbol(char c) {
    const char after = at_ + 1 < text_.size() ? text_[at_ + 1] : '\0';
    Frame& frame = frames_.back();
    switch (c) {
      case '(':
        if (!expecting_operand_) fail(at_, "expected an operator before \"(\"", "Write a product with \"*\"");
        at_start_ = false;
        return open(nullptr);
      case ')':
        return close();
      case '+':
      case '-':
        if (!expecting_operand_) return binary(1);
        if (after_sign_) fail(at_, "two signs in a row", "Write -(-x)");
        after_sign_ = true;
        at_start_ = false;
        ++at_;
        return;
      case '*':
        if (after == '*') fail(at_, "there is no operator \"**\"", "Write a power with \"^\"");
        [[fallthrough]];
      case '/':
      case '^':
        return binary(1);
      case '<':
      case '>':
      case '!':
      case '=': {
        if (c == '=' && after != '=') {
          fail(at_, "an expression cannot assign with \"=\"", "Compare with \"==\"; give every output an entry of its own");
        }
        if (c == '!' && after != '=') fail(at_, "there is no operator \"!\"", "Write \"... == 0\" for not");
        if (frame.compared) fail(at_, "comparisons cannot be chained", "Write a < b && b < c");
        binary(after == '=' ? 2 : 1);
        frame.compared = true;
        return;
      }
      case '&':
      case '|':
        if (after != c) fail(at_, "expected \"" + std::string(2, c) + "\"");
        binary(2);
        frame.compared = false;
        return;
      case '?':
        if (frame.conditions.size() >= max_expression_depth) fail(at_, "conditions are nested too deep");
        binary(1);
        frame.conditions.push_back(at_ - 1);
        frame.compared = false;
        return;
      case ':':
        if (frame.conditions.empty()) fail(at_, "there is no \"?\" for this \":\"");
        binary(1);
        frame.conditions.pop_back();
        frame.compared = false;
        return;
      case ',':
        if (frame.function == nullptr)
          fail(at_, "a comma can only separate the arguments of a function", "Write decimals with a point; give every output an entry of its own");
        close_conditions();
        binary(1);
        ++frame.arguments;
        frame.compared = false;
        return;
      case '%':
        fail(at_, "there is no operator \"%\"", "Write mod(a, b)");
      case ';':
        fail(at_, "\";\" is not allowed", "Give every output an entry of its own");
      default: {
        const auto byte = static_cast<unsigned char>(c);
        const std::string shown = byte >= 0x20 && byte < 0x7f ? "\"" + std::string(1, c) + "\"" : "the byte " + std::to_string(byte);
        fail(at_, shown + " cannot stand in an expression", "Names are made of letters, digits and _");
      }
    }
  }

  const std::string& label_;
  std::string_view text_;
  const std::vector<std::string>& variables_;
  std::size_t at_ = 0;
  bool after_sign_ = false;  ///< the last token was a sign, not an operator of two operands
  bool expecting_operand_ = true;
  bool at_start_ = true;
  std::vector<Frame> frames_;
};

}  // namespace

std::size_t scan_number(std::string_view text, double& value) {
  if (text.empty() || !(is_digit(text[0]) || (text[0] == '.' && text.size() > 1 && is_digit(text[1])))) return 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::general);
  if (error == std::errc::invalid_argument) return 0;
  if (error == std::errc::result_out_of_range) value = std::numeric_limits<double>::infinity();
  return static_cast<std::size_t>(end - text.data());
}

void check_expression(const std::string& label, std::string_view text, const std::vector<std::string>& variables) { Checker(label, text, variables).check(); }

void check_variable_name(const std::string& name, const std::string& role) {
  const auto fail = [&](const std::string& rule) {
    throw Error(ErrorCategory::configuration, {.doing = "naming the variables of expressions",
                                               .key = role,
                                               .value = "\"" + name + "\"",
                                               .rule = rule,
                                               .remedy = "Rename it; names in expressions are made of letters, digits and _ and do not begin with a digit"});
  };
  if (name.empty() || !is_letter(name[0])) fail("must begin with a letter or _ to stand in an expression");
  for (const char c : name) {
    if (!is_letter(c) && !is_digit(c)) fail("contains a character that cannot stand in an expression");
  }
}

}  // namespace buffon::detail
