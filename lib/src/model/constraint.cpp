// SPDX-License-Identifier: BSD-3-Clause
#include "constraint.hpp"

#include <buffon/core/constants.hpp>
#include <buffon/core/error.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

namespace buffon {

const std::vector<std::string_view>& constraint_names() {
  static const std::vector<std::string_view> names = {"none", "lower", "upper", "interval", "simplex", "ordered", "positive_ordered", "unit_vector"};
  return names;
}

namespace detail {
namespace {

using constants::infinity;
constexpr double largest = std::numeric_limits<double>::max();
constexpr double smallest = std::numeric_limits<double>::min();

/// How far a sum or a norm given in decimal digits may be from 1.
constexpr double unit_tolerance = 1e-8;

double above(double x, double bound) { return std::min(std::max(x, std::nextafter(bound, infinity)), largest); }
double below(double x, double bound) { return std::max(std::min(x, std::nextafter(bound, -infinity)), -largest); }

/// Numbers that lie in log space beyond what a double holds have no point of their own.
double or_outside(bool inside, double log_jacobian) { return inside ? log_jacobian : -infinity; }

double constrain_interval(const Parameter& p, double y, double& x) {
  const double e = std::exp(-std::abs(y)), width = p.upper - p.lower;
  // The distance from the nearer bound, so that it keeps its digits.
  const double distance = width * (e / (1 + e));
  x = y < 0 ? p.lower + distance : p.upper - distance;
  x = below(above(x, p.lower), p.upper);
  return std::log(width) - std::abs(y) - 2 * std::log1p(e);
}

/// z_k = 1 / (1 + exp(log(K − k) − y_k)), x_k = z_k Π_{j<k} (1 − z_j): y = 0 is the centre.
double constrain_simplex(Index count, const double* y, double* x) {
  double rest = 1, log_rest = 0, log_jacobian = 0;
  const double nearly_one = std::nextafter(1.0, 0.0);
  for (Index k = 0; k + 1 < count; ++k) {
    const double u = y[k] - std::log(static_cast<double>(count - 1 - k));
    const double e = std::exp(-std::abs(u)), log1p_e = std::log1p(e);
    const double near = 1 / (1 + e), far = e / (1 + e);
    x[k] = std::clamp(rest * (u < 0 ? far : near), smallest, nearly_one);
    log_jacobian += log_rest - std::abs(u) - 2 * log1p_e;
    rest *= u < 0 ? near : far;
    log_rest -= std::max(u, 0.0) + log1p_e;
  }
  x[count - 1] = std::clamp(rest, smallest, nearly_one);
  return log_jacobian;
}

double constrain_ordered(Index count, bool positive, const double* y, double* x) {
  double log_jacobian = positive ? y[0] : 0;
  x[0] = positive ? std::max(std::exp(y[0]), smallest) : y[0];
  bool inside = x[0] <= largest;
  for (Index k = 1; k < count; ++k) {
    const double sum = x[k - 1] + std::exp(y[k]);
    inside = inside && sum <= largest;
    x[k] = std::max(sum, std::nextafter(x[k - 1], infinity));
    log_jacobian += y[k];
  }
  // Where it overflows the numbers still increase as far as doubles go.
  if (!inside) {
    double bound = largest;
    for (Index k = count; k-- > 0;) {
      x[k] = std::min(x[k], bound);
      bound = std::nextafter(x[k], -infinity);
    }
  }
  return or_outside(inside, log_jacobian);
}

[[noreturn]] void refuse(std::string component, double value, std::string rule) {
  throw Error(ErrorCategory::configuration, {.doing = "placing parameters on the unconstrained scale",
                                             .key = std::move(component),
                                             .value = to_text(value),
                                             .rule = std::move(rule),
                                             .remedy = "Give a point inside the constraints"});
}

}  // namespace

Index free_count(const Parameter& parameter) { return parameter.constraint == Constraint::simplex ? parameter.count() - 1 : parameter.count(); }

double constrain(const Parameter& p, const double* y, double* x) {
  const Index count = p.count();
  double log_jacobian = 0;
  bool inside = true;
  switch (p.constraint) {
    case Constraint::none:
    case Constraint::unit_vector:
      std::copy(y, y + count, x);
      return 0;
    case Constraint::lower:
      for (Index k = 0; k < count; ++k) {
        const double image = p.lower + std::exp(y[k]);
        inside = inside && image <= largest;
        x[k] = above(image, p.lower);
        log_jacobian += y[k];
      }
      return or_outside(inside, log_jacobian);
    case Constraint::upper:
      for (Index k = 0; k < count; ++k) {
        const double image = p.upper - std::exp(y[k]);
        inside = inside && image >= -largest;
        x[k] = below(image, p.upper);
        log_jacobian += y[k];
      }
      return or_outside(inside, log_jacobian);
    case Constraint::interval:
      for (Index k = 0; k < count; ++k) log_jacobian += constrain_interval(p, y[k], x[k]);
      return log_jacobian;
    case Constraint::simplex:
      return constrain_simplex(count, y, x);
    case Constraint::ordered:
    case Constraint::positive_ordered:
      return constrain_ordered(count, p.constraint == Constraint::positive_ordered, y, x);
  }
  return 0;
}

void unconstrain(const Parameter& p, const double* x, double* y) {
  const Index count = p.count();
  for (Index k = 0; k < count; ++k) {
    if (!std::isfinite(x[k])) refuse(component_name(p, k), x[k], "must be finite");
  }
  const auto require = [&](bool holds, Index k, const std::string& rule) {
    if (!holds) refuse(component_name(p, k), x[k], rule);
  };
  switch (p.constraint) {
    case Constraint::none:
      std::copy(x, x + count, y);
      return;
    case Constraint::lower:
      for (Index k = 0; k < count; ++k) {
        require(x[k] > p.lower, k, "must be greater than " + to_text(p.lower));
        y[k] = std::log(x[k] - p.lower);
      }
      return;
    case Constraint::upper:
      for (Index k = 0; k < count; ++k) {
        require(x[k] < p.upper, k, "must be less than " + to_text(p.upper));
        y[k] = std::log(p.upper - x[k]);
      }
      return;
    case Constraint::interval:
      for (Index k = 0; k < count; ++k) {
        require(x[k] > p.lower && x[k] < p.upper, k, "must lie between " + to_text(p.lower) + " and " + to_text(p.upper) + ", both excluded");
        y[k] = std::log(x[k] - p.lower) - std::log(p.upper - x[k]);
      }
      return;
    case Constraint::simplex: {
      for (Index k = 0; k < count; ++k) require(x[k] > 0, k, "must be positive, as part of a simplex");
      double rest = x[count - 1];
      for (Index k = count - 1; k-- > 0;) {
        y[k] = std::log(x[k]) - std::log(rest) + std::log(static_cast<double>(count - 1 - k));
        rest += x[k];
      }
      if (std::abs(rest - 1) > unit_tolerance) refuse("the sum of " + p.name, rest, "must be 1");
      return;
    }
    case Constraint::positive_ordered:
      require(x[0] > 0, 0, "must be positive");
      [[fallthrough]];
    case Constraint::ordered:
      for (Index k = 1; k < count; ++k) {
        require(x[k] > x[k - 1], k, "must be greater than " + to_text(x[k - 1]) + ", the component before it");
        y[k] = std::log(x[k] - x[k - 1]);
      }
      y[0] = p.constraint == Constraint::ordered ? x[0] : std::log(x[0]);
      return;
    case Constraint::unit_vector: {
      double norm = 0;
      for (Index k = 0; k < count; ++k) norm = std::hypot(norm, x[k]);
      if (std::abs(norm - 1) > unit_tolerance) refuse("the length of " + p.name, norm, "must be 1");
      for (Index k = 0; k < count; ++k) y[k] = x[k] / norm;
      return;
    }
  }
}

std::string component_name(const Parameter& parameter, Index component) {
  return parameter.size == 0 ? parameter.name : parameter.name + "." + std::to_string(component + 1);
}

std::vector<std::string> component_names(const std::vector<Parameter>& parameters) {
  std::vector<std::string> names;
  for (const auto& parameter : parameters) {
    for (Index k = 0; k < parameter.count(); ++k) names.push_back(component_name(parameter, k));
  }
  return names;
}

bool is_name(std::string_view name) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  if (name.empty() || !letter(name.front()) || name.ends_with("__")) return false;
  return std::all_of(name.begin(), name.end(), [&](char c) { return letter(c) || digit(c); });
}

}  // namespace detail
}  // namespace buffon
