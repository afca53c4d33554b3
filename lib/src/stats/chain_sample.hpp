// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/core/types.hpp>

#include <optional>
#include <utility>
#include <vector>

namespace buffon::stats_detail {

/// The draws of one quantity, N × M, with what several diagnostics need in common: sorted once.
class ChainSample {
 public:
  explicit ChainSample(const ConstMatrix& draws);

  /// Finite, not all equal, at least 4 draws per chain.
  bool usable() const { return usable_; }

  double mean() const { return mean_; }
  double sd() const { return sd_; }  ///< divisor S − 1
  double quantile(double p) const;   ///< type 7
  double mad() const;                ///< 1.4826 × median |x − median|

  double rhat();
  double ess_bulk();
  double ess_tail();
  double ess_mean();
  double ess_sd();
  double ess_quantile(double p);
  double mcse_mean() { return sd_ / std::sqrt(ess_mean()); }
  double mcse_sd();
  double mcse_quantile(double p);

 private:
  using Item = std::pair<double, Index>;  // value, position in draws_

  /// Normal scores of the average ranks of the draws that splitting keeps, split. @param sorted all draws, increasing
  Eigen::MatrixXd scores(const std::vector<Item>& sorted) const;
  /// Each chain as two: its first and its last ⌊N/2⌋ draws.
  Eigen::MatrixXd split(const Eigen::MatrixXd& draws) const;
  std::vector<Item> folded() const;

  Eigen::MatrixXd draws_;
  std::vector<Item> sorted_;
  std::optional<Eigen::MatrixXd> scores_;  // of the draws
  bool usable_ = false;
  double mean_, sd_;
};

}  // namespace buffon::stats_detail
