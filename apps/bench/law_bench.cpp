// SPDX-License-Identifier: BSD-3-Clause
// From normal scores to inputs in bulk, on every instruction set: each law against the cost of one std::erfc per value.
#include <buffon/model/joint_law.hpp>
#include <buffon/random/kernel_variant.hpp>
#include <buffon/random/stream.hpp>

#include <cmath>
#include <string>

#include "interleave.hpp"

using namespace buffon;

int main(int argc, char** argv) {
  bench::Report report("law_bench", argc, argv);
  constexpr Index n = 16384;
  for (const auto variant : available_kernel_variants()) {
    force_kernel_variant(variant);
    for (const Marginal& law : {uniform_law(-1, 3), triangular_law(0, 1, 4), exponential_law(2), gumbel_law(1, 2), weibull_law(1.5, 2)}) {
      const JointLaw joint({{"x1", law}, {"x2", law}, {"x3", law}});
      Eigen::MatrixXd u(3, n), x(3, n), y(3, n);
      Stream(1).normals(0, u);
      report.compare(law.describe() + ", " + std::string(variant), "M/s", 3e-6 * n,
                     {{"from_standard", [&] { joint.from_standard(u, x); }}, {"0.5 erfc(-u / sqrt 2)", [&] {
                                                                                for (Index i = 0; i < u.size(); ++i) {
                                                                                  y.data()[i] = 0.5 * std::erfc(-0.70710678118654752 * u.data()[i]);
                                                                                }
                                                                              }}});
    }
  }
  return report.finish();
}
