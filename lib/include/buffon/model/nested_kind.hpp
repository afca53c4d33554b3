// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/core/options.hpp>
#include <buffon/model/nested_expressions.hpp>
#include <buffon/model/nested_problem.hpp>

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace buffon {

/// What the maker of a nested problem may need to know besides its own options.
struct NestedSetting {
  std::filesystem::path base_directory;  ///< of the configuration file; relative paths start here
  std::vector<NestedStage> stages;       ///< for kinds with `stages`
};

/// A kind of nested problem as a configuration names it (`[nested] kind = "named"`).
struct NestedKind {
  std::string name;
  std::string summary;
  std::function<void(OptionVisitor&)> describe;  ///< visits default options
  std::function<std::shared_ptr<const NestedProblem>(OptionVisitor&, const NestedSetting&)> make;
  bool stages = false;  ///< the problem is written in sections [[stages]]
};

/// The order is that of `buffon list nested`.
const std::vector<NestedKind>& nested_kinds();

}  // namespace buffon
