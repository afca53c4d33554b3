// SPDX-License-Identifier: BSD-3-Clause
#include "path_law.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>

#include "laws.hpp"

namespace buffon::detail {
namespace {

/// What a family calls its parameters; all of them are numbers.
class ParameterNames : public OptionVisitor {
 public:
  void on(const Field& field, double&) override { add(field); }
  void on(const Field& field, std::optional<double>&) override { add(field); }
  void on(const Field&, bool&) override {}
  void on(const Field&, std::int64_t&) override {}
  void on(const Field&, std::string&) override {}
  void on(const Field&, std::vector<double>&) override {}
  void on(const Field&, std::vector<std::int64_t>&) override {}
  void on(const Field&, std::vector<std::string>&) override {}
  void on(const Field&, std::vector<std::vector<std::string>>&) override {}

  std::vector<std::string> names;
  std::vector<std::string> required;

 private:
  void add(const Field& field) {
    names.emplace_back(field.name);
    if (field.required) required.emplace_back(field.name);
  }
};

/// Hands parameters to a family.
class Giver : public OptionVisitor {
 public:
  Giver(const std::vector<NestedParameter>& parameters, const double* values) : parameters_(parameters), values_(values) {}
  void on(const Field& field, double& value) override { give(field, value); }
  void on(const Field& field, std::optional<double>& value) override { give(field, value); }
  void on(const Field&, bool&) override {}
  void on(const Field&, std::int64_t&) override {}
  void on(const Field&, std::string&) override {}
  void on(const Field&, std::vector<double>&) override {}
  void on(const Field&, std::vector<std::int64_t>&) override {}
  void on(const Field&, std::vector<std::string>&) override {}
  void on(const Field&, std::vector<std::vector<std::string>>&) override {}

 private:
  template <class T>
  void give(const Field& field, T& value) {
    for (std::size_t k = 0; k < parameters_.size(); ++k) {
      if (parameters_[k].key == field.name) value = values_[k];
    }
  }
  const std::vector<NestedParameter>& parameters_;
  const double* values_;
};

[[noreturn]] void refuse(const NestedVariable& variable, std::string key, std::string value, std::string rule, std::string remedy = {}) {
  throw Error(ErrorCategory::configuration, {.doing = "reading the law of \"" + variable.name + "\"",
                                             .key = std::move(key),
                                             .value = std::move(value),
                                             .rule = std::move(rule),
                                             .remedy = std::move(remedy)});
}

std::string suggestion(std::string_view near) { return near.empty() ? std::string() : "did you mean \"" + std::string(near) + "\"?"; }

const MarginalFamily& family_of(const NestedVariable& variable) {
  std::vector<std::string_view> names;
  for (const auto& family : marginal_families()) {
    if (family.name == variable.law) return family;
    names.push_back(family.name);
  }
  refuse(variable, "law", "\"" + variable.law + "\"", "is not a law", suggestion(nearest(variable.law, names)));
}

/// Value of an expression without variables, such as "pi / 2".
std::optional<double> constant_value(const std::string& text, const std::vector<std::string>& known) {
  if (std::any_of(known.begin(), known.end(), [](const std::string& name) { return name == "pi" || name == "e"; })) return {};
  try {
    Eigen::MatrixXd value(1, 1);
    Expressions({}, {"parameter"}, {text}, false).evaluate(Eigen::MatrixXd(0, 1), Eigen::MatrixXd(0, 1), value);
    return value(0, 0);
  } catch (const Error&) {
    return {};
  }
}

// The transforms below have the formulas of the families. They leave out (return false for) every column whose parameters the family
// might refuse; a law is made for those.

bool normal(double mean, double std_dev, double& x) {
  const double low = mean - 9 * std_dev;
  const double high = mean + 9 * std_dev;
  x = mean + std_dev * x;
  return low < high && std::isfinite(low) && std::isfinite(high);
}

bool lognormal(double mu, double sigma, double& x) {
  x = mu + sigma * x;
  return sigma > 1e-14 * (1 + std::abs(mu)) && std::abs(mu) + 9 * sigma < 700;
}

bool uniform(double min, double max, double tail, double& x) {
  const double width = max - min;
  x = (x <= 0 ? min : max) + (x <= 0 ? width : -width) * tail;
  return min < max && std::isfinite(width);
}

bool exponential(double rate, double location, double score, double& x) {
  const double low = location + 1e-18 / rate;  // the scores −9 and 9 have the variates 1.1e-19 and 43.6
  const double high = location + 43 / rate;
  x = location + score / rate;
  return rate > 0 && low < high && std::isfinite(location + 44 / rate);
}

}  // namespace

PathLaw::PathLaw(NestedVariable variable, const std::vector<std::string>& known) : variable_(std::move(variable)), family_(&family_of(variable_)) {
  ParameterNames described;
  family_->describe(described);
  auto& parameters = variable_.parameters;
  for (std::size_t k = 0; k < parameters.size(); ++k) {
    const std::string& key = parameters[k].key;
    if (std::find(described.names.begin(), described.names.end(), key) == described.names.end()) {
      refuse(variable_, key, {}, "is not a parameter of law " + family_->name, suggestion(nearest(key, described.names)));
    }
    if (row(key) != static_cast<Index>(k)) refuse(variable_, key, {}, "is given twice");
  }
  for (const auto& key : described.required) {
    if (row(key) < 0) refuse(variable_, key, {}, "is required and missing");
  }

  std::vector<std::string> labels, texts;
  for (std::size_t k = 0; k < parameters.size(); ++k) {
    const std::string* text = std::get_if<std::string>(&parameters[k].value);
    if (text == nullptr) continue;
    try {
      check_expression("\"" + parameters[k].key + "\" of \"" + variable_.name + "\"", *text, known);
    } catch (const Error& error) {
      throw error.at({}, parameters[k].key);
    }
    if (const auto number = constant_value(*text, known)) {
      parameters[k].value = *number;
      continue;
    }
    labels.push_back(parameters[k].key);
    texts.push_back(*text);
    computed_.push_back(static_cast<Index>(k));
  }
  if (!computed_.empty()) expressions_ = std::make_unique<const Expressions>(known, std::move(labels), std::move(texts), false);
  if (!expressions_) constant_ = make(values_of(Eigen::MatrixXd(0, 1), Eigen::MatrixXd(0, 1), 1).data());
}

Index PathLaw::row(std::string_view key) const {
  const auto& parameters = variable_.parameters;
  const auto found = std::find_if(parameters.begin(), parameters.end(), [&](const NestedParameter& p) { return p.key == key; });
  return found == parameters.end() ? -1 : found - parameters.begin();
}

Marginal PathLaw::make(const double* values) const {
  Giver giver(variable_.parameters, values);
  return family_->make(giver);
}

/// One row per parameter.
Eigen::MatrixXd PathLaw::values_of(const ConstMatrix& first, const ConstMatrix& second, Index columns) const {
  const auto& parameters = variable_.parameters;
  Eigen::MatrixXd values(static_cast<Index>(parameters.size()), columns);
  for (std::size_t k = 0; k < parameters.size(); ++k) {
    if (const double* number = std::get_if<double>(&parameters[k].value)) values.row(static_cast<Index>(k)).setConstant(*number);
  }
  if (!computed_.empty()) {
    Eigen::MatrixXd results(static_cast<Index>(computed_.size()), columns);
    expressions_->evaluate(first, second, results);
    for (std::size_t k = 0; k < computed_.size(); ++k) values.row(computed_[k]) = results.row(static_cast<Index>(k));
  }
  return values;
}

void PathLaw::draw(const ConstMatrix& first, const ConstMatrix& second, Eigen::VectorXd& u) const {
  const Index n = u.size();
  if (!expressions_) {
    constant_.from_standard(u.data(), u.data(), n, 1);
    return;
  }
  const Eigen::MatrixXd values = values_of(first, second, n);
  const auto count = static_cast<std::size_t>(n);
  const Eigen::VectorXd scores = u;
  const std::string& law = variable_.law;
  std::vector<Index> rest;
  const auto each = [&](const auto& transform) {
    for (Index i = 0; i < n; ++i) {
      if (!transform(i, u(i))) rest.push_back(i);
    }
  };
  if (law == "normal") {
    const Index mean = row("mean"), std_dev = row("std_dev"), cov = row("cov");
    each([&](Index i, double& x) {
      const double m = values(mean, i);
      if ((std_dev < 0) == (cov < 0)) return false;
      return normal(m, cov < 0 ? values(std_dev, i) : values(cov, i) * std::abs(m), x);
    });
  } else if (law == "lognormal") {
    const Index mean = row("mean"), cov = row("cov"), mu_log = row("mu_log"), sigma_log = row("sigma_log");
    each([&](Index i, double& x) {
      if (values.rows() != 2 || (mean < 0) != (cov < 0)) return false;
      if (mean < 0) return lognormal(values(mu_log, i), values(sigma_log, i), x);
      const double m = values(mean, i);
      const double c = values(cov, i);
      const double sigma = std::sqrt(std::log1p(c * c));
      return lognormal(std::log(m) - 0.5 * sigma * sigma, sigma, x) && m > 0 && c > 0;
    });
    vector_exp({u.data(), count}, {u.data(), count});
  } else if (law == "uniform") {
    const Index min = row("min"), max = row("max");
    Eigen::VectorXd tail(n);
    laws::normal_tails(scores.data(), tail.data(), count);
    each([&](Index i, double& x) { return uniform(values(min, i), values(max, i), tail(i), x) && std::abs(scores(i)) <= laws::plain_range; });
  } else if (law == "exponential") {
    const Index rate = row("rate"), location = row("location");
    Eigen::VectorXd score(n);
    laws::exponential_scores(scores.data(), score.data(), count);
    each([&](Index i, double& x) {
      return exponential(values(rate, i), location < 0 ? 0 : values(location, i), score(i), x) && scores(i) >= -laws::plain_range;
    });
  } else {
    each([](Index, double&) { return false; });
  }
  for (const Index i : rest) {
    try {
      make(values.col(i).data()).from_standard(&scores(i), &u(i), 1, 1);
    } catch (const Error& error) {
      throw Fault{i, error};
    }
  }
}

}  // namespace buffon::detail
