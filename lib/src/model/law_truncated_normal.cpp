// SPDX-License-Identifier: BSD-3-Clause
// Normal law restricted to an interval that may lie anywhere, also far out in a tail, and may be as narrow as it likes.
#include "law_kernels.hpp"
#include "laws.hpp"

#include <optional>

#include <boost/math/quadrature/gauss.hpp>

namespace buffon {
namespace laws {
namespace {

using Gauss = boost::math::quadrature::gauss<double, 20>;

struct TruncatedNormalOptions {
  double mean = 0;
  double std_dev = 1;
  std::optional<double> min;
  std::optional<double> max;
};

void describe(OptionVisitor& v, TruncatedNormalOptions& o) {
  v.on({.name = "mean", .meaning = "the mean before truncation", .required = true}, o.mean);
  v.on({.name = "std_dev", .meaning = "the standard deviation before truncation", .range = positive(), .required = true}, o.std_dev);
  v.on({.name = "min", .meaning = "the smallest value; without it there is none"}, o.min);
  v.on({.name = "max", .meaning = "the largest value, greater than min; without it there is none"}, o.max);
}

/// Whether the density falls by less than about a factor e² over [a, a + w], a ≥ 0.
bool narrow(double a, double w) { return w * (a + 1) < 1; }

/// log D(a, w), D = ∫₀ʷ e^{−(as + s²/2)} ds = (Φ(a+w) − Φ(a)) / φ(a), a ≥ 0: by quadrature where the difference of Mills ratios cancels.
double log_d(double a, double w) {
  if (w <= 0) return -infinity;
  if (narrow(a, w)) return std::log(Gauss::integrate([a](double s) { return std::exp(-s * (a + 0.5 * s)); }, 0.0, w));
  const double decay = w == infinity ? 0 : std::exp(-w * (a + 0.5 * w));
  return std::log(normal_mills_ratio(a) - (decay > 0 ? decay * normal_mills_ratio(a + w) : 0));
}

/// log(Φ(b) − Φ(a)), with the width w = b − a given apart so that narrow intervals keep their accuracy.
double log_mass(double a, double b, double w) {
  if (a >= 0) return a == infinity ? -infinity : log_normal_pdf(a) + log_d(a, w);
  if (b <= 0) return b == -infinity ? -infinity : log_normal_pdf(b) + log_d(-b, w);
  return std::log(0.5 * (std::erf(b / std::sqrt(2.0)) + std::erf(-a / std::sqrt(2.0))));
}

/// log(e^a + e^b).
double log_add(double a, double b) { return std::max(a, b) + std::log1p(std::exp(-std::abs(a - b))); }

/// Place of a point in an interval, in standard deviations: t above its lower end, s below its upper end, z above the mean.
struct Place {
  double t, s, z;
};

/// The law in units of the standard deviation on [a, a + w], turned round where needed so that a ≥ 0 or a < 0 < b.
/// For a ≥ 0 every mass is kept relative to φ(a), so that intervals at any distance lose nothing.
class Core {
 public:
  Core() = default;
  Core(double a, double b, double w) : a_(a), b_(b), w_(w), beside_(a >= 0), log_total_(beside_ ? log_d(a, w) : log_mass(a, b, w)) { moments(); }

  double log_pdf(const Place& x) const { return (beside_ ? -x.t * (a_ + 0.5 * x.t) : log_normal_pdf(x.z)) - log_total_; }
  double log_lower(const Place& x) const { return (beside_ ? log_d(a_, x.t) : log_mass(a_, x.z, x.t)) - log_total_; }
  double log_upper(const Place& x) const { return (beside_ ? -x.t * (a_ + 0.5 * x.t) + log_d(a_ + x.t, x.s) : log_mass(x.z, b_, x.s)) - log_total_; }
  Place at_t(double t) const { return {t, w_ - t, a_ + t}; }
  Place at_s(double s) const { return {w_ - s, s, b_ - s}; }
  Place at_z(double z) const { return {z - a_, b_ - z, z}; }

  /// Place with log F = log_p ≤ log ½.
  Place lower_quantile(double log_p) const {
    double guess = 0;
    if (beside_) {
      const double log_q = log_normal_survival(a_) + log1mexp(log_p + log_total_ - std::log(normal_mills_ratio(a_)));
      guess = -normal_quantile_from_log(log_q) - a_;
    } else {
      const double z = normal_quantile_from_log(log_add(log_normal_cdf(a_), log_p + log_total_));
      guess = z - a_;
      if (guess > 0.5) return at_z(z);  // else t is too small a part of a to be had from a difference
    }
    // Near the lower end F = t f(a).
    const double log_t = guess > 0 && guess < w_ ? std::log(guess) : log_p - log_pdf({0, w_, a_});
    return at_t(std::exp(monotone_root(
        [&](double y) -> ValueAndSlope {
          const Place x = at_t(std::exp(y));
          const double value = log_lower(x);
          return {value - log_p, std::exp(y + log_pdf(x) - value)};
        },
        log_t, 1)));
  }

  /// Place with log(1 − F) = log_q ≤ log ½.
  Place upper_quantile(double log_q) const {
    double t = 0;
    double s = 0;
    if (beside_) {
      const double rest = w_ == infinity ? -infinity : -w_ * (a_ + 0.5 * w_) + std::log(normal_mills_ratio(a_ + w_));
      t = -normal_quantile_from_log(log_normal_pdf(a_) + log_add(rest, log_q + log_total_)) - a_;
      s = w_ - t;
    } else {
      const double z = -normal_quantile_from_log(log_add(log_normal_survival(b_), log_q + log_total_));
      s = b_ - z;
      if (s > 0.5) return at_z(z);
    }
    if (beside_ && !narrow(a_, w_) && !(s < t)) {
      return at_t(std::exp(monotone_root(
          [&](double y) -> ValueAndSlope {
            const Place x = at_t(std::exp(y));
            const double value = log_upper(x);
            return {value - log_q, -std::exp(y + log_pdf(x) - value)};
          },
          t > 0 ? std::log(t) : log_total_, -1)));
    }
    const double log_s = s > 0 && s < w_ ? std::log(s) : log_q - log_pdf({w_, 0, b_});
    return at_s(std::exp(monotone_root(
        [&](double y) -> ValueAndSlope {
          const Place x = at_s(std::exp(y));
          const double value = log_upper(x);
          return {value - log_q, std::exp(y + log_pdf(x) - value)};
        },
        log_s, 1)));
  }

  bool beside() const { return beside_; }
  double center() const { return center_; }  ///< mean of t where a ≥ 0, else of z
  double spread() const { return spread_; }

 private:
  void moments() {
    constexpr double reach = 90;  // twice the exponent that is left out
    const double low = beside_ ? 0 : std::max(a_, -std::sqrt(reach));
    const double high = beside_ ? std::min(w_, reach / (a_ + std::hypot(a_, std::sqrt(reach)))) : std::min(b_, std::sqrt(reach));
    const double scale = beside_ ? 1 / (1 + a_) : 1;
    const int panels = 1 + static_cast<int>((high - low) / scale / 2);
    const auto integral = [&](auto f) {
      double sum = 0;
      for (int k = 0; k < panels; ++k) {
        sum += Gauss::integrate([&](double v) { return f(v) * std::exp(log_pdf(beside_ ? at_t(v) : at_z(v))); }, low + (high - low) * k / panels,
                                low + (high - low) * (k + 1) / panels);
      }
      return sum;
    };
    center_ = integral([](double v) { return v; });
    spread_ = std::sqrt(integral([this](double v) { return (v - center_) * (v - center_); }));
  }

  double a_ = 0, b_ = 0, w_ = 0;
  bool beside_ = false;  ///< the mean is not inside the interval
  double log_total_ = 0, center_ = 0, spread_ = 0;
};

struct TruncatedNormal : LawOf<TruncatedNormal> {
  TruncatedNormal(double mean, double std_dev, double min, double max) : mean_(mean), sd_(std_dev), min_(min), max_(max) {
    const double a = (min - mean) / std_dev;
    const double b = (max - mean) / std_dev;
    const double w = (max - min) / std_dev;
    turned_ = b <= 0;
    core_ = turned_ ? Core(-b, -a, w) : Core(a, b, w);
  }
  double log_pdf(double x) const final {
    if (std::isnan(x)) return x;
    return x < min_ || x > max_ || std::isinf(x) ? -infinity : core_.log_pdf(place(x)) - std::log(sd_);
  }
  double cdf(double x) const final {
    if (std::isnan(x)) return x;
    if (x <= min_) return 0;
    if (x >= max_) return 1;
    const double log_p = below(place(x));
    return log_p < -log_2 ? std::exp(log_p) : -std::expm1(above(place(x)));
  }
  double survival(double x) const final {
    if (std::isnan(x)) return x;
    if (x <= min_) return 1;
    if (x >= max_) return 0;
    const double log_q = above(place(x));
    return log_q < -log_2 ? std::exp(log_q) : -std::expm1(below(place(x)));
  }
  double log_cdf(double x) const final {
    if (std::isnan(x)) return x;
    if (x <= min_) return -infinity;
    if (x >= max_) return 0;
    const double log_p = below(place(x));
    return log_p < -log_2 ? log_p : log1mexp(above(place(x)));
  }
  double log_survival(double x) const final {
    if (std::isnan(x)) return x;
    if (x <= min_) return 0;
    if (x >= max_) return -infinity;
    const double log_q = above(place(x));
    return log_q < -log_2 ? log_q : log1mexp(below(place(x)));
  }
  double quantile_at(double p) const { return p <= 0.5 ? log_quantile_at(std::log(p)) : log_upper_quantile_at(std::log1p(-p)); }
  double upper_quantile_at(double q) const { return q <= 0.5 ? log_upper_quantile_at(std::log(q)) : log_quantile_at(std::log1p(-q)); }
  double log_quantile_at(double log_p) const { return turned_ ? at(core_.upper_quantile(log_p)) : at(core_.lower_quantile(log_p)); }
  double log_upper_quantile_at(double log_q) const { return turned_ ? at(core_.lower_quantile(log_q)) : at(core_.upper_quantile(log_q)); }
  double mean() const final {
    if (turned_) return core_.beside() ? max_ - sd_ * core_.center() : mean_ - sd_ * core_.center();
    return core_.beside() ? min_ + sd_ * core_.center() : mean_ + sd_ * core_.center();
  }
  double std_dev() const final { return sd_ * core_.spread(); }
  double support_min() const final { return min_; }
  double support_max() const final { return max_; }
  std::string describe() const final { return text("truncated_normal", {{"mean", mean_}, {"std_dev", sd_}, {"min", min_}, {"max", max_}}); }

 private:
  Place place(double x) const {
    const double from_min = (x - min_) / sd_;
    const double from_max = (max_ - x) / sd_;
    const double z = (x - mean_) / sd_;
    return turned_ ? Place{from_max, from_min, -z} : Place{from_min, from_max, z};
  }
  double below(const Place& x) const { return turned_ ? core_.log_upper(x) : core_.log_lower(x); }
  double above(const Place& x) const { return turned_ ? core_.log_lower(x) : core_.log_upper(x); }
  /// The point, from the nearest of the two ends and the mean.
  double at(const Place& x) const {
    const double t = std::abs(x.t);
    const double s = std::abs(x.s);
    const double z = std::abs(x.z);
    double value = 0;
    if (t <= s && t <= z) {
      value = turned_ ? max_ - sd_ * t : min_ + sd_ * t;
    } else if (s <= z) {
      value = turned_ ? min_ + sd_ * s : max_ - sd_ * s;
    } else {
      value = turned_ ? mean_ - sd_ * x.z : mean_ + sd_ * x.z;
    }
    return std::clamp(value, min_, max_);
  }

  double mean_, sd_, min_, max_;
  bool turned_ = false;
  Core core_;
};

Marginal make(TruncatedNormalOptions o) {
  const char* const name = "truncated_normal";
  if (o.min == -infinity) o.min.reset();
  if (o.max == infinity) o.max.reset();
  check(name, o);
  if (!o.min && !o.max) {
    throw Error(ErrorCategory::configuration, {.doing = "making a law of family truncated_normal",
                                               .key = "min, max",
                                               .value = {},
                                               .rule = "are both missing",
                                               .remedy = "give min, max or both; for none of them take law = \"normal\""});
  }
  const double min = o.min.value_or(-infinity);
  const double max = o.max.value_or(infinity);
  if (!(min < max)) refuse(name, "max", max, "must be greater than min = " + to_text(min), "exchange min and max, or widen the interval");
  constexpr double far = 1e100;
  const double width = (max - min) / o.std_dev;
  if (!(width > 1 / far)) refuse(name, "max", max, "is less than 1e-100 standard deviations above min", "take law = \"uniform\"");
  if ((min - o.mean) / o.std_dev > far) refuse(name, "min", min, "lies more than 1e100 standard deviations above the mean", "check mean, std_dev and min");
  if ((max - o.mean) / o.std_dev < -far) refuse(name, "max", max, "lies more than 1e100 standard deviations below the mean", "check mean, std_dev and max");
  return finish(name, std::make_shared<TruncatedNormal>(o.mean, o.std_dev, min, max));
}

}  // namespace

MarginalFamily truncated_normal_family() {
  return family<TruncatedNormalOptions>("truncated_normal", "normal law restricted to an interval, by its parameters before truncation");
}

}  // namespace laws

Marginal truncated_normal_law(double mean, double std_dev, double min, double max) {
  return laws::make(laws::TruncatedNormalOptions{.mean = mean, .std_dev = std_dev, .min = min, .max = max});
}

}  // namespace buffon
