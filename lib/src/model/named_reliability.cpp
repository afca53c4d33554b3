// SPDX-License-Identifier: BSD-3-Clause
#include "named.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace buffon::detail {
namespace {

JointLaw standard_normal_inputs(int count) {
  std::vector<Input> inputs;
  for (int k = 1; k <= count; ++k) inputs.push_back({"u" + std::to_string(k), normal_law(0, 1)});
  return JointLaw(std::move(inputs));
}

}  // namespace

// Series system of four limit states in two standard normal inputs; level = −min of the four, failure = level > 0.
// With v = (u1 + u2)/√2, w = (u1 − u2)/√2: failure is |v| > 3 + 0.2 w² or |w| > 3.5.
NamedProblem four_branch_problem() {
  return {
      .name = "four_branch",
      .summary = "A series system of four limit states with four separate failure regions (2 standard normal inputs; Waarts, 2000); the event is level > 0.",
      .model =
          [] {
            return make_model(2, {"level"}, [](const ConstMatrix& u, MutMatrix y) {
              for (Index i = 0; i < u.cols(); ++i) {
                const double v = std::abs(u(0, i) + u(1, i)) / std::numbers::sqrt2;
                const double d = u(0, i) - u(1, i);
                y(0, i) = -std::min(3 + 0.1 * d * d - v, 7 / std::numbers::sqrt2 - std::abs(d));
              }
            });
          },
      .law = [] { return standard_normal_inputs(2); },
      .known = {{"probability(level > 0)", 0.00222279506619444, 14,
                 "composite Gauss-Legendre quadrature of 2 Phi(-3.5) + 2 int phi(w) Phi(-(3 + w^2/5)) dw over |w| < 3.5"}}};
}

// level = 0.5 (u1 − 0.1)² + u2 − 5: two failure regions of nearly equal weight on a parabola.
NamedProblem parabolic_problem() {
  return {.name = "parabolic",
          .summary = "A parabolic limit state with two failure regions (2 standard normal inputs; Der Kiureghian and Dakessian, 1998); the event is level > 0.",
          .model =
              [] {
                return make_model(2, {"level"}, [](const ConstMatrix& u, MutMatrix y) {
                  for (Index i = 0; i < u.cols(); ++i) {
                    const double d = u(0, i) - 0.1;
                    y(0, i) = 0.5 * d * d + u(1, i) - 5;
                  }
                });
              },
          .law = [] { return standard_normal_inputs(2); },
          .known = {{"probability(level > 0)", 0.00301631190130956, 14, "quadrature of int phi(u) Phi((u - 0.1)^2/2 - 5) du"}}};
}

// level = Σ u_k/√d − 4.5 with d = 20: probability Φ(−4.5) in any dimension.
NamedProblem hyperplane_problem() {
  static constexpr int dimension = 20;
  return {
      .name = "hyperplane",
      .summary = "A plane limit state at distance 4.5 in 20 standard normal inputs, a rare event of known probability; the event is level > 0.",
      .model =
          [] {
            return make_model(dimension, {"level"}, [](const ConstMatrix& u, MutMatrix y) {
              for (Index i = 0; i < u.cols(); ++i) {
                double sum = 0;
                for (Index k = 0; k < dimension; ++k) sum += u(k, i);
                y(0, i) = sum / std::sqrt(static_cast<double>(dimension)) - 4.5;
              }
            });
          },
      .law = [] { return standard_normal_inputs(dimension); },
      .known = {{"probability(level > 0)", 0.5 * std::erfc(4.5 / std::numbers::sqrt2), 16, "closed form Phi(-4.5)"}, {"mean(level)", -4.5, 16, "closed form"}}};
}

}  // namespace buffon::detail
