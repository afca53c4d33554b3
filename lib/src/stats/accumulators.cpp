// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/core/archive.hpp>
#include <buffon/core/constants.hpp>
#include <buffon/core/error.hpp>
#include <buffon/random/scalar_kernels.hpp>
#include <buffon/stats/accumulators.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <string>

namespace buffon {
namespace {

using constants::infinity;
using constants::nan;

// x 2^k for any k that fits a 64-bit integer.
double scaled(double x, std::int64_t k) { return std::ldexp(x, static_cast<int>(std::clamp<std::int64_t>(k, -5000, 5000))); }

// The e with 2^{e−1} ≤ |x| < 2^e for finite non-zero x; `otherwise` else.
std::int64_t exponent_above(double x, std::int64_t otherwise) {
  if (x == 0 || !std::isfinite(x)) return otherwise;
  int e = 0;
  std::frexp(x, &e);
  return e;
}

void require_equal_lengths(std::size_t values, std::size_t weights) {
  if (values == weights) return;
  throw Error(ErrorCategory::usage, {.doing = "adding weighted values",
                                     .key = "weights",
                                     .value = std::to_string(weights) + " entries",
                                     .rule = "must be as many as the values, " + std::to_string(values)});
}

}  // namespace

// --- Moments --------------------------------------------------------------------------------------------------------

void Moments::raise(std::int64_t exponent) {
  if (exponent <= exponent_) return;
  const std::int64_t k = exponent_ - exponent;
  mean_ = scaled(mean_, k);
  m2_ = scaled(m2_, 2 * k);
  m3_ = scaled(m3_, 3 * k);
  m4_ = scaled(m4_, 4 * k);
  exponent_ = exponent;
}

void Moments::merge_scaled(double nb, double mean, double m2, double m3, double m4) {
  const auto na = static_cast<double>(count_);
  const double n = na + nb;
  const double delta = mean - mean_;
  const double s = delta / n;
  // Only ratios of counts enter, so that n⁴ never appears.
  const double fa = na / n, fb = nb / n;
  m4_ += m4 + na * nb * s * delta * delta * delta * (fa * fa - fa * fb + fb * fb) + 6 * delta * delta * (fa * fa * m2 + fb * fb * m2_) +
         4 * delta * (fa * m3 - fb * m3_);
  m3_ += m3 + na * nb * s * delta * delta * (fa - fb) + 3 * delta * (fa * m2 - fb * m2_);
  m2_ += m2 + na * nb * s * delta;
  mean_ += nb * s;
}

void Moments::add(double x) {
  raise(exponent_above(x, exponent_));
  merge_scaled(1, scaled(x, -exponent_), 0, 0, 0);
  ++count_;
}

void Moments::add(std::span<const double> values) {
  constexpr std::size_t leaf = 1024, lanes = 8;
  using Lanes = std::array<double, lanes>;
  std::array<double, leaf> y;
  const auto total = [](const Lanes& a) { return ((a[0] + a[4]) + (a[2] + a[6])) + ((a[1] + a[5]) + (a[3] + a[7])); };
  for (; !values.empty(); values = values.subspan(std::min(leaf, values.size()))) {
    const std::size_t n = std::min(leaf, values.size());
    double largest = 0;
    for (std::size_t i = 0; i < n; ++i) largest = std::abs(values[i]) > largest ? std::abs(values[i]) : largest;
    raise(exponent_above(largest, exponent_));
    const double unit = scaled(1, -exponent_);
    const std::size_t padded = (n + lanes - 1) / lanes * lanes;
    Lanes sum{};
    for (std::size_t i = 0; i < n; ++i) y[i] = values[i] * unit;
    std::fill(y.begin() + n, y.begin() + padded, 0.0);
    for (std::size_t i = 0; i < padded; i += lanes) {
      for (std::size_t l = 0; l < lanes; ++l) sum[l] += y[i + l];
    }
    // Powers of deviations from the rounded mean c; the padding becomes deviations of 0.
    const double count = static_cast<double>(n), c = total(sum) / count;
    std::fill(y.begin() + n, y.begin() + padded, c);
    Lanes s1{}, s2{}, s3{}, s4{};
    for (std::size_t i = 0; i < padded; i += lanes) {
      for (std::size_t l = 0; l < lanes; ++l) {
        const double d = y[i + l] - c, d2 = d * d;
        s1[l] += d;
        s2[l] += d2;
        s3[l] += d2 * d;
        s4[l] += d2 * d2;
      }
    }
    // From c to the mean c + e, e = Σd / n.
    const double e = total(s1) / count, p2 = total(s2), p3 = total(s3), p4 = total(s4);
    merge_scaled(count, c + e, std::max(0.0, p2 - count * e * e), p3 - 3 * e * p2 + 2 * count * e * e * e,
                 p4 - 4 * e * p3 + 6 * e * e * p2 - 3 * count * e * e * e * e);
    count_ += static_cast<std::int64_t>(n);
  }
}

void Moments::merge(const Moments& other) {
  if (other.count_ == 0) return;
  Moments from = other;
  const std::int64_t e = std::max(exponent_, from.exponent_);
  raise(e);
  from.raise(e);
  merge_scaled(static_cast<double>(from.count_), from.mean_, from.m2_, from.m3_, from.m4_);
  count_ += from.count_;
}

double Moments::mean() const { return count_ == 0 ? nan : scaled(mean_, exponent_); }
double Moments::variance() const { return count_ < 2 ? nan : scaled(m2_ / static_cast<double>(count_ - 1), 2 * exponent_); }
double Moments::std_dev() const { return count_ < 2 ? nan : scaled(std::sqrt(m2_ / static_cast<double>(count_ - 1)), exponent_); }
double Moments::std_error() const { return std_dev() / std::sqrt(static_cast<double>(count_)); }

double Moments::skewness() const {
  if (!(m2_ > 0)) return nan;
  return std::sqrt(static_cast<double>(count_)) * (m3_ / (m2_ * std::sqrt(m2_)));
}

double Moments::kurtosis() const {
  if (!(m2_ > 0)) return nan;
  return static_cast<double>(count_) * (m4_ / m2_) / m2_;
}

Estimate Moments::estimate(double level) const { return normal_estimate(mean(), std_error(), static_cast<double>(count_), level); }

void Moments::describe_state(Archive& archive) {
  archive.item("count", count_);
  archive.item("exponent", exponent_);
  archive.item("mean", mean_);
  archive.item("m2", m2_);
  archive.item("m3", m3_);
  archive.item("m4", m4_);
}

// --- WeightedMoments ------------------------------------------------------------------------------------------------

void WeightedMoments::Sums::merge(double other_weight, double other_mean, double other_m2) {
  if (other_weight == 0) return;
  const double sum = weight + other_weight, share = other_weight / sum, delta = other_mean - mean;
  m2 += other_m2 + delta * delta * (weight * share);
  mean += delta * share;
  weight = sum;
}

void WeightedMoments::raise(std::int64_t exponent) {
  if (exponent <= exponent_) return;
  const std::int64_t k = exponent_ - exponent;
  first_.weight = scaled(first_.weight, k);
  first_.m2 = scaled(first_.m2, k);
  second_.weight = scaled(second_.weight, 2 * k);
  second_.m2 = scaled(second_.m2, 2 * k);
  exponent_ = exponent;
}

void WeightedMoments::add_scaled(double x, double w) {
  first_.merge(w, x, 0);
  second_.merge(w * w, x, 0);
  ++count_;
}

void WeightedMoments::add(double x, double w) {
  if (w < 0) {
    throw Error(ErrorCategory::usage, {.doing = "adding a weighted value", .key = "weight", .value = to_text(w), .rule = "must not be negative"});
  }
  raise(exponent_above(w, exponent_));
  add_scaled(x, scaled(w, -exponent_));
}

void WeightedMoments::add_log(double x, double log_w) {
  if (log_w == -infinity) return add_scaled(x, 0);
  if (!std::isfinite(log_w)) return add_scaled(x, nan);
  // exp(log_w) = exp(r) 2^e, with log 2 in two parts so that e log 2 is subtracted without rounding.
  constexpr double log2_high = 0x1.62e42fefa0000p-1, log2_low = 0x1.cf79abc9e3b3ap-40;
  const double e = std::floor(std::clamp(log_w * 1.4426950408889634, -1e15, 1e15)) + 1;
  raise(static_cast<std::int64_t>(e));
  const double r = (log_w - e * log2_high) - e * log2_low;
  add_scaled(x, scaled(scalar::exp(r), static_cast<std::int64_t>(e) - exponent_));
}

void WeightedMoments::add(std::span<const double> x, std::span<const double> w) {
  require_equal_lengths(x.size(), w.size());
  for (std::size_t i = 0; i < x.size(); ++i) add(x[i], w[i]);
}

void WeightedMoments::add_log(std::span<const double> x, std::span<const double> log_w) {
  require_equal_lengths(x.size(), log_w.size());
  for (std::size_t i = 0; i < x.size(); ++i) add_log(x[i], log_w[i]);
}

void WeightedMoments::merge(const WeightedMoments& other) {
  WeightedMoments from = other;
  const std::int64_t e = std::max(exponent_, from.exponent_);
  raise(e);
  from.raise(e);
  first_.merge(from.first_.weight, from.first_.mean, from.first_.m2);
  second_.merge(from.second_.weight, from.second_.mean, from.second_.m2);
  count_ += from.count_;
}

double WeightedMoments::sum_of_weights() const { return scaled(first_.weight, exponent_); }

double WeightedMoments::log_sum_of_weights() const {
  if (first_.weight == 0) return -infinity;
  return scalar::log(first_.weight) + static_cast<double>(exponent_) * 0.69314718055994531;
}

double WeightedMoments::effective_size() const { return first_.weight == 0 ? 0 : first_.weight / second_.weight * first_.weight; }

double WeightedMoments::mean() const { return first_.weight == 0 ? nan : first_.mean; }
double WeightedMoments::variance() const { return first_.m2 / first_.weight; }

double WeightedMoments::std_error() const {
  if (count_ < 2) return nan;
  const double shift = second_.mean - first_.mean;
  return std::sqrt(second_.m2 + second_.weight * shift * shift) / first_.weight;
}

Estimate WeightedMoments::estimate(double level) const { return normal_estimate(mean(), std_error(), effective_size(), level); }

void WeightedMoments::describe_state(Archive& archive) {
  archive.item("count", count_);
  archive.item("exponent", exponent_);
  archive.item("weight", first_.weight);
  archive.item("mean", first_.mean);
  archive.item("m2", first_.m2);
  archive.item("squared_weight", second_.weight);
  archive.item("squared_mean", second_.mean);
  archive.item("squared_m2", second_.m2);
}

// --- CovarianceAccumulator ------------------------------------------------------------------------------------------

CovarianceAccumulator::CovarianceAccumulator(Index dimension) : mean_(Eigen::VectorXd::Zero(dimension)), lower_(Eigen::MatrixXd::Zero(dimension, dimension)) {}

void CovarianceAccumulator::take_dimension(Index rows) {
  if (dimension() == 0 && count_ == 0) *this = CovarianceAccumulator(rows);
  if (rows != dimension()) {
    throw Error(ErrorCategory::usage, {.doing = "adding points to a covariance",
                                       .key = "points",
                                       .value = std::to_string(rows) + " rows",
                                       .rule = "must have one row per component, " + std::to_string(dimension())});
  }
}

void CovarianceAccumulator::merge_parts(std::int64_t n, const Eigen::VectorXd& mean, const Eigen::MatrixXd& lower) {
  const double nb = static_cast<double>(n), total = static_cast<double>(count_ + n), share = nb / total;
  const double factor = static_cast<double>(count_) * share;
  const Eigen::VectorXd delta = mean - mean_;
  const Index rows = dimension();
  for (Index j = 0; j < rows; ++j) {
    const double dj = factor * delta[j];
    for (Index i = j; i < rows; ++i) lower_(i, j) += lower(i, j) + dj * delta[i];
  }
  mean_ += share * delta;
  count_ += n;
}

void CovarianceAccumulator::add(const ConstMatrix& points) {
  if (points.cols() == 0) return;
  take_dimension(points.rows());
  // Leaves of 256 points: mean, deviations, then updates of C by eight points at once. The order of the additions is
  // written out, hence the same on every machine.
  constexpr Index leaf = 256, group = 8;
  const Index rows = dimension();
  const auto tree = [](const auto& x) { return ((x(0) + x(1)) + (x(2) + x(3))) + ((x(4) + x(5)) + (x(6) + x(7))); };
  Eigen::MatrixXd y(rows, std::min(leaf, (points.cols() + group - 1) / group * group));
  Eigen::VectorXd mean(rows);
  Eigen::MatrixXd c(rows, rows);
  for (Index first = 0; first < points.cols(); first += leaf) {
    const Index n = std::min(leaf, points.cols() - first);
    const Index padded = (n + group - 1) / group * group;
    y.leftCols(n) = points.middleCols(first, n);
    y.middleCols(n, padded - n).setZero();
    mean.setZero();
    for (Index k = 0; k < padded; k += group) {
      const double* x = &y(0, k);
      for (Index i = 0; i < rows; ++i) mean[i] += tree([&](Index p) { return x[p * rows + i]; });
    }
    mean /= static_cast<double>(n);
    // No mean lies outside the values, whatever the rounding of the sum; equal values so have exactly that mean and no deviation.
    const Eigen::VectorXd lowest = y.leftCols(n).rowwise().minCoeff(), highest = y.leftCols(n).rowwise().maxCoeff();
    for (Index i = 0; i < rows; ++i) {
      if (mean[i] < lowest[i]) mean[i] = lowest[i];
      if (mean[i] > highest[i]) mean[i] = highest[i];
    }
    for (Index k = 0; k < n; ++k) y.col(k) -= mean;  // the padding stays 0: no deviation
    c.setZero();
    for (Index k = 0; k < padded; k += group) {
      const double* x = &y(0, k);
      for (Index j = 0; j < rows; ++j) {
        double* out = &c(0, j);
        const std::array<double, group> b = {x[j],           x[rows + j], x[2 * rows + j], x[3 * rows + j], x[4 * rows + j], x[5 * rows + j], x[6 * rows + j],
                                             x[7 * rows + j]};
        for (Index i = j; i < rows; ++i) out[i] += tree([&](Index p) { return x[p * rows + i] * b[static_cast<std::size_t>(p)]; });
      }
    }
    merge_parts(n, mean, c);
  }
}

void CovarianceAccumulator::merge(const CovarianceAccumulator& other) {
  if (other.count_ == 0) return;
  take_dimension(other.dimension());
  merge_parts(other.count_, other.mean_, other.lower_);
}

Eigen::VectorXd CovarianceAccumulator::variance() const {
  if (count_ < 2) return Eigen::VectorXd::Constant(dimension(), nan);
  return lower_.diagonal() / static_cast<double>(count_ - 1);
}

Eigen::MatrixXd CovarianceAccumulator::covariance() const {
  if (count_ < 2) return Eigen::MatrixXd::Constant(dimension(), dimension(), nan);
  Eigen::MatrixXd full = lower_.selfadjointView<Eigen::Lower>();
  return full / static_cast<double>(count_ - 1);
}

Eigen::MatrixXd CovarianceAccumulator::mean_covariance() const { return covariance() / static_cast<double>(count_); }
Eigen::VectorXd CovarianceAccumulator::std_errors() const { return (variance() / static_cast<double>(count_)).cwiseSqrt(); }

Estimate CovarianceAccumulator::estimate(Index j, double level) const {
  const double v = count_ < 2 ? nan : lower_(j, j) / static_cast<double>(count_ - 1);
  return mean_estimate(count_ == 0 ? nan : mean_[j], v, static_cast<double>(count_), level);
}

void CovarianceAccumulator::describe_state(Archive& archive) {
  archive.item("count", count_);
  archive.item("mean", mean_);
  archive.item("comoments", lower_);
}

// --- LogSum ---------------------------------------------------------------------------------------------------------

void LogSum::merge_parts(double max, double scaled) {
  if (max == -infinity) return;
  if (max_ == max) {
    scaled_ += scaled;
  } else if (max_ < max) {
    scaled_ = scaled_ * scalar::exp(max_ - max) + scaled;
    max_ = max;
  } else if (max_ > max) {
    scaled_ += scaled * scalar::exp(max - max_);
  } else {
    max_ = nan;
  }
}

void LogSum::add(double log_term) {
  ++count_;
  merge_parts(log_term, 1);
}

void LogSum::add(std::span<const double> log_terms) {
  constexpr std::size_t leaf = 256;
  for (; !log_terms.empty(); log_terms = log_terms.subspan(std::min(leaf, log_terms.size()))) {
    const auto part = log_terms.first(std::min(leaf, log_terms.size()));
    double max = part[0], sum = 0;
    for (const double l : part) max = l > max || std::isnan(l) ? l : max;
    if (std::isfinite(max)) {
      for (const double l : part) sum += scalar::exp(l - max);
    } else {
      sum = 1;
    }
    count_ += static_cast<std::int64_t>(part.size());
    merge_parts(max, sum);
  }
}

void LogSum::merge(const LogSum& other) {
  count_ += other.count_;
  merge_parts(other.max_, other.scaled_);
}

double LogSum::value() const { return std::isfinite(max_) ? max_ + scalar::log(scaled_) : max_; }
double LogSum::log_mean() const { return count_ == 0 ? nan : value() - scalar::log(static_cast<double>(count_)); }

void LogSum::describe_state(Archive& archive) {
  archive.item("count", count_);
  archive.item("max", max_);
  archive.item("scaled", scaled_);
}

}  // namespace buffon
