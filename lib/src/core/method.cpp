// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/core/method.hpp>
#include <buffon/parallel/context.hpp>

namespace buffon {

void run_to_end(Method& method, Context& context) {
  while (!method.finished()) method.step(context);
}

}  // namespace buffon
