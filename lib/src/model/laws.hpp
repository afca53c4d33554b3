// SPDX-License-Identifier: BSD-3-Clause
#pragma once

// What the families share; private to the library.

#include <buffon/core/constants.hpp>
#include <buffon/core/error.hpp>
#include <buffon/core/options.hpp>
#include <buffon/linalg/vector_math.hpp>
#include <buffon/model/marginal.hpp>
#include <buffon/random/scalar_kernels.hpp>
#include <buffon/stats/normal.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <utility>

namespace buffon {

struct Marginal::Law {
  virtual ~Law() = default;
  virtual double log_pdf(double x) const = 0;
  virtual double cdf(double x) const = 0;
  virtual double survival(double x) const = 0;
  virtual double log_cdf(double x) const = 0;
  virtual double log_survival(double x) const = 0;
  virtual double quantile(double p) const = 0;
  virtual double upper_quantile(double q) const = 0;
  virtual double from_standard(double u) const = 0;
  virtual double to_standard(double x) const = 0;
  virtual void from_standard(const double* u, double* x, std::ptrdiff_t count, std::ptrdiff_t stride) const = 0;
  virtual double mean() const = 0;
  virtual double std_dev() const = 0;
  virtual double support_min() const = 0;
  virtual double support_max() const = 0;
  virtual std::string describe() const = 0;
};

namespace laws {

using constants::infinity;
inline constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();
inline constexpr double log_2 = 0.69314718055994530942;
inline constexpr double pi = 3.14159265358979323846;
/// Φ(−37) = 5.7e-300: up to here probabilities are ordinary doubles; beyond, their logarithms are used.
inline constexpr double plain_range = 37;
inline constexpr double smallest_plain = 1e-290;

/// log(1 − e^a) for a ≤ 0 without cancellation at either end.
inline double log1mexp(double a) { return a > -log_2 ? std::log(-std::expm1(a)) : std::log1p(-std::exp(a)); }

/// −log(1 − Φ(u)): the standard exponential variate of the score u.
inline double exponential_score(double u) { return -log_normal_survival(u); }
/// Its logarithm, finite for every finite u.
inline double log_exponential_score(double u) { return u > -plain_range ? scalar::log(exponential_score(u)) : log_normal_cdf(u); }
/// Score of the standard exponential variate e, given with its logarithm for e below the smallest double.
inline double score_of_exponential(double e, double log_e) {
  if (e > log_2) return -normal_quantile_from_log(-e);
  return e > smallest_plain ? normal_quantile(-std::expm1(-e)) : normal_quantile_from_log(log_e);
}

/// Scores that a bulk transform takes at a time.
inline constexpr std::size_t scores_block = 128;

/// Runs transform(scores, values, n), n ≤ scores_block, on contiguous pieces of strided arrays, which may be the same.
template <class Transform>
void in_blocks(const double* u, double* x, std::ptrdiff_t count, std::ptrdiff_t stride, const Transform& transform) {
  double score[scores_block];
  double value[scores_block];
  constexpr auto block = static_cast<std::ptrdiff_t>(scores_block);
  for (; count > 0; count -= block, u += block * stride, x += block * stride) {
    const std::ptrdiff_t n = std::min(block, count);
    for (std::ptrdiff_t i = 0; i < n; ++i) score[i] = u[i * stride];
    transform(score, value, static_cast<std::size_t>(n));
    for (std::ptrdiff_t i = 0; i < n; ++i) x[i * stride] = value[i];
  }
}

/// tail[i] = Φ(−|u[i]|).
/// @returns whether all |u[i]| ≤ plain_range; the bit patterns of doubles that are not negative are ordered as they are, NaN last
inline bool normal_tails(const double* u, double* tail, std::size_t n) {
  std::uint64_t beyond = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const double size = std::abs(u[i]);
    beyond |= scalar::bits_of(plain_range) - scalar::bits_of(size);
    tail[i] = -size;
  }
  vector_normal_cdf({tail, n}, {tail, n});
  return beyond >> 63 == 0;
}

/// e[i] = −log(1 − Φ(u[i])), the standard exponential variates of the scores.
inline void exponential_scores(const double* u, double* e, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) e[i] = -u[i];
  vector_log_normal_cdf({e, n}, {e, n});
  for (std::size_t i = 0; i < n; ++i) e[i] = -e[i];
}

/// Base of the families. `Family` has, for probabilities on the side where they are at most about ½,
///   log_pdf, cdf, survival, log_cdf, log_survival, mean, std_dev, support_min, support_max, describe,
///   quantile_at(p), upper_quantile_at(q) for 0 < p, q < 1, and log_quantile_at(log p), log_upper_quantile_at(log q) for probabilities
///   below smallest_plain. A family with a closed form overrides to_score, of_score and its bulk
/// form of_scores.
template <class Family>
struct LawOf : Marginal::Law {
  const Family& self() const { return static_cast<const Family&>(*this); }

  double quantile(double p) const final {
    if (!(p >= 0 && p <= 1)) return not_a_number;
    if (p == 0) return self().support_min();
    if (p == 1) return self().support_max();
    return self().quantile_at(p);
  }
  double upper_quantile(double q) const final {
    if (!(q >= 0 && q <= 1)) return not_a_number;
    if (q == 0) return self().support_max();
    if (q == 1) return self().support_min();
    return self().upper_quantile_at(q);
  }

  double from_standard(double u) const final { return self().of_score(u); }
  double to_standard(double x) const final { return self().to_score(x); }
  void from_standard(const double* u, double* x, std::ptrdiff_t count, std::ptrdiff_t stride) const final { self().of_scores(u, x, count, stride); }

  void of_scores(const double* u, double* x, std::ptrdiff_t count, std::ptrdiff_t stride) const {
    in_blocks(u, x, count, stride, [this](const double* score, double* value, std::size_t n) {
      double tail[scores_block];
      normal_tails(score, tail, n);
      for (std::size_t i = 0; i < n; ++i) {
        if (!(std::abs(score[i]) <= plain_range)) {
          value[i] = self().of_score(score[i]);
        } else {
          value[i] = score[i] <= 0 ? self().quantile_at(tail[i]) : self().upper_quantile_at(tail[i]);
        }
      }
    });
  }

  double of_score(double u) const {
    if (u <= 0) {
      if (u >= -plain_range) return self().quantile_at(normal_cdf(u));
      return u == -infinity ? self().support_min() : self().log_quantile_at(log_normal_cdf(u));
    }
    if (u <= plain_range) return self().upper_quantile_at(normal_survival(u));
    if (std::isnan(u)) return u;
    return u == infinity ? self().support_max() : self().log_upper_quantile_at(log_normal_survival(u));
  }

  double to_score(double x) const {
    const double p = self().cdf(x);
    if (p <= 0.5) return p > smallest_plain ? normal_quantile(p) : normal_quantile_from_log(self().log_cdf(x));
    const double q = self().survival(x);
    return q > smallest_plain ? -normal_quantile(q) : -normal_quantile_from_log(self().log_survival(x));
  }
};

/// Refuses options that are not finite or outside the ranges of their description.
/// @param family "lognormal", for the message
template <class Options>
void check(const std::string& family, const Options& options);

[[noreturn]] void refuse(const std::string& family, std::string key, double value, std::string rule, std::string remedy);

/// The visitor behind `check`.
void check_described(const std::string& family, const std::function<void(OptionVisitor&)>& description);

template <class Options>
void check(const std::string& family, const Options& options) {
  Options copy = options;
  check_described(family, [&](OptionVisitor& visitor) { describe(visitor, copy); });
}

/// A law as a value, after the last check: every random draw must be a finite double.
Marginal finish(const std::string& family, std::shared_ptr<const Marginal::Law> law);

/// "name(key = value, …)"
std::string text(const std::string& family, std::initializer_list<std::pair<const char*, double>> parameters);

/// Entry of `marginal_families` for options with `describe` and `Marginal make(const Options&)`.
template <class Options>
MarginalFamily family(std::string name, std::string summary) {
  return {std::move(name), std::move(summary),
          [](OptionVisitor& visitor) {
            Options options;
            describe(visitor, options);
          },
          [](OptionVisitor& visitor) {
            Options options;
            describe(visitor, options);
            return make(options);
          }};
}

MarginalFamily normal_family();
MarginalFamily lognormal_family();
MarginalFamily uniform_family();
MarginalFamily truncated_normal_family();
MarginalFamily beta_family();
MarginalFamily gamma_family();
MarginalFamily gumbel_family();
MarginalFamily weibull_family();
MarginalFamily exponential_family();
MarginalFamily triangular_family();
MarginalFamily student_t_family();

}  // namespace laws
}  // namespace buffon
