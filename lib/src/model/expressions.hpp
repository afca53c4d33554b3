// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/core/types.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace buffon::detail {

struct ExpressionFunction {
  std::string_view name;
  int min_arguments;
  int max_arguments;
};

/// Every function that an expression may call, in alphabetic order.
const std::vector<ExpressionFunction>& expression_functions();

constexpr std::size_t max_expression_length = 20000;
constexpr std::size_t max_expression_depth = 100;
constexpr int max_expression_arguments = 100;

/// Refuses everything that is not one arithmetic expression of the given variables: the whole grammar is checked here,
/// since the evaluator's own messages do not say what was expected and it accepts assignments and lists.
/// @param label name of the expression in messages
/// @throws Error(configuration) with the position (first character = 1) and what was expected there
void check_expression(const std::string& label, std::string_view text, const std::vector<std::string>& variables);

/// Refuses names that cannot stand in an expression.
void check_variable_name(const std::string& name, const std::string& role);

/// Length of the number at the start of `text`, 0 when there is none, and its value (not finite when out of range).
std::size_t scan_number(std::string_view text, double& value);

/// Several checked expressions, evaluated together. Safe to use from several threads.
class Expressions {
 public:
  /// @param chained an expression may use the values of those before it, by their labels
  Expressions(std::vector<std::string> variables, std::vector<std::string> labels, std::vector<std::string> texts, bool chained);
  ~Expressions();
  Expressions(const Expressions&) = delete;
  Expressions& operator=(const Expressions&) = delete;

  /// @param first, second rows of the variables, in order, one above the other; `second` may have no rows
  void evaluate(const ConstMatrix& first, const ConstMatrix& second, MutMatrix values) const;

 private:
  struct Engine;
  struct Pool;
  std::unique_ptr<Engine> make_engine() const;

  std::vector<std::string> variables_;
  std::vector<std::string> labels_;
  std::vector<std::string> texts_;
  bool chained_;
  std::unique_ptr<Pool> pool_;
};

}  // namespace buffon::detail
