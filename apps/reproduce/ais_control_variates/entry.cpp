// SPDX-License-Identifier: BSD-3-Clause
#include "entry.hpp"

#include "cases.hpp"

namespace buffon::reproduce::ais_control_variates {

ReproduceEntry entry() {
  return {.name = "ais-control-variates",
          .title =
              "J. Demange-Chryst, F. Bachoc, J. Morio, Efficient estimation of multiple expectations with the same sample by adaptive importance sampling and "
              "control variates, 2023",
          .summary = "Cases A (moments of a Gaussian), B (a beam under 100 laws) and C (Sobol' indices of the beam): sums of variances over 200 repetitions.",
          .run = [](const ReproduceOptions& options) {
            ReproduceTable table;
            options.say("A: ten moments of a Gaussian");
            gaussian_moments(options, 0, 0.15, table);
            options.say("B: mean tip displacement of a beam under 100 laws");
            cantilever_laws(options, 0.15, 0.6, table);
            options.say("C: first-order Sobol' indices of the beam");
            cantilever_indices(options, 0.6, 1, table);
            return table;
          }};
}

}  // namespace buffon::reproduce::ais_control_variates
