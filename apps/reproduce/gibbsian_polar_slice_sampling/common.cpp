// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/core/error.hpp>
#include <buffon/parallel/blocks.hpp>
#include <buffon/samplers/elliptical_slice.hpp>
#include <buffon/samplers/hit_and_run_slice.hpp>
#include <buffon/samplers/polar_slice.hpp>
#include <buffon/stats/chain_diagnostics.hpp>
#include <buffon/stats/quantile.hpp>

#include <algorithm>
#include <cmath>
#include <span>
#include <utility>

#include "cases.hpp"

namespace buffon::reproduce::gibbsian_polar_slice_sampling {

std::vector<Trace> run_chains(const ReproduceOptions& options, const Stream& stream, const std::vector<Contestant>& contestants, const Eigen::VectorXd& x0,
                              Index statistics, const Observe& observe, ReproduceTable& table) {
  std::vector<Trace> traces(contestants.size());
  for_blocks(*options.context, static_cast<std::int64_t>(contestants.size()), 1, [&](const Block& block) {
    const auto k = static_cast<std::size_t>(block.begin);
    const auto iterations = static_cast<Index>(contestants[k].iterations);
    Trace& trace = traces[k];
    trace.values.resize(iterations, statistics);
    trace.evaluations.resize(iterations);
    trace.mean = Eigen::VectorXd::Zero(x0.size());
    const std::unique_ptr<SliceKernel> chain = contestants[k].make();
    chain->start(x0);
    ItemDraws draws(stream.child(contestants[k].name), chain->normals());
    Eigen::VectorXd before = x0;
    Eigen::RowVectorXd out(statistics);
    double length = 0;
    for (Index t = 0; t < iterations; ++t) {
      if (t % 256 == 0) options.context->throw_if_stopped();
      const std::int64_t spent = chain->counts().evaluations;
      draws.begin(static_cast<std::uint64_t>(t));
      chain->step(draws);
      trace.evaluations(t) = static_cast<double>(chain->counts().evaluations - spent);
      length += (chain->point() - before).norm();
      before = chain->point();
      if (t >= iterations / 2) trace.mean += before;
      observe(before, out);
      trace.values.row(t) = out;
    }
    trace.mean_step = length / static_cast<double>(iterations);
    trace.mean /= static_cast<double>(iterations - iterations / 2);
    options.context->add_evaluations(chain->counts().evaluations);
  });
  for (const Trace& trace : traces) table.evaluations += std::llround(trace.evaluations.sum());
  return traces;
}

std::unique_ptr<SliceKernel> polar(std::shared_ptr<const LogDensity> density, double width, std::int64_t max_expansions) {
  return std::make_unique<PolarSlice>(std::move(density), PolarSliceOptions{.width = width, .max_expansions = max_expansions});
}

std::unique_ptr<SliceKernel> hit_and_run(std::shared_ptr<const LogDensity> density, double width) {
  return std::make_unique<HitAndRunSlice>(std::move(density), HitAndRunSliceOptions{.width = width});
}

std::unique_ptr<SliceKernel> elliptical(std::shared_ptr<const LogDensity> density, AffineFrame frame) {
  auto kernel = std::make_unique<EllipticalSlice>(std::move(density), EllipticalSliceOptions{});
  kernel->set_frame(std::move(frame));
  return kernel;
}

std::int64_t scaled(const ReproduceOptions& options, double iterations, std::int64_t least) {
  return std::max(least, static_cast<std::int64_t>(std::llround(iterations * options.scale)));
}

void evaluation_rows(const std::string& part, const std::vector<Contestant>& contestants, const std::vector<Trace>& traces,
                     const std::vector<std::string>& paper, ReproduceTable& table) {
  for (std::size_t k = 0; k < contestants.size(); ++k) {
    const Eigen::VectorXd& spent = traces[k].evaluations;
    const std::span<const double> values(spent.data(), static_cast<std::size_t>(spent.size()));
    const auto whole = [&](double p) { return std::to_string(std::llround(sample_quantile(values, p))); };
    table.rows.push_back(shown_row(part, contestants[k].name + ": evaluations per iteration", spent.mean(), paper[k],
                                   "median " + whole(0.5) + ", 90 % quantile " + whole(0.9) + ", 99 % quantile " + whole(0.99) + ", most " + whole(1) +
                                       "; the paper's code evaluates the current point once more"));
  }
}

Estimate mean_of(const Eigen::VectorXd& values) {
  const Eigen::MatrixXd column = values;
  return normal_estimate(values.mean(), mcse_mean(column), ess_mean(column));
}

ReproduceRow exact_row(std::string part, std::string quantity, const Estimate& ours, double exact) {
  ReproduceRow row{.part = std::move(part), .quantity = std::move(quantity), .exact = exact, .ours = ours};
  row.criterion = "within 4 standard errors of the exact value";
  row.holds = std::abs(ours.value - exact) <= 4 * ours.std_error;
  return row;
}

ReproduceRow shown_row(std::string part, std::string quantity, double ours, std::string paper, std::string note) {
  return {.part = std::move(part), .quantity = std::move(quantity), .paper = std::move(paper), .ours = normal_estimate(ours, 0), .note = std::move(note)};
}

ReproduceRow judged_row(std::string part, std::string quantity, double ours, std::string paper, std::string criterion, bool holds, std::string note) {
  ReproduceRow row = shown_row(std::move(part), std::move(quantity), ours, std::move(paper), std::move(note));
  row.criterion = std::move(criterion);
  row.holds = holds;
  return row;
}

}  // namespace buffon::reproduce::gibbsian_polar_slice_sampling
