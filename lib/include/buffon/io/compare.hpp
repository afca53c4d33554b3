// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/io/result.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace buffon {

/// One estimate in two results.
struct ComparedEstimate {
  std::string group;
  std::string name;
  Estimate first;
  Estimate second;
  double z = 0;  ///< difference over √(se₁² + se₂²); 0 where the values are equal, ±∞ where they differ without any error, NaN where a value or an error is
                 ///< unknown: not comparable
  double p_value = 1;  ///< two-sided, normal; NaN with z
};

/// Rows chosen by two methods that choose rows of a data set.
struct ComparedSelection {
  std::int64_t first_count = 0, second_count = 0;
  std::int64_t common = 0;  ///< rows that both chose, wherever
  /// "row 3 of the selection: 17 and 99"; empty = the same rows in the same order
  std::optional<std::string> first_difference = {};
};

/// Do two results agree statistically, and where do their bits first differ?
struct Comparison {
  std::vector<ComparedEstimate> estimates;  ///< in both results, in the order of the first
  std::vector<std::string> only_first;      ///< names that the other lacks
  std::vector<std::string> only_second;
  std::optional<ComparedSelection> selection;  ///< where both results choose rows and their files are there
  double smallest_p = 1;                       ///< over the estimates, multiplied by their number (Bonferroni), at most 1
  double level = 0.01;
  bool agree = false;  ///< the same rows, where both choose some; smallest_p ≥ level, both hold the same names, and at least one estimate can be compared (or
                       ///< all bits are equal)
  std::string verdict;
  std::optional<std::string> first_difference;  ///< "estimates[0] (tip).value: 0.1 and 0.2"; empty = equal byte for byte outside of the block "run"
};

/// The two results must be independent for the verdict to hold its level (other seeds, or another method).
/// @param level probability of a false "they differ", in (0, 1)
/// @throws Error(data) when they have neither an estimate nor a selection in common
Comparison compare(const Result& first, const Result& second, double level = 0.01);

}  // namespace buffon
