// SPDX-License-Identifier: BSD-3-Clause
#include "named.hpp"

#include <array>
#include <cmath>

namespace buffon::detail {

// Outputs x², x⁴, …, x²⁰ of x ~ N(0, 1); expectation of x^{2j} is (2j − 1)!!.
NamedProblem gaussian_moments_problem() {
  static constexpr int count = 10;
  std::vector<std::string> outputs;
  std::vector<KnownValue> known;
  double factorial = 1;
  for (int j = 1; j <= count; ++j) {
    outputs.push_back("moment_" + std::to_string(2 * j));
    factorial *= 2 * j - 1;
    known.push_back({"mean(" + outputs.back() + ")", factorial, 16, "closed form (2j - 1)!!"});
  }
  return {.name = "gaussian_moments",
          .summary = "The even moments up to order 20 of one standard normal input: ten expectations over nine decades.",
          .model =
              [outputs] {
                return make_model(1, outputs, [](const ConstMatrix& x, MutMatrix y) {
                  for (Index i = 0; i < x.cols(); ++i) {
                    const double square = x(0, i) * x(0, i);
                    double power = 1;
                    for (Index j = 0; j < count; ++j) y(j, i) = power *= square;
                  }
                });
              },
          .law =
              [] {
                return JointLaw({{"x", normal_law(0, 1)}});
              },
          .known = std::move(known)};
}

// Outputs exp(t_j·x) of x ~ N(0, I_3). The optimal density of output j is N(t_j, I) exactly, so that importance sampling in
// the Gaussian family has no variance; the expectation is exp(|t_j|²/2).
NamedProblem exponential_tilts_problem() {
  using Tilt = std::array<double, 3>;
  static constexpr std::array<Tilt, 4> tilts = {Tilt{1, 0, 0}, Tilt{0, 1.5, 0}, Tilt{-1, 0.5, 1}, Tilt{0.5, -0.5, 2}};
  std::vector<std::string> outputs;
  std::vector<KnownValue> known;
  for (std::size_t j = 0; j < tilts.size(); ++j) {
    outputs.push_back("tilt_" + std::to_string(j + 1));
    const Tilt& t = tilts[j];
    known.push_back({"mean(" + outputs.back() + ")", std::exp(0.5 * (t[0] * t[0] + t[1] * t[1] + t[2] * t[2])), 16, "closed form exp(|t|^2/2)"});
  }
  return {.name = "exponential_tilts",
          .summary = "Four exponentials exp(t.x) of three standard normal inputs, for which the best Gaussian proposal has no variance.",
          .model =
              [outputs] {
                return make_model(3, outputs, [](const ConstMatrix& x, MutMatrix y) {
                  for (Index i = 0; i < x.cols(); ++i) {
                    for (std::size_t j = 0; j < tilts.size(); ++j) {
                      const Tilt& t = tilts[j];
                      y(static_cast<Index>(j), i) = std::exp(t[0] * x(0, i) + t[1] * x(1, i) + t[2] * x(2, i));
                    }
                  }
                });
              },
          .law =
              [] {
                return JointLaw({{"x1", normal_law(0, 1)}, {"x2", normal_law(0, 1)}, {"x3", normal_law(0, 1)}});
              },
          .known = std::move(known)};
}

}  // namespace buffon::detail
