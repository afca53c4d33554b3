// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <vector>

#include <statistical.hpp>

namespace buffon::testing {

/// Probabilities of all outcomes of a discrete law, each outcome a list of whole numbers.
using OutcomeLaw = std::map<std::vector<std::int64_t>, double>;

/// P value of χ² over all outcomes for `runs` outcomes draw(0), draw(1), …; 0 when one has no place in the law.
inline double law_p(const OutcomeLaw& law, std::int64_t runs, const std::function<std::vector<std::int64_t>(std::uint64_t)>& draw) {
  std::map<std::vector<std::int64_t>, double> counts;
  for (std::int64_t r = 0; r < runs; ++r) ++counts[draw(static_cast<std::uint64_t>(r))];
  std::vector<double> observed, expected;
  for (const auto& [outcome, p] : law) {
    const auto found = counts.find(outcome);
    observed.push_back(found == counts.end() ? 0 : found->second);
    expected.push_back(p * static_cast<double>(runs));
    if (found != counts.end()) counts.erase(found);
  }
  return counts.empty() ? chi_square_p(observed, expected) : 0;
}

/// Law of k successive draws without replacement, in order.
inline OutcomeLaw successive_law(const std::vector<double>& weights, std::size_t k) {
  OutcomeLaw law;
  std::vector<std::int64_t> drawn;
  const std::function<void(double)> extend = [&](double p) {
    if (drawn.size() == k) {
      law[drawn] += p;
      return;
    }
    std::vector<std::size_t> left;
    double total = 0;  // summed anew: differences would lose the small weights
    for (std::size_t i = 0; i < weights.size(); ++i) {
      if (weights[i] == 0 || std::find(drawn.begin(), drawn.end(), static_cast<std::int64_t>(i)) != drawn.end()) continue;
      left.push_back(i);
      total += weights[i];
    }
    for (const std::size_t i : left) {
      drawn.push_back(static_cast<std::int64_t>(i));
      extend(p * weights[i] / total);
      drawn.pop_back();
    }
  };
  extend(1);
  return law;
}

/// P(row is among the k), from the law of the draws.
inline std::vector<double> inclusion_of(const OutcomeLaw& law, std::size_t rows) {
  std::vector<double> inclusion(rows);
  for (const auto& [outcome, p] : law) {
    for (const std::int64_t row : outcome) inclusion[static_cast<std::size_t>(row)] += p;
  }
  return inclusion;
}

}  // namespace buffon::testing
