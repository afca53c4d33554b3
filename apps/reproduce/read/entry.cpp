// SPDX-License-Identifier: BSD-3-Clause
#include "entry.hpp"

#include "cases.hpp"

namespace buffon::reproduce::read {

ReproduceEntry entry() {
  return {.name = "read",
          .title = "Y. Syed, G. Wang, Optimal randomized multilevel Monte Carlo for repeatedly nested expectations, 2023",
          .summary =
              "Three experiments of depth 2 (sine of a Gaussian walk, sine of Student t, logistic of a Gaussian walk): one run of READ and of two nested Monte "
              "Carlo designs, squared error against cost, the running average, and the coverage of the intervals.",
          .run = [](const ReproduceOptions& options) {
            ReproduceTable table;
            options.say("single runs");
            single_runs(options, 0, 0.4, table);
            options.say("squared error against cost");
            error_against_cost(options, 0.4, 0.85, table);
            options.say("running averages");
            running_averages(options, 0.85, 0.88, table);
            options.say("coverage, work times variance, heavy tails");
            intervals(options, 0.88, 0.93, table);
            options.say("planning against a grid of settings");
            planning(options, 0.93, 1, table);
            return table;
          }};
}

}  // namespace buffon::reproduce::read
