// SPDX-License-Identifier: BSD-3-Clause
#include "entry.hpp"

#include "cases.hpp"

namespace buffon::reproduce::gibbsian_polar_slice_sampling {

ReproduceEntry entry() {
  return {.name = "gibbsian-polar-slice-sampling",
          .title = "P. Schär, M. Habeck, D. Rudolf, Gibbsian polar slice sampling, ICML 2023",
          .summary =
              "Five experiments (Cauchy, disk near a hyperplane, modes on the axes, Neal's funnel, logistic regression): polar, hit-and-run and elliptical "
              "slice sampling side by side, with evaluations per iteration, autocorrelation times and exact moments.",
          .run = [](const ReproduceOptions& options) {
            ReproduceTable table;
            options.say("Cauchy");
            cauchy(options, table);
            options.progress(0.25);
            options.say("disk near a hyperplane");
            hyperplane_disk(options, table);
            options.progress(0.3);
            options.say("modes on the axes");
            axial_modes(options, table);
            options.progress(0.5);
            options.say("funnel");
            funnel(options, table);
            options.progress(0.7);
            options.say("logistic regression");
            logistic_regression(options, table);
            options.progress(1);
            return table;
          }};
}

}  // namespace buffon::reproduce::gibbsian_polar_slice_sampling
