// SPDX-License-Identifier: BSD-3-Clause
#include "entry.hpp"

#include "cases.hpp"

namespace buffon::reproduce::diffusion_solvers {

ReproduceEntry entry() {
  return {
      .name = "diffusion-solvers",
      .title = "Convergence of training-free solvers of diffusion and flow models on models whose flow is known",
      .summary =
          "34 solvers on four grids on a mixture of three Gaussians, their orders, solvers of the linear flow, exact laws of solvers with noise on Gaussian "
          "data, and a flow network; reference numbers of an independent implementation.",
      .run = [](const ReproduceOptions& options) {
        ReproduceTable table;
        convergence(options, table);
        options.progress(0.6);
        linear_flow(options, table);
        options.progress(0.65);
        gaussian_laws(options, table);
        options.progress(0.7);
        flow_network(options, table);
        options.progress(1);
        return table;
      }};
}

}  // namespace buffon::reproduce::diffusion_solvers
