// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/core/types.hpp>
#include <buffon/stats/estimate.hpp>

#include <cstdint>
#include <limits>
#include <span>

namespace buffon {

class Archive;

/// Count, mean and central sums M2, M3, M4 of a stream of numbers, mergeable.
///
/// Merging (Pébay, "Formulas for robust, one-pass parallel computation of covariances and arbitrary-order statistical
/// moments", SAND2008-6212, 2008; for M2: Chan, Golub, LeVeque, "Updating formulae and a pairwise algorithm for computing
/// sample variances", 1979), with δ = mean_b − mean_a:
///   M2 = M2a + M2b + δ² na nb / n, and the analogous expressions for M3 and M4.
/// Sums are kept in units of a power of two above the largest |x| seen, so nothing overflows or underflows on the way
/// whatever the unit of x: scaling all x by a power of two scales the results exactly.
/// The order of additions and merges decides the last bits: keep it fixed. A non-finite x makes the results non-finite.
class Moments {
 public:
  void add(double x);
  /// Two passes over leaves of 1024 values, merged in order: faster and more accurate than one by one.
  void add(std::span<const double> x);
  void merge(const Moments& other);

  std::int64_t count() const { return count_; }
  double mean() const;       ///< NaN when empty
  double variance() const;   ///< divisor n − 1; NaN when n < 2
  double std_dev() const;    ///< square root of `variance()`
  double std_error() const;  ///< of the mean: std_dev / √n
  double skewness() const;   ///< √n M3 / M2^{3/2}; NaN when all values are equal
  double kurtosis() const;   ///< n M4 / M2², 3 for a normal law (not the excess); NaN when all values are equal

  /// The mean with its standard error and normal interval.
  Estimate estimate(double level = 0.95) const;

  void describe_state(Archive& archive);

 private:
  static constexpr std::int64_t smallest_exponent = -1000;
  void raise(std::int64_t exponent);
  void merge_scaled(double n, double mean, double m2, double m3, double m4);

  std::int64_t count_ = 0;
  std::int64_t exponent_ = smallest_exponent;  // |x| < 2^exponent for all x so far
  double mean_ = 0;                            // in units of 2^exponent
  double m2_ = 0, m3_ = 0, m4_ = 0;            // in its powers
};

/// Mean of x under weights w ≥ 0, mergeable; weights may be given by their logarithms, of any size.
///
/// Besides Σw, the weighted mean and Σ w (x − μ)², the same with weights w² are kept, so that the standard error of the
/// self-normalised mean is exact at the final μ: se² = Σ w² (x − μ)² / (Σ w)² (delta method; Owen, "Monte Carlo theory,
/// methods and examples", ch. 9). Weights are kept in units of a power of two above the largest. |x| in 1e±150.
class WeightedMoments {
 public:
  /// @throws Error(usage) when w is negative
  void add(double x, double w);
  /// weight exp(log_w); log_w = −∞ is weight 0
  void add_log(double x, double log_w);
  /// @throws Error(usage) when the lengths differ
  void add(std::span<const double> x, std::span<const double> w);
  void add_log(std::span<const double> x, std::span<const double> log_w);
  void merge(const WeightedMoments& other);

  std::int64_t count() const { return count_; }  ///< pairs added, those of weight 0 included
  double sum_of_weights() const;                 ///< Σ w (infinite when beyond the range of doubles)
  double log_sum_of_weights() const;             ///< log Σ w, −∞ when all are 0
  double effective_size() const;                 ///< Kish: (Σ w)² / Σ w²; 0 when all weights are 0
  double mean() const;                           ///< Σ w x / Σ w; NaN when all weights are 0
  double variance() const;                       ///< Σ w (x − μ)² / Σ w
  double std_error() const;                      ///< of the self-normalised mean; NaN with fewer than 2 pairs

  /// The self-normalised mean with standard error, normal interval and Kish effective size.
  Estimate estimate(double level = 0.95) const;

  void describe_state(Archive& archive);

 private:
  static constexpr std::int64_t smallest_exponent = std::numeric_limits<std::int64_t>::min() / 4;
  struct Sums {  // Σw, mean and Σw(x − mean)² under one kind of weights
    double weight = 0, mean = 0, m2 = 0;
    void merge(double other_weight, double other_mean, double other_m2);
  };
  void raise(std::int64_t exponent);
  void add_scaled(double x, double w);

  std::int64_t count_ = 0;
  std::int64_t exponent_ = smallest_exponent;  // w < 2^exponent for all w so far
  Sums first_;                                 // weights w / 2^exponent
  Sums second_;                                // weights (w / 2^exponent)²
};

/// Mean vector and co-moment matrix C = Σ (x − mean)(x − mean)ᵀ of J-dimensional points, mergeable (formulas as `Moments`).
/// Components may have very different scales; each |x_j| in 1e±150. Memory J² doubles, cost J² n flops.
///
///     CovarianceAccumulator sums(J);
///     sums.add(values);                       // J × n, one column = one point
///     Eigen::MatrixXd c = sums.covariance();
class CovarianceAccumulator {
 public:
  /// @param dimension J; 0 = taken from the first points added or merged
  explicit CovarianceAccumulator(Index dimension = 0);

  /// @throws Error(usage) when the number of rows is not the dimension
  void add(const ConstMatrix& points);
  void merge(const CovarianceAccumulator& other);

  Index dimension() const { return mean_.size(); }
  std::int64_t count() const { return count_; }
  const Eigen::VectorXd& mean() const { return mean_; }
  Eigen::VectorXd variance() const;         ///< J, divisor n − 1; NaN when n < 2
  Eigen::MatrixXd covariance() const;       ///< J × J, divisor n − 1; NaN when n < 2
  Eigen::MatrixXd mean_covariance() const;  ///< of the mean: covariance / n
  Eigen::VectorXd std_errors() const;       ///< of the mean: √(variance / n)

  /// Component j of the mean with its standard error and normal interval.
  Estimate estimate(Index j, double level = 0.95) const;

  void describe_state(Archive& archive);

 private:
  void take_dimension(Index rows);
  void merge_parts(std::int64_t n, const Eigen::VectorXd& mean, const Eigen::MatrixXd& lower);

  std::int64_t count_ = 0;
  Eigen::VectorXd mean_;
  Eigen::MatrixXd lower_;  // lower triangle of C
};

/// log Σ exp(l_i) of a stream of logarithms, mergeable. −∞ adds nothing; one +∞ makes the value +∞; NaN makes it NaN.
class LogSum {
 public:
  void add(double log_term);
  void add(std::span<const double> log_terms);
  void merge(const LogSum& other);

  double value() const;  ///< log of the sum; −∞ when empty
  std::int64_t count() const { return count_; }
  double log_mean() const;  ///< log of (sum / count); NaN when empty

  void describe_state(Archive& archive);

 private:
  void merge_parts(double max, double scaled);

  std::int64_t count_ = 0;
  double max_ = -std::numeric_limits<double>::infinity();
  double scaled_ = 0;  // Σ exp(l − max), or the number of infinite terms when max is +∞
};

}  // namespace buffon
