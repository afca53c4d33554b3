// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <cmath>
#include <span>
#include <string>
#include <utility>

#include <buffon/linalg/vector_math.hpp>

#include "named_nested.hpp"

namespace buffon::detail {
namespace {

Eigen::MatrixXd exp_of(Eigen::MatrixXd values) {
  const std::span<double> all(values.data(), static_cast<std::size_t>(values.size()));
  vector_exp(all, all);
  return values;
}

/// Put with strike 40 on a stock at 36, Black–Scholes with rate 0.06 and volatility 0.2, that may be exercised at D + 1 equally spaced dates
/// up to one year (the contract of Longstaff and Schwartz 2001). y^d is the price at date d; payoffs are discounted to today.
std::shared_ptr<const NestedProblem> bermudan_put(Index depth) {
  constexpr double spot = 36, strike = 40, rate = 0.06, volatility = 0.2;
  const double step = 1.0 / static_cast<double>(depth + 1);
  const double drift = (rate - 0.5 * volatility * volatility) * step;
  const double spread = volatility * std::sqrt(step);
  NestedFunctions f;
  for (Index d = 0; d <= depth; ++d) f.names.push_back({"s" + std::to_string(d)});
  f.sample = [=](Index d, const ConstMatrix& past, const ConstMatrix& z, MutMatrix y) {
    const Eigen::RowVectorXd growth = exp_of(drift + spread * z.array());
    for (Index i = 0; i < y.cols(); ++i) y(0, i) = (d == 0 ? spot : past(d - 1, i)) * growth(i);
  };
  f.link = [=](Index d, const ConstMatrix& path, const ConstVector& inner, MutVector out) {
    const double discount = std::exp(-rate * step * static_cast<double>(d + 1));
    for (Index i = 0; i < out.size(); ++i) {
      const double payoff = discount * std::max(strike - path(d, i), 0.0);
      out(i) = d == depth ? payoff : std::max(payoff, inner(i));
    }
  };
  return make_nested_problem(std::move(f));
}

/// Call with strike 100 on the greater of two independent stocks at 100 with dividend yield 0.1, rate 0.05 and volatility 0.2 (the assets of
/// Broadie and Glasserman 1997), that may be exercised after half of the three years or at their end.
std::shared_ptr<const NestedProblem> max_call() {
  constexpr double spot = 100, strike = 100, rate = 0.05, yield = 0.1, volatility = 0.2, step = 1.5;
  const double drift = (rate - yield - 0.5 * volatility * volatility) * step;
  const double spread = volatility * std::sqrt(step);
  NestedFunctions f;
  f.names = {{"a0", "b0"}, {"a1", "b1"}};
  f.sample = [=](Index d, const ConstMatrix& past, const ConstMatrix& z, MutMatrix y) {
    y = exp_of(drift + spread * z.array());
    for (Index i = 0; i < y.cols(); ++i) {
      for (Index k = 0; k < 2; ++k) y(k, i) *= d == 0 ? spot : past(k, i);
    }
  };
  f.link = [=](Index d, const ConstMatrix& path, const ConstVector& inner, MutVector out) {
    const double discount = std::exp(-rate * step * static_cast<double>(d + 1));
    for (Index i = 0; i < out.size(); ++i) {
      const double payoff = discount * std::max(std::max(path(2 * d, i), path(2 * d + 1, i)) - strike, 0.0);
      out(i) = d == 1 ? payoff : std::max(payoff, inner(i));
    }
  };
  return make_nested_problem(std::move(f));
}

constexpr double x = 2;                               ///< where the observation is taken
constexpr double log_scale = 0.91893853320467274178;  ///< ½ log 2π

/// Expected information of one observation y = θ_0 + θ_1 x + ε about θ ~ N(0, I), ε ~ N(0, 1):
/// E[ log p(y | θ) − log E[ p(y | θ′) | y ] ] = ½ log(1 + 1 + x²).
std::shared_ptr<const NestedProblem> linear_design() {
  NestedFunctions f;
  f.names = {{"theta0", "theta1", "y"}, {"other0", "other1"}};
  f.sample = [](Index d, const ConstMatrix&, const ConstMatrix& z, MutMatrix y) {
    y.topRows(2) = z.topRows(2);
    if (d == 0) y.row(2) = z.row(0) + x * z.row(1) + z.row(2);
  };
  f.link = [](Index d, const ConstMatrix& path, const ConstVector& inner, MutVector out) {
    const Index theta = d == 0 ? 0 : 3;
    if (d == 0) vector_log({inner.data(), static_cast<std::size_t>(out.size())}, {out.data(), static_cast<std::size_t>(out.size())});
    for (Index i = 0; i < out.size(); ++i) {
      const double residual = path(2, i) - path(theta, i) - x * path(theta + 1, i);
      const double log_likelihood = -0.5 * residual * residual - log_scale;
      out(i) = d == 1 ? log_likelihood : log_likelihood - out(i);
    }
    if (d == 1) out = exp_of(out);
  };
  return make_nested_problem(std::move(f));
}

const std::string split_quadrature = "quadrature split at the exercise boundaries";

}  // namespace

std::vector<NamedNestedProblem> example_nested_problems() {
  return {
      {.name = "bermudan_put_1",
       .summary = "Depth 1: Bermudan put on a Black-Scholes stock with two exercise dates; spot 36, strike 40, rate 0.06, volatility 0.2, one year as in "
                  "Longstaff and Schwartz (2001); max(payoff, z), payoff.",
       .make = [] { return bermudan_put(1); },
       .known = {{"value", 4.19843715245, 12, split_quadrature}}},
      {.name = "bermudan_put_2",
       .summary = "Depth 2: the same put with three exercise dates.",
       .make = [] { return bermudan_put(2); },
       .known = {{"value", 4.30975724574, 12, split_quadrature}}},
      {.name = "max_call_1",
       .summary = "Depth 1: Bermudan call on the greater of two stocks with two exercise dates; spots 100, strike 100, rate 0.05, yield 0.1, volatility "
                  "0.2, three years, the assets of Broadie and Glasserman (1997); max(payoff, z), payoff.",
       .make = [] { return max_call(); },
       .known = {{"value", 12.8205735955, 12, split_quadrature}}},
      {.name = "linear_design",
       .summary = "Depth 1: Bayesian experimental design, the expected information of one observation theta0 + 2 theta1 + noise; log p(y | theta) - log z, "
                  "p(y | theta').",
       .make = [] { return linear_design(); },
       .known = {{"value", 0.5 * std::log(6.0), 16, "closed form"}}},
  };
}

}  // namespace buffon::detail
