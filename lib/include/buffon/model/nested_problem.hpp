// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/core/types.hpp>
#include <buffon/model/model_kind.hpp>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace buffon {

/// A repeatedly nested expectation of depth D ≥ 0: a path y^0, …, y^D, where y^d is drawn given y^0, …, y^{d−1}, and links
/// g_0, …, g_D with
///
///     γ_D = E[ g_D(y^0 … y^D) | y^0 … y^{D−1} ],
///     γ_d = E[ g_d(y^0 … y^d, γ_{d+1}) | y^0 … y^{d−1} ],   d = D − 1, …, 0;   wanted: γ_0.
///
/// Everything is evaluated in batches, one column = one path; `path` holds the components of y^0 … y^d below each other.
/// Randomness comes as standard normals, so that a problem is a set of deterministic functions; other laws are
/// transforms of them (U = Φ(z)). The functions are called from several threads at once and must not depend on how paths
/// are gathered into batches.
class NestedProblem {
 public:
  virtual ~NestedProblem() = default;

  virtual Index depth() const = 0;  ///< D
  /// Names of the components of y^d, all distinct; may be empty (then nothing is drawn at d).
  virtual const std::vector<std::string>& names(Index d) const = 0;
  /// Standard normals that one draw of y^d takes.
  virtual Index normals(Index d) const = 0;

  /// @param past components of y^0 … y^{d−1}, one column per path
  /// @param z    standard normals, `normals(d)` × n
  /// @param y    components of y^d, filled
  virtual void sample(Index d, const ConstMatrix& past, const ConstMatrix& z, MutMatrix y) const = 0;

  /// @param path  components of y^0 … y^d, one column per path
  /// @param inner values in the place of γ_{d+1}, one per path; without meaning at d = D
  /// @param out   g_d, filled
  virtual void link(Index d, const ConstMatrix& path, const ConstVector& inner, MutVector out) const = 0;
};

/// A nested problem from two batch functions of the caller, arguments as in NestedProblem.
struct NestedFunctions {
  std::vector<std::vector<std::string>> names;  ///< of the components of y^0, …, y^D; sets D
  std::vector<Index> normals;                   ///< per depth; empty = as many as components
  std::function<void(Index d, const ConstMatrix& past, const ConstMatrix& z, MutMatrix y)> sample;
  std::function<void(Index d, const ConstMatrix& path, const ConstVector& inner, MutVector out)> link;
};
/// @throws Error(usage) for no depth, duplicate names, wrong lengths or an empty function
std::shared_ptr<const NestedProblem> make_nested_problem(NestedFunctions functions);

/// A nested problem that a configuration may name, and what is known exactly about it.
struct NamedNestedProblem {
  std::string name;
  std::string summary;  ///< one sentence with source
  std::function<std::shared_ptr<const NestedProblem>()> make;
  std::vector<KnownValue> known;  ///< quantity "value" = γ_0
};

const std::vector<NamedNestedProblem>& named_nested_problems();
/// @throws Error(configuration) with the nearest name
const NamedNestedProblem& named_nested_problem(std::string_view name);

}  // namespace buffon
