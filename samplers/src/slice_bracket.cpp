// SPDX-License-Identifier: BSD-3-Clause
#include "slice_bracket.hpp"

#include <string>

#include <buffon/core/error.hpp>

namespace buffon::slices {

void refuse_unbounded(const char* what, double from) {
  throw Error(
      ErrorCategory::numeric,
      {.doing = std::string("sampling by slices, ") + what,
       .key = "bracket",
       .value = to_text(from),
       .rule = "the slice around it seems unbounded",
       .remedy = "Is the target proper? Bound the density or its parameters; for heavy tails choose a larger width, max_expansions, or doubling (expand)"});
}

}  // namespace buffon::slices
