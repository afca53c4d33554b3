// SPDX-License-Identifier: BSD-3-Clause
#include <cmath>
#include <numbers>
#include <vector>

#include <doctest/doctest.h>
#include <buffon/random/stream.hpp>

#include "statistical.hpp"

using namespace buffon;
using namespace buffon::testing;

namespace {

constexpr std::size_t n = 200000;

std::vector<double> filled(void (Stream::*fill)(std::uint64_t, MutMatrix) const, const Stream& s, Index rows) {
  std::vector<double> x(n / static_cast<std::size_t>(rows) * static_cast<std::size_t>(rows));
  (s.*fill)(0, Eigen::Map<Eigen::MatrixXd>(x.data(), rows, static_cast<Index>(x.size()) / rows));
  return x;
}

/// χ² of (a, b) on a k × k grid of equal probabilities, from the pairs of uniforms given.
double grid_p(const std::vector<double>& a, const std::vector<double>& b, std::size_t k) {
  std::vector<double> seen(k * k), expected(k * k, static_cast<double>(a.size()) / static_cast<double>(k * k));
  const auto cell = [&](double u) { return std::min(k - 1, static_cast<std::size_t>(u * static_cast<double>(k))); };
  for (std::size_t i = 0; i < a.size(); ++i) seen[cell(a[i]) * k + cell(b[i])] += 1;
  return chi_square_p(seen, expected);
}

}  // namespace

TEST_CASE("uniforms are uniform; 1 % too narrow is rejected") {
  for (const Index rows : {1, 2, 5}) {
    auto u = filled(&Stream::uniforms, Stream(31).child("u"), rows);
    CHECK(ks_p(u, [](double x) { return x; }) > level);
    if (rows == 2) {
      // the largest distance, 0.01 at the right end, is 4.5/√n; the level is reached at 2.7/√n
      for (double& x : u) x *= 0.99;
      CHECK(ks_p(u, [](double x) { return x; }) < level);
    }
  }
}

TEST_CASE("normals of both kinds are normal; a scale wrong by 2 % is rejected") {
  for (const auto fill : {&Stream::normals, &Stream::inverse_normals}) {
    for (const Index rows : {1, 2, 7}) {
      auto z = filled(fill, Stream(32).child("z"), rows);
      CHECK(ks_p(z, normal_cdf) > level);
      CHECK(mean_p(z, 0) > level);
      std::vector<double> squares, fourths;
      for (const double x : z) squares.push_back(x * x);
      for (const double x : z) fourths.push_back(x * x * x * x);
      CHECK(mean_p(squares, 1) > level);
      CHECK(mean_p(fourths, 3) > level);
      for (double& x : squares) x *= 1.02 * 1.02;
      CHECK(mean_p(squares, 1) < level);
    }
  }
}

TEST_CASE("the tails of the normals hold their share of points") {
  // 2²⁴ normals; |z| > 4, 4.5, 5 are Poisson counts with means 1063, 114, 9.6. A variance wrong by 3 % changes the first by a quarter, 9 standard deviations.
  std::vector<double> z(std::size_t{1} << 16);
  double count[3] = {0, 0, 0}, wide = 0;
  const Stream s = Stream(33).child("tails");
  for (std::uint64_t k = 0; k < 256; ++k) {
    s.fill_normals(k << 16, z);
    for (const double x : z) {
      const double size = std::abs(x);
      count[0] += size > 4;
      count[1] += size > 4.5;
      count[2] += size > 5;
      wide += size * std::sqrt(1.03) > 4;
    }
  }
  const double total = 0x1p24;
  const auto mean = [&](double a) { return total * std::erfc(a / std::numbers::sqrt2); };
  CHECK(poisson_p(count[0], mean(4)) > level);
  CHECK(poisson_p(count[1], mean(4.5)) > level);
  CHECK(poisson_p(count[2], mean(5)) > level);
  CHECK(poisson_p(wide, mean(4)) < level);
}

TEST_CASE("the two normals of a pair are independent in size and angle; reusing the radius of the neighbour is rejected") {
  Eigen::MatrixXd z(2, n);
  Stream(34).child("pairs").normals(0, z);
  std::vector<double> a, b, size, angle, reused;
  for (Index c = 0; c < z.cols(); ++c) {
    a.push_back(normal_cdf(z(0, c)));
    b.push_back(normal_cdf(z(1, c)));
    size.push_back(std::exp(-z.col(c).squaredNorm() / 2));
    angle.push_back(std::atan2(z(1, c), z(0, c)) / (2 * std::numbers::pi) + 0.5);
    reused.push_back(normal_cdf(z(1, c) / z.col(c).norm() * z.col(c - c % 2).norm()));
  }
  CHECK(grid_p(a, b, 30) > level);
  CHECK(grid_p(size, angle, 30) > level);
  // pairs (2c, 2c + 1) share one radius in the wrong variant: squares of neighbours correlate
  std::vector<double> even, odd, even_wrong, odd_wrong;
  for (std::size_t c = 0; c + 1 < reused.size(); c += 2) {
    even.push_back(b[c]);
    odd.push_back(b[c + 1]);
    even_wrong.push_back(reused[c]);
    odd_wrong.push_back(reused[c + 1]);
  }
  CHECK(grid_p(even, odd, 30) > level);
  CHECK(grid_p(even_wrong, odd_wrong, 30) < level);
}

TEST_CASE("inverse normals increase with the uniform of the same address") {
  const Stream s(35);
  const auto u = filled(&Stream::uniforms, s, 2), z = filled(&Stream::inverse_normals, s, 2);
  for (std::size_t i = 0; i + 1 < n; ++i) REQUIRE((u[i] < u[i + 1]) == (z[i] < z[i + 1]));
}
