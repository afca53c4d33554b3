// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/random/stream.hpp>
#include <buffon/stats/chain_draws.hpp>

#include <cmath>
#include <string>

namespace buffon::testing {

/// Autoregressive Gaussian chains in the form that samplers give: a number mu, a vector theta of two, and an event.
inline ChainDraws synthetic_chains(Eigen::Index chains, Eigen::Index draws, double phi, std::uint64_t seed, Eigen::Index warmup = 0) {
  ChainDraws out;
  out.variables = {{"mu", 0}, {"theta", 2}, {"far", 0}};
  out.names = {"mu", "theta.1", "theta.2", "far"};
  out.sampler_names = {"lp__", "accept_stat__", "n_eval__", "stuck__", "undefined__"};
  out.thin = 2;
  out.warmup_length = 100;
  for (Eigen::Index c = 0; c < chains; ++c) {
    Eigen::MatrixXd z(3, warmup + draws);
    Stream(seed).child("chain", static_cast<std::uint64_t>(c)).normals(0, z);
    for (Eigen::Index i = 1; i < z.cols(); ++i) z.col(i) = phi * z.col(i - 1) + std::sqrt(1 - phi * phi) * z.col(i);
    ChainTable all{Eigen::MatrixXd(z.cols(), 4), Eigen::MatrixXd::Zero(z.cols(), 5)};
    all.values.leftCols(3) = z.transpose();
    all.values.col(1).array() += 3;
    all.values.col(3) = (z.row(0).array() > 1).cast<double>().transpose();
    all.sampler.col(0) = -0.5 * z.colwise().squaredNorm().transpose();
    all.sampler.col(1).setOnes();
    all.sampler.col(2).setConstant(6);
    out.chains.push_back({all.values.bottomRows(draws), all.sampler.bottomRows(draws)});
    if (warmup > 0) out.warmup.push_back({all.values.topRows(warmup), all.sampler.topRows(warmup)});
  }
  return out;
}

}  // namespace buffon::testing
