// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/core/options.hpp>

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace buffon {

/// Univariate law of one input: an immutable value, cheap to copy.
class Marginal {
 public:
  struct Law;  ///< the family's formulas, hidden

  Marginal();  ///< standard normal
  explicit Marginal(std::shared_ptr<const Law> law);

  double log_pdf(double x) const;  ///< −∞ outside the support
  double cdf(double x) const;
  double survival(double x) const;  ///< 1 − F(x) without cancellation
  double log_cdf(double x) const;   ///< finite where cdf underflows
  double log_survival(double x) const;
  double quantile(double p) const;        ///< p in [0, 1]
  double upper_quantile(double q) const;  ///< x with survival q
  double from_standard(double u) const;   ///< F⁻¹(Φ(u)), monotone, exact in both tails
  double to_standard(double x) const;     ///< Φ⁻¹(F(x)), ±∞ outside the support
  /// Bulk form of `from_standard` for the elements 0, stride, 2 stride, … of u and x (which may be the same array).
  void from_standard(const double* u, double* x, std::ptrdiff_t count, std::ptrdiff_t stride) const;
  double mean() const;
  double std_dev() const;  ///< infinity where it does not exist
  double support_min() const;
  double support_max() const;
  std::string describe() const;  ///< "lognormal(mean = 556.8, cov = 0.08)"

 private:
  std::shared_ptr<const Law> law_;
};

Marginal normal_law(double mean, double std_dev);
Marginal lognormal_law(double mu_log, double sigma_log);
Marginal lognormal_law_by_moments(double mean, double coefficient_of_variation);
Marginal uniform_law(double min, double max);
Marginal truncated_normal_law(double mean, double std_dev, double min, double max);
Marginal beta_law(double alpha, double beta, double min = 0, double max = 1);
Marginal gamma_law(double shape, double scale, double location = 0);
Marginal gumbel_law(double location, double scale);  ///< for maxima: F = exp(−exp(−(x−location)/scale))
Marginal weibull_law(double shape, double scale, double location = 0);
Marginal exponential_law(double rate, double location = 0);
Marginal triangular_law(double min, double mode, double max);
Marginal student_t_law(double degrees, double location = 0, double scale = 1);

/// A family as a configuration names it (`law = "lognormal"`): its parameters described once, and the way to make it.
struct MarginalFamily {
  std::string name;
  std::string summary;
  std::function<void(OptionVisitor&)> describe;  ///< visits default parameters
  std::function<Marginal(OptionVisitor&)> make;  ///< reads the parameters and makes the law
};

/// All families; the order is that of `buffon list laws`.
const std::vector<MarginalFamily>& marginal_families();

}  // namespace buffon
