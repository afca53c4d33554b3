// SPDX-License-Identifier: BSD-3-Clause
#include "chain_lags.hpp"

#include <algorithm>
#include <bit>
#include <complex>
#include <cstdint>
#include <unsupported/Eigen/FFT>
#include <utility>
#include <vector>

namespace buffon::stats_detail {

Lags::Lags(Eigen::MatrixXd chains) : centred_(std::move(chains)), means_(centred_.cols()) {
  for (Index m = 0; m < centred_.cols(); ++m) {
    means_(m) = centred_.col(m).mean();
    centred_.col(m).array() -= means_(m);
  }
}

double Lags::at(Index t) {
  const Index n = length();
  if (t >= known_.size() && t >= by_sums) transform();
  while (t >= known_.size()) {
    const Index lag = known_.size();
    double sum = 0;
    for (Index m = 0; m < chains(); ++m) sum += centred_.col(m).head(n - lag).dot(centred_.col(m).tail(n - lag));
    known_.conservativeResize(lag + 1);
    known_(lag) = sum / static_cast<double>(n) / static_cast<double>(chains());
  }
  return known_(t);
}

// With z = x + i y and n zeros after it, Re Σ_i conj(z_i) z_{i+t} is the sum over both chains: |F z|² of pairs of chains is added up, and one
// inverse transform gives all lags.
void Lags::transform() {
  const Index n = length();
  const auto size = static_cast<Index>(std::bit_ceil(static_cast<std::uint64_t>(2 * n)));
  Eigen::FFT<double> fft;
  std::vector<std::complex<double>> z(static_cast<std::size_t>(size)), f;
  Eigen::VectorXd power = Eigen::VectorXd::Zero(size);
  for (Index m = 0; m < chains(); m += 2) {
    const bool pair = m + 1 < chains();
    for (Index i = 0; i < n; ++i) z[static_cast<std::size_t>(i)] = {centred_(i, m), pair ? centred_(i, m + 1) : 0.0};
    fft.fwd(f, z);
    for (Index k = 0; k < size; ++k) power(k) += std::norm(f[static_cast<std::size_t>(k)]);
  }
  for (Index k = 0; k < size; ++k) z[static_cast<std::size_t>(k)] = power(k);
  fft.inv(f, z);
  const Index before = known_.size();
  known_.conservativeResize(n);
  const double scale = static_cast<double>(n) * static_cast<double>(chains());
  for (Index t = before; t < n; ++t) known_(t) = f[static_cast<std::size_t>(t)].real() / scale;
}

}  // namespace buffon::stats_detail
