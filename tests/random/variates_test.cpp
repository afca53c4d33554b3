// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/random/variates.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <numeric>
#include <vector>

#include <doctest/doctest.h>
#include <boost/math/special_functions/gamma.hpp>
#include <buffon/core/error.hpp>
#include <buffon/random/alias.hpp>

#include "statistical.hpp"

using namespace buffon;
using namespace buffon::testing;

namespace {

std::vector<double> uniforms(const Stream& s, std::size_t n) {
  std::vector<double> u(n);
  s.fill_uniforms(0, u);
  return u;
}

double gamma_cdf(double shape, double x) { return boost::math::gamma_p(shape, x); }

/// p value that draws follow the given probabilities.
double categories_p(const std::vector<Index>& drawn, const std::vector<double>& probabilities) {
  std::vector<double> counts(probabilities.size()), expected;
  for (const Index k : drawn) counts[static_cast<std::size_t>(k)] += 1;
  for (const double p : probabilities) expected.push_back(p * static_cast<double>(drawn.size()));
  return chi_square_p(counts, expected);
}

const std::vector<double> weights = {3, 0, 1, 0.5, 8, 0, 2.25, 1e-3, 4, 0};

std::vector<double> normalised(std::vector<double> w) {
  const double total = std::accumulate(w.begin(), w.end(), 0.0);
  for (double& x : w) x /= total;
  return w;
}

}  // namespace

TEST_CASE("bounded integers are uniform, and the modulo shortcut is rejected") {
  // bound = 3·2⁶²: the remainder of a word modulo it takes the lowest third of values twice as often
  const std::uint64_t bound = std::uint64_t{3} << 62;
  const Stream s(21);
  std::vector<std::uint64_t> x(60000);
  uniform_integers(s, 0, bound, x);
  std::vector<double> cells(30), wrong(30), expected(30, 2000.0);
  std::uint32_t w[4];
  for (std::size_t i = 0; i < x.size(); ++i) {
    REQUIRE(x[i] < bound);
    cells[static_cast<std::size_t>(x[i] / (bound / 30 + 1))] += 1;
    s.words(i, 0, w);
    const std::uint64_t modulo = (static_cast<std::uint64_t>(w[1]) << 32 | w[0]) % bound;
    wrong[static_cast<std::size_t>(modulo / (bound / 30 + 1))] += 1;
  }
  CHECK(chi_square_p(cells, expected) > level);
  CHECK(chi_square_p(wrong, expected) < level);
  // without rejecting, the multiplication favours values 0 modulo 3 of every group of four words
  std::array<double, 3> residue{}, shortcut{};
  for (std::size_t i = 0; i < x.size(); ++i) {
    residue[x[i] % 3] += 1;
    s.words(i, 0, w);
    __extension__ using Wide = unsigned __int128;
    const Wide product = static_cast<Wide>(static_cast<std::uint64_t>(w[1]) << 32 | w[0]) * bound;
    shortcut[static_cast<std::uint64_t>(product >> 64) % 3] += 1;
  }
  const std::array<double, 3> thirds = {20000, 20000, 20000};
  CHECK(chi_square_p(residue, thirds) > level);
  CHECK(chi_square_p(shortcut, thirds) < level);
}

TEST_CASE("bounded integers at the ends of the range") {
  const Stream s(22);
  for (std::uint64_t i = 0; i < 100; ++i) {
    CHECK(uniform_integer(s, i, 1) == 0);
    CHECK(uniform_integer(s, i, 2) < 2);
    CHECK(uniform_integer(s, i, ~std::uint64_t{0}) < ~std::uint64_t{0});
  }
  CHECK_THROWS_AS(uniform_integer(s, 0, 0), Error);
}

TEST_CASE("exponentials have their law; a rate wrong by 5 % does not pass") {
  std::vector<double> x(40000);
  exponentials(Stream(23), 0, x);
  const auto cdf = [](double t) { return -std::expm1(-t); };
  CHECK(ks_p(x, cdf) > level);
  for (double& t : x) t *= 1.05;
  CHECK(ks_p(x, cdf) < level);
}

TEST_CASE("gammas have their law for small and large shapes; leaving out the acceptance step does not pass") {
  for (const double shape : {0.05, 0.5, 1.0, 1.5, 7.0, 1e4}) {
    CAPTURE(shape);
    std::vector<double> x(40000);
    gammas(Stream(24), 0, shape, x);
    CHECK(ks_p(x, [&](double t) { return gamma_cdf(shape, t); }) > level);
  }
  // The cube of a shifted normal accepted always (Wilson–Hilferty) is off by up to 1 % of probability for shape 1.
  Eigen::MatrixXd z(1, 200000);
  Stream(25).normals(0, z);
  std::vector<double> x(200000), wrong;
  gammas(Stream(24), 0, 1.0, x);
  for (const double n : z.reshaped()) {
    const double root = 1 + n / std::sqrt(9 * (2.0 / 3));
    if (root > 0) wrong.push_back(2.0 / 3 * root * root * root);
  }
  CHECK(ks_p(x, [](double t) { return gamma_cdf(1, t); }) > level);
  CHECK(ks_p(wrong, [](double t) { return gamma_cdf(1, t); }) < level);
  CHECK_THROWS_AS(gamma(Stream(1), 0, 0.0), Error);
  CHECK_THROWS_AS(gamma(Stream(1), 0, std::nan("")), Error);
}

TEST_CASE("permutations are uniform over all orders; the naive swap with any place is not") {
  const Stream s(26);
  std::map<std::vector<Index>, double> orders, naive;
  const std::uint64_t n = 48000;
  for (std::uint64_t item = 0; item < n; ++item) {
    orders[permutation(s, item, 4)] += 1;
    std::vector<Index> wrong = {0, 1, 2, 3};
    std::uint32_t w[4];
    s.words(item, 0, w);
    for (std::size_t k = 0; k < 4; ++k) std::swap(wrong[k], wrong[w[k] % 4]);
    naive[wrong] += 1;
  }
  const auto p = [&](const std::map<std::vector<Index>, double>& counts) {
    std::vector<double> c;
    for (const auto& [order, count] : counts) c.push_back(count);
    c.resize(24);
    return chi_square_p(c, std::vector<double>(24, static_cast<double>(n) / 24));
  };
  CHECK(p(orders) > level);
  CHECK(p(naive) < level);
}

TEST_CASE("a sample without replacement is the front of the permutation") {
  const Stream s(27);
  for (const Index n : {1, 2, 10, 1000}) {
    const auto all = permutation(s, 5, n);
    auto sorted = all;
    std::sort(sorted.begin(), sorted.end());
    for (Index k = 0; k < n; ++k) CHECK(sorted[static_cast<std::size_t>(k)] == k);
    for (const Index k : {Index{0}, Index{1}, n / 2, n}) {
      const auto some = sample_without_replacement(s, 5, n, k);
      CHECK(std::vector<Index>(all.begin(), all.begin() + k) == some);
    }
  }
  CHECK(permutation(s, 0, 0).empty());
  CHECK_THROWS_AS(permutation(s, 0, -1), Error);
  CHECK_THROWS_AS(sample_without_replacement(s, 0, 3, 4), Error);
}

TEST_CASE("both tables draw in proportion to the weights; a weight off by 5 % does not pass") {
  const Stream s(28);
  const auto expected = normalised(weights);
  auto off = weights;
  off[4] *= 1.05;
  std::vector<Index> drawn(200000);
  AliasTable(weights).draw(s, 0, drawn);
  CHECK(categories_p(drawn, expected) > level);
  for (const Index k : drawn) REQUIRE(weights[static_cast<std::size_t>(k)] > 0);
  CumulativeTable(weights).draw(s, 0, drawn);
  CHECK(categories_p(drawn, expected) > level);
  for (const Index k : drawn) REQUIRE(weights[static_cast<std::size_t>(k)] > 0);
  AliasTable(off).draw(s, 0, drawn);
  CHECK(categories_p(drawn, expected) < level);
  CumulativeTable(off).draw(s, 0, drawn);
  CHECK(categories_p(drawn, expected) < level);
}

TEST_CASE("an alias table holds the probabilities of its weights") {
  for (const std::size_t n : {std::size_t{1}, std::size_t{2}, std::size_t{7}, std::size_t{1000}, std::size_t{100000}}) {
    auto w = uniforms(Stream(29), n);
    for (double& x : w) x = x < 0.2 && n > 2 ? 0 : std::pow(x, 6);
    const auto p = AliasTable(w).probabilities();
    const auto q = normalised(w);
    // The share w/Σw·n takes three roundings, the sum one, the reference about √n of its own, rounding down one grain 2⁻⁵³/n; the
    // heaviest category collects what all others lose.
    const auto heaviest = static_cast<std::size_t>(std::max_element(q.begin(), q.end()) - q.begin());
    const double root = std::sqrt(static_cast<double>(n));
    for (std::size_t k = 0; k < n; ++k) {
      const double allowed = (5 + 4 * root) * 0x1p-53 * q[k] + 0x1p-53 / static_cast<double>(n) + (k == heaviest ? (5 + 4 * root) * 0x1p-53 : 0);
      REQUIRE(std::abs(p[k] - q[k]) <= allowed);
      REQUIRE((w[k] > 0 || p[k] == 0));
    }
  }
}

TEST_CASE("inverse categorical draws are monotone in the uniform and stop at the last positive weight") {
  const CumulativeTable table(weights);
  Index before = 0;
  for (int i = 1; i < 4000; ++i) {
    const Index k = table.at(i / 4000.0);
    CHECK(k >= before);
    before = k;
  }
  CHECK(table.at(0x1p-54) == 0);
  CHECK(table.at(1 - 0x1p-53) == 8);
}

TEST_CASE("tables refuse weights that are no law") {
  for (const auto& bad : {std::vector<double>{}, {0, 0}, {1, -1}, {1, std::nan("")}, {1, INFINITY}, {1e308, 1e308}}) {
    CHECK_THROWS_AS(AliasTable{bad}, Error);
    CHECK_THROWS_AS(CumulativeTable{bad}, Error);
  }
}

TEST_CASE("bulk variates are the variates of the items, also in chunks") {
  const Stream s(30);
  const AliasTable alias(weights);
  const CumulativeTable inverse(weights);
  for (const std::uint64_t first : {std::uint64_t{0}, std::uint64_t{77}, ~std::uint64_t{0} - 300}) {
    std::vector<double> e(1300), g(1300);
    std::vector<std::uint64_t> u(1300);
    std::vector<Index> a(1300), c(1300);
    for (std::size_t at = 0; at < 1300; at += 650) {
      exponentials(s, first + at, std::span(e).subspan(at, 650));
      gammas(s, first + at, 0.7, std::span(g).subspan(at, 650));
      uniform_integers(s, first + at, 1000, std::span(u).subspan(at, 650));
    }
    alias.draw(s, first, a);
    inverse.draw(s, first, c);
    for (std::size_t i = 0; i < 1300; ++i) {
      CHECK(e[i] == exponential(s, first + i));
      CHECK(g[i] == gamma(s, first + i, 0.7));
      CHECK(u[i] == uniform_integer(s, first + i, 1000));
      CHECK(a[i] == alias.draw(s, first + i));
      CHECK(c[i] == inverse.draw(s, first + i));
    }
  }
}
