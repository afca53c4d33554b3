// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/core/error.hpp>
#include <buffon/random/stream.hpp>
#include <buffon/random/variates.hpp>
#include <buffon/stats/chain_diagnostics.hpp>
#include <buffon/stats/normal.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <vector>

using namespace buffon;

namespace {

Eigen::MatrixXd chains_of(std::initializer_list<std::vector<double>> chains) {
  Eigen::MatrixXd out(static_cast<Index>(chains.begin()->size()), static_cast<Index>(chains.size()));
  Index m = 0;
  for (const auto& chain : chains) out.col(m++) = Eigen::Map<const Eigen::VectorXd>(chain.data(), out.rows());
  return out;
}

Eigen::MatrixXd example_a() { return chains_of({{3, 4, 4, 5, 7, 6, 5, 3, 2, 1, 2, 4, 6, 7, 8, 6}, {5, 6, 6, 4, 3, 3, 2, 4, 5, 7, 9, 8, 6, 5, 5, 4}}); }
Eigen::MatrixXd example_b() { return chains_of({{0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5}, {5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 6}}); }

/// AR(1) chains, φ = 0.7, of a linear congruential generator that any language can repeat.
Eigen::MatrixXd example_c() {
  Eigen::MatrixXd out(50, 4);
  for (Index s = 1; s <= 4; ++s) {
    auto k = static_cast<std::uint64_t>(s);
    double y = 0;
    for (Index i = 0; i < 50; ++i) {
      k = (1103515245 * k + 12345) % 2147483648U;
      y = 0.7 * y + std::sqrt(1 - 0.49) * normal_quantile((static_cast<double>(k) + 0.5) / 2147483648.0);
      out(i, s - 1) = y;
    }
  }
  return out;
}

struct Reference {
  double rhat, bulk, tail, mean, sd, mcse_mean, mcse_sd, mcse_median, mcse_q05;
};

/// The references are printed to ten digits.
void check_all(const Eigen::MatrixXd& draws, const Reference& r) {
  const auto close = [](double value, double reference) { CHECK(std::abs(value - reference) <= 1e-8 * std::max(1.0, std::abs(reference))); };
  close(split_rhat(draws), r.rhat);
  close(ess_bulk(draws), r.bulk);
  close(ess_tail(draws), r.tail);
  close(ess_mean(draws), r.mean);
  close(ess_sd(draws), r.sd);
  close(mcse_mean(draws), r.mcse_mean);
  close(mcse_sd(draws), r.mcse_sd);
  close(mcse_quantile(draws, 0.5), r.mcse_median);
  close(mcse_quantile(draws, 0.05), r.mcse_q05);
}

/// y_i = φ y_{i−1} + √(1 − φ²) z_i from the stationary law, one column = one chain.
Eigen::MatrixXd ar1(Index draws, Index chains, double phi, std::uint64_t seed) {
  Eigen::MatrixXd out(draws, chains);
  Stream(seed).normals(0, out);
  for (Index m = 0; m < chains; ++m) {
    for (Index i = 1; i < draws; ++i) out(i, m) = phi * out(i - 1, m) + std::sqrt(1 - phi * phi) * out(i, m);
  }
  return out;
}

}  // namespace

TEST_CASE("two chains of small integers have the reference diagnostics") {
  check_all(example_a(), {1.045750458, 14.30590379, 13.30693069, 14.24870365, 20.48178024, 0.5129435534, 0.2539652679, 0.5, 1.0});
}

TEST_CASE("ties and a chain that nearly stands still have the reference diagnostics") {
  check_all(example_b(), {2.361957411, 6.961277028, 11.73913043, 6.388354187, 7.594767416, 0.7190006818, 0.3989911481, 0.5, 1.0});
}

TEST_CASE("four autocorrelated chains have the reference diagnostics") {
  const Eigen::MatrixXd c = example_c();
  CHECK(std::abs(c(0, 1) + 1.36771621) < 5e-9);
  CHECK(std::abs(c(49, 3) - 1.16278851) < 5e-9);
  check_all(c, {1.097450622, 38.15939816, 66.86756903, 38.16051696, 73.88557804, 0.184836785, 0.09519909586, 0.2732582129, 0.2968874204});
}

TEST_CASE("what cannot be said is NaN") {
  const auto all_nan = [](const Eigen::MatrixXd& x) {
    for (const double value :
         {split_rhat(x), ess_bulk(x), ess_tail(x), ess_mean(x), ess_sd(x), ess_quantile(x, 0.5), mcse_mean(x), mcse_sd(x), mcse_quantile(x, 0.5)}) {
      CHECK(std::isnan(value));
    }
  };
  Eigen::MatrixXd x = example_c();
  x(7, 2) = std::numeric_limits<double>::quiet_NaN();
  all_nan(x);
  x(7, 2) = std::numeric_limits<double>::infinity();
  all_nan(x);
  all_nan(Eigen::MatrixXd::Constant(50, 4, 2.5));
  all_nan(Eigen::MatrixXd(0, 4));
  all_nan(chains_of({{1, 2, 3}, {4, 1, 2}}));
  CHECK_THROWS_AS(ess_quantile(example_a(), 0.0), Error);
  CHECK_THROWS_AS(mcse_quantile(example_a(), 1.5), Error);
}

TEST_CASE("fewer than 12 draws per chain give R-hat but no effective size") {
  const Eigen::MatrixXd x = chains_of({{1, 3, 2, 5, 4, 6, 8, 7, 9, 10}, {2, 1, 4, 3, 6, 5, 7, 9, 8, 11}});
  CHECK(std::abs(split_rhat(x) - 1.626643618) < 1e-8);
  CHECK(std::isnan(ess_bulk(x)));
  CHECK(std::isnan(mcse_mean(x)));
  CHECK(std::isfinite(ess_bulk(example_b())));  // 12
}

TEST_CASE("one chain is compared with itself") {
  const Eigen::MatrixXd x = ar1(1000, 1, 0.3, 5);
  CHECK(std::abs(split_rhat(x) - 1) < 0.02);
  CHECK(ess_bulk(x) > 300);
  Eigen::MatrixXd moved = x;
  moved.bottomRows(500).array() += 3;
  CHECK(split_rhat(moved) > 1.5);
}

TEST_CASE("chains that stand still at different places have infinite R-hat") {
  const Eigen::MatrixXd x = chains_of({std::vector<double>(20, 1.0), std::vector<double>(20, 2.0)});
  CHECK(split_rhat(x) == std::numeric_limits<double>::infinity());
  CHECK(ess_mean(x) < 4);  // of 40 draws
}

TEST_CASE("the middle draw of an odd chain is dropped from the ranks but not from the median") {
  Eigen::MatrixXd odd(51, 4);
  odd << example_c().topRows(25), Eigen::RowVector4d(0.1, 0.2, 0.15, 0.3), example_c().bottomRows(25);
  CHECK(ess_bulk(odd) == doctest::Approx(ess_bulk(example_c())).scale(0).epsilon(1e-12));
  CHECK(ess_mean(odd) == doctest::Approx(ess_mean(example_c())).scale(0).epsilon(1e-12));
  Eigen::MatrixXd far = odd;
  far.row(25).array() += 100;  // changes the mean of all draws and so their spread
  CHECK(mcse_mean(far) > 2 * mcse_mean(odd));
}

TEST_CASE("the tail of an event is judged by the side that it has") {
  Eigen::MatrixXd x = (ar1(1000, 4, 0.5, 8).array() > 0.5).cast<double>();
  CHECK(std::isnan(ess_quantile(x, 0.95)));  // all draws are at most 1
  CHECK(ess_tail(x) == ess_quantile(x, 0.05));
  CHECK(ess_tail(x) > 500);
}

// The sum over lags and the transform give the same autocovariances: φ = 0.99 needs hundreds of lags, φ = 0.5 a dozen.
// The ESS of N draws is N (1 − φ)/(1 + φ). Its relative error is about √(2 T / N)·√2 for T lags summed, T ≈ 3/(1 − φ): 2 % and 5.5 % for the two
// below; the tolerance is 5 of them.
TEST_CASE("the effective size of autoregressive chains is the exact one") {
  for (const auto& [phi, tolerance] : {std::pair{0.5, 0.1}, {0.99, 0.28}}) {
    const Eigen::MatrixXd x = ar1(200000, 4, phi, 21);
    const double exact = 800000 * (1 - phi) / (1 + phi);
    CHECK(std::abs(ess_mean(x) / exact - 1) < tolerance);
    CHECK(std::abs(ess_bulk(x) / exact - 1) < tolerance);
    CHECK(std::abs(mcse_mean(x) * std::sqrt(exact) - 1) < tolerance);
    CHECK(std::abs(integrated_autocorrelation_time(x.col(0)) / ((1 + phi) / (1 - phi)) - 1) < 2 * tolerance);
    const double wrong = 800000 * (1 - phi);  // the first-order sum without its two sides
    CHECK(std::abs(ess_mean(x) / wrong - 1) > tolerance);
    // (x − m)² of a Gaussian chain has autocorrelations φ^{2t}.
    const double exact_sd = 800000 * (1 - phi * phi) / (1 + phi * phi);
    CHECK(std::abs(ess_sd(x) / exact_sd - 1) < tolerance);
  }
}

namespace {

/// The effective size of the mean word for word, with every autocovariance by its sum.
double ess_by_definition(const Eigen::MatrixXd& x) {
  const Index n = x.rows() / 2, m = 2 * x.cols();
  Eigen::MatrixXd y(n, m);
  for (Index c = 0; c < x.cols(); ++c) {
    y.col(2 * c) = x.col(c).head(n);
    y.col(2 * c + 1) = x.col(c).tail(n);
  }
  const Eigen::RowVectorXd means = y.colwise().mean();
  const Eigen::MatrixXd d = y.rowwise() - means;
  Eigen::VectorXd a(n);
  for (Index t = 0; t < n; ++t) a(t) = d.topRows(n - t).cwiseProduct(d.bottomRows(n - t)).sum() / static_cast<double>(n * m);
  const double within = a(0) * static_cast<double>(n) / static_cast<double>(n - 1);
  const double variance = a(0) + (means.array() - means.mean()).square().sum() / static_cast<double>(m - 1);
  Eigen::VectorXd rho = 1 - (within - a.array()) / variance;
  rho(0) = 1;
  Index t = 0;
  while (t < n - 5 && rho(t) + rho(t + 1) > 0) t += 2;
  const double tail = std::max(0.0, rho(t));
  for (Index k = 2; k + 2 <= t; k += 2) {
    const double before = rho(k - 2) + rho(k - 1);
    if (rho(k) + rho(k + 1) > before) rho(k) = rho(k + 1) = before / 2;
  }
  return static_cast<double>(n * m) / (-1 + 2 * rho.head(t).sum() + tail);
}

}  // namespace

TEST_CASE("slow chains, whose many lags come from a transform, have the effective size of the definition") {
  for (const Index chains : {1, 3}) {
    const Eigen::MatrixXd x = ar1(3001, chains, 0.995, 17);
    const double exact = ess_by_definition(x);
    CHECK(exact < 40);  // hundreds of lags
    CHECK(std::abs(ess_mean(x) / exact - 1) < 1e-9);
  }
}

TEST_CASE("antithetic chains have more effective draws than draws, up to the cap") {
  const Eigen::MatrixXd x = ar1(10000, 4, -0.6, 3);
  CHECK(std::abs(ess_mean(x) / (40000 * 1.6 / 0.4) - 1) < 0.2);
  const Eigen::MatrixXd extreme = ar1(10000, 4, -0.99, 3);
  CHECK(ess_mean(extreme) <= 40000 * std::log10(40000.0) * (1 + 1e-12));
}

// Under convergence R-hat − 1 is about 1/(2 · ESS) times a χ²; three wrongs that each must be flagged.
TEST_CASE("R-hat passes chains of one law and flags other means, other spreads and drifts") {
  const Eigen::MatrixXd good = ar1(2000, 4, 0.5, 11);
  CHECK(split_rhat(good) < 1.01);
  Eigen::MatrixXd shifted = good, spread = good, drift = good;
  shifted.col(1).array() += 0.5;
  CHECK(split_rhat(shifted) > 1.01);
  spread.col(2) *= 1.5;
  CHECK(split_rhat(spread) > 1.01);
  for (Index i = 0; i < drift.rows(); ++i) drift.row(i).array() += 0.6 * static_cast<double>(i) / static_cast<double>(drift.rows());
  CHECK(split_rhat(drift) > 1.01);
  // Ranks make the tail of a law without moments harmless.
  Eigen::MatrixXd cauchy = good.array().unaryExpr([](double z) { return std::tan(3.14159265358979 * (normal_cdf(z) - 0.5)); });
  CHECK(split_rhat(cauchy) == doctest::Approx(split_rhat(good)).scale(0).epsilon(1e-3));
}

TEST_CASE("autocorrelations by sums and by transforms are those of the definition") {
  const Eigen::MatrixXd x = ar1(777, 1, 0.8, 4);
  const Eigen::VectorXd y = x.col(0).array() - x.mean();
  for (const Index most : {Index{10}, Index{776}}) {
    const Eigen::VectorXd r = autocorrelation(x.col(0), most);
    REQUIRE(r.size() == most + 1);
    for (Index t = 0; t <= most; ++t) CHECK(std::abs(r(t) - y.head(777 - t).dot(y.tail(777 - t)) / y.squaredNorm()) < 1e-13);
  }
  CHECK_THROWS_AS(autocorrelation(x.col(0), 777), Error);
  CHECK(autocorrelation(Eigen::VectorXd::Ones(9), 3).array().isNaN().all());
}

TEST_CASE("the integrated autocorrelation time is cut at the first negative pair from lag 2 on") {
  // Autocorrelations of 1, 2, …, 6 (centred, over Σ = 17.5): 0.5, 0.057, −0.271, …: the pair of lags 2 and 3 is negative.
  const Eigen::VectorXd x = Eigen::VectorXd::LinSpaced(6, 1, 6);
  CHECK(integrated_autocorrelation_time(x) == doctest::Approx(2.0));
  Eigen::VectorXd alternating(100);
  for (Index i = 0; i < 100; ++i) alternating(i) = i % 2 == 0 ? 1 : -1;
  CHECK(integrated_autocorrelation_time(alternating) == doctest::Approx(1.0).scale(0).epsilon(0.05));
  // A cap shorter than the correlation cuts the sum: φ = 0.99, lags to 10 give at most 21.
  const Eigen::MatrixXd slow = ar1(100000, 1, 0.99, 2);
  CHECK(integrated_autocorrelation_time(slow.col(0), 10) < 21);
  CHECK(integrated_autocorrelation_time(slow.col(0)) > 120);
}

namespace {

ChainDraws two_quantities(const Eigen::MatrixXd& a, const Eigen::MatrixXd& b) {
  ChainDraws draws;
  draws.variables = {{"a", 0}, {"theta", 1}};
  draws.names = {"a", "theta.1"};
  draws.sampler_names = {"lp__", "accept_stat__", "n_eval__", "stuck__", "undefined__"};
  for (Index m = 0; m < a.cols(); ++m) {
    ChainTable chain{Eigen::MatrixXd(a.rows(), 2), Eigen::MatrixXd::Zero(a.rows(), 5)};
    chain.values << a.col(m), b.col(m);
    chain.sampler.col(0) = -0.5 * a.col(m).array().square();
    draws.chains.push_back(chain);
  }
  return draws;
}

bool mentions(const ChainVerdict& verdict, const std::string& text) {
  for (const std::string& problem : verdict.problems) {
    if (problem.find(text) != std::string::npos) return true;
  }
  return false;
}

}  // namespace

TEST_CASE("the summary has lp__ and every column, with the diagnostics of each") {
  const Eigen::MatrixXd a = example_a();
  const ChainDraws draws = two_quantities(a, 2 * a);
  CHECK(column_of(draws, 1) == 2 * a);
  const std::vector<ChainSummary> summary = summarise(draws);
  REQUIRE(summary.size() == 3);
  CHECK(summary[0].name == "lp__");
  CHECK(summary[2].name == "theta.1");
  CHECK(summary[1].mean == doctest::Approx(4.84375));
  CHECK(summary[1].sd == doctest::Approx(1.936231374));
  CHECK(summary[1].q5 == 2);
  CHECK(summary[1].median == 5);
  CHECK(summary[1].q95 == 8);
  CHECK(summary[1].mad == doctest::Approx(1.4826 * 1));  // deviations: 7 of 0, 12 of 1, the rest larger
  CHECK(summary[1].mcse == mcse_mean(a));
  CHECK(summary[1].ess_bulk == ess_bulk(a));
  CHECK(summary[1].ess_tail == ess_tail(a));
  CHECK(summary[1].rhat == split_rhat(a));
  CHECK(summary[2].mean == doctest::Approx(2 * 4.84375));
  CHECK(summary[2].rhat == doctest::Approx(summary[1].rhat));
}

TEST_CASE("good chains get a good verdict and each defect its own sentence") {
  const Eigen::MatrixXd a = ar1(1000, 4, 0.3, 31), b = ar1(1000, 4, 0.3, 32);
  const auto verdict = [](const ChainDraws& d) { return diagnose(d, summarise(d)); };
  const ChainVerdict good = verdict(two_quantities(a, b));
  CHECK(good.problems.empty());
  CHECK(good.verdict.find("No problems found") == 0);

  Eigen::MatrixXd shifted = b;
  shifted.col(0).array() += 0.4;  // R-hat about 1.03
  const ChainVerdict mixed = verdict(two_quantities(a, shifted));
  CHECK(mentions(mixed, "R-hat is above 1.01 for theta.1"));
  CHECK_FALSE(mentions(mixed, " a ("));
  CHECK(mixed.verdict.find("found: do not trust") != std::string::npos);

  CHECK(mentions(verdict(two_quantities(a, ar1(1000, 4, 0.97, 33))), "bulk effective size is below 400 for theta.1"));
  CHECK(mentions(verdict(two_quantities(a.leftCols(1), b.leftCols(1))), "one chain"));
  CHECK(mentions(verdict(two_quantities(a.topRows(9), b.topRows(9))), "fewer than 12"));
  CHECK(mentions(verdict(two_quantities(a, Eigen::MatrixXd::Ones(1000, 4))), "All draws are equal, so no error can be given for theta.1"));

  Eigen::MatrixXd hole = b;
  hole(3, 3) = std::numeric_limits<double>::quiet_NaN();
  CHECK(mentions(verdict(two_quantities(a, hole)), "not finite"));

  Eigen::MatrixXd a_twice = a, b_twice = b;
  a_twice.col(3) = a.col(1);
  CHECK_FALSE(mentions(verdict(two_quantities(a_twice, b)), "same random numbers"));
  b_twice.col(3) = b.col(1);
  CHECK(mentions(verdict(two_quantities(a_twice, b_twice)), "same random numbers"));

  ChainDraws stuck = two_quantities(a, b);
  stuck.chains[1].sampler(5, 3) = 2;
  stuck.chains[2].sampler(9, 4) = 7;
  CHECK(mentions(verdict(stuck), "2 updates (column stuck__)"));
  CHECK(mentions(verdict(stuck), "NaN, or could not be evaluated, at 7 points"));
  CHECK(verdict(stuck).problems.size() == 2);
  CHECK(diagnose({}, {}).problems.size() == 1);
}

TEST_CASE("many short chains need no effective size of 100 each") {
  const Eigen::MatrixXd a = ar1(100, 1000, 0.3, 41), b = ar1(100, 1000, 0.3, 42);
  const ChainDraws draws = two_quantities(a, b);
  const ChainVerdict verdict = diagnose(draws, summarise(draws));
  CHECK(verdict.problems.empty());
}

TEST_CASE("an event and its complement have the same tail") {
  Eigen::MatrixXd rare(400, 4);
  for (Index m = 0; m < 4; ++m) {
    for (Index i = 0; i < 400; ++i) rare(i, m) = (i * 7919 + m * 104729) % 97 < 3 ? 1 : 0;  // about 3 %
  }
  const Eigen::MatrixXd common = 1 - rare.array();
  CHECK(std::isfinite(ess_tail(rare)));
  CHECK(ess_tail(common) == ess_tail(rare));
}
