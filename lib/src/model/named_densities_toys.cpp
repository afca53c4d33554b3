// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/core/error.hpp>

#include <cmath>
#include <limits>

#include "named_densities.hpp"

namespace buffon::detail {
namespace {

constexpr const char* gpss_paper = "Schär, Habeck, Rudolf, \"Gibbsian polar slice sampling\", ICML 2023";

void require_dimension(const char* name, Index dimension, Index least) {
  if (dimension >= least) return;
  throw Error(ErrorCategory::configuration, {.doing = "making the density " + std::string(name),
                                             .key = "density.dimension",
                                             .value = std::to_string(dimension),
                                             .rule = "must be at least " + std::to_string(least),
                                             .remedy = "Give a larger dimension"});
}

std::vector<Parameter> vector_parameter(Index dimension) { return {{.name = "x", .size = dimension}}; }

}  // namespace

NamedDensity gaussian_density() {
  NamedDensity density;
  density.name = "gaussian";
  density.summary = "Standard normal law in d dimensions.";
  density.sized = true;
  density.default_dimension = 10;
  density.make = [](Index d, const std::filesystem::path&) {
    require_dimension("gaussian", d, 1);
    return MadeDensity{make_log_density(d, [](const Eigen::VectorXd& x) { return -0.5 * x.squaredNorm(); }), vector_parameter(d)};
  };
  density.known = {{"mean(x.1)", 0, "exact"}, {"std_dev(x.1)", 1, "exact"}, {"quantile(x.1, 0.05)", -1.6448536269514722, "exact"}};
  return density;
}

NamedDensity cauchy_density() {
  NamedDensity density;
  density.name = "cauchy";
  density.summary = std::string("Standard multivariate Cauchy law (") + gpss_paper + ", section 4.1); |x|²/d has the law F(d, 1).";
  density.sized = true;
  density.default_dimension = 100;
  density.make = [](Index d, const std::filesystem::path&) {
    require_dimension("cauchy", d, 1);
    const double power = -0.5 * static_cast<double>(d + 1);
    return MadeDensity{make_log_density(d, [power](const Eigen::VectorXd& x) { return power * std::log1p(x.squaredNorm()); }), vector_parameter(d),
                       make_point_model(d, "radius", [](const Eigen::VectorXd& x) { return x.norm(); })};
  };
  density.known = {{"quantile(x.1, 0.05)", -6.3137515146750411, "exact: every component is Cauchy"},
                   {"quantile(x.1, 0.5)", 0, "exact"},
                   {"quantile(radius, 0.05)", 5.0403949384524838, "exact: radius²/d ~ F(d, 1)"},
                   {"quantile(radius, 0.5)", 14.772116984286178, "exact: radius²/d ~ F(d, 1)"},
                   {"quantile(radius, 0.95)", 159.07264732558568, "exact: radius²/d ~ F(d, 1)"}};
  return density;
}

NamedDensity hyperplane_disk_density() {
  constexpr Index default_dimension = 200;
  NamedDensity density;
  density.name = "hyperplane_disk";
  density.summary = std::string("log p = −(Σ x_i)² − |x|²: a Gaussian close to a hyperplane (") + gpss_paper + ", section 4.2).";
  density.sized = true;
  density.default_dimension = default_dimension;
  density.make = [](Index d, const std::filesystem::path&) {
    require_dimension("hyperplane_disk", d, 1);
    auto log_p = [](const Eigen::VectorXd& x) {
      const double sum = x.sum();
      return -sum * sum - x.squaredNorm();
    };
    return MadeDensity{make_log_density(d, log_p), vector_parameter(d),
                       make_point_model(d, "squared_radius", [](const Eigen::VectorXd& x) { return x.squaredNorm(); })};
  };
  // Variance 1/(2(1 + d)) along (1, …, 1)/√d, 1/2 across.
  constexpr double d = default_dimension, along = 0.5 / (1 + d);
  density.known = {{"mean(x.1)", 0, "exact"},
                   {"std_dev(x.1)", std::sqrt(0.5 * (1 - 1 / d) + along / d), "exact: Gaussian"},
                   {"mean(squared_radius)", 0.5 * (d - 1) + along, "exact: Gaussian"},
                   {"std_dev(squared_radius)", std::sqrt(2 * (0.25 * (d - 1) + along * along)), "exact: Gaussian"}};
  return density;
}

NamedDensity axial_modes_density() {
  constexpr Index default_dimension = 10;
  NamedDensity density;
  density.name = "axial_modes";
  density.summary = std::string("log p = 4 log max|x_i| − Σ|x_i|: 2d modes on the axes (") + gpss_paper + ", section 4.3); Σ|x_i| ~ Gamma(d + 4).";
  density.sized = true;
  density.default_dimension = default_dimension;
  density.make = [](Index d, const std::filesystem::path&) {
    require_dimension("axial_modes", d, 1);
    auto log_p = [](const Eigen::VectorXd& x) { return 4 * std::log(x.cwiseAbs().maxCoeff()) - x.cwiseAbs().sum(); };
    return MadeDensity{make_log_density(d, log_p), vector_parameter(d),
                       make_point_model(d, "absolute_sum", [](const Eigen::VectorXd& x) { return x.cwiseAbs().sum(); })};
  };
  constexpr double shape = default_dimension + 4;
  density.known = {{"mean(x.1)", 0, "exact: symmetric"},
                   {"mean(absolute_sum)", shape, "exact: Gamma(d + 4)"},
                   {"std_dev(absolute_sum)", std::sqrt(shape), "exact: Gamma(d + 4)"}};
  return density;
}

NamedDensity funnel_density() {
  NamedDensity density;
  density.name = "funnel";
  density.summary = "x_1 ~ N(0, 9), x_i | x_1 ~ N(0, exp(x_1)) (Neal, \"Slice sampling\", Annals of Statistics 2003).";
  density.sized = true;
  density.default_dimension = 10;
  density.make = [](Index d, const std::filesystem::path&) {
    require_dimension("funnel", d, 2);
    auto log_p = [d](const Eigen::VectorXd& x) {
      const double v = x(0), squares = x.tail(d - 1).squaredNorm();
      // exp(−v) may overflow where all other components are 0.
      const double scaled = squares > 0 ? 0.5 * squares * std::exp(-v) : 0.0;
      return -v * v / 18 - 0.5 * static_cast<double>(d - 1) * v - scaled;
    };
    return MadeDensity{make_log_density(d, log_p), vector_parameter(d)};
  };
  density.known = {{"mean(x.1)", 0, "exact"},
                   {"std_dev(x.1)", 3, "exact"},
                   {"quantile(x.1, 0.05)", -4.9345608808544167, "exact"},
                   {"quantile(x.1, 0.001)", -9.2706969185034414, "exact"},
                   {"quantile(x.1, 0.999)", 9.2706969185034414, "exact"}};
  return density;
}

}  // namespace buffon::detail
