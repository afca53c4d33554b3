// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <Eigen/Core>

#include <cstdint>
#include <string>
#include <vector>

namespace buffon {

/// Stored draws of one chain: one row = one draw.
struct ChainTable {
  Eigen::MatrixXd values;   ///< draws × columns: `ChainDraws::names`
  Eigen::MatrixXd sampler;  ///< draws × sampler columns: `ChainDraws::sampler_names`
};

/// Draws of several chains, as files and diagnostics want them.
struct ChainDraws {
  /// A variable occupies consecutive columns: NAME, or NAME.1 … NAME.K.
  struct Variable {
    std::string name;
    std::int64_t size = 0;  ///< 0 = a single number
  };
  std::vector<Variable> variables;
  std::vector<std::string> names;          ///< columns of `values`: "mu", "theta.1", …
  std::vector<std::string> sampler_names;  ///< columns of `sampler`: "lp__", "accept_stat__", "n_eval__", "stuck__", …
  std::vector<ChainTable> chains;
  std::vector<ChainTable> warmup;  ///< one per chain when kept, else empty
  std::int64_t thin = 1;           ///< transitions per stored draw
  std::int64_t warmup_length = 0;  ///< transitions of the warm-up per chain, kept or not
};

}  // namespace buffon
