// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <string_view>

namespace buffon {

/// Words of PointSpace, in the order of its values.
inline constexpr std::array<std::string_view, 3> space_words = {"auto", "standard", "physical"};

}  // namespace buffon
