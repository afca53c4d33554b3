// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/core/check_options.hpp>
#include <buffon/core/error.hpp>

#include <algorithm>
#include <cmath>

namespace buffon {
namespace {

std::string key_of(const Field& field) { return "options." + std::string(field.name); }

}  // namespace

void OptionChecker::number(const Field& field, double value) const {
  if (std::isnan(value) || !field.range.contains(value)) {
    std::string rule = field.range.rule();
    throw Error(ErrorCategory::configuration,
                {.doing = doing_, .key = key_of(field), .value = to_text(value), .rule = rule.empty() ? "must be a number" : std::move(rule)});
  }
}

void OptionChecker::word(const Field& field, const std::string& value) const {
  if (field.choices.empty() || std::find(field.choices.begin(), field.choices.end(), value) != field.choices.end()) return;
  std::string rule = "must be one of ";
  for (std::size_t i = 0; i < field.choices.size(); ++i) rule += (i == 0 ? "" : ", ") + std::string(field.choices[i]);
  const std::string_view close = nearest(value, field.choices);
  throw Error(ErrorCategory::configuration, {.doing = doing_,
                                             .key = key_of(field),
                                             .value = value,
                                             .rule = std::move(rule),
                                             .remedy = close.empty() ? std::string() : "did you mean \"" + std::string(close) + "\"?"});
}

void OptionChecker::size(const Field& field, std::size_t value) const {
  const auto n = static_cast<std::int64_t>(value);
  if (n >= field.size_min && n <= field.size_max) return;
  throw Error(ErrorCategory::configuration,
              {.doing = doing_,
               .key = key_of(field),
               .value = std::to_string(n) + " elements",
               .rule = n < field.size_min ? "must have at least " + std::to_string(field.size_min) : "must have at most " + std::to_string(field.size_max)});
}

void OptionChecker::on(const Field&, bool&) {}
void OptionChecker::on(const Field& field, std::int64_t& value) { number(field, static_cast<double>(value)); }
void OptionChecker::on(const Field& field, double& value) { number(field, value); }
void OptionChecker::on(const Field& field, std::string& value) { word(field, value); }
void OptionChecker::on(const Field& field, std::optional<double>& value) {
  if (value) number(field, *value);
}
void OptionChecker::on(const Field& field, std::vector<double>& value) {
  size(field, value.size());
  for (const double x : value) number(field, x);
}
void OptionChecker::on(const Field& field, std::vector<std::int64_t>& value) {
  size(field, value.size());
  for (const std::int64_t x : value) number(field, static_cast<double>(x));
}
void OptionChecker::on(const Field& field, std::vector<std::string>& value) {
  size(field, value.size());
  for (const auto& x : value) word(field, x);
}
void OptionChecker::on(const Field& field, std::vector<std::vector<std::string>>& value) {
  size(field, value.size());
  for (const auto& list : value) {
    for (const auto& x : list) word(field, x);
  }
}
void OptionChecker::on(const Field& field, std::vector<std::vector<double>>& value) {
  size(field, value.size());
  for (const auto& row : value) {
    for (const double x : row) number(field, x);
  }
}
void OptionChecker::on(const Field& field, std::vector<std::vector<std::vector<double>>>& value) {
  size(field, value.size());
  for (const auto& matrix : value) {
    for (const auto& row : matrix) {
      for (const double x : row) number(field, x);
    }
  }
}

}  // namespace buffon
