// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/parallel/blocks.hpp>
#include <buffon/stats/sum.hpp>

#include <algorithm>
#include <array>
#include <cmath>

#include "../linalg/dense_kernels.hpp"

namespace buffon {
namespace {

// Blocks of 2^6 leaves are complete subtrees of the whole tree: the parallel sum has the bits of the sequential one.
constexpr std::int64_t block = 64 * static_cast<std::int64_t>(sum_leaf);

void add(double& into, double from) { into += from; }

void add(DoubleDouble& into, const DoubleDouble& from) {
  const double s = into.high + from.high, t = s - into.high;
  into.low += from.low + ((into.high - (s - t)) + (from.high - t));
  into.high = s;
}

// `merge_tree` over the leaves without storing them all: subtree k of the stack holds 2^k leaves, like the binary digits of
// the number of leaves so far; what is left at the end is merged from the right.
template <class T, class Leaf>
T tree(std::span<const double> x, Leaf&& leaf_value) {
  std::array<T, 64> stack;
  std::size_t depth = 0;
  for (std::uint64_t leaves = 1; !x.empty(); ++leaves) {
    const auto n = std::min<std::size_t>(sum_leaf, x.size());
    stack[depth++] = leaf_value(x.data(), n);
    x = x.subspan(n);
    for (std::uint64_t k = leaves; k % 2 == 0; k /= 2, --depth) add(stack[depth - 2], stack[depth - 1]);
  }
  if (depth == 0) return T{};
  for (; depth > 1; --depth) add(stack[depth - 2], stack[depth - 1]);
  return stack[0];
}

template <class T, class Leaf>
T parallel_tree(Context& context, std::span<const double> x, Leaf&& leaf_value) {
  return reduce_blocks<T>(
      context, static_cast<std::int64_t>(x.size()), block,
      [&](const Block& b) { return tree<T>(x.subspan(static_cast<std::size_t>(b.begin), static_cast<std::size_t>(b.size())), leaf_value); },
      [](T& into, const T& from) { add(into, from); });
}

// Once the sum itself is infinite or NaN, the carried errors mean nothing.
double rounded(const DoubleDouble& s) { return std::isfinite(s.high) ? s.high + s.low : s.high; }

}  // namespace

double sum(std::span<const double> x) { return tree<double>(x, dense_kernels().sum_leaf); }
double sum(Context& context, std::span<const double> x) { return parallel_tree<double>(context, x, dense_kernels().sum_leaf); }

double compensated_sum(std::span<const double> x) { return rounded(tree<DoubleDouble>(x, dense_kernels().compensated_sum_leaf)); }
double compensated_sum(Context& context, std::span<const double> x) {
  return rounded(parallel_tree<DoubleDouble>(context, x, dense_kernels().compensated_sum_leaf));
}

}  // namespace buffon
