// SPDX-License-Identifier: BSD-3-Clause
#include <cmath>
#include <numbers>
#include <string>
#include <utility>

#include "named_nested.hpp"

namespace buffon::detail {
namespace {

using Link = double (*)(double y, double inner);

/// A scalar process in which g_d sees y^d and the inner value only; row d of a path is y^d.
template <class Draw>
std::shared_ptr<const NestedProblem> scalar_problem(std::vector<Link> links, Index normals, Draw draw) {
  NestedFunctions f;
  for (std::size_t d = 0; d < links.size(); ++d) f.names.push_back({"y" + std::to_string(d)});
  f.normals.assign(links.size(), normals);
  f.sample = [draw](Index d, const ConstMatrix& past, const ConstMatrix& z, MutMatrix y) {
    for (Index i = 0; i < y.cols(); ++i) y(0, i) = draw(d, d == 0 ? 0.0 : past(d - 1, i), z.col(i));
  };
  f.link = [links = std::move(links)](Index d, const ConstMatrix& path, const ConstVector& inner, MutVector out) {
    const Link g = links[static_cast<std::size_t>(d)];
    for (Index i = 0; i < out.size(); ++i) out(i) = g(path(d, i), inner(i));
  };
  return make_nested_problem(std::move(f));
}

/// y^0 ~ N(mean, s²), y^d ~ N(y^{d−1}, s²).
std::shared_ptr<const NestedProblem> gaussian_walk(double mean, double s, std::vector<Link> links) {
  return scalar_problem(std::move(links), 1, [mean, s](Index d, double last, const auto& z) { return (d == 0 ? mean : last) + s * z(0); });
}

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

constexpr Link identity = [](double y, double) { return y; };
constexpr Link square = [](double, double z) { return z * z; };
constexpr Link cosine = [](double, double z) { return std::cos(z); };
constexpr Link product_square = [](double y, double z) { return y * z + z * z; };
constexpr Link sine_plus = [](double y, double z) { return std::sin(y + z); };
constexpr Link sine_minus = [](double y, double z) { return std::sin(y - z); };
constexpr Link sigmoid_plus = [](double y, double z) { return sigmoid(y + z); };
constexpr Link sigmoid_y = [](double y, double) { return sigmoid(y); };

const std::string closed_form = "closed form";
const std::string quadrature = "nested quadrature";

}  // namespace

std::vector<NamedNestedProblem> toy_nested_problems() {
  const double e = std::numbers::e;
  return {
      {.name = "sin_gaussian",
       .summary = "Depth 2: y0 ~ N(pi/2, 1), y1 ~ N(y0, 1), y2 ~ N(y1, 1); sin(y0 + z), sin(y1 - z), y2. First experiment of Syed and Wang (2023).",
       .make =
           [] {
             return gaussian_walk(std::numbers::pi / 2, 1, {sine_plus, sine_minus, identity});
           },
       .known = {{"value", std::exp(-0.5), 16, closed_form}}},
      {.name = "sin_student",
       .summary = "Depth 2: y0, y1, y2 independent noncentral t (10 degrees of freedom, noncentrality 0.5); sin(y0 + z), sin(y1 - z), y2. Second "
                  "experiment of Syed and Wang (2023).",
       .make =
           [] {
             return scalar_problem({sine_plus, sine_minus, identity}, 11,
                                   [](Index, double, const auto& z) { return (z(0) + 0.5) / std::sqrt(z.tail(10).squaredNorm() / 10); });
           },
       .known = {{"value", 0.2611136576, 10, quadrature}}},
      {.name = "sigmoid_gaussian",
       .summary = "Depth 2: y0 ~ N(0, 1), y1 ~ N(y0, 1), y2 ~ N(y1, 1); s(y0 + z), s(y1 + z), s(y2) with the logistic function s. Third experiment of "
                  "Syed and Wang (2023).",
       .make =
           [] {
             return gaussian_walk(0, 1, {sigmoid_plus, sigmoid_plus, sigmoid_y});
           },
       .known = {{"value", 0.6121788917, 10, quadrature}}},
      {.name = "cos_of_mean",
       .summary = "Depth 1: y0 ~ N(0, 1), y1 ~ N(y0, 1); cos(z), y1.",
       .make =
           [] {
             return gaussian_walk(0, 1, {cosine, identity});
           },
       .known = {{"value", std::exp(-0.5), 16, closed_form}}},
      {.name = "square_of_cos",
       .summary = "Depth 2: a Gaussian walk; z^2, cos(z), y2. Needs base samples of 4 or more.",
       .make =
           [] {
             return gaussian_walk(0, 1, {square, cosine, identity});
           },
       .known = {{"value", (1 + std::exp(-2.0)) / (2 * e), 16, closed_form}}},
      {.name = "deep_cos",
       .summary = "Depth 3: a Gaussian walk; z^2, z^2, cos(z), y3. Very heavy tails without base samples of 8 or more.",
       .make =
           [] {
             return gaussian_walk(0, 1, {square, square, cosine, identity});
           },
       .known = {{"value", std::exp(-2.0) / 4 * (1 + 2 * std::exp(-4.0) + 0.5 * std::exp(-4.0) * (1 + std::exp(-8.0))), 16, closed_form}}},
      {.name = "quadratic_1",
       .summary = "Depth 1 of the nested Gaussian quadratics with step 1/2: z^2, y1.",
       .make =
           [] {
             return gaussian_walk(0, 0.5, {square, identity});
           },
       .known = {{"value", 0.25, 16, closed_form}}},
      {.name = "quadratic_2",
       .summary = "Depth 2 of the nested Gaussian quadratics with step 1/2: y0 z + z^2, z^2, y2.",
       .make =
           [] {
             return gaussian_walk(0, 0.5, {product_square, square, identity});
           },
       .known = {{"value", 0.375, 16, closed_form}}},
      {.name = "quadratic_3",
       .summary = "Depth 3 of the nested Gaussian quadratics with step 1/2: y0 z + z^2, y1 z + z^2, z^2, y3. A variance far too large for Monte Carlo: a "
                  "test of warnings.",
       .make =
           [] {
             return gaussian_walk(0, 0.5, {product_square, product_square, square, identity});
           },
       .known = {{"value", 4.05078125, 16, closed_form}}},
  };
}

}  // namespace buffon::detail
