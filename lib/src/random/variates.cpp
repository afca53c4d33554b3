// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/random/variates.hpp>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <unordered_map>

#include <buffon/core/error.hpp>
#include <buffon/linalg/vector_math.hpp>
#include <buffon/random/scalar_kernels.hpp>

#include "integers.hpp"

namespace buffon {
namespace {

/// Uniforms of draw 0 of items first, first + 1, ….
void item_uniforms(const Stream& stream, std::uint64_t first, std::span<double> out) {
  stream.uniforms(first, Eigen::Map<Eigen::MatrixXd>(out.data(), 1, static_cast<Index>(out.size())));
}

double item_uniform(const Stream& stream, std::uint64_t item) {
  std::uint32_t w[4];
  stream.words(item, 0, w);
  return scalar::uniform(w[0], w[1]);
}

double gamma_unchecked(const Stream& stream, std::uint64_t item, double shape) {
  const double d = (shape < 1 ? shape + 1 : shape) - 1.0 / 3;
  const double c = 1 / std::sqrt(9 * d);
  double boost = 1;
  for (std::uint32_t t = 0;; ++t) {
    std::uint32_t w[4];
    stream.words(item, 2 * t, w);
    const double x = scalar::normal_pair(w[0], w[1], w[2], w[3]).a;
    stream.words(item, 2 * t + 1, w);
    const double u = scalar::uniform(w[0], w[1]);
    if (t == 0 && shape < 1) boost = scalar::exp(scalar::log(scalar::uniform(w[2], w[3])) / shape);
    const double root = 1 + c * x;
    if (root <= 0) continue;
    const double v = root * root * root;
    const double x2 = x * x;
    if (u < 1 - 0.0331 * x2 * x2 || scalar::log(u) < 0.5 * x2 + d * (1 - v + scalar::log(v))) return d * v * boost;
  }
}

void check_shape(double shape) {
  if (!(shape > 0) || !std::isfinite(shape)) {
    throw Error(ErrorCategory::usage, {"drawing gamma variates", "shape", to_text(shape), "must be positive and finite"});
  }
}

void check_bound(std::uint64_t bound) {
  if (bound == 0) throw Error(ErrorCategory::usage, {"drawing whole numbers below a bound", "bound", "0", "must be at least 1"});
}

/// The words of the steps of Fisher–Yates: block k for step k, and blocks from 2³¹ on, in order, for the rare repeats.
class Steps {
 public:
  Steps(const Stream& stream, std::uint64_t item) : stream_(stream), item_(item) {}
  Index choose(Index step, Index n) {
    const auto offset = bounded(static_cast<std::uint64_t>(n - step), [&](std::uint32_t t) {
      return first_word(stream_, item_, t == 0 ? static_cast<std::uint32_t>(step) : 0x80000000u + repeats_++);
    });
    return step + static_cast<Index>(offset);
  }

 private:
  const Stream& stream_;
  std::uint64_t item_;
  std::uint32_t repeats_ = 0;
};

void check_size(Index n, Index k) {
  if (n < 0 || n > (Index{1} << 31)) {
    throw Error(ErrorCategory::usage, {"drawing a permutation", "n", std::to_string(n), "must be between 0 and 2147483648"});
  }
  if (k < 0 || k > n) {
    throw Error(ErrorCategory::usage, {"drawing without replacement", "k", std::to_string(k), "must be between 0 and n = " + std::to_string(n)});
  }
}

}  // namespace

std::uint64_t uniform_integer(const Stream& stream, std::uint64_t item, std::uint64_t bound) {
  check_bound(bound);
  return bounded(bound, [&](std::uint32_t t) { return first_word(stream, item, t); });
}

void uniform_integers(const Stream& stream, std::uint64_t first, std::uint64_t bound, std::span<std::uint64_t> out) {
  check_bound(bound);
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] = bounded(bound, [&](std::uint32_t t) { return first_word(stream, first + i, t); });
  }
}

double exponential(const Stream& stream, std::uint64_t item) { return -scalar::log(item_uniform(stream, item)); }

void exponentials(const Stream& stream, std::uint64_t first, std::span<double> out) {
  item_uniforms(stream, first, out);
  vector_log(out, out);
  for (double& x : out) x = -x;
}

double gamma(const Stream& stream, std::uint64_t item, double shape) {
  check_shape(shape);
  return gamma_unchecked(stream, item, shape);
}

void gammas(const Stream& stream, std::uint64_t first, double shape, std::span<double> out) {
  check_shape(shape);
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = gamma_unchecked(stream, first + i, shape);
}

std::vector<Index> permutation(const Stream& stream, std::uint64_t item, Index n) {
  check_size(n, n);
  std::vector<Index> order(static_cast<std::size_t>(n));
  std::iota(order.begin(), order.end(), Index{0});
  Steps steps(stream, item);
  for (Index k = 0; k + 1 < n; ++k) std::swap(order[static_cast<std::size_t>(k)], order[static_cast<std::size_t>(steps.choose(k, n))]);
  return order;
}

std::vector<Index> sample_without_replacement(const Stream& stream, std::uint64_t item, Index n, Index k) {
  check_size(n, k);
  std::vector<Index> chosen;
  chosen.reserve(static_cast<std::size_t>(k));
  std::unordered_map<Index, Index> moved;  // what stands at a place that is not its own
  const auto standing = [&](Index place) {
    const auto found = moved.find(place);
    return found == moved.end() ? place : found->second;
  };
  Steps steps(stream, item);
  for (Index step = 0; step < k; ++step) {
    const Index place = steps.choose(step, n);
    chosen.push_back(standing(place));
    moved[place] = standing(step);
  }
  return chosen;
}

namespace {

/// Neumaier's compensated sum, so that small weights keep their share of a long table.
struct CompensatedSum {
  double sum = 0, lost = 0;
  void add(double w) {
    const double next = sum + w;
    lost += sum >= w ? (sum - next) + w : (w - next) + sum;
    sum = next;
  }
  double value() const { return sum + lost; }
};

}  // namespace

double checked_total(std::span<const double> weights, const char* doing) {
  CompensatedSum total;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    if (!(weights[i] >= 0) || !std::isfinite(weights[i])) {
      throw Error(ErrorCategory::usage, {doing, "weights[" + std::to_string(i) + "]", to_text(weights[i]), "must be finite and not negative"});
    }
    total.add(weights[i]);
  }
  if (!(total.value() > 0) || !std::isfinite(total.value())) {
    throw Error(ErrorCategory::usage, {doing, "sum of the weights", to_text(total.sum), "must be positive and finite", "give at least one positive weight"});
  }
  return total.value();
}

CumulativeTable::CumulativeTable(std::span<const double> weights) {
  checked_total(weights, "building a cumulative table");
  cumulative_.reserve(weights.size());
  CompensatedSum total;
  double reached = 0;
  for (std::size_t k = 0; k < weights.size(); ++k) {
    total.add(weights[k]);
    if (weights[k] > 0) {
      reached = std::max(reached, total.value());  // rounding must not make the sums decrease
      last_ = static_cast<Index>(k);
    }
    cumulative_.push_back(reached);
  }
}

Index CumulativeTable::at(double u) const {
  const double target = u * cumulative_.back();
  const auto found = std::upper_bound(cumulative_.begin(), cumulative_.end(), target);
  return std::min(static_cast<Index>(found - cumulative_.begin()), last_);
}

Index CumulativeTable::draw(const Stream& stream, std::uint64_t item) const { return at(item_uniform(stream, item)); }

void CumulativeTable::draw(const Stream& stream, std::uint64_t first, std::span<Index> out) const {
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = draw(stream, first + i);
}

}  // namespace buffon
