// SPDX-License-Identifier: BSD-3-Clause
// Any text is either refused with an Error or evaluated, and evaluated to the same bits twice.
#include <buffon/core/error.hpp>
#include <buffon/model/model_kind.hpp>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  std::shared_ptr<const buffon::Model> model;
  try {
    model = buffon::expression_model({"x", "y1", "gamma"}, {"z"}, {text});
  } catch (const buffon::Error& error) {
    if (error.category() != buffon::ErrorCategory::configuration) std::abort();
    // The grammar check must be complete: what it lets pass is evaluated.
    if (error.text().rule.rfind("is not understood", 0) == 0) std::abort();
    return 0;
  }
  Eigen::MatrixXd points(3, 4);
  points << 0, 1, -2.5, 1e300, 0, 2, 3, -1e-300, 1, 1, 0.5, 7;
  Eigen::MatrixXd first(1, 4), second(1, 4);
  model->evaluate(points, first, {});
  for (buffon::Index i = 0; i < 4; ++i) {
    model->evaluate(points.col(i), second.col(i), {});
    const double a = first(0, i), b = second(0, i);
    if (!(a == b) && !(a != a && b != b)) std::abort();
  }
  return 0;
}
