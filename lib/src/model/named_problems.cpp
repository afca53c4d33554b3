// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/core/error.hpp>
#include <buffon/model/model_kind.hpp>

#include "named.hpp"

#include <algorithm>

namespace buffon {

const std::vector<NamedProblem>& named_problems() {
  static const std::vector<NamedProblem> problems = {detail::cantilever_problem(),        detail::ishigami_problem(),    detail::sobol_g_problem(),
                                                     detail::borehole_problem(),          detail::flood_problem(),       detail::gaussian_moments_problem(),
                                                     detail::exponential_tilts_problem(), detail::four_branch_problem(), detail::parabolic_problem(),
                                                     detail::hyperplane_problem()};
  return problems;
}

const NamedProblem& named_problem(std::string_view name) {
  const auto& problems = named_problems();
  const auto found = std::find_if(problems.begin(), problems.end(), [&](const NamedProblem& problem) { return problem.name == name; });
  if (found != problems.end()) return *found;
  std::vector<std::string> names;
  std::string all;
  for (const auto& problem : problems) {
    names.push_back(problem.name);
    all += (all.empty() ? "" : ", ") + problem.name;
  }
  const std::string_view near = nearest(name, names);
  throw Error(ErrorCategory::configuration, {.doing = "choosing a named problem",
                                             .key = "model.name",
                                             .value = "\"" + std::string(name) + "\"",
                                             .rule = "is not a named problem",
                                             .remedy = (near.empty() ? "" : "Did you mean \"" + std::string(near) + "\"? ") + "There are " + all});
}

}  // namespace buffon
