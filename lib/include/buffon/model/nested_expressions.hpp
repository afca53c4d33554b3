// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/model/nested_problem.hpp>

#include <memory>
#include <string>
#include <variant>
#include <vector>

namespace buffon {

/// A parameter of a law: a number, or an expression of the variables drawn before.
struct NestedParameter {
  std::string key;  ///< as the law's family calls it: "mean"
  std::variant<double, std::string> value;
};

/// One component of y^d: F⁻¹(Φ(z)) of one standard normal z, F a law of the families with parameters of its own at every path.
struct NestedVariable {
  std::string name;
  std::string law;  ///< name of a MarginalFamily
  std::vector<NestedParameter> parameters;
};

/// Depth d of a nested expectation.
struct NestedStage {
  std::vector<NestedVariable> variables;  ///< drawn in this order; a parameter may use earlier stages and earlier variables; may be empty
  std::string link;                       ///< g_d: expression of the variables of this and earlier stages and, but in the last stage, of z = γ_{d+1}
};

inline constexpr std::size_t max_nested_stages = 64;
inline constexpr std::size_t max_nested_variables = 512;  ///< of all stages

/// A nested problem from expressions (those of `expression_model`), stage d = depth d.
/// A path at which a parameter leaves its range ends in a ModelError that names the path. One path is drawn at once, so that laws whose
/// parameters do not go together are found here.
/// @throws Error(configuration) whose key is the place, "stages[1].variables[0].std_dev"
std::shared_ptr<const NestedProblem> expression_nested_problem(std::vector<NestedStage> stages);

}  // namespace buffon
