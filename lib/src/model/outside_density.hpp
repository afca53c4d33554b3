// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/model/model.hpp>
#include <buffon/model/target_kind.hpp>

#include <memory>

namespace buffon::detail {

/// The log density that the one output of a model outside the library is: a program, a library, a server. A point at which it fails
/// ends in ModelError, or is NaN, that is outside the support and counted, where the setting says so.
/// @throws Error(configuration) unless the model has one output and takes the components of the parameters
std::shared_ptr<const LogDensity> outside_density(std::shared_ptr<const Model> model, const TargetSetting& setting);

}  // namespace buffon::detail
