// SPDX-License-Identifier: BSD-3-Clause
// Normal and lognormal.
#include "laws.hpp"

#include <algorithm>
#include <array>
#include <optional>

namespace buffon {
namespace laws {
namespace {

// ---- normal -------------------------------------------------------------------------------------------------------

struct NormalOptions {
  double mean = 0;
  std::optional<double> std_dev;
  std::optional<double> cov;
};

void describe(OptionVisitor& v, NormalOptions& o) {
  v.on({.name = "mean", .meaning = "the mean", .required = true}, o.mean);
  v.on({.name = "std_dev", .meaning = "the standard deviation", .range = positive()}, o.std_dev);
  v.on({.name = "cov", .meaning = "the coefficient of variation, std_dev / |mean|, in place of std_dev", .range = positive()}, o.cov);
}

struct Normal : LawOf<Normal> {
  Normal(double mean, double std_dev) : mean_(mean), sd_(std_dev), log_sd_(std::log(std_dev)) {}
  double z(double x) const { return (x - mean_) / sd_; }
  double log_pdf(double x) const final { return log_normal_pdf(z(x)) - log_sd_; }
  double cdf(double x) const final { return normal_cdf(z(x)); }
  double survival(double x) const final { return normal_survival(z(x)); }
  double log_cdf(double x) const final { return log_normal_cdf(z(x)); }
  double log_survival(double x) const final { return log_normal_survival(z(x)); }
  double quantile_at(double p) const { return mean_ + sd_ * normal_quantile(p); }
  double upper_quantile_at(double q) const { return mean_ - sd_ * normal_quantile(q); }
  double of_score(double u) const { return mean_ + sd_ * u; }
  void of_scores(const double* u, double* x, std::ptrdiff_t count, std::ptrdiff_t stride) const {
    for (std::ptrdiff_t i = 0; i < count; ++i) x[i * stride] = mean_ + sd_ * u[i * stride];
  }
  double to_score(double x) const { return z(x); }
  double mean() const final { return mean_; }
  double std_dev() const final { return sd_; }
  double support_min() const final { return -infinity; }
  double support_max() const final { return infinity; }
  std::string describe() const final { return text("normal", {{"mean", mean_}, {"std_dev", sd_}}); }

 private:
  double mean_, sd_, log_sd_;
};

Marginal make(const NormalOptions& o) {
  check("normal", o);
  if (o.std_dev.has_value() == o.cov.has_value()) {
    throw Error(ErrorCategory::configuration, {.doing = "making a law of family normal",
                                               .key = "std_dev",
                                               .value = o.std_dev ? to_text(*o.std_dev) + " beside cov = " + to_text(*o.cov) : "",
                                               .rule = o.std_dev ? "says the spread twice" : "is missing",
                                               .remedy = "give exactly one of std_dev and cov"});
  }
  if (!o.std_dev && o.mean == 0) refuse("normal", "cov", *o.cov, "does not determine the spread when mean = 0", "give std_dev instead");
  const double sd = o.std_dev ? *o.std_dev : *o.cov * std::abs(o.mean);
  if (!(sd > 0 && std::isfinite(sd))) refuse("normal", "cov", *o.cov, "must give a standard deviation that is positive and finite", "give std_dev instead");
  return finish("normal", std::make_shared<Normal>(o.mean, sd));
}

// ---- lognormal ----------------------------------------------------------------------------------------------------

struct LognormalOptions {
  std::optional<double> mean, cov, mu_log, sigma_log;
};

void describe(OptionVisitor& v, LognormalOptions& o) {
  v.on({.name = "mean", .meaning = "the mean; goes with cov", .range = positive()}, o.mean);
  v.on({.name = "cov", .meaning = "the coefficient of variation, standard deviation / mean; goes with mean", .range = positive()}, o.cov);
  v.on({.name = "mu_log", .meaning = "the mean of the logarithm; goes with sigma_log"}, o.mu_log);
  v.on({.name = "sigma_log", .meaning = "the standard deviation of the logarithm; goes with mu_log", .range = positive()}, o.sigma_log);
}

struct Lognormal : LawOf<Lognormal> {
  Lognormal(double mu, double sigma, std::string description) : mu_(mu), sigma_(sigma), log_sigma_(std::log(sigma)), text_(std::move(description)) {}
  double z(double x) const { return x > 0 ? (std::log(x) - mu_) / sigma_ : x <= 0 ? -infinity : x; }
  double log_pdf(double x) const final {
    if (!(x > 0)) return std::isnan(x) ? x : -infinity;
    return x == infinity ? -infinity : log_normal_pdf(z(x)) - log_sigma_ - std::log(x);
  }
  double cdf(double x) const final { return normal_cdf(z(x)); }
  double survival(double x) const final { return normal_survival(z(x)); }
  double log_cdf(double x) const final { return log_normal_cdf(z(x)); }
  double log_survival(double x) const final { return log_normal_survival(z(x)); }
  double quantile_at(double p) const { return of_score(normal_quantile(p)); }
  double upper_quantile_at(double q) const { return of_score(-normal_quantile(q)); }
  double of_score(double u) const { return scalar::exp(mu_ + sigma_ * u); }
  void of_scores(const double* u, double* x, std::ptrdiff_t count, std::ptrdiff_t stride) const {
    in_blocks(u, x, count, stride, [this](const double* score, double* value, std::size_t n) {
      for (std::size_t i = 0; i < n; ++i) value[i] = mu_ + sigma_ * score[i];
      vector_exp({value, n}, {value, n});
    });
  }
  double to_score(double x) const { return z(x); }
  double mean() const final { return std::exp(mu_ + 0.5 * sigma_ * sigma_); }
  double std_dev() const final { return mean() * std::sqrt(std::expm1(sigma_ * sigma_)); }
  double support_min() const final { return 0; }
  double support_max() const final { return infinity; }
  std::string describe() const final { return text_; }

 private:
  double mu_, sigma_, log_sigma_;
  std::string text_;
};

Marginal make(const LognormalOptions& o) {
  check("lognormal", o);
  const bool moments = o.mean && o.cov && !o.mu_log && !o.sigma_log;
  const bool logs = !o.mean && !o.cov && o.mu_log && o.sigma_log;
  if (!moments && !logs) {
    std::string given;
    const std::array<std::pair<const char*, const std::optional<double>*>, 4> all = {
        {{"mean", &o.mean}, {"cov", &o.cov}, {"mu_log", &o.mu_log}, {"sigma_log", &o.sigma_log}}};
    for (const auto& [key, value] : all) {
      if (*value) given += (given.empty() ? "" : ", ") + std::string(key);
    }
    throw Error(ErrorCategory::configuration, {.doing = "making a law of family lognormal",
                                               .key = "mean, cov, mu_log, sigma_log",
                                               .value = given.empty() ? "none given" : "{" + given + "} given",
                                               .rule = "must be exactly one pair",
                                               .remedy = "give either mean and cov, or mu_log and sigma_log"});
  }
  const double sigma = moments ? std::sqrt(std::log1p(*o.cov * *o.cov)) : *o.sigma_log;
  const double mu = moments ? std::log(*o.mean) - 0.5 * sigma * sigma : *o.mu_log;
  if (!(sigma > 0 && std::isfinite(sigma)))
    refuse("lognormal", "cov", *o.cov, "must give a spread that a double can hold", "give a value between 1e-100 and 1e100");
  return finish("lognormal",
                std::make_shared<Lognormal>(
                    mu, sigma, moments ? text("lognormal", {{"mean", *o.mean}, {"cov", *o.cov}}) : text("lognormal", {{"mu_log", mu}, {"sigma_log", sigma}})));
}

}  // namespace

MarginalFamily normal_family() { return family<NormalOptions>("normal", "Gaussian law, by mean and standard deviation or coefficient of variation"); }
MarginalFamily lognormal_family() {
  return family<LognormalOptions>("lognormal", "law of exp(normal), by mean and coefficient of variation or by the parameters of the logarithm");
}

}  // namespace laws

Marginal normal_law(double mean, double std_dev) { return laws::make(laws::NormalOptions{.mean = mean, .std_dev = std_dev, .cov = {}}); }
Marginal lognormal_law(double mu_log, double sigma_log) {
  return laws::make(laws::LognormalOptions{.mean = {}, .cov = {}, .mu_log = mu_log, .sigma_log = sigma_log});
}
Marginal lognormal_law_by_moments(double mean, double coefficient_of_variation) {
  return laws::make(laws::LognormalOptions{.mean = mean, .cov = coefficient_of_variation, .mu_log = {}, .sigma_log = {}});
}

}  // namespace buffon
