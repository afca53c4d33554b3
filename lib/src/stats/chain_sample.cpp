// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/core/constants.hpp>
#include <buffon/stats/normal.hpp>

#include "chain_sample.hpp"

#include <boost/math/special_functions/beta.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "chain_lags.hpp"

namespace buffon::stats_detail {
namespace {

using constants::nan;

/// √((B/W + n − 1) / n) of chains of length n.
double plain_rhat(const Eigen::MatrixXd& chains) {
  const auto n = static_cast<double>(chains.rows()), m = static_cast<double>(chains.cols());
  const Eigen::RowVectorXd means = chains.colwise().mean();
  const double within = (chains.rowwise() - means).colwise().squaredNorm().sum() / (n - 1) / m;
  const double between = n * (means.array() - means.mean()).square().sum() / (m - 1);
  return std::sqrt((between / within + n - 1) / n);
}

/// Effective size of split chains: Geyer's initial positive and monotone sequences of the autocorrelations, which compare what the
/// chains have within with the variance of all of them together.
double effective_size(Eigen::MatrixXd chains) {
  if (chains.rows() <= 5 || (chains.array() == chains(0, 0)).all()) return nan;
  Lags lags(std::move(chains));
  const Index n = lags.length();
  const auto length = static_cast<double>(n), m = static_cast<double>(lags.chains());
  const double within = lags.at(0) * length / (length - 1);
  const double variance = lags.at(0) + (lags.means().array() - lags.means().mean()).square().sum() / (m - 1);
  const auto rho = [&](Index t) { return 1 - (within - lags.at(t)) / variance; };

  std::vector<double> kept = {1, rho(1)};
  Index t = 0;
  double even = 1, odd = kept[1];
  while (t < n - 5 && even + odd > 0) {
    t += 2;
    even = rho(t);
    odd = rho(t + 1);
    const bool positive = even + odd >= 0;
    kept.push_back(positive || even > 0 ? even : 0);
    kept.push_back(positive ? odd : 0);
  }
  const auto last = static_cast<std::size_t>(t);
  if (even > 0) kept[last] = even;
  for (std::size_t k = 2; k + 2 <= last; k += 2) {
    const double before = kept[k - 2] + kept[k - 1];
    if (kept[k] + kept[k + 1] > before) kept[k] = kept[k + 1] = before / 2;
  }
  double sum = 0;
  for (std::size_t k = 0; k < last; ++k) sum += kept[k];
  const double size = length * m;
  return size / std::max(-1 + 2 * sum + kept[last], 1 / std::log10(size));
}

double of_sorted(const auto& value, std::size_t size, double p) {
  const double h = static_cast<double>(size - 1) * p, below = std::floor(h);
  const auto i = static_cast<std::size_t>(below);
  const double a = value(i), b = value(std::min(i + 1, size - 1)), t = h - below;
  return t == 0 || a == b ? a : (1 - t) * a + t * b;
}

}  // namespace

ChainSample::ChainSample(const ConstMatrix& draws) : draws_(draws), mean_(nan), sd_(nan) {
  if (draws_.size() == 0 || !draws_.allFinite()) return;
  const auto size = static_cast<double>(draws_.size());
  mean_ = draws_.mean();
  sd_ = std::sqrt((draws_.array() - mean_).square().sum() / (size - 1));
  sorted_.reserve(static_cast<std::size_t>(draws_.size()));
  for (Index i = 0; i < draws_.size(); ++i) sorted_.emplace_back(draws_.data()[i], i);
  std::sort(sorted_.begin(), sorted_.end());
  usable_ = sorted_.front().first < sorted_.back().first && draws_.rows() >= 4;
}

double ChainSample::quantile(double p) const {
  if (sorted_.empty()) return nan;
  return of_sorted([&](std::size_t i) { return sorted_[i].first; }, sorted_.size(), p);
}

double ChainSample::mad() const {
  if (sorted_.empty()) return nan;
  const std::vector<Item> deviations = folded();
  return 1.4826 * of_sorted([&](std::size_t i) { return deviations[i].first; }, deviations.size(), 0.5);
}

// |x − median| is sorted on either side of the median: the two sides are merged.
std::vector<ChainSample::Item> ChainSample::folded() const {
  const double median = quantile(0.5);
  std::vector<Item> out;
  out.reserve(sorted_.size());
  auto up = std::lower_bound(sorted_.begin(), sorted_.end(), median, [](const Item& item, double x) { return item.first < x; });
  auto down = up;
  while (out.size() < sorted_.size()) {
    const bool lower = up == sorted_.end() || (down != sorted_.begin() && median - (down - 1)->first <= up->first - median);
    if (lower) {
      --down;
      out.emplace_back(median - down->first, down->second);
    } else {
      out.emplace_back(up->first - median, up->second);
      ++up;
    }
  }
  return out;
}

Eigen::MatrixXd ChainSample::split(const Eigen::MatrixXd& draws) const {
  const Index half = draws.rows() / 2;
  Eigen::MatrixXd out(half, 2 * draws.cols());
  for (Index m = 0; m < draws.cols(); ++m) {
    out.col(2 * m) = draws.col(m).head(half);
    out.col(2 * m + 1) = draws.col(m).tail(half);
  }
  return out;
}

Eigen::MatrixXd ChainSample::scores(const std::vector<Item>& sorted) const {
  const Index rows = draws_.rows(), half = rows / 2;
  const auto dropped = [&](Index position) { return rows % 2 == 1 && position % rows == half; };
  const double size = static_cast<double>(2 * half * draws_.cols());
  Eigen::MatrixXd out(rows, draws_.cols());
  double rank = 0;  // of the values before those that are equal now
  for (std::size_t first = 0; first < sorted.size();) {
    std::size_t end = first;
    double equal = 0;
    for (; end < sorted.size() && sorted[end].first == sorted[first].first; ++end) equal += dropped(sorted[end].second) ? 0 : 1;
    const double score = normal_quantile((rank + (equal + 1) / 2 - 0.375) / (size + 0.25));
    for (; first < end; ++first) out.data()[sorted[first].second] = score;
    rank += equal;
  }
  return split(out);
}

// Distances to the median that are all equal tell nothing: then the bulk alone counts.
double ChainSample::rhat() {
  if (!usable_) return nan;
  if (!scores_) scores_ = scores(sorted_);
  return std::fmax(plain_rhat(*scores_), plain_rhat(scores(folded())));
}

double ChainSample::ess_bulk() {
  if (!usable_) return nan;
  if (!scores_) scores_ = scores(sorted_);
  return effective_size(*scores_);
}

double ChainSample::ess_quantile(double p) {
  if (!usable_) return nan;
  const double q = quantile(p);
  return effective_size(split((draws_.array() <= q).cast<double>()));
}

// No draw beyond a quantile (values of few kinds, such as an event's 0 and 1): the other tail alone tells. Where both quantiles are the
// largest value, an event of probability above 0.95, the draws below it do.
double ChainSample::ess_tail() {
  const double ess = std::fmin(ess_quantile(0.05), ess_quantile(0.95));
  if (!usable_ || std::isfinite(ess)) return ess;
  return effective_size(split((draws_.array() < quantile(0.05)).cast<double>()));
}

double ChainSample::ess_mean() { return usable_ ? effective_size(split(draws_)) : nan; }

double ChainSample::ess_sd() { return usable_ ? effective_size(split((draws_.array() - mean_).square())) : nan; }

double ChainSample::mcse_sd() {
  if (!usable_) return nan;
  const double ess = ess_sd();
  const Eigen::ArrayXXd squares = (draws_.array() - mean_).square();
  const double mean = squares.mean();
  return std::sqrt((squares.square().mean() - mean * mean) / ess / (4 * mean));
}

double ChainSample::mcse_quantile(double p) {
  const double ess = ess_quantile(p);
  if (std::isnan(ess)) return nan;
  const auto size = static_cast<double>(sorted_.size());
  const auto at = [&](double level) { return boost::math::ibeta_inv(ess * p + 1, ess * (1 - p) + 1, level); };
  const auto value = [&](double position) { return sorted_[static_cast<std::size_t>(std::clamp(position, 1.0, size)) - 1].first; };
  return (value(std::ceil(at(0.8413447) * size)) - value(std::floor(at(0.1586553) * size))) / 2;
}

}  // namespace buffon::stats_detail
