// SPDX-License-Identifier: BSD-3-Clause
#include "named.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

namespace buffon::detail {
namespace {

constexpr double pi = std::numbers::pi;

}  // namespace

// Tip displacement of a cantilever beam, M = 4L³/(E w t)·sqrt((F_X/w²)² + (F_Y/t²)²), E given in GPa.
// w is Gaussian, so that E M does not exist formally (1/w near w = 0, at ten standard deviations); the values below leave
// that region out, as does every sample that can be drawn.
NamedProblem cantilever_problem() {
  const std::string source = "Gauss-Hermite quadrature in standard normal space, stable to 9 digits";
  return {.name = "cantilever",
          .summary = "Tip displacement of a cantilever beam under two forces (6 inputs); the application of multi-expectation adaptive importance sampling.",
          .model =
              [] {
                return make_model(6, {"tip"}, [](const ConstMatrix& x, MutMatrix y) {
                  for (Index i = 0; i < x.cols(); ++i) {
                    const double f_x = x(0, i), f_y = x(1, i), e = x(2, i) * 1e9, w = x(3, i), t = x(4, i), l = x(5, i);
                    const double a = f_x / (w * w);
                    const double b = f_y / (t * t);
                    y(0, i) = 4 * l * l * l / (e * w * t) * std::sqrt(a * a + b * b);
                  }
                });
              },
          .law =
              [] {
                return JointLaw({{"F_X", lognormal_law_by_moments(556.8, 0.08)},
                                 {"F_Y", lognormal_law_by_moments(453.6, 0.08)},
                                 {"E", lognormal_law_by_moments(200, 0.06)},
                                 {"w", normal_law(0.062, 0.0062)},
                                 {"t", normal_law(0.0987, 0.00987)},
                                 {"L", normal_law(4.29, 0.429)}});
              },
          .known = {{"mean(tip)", 0.0438564950, 9, source},
                    {"second_moment(tip)", 0.00234660845, 9, source},
                    {"first_order(tip, F_X)", 0.0235524, 6, source},
                    {"first_order(tip, F_Y)", 0.000295702, 6, source},
                    {"first_order(tip, E)", 0.0163609, 6, source},
                    {"first_order(tip, w)", 0.428076, 6, source},
                    {"first_order(tip, t)", 0.0729427, 6, source},
                    {"first_order(tip, L)", 0.401030, 6, source}}};
}

// y = sin x1 + a sin² x2 + b x3⁴ sin x1 with a = 7, b = 0.1 and x uniform on (−π, π)³.
NamedProblem ishigami_problem() {
  constexpr double a = 7;
  constexpr double b = 0.1;
  const double pi4 = pi * pi * pi * pi;
  const double pi8 = pi4 * pi4;
  const double v1 = 0.5 * (1 + b * pi4 / 5) * (1 + b * pi4 / 5);
  const double v2 = a * a / 8;
  const double v13 = 8 * b * b * pi8 / 225;
  const double variance = v1 + v2 + v13;
  const std::string source = "closed form (Ishigami and Homma, 1990)";
  return {.name = "ishigami",
          .summary = "The Ishigami function of 3 uniform inputs, strongly non-monotone with an interaction of x1 and x3 (Ishigami and Homma, 1990).",
          .model =
              [] {
                return make_model(3, {"y"}, [](const ConstMatrix& x, MutMatrix y) {
                  for (Index i = 0; i < x.cols(); ++i) {
                    const double s1 = std::sin(x(0, i));
                    const double s2 = std::sin(x(1, i));
                    const double q = x(2, i) * x(2, i);
                    y(0, i) = s1 + a * s2 * s2 + b * q * q * s1;
                  }
                });
              },
          .law =
              [] {
                return JointLaw({{"x1", uniform_law(-pi, pi)}, {"x2", uniform_law(-pi, pi)}, {"x3", uniform_law(-pi, pi)}});
              },
          .known = {{"mean(y)", a / 2, 16, source},
                    {"variance(y)", variance, 16, source},
                    {"first_order(y, x1)", v1 / variance, 16, source},
                    {"first_order(y, x2)", v2 / variance, 16, source},
                    {"first_order(y, x3)", 0, 16, source},
                    {"total(y, x1)", (v1 + v13) / variance, 16, source},
                    {"total(y, x2)", v2 / variance, 16, source},
                    {"total(y, x3)", v13 / variance, 16, source}}};
}

// y = Π (|4 x_i − 2| + a_i)/(1 + a_i), x uniform on (0, 1)⁸, a = (0, 1, 4.5, 9, 99, 99, 99, 99). With V_i = 1/(3 (1 + a_i)²):
// mean 1, variance Π (1 + V_i) − 1, S_i = V_i/variance, T_i = V_i Π_{k≠i} (1 + V_k)/variance.
NamedProblem sobol_g_problem() {
  static constexpr std::array<double, 8> a = {0, 1, 4.5, 9, 99, 99, 99, 99};
  const std::string source = "closed form (Saltelli and Sobol', 1995)";
  std::array<double, 8> v{};
  double product = 1;
  for (std::size_t i = 0; i < a.size(); ++i) {
    v[i] = 1 / (3 * (1 + a[i]) * (1 + a[i]));
    product *= 1 + v[i];
  }
  const double variance = product - 1;
  std::vector<KnownValue> known = {{"mean(y)", 1, 16, source}, {"variance(y)", variance, 16, source}};
  for (std::size_t i = 0; i < a.size(); ++i) known.push_back({"first_order(y, x" + std::to_string(i + 1) + ")", v[i] / variance, 16, source});
  for (std::size_t i = 0; i < a.size(); ++i) known.push_back({"total(y, x" + std::to_string(i + 1) + ")", v[i] * product / (1 + v[i]) / variance, 16, source});
  return {.name = "sobol_g",
          .summary = "The g-function of Sobol' of 8 uniform inputs, a product whose factors fade (Saltelli and Sobol', 1995).",
          .model =
              [] {
                return make_model(8, {"y"}, [](const ConstMatrix& x, MutMatrix y) {
                  for (Index i = 0; i < x.cols(); ++i) {
                    double g = 1;
                    for (std::size_t k = 0; k < a.size(); ++k) g *= (std::abs(4 * x(static_cast<Index>(k), i) - 2) + a[k]) / (1 + a[k]);
                    y(0, i) = g;
                  }
                });
              },
          .law =
              [] {
                std::vector<Input> inputs;
                for (std::size_t k = 1; k <= a.size(); ++k) inputs.push_back({"x" + std::to_string(k), uniform_law(0, 1)});
                return JointLaw(std::move(inputs));
              },
          .known = std::move(known)};
}

// Flow of water through a borehole, in m³/year:
// y = 2π T_u (H_u − H_l) / (ln(r/r_w) (1 + 2 L T_u/(ln(r/r_w) r_w² K_w) + T_u/T_l)).
NamedProblem borehole_problem() {
  const std::string source = "composite Gauss-Legendre quadrature in six dimensions, H_u - H_l in closed form; stable to the digits given";
  return {.name = "borehole",
          .summary = "Flow of water through a borehole (8 inputs; Harper and Gupta, 1983; Morris, Mitchell and Ylvisaker, 1993).",
          .model =
              [] {
                return make_model(8, {"flow"}, [](const ConstMatrix& x, MutMatrix y) {
                  for (Index i = 0; i < x.cols(); ++i) {
                    const double r_w = x(0, i), r = x(1, i), t_u = x(2, i), h_u = x(3, i), t_l = x(4, i), h_l = x(5, i), l = x(6, i), k_w = x(7, i);
                    const double log_ratio = std::log(r / r_w);
                    y(0, i) = 2 * pi * t_u * (h_u - h_l) / (log_ratio * (1 + t_u / t_l) + 2 * l * t_u / (r_w * r_w * k_w));
                  }
                });
              },
          .law =
              [] {
                return JointLaw({{"r_w", normal_law(0.10, 0.0161812)},
                                 {"r", lognormal_law(7.71, 1.0056)},
                                 {"T_u", uniform_law(63070, 115600)},
                                 {"H_u", uniform_law(990, 1110)},
                                 {"T_l", uniform_law(63.1, 116)},
                                 {"H_l", uniform_law(700, 820)},
                                 {"L", uniform_law(1120, 1680)},
                                 {"K_w", uniform_law(9855, 12045)}});
              },
          .known = {{"mean(flow)", 73.7389365, 9, source}, {"variance(flow)", 817.72266, 8, source}}};
}

// Height of a flood above a dyke, in m: overflow = Z_v + (Q/(B K_s sqrt((Z_m − Z_v)/L)))^0.6 − 55.5 − 3, B = 300 m, L = 5000 m.
// The Gumbel law of Q reaches below zero with probability 0.002; such draws count as no flow.
NamedProblem flood_problem() {
  const std::string source = "tensor Gauss-Legendre quadrature, composite in Q and K_s; stable to the digits given";
  return {.name = "flood",
          .summary = "Height of a flood above a dyke (4 inputs; after the flooding case of OpenTURNS and Iooss and Lemaitre, 2015); the event is overflow > 0.",
          .model =
              [] {
                return make_model(4, {"overflow"}, [](const ConstMatrix& x, MutMatrix y) {
                  for (Index i = 0; i < x.cols(); ++i) {
                    const double q = std::max(x(0, i), 0.0), k_s = x(1, i), z_v = x(2, i), z_m = x(3, i);
                    y(0, i) = z_v + std::pow(q / (300 * k_s * std::sqrt((z_m - z_v) / 5000)), 0.6) - 58.5;
                  }
                });
              },
          .law =
              [] {
                return JointLaw(
                    {{"Q", gumbel_law(1013, 558)}, {"K_s", truncated_normal_law(30, 7.5, 15, 75)}, {"Z_v", uniform_law(49, 51)}, {"Z_m", uniform_law(54, 56)}});
              },
          .known = {{"mean(overflow)", -5.99752114, 9, source},
                    {"variance(overflow)", 1.2793212, 8, source},
                    {"probability(overflow > 0)", 5.763722905572e-05, 13, source}}};
}

}  // namespace buffon::detail
