// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/core/error.hpp>
#include <buffon/io/runner.hpp>
#include <buffon/model/model_kind.hpp>
#include <buffon/stats/delta_method.hpp>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <string>
#include <vector>

namespace buffon {
namespace {

bool word_character(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; }

/// What an estimate is called in expressions: its name with every other character replaced by '_' ("tip@stiff" becomes
/// tip_stiff), after its group where the name alone is not unique ("first_w").
std::vector<std::string> variable_names(const std::vector<NamedEstimate>& estimates) {
  std::vector<std::string> names;
  for (const NamedEstimate& e : estimates) {
    const auto same = [&](const NamedEstimate& other) { return other.name == e.name; };
    std::string name = std::count_if(estimates.begin(), estimates.end(), same) > 1 ? e.group + "_" + e.name : e.name;
    for (char& c : name) c = word_character(c) ? c : '_';
    names.push_back(std::move(name));
  }
  return names;
}

/// True when `word` stands in the text as a whole word.
bool mentions(const std::string& text, const std::string& word) {
  for (std::size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) {
    const std::size_t end = at + word.size();
    if ((at == 0 || !word_character(text[at - 1])) && (end == text.size() || !word_character(text[end]))) return true;
  }
  return false;
}

}  // namespace

std::vector<NamedEstimate> derived_estimates(const std::vector<DerivedQuantity>& derived, const Outcome& outcome) {
  const std::vector<std::string> names = variable_names(outcome.estimates);
  std::vector<NamedEstimate> out;
  for (const DerivedQuantity& quantity : derived) {
    std::vector<std::string> used;
    std::vector<Index> rows;
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (!mentions(quantity.expression, names[i])) continue;
      used.push_back(names[i]);
      rows.push_back(static_cast<Index>(i));
    }
    std::shared_ptr<const Model> function;
    try {
      function = expression_model(used, {quantity.name}, {quantity.expression});
    } catch (const Error& error) {
      ErrorText text = error.text();
      text.doing = "reading the derived quantity " + quantity.name;
      text.remedy.erase(std::min(text.remedy.find("The names are"), text.remedy.size()));  // those of the estimates follow
      const bool alone = text.remedy.empty();
      if (!alone && text.remedy.back() != ' ') text.remedy += ' ';
      text.remedy += alone ? "the estimates are called" : "(the estimates are called";
      for (std::size_t i = 0; i < std::min<std::size_t>(names.size(), 20); ++i) text.remedy += (i > 0 ? ", " : " ") + names[i];
      if (!alone) text.remedy += ")";
      throw Error(error.category(), text, error.where());
    }
    const Index n = static_cast<Index>(rows.size());
    Eigen::VectorXd at(n), std_errors(n);
    Eigen::MatrixXd covariance = Eigen::MatrixXd::Constant(n, n, std::nan(""));
    for (Index i = 0; i < n; ++i) {
      const Estimate& e = outcome.estimates[static_cast<std::size_t>(rows[static_cast<std::size_t>(i)])].estimate;
      at(i) = e.value;
      std_errors(i) = e.std_error;
    }
    const bool known = outcome.covariance.size() > 0;
    if (known) covariance = outcome.covariance(rows, rows);
    if (!known && n == 1) covariance(0, 0) = std_errors(0) * std_errors(0);
    const auto value = [&](const Eigen::VectorXd& theta) {
      Eigen::MatrixXd result(1, 1);
      function->evaluate(theta, result, {});
      return result(0, 0);
    };
    NamedEstimate e{.name = quantity.name, .estimate = delta_method(value, at, covariance), .group = "derived", .note = ""};
    if (std::isnan(e.estimate.value)) {
      e.note = "not defined at these estimates:";
      for (std::size_t i = 0; i < used.size(); ++i) e.note += (i > 0 ? ", " : " ") + used[i] + " = " + to_text(at(static_cast<Index>(i)));
    } else if (!known && n > 1) {
      e.note = "no error: the covariance of the estimates is not known";
    }
    out.push_back(std::move(e));
  }
  return out;
}

}  // namespace buffon
