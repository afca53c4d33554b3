// SPDX-License-Identifier: BSD-3-Clause
// Uniform and triangular.
#include "laws.hpp"

namespace buffon {
namespace laws {
namespace {

// ---- uniform ------------------------------------------------------------------------------------------------------

struct UniformOptions {
  double min = 0;
  double max = 1;
};

void describe(OptionVisitor& v, UniformOptions& o) {
  v.on({.name = "min", .meaning = "the smallest value", .required = true}, o.min);
  v.on({.name = "max", .meaning = "the largest value, greater than min", .required = true}, o.max);
}

struct Uniform : LawOf<Uniform> {
  Uniform(double min, double max) : min_(min), max_(max), width_(max - min) {}
  double log_pdf(double x) const final { return std::isnan(x) ? x : x >= min_ && x <= max_ ? -std::log(width_) : -infinity; }
  double cdf(double x) const final { return x <= min_ ? 0 : x >= max_ ? 1 : (x - min_) / width_; }
  double survival(double x) const final { return x <= min_ ? 1 : x >= max_ ? 0 : (max_ - x) / width_; }
  double log_cdf(double x) const final {
    const double p = cdf(x);
    return p > 0.5 ? std::log1p(-survival(x)) : std::log(p);
  }
  double log_survival(double x) const final {
    const double q = survival(x);
    return q > 0.5 ? std::log1p(-cdf(x)) : std::log(q);
  }
  double quantile_at(double p) const { return p <= 0.5 ? min_ + width_ * p : max_ - width_ * (1 - p); }
  double upper_quantile_at(double q) const { return q <= 0.5 ? max_ - width_ * q : min_ + width_ * (1 - q); }
  double log_quantile_at(double log_p) const { return min_ + width_ * std::exp(log_p); }
  double log_upper_quantile_at(double log_q) const { return max_ - width_ * std::exp(log_q); }
  void of_scores(const double* u, double* x, std::ptrdiff_t count, std::ptrdiff_t stride) const {
    in_blocks(u, x, count, stride, [this](const double* score, double* value, std::size_t n) {
      double tail[scores_block];
      const bool near = normal_tails(score, tail, n);
      // min + width Φ(u) or max − width Φ(−u); the tail is at most ½
      for (std::size_t i = 0; i < n; ++i) value[i] = (score[i] <= 0 ? min_ : max_) + (score[i] <= 0 ? width_ : -width_) * tail[i];
      if (near) return;
      for (std::size_t i = 0; i < n; ++i) value[i] = of_score(score[i]);
    });
  }
  double mean() const final { return min_ + 0.5 * width_; }
  double std_dev() const final { return width_ / std::sqrt(12.0); }
  double support_min() const final { return min_; }
  double support_max() const final { return max_; }
  std::string describe() const final { return text("uniform", {{"min", min_}, {"max", max_}}); }

 private:
  double min_, max_, width_;
};

Marginal make(const UniformOptions& o) {
  check("uniform", o);
  if (!(o.min < o.max)) refuse("uniform", "max", o.max, "must be greater than min = " + to_text(o.min), "exchange min and max, or widen the interval");
  if (!std::isfinite(o.max - o.min)) refuse("uniform", "max", o.max, "must be less than 1.8e308 above min = " + to_text(o.min), "give a narrower interval");
  return finish("uniform", std::make_shared<Uniform>(o.min, o.max));
}

// ---- triangular ---------------------------------------------------------------------------------------------------

struct TriangularOptions {
  double min = 0;
  double mode = 0.5;
  double max = 1;
};

void describe(OptionVisitor& v, TriangularOptions& o) {
  v.on({.name = "min", .meaning = "the smallest value", .required = true}, o.min);
  v.on({.name = "mode", .meaning = "the most probable value, from min to max", .required = true}, o.mode);
  v.on({.name = "max", .meaning = "the largest value, greater than min", .required = true}, o.max);
}

/// F = (x − min)² / (w l) up to the mode, 1 − F = (max − x)² / (w r) after it; w = max − min = l + r.
struct Triangular : LawOf<Triangular> {
  explicit Triangular(const TriangularOptions& o) : min_(o.min), mode_(o.mode), max_(o.max), width_(max_ - min_), left_(mode_ - min_), right_(max_ - mode_) {}
  double log_pdf(double x) const final {
    if (std::isnan(x)) return x;
    if (x < min_ || x > max_) return -infinity;
    const double height = log_2 - std::log(width_);
    if (x < mode_) return height + std::log((x - min_) / left_);
    return x > mode_ ? height + std::log((max_ - x) / right_) : height;
  }
  double cdf(double x) const final {
    if (x <= min_) return 0;
    if (x >= max_) return 1;
    if (x <= mode_) return lower(x);
    const double q = upper(x);
    return q < 0.5 ? 1 - q : beyond(left_, right_, x - mode_);
  }
  double survival(double x) const final {
    if (x <= min_) return 1;
    if (x >= max_) return 0;
    if (x >= mode_) return upper(x);
    const double p = lower(x);
    return p < 0.5 ? 1 - p : beyond(right_, left_, mode_ - x);
  }
  double log_cdf(double x) const final {
    if (x <= min_) return -infinity;
    if (x >= max_) return 0;
    if (x <= mode_) return 2 * std::log((x - min_) / left_) + std::log(left_ / width_);
    const double p = cdf(x);
    return p <= 0.5 ? std::log(p) : std::log1p(-upper(x));
  }
  double log_survival(double x) const final {
    if (x <= min_) return 0;
    if (x >= max_) return -infinity;
    if (x >= mode_) return 2 * std::log((max_ - x) / right_) + std::log(right_ / width_);
    const double q = survival(x);
    return q <= 0.5 ? std::log(q) : std::log1p(-lower(x));
  }
  double quantile_at(double p) const {
    if (p > 0.5) return upper_quantile_at(1 - p);
    return p * width_ <= left_ ? min_ + root(std::sqrt(p), left_) : mode_ + step(p, left_, right_);
  }
  double upper_quantile_at(double q) const {
    if (q > 0.5) return quantile_at(1 - q);
    return q * width_ <= right_ ? max_ - root(std::sqrt(q), right_) : mode_ - step(q, right_, left_);
  }
  double log_quantile_at(double log_p) const { return min_ + (left_ > 0 ? root(std::exp(0.5 * log_p), left_) : 0.5 * width_ * std::exp(log_p)); }
  double log_upper_quantile_at(double log_q) const { return max_ - (right_ > 0 ? root(std::exp(0.5 * log_q), right_) : 0.5 * width_ * std::exp(log_q)); }
  double mean() const final { return min_ + (width_ + left_) / 3; }
  double std_dev() const final { return width_ * std::sqrt((1 - (left_ / width_) * (right_ / width_)) / 18); }
  double support_min() const final { return min_; }
  double support_max() const final { return max_; }
  std::string describe() const final { return text("triangular", {{"min", min_}, {"mode", mode_}, {"max", max_}}); }

 private:
  double lower(double x) const { return ((x - min_) / left_) * ((x - min_) / width_); }
  double upper(double x) const { return ((max_ - x) / right_) * ((max_ - x) / width_); }
  /// Probability from an end, over the side of length `near`, to a point `distance` past the mode into the side of length `far`.
  double beyond(double near, double far, double distance) const {
    const double t = distance / far;
    return near / width_ + far / width_ * t * (2 - t);
  }
  /// Distance from an end, given the square root of its probability, on the side of length `near`.
  double root(double root_p, double near) const { return root_p * std::sqrt(width_) * std::sqrt(near); }
  /// Distance past the mode with probability p from the end: far (1 − √(1 − v)), v the probability left after the near side.
  double step(double p, double near, double far) const {
    const double v = (p * width_ - near) / far;
    return far * v / (1 + std::sqrt(1 - v));
  }
  double min_, mode_, max_, width_, left_, right_;
};

Marginal make(const TriangularOptions& o) {
  check("triangular", o);
  if (!(o.min < o.max)) refuse("triangular", "max", o.max, "must be greater than min = " + to_text(o.min), "exchange min and max, or widen the interval");
  if (!std::isfinite(o.max - o.min)) refuse("triangular", "max", o.max, "must be less than 1.8e308 above min = " + to_text(o.min), "give a narrower interval");
  if (!(o.min <= o.mode && o.mode <= o.max)) {
    refuse("triangular", "mode", o.mode, "must be in [min, max] = [" + to_text(o.min) + ", " + to_text(o.max) + "]", "move the mode inside");
  }
  return finish("triangular", std::make_shared<Triangular>(o));
}

}  // namespace

MarginalFamily uniform_family() { return family<UniformOptions>("uniform", "constant density on an interval"); }
MarginalFamily triangular_family() { return family<TriangularOptions>("triangular", "linear density up to a mode and down again"); }

}  // namespace laws

Marginal uniform_law(double min, double max) { return laws::make(laws::UniformOptions{.min = min, .max = max}); }
Marginal triangular_law(double min, double mode, double max) { return laws::make(laws::TriangularOptions{.min = min, .mode = mode, .max = max}); }

}  // namespace buffon
