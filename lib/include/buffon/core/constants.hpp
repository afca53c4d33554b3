// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <limits>

/// Names that sources take with a using-declaration.
namespace buffon::constants {

inline constexpr double infinity = std::numeric_limits<double>::infinity();
inline constexpr double nan = std::numeric_limits<double>::quiet_NaN();  ///< what is not known

}  // namespace buffon::constants
