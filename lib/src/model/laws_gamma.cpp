// SPDX-License-Identifier: BSD-3-Clause
// Gamma, beta and Student t: laws of the incomplete gamma and beta functions.
#include "law_kernels.hpp"
#include "laws.hpp"

namespace buffon {
namespace laws {
namespace {

// ---- gamma --------------------------------------------------------------------------------------------------------

struct GammaOptions {
  double shape = 1;
  double scale = 1;
  double location = 0;
};

void describe(OptionVisitor& v, GammaOptions& o) {
  v.on({.name = "shape", .meaning = "the shape k; mean = location + k scale", .range = between(1e-3, 1e8), .required = true}, o.shape);
  v.on({.name = "scale", .meaning = "the scale; standard deviation = √k scale", .range = positive(), .required = true}, o.scale);
  v.on({.name = "location", .meaning = "the smallest value"}, o.location);
}

struct Gamma : LawOf<Gamma> {
  explicit Gamma(const GammaOptions& o) : shape_(o.shape), scale_(o.scale), location_(o.location) {}
  double z(double x) const { return (x - location_) / scale_; }
  double log_pdf(double x) const final {
    if (std::isnan(x)) return x;
    if (x < location_ || x == infinity) return -infinity;
    const double z_x = z(x);
    if (z_x == 0) return shape_ == 1 ? -std::log(scale_) : shape_ < 1 ? infinity : -infinity;
    return log_gamma_term(shape_, z_x) - std::log(z_x) - std::log(scale_);
  }
  double cdf(double x) const final { return x <= location_ ? 0 : gamma_p(shape_, z(x)); }
  double survival(double x) const final { return x <= location_ ? 1 : gamma_q(shape_, z(x)); }
  double log_cdf(double x) const final { return x <= location_ ? -infinity : log_gamma_p(shape_, z(x), std::log(z(x))); }
  double log_survival(double x) const final { return x <= location_ ? 0 : log_gamma_q(shape_, z(x)); }
  double quantile_at(double p) const { return p <= 0.5 ? at(gamma_p_inverse(shape_, p)) : at(gamma_q_inverse(shape_, 1 - p)); }
  double upper_quantile_at(double q) const { return q <= 0.5 ? at(gamma_q_inverse(shape_, q)) : at(gamma_p_inverse(shape_, 1 - q)); }
  double log_quantile_at(double log_p) const { return at(std::exp(log_gamma_p_quantile(shape_, log_p))); }
  double log_upper_quantile_at(double log_q) const { return at(std::exp(log_gamma_q_quantile(shape_, log_q))); }
  double mean() const final { return at(shape_); }
  double std_dev() const final { return scale_ * std::sqrt(shape_); }
  double support_min() const final { return location_; }
  double support_max() const final { return infinity; }
  std::string describe() const final { return text("gamma", {{"shape", shape_}, {"scale", scale_}, {"location", location_}}); }

 private:
  double at(double z) const { return location_ + scale_ * z; }
  double shape_, scale_, location_;
};

Marginal make(const GammaOptions& o) {
  check("gamma", o);
  return finish("gamma", std::make_shared<Gamma>(o));
}

// ---- beta ---------------------------------------------------------------------------------------------------------

struct BetaOptions {
  double alpha = 1;
  double beta = 1;
  double min = 0;
  double max = 1;
};

void describe(OptionVisitor& v, BetaOptions& o) {
  v.on({.name = "alpha", .meaning = "the exponent at min; density ∝ (x − min)^(alpha − 1) (max − x)^(beta − 1)", .range = between(1e-3, 1e8), .required = true},
       o.alpha);
  v.on({.name = "beta", .meaning = "the exponent at max", .range = between(1e-3, 1e8), .required = true}, o.beta);
  v.on({.name = "min", .meaning = "the smallest value"}, o.min);
  v.on({.name = "max", .meaning = "the largest value, greater than min"}, o.max);
}

struct Beta : LawOf<Beta> {
  explicit Beta(const BetaOptions& o) : alpha_(o.alpha), beta_(o.beta), min_(o.min), max_(o.max), width_(o.max - o.min) {}
  double from_min(double x) const { return (x - min_) / width_; }
  double from_max(double x) const { return (max_ - x) / width_; }
  double log_pdf(double x) const final {
    if (std::isnan(x)) return x;
    if (x < min_ || x > max_) return -infinity;
    const double t = from_min(x);
    const double s = from_max(x);
    if (t == 0) return at_end(alpha_, beta_);
    if (s == 0) return at_end(beta_, alpha_);
    return log_beta_term(alpha_, beta_, t, s, std::log(t)) - std::log(t) - std::log(s) - std::log(width_);
  }
  double cdf(double x) const final { return beta_p(alpha_, beta_, from_min(x), from_max(x)); }
  double survival(double x) const final { return beta_p(beta_, alpha_, from_max(x), from_min(x)); }
  double log_cdf(double x) const final {
    if (x <= min_) return -infinity;
    return x >= max_ ? 0 : log_beta_p(alpha_, beta_, from_min(x), from_max(x), std::log(from_min(x)));
  }
  double log_survival(double x) const final {
    if (x >= max_) return -infinity;
    return x <= min_ ? 0 : log_beta_p(beta_, alpha_, from_max(x), from_min(x), std::log(from_max(x)));
  }
  double quantile_at(double p) const { return p <= 0.5 ? lower(p) : upper(1 - p); }
  double upper_quantile_at(double q) const { return q <= 0.5 ? upper(q) : lower(1 - q); }
  double log_quantile_at(double log_p) const {
    const double log_t = log_beta_p_quantile(alpha_, beta_, log_p);
    return at(std::exp(log_t), -std::expm1(log_t));
  }
  double log_upper_quantile_at(double log_q) const {
    const double log_s = log_beta_p_quantile(beta_, alpha_, log_q);
    return at(-std::expm1(log_s), std::exp(log_s));
  }
  double mean() const final { return at(alpha_ / (alpha_ + beta_), beta_ / (alpha_ + beta_)); }
  double std_dev() const final { return width_ * std::sqrt(alpha_ * beta_ / (alpha_ + beta_ + 1)) / (alpha_ + beta_); }
  double support_min() const final { return min_; }
  double support_max() const final { return max_; }
  std::string describe() const final { return text("beta", {{"alpha", alpha_}, {"beta", beta_}, {"min", min_}, {"max", max_}}); }

 private:
  /// Density at the end whose exponent is a.
  double at_end(double a, double b) const {
    if (a != 1) return a < 1 ? infinity : -infinity;
    return std::log(b) - std::log(width_);
  }
  /// The point at t from min and s = 1 − t from max, from the nearer end.
  double at(double t, double s) const { return t <= 0.5 ? min_ + width_ * t : max_ - width_ * s; }
  double lower(double p) const {
    double s = 0;
    const double t = beta_p_inverse(alpha_, beta_, p, s);
    return at(t, s);
  }
  double upper(double q) const {
    double t = 0;
    const double s = beta_p_inverse(beta_, alpha_, q, t);
    return at(t, s);
  }
  double alpha_, beta_, min_, max_, width_;
};

Marginal make(const BetaOptions& o) {
  check("beta", o);
  if (!(o.min < o.max)) refuse("beta", "max", o.max, "must be greater than min = " + to_text(o.min), "exchange min and max, or widen the interval");
  if (!std::isfinite(o.max - o.min)) refuse("beta", "max", o.max, "must be less than 1.8e308 above min = " + to_text(o.min), "give a narrower interval");
  return finish("beta", std::make_shared<Beta>(o));
}

// ---- Student t ----------------------------------------------------------------------------------------------------

struct StudentOptions {
  double degrees = 1;
  double location = 0;
  double scale = 1;
};

void describe(OptionVisitor& v, StudentOptions& o) {
  v.on({.name = "degrees", .meaning = "the degrees of freedom ν", .range = between(0.1, 1e8), .required = true}, o.degrees);
  v.on({.name = "location", .meaning = "the median"}, o.location);
  v.on({.name = "scale", .meaning = "the scale; the standard deviation is √(ν / (ν − 2)) scale", .range = positive()}, o.scale);
}

/// P(T ≤ −t) = ½ I_x(ν/2, ½) with x = ν / (ν + t²), t ≥ 0.
struct Student : LawOf<Student> {
  explicit Student(const StudentOptions& o) : degrees_(o.degrees), half_(0.5 * o.degrees), location_(o.location), scale_(o.scale) {
    // log Γ(h + ½) − log Γ(h), h = ν/2, without cancellation
    const double ratio = half_ * std::log1p(0.5 / half_) + 0.5 * std::log(half_) - 0.5 + stirling_rest(half_ + 0.5) - stirling_rest(half_);
    log_constant_ = ratio - 0.5 * std::log(degrees_ * pi) - std::log(scale_);
  }
  double log_pdf(double x) const final { return std::isinf(x) ? -infinity : log_constant_ + (half_ + 0.5) * split(t(x)).log_x; }
  double cdf(double x) const final { return x <= location_ ? tail(t(x)) : 1 - tail(t(x)); }
  double survival(double x) const final { return x >= location_ ? tail(t(x)) : 1 - tail(t(x)); }
  double log_cdf(double x) const final { return x <= location_ ? log_tail(t(x)) : std::log1p(-tail(t(x))); }
  double log_survival(double x) const final { return x >= location_ ? log_tail(t(x)) : std::log1p(-tail(t(x))); }
  double quantile_at(double p) const { return p <= 0.5 ? location_ - scale_ * tail_quantile(p) : location_ + scale_ * tail_quantile(1 - p); }
  double upper_quantile_at(double q) const { return q <= 0.5 ? location_ + scale_ * tail_quantile(q) : location_ - scale_ * tail_quantile(1 - q); }
  double log_quantile_at(double log_p) const { return location_ - scale_ * log_tail_quantile(log_p); }
  double log_upper_quantile_at(double log_q) const { return location_ + scale_ * log_tail_quantile(log_q); }
  double mean() const final { return degrees_ > 1 ? location_ : not_a_number; }
  double std_dev() const final { return degrees_ > 2 ? scale_ * std::sqrt(degrees_ / (degrees_ - 2)) : infinity; }
  double support_min() const final { return -infinity; }
  double support_max() const final { return infinity; }
  std::string describe() const final { return text("student_t", {{"degrees", degrees_}, {"location", location_}, {"scale", scale_}}); }

 private:
  struct Split {
    double x, y, log_x;
  };
  double t(double x) const { return std::abs((x - location_) / scale_); }
  Split split(double t) const {
    const double root = t / std::sqrt(degrees_);
    if (root > 1e150) return {0, 1, -2 * std::log(root)};
    const double r = root * root;
    return {1 / (1 + r), r / (1 + r), -std::log1p(r)};
  }
  double tail(double t) const {
    const auto [x, y, log_x] = split(t);
    return x < smallest_plain ? std::exp(log_tail(t)) : 0.5 * beta_p(half_, 0.5, x, y);
  }
  double log_tail(double t) const {
    if (t == infinity) return -infinity;
    const auto [x, y, log_x] = split(t);
    return log_beta_p(half_, 0.5, x, y, log_x) - log_2;
  }
  double tail_quantile(double q) const {
    double x = 0;
    double y = 0;
    if (q > 0.25) {
      y = beta_p_inverse(0.5, half_, 1 - 2 * q, x);
    } else {
      x = beta_p_inverse(half_, 0.5, 2 * q, y);
      if (!(x > smallest_plain)) return log_tail_quantile(std::log(q));
    }
    return std::sqrt(degrees_ * y / x);
  }
  double log_tail_quantile(double log_q) const {
    const double log_x = log_beta_p_quantile(half_, 0.5, log_q + log_2);
    return std::sqrt(degrees_) * std::exp(-0.5 * log_x) * std::sqrt(-std::expm1(log_x));
  }
  double degrees_, half_, location_, scale_, log_constant_ = 0;
};

Marginal make(const StudentOptions& o) {
  check("student_t", o);
  return finish("student_t", std::make_shared<Student>(o));
}

}  // namespace

MarginalFamily gamma_family() { return family<GammaOptions>("gamma", "law of sums of exponential variates, by shape and scale"); }
MarginalFamily beta_family() { return family<BetaOptions>("beta", "two-exponent law on an interval"); }
MarginalFamily student_t_family() { return family<StudentOptions>("student_t", "bell with power-law tails, by degrees of freedom"); }

}  // namespace laws

Marginal gamma_law(double shape, double scale, double location) { return laws::make(laws::GammaOptions{.shape = shape, .scale = scale, .location = location}); }
Marginal beta_law(double alpha, double beta, double min, double max) {
  return laws::make(laws::BetaOptions{.alpha = alpha, .beta = beta, .min = min, .max = max});
}
Marginal student_t_law(double degrees, double location, double scale) {
  return laws::make(laws::StudentOptions{.degrees = degrees, .location = location, .scale = scale});
}

}  // namespace buffon
