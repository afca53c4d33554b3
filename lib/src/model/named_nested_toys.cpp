// SPDX-License-Identifier: BSD-3-Clause
#include <cmath>
#include <functional>
#include <numbers>
#include <span>
#include <string>
#include <utility>

#include <buffon/linalg/vector_math.hpp>

#include "named_nested.hpp"

namespace buffon::detail {
namespace {

/// g_d on a batch in which it sees y^d and the inner value only; `y` has one value every `stride`.
using Link = void (*)(const double* y, Index stride, const double* inner, double* out, Index n);

template <double (*g)(double y, double inner)>
constexpr Link link = [](const double* y, Index stride, const double* inner, double* out, Index n) {
  for (Index i = 0; i < n; ++i) out[i] = g(y[i * stride], inner[i]);
};

/// The same followed by a vector function of linalg.
template <void (*f)(std::span<const double>, std::span<double>), double (*g)(double y, double inner)>
constexpr Link link_of = [](const double* y, Index stride, const double* inner, double* out, Index n) {
  link<g>(y, stride, inner, out, n);
  f({out, static_cast<std::size_t>(n)}, {out, static_cast<std::size_t>(n)});
};

using Sampler = std::function<void(Index d, const ConstMatrix& past, const ConstMatrix& z, MutMatrix y)>;

/// A scalar process: row d of a path is y^d.
std::shared_ptr<const NestedProblem> scalar_problem(std::vector<Link> links, Index normals, Sampler sample) {
  NestedFunctions f;
  for (std::size_t d = 0; d < links.size(); ++d) f.names.push_back({"y" + std::to_string(d)});
  f.normals.assign(links.size(), normals);
  f.sample = std::move(sample);
  f.link = [links = std::move(links)](Index d, const ConstMatrix& path, const ConstVector& inner, MutVector out) {
    links[static_cast<std::size_t>(d)](path.data() + d, path.outerStride(), inner.data(), out.data(), out.size());
  };
  return make_nested_problem(std::move(f));
}

/// y^0 ~ N(mean, s²), y^d ~ N(y^{d−1}, s²).
std::shared_ptr<const NestedProblem> gaussian_walk(double mean, double s, std::vector<Link> links) {
  return scalar_problem(std::move(links), 1, [mean, s](Index d, const ConstMatrix& past, const ConstMatrix& z, MutMatrix y) {
    for (Index i = 0; i < y.cols(); ++i) y(0, i) = (d == 0 ? mean : past(d - 1, i)) + s * z(0, i);
  });
}

/// Independent noncentral t with 10 degrees of freedom: (Z + δ) / √(χ²₁₀ / 10).
std::shared_ptr<const NestedProblem> student_sequence(double noncentrality, std::vector<Link> links) {
  return scalar_problem(std::move(links), 11, [noncentrality](Index, const ConstMatrix&, const ConstMatrix& z, MutMatrix y) {
    for (Index i = 0; i < y.cols(); ++i) y(0, i) = (z(0, i) + noncentrality) / std::sqrt(z.col(i).tail<10>().squaredNorm() / 10);
  });
}

/// 1 / (1 + exp(−x))
void vector_logistic(std::span<const double> x, std::span<double> y) {
  for (std::size_t i = 0; i < x.size(); ++i) y[i] = -x[i];
  vector_exp(y, y);
  for (double& v : y) v = 1 / (1 + v);
}

double own(double y, double) { return y; }
double inner_value(double, double z) { return z; }
double sum(double y, double z) { return y + z; }
double difference(double y, double z) { return y - z; }
double squared(double, double z) { return z * z; }
double product_and_square(double y, double z) { return y * z + z * z; }

constexpr Link identity = link<own>;
constexpr Link square = link<squared>;
constexpr Link product_square = link<product_and_square>;
constexpr Link cosine = link_of<vector_cos, inner_value>;
constexpr Link sine_plus = link_of<vector_sin, sum>;
constexpr Link sine_minus = link_of<vector_sin, difference>;
constexpr Link logistic_plus = link_of<vector_logistic, sum>;
constexpr Link logistic = link_of<vector_logistic, own>;

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
             return student_sequence(0.5, {sine_plus, sine_minus, identity});
           },
       .known = {{"value", 0.2611136576, 10, quadrature}}},
      {.name = "sigmoid_gaussian",
       .summary = "Depth 2: y0 ~ N(0, 1), y1 ~ N(y0, 1), y2 ~ N(y1, 1); s(y0 + z), s(y1 + z), s(y2) with the logistic function s. Third experiment of "
                  "Syed and Wang (2023).",
       .make =
           [] {
             return gaussian_walk(0, 1, {logistic_plus, logistic_plus, logistic});
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
