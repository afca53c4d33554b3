// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>
#include <vector>

#include <buffon/io/option_list.hpp>

namespace buffon::cli {

/// JSON schema (draft 7) of a table of options; unknown keys are not allowed.
std::string options_schema(const std::vector<ListedOption>& options);

/// JSON schema of a whole job: every method, law and kind of model.
std::string job_schema();

}  // namespace buffon::cli
