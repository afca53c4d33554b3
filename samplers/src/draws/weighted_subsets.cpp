// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/core/constants.hpp>
#include <buffon/samplers/weighted_subsets.hpp>

#include "checked_weights.hpp"
#include "item_numbers.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <buffon/core/archive.hpp>
#include <buffon/parallel/blocks.hpp>
#include <buffon/random/variates.hpp>

namespace buffon {
namespace {

constexpr std::int64_t keys_per_block = 16384;
using constants::infinity;

bool before(const KeyedRow& a, const KeyedRow& b) { return a.key > b.key || (a.key == b.key && a.row < b.row); }

/// Checks k and the weights; @returns how many are positive
Index positive_weights(std::span<const double> weights, Index k, const std::string& doing) {
  draws::check_count(k, 1, "k", doing);
  draws::cumulative_weights(weights, doing);
  const auto positive = static_cast<Index>(std::count_if(weights.begin(), weights.end(), [](double w) { return w > 0; }));
  if (k <= positive) return positive;
  throw Error(ErrorCategory::usage, {.doing = doing,
                                     .key = "k",
                                     .value = std::to_string(k),
                                     .rule = "must be at most the number of rows of positive weight, " + std::to_string(positive),
                                     .remedy = "ask for fewer rows, or draw with replacement"});
}

/// One more clock that rings with probability p: q_j ← (1 − p) q_j + p q_{j−1}, counts below the length of q.
void add_clock(std::vector<double>& q, double p) {
  for (std::size_t j = q.size(); j-- > 1;) q[j] = (1 - p) * q[j] + p * q[j - 1];
  q[0] *= 1 - p;
}

/// Adds to out[i] for all of [begin, end) the density of clock i times P(fewer than k of the others rang): `counts` is the law of the number among
/// the clocks outside of the range. Halving the range adds every clock log₂ n times, and nothing is ever subtracted.
void add_leave_one_out(std::span<const double> density, std::span<const double> rang, std::size_t begin, std::size_t end, const std::vector<double>& counts,
                       std::span<double> out) {
  if (end - begin == 1) {
    out[begin] += density[begin] * std::accumulate(counts.begin(), counts.end(), 0.0);
    return;
  }
  const std::size_t middle = begin + (end - begin) / 2;
  std::vector<double> without = counts;
  for (std::size_t i = middle; i < end; ++i) add_clock(without, rang[i]);
  add_leave_one_out(density, rang, begin, middle, without, out);
  without = counts;
  for (std::size_t i = begin; i < middle; ++i) add_clock(without, rang[i]);
  add_leave_one_out(density, rang, middle, end, without, out);
}

}  // namespace

void KeyedRow::describe_state(Archive& archive) {
  auto number = static_cast<std::int64_t>(row);
  archive.item("row", number);
  row = static_cast<Index>(number);
  archive.item("key", key);
}

double gumbel_key(const Stream& stream, Index row, double weight) {
  return weight > 0 ? scalar::log(weight) - scalar::log(exponential(stream, static_cast<std::uint64_t>(row))) : -infinity;
}

TopKeys::TopKeys(Index k) : k_(k) { draws::check_count(k, 1, "k", "keeping the greatest keys"); }

void TopKeys::offer(Index row, double key) {
  if (!(key > -infinity)) return;
  const KeyedRow offered{row, key};
  if (static_cast<std::int64_t>(heap_.size()) == k_) {
    if (!before(offered, heap_.front())) return;
    std::pop_heap(heap_.begin(), heap_.end(), before);
    heap_.back() = offered;
  } else {
    heap_.push_back(offered);
  }
  std::push_heap(heap_.begin(), heap_.end(), before);
}

void TopKeys::merge(const TopKeys& other) {
  for (const KeyedRow& kept : other.heap_) offer(kept.row, kept.key);
}

std::vector<KeyedRow> TopKeys::sorted() const {
  std::vector<KeyedRow> rows = heap_;
  std::sort(rows.begin(), rows.end(), before);
  return rows;
}

double TopKeys::threshold() const { return static_cast<std::int64_t>(heap_.size()) == k_ ? heap_.front().key : -infinity; }

void TopKeys::describe_state(Archive& archive) {
  archive.item("k", k_);
  archive.item("heap", heap_);
}

double KeyedSubset::inclusion_given_others(double weight) const {
  if (!(next_key > -infinity)) return weight > 0 ? 1 : 0;
  return draws::one_minus_exp(weight * scalar::exp(-next_key));
}

KeyedSubset gumbel_top_k(std::span<const double> weights, Index k, const Stream& stream, Context& context) {
  positive_weights(weights, k, "sampling without replacement");
  const TopKeys top = reduce_blocks<TopKeys>(
      context, static_cast<std::int64_t>(weights.size()), keys_per_block,
      [&](const Block& block) {
        TopKeys part(k + 1);
        for (std::int64_t row = block.begin; row < block.end; ++row) part.offer(row, gumbel_key(stream, row, weights[static_cast<std::size_t>(row)]));
        return part;
      },
      [](TopKeys& into, const TopKeys& from) { into.merge(from); });
  KeyedSubset subset{.rows = top.sorted()};
  if (static_cast<Index>(subset.rows.size()) > k) {
    subset.next_key = subset.rows.back().key;
    subset.rows.pop_back();
  }
  return subset;
}

std::vector<double> successive_inclusion(std::span<const double> weights, Index k) {
  const Index positive = positive_weights(weights, k, "computing inclusion probabilities");
  std::vector<double> result(weights.size());
  std::vector<std::size_t> rows;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    if (weights[i] > 0) rows.push_back(i);
  }
  if (k == positive) {
    for (const std::size_t i : rows) result[i] = 1;
    return result;
  }
  const std::size_t n = rows.size();
  double total = 0, least = infinity;
  for (const std::size_t i : rows) {
    total += weights[i];
    least = std::min(least, weights[i]);
  }
  // The integrand in y = log t falls as e^y on the left and turns from 1 to 0 over a width of about 1/√k on the right.
  const double step = std::min(0.2, 0.7 / std::sqrt(static_cast<double>(k)));
  std::vector<double> density(n), rang(n), sums(n);
  for (double y = std::log(1e-17 / total), last = std::log(45 / least); y < last; y += step) {
    const double t = std::exp(y);
    for (std::size_t i = 0; i < n; ++i) {
      const double x = weights[rows[i]] * t;
      rang[i] = draws::one_minus_exp(x);
      density[i] = x * std::exp(-x);
    }
    std::vector<double> none(static_cast<std::size_t>(k));
    none[0] = 1;
    add_leave_one_out(density, rang, 0, n, none, sums);
  }
  for (std::size_t i = 0; i < n; ++i) result[rows[i]] = std::min(1.0, step * sums[i]);
  return result;
}

std::vector<double> successive_inclusion_approximate(std::span<const double> weights, Index k) {
  const Index positive = positive_weights(weights, k, "approximating inclusion probabilities");
  std::vector<double> result(weights.size());
  if (k == positive) {
    std::transform(weights.begin(), weights.end(), result.begin(), [](double w) { return w > 0 ? 1.0 : 0.0; });
    return result;
  }
  // Newton's steps from 0 rise to the root of the concave Σ (1 − e^{−w t}) = k without passing it.
  double t = 0;
  for (int step = 0; step < 1000; ++step) {
    double missing = static_cast<double>(k), slope = 0;
    for (const double w : weights) {
      missing -= draws::one_minus_exp(w * t);
      slope += w * scalar::exp(-w * t);
    }
    const double next = t + missing / slope;
    if (!(next > t * (1 + 1e-15))) break;
    t = next;
  }
  std::transform(weights.begin(), weights.end(), result.begin(), [t](double w) { return draws::one_minus_exp(w * t); });
  return result;
}

std::vector<double> proportional_inclusion(std::span<const double> weights, Index k) {
  const Index positive = positive_weights(weights, k, "computing inclusion probabilities");
  std::vector<double> result(weights.size());
  std::vector<std::size_t> rows;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    if (weights[i] > 0) rows.push_back(i);
  }
  // From the heaviest on: rows are sure while their share of what is left is at least one of the draws that are left.
  std::sort(rows.begin(), rows.end(), [&](std::size_t a, std::size_t b) { return weights[a] > weights[b] || (weights[a] == weights[b] && a < b); });
  std::vector<double> rest(rows.size());  // sums from the lightest on
  double sum = 0;
  for (std::size_t j = rows.size(); j-- > 0;) rest[j] = sum += weights[rows[j]];
  std::size_t sure = 0;
  auto left = static_cast<double>(k);
  while (sure < rows.size() && left > 0 && (positive == k || left * weights[rows[sure]] >= rest[sure])) {
    result[rows[sure++]] = 1;
    --left;
  }
  for (std::size_t j = sure; j < rows.size(); ++j) result[rows[j]] = left * (weights[rows[j]] / rest[sure]);
  return result;
}

std::vector<Index> systematic_subset(std::span<const double> inclusion, double u, std::span<const Index> order) {
  const std::string doing = "sampling systematically without replacement";
  if (!(u > 0 && u < 1)) throw Error(ErrorCategory::usage, {.doing = doing, .key = "u", .value = to_text(u), .rule = "must be in (0, 1)"});
  if (!order.empty() && order.size() != inclusion.size()) {
    throw Error(ErrorCategory::usage, {.doing = doing, .key = "order", .value = std::to_string(order.size()) + " rows", .rule = "must list every row once"});
  }
  std::vector<double> laid_out(inclusion.size());
  for (std::size_t i = 0; i < inclusion.size(); ++i) {
    laid_out[i] = inclusion[order.empty() ? i : static_cast<std::size_t>(order[i])];
    if (laid_out[i] <= 1) continue;
    throw Error(ErrorCategory::usage, {.doing = doing, .key = "inclusion", .value = to_text(laid_out[i]), .rule = "must be in [0, 1]"});
  }
  const std::vector<double> sums = draws::cumulative_weights(laid_out, doing);
  const double k = std::round(sums.back());
  if (!(std::abs(sums.back() - k) <= 1e-9 * std::max(1.0, k)) || k < 1) {
    throw Error(ErrorCategory::usage, {.doing = doing, .key = "sum of the inclusion probabilities", .value = to_text(sums.back()), .rule = "must be whole"});
  }
  std::vector<Index> rows;
  double points = 0;  // below the sums so far
  for (std::size_t i = 0; i < sums.size(); ++i) {
    const double now = std::clamp(std::ceil((sums[i] == sums.back() ? k : sums[i]) - u), points, k);
    // A row of probability 1 minus rounding errors may hold two points or none; it takes one and leaves the other to its neighbour.
    if (now > points) {
      rows.push_back(order.empty() ? static_cast<Index>(i) : order[i]);
      ++points;
    }
  }
  return rows;
}

std::vector<std::int64_t> proportional_allocation(std::span<const std::int64_t> sizes, std::int64_t k) {
  const std::string doing = "allocating a sample to groups";
  draws::check_count(k, 0, "k", doing);
  std::int64_t n = 0;
  for (const std::int64_t size : sizes) {
    draws::check_count(size, 0, "sizes", doing);
    n += size;
  }
  if (k > n) {
    throw Error(ErrorCategory::usage,
                {.doing = doing, .key = "k", .value = std::to_string(k), .rule = "must be at most the number of rows, " + std::to_string(n)});
  }
  std::vector<std::int64_t> counts(sizes.size());
  if (n == 0) return counts;
  std::vector<std::int64_t> remainders(sizes.size());
  std::int64_t left = k;
  __extension__ using Wide = __int128;
  for (std::size_t g = 0; g < sizes.size(); ++g) {
    counts[g] = static_cast<std::int64_t>(static_cast<Wide>(sizes[g]) * k / n);
    remainders[g] = static_cast<std::int64_t>(static_cast<Wide>(sizes[g]) * k % n);
    left -= counts[g];
  }
  std::vector<std::size_t> groups(sizes.size());
  std::iota(groups.begin(), groups.end(), std::size_t{0});
  std::stable_sort(groups.begin(), groups.end(), [&](std::size_t a, std::size_t b) { return remainders[a] > remainders[b]; });
  for (std::size_t j = 0; static_cast<std::int64_t>(j) < left; ++j) ++counts[groups[j]];
  return counts;
}

std::vector<Index> stratified_subset(std::span<const std::int32_t> groups, std::span<const std::int64_t> counts, const Stream& stream) {
  const std::string doing = "sampling from groups";
  std::vector<std::vector<Index>> members(counts.size());
  for (std::size_t i = 0; i < groups.size(); ++i) {
    if (groups[i] < 0 || static_cast<std::size_t>(groups[i]) >= counts.size()) {
      throw Error(ErrorCategory::usage, {.doing = doing,
                                         .key = "groups[" + std::to_string(i) + "]",
                                         .value = std::to_string(groups[i]),
                                         .rule = "must be in [0, " + std::to_string(counts.size()) + ")"});
    }
    members[static_cast<std::size_t>(groups[i])].push_back(static_cast<Index>(i));
  }
  std::vector<Index> rows;
  for (std::size_t g = 0; g < counts.size(); ++g) {
    const auto size = static_cast<Index>(members[g].size());
    if (counts[g] < 0 || counts[g] > size) {
      throw Error(ErrorCategory::usage, {.doing = doing,
                                         .key = "counts[" + std::to_string(g) + "]",
                                         .value = std::to_string(counts[g]),
                                         .rule = "must be in [0, " + std::to_string(size) + "], the rows of the group"});
    }
    for (const Index j : sample_without_replacement(stream, g, size, static_cast<Index>(counts[g]))) rows.push_back(members[g][static_cast<std::size_t>(j)]);
  }
  return rows;
}

}  // namespace buffon
