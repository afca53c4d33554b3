// SPDX-License-Identifier: BSD-3-Clause
#include <cmath>
#include <vector>

#include <doctest/doctest.h>
#include <buffon/random/stream.hpp>

#include "statistical.hpp"

using namespace buffon;
using namespace buffon::testing;

TEST_CASE("p values agree with tabulated quantiles") {
  CHECK(chi_square_tail(18.307038053275146, 10) == doctest::Approx(0.05));
  CHECK(z_p(1.959963984540054) == doctest::Approx(0.05));
  CHECK(poisson_p(0, 3) == doctest::Approx(2 * std::exp(-3.0)));
  // Kolmogorov's limit: Q(1.3581) = 0.05, Q(1.9495) = 0.001; a sample of two points at distance D of a uniform
  std::vector<double> grid;
  for (int i = 0; i < 10000; ++i) grid.push_back((i + 0.5) / 10000 * (1 - 0.0135));
  // largest distance is at the right end, 0.0135 + 0.5e-4·0.9865: λ = 1.3566
  CHECK(ks_p(grid, [](double x) { return x; }) == doctest::Approx(0.0504).scale(0).epsilon(0.01));
}

TEST_CASE("p values of a true hypothesis are uniform, so that a level means what it says") {
  // 2000 p values of each test on small samples; χ² of 20 equal cells at 1e-6
  const Stream s(11);
  std::vector<double> cells_ks(20), cells_two(20), cells_chi(20), even(20, 100.0);
  const auto cell = [](double p) { return std::min<std::size_t>(19, static_cast<std::size_t>(p * 20)); };
  for (std::uint64_t t = 0; t < 2000; ++t) {
    std::vector<double> u(500);
    s.peek("sample", t).fill_uniforms(0, u);
    cells_ks[cell(ks_p(u, [](double x) { return x; }))] += 1;
    // unequal sizes, so that the two-sample statistic is fine grained
    cells_two[cell(ks_two_sample_p({u.begin(), u.begin() + 211}, {u.begin() + 211, u.end()}))] += 1;
    std::vector<double> counts(50), expected(50, 10.0);
    for (const double x : u) counts[static_cast<std::size_t>(x * 50)] += 1;
    cells_chi[cell(chi_square_p(counts, expected))] += 1;
  }
  CHECK(chi_square_p(cells_ks, even) > level);
  CHECK(chi_square_p(cells_two, even) > level);
  CHECK(chi_square_p(cells_chi, even) > level);
}

TEST_CASE("merging keeps totals and joins the last rest to its neighbour") {
  const std::vector<double> observed = {3, 9, 0, 30, 1}, expected = {4, 8, 6, 24, 1};
  // merged: {12, 31} against {12, 31}
  CHECK(chi_square_p(observed, expected) == 1);
  CHECK(chi_square_two_sample_p(std::vector<double>{50, 50}, std::vector<double>{50, 50}) == 1);
  CHECK(chi_square_two_sample_p(std::vector<double>{80, 20}, std::vector<double>{20, 80}) < level);
}
