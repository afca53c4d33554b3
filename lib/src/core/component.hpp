// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>

namespace buffon::detail {

/// A part of buffon in a library of its own, loaded when it is asked for and never unloaded.
struct Component {
  void* symbol = nullptr;    ///< the function that was asked for
  std::string why_not = {};  ///< why there is none
};

/// Looks for libbuffon_NAME.so in the folder that the environment variable BUFFON_COMPONENTS names, beside this code and in the folder of libraries that
/// belongs to it, then where the system looks; and in it for a function.
Component load_component(const std::string& name, const char* symbol);

}  // namespace buffon::detail
