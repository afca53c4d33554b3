// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/core/error.hpp>
#include <buffon/samplers/chains.hpp>

#include <doctest/doctest.h>
#include <memory_archive.hpp>

#include <cmath>
#include <string>
#include <vector>

#include "chain_cases.hpp"

using namespace buffon;
using namespace buffon::testing;

namespace {

void check_same_draws(const ChainDraws& a, const ChainDraws& b) {
  REQUIRE(a.chains.size() == b.chains.size());
  for (std::size_t c = 0; c < a.chains.size(); ++c) {
    CHECK(a.chains[c].values == b.chains[c].values);
    CHECK(a.chains[c].sampler == b.chains[c].sampler);
  }
}

Eigen::MatrixXd first_column(const ChainResult& r) { return column_of(r.draws, 0); }

}  // namespace

TEST_CASE("draws have the layout that was asked for, and evaluations add up") {
  const ChainOptions options{.chains = 3, .warmup = 75, .draws = 50, .thin = 2, .save_warmup = true};
  const ChainResult r = run_chains(standard_normal_target(2), options, line_slice(), 1);
  CHECK(r.draws.names == std::vector<std::string>{"x.1", "x.2"});
  CHECK(r.draws.sampler_names == std::vector<std::string>{"lp__", "accept_stat__", "n_eval__", "stuck__", "undefined__"});
  CHECK(r.draws.thin == 2);
  CHECK(r.draws.warmup_length == 75);
  REQUIRE(r.draws.chains.size() == 3);
  REQUIRE(r.draws.warmup.size() == 3);
  double evaluations = 0;
  for (const ChainTable& chain : r.draws.chains) {
    CHECK(chain.values.rows() == 50);
    for (Index i = 0; i < 50; ++i) {
      CHECK(chain.sampler(i, 0) == doctest::Approx(-0.5 * chain.values.row(i).squaredNorm()).scale(0).epsilon(1e-12));
      CHECK(chain.sampler(i, 1) == 1);
    }
    evaluations += chain.sampler.col(2).sum();
  }
  for (const ChainTable& chain : r.draws.warmup) CHECK(chain.values.rows() == 37);
  CHECK(evaluations == static_cast<double>(r.sampling.evaluations));
  CHECK(r.sampling.steps == 3 * 100);
  CHECK(r.warmup.steps == 3 * 75);
  CHECK(r.stop_reason == "all draws were made");
}

TEST_CASE("draws are the same on 1, 2, 3 and 8 threads, for few chains and for more than have a block of their own") {
  for (const std::int64_t chains : {1, 4, 150}) {
    const ChainOptions options{.chains = chains, .warmup = 60, .draws = 40};
    const ChainResult one = run_chains(standard_normal_target(3), options, line_slice(), 5, 1);
    for (const int threads : {2, 3, 8}) check_same_draws(one.draws, run_chains(standard_normal_target(3), options, line_slice(), 5, threads).draws);
  }
}

TEST_CASE("chains saved and loaded after every round go on as if undisturbed") {
  ChainOptions options{.chains = 3, .warmup = 200, .draws = 150, .save_warmup = true, .target_ess = 1e6};
  const auto make = [&] { return std::make_unique<Chains>("test_chains", standard_normal_target(2), options, line_slice(), Stream(7)); };
  Context context(1);
  const auto undisturbed = make();
  auto disturbed = make();
  while (!undisturbed->finished()) {
    undisturbed->step(context);
    disturbed->step(context);
    const std::string saved = state_of(*undisturbed);
    CHECK(state_of(*disturbed) == saved);
    disturbed = make();
    restore(*disturbed, saved);
    CHECK(state_of(*disturbed) == saved);
  }
  CHECK(disturbed->finished());
  check_same_draws(undisturbed->result().draws, disturbed->result().draws);
}

TEST_CASE("thinned draws are every k-th of all, and fewer draws the first of more") {
  ChainOptions options{.chains = 2, .warmup = 100, .draws = 300};
  const ChainResult all = run_chains(standard_normal_target(2), options, line_slice(), 9);
  options.draws = 100;
  const ChainResult fewer = run_chains(standard_normal_target(2), options, line_slice(), 9);
  options.thin = 3;
  const ChainResult thinned = run_chains(standard_normal_target(2), options, line_slice(), 9);
  for (std::size_t c = 0; c < 2; ++c) {
    const Eigen::MatrixXd& x = all.draws.chains[c].values;
    CHECK(fewer.draws.chains[c].values == x.topRows(100));
    for (Index i = 0; i < 100; ++i) CHECK(thinned.draws.chains[c].values.row(i) == x.row(3 * i + 2));
  }
  CHECK(first_column(all).rows() == 300);
}
