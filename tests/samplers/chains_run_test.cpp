// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/core/error.hpp>
#include <buffon/samplers/chains.hpp>
#include <buffon/samplers/polar_slice.hpp>

#include <doctest/doctest.h>
#include <statistical.hpp>
#include <thread_exchange.hpp>

#include <cmath>
#include <limits>
#include <string>
#include <thread>
#include <vector>

#include "chain_cases.hpp"

using namespace buffon;
using namespace buffon::testing;

namespace {

/// The lines of a summary without lp__.
std::vector<ChainSummary> quantities(const ChainResult& r) {
  std::vector<ChainSummary> lines;
  for (const ChainSummary& line : r.summary) {
    if (line.name != "lp__") lines.push_back(line);
  }
  return lines;
}

KernelMaker polar_slice_kernel() {
  return [](std::shared_ptr<const LogDensity> density) { return std::make_unique<PolarSlice>(std::move(density)); };
}

const Diagnostic& diagnostic(const Outcome& o, const std::string& name) {
  for (const Diagnostic& d : o.diagnostics) {
    if (d.name == name) return d;
  }
  throw std::out_of_range(name);
}

const Table& table(const Outcome& o, const std::string& name) {
  for (const Table& t : o.tables) {
    if (t.name == name) return t;
  }
  throw std::out_of_range(name);
}

bool any_contains(const std::vector<std::string>& list, const std::string& part) {
  return std::any_of(list.begin(), list.end(), [&](const std::string& text) { return text.find(part) != std::string::npos; });
}

/// N(mean, L Lᵀ) of 10 dimensions with standard deviations from 0.01 to 100, correlated, its centre 5 standard deviations from the origin.
struct Awkward {
  Eigen::VectorXd mean, std_dev;
  Eigen::MatrixXd lower;
  Awkward() : mean(10), std_dev(10), lower(Eigen::MatrixXd::Zero(10, 10)) {
    for (Index i = 0; i < 10; ++i) {
      std_dev(i) = std::pow(10.0, -2 + 4.0 * static_cast<double>(i) / 9);
      mean(i) = 5 * std_dev(i);
      // Correlation 0.9 of neighbours: z_i = 0.9 z_{i−1} + √0.19 e_i.
      for (Index j = 0; j <= i; ++j) lower(i, j) = std_dev(i) * std::pow(0.9, static_cast<double>(i - j)) * (j == 0 ? 1 : std::sqrt(0.19));
    }
  }
};

}  // namespace

TEST_CASE("means and standard deviations are right on a shifted, correlated Gaussian of scales 0.01 to 100, and only with tuning") {
  const Awkward law;
  const auto target = normal_target(law.mean, law.lower);
  const auto least_p = [&](const ChainResult& r) {
    double p = 1;
    const auto lines = quantities(r);
    for (std::size_t j = 0; j < lines.size(); ++j) {
      const auto i = static_cast<Index>(j);
      const double mcse_of_sd = mcse_sd(column_of(r.draws, i));
      p = std::min({p, z_test_p(lines[j].mean, law.mean(i), lines[j].mcse), z_test_p(lines[j].sd, law.std_dev(i), mcse_of_sd)});
    }
    return p;
  };
  const ChainResult r = run_chains(target, {}, polar_slice_kernel(), 11);
  CHECK(r.tuned == Tuning::covariance);
  CHECK(least_p(r) > level);
  for (const ChainSummary& line : r.summary) CHECK(line.rhat < 1.01);
  CHECK(r.verdict.problems.empty());
  // Without a frame the chains do not even find the mass.
  const ChainResult untuned = run_chains(target, {.tuning = Tuning::none}, polar_slice_kernel(), 11);
  CHECK(untuned.tuned == Tuning::none);
  CHECK_FALSE(untuned.verdict.problems.empty());
  CHECK(std::none_of(untuned.summary.begin(), untuned.summary.end(), [](const ChainSummary& line) { return line.rhat < 1.01; }));
}

TEST_CASE("the draws of a frozen frame follow the law, from many chains") {
  // One draw of each of 2000 chains, long after the last tuning: independent given the frame.
  const Eigen::Vector2d mean(3, -1);
  Eigen::Matrix2d lower;
  lower << 2, 0, 0.5, 0.1;
  const ChainResult r = run_chains(normal_target(mean, lower), {.chains = 2000, .warmup = 150, .draws = 1, .thin = 30}, line_slice(), 12);
  std::vector<double> first, second, wrong;
  for (const ChainTable& chain : r.draws.chains) {
    first.push_back(chain.values(0, 0));
    second.push_back(chain.values(0, 1));
    wrong.push_back(chain.values(0, 0) * 1.15);
  }
  const auto cdf = [](double x) { return normal_cdf((x - 3) / 2); };
  CHECK(ks_p(first, cdf) > level);
  CHECK(ks_p(second, [](double x) { return normal_cdf((x + 1) / std::sqrt(0.26)); }) > level);
  CHECK(ks_p(wrong, cdf) < level);
}

TEST_CASE("the intervals of means cover at their level; those that take draws for independent do not") {
  int covered = 0, naive = 0;
  constexpr int runs = 500;
  for (int run = 0; run < runs; ++run) {
    // Correlation time (1 + φ) / (1 − φ) = 4.
    const ChainOptions options{.chains = 4, .warmup = 30, .draws = 250, .tuning = Tuning::none, .level = 0.9};
    Chains chains("test_chains", standard_normal_target(1), options, autoregressive(0.6), Stream(static_cast<std::uint64_t>(run)));
    Context context(1);
    run_to_end(chains, context);
    const Estimate e = chains.outcome().estimates.front().estimate;
    CHECK(e.level == 0.9);
    covered += e.lower <= 0 && 0 <= e.upper;
    naive += std::abs(e.value) < 1.6449 / std::sqrt(1000.0);
  }
  // Binomial(500, 0.9): standard deviation 6.7; 4.9 of them at level 1e-6, and 0.01 · 500 for the error of the effective size itself.
  const auto plausible = [](int count) { return std::abs(count - 0.9 * runs) < 4.9 * std::sqrt(runs * 0.09) + 5; };
  CHECK(plausible(covered));
  CHECK_FALSE(plausible(naive));
}

TEST_CASE("a target for the effective size ends the run when it is reached, or says that it was not") {
  ChainOptions options{.chains = 4, .warmup = 64, .draws = 20000, .target_ess = 1000, .max_rhat = 1.02};
  const ChainResult r = run_chains(standard_normal_target(2), options, autoregressive(0.6), 13);
  for (const ChainSummary& line : quantities(r)) {
    CHECK(line.ess_bulk >= 1000);
    CHECK(line.ess_tail >= 1000);
    CHECK(line.rhat <= 1.02);
  }
  // 4 · 250 · 4 draws are needed; checks are a quarter apart, and the tail mixes at most as fast.
  CHECK(r.draws.chains[0].values.rows() >= 800);
  CHECK(r.draws.chains[0].values.rows() < 2000);
  CHECK(r.stop_reason.find("reached an effective size of 1000") != std::string::npos);
  options.draws = 200;
  const ChainResult missed = run_chains(standard_normal_target(2), options, autoregressive(0.6), 13);
  CHECK(missed.draws.chains[0].values.rows() == 200);
  CHECK(missed.stop_reason == "all draws were made before the target was reached");
}

TEST_CASE("ranks that divide the chains have all the draws of one process, each") {
  const ChainOptions options{.chains = 5, .warmup = 90, .draws = 60, .save_warmup = true, .target_ess = 1e5};
  const auto make = [&] { return std::make_unique<Chains>("test_chains", standard_normal_target(3), options, line_slice(), Stream(14)); };
  Context single(1);
  const auto alone = make();
  run_to_end(*alone, single);
  const std::string expected = state_of(*alone);
  for (const int size : {2, 3, 7}) {
    ExchangeTable shared(size);
    std::vector<std::string> found(static_cast<std::size_t>(size));
    std::vector<std::int64_t> evaluations(found.size());
    std::vector<std::jthread> threads;
    for (int rank = 0; rank < size; ++rank) {
      threads.emplace_back([&, rank] {
        ThreadExchange exchange(shared, rank, size);
        Context context(1 + rank % 2);
        context.set_exchange(&exchange);
        const auto method = make();
        run_to_end(*method, context);
        found[static_cast<std::size_t>(rank)] = state_of(*method);
        evaluations[static_cast<std::size_t>(rank)] = context.evaluations();
      });
    }
    threads.clear();
    std::int64_t total = 0;
    for (int rank = 0; rank < size; ++rank) {
      CHECK(found[static_cast<std::size_t>(rank)] == expected);
      total += evaluations[static_cast<std::size_t>(rank)];
    }
    CHECK(total == alone->outcome().evaluations);
  }
}

TEST_CASE("asked to stop, chains give what they have: one round of draws in the warm-up, at once while sampling") {
  const ChainOptions options{.chains = 4, .warmup = 600, .draws = 500, .thin = 2};
  Context context(1);
  for (const int steps : {0, 1, 4}) {
    Chains chains("test_chains", standard_normal_target(2), options, line_slice(), Stream(15));
    for (int i = 0; i < steps; ++i) chains.step(context);
    chains.stop("the time was up");
    CHECK_FALSE(chains.finished());
    run_to_end(chains, context);
    const Outcome o = chains.outcome();
    CHECK(o.stop_reason == "the time was up");
    CHECK(o.chain_draws->chains[0].values.rows() >= 12);
    CHECK(o.chain_draws->chains[0].values.rows() <= 32);
    CHECK(any_contains(o.warnings, "warm-up was cut short after " + std::to_string(o.chain_draws->warmup_length) + " of 600"));
    CHECK(std::isfinite(o.estimates[0].estimate.std_error));
  }
  Chains chains("test_chains", standard_normal_target(2), options, line_slice(), Stream(15));
  while (chains.progress().phase != "sampling") chains.step(context);
  for (int i = 0; i < 3; ++i) chains.step(context);
  chains.stop("the time was up");
  CHECK(chains.finished());
  CHECK(chains.outcome().stop_reason == "the time was up");
  const ChainResult all = run_chains(standard_normal_target(2), options, line_slice(), 15), some = chains.result();
  for (std::size_t c = 0; c < 4; ++c) CHECK(some.draws.chains[c].values == all.draws.chains[c].values.topRows(some.draws.chains[c].values.rows()));
}

TEST_CASE("estimates are named before the first step, and there is no number without a draw") {
  Chains chains("test_chains", standard_normal_target(2), {.thin = 1000}, line_slice(), Stream(16));
  const auto check_empty = [&] {
    const Outcome o = chains.outcome();
    REQUIRE(o.estimates.size() == 2);
    CHECK(o.estimates[1].name == "x.2");
    CHECK(std::isnan(o.estimates[1].estimate.value));
    CHECK(any_contains(o.warnings, "There are no draws"));
  };
  check_empty();
  Context context(1);
  chains.step(context);
  chains.step(context);
  check_empty();
  chains.stop("the time was up");
  run_to_end(chains, context);
  CHECK(chains.result().draws.chains[0].values.rows() == 1);  // one draw of 1000 transitions
}

TEST_CASE("the outcome has the summary in the order of CmdStan, the work of every chain and what it took per effective draw") {
  Chains chains("test_chains", standard_normal_target(2), {.chains = 3, .warmup = 150, .draws = 400}, line_slice(), Stream(17));
  Context context(1);
  run_to_end(chains, context);
  const Outcome o = chains.outcome();
  const Table& summary = table(o, "summary");
  CHECK(summary.columns == std::vector<std::string>{"Mean", "MCSE", "StdDev", "MAD", "5%", "50%", "95%", "ESS_bulk", "ESS_tail", "R_hat"});
  CHECK(summary.row_labels == std::vector<std::string>{"lp__", "x.1", "x.2"});
  CHECK(summary.rows(1, 0) == o.estimates[0].estimate.value);
  CHECK(summary.rows(1, 1) == o.estimates[0].estimate.std_error);
  CHECK(o.estimates[0].estimate.effective_size == doctest::Approx(ess_mean(column_of(*o.chain_draws, 0))).scale(0).epsilon(1e-9));
  const Table& sampler = table(o, "sampler");
  CHECK(sampler.rows.rows() == 3);
  CHECK(sampler.rows.col(0).sum() == static_cast<double>(std::get<std::int64_t>(diagnostic(o, "sampling_evaluations").value)));
  CHECK(o.evaluations == context.evaluations());
  CHECK(std::get<double>(diagnostic(o, "evaluations_per_effective_draw").value) ==
        doctest::Approx(sampler.rows.col(0).sum() / summary.rows.col(7).tail(3).minCoeff()));
  CHECK(std::get<std::string>(diagnostic(o, "tuning").value) == "covariance");
  // The covariance of the means has their standard errors and the correlation of the draws.
  for (Index j = 0; j < 2; ++j) CHECK(std::sqrt(o.covariance(j, j)) == doctest::Approx(o.estimates[static_cast<std::size_t>(j)].estimate.std_error));
  CHECK(o.covariance(0, 1) == o.covariance(1, 0));
}

TEST_CASE("one chain alone is told to be little evidence, and a thousand chains have small tables") {
  const auto outcome_of = [](std::int64_t count) {
    Chains chains("test_chains", standard_normal_target(2), {.chains = count, .warmup = 75, .draws = 20}, line_slice(), Stream(18));
    Context context(2);
    run_to_end(chains, context);
    return chains.outcome();
  };
  CHECK(table(outcome_of(1), "sampler").rows.rows() == 1);
  const Outcome many = outcome_of(1000);
  CHECK(many.chain_draws->chains.size() == 1000);
  CHECK(table(many, "sampler").row_labels == std::vector<std::string>{"least", "median", "greatest"});
  for (const Table& t : many.tables) CHECK(t.rows.size() < 100);
}

TEST_CASE("kernels that are not to be tuned keep their frame") {
  const ChainResult r = run_chains(standard_normal_target(2), {.warmup = 300, .draws = 20}, line_slice(false), 19);
  CHECK(r.tuned == Tuning::none);
  CHECK_FALSE(r.frame.scaled());
  CHECK(r.frame.centre().norm() == 0);
}

TEST_CASE("NaN densities are counted and told, infinite ones stop the run and name the chain") {
  const auto with_hole = [](double inside) {
    return std::make_shared<const Target>(
        make_log_density(2, [=](const Eigen::VectorXd& x) { return x(0) > 0.5 && x(0) < 1 ? inside : -0.5 * x.squaredNorm(); }));
  };
  Chains chains("test_chains", with_hole(std::nan("")), {.warmup = 150, .draws = 100}, line_slice(), Stream(20));
  Context context(1);
  run_to_end(chains, context);
  const Outcome o = chains.outcome();
  CHECK(std::get<std::int64_t>(diagnostic(o, "undefined_densities").value) > 0);
  CHECK_FALSE(o.warnings.empty());
  try {
    run_chains(with_hole(std::numeric_limits<double>::infinity()), {}, line_slice(), 21);
    FAIL("sampled an infinite density");
  } catch (const Error& error) {
    CHECK(error.category() == ErrorCategory::numeric);
    CHECK(std::string(error.what()).find("chain ") != std::string::npos);
    CHECK(std::string(error.what()).find("of test_chains") != std::string::npos);
  }
}

TEST_CASE("options out of range and starts that do not fit the chains are refused when the method is made") {
  const auto refused = [](const ChainOptions& options, const std::string& key) {
    try {
      Chains("test_chains", standard_normal_target(1), options, line_slice(), Stream(1));
      FAIL("accepted " << key);
    } catch (const Error& error) {
      CHECK(error.category() == ErrorCategory::configuration);
      CHECK(error.text().key == key);
    }
  };
  refused({.chains = 0}, "options.chains");
  refused({.warmup = -1}, "options.warmup");
  refused({.draws = 0}, "options.draws");
  refused({.thin = 0}, "options.thin");
  refused({.target_ess = 0.0}, "options.target_ess");
  refused({.max_rhat = 1}, "options.max_rhat");
  refused({.level = 1}, "options.level");
  const StartPolicy three{.kind = StartPolicy::Kind::given, .points = std::vector<Eigen::VectorXd>(3, Eigen::VectorXd::Zero(1))};
  CHECK_THROWS_AS(Chains("test_chains", normal_target(Eigen::VectorXd::Zero(1), Eigen::MatrixXd::Ones(1, 1), three), {}, line_slice(), Stream(1)), Error);
}

TEST_CASE("the memory that chains ask for grows with their draws") {
  const auto need = [](const ChainOptions& options) {
    return Chains("test_chains", standard_normal_target(1), options, line_slice(), Stream(1)).memory_need();
  };
  const MemoryNeed some = need({.draws = 1000000}), more = need({.chains = 8, .draws = 1000000});
  CHECK(some.option == "draws");
  CHECK(some.amount == 1000000);
  // Four copies of 5 numbers for each of 4e6 draws.
  CHECK(some.bytes == doctest::Approx(8.0 * 4 * 5 * 4e6).scale(0).epsilon(0.01));
  CHECK(more.bytes == doctest::Approx(2 * some.bytes));
}
