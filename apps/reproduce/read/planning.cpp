// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/estimators/read_plan.hpp>

#include <algorithm>
#include <cmath>

#include "cases.hpp"

namespace buffon::reproduce::read {
namespace {

struct GridPoint {
  std::vector<double> rates;
  std::vector<std::int64_t> bases;
  double product = 0;  ///< work × variance

  double leaves() const {
    double all = 1;
    for (std::size_t d = 0; d < rates.size(); ++d) all *= static_cast<double>(bases[d]) * rates[d] / (2 * rates[d] - 1);
    return all;
  }
};

std::vector<GridPoint> whole_grid() {
  std::vector<GridPoint> grid;
  for (const double r0 : {0.60, 0.65, 0.70, 0.74}) {
    for (const double r1 : {0.54, 0.56, 0.58, 0.60}) {
      for (const std::int64_t n0 : {1, 2, 4, 8}) {
        for (const std::int64_t n1 : {1, 2, 4, 8}) grid.push_back({{r0, r1}, {n0, n1}});
      }
    }
  }
  return grid;
}

std::string text_of(const std::vector<double>& rates, const std::vector<std::int64_t>& bases) {
  return "r = (" + to_text(rates[0]) + ", " + to_text(rates[1]) + "), n0 = (" + std::to_string(bases[0]) + ", " + std::to_string(bases[1]) + ")";
}

// Work × variance from 20 runs in parallel, so that the standard error comes from their spread.
Estimate measure(const ReproduceOptions& options, const std::string& problem, const GridPoint& point, double leaves, const Stream& stream,
                 ReproduceTable& table) {
  constexpr std::int64_t runs = 20;
  const std::int64_t copies = std::max<std::int64_t>(32, std::llround(leaves / point.leaves() / runs));
  const Estimator estimator = [made = problem_of(problem), point, copies](const Stream& own, Context& context) {
    const ReadResult r = buffon::read(made, {.max_copies = copies, .rates = point.rates, .base_samples = point.bases}, own, context);
    return Run{r.value, r.evaluations, r.variance_per_copy};
  };
  Moments m;
  for (const Run& run : repeat(options, runs, stream, estimator, table)) m.add(point.leaves() * run.variance_per_copy);
  return m.estimate();
}

}  // namespace

// The proposal of the plan against a grid of 256 settings: a short run of each, longer runs of the best 16, and new runs of the
// best of these, of the proposal and of the defaults.
void planning(const ReproduceOptions& options, double from, double to, ReproduceTable& table) {
  const std::vector<Experiment> problems = {experiments[0], {"T2", "square_of_cos"}};
  const Stream root = Stream(options.seed).child("planning");
  for (std::size_t e = 0; e < problems.size(); ++e) {
    const Experiment& problem = problems[e];
    const Stream own = root.child(problem.label);
    std::vector<GridPoint> grid = whole_grid();
    for (const std::size_t round : {std::size_t{0}, std::size_t{1}}) {
      const double leaves = round == 0 ? std::max(4e5, 4e6 * options.scale) : std::max(4e6, 4e7 * options.scale);
      for (std::size_t i = 0; i < grid.size(); ++i)
        grid[i].product = measure(options, problem.name, grid[i], leaves, own.child("grid", 1000 * round + i), table).value;
      std::stable_sort(grid.begin(), grid.end(), [](const GridPoint& a, const GridPoint& b) { return a.product < b.product; });
      if (round == 0) grid.resize(16);
      options.progress(from + (to - from) * (static_cast<double>(e) + 0.4 * static_cast<double>(round + 1)) / static_cast<double>(problems.size()));
    }
    const ReadPlan plan = plan_read(problem_of(problem.name), {}, own.child("plan"), *options.context);
    table.evaluations += plan.evaluations;
    const GridPoint proposal{plan.best().rates, plan.best().base_samples}, defaults{own_rates, {1, 1}};
    const double leaves = std::max(1e7, 2e8 * options.scale);
    const std::string part = problem.label + ", planning";
    const Estimate best = measure(options, problem.name, grid.front(), leaves, own.child("best"), table);
    table.rows.push_back(reference_row(part, "leaves x variance, best of the grid", best, text_of(grid.front().rates, grid.front().bases)));
    table.rows.push_back(
        reference_row(part, "leaves x variance, defaults", measure(options, problem.name, defaults, leaves, own.child("defaults"), table), ""));
    ReproduceRow row = reference_row(part, "leaves x variance, proposal of the plan",
                                     measure(options, problem.name, proposal, leaves, own.child("proposal"), table), text_of(proposal.rates, proposal.bases));
    row.ratio = row.ours.value / best.value;
    row.criterion = "at most 1.3 x the best of the grid";
    row.holds = *row.ratio <= 1.3;
    table.rows.push_back(row);
    options.progress(from + (to - from) * static_cast<double>(e + 1) / static_cast<double>(problems.size()));
  }
}

}  // namespace buffon::reproduce::read
