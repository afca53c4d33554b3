// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/estimators/sobol_subsets.hpp>

#include <buffon/core/error.hpp>
#include <buffon/model/problem.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace buffon {
namespace {

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const auto& word : words) text += (text.empty() ? "" : ",") + word;
  return text;
}

Index position_of(const std::string& name, const std::vector<std::string>& names, const std::string& key, const std::string& what, const std::string& doing) {
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) {
    const std::string_view close = nearest(name, names);
    throw Error(ErrorCategory::configuration,
                {.doing = doing,
                 .key = key,
                 .value = name,
                 .rule = "is not the name of an " + what,
                 .remedy = close.empty() ? "the " + what + "s are " + joined(names)
                                         : "did you mean \"" + std::string(close) + "\"? The " + what + "s are " + joined(names)});
  }
  return static_cast<Index>(found - names.begin());
}

}  // namespace

InputSubset complement(const InputSubset& subset, Index dimension) {
  InputSubset rest;
  for (Index i = 0; i < dimension; ++i) {
    if (!std::binary_search(subset.begin(), subset.end(), i)) rest.push_back(i);
  }
  return rest;
}

std::vector<InputSubset> proper_subsets(Index dimension) {
  std::vector<InputSubset> all;
  const std::uint64_t end = std::uint64_t{1} << dimension;
  for (std::uint64_t mask = 1; mask + 1 < end; ++mask) {
    InputSubset subset;
    for (Index i = 0; i < dimension; ++i) {
      if ((mask >> i & 1U) != 0) subset.push_back(i);
    }
    all.push_back(std::move(subset));
  }
  std::sort(all.begin(), all.end(), [](const InputSubset& a, const InputSubset& b) { return a.size() != b.size() ? a.size() < b.size() : a < b; });
  return all;
}

std::vector<InputSubset> subsets_from_names(const std::vector<std::vector<std::string>>& names, const std::vector<std::string>& inputs,
                                            const std::string& doing) {
  const std::string key = "options.subsets";
  std::vector<InputSubset> subsets;
  for (const auto& list : names) {
    InputSubset subset;
    for (const auto& name : list) subset.push_back(position_of(name, inputs, key, "input", doing));
    std::sort(subset.begin(), subset.end());
    const std::string text = "[" + joined(list) + "]";
    if (subset.empty()) {
      throw Error(ErrorCategory::configuration, {.doing = doing, .key = key, .value = text, .rule = "a subset must name at least one input"});
    }
    if (std::adjacent_find(subset.begin(), subset.end()) != subset.end()) {
      throw Error(ErrorCategory::configuration, {.doing = doing, .key = key, .value = text, .rule = "a subset must name each input once"});
    }
    if (subset.size() == inputs.size()) {
      throw Error(ErrorCategory::configuration, {.doing = doing,
                                                 .key = key,
                                                 .value = text,
                                                 .rule = "a subset must leave out at least one input: the index of all inputs together is 1 by definition",
                                                 .remedy = "remove this subset"});
    }
    if (std::find(subsets.begin(), subsets.end(), subset) != subsets.end()) {
      throw Error(ErrorCategory::configuration, {.doing = doing, .key = key, .value = text, .rule = "a subset may be given once only"});
    }
    subsets.push_back(std::move(subset));
  }
  return subsets;
}

Index output_from_name(const std::string& name, const Problem& problem, const std::string& doing) {
  std::vector<std::string> all;
  for (const auto& quantity : problem.quantities()) all.push_back(quantity.name);
  return position_of(name, all, "options.output", "output", doing);
}

std::vector<Index> outputs_from_names(const std::vector<std::string>& names, const Problem& problem, const std::string& doing) {
  std::vector<std::string> all;
  for (const auto& quantity : problem.quantities()) all.push_back(quantity.name);
  std::vector<Index> rows;
  for (const auto& name : names) {
    const Index row = position_of(name, all, "options.outputs", "output", doing);
    if (std::find(rows.begin(), rows.end(), row) != rows.end()) {
      throw Error(ErrorCategory::configuration, {.doing = doing, .key = "options.outputs", .value = name, .rule = "an output may be named once only"});
    }
    rows.push_back(row);
  }
  if (names.empty()) {
    for (Index row = 0; row < static_cast<Index>(all.size()); ++row) rows.push_back(row);
  }
  return rows;
}

void require_independent(const JointLaw& law, const std::string& doing) {
  if (law.independent()) return;
  throw Error(ErrorCategory::configuration,
              {.doing = doing,
               .key = "correlations",
               .rule = "Sobol' indices split the variance among independent inputs; with correlated inputs the parts overlap and the split is not defined",
               .remedy = "remove the correlations, or make the common cause an input of its own and compute the correlated quantities inside the model"});
}

std::string index_name(const std::string& group, const std::string& output, const std::vector<std::string>& inputs) {
  const std::string symbol = group == "first" ? "S1" : group == "total" ? "ST" : "S";
  return symbol + "[" + (output.empty() ? "" : output + ":") + joined(inputs) + "]";
}

std::string index_note(const Estimate& estimate) {
  // An index of an input without influence can end a few roundings above zero.
  if (!std::isfinite(estimate.lower) || estimate.lower > 1e-12) return {};
  if (estimate.upper < -1e-12) return "the interval lies below zero, where no index can be: its error bar is too small";
  std::string note = "not distinguishable from zero";
  if (estimate.value < 0) note += "; the estimate is negative by sampling error, the index itself cannot be";
  return note;
}

std::vector<NamedEstimate> named_estimates(const std::vector<SobolIndex>& indices) {
  std::vector<NamedEstimate> lines;
  for (const auto& index : indices) lines.push_back({.name = index.name, .estimate = index.estimate, .group = index.group, .note = index.note});
  return lines;
}

}  // namespace buffon
