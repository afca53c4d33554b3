// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/estimators/nested_monte_carlo.hpp>
#include <buffon/parallel/blocks.hpp>

#include <utility>

#include "cases.hpp"

namespace buffon::reproduce::read {

std::shared_ptr<const NestedProblem> problem_of(const std::string& name) { return named_nested_problem(name).make(); }

double exact_value(const std::string& name) { return named_nested_problem(name).known.front().value; }

Estimator read_estimator(const std::string& problem, std::vector<double> rates, std::int64_t copies) {
  return [problem = problem_of(problem), rates = std::move(rates), copies](const Stream& stream, Context& context) {
    const ReadResult r = buffon::read(problem, {.max_copies = copies, .rates = rates}, stream, context);
    return Run{r.value, r.evaluations, r.variance_per_copy};
  };
}

Estimator nested_estimator(const std::string& problem, std::vector<std::int64_t> samples) {
  return [problem = problem_of(problem), samples = std::move(samples)](const Stream& stream, Context& context) {
    const NestedMonteCarloResult r = nested_monte_carlo(problem, {.samples = samples}, stream, context);
    return Run{r.value, r.evaluations, 0};
  };
}

std::vector<Run> repeat(const ReproduceOptions& options, std::int64_t runs, const Stream& stream, const Estimator& estimator, ReproduceTable& table) {
  std::vector<Run> all(static_cast<std::size_t>(runs));
  for_blocks(*options.context, runs, 1, [&](const Block& block) {
    Context alone(1, options.context->stop_token());
    all[static_cast<std::size_t>(block.begin)] = estimator(stream.child("run", static_cast<std::uint64_t>(block.begin)), alone);
  });
  for (const Run& run : all) {
    table.evaluations += run.evaluations;
    options.context->add_evaluations(run.evaluations);
  }
  return all;
}

Estimate mean_squared_error(const std::vector<Run>& runs, double exact) {
  Moments squares;
  for (const Run& run : runs) squares.add((run.value.value - exact) * (run.value.value - exact));
  return squares.estimate();
}

ReproduceRow reference_row(std::string part, std::string quantity, const Estimate& ours, std::string note) {
  return {.part = std::move(part), .quantity = std::move(quantity), .ours = ours, .note = std::move(note)};
}

}  // namespace buffon::reproduce::read
