// SPDX-License-Identifier: BSD-3-Clause
// Exponential, Weibull and Gumbel: closed forms of a standard exponential variate.
#include "law_kernels.hpp"
#include "laws.hpp"

namespace buffon {
namespace laws {
namespace {

// ---- exponential --------------------------------------------------------------------------------------------------

struct ExponentialOptions {
  double rate = 1;
  double location = 0;
};

void describe(OptionVisitor& v, ExponentialOptions& o) {
  v.on({.name = "rate", .meaning = "the rate, 1 / (mean − location)", .range = positive(), .required = true}, o.rate);
  v.on({.name = "location", .meaning = "the smallest value"}, o.location);
}

struct Exponential : LawOf<Exponential> {
  Exponential(double rate, double location) : rate_(rate), location_(location) {}
  double e(double x) const { return rate_ * (x - location_); }
  double log_pdf(double x) const final { return x < location_ ? -infinity : std::log(rate_) - e(x); }
  double cdf(double x) const final { return x <= location_ ? 0 : -std::expm1(-e(x)); }
  double survival(double x) const final { return x <= location_ ? 1 : std::exp(-e(x)); }
  double log_cdf(double x) const final { return x <= location_ ? -infinity : e(x) < smallest_plain ? log_e(x) : log1mexp(-e(x)); }
  double log_survival(double x) const final { return x <= location_ ? 0 : -e(x); }
  double quantile_at(double p) const { return location_ - std::log1p(-p) / rate_; }
  double upper_quantile_at(double q) const { return location_ - std::log(q) / rate_; }
  double of_score(double u) const {
    if (u < -plain_range) return location_ + std::exp(log_normal_cdf(u) - std::log(rate_));
    return location_ + exponential_score(u) / rate_;
  }
  void of_scores(const double* u, double* x, std::ptrdiff_t count, std::ptrdiff_t stride) const {
    in_blocks(u, x, count, stride, [this](const double* score, double* value, std::size_t n) {
      exponential_scores(score, value, n);
      for (std::size_t i = 0; i < n; ++i) value[i] = score[i] < -plain_range ? of_score(score[i]) : location_ + value[i] / rate_;
    });
  }
  double to_score(double x) const { return x < location_ ? -infinity : score_of_exponential(e(x), log_e(x)); }
  double mean() const final { return location_ + 1 / rate_; }
  double std_dev() const final { return 1 / rate_; }
  double support_min() const final { return location_; }
  double support_max() const final { return infinity; }
  std::string describe() const final { return text("exponential", {{"rate", rate_}, {"location", location_}}); }

 private:
  double log_e(double x) const { return std::log(rate_) + std::log(x - location_); }
  double rate_, location_;
};

Marginal make(const ExponentialOptions& o) {
  check("exponential", o);
  return finish("exponential", std::make_shared<Exponential>(o.rate, o.location));
}

// ---- Weibull ------------------------------------------------------------------------------------------------------

struct WeibullOptions {
  double shape = 1;
  double scale = 1;
  double location = 0;
};

void describe(OptionVisitor& v, WeibullOptions& o) {
  v.on({.name = "shape", .meaning = "the shape k of S = exp(−((x − location) / scale)^k)", .range = between(0.01, 1e6), .required = true}, o.shape);
  v.on({.name = "scale", .meaning = "the scale", .range = positive(), .required = true}, o.scale);
  v.on({.name = "location", .meaning = "the smallest value"}, o.location);
}

struct Weibull : LawOf<Weibull> {
  explicit Weibull(const WeibullOptions& o) : shape_(o.shape), scale_(o.scale), location_(o.location), log_rate_(std::log(o.shape) - std::log(o.scale)) {}
  double log_z(double x) const { return std::log((x - location_) / scale_); }
  double e(double x) const { return std::pow((x - location_) / scale_, shape_); }
  double log_pdf(double x) const final {
    if (std::isnan(x)) return x;
    if (x < location_ || x == infinity) return -infinity;
    if (x == location_) return shape_ == 1 ? log_rate_ : shape_ < 1 ? infinity : -infinity;
    return log_rate_ + (shape_ - 1) * log_z(x) - e(x);
  }
  double cdf(double x) const final { return x <= location_ ? 0 : -std::expm1(-e(x)); }
  double survival(double x) const final { return x <= location_ ? 1 : std::exp(-e(x)); }
  double log_cdf(double x) const final {
    if (x <= location_) return -infinity;
    const double e_x = e(x);
    return e_x > smallest_plain || std::isnan(e_x) ? log1mexp(-e_x) : shape_ * log_z(x);
  }
  double log_survival(double x) const final { return x <= location_ ? 0 : -e(x); }
  double quantile_at(double p) const { return from_exponential(-std::log1p(-p)); }
  double upper_quantile_at(double q) const { return from_exponential(-std::log(q)); }
  double of_score(double u) const {
    if (u < -plain_range) return location_ + scale_ * std::exp(log_normal_cdf(u) / shape_);
    return from_exponential(exponential_score(u));
  }
  void of_scores(const double* u, double* x, std::ptrdiff_t count, std::ptrdiff_t stride) const {
    in_blocks(u, x, count, stride, [this](const double* score, double* value, std::size_t n) {
      exponential_scores(score, value, n);
      for (std::size_t i = 0; i < n; ++i) value[i] = score[i] < -plain_range ? of_score(score[i]) : from_exponential(value[i]);
    });
  }
  double to_score(double x) const { return x < location_ ? -infinity : score_of_exponential(e(x), shape_ * log_z(x)); }
  double mean() const final { return location_ + scale_ * std::tgamma(1 + 1 / shape_); }
  double std_dev() const final {
    const double first = log_gamma(1 + 1 / shape_);
    return scale_ * std::exp(first) * std::sqrt(std::expm1(log_gamma(1 + 2 / shape_) - 2 * first));
  }
  double support_min() const final { return location_; }
  double support_max() const final { return infinity; }
  std::string describe() const final { return text("weibull", {{"shape", shape_}, {"scale", scale_}, {"location", location_}}); }

 private:
  double from_exponential(double e) const { return location_ + scale_ * std::pow(e, 1 / shape_); }
  double shape_, scale_, location_, log_rate_;
};

Marginal make(const WeibullOptions& o) {
  check("weibull", o);
  return finish("weibull", std::make_shared<Weibull>(o));
}

// ---- Gumbel -------------------------------------------------------------------------------------------------------

struct GumbelOptions {
  double location = 0;
  double scale = 1;
};

void describe(OptionVisitor& v, GumbelOptions& o) {
  v.on({.name = "location", .meaning = "the mode; the mean is location + 0.5772 scale", .required = true}, o.location);
  v.on({.name = "scale", .meaning = "the scale; the standard deviation is π/√6 scale", .range = positive(), .required = true}, o.scale);
}

/// Law of maxima: F = exp(−e^{−s}), s = (x − location) / scale, so that e^{−s} = −log F is a standard exponential variate.
struct Gumbel : LawOf<Gumbel> {
  explicit Gumbel(const GumbelOptions& o) : location_(o.location), scale_(o.scale), log_scale_(std::log(o.scale)) {}
  double s(double x) const { return (x - location_) / scale_; }
  double log_pdf(double x) const final {
    const double s_x = s(x);
    return s_x < -700 || s_x == infinity ? -infinity : -s_x - std::exp(-s_x) - log_scale_;
  }
  double cdf(double x) const final { return std::exp(-std::exp(-s(x))); }
  double survival(double x) const final { return -std::expm1(-std::exp(-s(x))); }
  double log_cdf(double x) const final { return -std::exp(-s(x)); }
  double log_survival(double x) const final {
    const double s_x = s(x);
    return s_x > plain_range ? -s_x : log1mexp(-std::exp(-s_x));
  }
  double quantile_at(double p) const { return location_ - scale_ * std::log(-std::log(p)); }
  double upper_quantile_at(double q) const { return location_ - scale_ * std::log(-std::log1p(-q)); }
  double of_score(double u) const { return location_ - scale_ * log_exponential_score(-u); }
  void of_scores(const double* u, double* x, std::ptrdiff_t count, std::ptrdiff_t stride) const {
    in_blocks(u, x, count, stride, [this](const double* score, double* value, std::size_t n) {
      for (std::size_t i = 0; i < n; ++i) value[i] = -score[i];
      exponential_scores(value, value, n);
      vector_log({value, n}, {value, n});
      for (std::size_t i = 0; i < n; ++i) value[i] = score[i] < plain_range ? location_ - scale_ * value[i] : of_score(score[i]);
    });
  }
  double to_score(double x) const { return -score_of_exponential(std::exp(-s(x)), -s(x)); }
  double mean() const final { return location_ + 0.57721566490153286061 * scale_; }
  double std_dev() const final { return pi / std::sqrt(6.0) * scale_; }
  double support_min() const final { return -infinity; }
  double support_max() const final { return infinity; }
  std::string describe() const final { return text("gumbel", {{"location", location_}, {"scale", scale_}}); }

 private:
  double location_, scale_, log_scale_;
};

Marginal make(const GumbelOptions& o) {
  check("gumbel", o);
  return finish("gumbel", std::make_shared<Gumbel>(o));
}

}  // namespace

MarginalFamily exponential_family() { return family<ExponentialOptions>("exponential", "waiting time without memory"); }
MarginalFamily weibull_family() { return family<WeibullOptions>("weibull", "law of minima and of life times, by shape and scale"); }
MarginalFamily gumbel_family() { return family<GumbelOptions>("gumbel", "law of maxima, F = exp(−exp(−(x − location) / scale))"); }

}  // namespace laws

Marginal exponential_law(double rate, double location) { return laws::make(laws::ExponentialOptions{.rate = rate, .location = location}); }
Marginal weibull_law(double shape, double scale, double location) {
  return laws::make(laws::WeibullOptions{.shape = shape, .scale = scale, .location = location});
}
Marginal gumbel_law(double location, double scale) { return laws::make(laws::GumbelOptions{.location = location, .scale = scale}); }

}  // namespace buffon
