// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/core/error.hpp>
#include <buffon/stats/chain_diagnostics.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

#include "chain_lags.hpp"
#include "chain_sample.hpp"

namespace buffon {

using stats_detail::ChainSample;
using stats_detail::Lags;

namespace {

void check_probability(double p) {
  if (!(p > 0 && p < 1)) {
    throw Error(ErrorCategory::usage, {.doing = "the error of a quantile of chains", .key = "p", .value = to_text(p), .rule = "must be in (0, 1)"});
  }
}

}  // namespace

double split_rhat(const ConstMatrix& draws) { return ChainSample(draws).rhat(); }
double ess_bulk(const ConstMatrix& draws) { return ChainSample(draws).ess_bulk(); }
double ess_tail(const ConstMatrix& draws) { return ChainSample(draws).ess_tail(); }
double ess_mean(const ConstMatrix& draws) { return ChainSample(draws).ess_mean(); }
double ess_sd(const ConstMatrix& draws) { return ChainSample(draws).ess_sd(); }
double mcse_mean(const ConstMatrix& draws) { return ChainSample(draws).mcse_mean(); }
double mcse_sd(const ConstMatrix& draws) { return ChainSample(draws).mcse_sd(); }

double ess_quantile(const ConstMatrix& draws, double p) {
  check_probability(p);
  return ChainSample(draws).ess_quantile(p);
}

double mcse_quantile(const ConstMatrix& draws, double p) {
  check_probability(p);
  return ChainSample(draws).mcse_quantile(p);
}

Eigen::VectorXd autocorrelation(const ConstVector& draws, Index max_lag) {
  if (max_lag < 0 || max_lag >= draws.size()) {
    throw Error(ErrorCategory::usage, {.doing = "the autocorrelation of " + std::to_string(draws.size()) + " draws",
                                       .key = "max_lag",
                                       .value = std::to_string(max_lag),
                                       .rule = "must be at least 0 and less than the number of draws"});
  }
  Eigen::VectorXd out(max_lag + 1);
  if (!draws.allFinite() || (draws.array() == draws(0)).all()) return Eigen::VectorXd::Constant(max_lag + 1, std::numeric_limits<double>::quiet_NaN());
  Lags lags{Eigen::MatrixXd(draws)};
  for (Index t = max_lag; t >= 0; --t) out(t) = lags.at(t) / lags.at(0);
  return out;
}

double integrated_autocorrelation_time(const ConstVector& draws, Index max_lag) {
  const Index most = std::min(max_lag == 0 ? draws.size() / 2 : max_lag, draws.size() - 1);
  if (draws.size() < 4 || !draws.allFinite() || (draws.array() == draws(0)).all()) return std::numeric_limits<double>::quiet_NaN();
  Lags lags{Eigen::MatrixXd(draws)};
  const auto rho = [&](Index t) { return lags.at(t) / lags.at(0); };
  double sum = rho(1);
  for (Index t = 2; t + 1 <= most; t += 2) {
    const double pair = rho(t) + rho(t + 1);
    if (pair < 0) break;
    sum += pair;
  }
  return 1 + std::max(0.0, 2 * sum);
}

}  // namespace buffon
