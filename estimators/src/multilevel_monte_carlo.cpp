// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/core/archive.hpp>
#include <buffon/core/check_options.hpp>
#include <buffon/core/constants.hpp>
#include <buffon/core/error.hpp>
#include <buffon/estimators/multilevel_monte_carlo.hpp>
#include <buffon/parallel/blocks.hpp>
#include <buffon/stats/outcome.hpp>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

#include "nested_copies.hpp"

namespace buffon {
namespace {

using constants::nan;
constexpr std::int64_t first_levels = 3;  // 0, 1, 2: what a fit of the rates needs
constexpr std::int64_t block_leaves = 1 << 14;
constexpr std::int64_t round_leaves = 1 << 24;  // of one level
constexpr double enough = 0.01;                 // a level that misses this share of its copies is complete
constexpr double fewest_copies = 32;
constexpr double inconsistent = 6;  // standard errors; a chance of 2e-9
constexpr double suspicious_kurtosis = 100;

// Slope of log2 |value_l| against l ≥ 1, with the sign changed.
double fitted_rate(const std::vector<double>& values) {
  double n = 0, x = 0, y = 0, xx = 0, xy = 0;
  for (std::size_t l = 1; l < values.size(); ++l) {
    if (!(values[l] > 0)) continue;
    const double at = static_cast<double>(l), v = std::log2(values[l]);
    n += 1, x += at, y += v, xx += at * at, xy += at * v;
  }
  return n < 2 ? nan : -(n * xy - x * y) / (n * xx - x * x);
}

}  // namespace

void describe(OptionVisitor& v, MultilevelMonteCarloOptions& o) {
  v.on({.name = "target_rmse", .meaning = "Root mean squared error to reach, bias and sampling error together.", .range = positive()}, o.target_rmse);
  v.on({.name = "base_samples", .meaning = "Inner draws of level 0; level l has 2^l times as many.", .unit = "draws", .range = between(1, 1 << 20)},
       o.base_samples);
  v.on({.name = "initial_copies",
        .meaning = "Copies of the levels 0, 1 and 2 to begin with, from which the variances are first known.",
        .unit = "copies",
        .range = between(16, 1e6)},
       o.initial_copies);
  v.on({.name = "max_level", .meaning = "Highest level; when the bias is not small there, a warning says so.", .range = between(2, 40)}, o.max_level);
  v.on({.name = "max_evaluations",
        .meaning = "Innermost evaluations after which no new round is begun, 0 = no limit.",
        .unit = "evaluations",
        .range = at_least(0)},
       o.max_evaluations);
  v.on({.name = "level", .meaning = "Confidence level of the interval.", .range = strictly_between(0, 1)}, o.level);
}

struct MultilevelMonteCarlo::State {
  LevelTally tally{1};
  std::vector<std::int64_t> copies;  // per level, done
  std::string asked, reason;

  std::int64_t levels() const { return static_cast<std::int64_t>(copies.size()); }
  std::int64_t drawn() const { return levels() - (copies.empty() || copies.back() > 0 ? 0 : 1); }  // a new level has no copies yet
  const LevelSums& sums(std::int64_t l) const { return tally.at(0, l); }

  double weak_rate() const {
    std::vector<double> means;
    for (std::int64_t l = 0; l < drawn(); ++l) means.push_back(std::abs(sums(l).mean()));
    return std::max(0.5, fitted_rate(means));
  }
  double variance_rate() const {
    std::vector<double> variances;
    for (std::int64_t l = 0; l < drawn(); ++l) variances.push_back(sums(l).variance());
    return std::max(0.5, fitted_rate(variances));
  }
  /// What the levels above the highest would add, extrapolated from the last three.
  double bias() const {
    const double alpha = weak_rate();
    double largest = 0;
    for (std::int64_t i = 0; i < 3 && i + 1 < drawn(); ++i)
      largest = std::max(largest, std::abs(sums(drawn() - 1 - i).mean()) * std::exp2(-alpha * static_cast<double>(i)));
    return largest / (std::exp2(alpha) - 1);
  }
  double value() const {
    double sum = 0;
    for (std::int64_t l = 0; l < drawn(); ++l) sum += sums(l).mean();
    return sum;
  }
  double std_error() const {
    double sum = 0;
    for (std::int64_t l = 0; l < drawn(); ++l) sum += sums(l).variance() / static_cast<double>(copies[static_cast<std::size_t>(l)]);
    return std::sqrt(sum);
  }
  /// False where the levels above 0 are rounding errors: links that are linear in the inner value.
  bool levels_matter() const { return sums(1).variance() > 1e-24 * std::max(sums(0).variance(), sums(0).mean() * sums(0).mean()); }
  /// Coarse mean of level l against fine mean of level l − 1, two estimates of one number, in standard errors.
  double inconsistency(std::int64_t l) const {
    const LevelSums &fine = sums(l - 1), &coarse = sums(l);
    const auto variance = [](const LevelSums& s) {
      const double n = static_cast<double>(s.nodes), m = s.fine / n;
      return std::max(0.0, s.fine_squares / n - m * m) / n;
    };
    const double error = std::sqrt(variance(fine) + variance(coarse));
    return std::abs((coarse.fine - coarse.sum) / static_cast<double>(coarse.nodes) - fine.fine / static_cast<double>(fine.nodes)) / error;
  }
};

MultilevelMonteCarlo::MultilevelMonteCarlo(std::shared_ptr<const NestedProblem> problem, MultilevelMonteCarloOptions options, const Stream& stream)
    : problem_(std::move(problem)), options_(options), stream_(stream.child("multilevel_monte_carlo")), state_(std::make_unique<State>()) {
  check_options("multilevel_monte_carlo", options_);
  if (problem_->depth() != 1) {
    throw Error(ErrorCategory::configuration, {.doing = "setting up multilevel_monte_carlo",
                                               .rule = "the nested problem has depth " + std::to_string(problem_->depth()) + " and must have depth 1",
                                               .remedy = "use the method read for other depths"});
  }
}

MultilevelMonteCarlo::~MultilevelMonteCarlo() = default;

// N_l of all levels. The variance of a level that has just been added is extrapolated from the one below.
std::vector<std::int64_t> MultilevelMonteCarlo::wanted_copies() const {
  const State& s = *state_;
  std::vector<double> variance, cost;
  double sum = 0;
  for (std::int64_t l = 0; l < s.levels(); ++l) {
    variance.push_back(s.copies[static_cast<std::size_t>(l)] > 0 ? s.sums(l).variance() : variance.back() * std::exp2(-s.variance_rate()));
    cost.push_back(std::ldexp(static_cast<double>(options_.base_samples), static_cast<int>(l)));
    sum += std::sqrt(variance.back() * cost.back());
  }
  std::vector<std::int64_t> wanted;
  for (std::size_t l = 0; l < cost.size(); ++l) {
    const double n = std::ceil(2 / (options_.target_rmse * options_.target_rmse) * std::sqrt(variance[l] / cost[l]) * sum);
    wanted.push_back(static_cast<std::int64_t>(std::clamp(n, fewest_copies, 0x1p50)));
  }
  return wanted;
}

// Adds at least `missing` copies of level l, or what a round allows: whole blocks, so that copy i of a level is the same whenever
// it is drawn.
void MultilevelMonteCarlo::draw(Context& context, std::int64_t l, std::int64_t missing) {
  const std::int64_t leaves = options_.base_samples << l;
  const std::int64_t block = std::clamp<std::int64_t>(block_leaves / leaves, 16, 1024);
  missing = std::min(block_count(missing, block) * block, std::max(block, round_leaves / leaves / block * block));
  std::int64_t& copies = state_->copies[static_cast<std::size_t>(l)];
  const std::int64_t first = copies / block;
  const std::vector<LevelLaw> laws = {LevelLaw(0.5, options_.base_samples, l, l)};
  const Stream stream = stream_.peek("level", static_cast<std::uint64_t>(l));
  state_->tally.merge(reduce_blocks<LevelTally>(
      context, missing, block,
      [&](const Block& b) {
        LevelTally tally(1);
        Eigen::VectorXd values(b.size());
        NestedCopies(*problem_, laws).run(context, stream.peek("batch", static_cast<std::uint64_t>(first + b.index)), values, tally);
        context.add_evaluations(tally.leaves);
        return tally;
      },
      [](LevelTally& into, const LevelTally& from) { into.merge(from); }));
  copies += missing;
}

void MultilevelMonteCarlo::step(Context& context) {
  State& s = *state_;
  if (s.copies.empty()) s.copies.assign(first_levels, 0);
  const bool beginning = *std::min_element(s.copies.begin(), s.copies.begin() + first_levels) < options_.initial_copies;
  const std::vector<std::int64_t> wanted = beginning ? std::vector<std::int64_t>(first_levels, options_.initial_copies) : wanted_copies();
  bool complete = true;
  for (std::int64_t l = 0; l < s.levels(); ++l) {
    const std::int64_t copies = s.copies[static_cast<std::size_t>(l)], missing = wanted[static_cast<std::size_t>(l)] - copies;
    if (static_cast<double>(missing) <= enough * static_cast<double>(copies)) continue;
    draw(context, l, missing);
    complete = false;
  }

  if (!s.asked.empty()) {
    s.reason = s.asked;
  } else if (options_.max_evaluations > 0 && s.tally.leaves >= options_.max_evaluations) {
    s.reason = "the budget was spent";
  } else if (complete) {
    if (s.bias() <= options_.target_rmse / std::numbers::sqrt2) {
      s.reason = "the target error was reached";
    } else if (s.levels() > options_.max_level) {
      s.reason = "the highest level was reached";
    } else {
      s.copies.push_back(0);
    }
  }
}

bool MultilevelMonteCarlo::finished() const { return !state_->reason.empty() || (!state_->asked.empty() && !state_->copies.empty()); }
void MultilevelMonteCarlo::stop(const std::string& reason) { state_->asked = reason; }

Progress MultilevelMonteCarlo::progress() const {
  const State& s = *state_;
  Progress p;
  p.evaluations = s.tally.leaves;
  p.phase = s.copies.empty() ? "first levels" : std::to_string(s.levels()) + " levels";
  p.name = "value";
  if (s.drawn() > 0) {
    p.current = normal_estimate(s.value(), s.std_error(), 0, options_.level);
    const double target = options_.target_rmse / std::numbers::sqrt2;
    p.fraction = std::min(1.0, std::pow(target / std::max(target, s.std_error()), 2));
  }
  if (finished()) p.fraction = 1;
  return p;
}

Outcome MultilevelMonteCarlo::outcome() const {
  const State& s = *state_;
  Outcome o;
  o.evaluations = s.tally.leaves;
  o.stop_reason = !s.reason.empty() ? s.reason : s.asked;
  if (s.drawn() == 0) {
    o.estimates.push_back({.name = "value", .estimate = {nan, nan, nan, nan, options_.level, 0}});
    return o;
  }
  const double alpha = s.weak_rate(), beta = s.variance_rate(), bias = s.bias();
  o.estimates.push_back({.name = "value", .estimate = normal_estimate(s.value(), s.std_error(), 0, options_.level)});
  o.diagnostics = {
      {.name = "levels", .value = s.drawn(), .meaning = "levels drawn, 0 included"},
      {.name = "bias_bound", .value = bias, .meaning = "extrapolated size of what higher levels would add; not in the standard error"},
      {.name = "weak_rate", .value = alpha, .meaning = "fitted alpha: the mean of a level falls like 2^(-alpha level); 1 for smooth links"},
      {.name = "variance_rate",
       .value = beta,
       .meaning = "fitted beta: the variance of a level falls like 2^(-beta level); 2 for smooth links, 1.5 with kinks, 0.5 with jumps"},
  };
  if (bias > options_.target_rmse / std::numbers::sqrt2) {
    o.warnings.push_back("The bias left above the highest level is about " + to_text(bias) + ", more than " +
                         to_text(options_.target_rmse / std::numbers::sqrt2) +
                         " allows: the interval is too narrow. Raise max_level or max_evaluations, or use the unbiased method read.");
  }
  if (beta < 1 && s.levels_matter()) {
    o.warnings.push_back("The variance of the levels falls slower than their cost grows (beta = " + to_text(beta) +
                         "): the link jumps or is only continuous, and the cost grows faster than 1 / error^2. Smooth the link.");
  }
  Table levels{.name = "levels",
               .title = "Levels",
               .columns = {"level", "inner draws", "copies", "mean", "variance", "kurtosis", "consistency (standard errors)"},
               .rows = Eigen::MatrixXd(s.drawn(), 7),
               .row_labels = {}};
  for (std::int64_t l = 0; l < s.drawn(); ++l) {
    const LevelSums& sums = s.sums(l);
    const double off = l > 0 ? s.inconsistency(l) : nan;
    levels.rows.row(l) << static_cast<double>(l), std::ldexp(static_cast<double>(options_.base_samples), static_cast<int>(l)), static_cast<double>(sums.nodes),
        sums.mean(), sums.variance(), sums.kurtosis(), off;
    if (off > inconsistent) {
      o.warnings.push_back(
          "The mean of the coarse half of level " + std::to_string(l) + " is " + to_text(std::round(10 * off) / 10) +
          " standard errors from the fine mean of the level below, which has the same expectation: the link or the path sampler depends on more than "
          "its arguments, or the tails are too heavy for these errors.");
    }
    if (l > 0 && sums.nodes > 1000 && sums.kurtosis() > suspicious_kurtosis) {
      o.warnings.push_back("The differences of level " + std::to_string(l) + " have kurtosis " + to_text(std::round(sums.kurtosis())) +
                           ": few copies carry the variance, and its estimate is not reliable.");
    }
  }
  o.tables.push_back(std::move(levels));
  return o;
}

void MultilevelMonteCarlo::describe_state(Archive& archive) {
  State& s = *state_;
  archive.item("tally", s.tally);
  archive.item("copies", s.copies);
  archive.item("asked", s.asked);
  archive.item("reason", s.reason);
}

MultilevelMonteCarloResult MultilevelMonteCarlo::result() const {
  Outcome o = outcome();
  const State& s = *state_;
  return {o.estimates.front().estimate, s.bias(), s.weak_rate(), s.variance_rate(), s.copies, s.tally.leaves, std::move(o.warnings), std::move(o.stop_reason)};
}

MultilevelMonteCarloResult multilevel_monte_carlo(std::shared_ptr<const NestedProblem> problem, const MultilevelMonteCarloOptions& options,
                                                  const Stream& stream, Context& context) {
  MultilevelMonteCarlo method(std::move(problem), options, stream);
  run_to_end(method, context);
  return method.result();
}

}  // namespace buffon
