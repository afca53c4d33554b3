// SPDX-License-Identifier: BSD-3-Clause
// What a user of the library writes: the mean of x² for a standard normal x, with its error bar.
#include <buffon/model/nested_plugin.h>
#include <buffon/estimators/plain_monte_carlo.hpp>
#include <buffon/model/marginal.hpp>
#include <buffon/model/problem.hpp>

#include <cmath>
#include <cstdio>

static_assert(BUFFON_NESTED_ABI >= 1);

int main() {
  const auto model = buffon::make_point_model(1, "square", [](const Eigen::VectorXd& x) { return x[0] * x[0]; });
  const buffon::Problem problem(model, buffon::JointLaw({{"x", buffon::normal_law(0, 1)}}));
  buffon::Context context;
  const auto result = buffon::plain_monte_carlo(problem, {.max_evaluations = 100000}, buffon::Stream(1), context);
  for (const auto& [name, mean, group, note] : result.estimates) {
    std::printf("%s: %.4f +- %.4f\n", name.c_str(), mean.value, mean.std_error);
    if (std::abs(mean.value - 1) > 6 * mean.std_error) return 1;
  }
  return 0;
}
