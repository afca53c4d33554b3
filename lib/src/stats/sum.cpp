// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/parallel/blocks.hpp>
#include <buffon/stats/sum.hpp>

#include <algorithm>
#include <array>
#include <cmath>

#include "../linalg/dense_kernels.hpp"

namespace buffon {
namespace {

bool in_memory(std::span<const double> x) { return x.size() > std::size_t{1} << 18; }  // 2 MiB, the second-level cache of large cores

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
template <class T>
class Tree {
 public:
  void push(const T& leaf) {
    stack_[depth_++] = leaf;
    for (std::uint64_t k = ++leaves_; k % 2 == 0; k /= 2, --depth_) add(stack_[depth_ - 2], stack_[depth_ - 1]);
  }
  T total() {
    if (depth_ == 0) return T{};
    for (; depth_ > 1; --depth_) add(stack_[depth_ - 2], stack_[depth_ - 1]);
    return stack_[0];
  }

 private:
  std::array<T, 64> stack_;
  std::size_t depth_ = 0;
  std::uint64_t leaves_ = 0;
};

/// @param in_memory whether the whole array is too long for a cache of one core
double plain(std::span<const double> x, bool in_memory) {
  const DenseKernels& kernels = dense_kernels();
  Tree<double> tree;
  std::array<double, 64> sums;
  for (std::uint64_t left = x.size() / sum_leaf; left > 0;) {
    const std::uint64_t n = std::min<std::uint64_t>(sums.size(), left);
    kernels.leaf_sums(x.data(), n, in_memory, sums.data());
    for (std::uint64_t i = 0; i < n; ++i) tree.push(sums[i]);
    x = x.subspan(n * sum_leaf);
    left -= n;
  }
  if (!x.empty()) tree.push(kernels.part_sum(x.data(), x.size()));
  return tree.total();
}

DoubleDouble compensated(std::span<const double> x) {
  const DenseKernels& kernels = dense_kernels();
  Tree<DoubleDouble> tree;
  for (; !x.empty(); x = x.subspan(std::min<std::size_t>(sum_leaf, x.size()))) {
    tree.push(kernels.compensated_sum_leaf(x.data(), std::min<std::size_t>(sum_leaf, x.size())));
  }
  return tree.total();
}

template <class T, class Part>
T parallel(Context& context, std::span<const double> x, const Part& part) {
  return reduce_blocks<T>(
      context, static_cast<std::int64_t>(x.size()), block,
      [&](const Block& b) { return part(x.subspan(static_cast<std::size_t>(b.begin), static_cast<std::size_t>(b.size()))); },
      [](T& into, const T& from) { add(into, from); });
}

// Once the sum itself is infinite or NaN, the carried errors mean nothing.
double rounded(const DoubleDouble& s) { return std::isfinite(s.high) ? s.high + s.low : s.high; }

}  // namespace

double sum(std::span<const double> x) { return plain(x, in_memory(x)); }
double sum(Context& context, std::span<const double> x) {
  return parallel<double>(context, x, [&](std::span<const double> part) { return plain(part, in_memory(x)); });
}

double compensated_sum(std::span<const double> x) { return rounded(compensated(x)); }
double compensated_sum(Context& context, std::span<const double> x) { return rounded(parallel<DoubleDouble>(context, x, compensated)); }

}  // namespace buffon
