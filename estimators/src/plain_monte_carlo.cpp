// SPDX-License-Identifier: BSD-3-Clause
#include "option_words.hpp"

#include <buffon/core/check_options.hpp>
#include <buffon/estimators/plain_monte_carlo.hpp>

#include <utility>

namespace buffon {
namespace {

AuxiliaryMixture law_of_inputs(const PlainMonteCarloOptions& options) {
  check_options("plain_monte_carlo", options);
  AuxiliaryMixture law;
  law.initial_share = 1;
  return law;
}

}  // namespace

void describe(OptionVisitor& v, PlainMonteCarloOptions& o) { describe_targets(v, o); }

PlainMonteCarlo::PlainMonteCarlo(const Problem& problem, const PlainMonteCarloOptions& options, const Stream& stream)
    : PlainMonteCarlo(problem_integrands(problem, PointSpace::automatic, "plain_monte_carlo"), options, stream) {}

PlainMonteCarlo::PlainMonteCarlo(std::shared_ptr<const Integrands> integrands, const PlainMonteCarloOptions& options, const Stream& stream)
    : SampleRun(std::move(integrands), law_of_inputs(options), targets_of(options), stream.child("plain_monte_carlo")) {}

PlainMonteCarloResult plain_monte_carlo(const Problem& problem, const PlainMonteCarloOptions& options, const Stream& stream, Context& context) {
  PlainMonteCarlo method(problem, options, stream);
  run_to_end(method, context);
  return method.result();
}

}  // namespace buffon
