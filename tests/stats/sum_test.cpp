// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/parallel/blocks.hpp>
#include <buffon/random/kernel_variant.hpp>
#include <buffon/stats/sum.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <vector>

using namespace buffon;

namespace {

// Numbers of many sizes and both signs: the value of a sum depends on the order of additions.
std::vector<double> awkward(std::size_t n) {
  std::mt19937_64 bits(3);
  std::vector<double> x(n);
  for (double& v : x) v = std::ldexp(static_cast<double>(static_cast<std::int64_t>(bits())), static_cast<int>(bits() % 60));
  return x;
}

// The documented order, written plainly.
double plain_tree(const std::vector<double>& x) {
  std::vector<double> leaves;
  for (std::size_t first = 0; first < x.size(); first += 4096) {
    std::array<double, 32> lane{};
    for (std::size_t i = first; i < std::min(x.size(), first + 4096); ++i) lane[(i - first) % 32] += x[i];
    for (std::size_t half = 16; half > 0; half /= 2) {
      for (std::size_t l = 0; l < half; ++l) lane[l] += lane[l + half];
    }
    leaves.push_back(lane[0]);
  }
  return merge_tree(leaves, [](double& a, double b) { a += b; });
}

}  // namespace

TEST_CASE("a sum follows the documented tree bit for bit, on every instruction set and 1, 2, 3 and 8 threads") {
  const std::string before(kernel_variant());
  for (const std::size_t n : {0u, 1u, 31u, 33u, 4096u, 4097u, 50001u, 262144u, 700001u}) {
    const auto x = awkward(n);
    const double expected = plain_tree(x);
    force_kernel_variant(available_kernel_variants().front());
    const double compensated = compensated_sum(x);
    for (const auto variant : available_kernel_variants()) {
      force_kernel_variant(variant);
      CHECK(sum(x) == expected);
      CHECK(compensated_sum(x) == compensated);
    }
    for (const int threads : {1, 2, 3, 8}) {
      Context context(threads);
      CHECK(sum(context, x) == expected);
      CHECK(compensated_sum(context, x) == compensated);
    }
  }
  force_kernel_variant(before);
}

TEST_CASE("the numbers of these tests expose another order") {
  const auto x = awkward(50001);
  double serial = 0;
  for (const double v : x) serial += v;
  CHECK(serial != sum(x));
}

TEST_CASE("sums of whole numbers are exact") {
  std::vector<double> x(1000001);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<double>(i);
  CHECK(sum(x) == 1000000.0 * 1000001 / 2);
  CHECK(compensated_sum(x) == 1000000.0 * 1000001 / 2);
}

TEST_CASE("the compensated sum finds what cancellation hides from the plain one") {
  // +big and −big and three small ones in turn: the exact sum is that of the small ones, 2^-20 each.
  std::vector<double> x;
  for (int i = 0; i < 30000; ++i) {
    const double big = std::ldexp(1 + i / 32768.0, 45);
    x.insert(x.end(), {big, 0x1p-20, -big, 0x1p-20, 0x1p-20});
  }
  const double exact = 90000 * 0x1p-20;
  CHECK(compensated_sum(x) == exact);
  CHECK(sum(x) != exact);
}

TEST_CASE("infinities and NaN come through sums") {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  std::vector<double> x(10000, 1.0);
  x[5000] = infinity;
  CHECK(sum(x) == infinity);
  CHECK(compensated_sum(x) == infinity);
  x[9000] = -infinity;
  CHECK(std::isnan(sum(x)));
  CHECK(std::isnan(compensated_sum(x)));
}
