// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/core/types.hpp>

namespace buffon::stats_detail {

/// Autocovariances a(t) = (1/n) Σ_{i ≤ n−t} (y_i − ȳ)(y_{i+t} − ȳ) of chains, averaged over the chains, made when asked for: the first
/// lags by sums, O(n) each, the others all at once by a transform of zero-padded chains, O(n log n).
class Lags {
 public:
  /// @param chains n × m, one column = one chain
  explicit Lags(Eigen::MatrixXd chains);

  Index length() const { return centred_.rows(); }
  Index chains() const { return centred_.cols(); }
  const Eigen::VectorXd& means() const { return means_; }  ///< of the chains
  /// a(t), 0 ≤ t < n.
  double at(Index t);

 private:
  static constexpr Index by_sums = 64;  // where one transform costs as much, for n of thousands to millions

  void transform();

  Eigen::MatrixXd centred_;
  Eigen::VectorXd means_;
  Eigen::VectorXd known_;  // a(0), a(1), …
};

}  // namespace buffon::stats_detail
