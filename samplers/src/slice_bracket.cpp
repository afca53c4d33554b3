// SPDX-License-Identifier: BSD-3-Clause
#include "slice_bracket.hpp"

#include <string>

#include <buffon/core/error.hpp>

namespace buffon::slices {

void refuse_unbounded(const char* what, double from) {
  throw Error(ErrorCategory::numeric,
              {.doing = std::string("sampling by slices, ") + what + " from " + to_text(from),
               .rule = "the slice seems unbounded; is the target proper?",
               .remedy = "check that the density can be integrated; for heavy tails choose doubling (expand), a larger width or max_expansions"});
}

}  // namespace buffon::slices
