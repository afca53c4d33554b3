// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <span>

namespace buffon {

class Context;

/// Sum of x in an order that depends on the length only: leaves of 4096 values in 32 interleaved lanes (value i of a leaf
/// goes to lane i mod 32, lanes are folded by halves), leaves merged pairwise in the tree of `merge_tree`. The same bits on
/// every instruction set, compiler and number of threads; error at most about (135 + log2(n / 4096)) ε Σ|x|.
double sum(std::span<const double> x);

/// The same number, computed in parallel.
double sum(Context& context, std::span<const double> x);

/// The same tree carrying the rounding error of every addition (TwoSum; Ogita, Rump, Oishi, "Accurate sum and dot product",
/// 2005): as if summed in twice the precision and rounded once. Three to seven times the time in cache, about the
/// same to six times in memory, less with wider vectors.
double compensated_sum(std::span<const double> x);
double compensated_sum(Context& context, std::span<const double> x);

}  // namespace buffon
