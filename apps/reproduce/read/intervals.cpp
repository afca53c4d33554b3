// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <cmath>

#include "cases.hpp"

namespace buffon::reproduce::read {
namespace {

constexpr double best_work_times_variance = 11.5;  // an independent implementation, 3·10^6 copies with r = (0.65, 0.60)

void coverage(const ReproduceOptions& options, const Stream& root, ReproduceTable& table) {
  const std::int64_t runs = std::max<std::int64_t>(1000, std::llround(4000 * options.scale));
  const std::vector<Experiment> problems = {experiments[0], experiments[1], experiments[2], {"T1", "cos_of_mean"}};
  for (const Experiment& problem : problems) {
    const double exact = exact_value(problem.name);
    std::int64_t covered = 0;
    for (const Run& run : repeat(options, runs, root.child(problem.label), read_estimator(problem.name, {}, 10000), table)) {
      covered += run.value.lower <= exact && exact <= run.value.upper ? 1 : 0;
    }
    const auto n = static_cast<double>(runs);
    const double share = static_cast<double>(covered) / n;
    ReproduceRow row = reference_row(problem.label + ", intervals", "coverage of 95 % intervals of 10,000 copies",
                                     normal_estimate(share, std::sqrt(share * (1 - share) / n), n), std::to_string(runs) + " intervals");
    row.exact = 0.95;
    row.criterion = "0.93 .. 0.97, within 2 standard errors";
    row.holds = std::abs(share - 0.95) <= 0.02 + 2 * row.ours.std_error;
    table.rows.push_back(row);
  }
}

void work_times_variance(const ReproduceOptions& options, const Stream& stream, ReproduceTable& table) {
  const std::int64_t runs = std::max<std::int64_t>(20, std::llround(200 * options.scale));
  Moments variances;
  for (const Run& run : repeat(options, runs, stream, read_estimator("sin_gaussian", own_rates, 200000), table)) variances.add(run.variance_per_copy);
  const double leaves = 0.65 / 0.30 * 0.60 / 0.20;
  ReproduceRow row =
      reference_row("E1, efficiency", "leaves x variance of a copy, r = (0.65, 0.60)",
                    normal_estimate(leaves * variances.mean(), leaves * variances.std_error()), "beside the figure of an independent implementation, 11.5");
  row.ratio = row.ours.value / best_work_times_variance;
  row.criterion = "within 15 % of 11.5, within 2 standard errors";
  row.holds = std::abs(row.ours.value - best_work_times_variance) <= 0.15 * best_work_times_variance + 2 * row.ours.std_error;
  table.rows.push_back(row);
}

void heavy_tails(const ReproduceOptions& options, const Stream& stream, ReproduceTable& table) {
  const ReadResult r = buffon::read(problem_of("quadratic_3"), {.max_copies = 20000}, stream, *options.context);
  table.evaluations += r.evaluations;
  ReproduceRow row = reference_row("T4, depth 3", "nested quadratics: value", r.value, r.warnings.empty() ? "no warning" : r.warnings.front());
  row.exact = exact_value("quadratic_3");
  row.criterion = "standard error above 1 and a warning";
  row.holds = r.value.std_error > 1 && !r.warnings.empty();
  table.rows.push_back(row);
}

}  // namespace

void intervals(const ReproduceOptions& options, double from, double to, ReproduceTable& table) {
  const Stream root = Stream(options.seed).child("intervals");
  coverage(options, root.child("coverage"), table);
  options.progress(from + 0.6 * (to - from));
  work_times_variance(options, root.child("work times variance"), table);
  options.progress(from + 0.9 * (to - from));
  heavy_tails(options, root.child("heavy tails"), table);
  options.progress(to);
}

}  // namespace buffon::reproduce::read
