// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/core/error.hpp>
#include <buffon/model/joint_law.hpp>
#include <buffon/model/marginal.hpp>
#include <buffon/random/kernel_variant.hpp>
#include <buffon/stats/normal.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <boost/math/quadrature/gauss_kronrod.hpp>

#include "law_cases.hpp"
#include "statistical.hpp"

using namespace buffon;

namespace {

constexpr double epsilon = std::numeric_limits<double>::epsilon();
constexpr double infinity = std::numeric_limits<double>::infinity();

using Kronrod = boost::math::quadrature::gauss_kronrod<double, 31>;

/// The score u may move by what some units in the last place of x move it (|du/dx| = f/φ(u)), and by rounding of the functions.
double score_tolerance(const Marginal& law, double u, double x) {
  const double per_x = std::exp(law.log_pdf(x) - log_normal_pdf(u));
  return 8 * epsilon * std::abs(x) * per_x + 2e-13 * std::max(1.0, std::abs(u));
}

/// ∫ e^{log f − shift} over [a, b], in log x where the interval spans orders of magnitude.
double density_integral(const Marginal& law, double a, double b, double shift) {
  if (a * b > 0 && std::max(a / b, b / a) > 4) {
    const double sign = a > 0 ? 1 : -1;
    const auto f = [&](double y) { return std::exp(law.log_pdf(sign * std::exp(y)) - shift + y); };
    return Kronrod::integrate(f, std::log(std::min(std::abs(a), std::abs(b))), std::log(std::max(std::abs(a), std::abs(b))), 10, 1e-11);
  }
  return Kronrod::integrate([&](double x) { return std::exp(law.log_pdf(x) - shift); }, a, b, 10, 1e-11);
}

}  // namespace

TEST_CASE("scores come back from the middle and from both tails") {
  for (const auto& [name, law, tails] : law_cases()) {
    for (const double u : {-37.0, -20.0, -8.0, -3.0, -1.0, -0.1, 0.0, 0.3, 1.0, 3.0, 8.0, 20.0, 37.0}) {
      const double x = law.from_standard(u);
      const bool at_end = x == law.support_min() || x == law.support_max();
      const auto& case_name = name;
      CAPTURE(case_name);
      CAPTURE(u);
      CAPTURE(x);
      CHECK(std::isfinite(x));
      if (tails) CHECK_FALSE(at_end);
      if (at_end) continue;
      CHECK(std::abs(law.to_standard(x) - u) <= score_tolerance(law, u, x));
    }
  }
}

TEST_CASE("scores come back where probabilities are below the smallest double") {
  // The lower end at 0 is reached by every law whose quantile is a power of p; laws with infinite ends go on.
  const std::vector<LawCase> cases = {
      {"normal", normal_law(0, 1)},      {"lognormal", lognormal_law(0, 0.5)}, {"gumbel", gumbel_law(0, 1)},
      {"weibull", weibull_law(12, 100)}, {"gamma", gamma_law(7.5, 0.2)},       {"large gamma", gamma_law(40000, 1)},
      {"t", student_t_law(5.5, 0, 2)},   {"large t", student_t_law(30000)},    {"cut normal", truncated_normal_law(50, 1, 0, infinity)}};
  for (const auto& [name, law, tails] : cases) {
    for (const double u : {-50.0, -39.0, -37.6, 37.6, 39.0, 50.0}) {
      const auto& case_name = name;
      CAPTURE(case_name);
      CAPTURE(u);
      const double x = law.from_standard(u);
      CAPTURE(x);
      CHECK(std::abs(law.to_standard(x) - u) <= score_tolerance(law, u, x));
    }
  }
}

TEST_CASE("the cdf is the integral of the density, in the middle and far out") {
  for (const auto& [name, law, tails] : law_cases()) {
    const auto& case_name = name;
    CAPTURE(case_name);
    for (double u = -4; u < 4; u += 0.5) {
      const double a = law.from_standard(u);
      const double b = law.from_standard(u + 0.5);
      const double mass = normal_cdf(u + 0.5) - normal_cdf(u);
      // Rounded ends move the mass by f ε |x| each.
      const double grain = 4 * epsilon * std::max(std::abs(a), std::abs(b)) * (std::exp(law.log_pdf(a)) + std::exp(law.log_pdf(b)));
      CAPTURE(u);
      if (std::isfinite(grain)) CHECK(std::abs(density_integral(law, a, b, 0) - mass) <= 1e-9 * mass + grain);
    }
    if (!tails) continue;
    for (const double u : {-36.5, -20.0, -10.0}) {
      const double a = law.from_standard(u - 0.5);
      const double b = law.from_standard(u);
      CAPTURE(u);
      CHECK(density_integral(law, a, b, law.log_cdf(b)) == doctest::Approx(1 - std::exp(law.log_cdf(a) - law.log_cdf(b))).scale(0).epsilon(1e-8));
    }
    for (const double u : {10.0, 20.0, 36.5}) {
      const double a = law.from_standard(u);
      const double b = law.from_standard(u + 0.5);
      CAPTURE(u);
      CHECK(density_integral(law, a, b, law.log_survival(a)) ==
            doctest::Approx(1 - std::exp(law.log_survival(b) - law.log_survival(a))).scale(0).epsilon(1e-8));
    }
  }
}

TEST_CASE("cdf, survival, their logarithms and quantiles agree with each other") {
  for (const auto& [name, law, tails] : law_cases()) {
    const auto& case_name = name;
    CAPTURE(case_name);
    for (const double p : {1e-12, 1e-5, 0.01, 0.2, 0.5, 0.7, 0.95}) {
      CAPTURE(p);
      const double x = law.quantile(p);
      const double y = law.upper_quantile(p);
      // One unit in the last place of x moves F by f ε |x|.
      const double grain_x = 8 * epsilon * std::abs(x) * std::exp(law.log_pdf(x));
      const double grain_y = 8 * epsilon * std::abs(y) * std::exp(law.log_pdf(y));
      CHECK(std::abs(law.cdf(x) - p) <= 1e-12 * p + grain_x);
      CHECK(std::abs(law.survival(y) - p) <= 1e-12 * p + grain_y);
      CHECK(std::abs(law.cdf(x) + law.survival(x) - 1) <= 1e-13);
      CHECK(std::abs(law.log_cdf(x) - std::log(law.cdf(x))) <= 1e-13);
      if (y < law.support_max()) CHECK(std::abs(law.log_survival(y) - std::log(law.survival(y))) <= 1e-13);
    }
    CHECK(law.quantile(0) == law.support_min());
    CHECK(law.quantile(1) == law.support_max());
    CHECK(law.upper_quantile(0) == law.support_max());
    CHECK(law.upper_quantile(1) == law.support_min());
    CHECK(std::isnan(law.quantile(-0.1)));
    CHECK(std::isnan(law.upper_quantile(1.5)));
  }
}

TEST_CASE("mean and standard deviation are those of the quantile function") {
  for (const auto& [name, law, tails] : law_cases()) {
    const double mean = law.mean();
    const double sd = law.std_dev();
    if (!std::isfinite(sd)) continue;
    const auto& case_name = name;
    CAPTURE(case_name);
    // E g(X) = ∫ g(x(u)) φ(u) du; beyond ±37 even x² of a t law with 3 degrees contributes less than 1e-90
    double first = 0;
    double second = 0;
    for (double u = -37; u < 37; u += 0.5) {
      const auto deviation = [&, &law = law](double v) { return (law.from_standard(v) - mean) / sd; };
      first += Kronrod::integrate([&](double v) { return deviation(v) * std::exp(log_normal_pdf(v)); }, u, u + 0.5, 4, 1e-10);
      second += Kronrod::integrate([&](double v) { return deviation(v) * deviation(v) * std::exp(log_normal_pdf(v)); }, u, u + 0.5, 4, 1e-10);
    }
    // the moments of a shifted law lose ε |x| / σ to rounding
    const double tolerance = 1e-9 + 8 * epsilon * std::abs(mean) / sd;
    CHECK(std::abs(first) <= tolerance);
    CHECK(std::abs(second - 1) <= 2 * tolerance);
  }
  CHECK(std::isnan(student_t_law(1).mean()));
  CHECK(student_t_law(1.5).std_dev() == infinity);
}

TEST_CASE("draws follow their law") {
  // Kolmogorov–Smirnov at level 1e-6 per law with 5000 draws; the wrong variant has scores 1.2 u + 0.1.
  constexpr Index n = 5000;
  const Stream root(20240607);
  std::uint64_t number = 0;
  for (const auto& [name, law, tails] : law_cases()) {
    const auto& case_name = name;
    CAPTURE(case_name);
    const Stream stream = root.child("law", number++);
    const JointLaw joint({{"x", law}});
    Eigen::MatrixXd x(1, n);
    joint.sample(stream, 0, x);
    const Marginal& one = law;
    const auto cdf = [&one](double value) { return one.cdf(value); };
    CHECK(testing::ks_p(std::vector<double>(x.data(), x.data() + n), cdf) > testing::level);
    Eigen::MatrixXd u(1, n);
    stream.normals(0, u);
    u = 1.2 * u.array() + 0.1;
    joint.from_standard(u, x);
    CHECK(testing::ks_p(std::vector<double>(x.data(), x.data() + n), cdf) < testing::level);
  }
}

TEST_CASE("points outside the support have density zero and infinite scores, and NaN stays NaN") {
  for (const auto& [name, law, tails] : law_cases()) {
    const auto& case_name = name;
    CAPTURE(case_name);
    for (const double x : {law.support_min() - 1, -infinity}) {
      CHECK(law.log_pdf(x) == -infinity);
      CHECK(law.cdf(x) == 0);
      CHECK(law.survival(x) == 1);
      CHECK(law.log_cdf(x) == -infinity);
      CHECK(law.log_survival(x) == 0);
      CHECK(law.to_standard(x) == -infinity);
    }
    for (const double x : {law.support_max() + 1, infinity}) {
      CHECK(law.log_pdf(x) == -infinity);
      CHECK(law.cdf(x) == 1);
      CHECK(law.survival(x) == 0);
      CHECK(law.log_cdf(x) == 0);
      CHECK(law.log_survival(x) == -infinity);
      CHECK(law.to_standard(x) == infinity);
    }
    CHECK(law.from_standard(-infinity) == law.support_min());
    CHECK(law.from_standard(infinity) == law.support_max());
    for (const double value : {law.log_pdf(NAN), law.cdf(NAN), law.survival(NAN), law.log_cdf(NAN), law.log_survival(NAN), law.quantile(NAN),
                               law.upper_quantile(NAN), law.from_standard(NAN), law.to_standard(NAN)}) {
      CHECK(std::isnan(value));
    }
  }
}

TEST_CASE("the bulk transform gives the bits of the single one") {
  for (const auto& [name, law, tails] : law_cases()) {
    const auto& case_name = name;
    CAPTURE(case_name);
    std::vector<double> u(2 * 301);
    for (std::size_t i = 0; i < u.size(); ++i) u[i] = -6 + 0.02 * static_cast<double>(i);
    std::vector<double> x = u;
    law.from_standard(x.data() + 1, x.data() + 1, 301, 2);
    bool same = true;
    for (std::size_t i = 0; i < u.size(); ++i) same = same && x[i] == (i % 2 == 1 ? law.from_standard(u[i]) : u[i]);
    CHECK(same);
  }
}

TEST_CASE("the bulk transform gives the bits of the single one where probabilities end, on every instruction set") {
  std::vector<double> u = {-infinity, infinity, NAN, -0.0, 0.0, -37, 37, std::nextafter(37, 38), std::nextafter(-37, -38), 1e-300, -1e-300};
  for (double v = -45; v < 45; v += 0.73) u.push_back(v);
  const std::string before(kernel_variant());
  for (const auto variant : available_kernel_variants()) {
    force_kernel_variant(variant);
    for (const auto& [name, law, tails] : law_cases()) {
      const auto& case_name = name;
      CAPTURE(case_name);
      std::vector<double> x(u.size());
      law.from_standard(u.data(), x.data(), static_cast<std::ptrdiff_t>(u.size()), 1);
      for (std::size_t i = 0; i < u.size(); ++i) {
        CAPTURE(u[i]);
        const double one = law.from_standard(u[i]);
        CHECK((x[i] == one || (std::isnan(x[i]) && std::isnan(one))));
      }
    }
  }
  force_kernel_variant(before);
}

TEST_CASE("laws that coincide agree in every digit that both can have") {
  struct Pair {
    Marginal a, b;
  };
  const std::vector<Pair> pairs = {
      {gamma_law(1, 2), exponential_law(0.5)},
      {weibull_law(1, 2), exponential_law(0.5)},
      {beta_law(1, 1), uniform_law(0, 1)},
      {beta_law(2, 1), triangular_law(0, 1, 1)},
      {beta_law(1, 2, 3, 5), triangular_law(3, 3, 5)},
      {truncated_normal_law(1, 2, -1e9, 1e9), normal_law(1, 2)},
      {truncated_normal_law(1, 2, -infinity, 1e9), normal_law(1, 2)},
      {lognormal_law_by_moments(3, 0.4), lognormal_law(std::log(3) - 0.5 * std::log1p(0.16), std::sqrt(std::log1p(0.16)))},
      {weibull_law(2, std::sqrt(2.0)), gamma_law(1, 1)},  // through x²/2, below
  };
  for (std::size_t k = 0; k < pairs.size(); ++k) {
    CAPTURE(k);
    const auto& [a, b] = pairs[k];
    const bool squared = k + 1 == pairs.size();
    for (const double u : {-8.0, -2.5, -0.5, 0.0, 0.7, 3.0, 8.0}) {
      CAPTURE(u);
      const double x = a.from_standard(u);
      CHECK((squared ? 0.5 * x * x : x) == doctest::Approx(b.from_standard(u)).scale(1).epsilon(1e-12));
      if (!squared && x > b.support_min() && x < b.support_max()) CHECK(a.log_pdf(x) == doctest::Approx(b.log_pdf(x)).scale(1).epsilon(1e-11));
    }
  }
  // Cauchy: x = tan(π (F − ½)) = −1 / tan(π F)
  const Marginal cauchy = student_t_law(1, 2, 3);
  for (const double p : {1e-300, 1e-20, 1e-3, 0.2, 0.4})
    CHECK(cauchy.quantile(p) == doctest::Approx(2 - 3 / std::tan(3.14159265358979323846 * p)).scale(0).epsilon(1e-12));
}

TEST_CASE("laws describe themselves in the words of a configuration") {
  CHECK(lognormal_law_by_moments(556.8, 0.08).describe() == "lognormal(mean = 556.8, cov = 0.08)");
  CHECK(lognormal_law(0, 1).describe() == "lognormal(mu_log = 0, sigma_log = 1)");
  CHECK(Marginal().describe() == "normal(mean = 0, std_dev = 1)");
}
