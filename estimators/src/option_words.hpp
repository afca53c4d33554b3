// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/core/options.hpp>
#include <buffon/estimators/sample_run.hpp>

#include <array>
#include <string_view>

namespace buffon {

/// Words of PointSpace, in the order of its values.
inline constexpr std::array<std::string_view, 3> space_words = {"auto", "standard", "physical"};

inline void describe_level(OptionVisitor& v, double& level) {
  v.on({.name = "level", .meaning = "Confidence level of the intervals.", .range = strictly_between(0, 1)}, level);
}

/// The options of plain Monte Carlo and importance sampling that make their SampleTargets.
template <class Options>
void describe_targets(OptionVisitor& v, Options& o) {
  v.on({.name = "max_evaluations", .meaning = "Model evaluations at most.", .unit = "evaluations", .range = at_least(1)}, o.max_evaluations);
  v.on({.name = "target_std_error", .meaning = "Stop when no estimate has a larger standard error.", .range = positive()}, o.target_std_error);
  v.on({.name = "target_relative_error", .meaning = "Stop when no estimate has a larger standard error relative to its value.", .range = positive()},
       o.target_relative_error);
  describe_level(v, o.level);
}

template <class Options>
SampleTargets targets_of(const Options& o) {
  return {o.max_evaluations, o.target_std_error, o.target_relative_error, o.level};
}

}  // namespace buffon
