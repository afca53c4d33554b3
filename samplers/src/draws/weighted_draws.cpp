// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/samplers/weighted_draws.hpp>

#include "checked_weights.hpp"
#include "item_numbers.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include <buffon/random/variates.hpp>

namespace buffon {

WeightTree::WeightTree(std::span<const double> weights) {
  draws::check_count(static_cast<std::int64_t>(weights.size()), 1, "weights", "building a tree of weights");
  for (std::size_t i = 0; i < weights.size(); ++i) draws::check_weight(weights[i], static_cast<std::int64_t>(i), "building a tree of weights");
  levels_.emplace_back(weights.begin(), weights.end());
  do {
    std::vector<double> above((levels_.back().size() + fan - 1) / fan);
    for (std::size_t node = 0; node < above.size(); ++node) above[node] = sum_of(levels_.size() - 1, node);
    levels_.push_back(std::move(above));
  } while (levels_.back().size() > 1);
}

double WeightTree::sum_of(std::size_t level, std::size_t node) const {
  const auto& below = levels_[level];
  double sum = 0;
  for (std::size_t i = node * fan, end = std::min(i + fan, below.size()); i < end; ++i) sum += below[i];
  return sum;
}

void WeightTree::set(Index row, double weight) {
  draws::check_weight(weight, row, "changing a weight");
  auto node = static_cast<std::size_t>(row);
  levels_.front()[node] = weight;
  for (std::size_t level = 1; level < levels_.size(); ++level) {
    node /= fan;
    levels_[level][node] = sum_of(level - 1, node);
  }
}

Index WeightTree::at(double u) const {
  if (!(total() > 0) || !std::isfinite(total())) {
    throw Error(ErrorCategory::usage,
                {.doing = "drawing from a tree of weights", .key = "sum of the weights", .value = to_text(total()), .rule = "must be positive and finite"});
  }
  double point = u * total();
  std::size_t node = 0;
  for (std::size_t level = levels_.size() - 1; level-- > 0;) {
    const auto& sums = levels_[level];
    const std::size_t end = std::min((node + 1) * fan, sums.size());
    std::size_t last = node * fan;  // the last of positive weight takes what rounding leaves
    for (std::size_t i = node * fan; i < end; ++i) {
      if (!(sums[i] > 0)) continue;
      last = i;
      if (point < sums[i]) break;
      point -= sums[i];
    }
    node = last;
    point = std::min(point, sums[node]);
  }
  return static_cast<Index>(node);
}

Index WeightTree::draw(const Stream& stream, std::uint64_t item) const { return at(draws::uniform(stream, item)); }

namespace {

/// Counts from the number of points below every cumulative share of m.
template <class PointsBelow>
std::vector<std::int64_t> counts_of(std::span<const double> weights, std::int64_t m, const char* doing, PointsBelow below) {
  draws::check_count(m, 0, "m", doing);
  const std::vector<double> sums = draws::cumulative_weights(weights, doing);
  std::vector<std::int64_t> counts(weights.size());
  std::int64_t before = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const std::int64_t now = sums[i] == sums.back() ? m : below(static_cast<double>(m) * (sums[i] / sums.back()));
    counts[i] = now - before;
    before = now;
  }
  return counts;
}

}  // namespace

std::vector<std::int64_t> multinomial_counts(std::span<const double> weights, std::int64_t m, const Stream& stream) {
  draws::check_count(m, 0, "m", "drawing with replacement");
  const CumulativeTable table(weights);
  std::vector<std::int64_t> counts(weights.size());
  for (std::int64_t j = 0; j < m; ++j) ++counts[static_cast<std::size_t>(table.draw(stream, static_cast<std::uint64_t>(j)))];
  return counts;
}

std::vector<std::int64_t> residual_counts(std::span<const double> weights, std::int64_t m, const Stream& stream) {
  const char* doing = "drawing with replacement by residuals";
  draws::check_count(m, 0, "m", doing);
  const double total = draws::cumulative_weights(weights, doing).back();
  std::vector<std::int64_t> counts(weights.size());
  std::vector<double> fractions(weights.size());
  std::int64_t left = m;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const double expected = static_cast<double>(m) * (weights[i] / total), whole = std::floor(expected);
    counts[i] = static_cast<std::int64_t>(whole);
    fractions[i] = expected - whole;
    left -= counts[i];
  }
  if (left > 0) {
    const CumulativeTable table(fractions);
    for (std::int64_t j = 0; j < left; ++j) ++counts[static_cast<std::size_t>(table.draw(stream, static_cast<std::uint64_t>(j)))];
  }
  return counts;
}

std::vector<std::int64_t> stratified_counts(std::span<const double> weights, std::int64_t m, const Stream& stream) {
  std::int64_t piece_of_u = -1;
  double u = 0;
  return counts_of(weights, m, "drawing with replacement by strata", [&](double share) {
    const auto piece = static_cast<std::int64_t>(share);
    if (piece >= m) return m;
    if (piece != piece_of_u) u = draws::uniform(stream, static_cast<std::uint64_t>(piece_of_u = piece));
    return piece + (u < share - static_cast<double>(piece) ? 1 : 0);
  });
}

std::vector<std::int64_t> systematic_counts(std::span<const double> weights, std::int64_t m, double u) {
  const char* doing = "drawing with replacement systematically";
  if (!(u > 0 && u < 1)) throw Error(ErrorCategory::usage, {.doing = doing, .key = "u", .value = to_text(u), .rule = "must be in (0, 1)"});
  return counts_of(weights, m, doing, [&](double share) { return std::clamp(static_cast<std::int64_t>(std::ceil(share - u)), std::int64_t{0}, m); });
}

std::vector<Index> rows_of_counts(std::span<const std::int64_t> counts) {
  std::vector<Index> rows;
  for (std::size_t i = 0; i < counts.size(); ++i) rows.insert(rows.end(), static_cast<std::size_t>(counts[i]), static_cast<Index>(i));
  return rows;
}

}  // namespace buffon
