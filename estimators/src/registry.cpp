// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/estimators/registry.hpp>

#include <buffon/estimators/aiscv.hpp>
#include <buffon/estimators/importance_sampling.hpp>
#include <buffon/estimators/multilevel_monte_carlo.hpp>
#include <buffon/estimators/nested_monte_carlo.hpp>
#include <buffon/estimators/plain_monte_carlo.hpp>
#include <buffon/estimators/read.hpp>
#include <buffon/estimators/sobol.hpp>
#include <buffon/estimators/sobol_aiscv.hpp>

namespace buffon {

const std::vector<MethodEntry>& estimator_methods() {
  static const std::vector<MethodEntry> entries = {
      method_entry<PlainMonteCarlo, PlainMonteCarloOptions>("plain_monte_carlo", "Plain Monte Carlo",
                                                            "Means and probabilities from independent draws; the method to begin with",
                                                            Shards{true, {"target_std_error", "target_relative_error"}}),
      method_entry<ImportanceSampling, ImportanceSamplingOptions>(
          "importance_sampling", "Importance sampling with a given law",
          "Means and probabilities from draws around centres that you give, for when you know where it matters",
          Shards{true, {"target_std_error", "target_relative_error"}}),
      method_entry<AiscvKernel, AiscvOptions>("aiscv", "Adaptive importance sampling with control variates",
                                              "Many expectations from one sample, which adapts to all of them; also rare events and several input laws"),
      method_entry<Sobol, SobolOptions>("sobol", "Sobol' indices by pick-freeze sampling",
                                        "First-order, total and closed variance-based sensitivity indices by centred classical estimators",
                                        Shards{true, {"target_half_width"}}),
      method_entry<SobolAiscv, SobolAiscvOptions>(
          "sobol_aiscv", "Sobol' indices by adaptive importance sampling",
          "First-order, total and closed indices of a non-negative smooth output, at fewer evaluations than classical estimators"),
      method_entry<Read, ReadOptions>("read", "READ: unbiased nested expectations",
                                      "Repeatedly nested expectations (optimal stopping, experimental design) without bias, at any depth",
                                      Shards{true, {"max_evaluations", "target_std_error"}}),
      method_entry<NestedMonteCarlo, NestedMonteCarloOptions>("nested_monte_carlo", "Nested Monte Carlo",
                                                              "Repeatedly nested expectations with fixed inner sample sizes; biased, to compare read with",
                                                              Shards{true}),
      method_entry<MultilevelMonteCarlo, MultilevelMonteCarloOptions>("multilevel_monte_carlo", "Multilevel Monte Carlo",
                                                                      "Nested expectations of depth 1 to a given root mean squared error"),
  };
  return entries;
}

}  // namespace buffon
