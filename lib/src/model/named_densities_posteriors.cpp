// SPDX-License-Identifier: BSD-3-Clause

// Posteriors of the collection posteriordb (https://github.com/stan-dev/posteriordb). Densities are those of the parameters under their
// constraints: the Jacobian of log σ and log τ belongs to Target.

#include <buffon/core/error.hpp>

#include <array>
#include <cmath>
#include <fstream>
#include <limits>

#include <nlohmann/json.hpp>

#include "json_lines.hpp"
#include "named_densities.hpp"

namespace buffon::detail {
namespace {

using Json = nlohmann::json;

/// A data file of posteriordb, with errors that name file and key.
class PosteriorData {
 public:
  explicit PosteriorData(const std::filesystem::path& file) : file_(file.string()) {
    if (file.empty()) {
      throw Error(ErrorCategory::configuration, {.doing = "making a named density",
                                                 .key = "density.data",
                                                 .rule = "is missing",
                                                 .remedy = "Give the path of the file data.json of this posterior in posteriordb"});
    }
    std::ifstream in(file);
    std::error_code status;
    if (!in || std::filesystem::is_directory(file, status)) {
      throw Error(ErrorCategory::no_input, {.doing = "reading the data of a named density",
                                            .key = "density.data",
                                            .value = "\"" + file_ + "\"",
                                            .rule = "cannot be opened",
                                            .remedy = "Check the path; it starts at the folder of the configuration"});
    }
    json_ = Json::parse(in, nullptr, false);
    if (!json_.is_object()) refuse("the file", "is not a JSON object", "Give the file data.json as posteriordb has it");
  }

  Index count(const std::string& key, Index least) const {
    const Json& value = at(key);
    constexpr std::int64_t most = 10'000'000;
    if (!value.is_number_integer() || value.get<std::int64_t>() < least || value.get<std::int64_t>() > most) {
      refuse(key, "must be a whole number from " + std::to_string(least) + " to " + std::to_string(most), "Give the file data.json as posteriordb has it");
    }
    return value.get<Index>();
  }

  Eigen::VectorXd numbers(const std::string& key, Index size) const {
    const Json& value = at(key);
    if (!value.is_array() || static_cast<Index>(value.size()) != size) {
      refuse(key, "must be a list of " + std::to_string(size) + " numbers", "Give the file data.json as posteriordb has it");
    }
    Eigen::VectorXd numbers(size);
    for (Index i = 0; i < size; ++i) {
      const Json& element = value[static_cast<std::size_t>(i)];
      if (!element.is_number()) refuse(key, "element " + std::to_string(i + 1) + " is not a number", "Give a finite number");
      numbers(i) = element.get<double>();
    }
    return numbers;
  }

 private:
  const Json& at(const std::string& key) const {
    const auto found = json_.find(key);
    if (found == json_.end()) refuse(key, "is missing", "Give the file data.json as posteriordb has it");
    return *found;
  }
  [[noreturn]] void refuse(const std::string& key, const std::string& rule, const std::string& remedy) const {
    throw Error(ErrorCategory::data, {.doing = "reading the data of a named density from " + one_line(file_, 300), .key = key, .rule = rule, .remedy = remedy});
  }

  std::string file_;
  Json json_;
};

/// log of the half-Cauchy density of x > 0 with scale s, without constants.
double log_half_cauchy(double x, double s) { return -std::log1p((x / s) * (x / s)); }

constexpr Parameter positive_parameter(const char* name) { return {.name = name, .constraint = Constraint::lower, .lower = 0}; }

/// Σ residual² over (2σ²) + n log σ, negative: log of n normal densities without constants.
double log_normal_errors(double squares, double sigma, Index n) { return -static_cast<double>(n) * std::log(sigma) - squares / (2 * sigma * sigma); }

constexpr double nothing = -std::numeric_limits<double>::infinity();

}  // namespace

NamedDensity eight_schools_density() {
  static constexpr Index schools = 8;
  // Rubin, "Estimation in parallel randomized experiments", Journal of Educational Statistics 6 (1981), table 1.
  static constexpr std::array<double, schools> effect = {28, 8, -3, 7, -1, 1, 18, 12}, error = {15, 10, 16, 11, 9, 11, 10, 18};
  constexpr const char* reference = "reference draws of posteriordb, eight_schools_noncentered";
  NamedDensity density;
  density.name = "eight_schools";
  density.summary = "Effects of coaching in eight schools, hierarchical normal model, non-centred (Rubin 1981; posteriordb): theta_j = mu + tau z_j.";
  density.make = [](Index, const std::filesystem::path&) {
    auto log_p = [](const Eigen::VectorXd& x) {
      const double mu = x(schools), tau = x(schools + 1);
      if (!(tau > 0)) return nothing;
      double squares = (mu / 5) * (mu / 5);
      for (Index j = 0; j < schools; ++j) {
        const auto k = static_cast<std::size_t>(j);
        const double residual = (effect[k] - (mu + tau * x(j))) / error[k];
        squares += x(j) * x(j) + residual * residual;
      }
      return -0.5 * squares + log_half_cauchy(tau, 5);
    };
    std::vector<std::string> names;
    for (Index j = 1; j <= schools; ++j) names.push_back("theta." + std::to_string(j));
    auto theta = make_model(schools + 2, names, [](const ConstMatrix& x, MutMatrix values) {
      for (Index i = 0; i < x.cols(); ++i) values.col(i).array() = x(schools, i) + x(schools + 1, i) * x.col(i).head(schools).array();
    });
    return MadeDensity{make_log_density(schools + 2, log_p), {{.name = "z", .size = schools}, {.name = "mu"}, positive_parameter("tau")}, std::move(theta)};
  };
  density.known = {{"mean(theta.1)", 6.1505023, reference},    {"std_dev(theta.1)", 5.6158634, reference}, {"mean(theta.2)", 4.9395811, reference},
                   {"std_dev(theta.2)", 4.6455781, reference}, {"mean(theta.3)", 3.9059061, reference},    {"std_dev(theta.3)", 5.280712, reference},
                   {"mean(theta.4)", 4.7960168, reference},    {"std_dev(theta.4)", 4.770938, reference},  {"mean(theta.5)", 3.6144363, reference},
                   {"std_dev(theta.5)", 4.6147207, reference}, {"mean(theta.6)", 4.0511476, reference},    {"std_dev(theta.6)", 4.7962484, reference},
                   {"mean(theta.7)", 6.3171698, reference},    {"std_dev(theta.7)", 5.0028554, reference}, {"mean(theta.8)", 4.8839969, reference},
                   {"std_dev(theta.8)", 5.3176921, reference}, {"mean(mu)", 4.4105183, reference},         {"std_dev(mu)", 3.3092965, reference},
                   {"mean(tau)", 3.6020595, reference},        {"std_dev(tau)", 3.1984777, reference}};
  return density;
}

NamedDensity kidiq_density() {
  NamedDensity density;
  constexpr const char* reference = "reference draws of posteriordb, kidiq-kidscore_momiq";
  density.name = "kidiq";
  density.summary = "Score of a child on the mother's IQ, linear regression (Gelman, Hill, 2007; posteriordb kidiq-kidscore_momiq).";
  density.needs_data = true;
  density.make = [](Index, const std::filesystem::path& file) {
    const PosteriorData data(file);
    const Index n = data.count("N", 1);
    auto log_p = [n, score = data.numbers("kid_score", n), iq = data.numbers("mom_iq", n)](const Eigen::VectorXd& x) {
      const double sigma = x(2);
      if (!(sigma > 0)) return nothing;
      const double squares = (score.array() - x(0) - x(1) * iq.array()).square().sum();
      return log_normal_errors(squares, sigma, n) + log_half_cauchy(sigma, 2.5);
    };
    return MadeDensity{make_log_density(3, std::move(log_p)), {{.name = "beta", .size = 2}, positive_parameter("sigma")}};
  };
  density.known = {{"mean(beta.1)", 25.916532, reference},      {"std_dev(beta.1)", 5.9686029, reference}, {"mean(beta.2)", 0.60862844, reference},
                   {"std_dev(beta.2)", 0.058981907, reference}, {"mean(sigma)", 18.275848, reference},     {"std_dev(sigma)", 0.62401546, reference}};
  return density;
}

NamedDensity ar_k_density() {
  NamedDensity density;
  constexpr const char* reference = "reference draws of posteriordb, arK-arK";
  density.name = "ar_k";
  density.summary = "Autoregression of order K of a simulated series (posteriordb arK).";
  density.needs_data = true;
  density.make = [](Index, const std::filesystem::path& file) {
    const PosteriorData data(file);
    const Index order = data.count("K", 1), length = data.count("T", order + 1), n = length - order;
    const Eigen::VectorXd y = data.numbers("y", length);
    Eigen::MatrixXd lagged(n, order);
    for (Index k = 0; k < order; ++k) lagged.col(k) = y.segment(order - 1 - k, n);
    auto log_p = [n, order, lagged = std::move(lagged), now = Eigen::VectorXd(y.tail(n))](const Eigen::VectorXd& x) {
      const double alpha = x(0), sigma = x(order + 1);
      if (!(sigma > 0)) return nothing;
      const auto beta = x.segment(1, order);
      double squares = 0;
      for (Index t = 0; t < n; ++t) {
        const double residual = now(t) - alpha - lagged.row(t).dot(beta);
        squares += residual * residual;
      }
      return -0.5 * (alpha * alpha + beta.squaredNorm()) / 100 + log_normal_errors(squares, sigma, n) + log_half_cauchy(sigma, 2.5);
    };
    return MadeDensity{make_log_density(order + 2, std::move(log_p)), {{.name = "alpha"}, {.name = "beta", .size = order}, positive_parameter("sigma")}};
  };
  density.known = {{"mean(alpha)", -0.00071865025, reference},  {"std_dev(alpha)", 0.010708218, reference},  {"mean(beta.1)", 0.69216328, reference},
                   {"std_dev(beta.1)", 0.070550923, reference}, {"mean(beta.2)", 0.43904308, reference},     {"std_dev(beta.2)", 0.087309763, reference},
                   {"mean(beta.3)", 0.10581603, reference},     {"std_dev(beta.3)", 0.093082559, reference}, {"mean(beta.4)", -0.035435038, reference},
                   {"std_dev(beta.4)", 0.086041813, reference}, {"mean(beta.5)", -0.30151207, reference},    {"std_dev(beta.5)", 0.069883137, reference},
                   {"mean(sigma)", 0.15056666, reference},      {"std_dev(sigma)", 0.0077747155, reference}};
  return density;
}

}  // namespace buffon::detail
