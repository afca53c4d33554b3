// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/core/constants.hpp>
#include <buffon/core/error.hpp>
#include <buffon/estimators/read_plan.hpp>

#include <algorithm>
#include <cmath>
#include <utility>

#include "nested_run.hpp"

namespace buffon {
namespace {

using constants::infinity;
constexpr std::int64_t fewest_pilot_copies = 64;
constexpr std::int64_t fewest_pilot_nodes = 30;
constexpr std::int64_t most_doublings = 3;    // n0 = 1, 2, 4, 8
constexpr double pilot_rate = 0.60;           // of depth 0: high levels are seen often
constexpr std::size_t measured_directly = 6;  // settings of step 2, the defaults besides
constexpr double search_share = 0.5;          // of the work, for step 1

using Rates = std::vector<double>;
using Bases = std::vector<std::int64_t>;

struct Setting {
  Rates rates;
  Bases bases;
  double score = infinity;  // work × variance + one standard error

  std::vector<LevelLaw> laws() const {
    std::vector<LevelLaw> all;
    for (std::size_t d = 0; d < rates.size(); ++d) all.emplace_back(rates[d], bases[d]);
    return all;
  }
  double leaves() const {
    double product = 1;
    for (const LevelLaw& law : laws()) product *= law.mean_children();
    return product;
  }
  bool same(const Setting& other) const { return rates == other.rates && bases == other.bases; }
};

double rounded_rate(double rate) { return std::round(1000 * rate) / 1000; }

/// Places in the range of the rates of a depth.
Rates places(Index depth, const std::vector<double>& fractions) {
  const double limit = rate_limit(LinkRegime::smooth, 0, depth, depth + 1);
  Rates all;
  for (const double f : fractions) all.push_back(rounded_rate(std::clamp(0.5 + f * (limit - 0.5), 0.5025, limit - 0.0025)));
  return all;
}

/// Decay of the levels of depth 0, one standard error on the side of caution; 2 is what smooth links have.
double cautious_decay(const NestedRun& run) {
  const VarianceDecay fitted = run.variance_decay(0);
  return std::isnan(fitted.exponent) ? 2 : std::min(2.0, fitted.exponent - fitted.std_error);
}

bool finite_variance(double rate, double decay) { return (1 - rate) * std::exp2(decay) > 1; }

class Search {
 public:
  Search(std::shared_ptr<const NestedProblem> problem, const ReadPlanOptions& options, const Stream& stream, Context& context)
      : problem_(std::move(problem)), options_(options), stream_(stream.child("read_plan")), context_(context), depth_(problem_->depth()) {}

  ReadPlan plan() {
    Setting start{default_rates(LinkRegime::smooth, 0, depth_), Bases(static_cast<std::size_t>(depth_), 1)};
    std::vector<Setting> found = {start};
    if (depth_ > 0) {
      Setting inner = start;
      if (depth_ > 2) std::fill(inner.bases.begin() + 1, inner.bases.end(), 4);
      const auto sweeps = static_cast<double>(std::max<Index>(1, depth_ - 1));
      for (Index d = depth_ - 1; d >= 1; --d) inner = sweep(inner, d, search_share / sweeps * work(), found);
      if (depth_ == 1) sweep(inner, 0, search_share * work(), found);
    }
    ReadPlan plan;
    measure(found, plan);
    const ReadCandidate& best = plan.best();
    Read check(problem_,
               {.max_copies = std::max<std::int64_t>(fewest_pilot_copies, static_cast<std::int64_t>(0.1 * work() / best.leaves)),
                .rates = best.rates,
                .base_samples = best.base_samples},
               stream_.child("check"));
    run_to_end(check, context_);
    Outcome outcome = check.outcome();
    plan.warnings = std::move(outcome.warnings);
    for (Table& table : outcome.tables) {
      if (table.name == "levels") plan.levels = std::move(table);
    }
    plan.evaluations = evaluations_ + outcome.evaluations;
    return plan;
  }

 private:
  double work() const { return static_cast<double>(options_.pilot_evaluations); }

  NestedRun run(const Setting& setting, double leaves) {
    const auto copies = static_cast<std::int64_t>(leaves / setting.leaves());
    NestedRun run(problem_, setting.laws(), CopyTargets{std::max(copies, fewest_pilot_copies), 0, {}}, 0.95, stream_.child("run", runs_++));
    while (!run.finished()) run.step(context_);
    evaluations_ += run.leaves();
    return run;
  }

  /// The rates r_0 and doublings of n0_0 that suit the measured levels of depth 0 best.
  Setting best_outer(const Setting& pilot, const NestedRun& run) const {
    static const Rates rates = [] {
      std::vector<double> fractions;
      for (int i = 4; i <= 24; ++i) fractions.push_back(0.04 * i);
      return places(0, fractions);
    }();
    // second moments of Δ and of the fine value by level, with the variances of their estimates
    std::vector<double> squares, squares_error, fine;
    const double decay = cautious_decay(run);
    const double kurtosis = std::max(2.0, run.tally().at(0, 0).kurtosis());
    for (std::int64_t n = 0; n < LevelLaw::most_levels; ++n) {
      const LevelSums& s = run.tally().at(0, n);
      const auto nodes = static_cast<double>(s.nodes);
      if (s.nodes >= fewest_pilot_nodes && static_cast<std::int64_t>(squares.size()) == n) {
        squares.push_back(s.sum_squares / nodes);
        squares_error.push_back(std::max(0.0, s.sum_fourth / nodes - squares.back() * squares.back()) / nodes);
        fine.push_back(s.fine_squares / nodes);
      } else if (n > 0) {
        const double factor = std::exp2(-decay);
        squares.push_back(squares.back() * factor);
        squares_error.push_back(squares_error.back() * factor * factor);
        fine.push_back(fine.back());
      } else {
        return pilot;
      }
    }
    const double mean = run.moments().mean();
    Setting best = pilot;
    for (std::int64_t k = 0; k <= most_doublings; ++k) {
      for (const double r : rates) {
        if (!finite_variance(r, decay)) continue;
        const auto from = static_cast<std::size_t>(k);
        const double nodes = static_cast<double>(std::max<std::int64_t>(fewest_pilot_nodes, run.tally().at(0, k).nodes));
        double second = fine[from] / r, error = fine[from] * fine[from] * (kurtosis - 1) / (nodes * r * r), p = r;
        for (std::size_t n = from + 1; n < squares.size(); ++n) {
          p *= 1 - r;
          second += squares[n] / p;
          error += squares_error[n] / (p * p);
        }
        Setting tried = pilot;
        tried.rates[0] = r;
        tried.bases[0] = std::int64_t{1} << k;
        tried.score = tried.leaves() * (std::max(0.0, second - mean * mean) + std::sqrt(error));
        if (tried.score < best.score) best = tried;
      }
    }
    return best;
  }

  /// Tries the rates and base samples of depth d (d = 0: one run serves them all) and adds what it finds. @returns the best, for the next sweep
  Setting sweep(const Setting& around, Index d, double leaves, std::vector<Setting>& found) {
    const auto at = static_cast<std::size_t>(d);
    std::vector<Setting> pilots;
    for (const double r : d == 0 ? Rates{pilot_rate} : places(d, {0.4, 0.6, 0.8, 0.97})) {
      for (std::int64_t k = 0; k <= (d == 0 ? 0 : most_doublings); ++k) {
        Setting pilot = around;
        pilot.rates[at] = r;
        pilot.bases[at] = std::int64_t{1} << k;
        pilot.rates[0] = pilot_rate;
        pilot.bases[0] = 1;
        pilot.score = infinity;
        pilots.push_back(pilot);
      }
    }
    double rounds = 1;
    for (std::size_t left = pilots.size(); left > 1; left = (left + 1) / 2) ++rounds;
    std::vector<std::pair<Setting, Setting>> ranked;  // best outer setting, its pilot
    for (const Setting& pilot : pilots) ranked.emplace_back(pilot, pilot);
    for (;;) {
      const double each = leaves / rounds / static_cast<double>(ranked.size());
      std::vector<std::pair<Setting, Setting>> next;
      for (const auto& [ignored, pilot] : ranked) {
        if (each / pilot.leaves() < static_cast<double>(fewest_pilot_copies)) continue;
        next.emplace_back(best_outer(pilot, run(pilot, each)), pilot);
      }
      if (next.empty()) {
        throw Error(ErrorCategory::configuration, {.doing = "planning read",
                                                   .key = "pilot_evaluations",
                                                   .value = std::to_string(options_.pilot_evaluations),
                                                   .rule = "is too small for copies of depth " + std::to_string(depth_),
                                                   .remedy = "give ten times as many"});
      }
      std::sort(next.begin(), next.end(), [](const auto& a, const auto& b) { return a.first.score < b.first.score; });
      for (std::size_t i = 0; i < std::min<std::size_t>(next.size(), 3) && d <= 1; ++i) {
        if (ranked.size() <= 8) found.push_back(next[i].first);
      }
      if (next.size() == 1) return next.front().first;
      next.resize((next.size() + 1) / 2);
      ranked = std::move(next);
    }
  }

  /// Direct measurements with successive halving; fills the candidates by rank.
  void measure(std::vector<Setting>& found, ReadPlan& plan) {
    // The defaults stand first and stay; of the others the best, without repetitions.
    std::stable_sort(found.begin() + 1, found.end(), [](const Setting& a, const Setting& b) { return a.score < b.score; });
    std::vector<Setting> settings;
    for (const Setting& s : found) {
      if (settings.size() <= measured_directly && std::none_of(settings.begin(), settings.end(), [&](const Setting& t) { return t.same(s); }))
        settings.push_back(s);
    }
    double rounds = 1;
    for (std::size_t left = settings.size(); left > 1; left = (left + 1) / 2) ++rounds;
    std::vector<ReadCandidate> dropped;
    const double leaves = (0.9 - search_share) * work();
    for (;;) {
      std::vector<std::pair<Setting, ReadCandidate>> next;
      for (Setting& s : settings) {
        const NestedRun measured = run(s, leaves / rounds / static_cast<double>(settings.size()));
        const Moments& m = measured.moments();
        ReadCandidate c{s.rates, s.bases, s.leaves(), m.variance(), 0, measured.largest_share(), m.count()};
        c.variance_error = c.variance > 0 ? c.variance * std::sqrt((m.kurtosis() - 1) / static_cast<double>(m.count())) : 0;
        s.score = c.leaves * (c.variance + c.variance_error);
        if (depth_ > 0 && !finite_variance(s.rates[0], cautious_decay(measured))) s.score = infinity;
        next.emplace_back(s, c);
      }
      std::stable_sort(next.begin(), next.end(), [](const auto& a, const auto& b) { return a.first.score < b.first.score; });
      const std::size_t kept = next.size() == 1 ? 1 : (next.size() + 1) / 2;
      std::vector<ReadCandidate> worse;
      settings.clear();
      for (std::size_t i = 0; i < next.size(); ++i) {
        if (i < kept) settings.push_back(next[i].first);
        if (i >= kept || next.size() == 1) worse.push_back(next[i].second);
      }
      dropped.insert(dropped.begin(), worse.begin(), worse.end());
      if (next.size() == 1) break;
    }
    plan.candidates = std::move(dropped);
  }

  std::shared_ptr<const NestedProblem> problem_;
  ReadPlanOptions options_;
  Stream stream_;
  Context& context_;
  Index depth_;
  std::uint64_t runs_ = 0;
  std::int64_t evaluations_ = 0;
};

}  // namespace

double ReadPlan::std_error(double budget) const { return std::sqrt(best().work_times_variance() / budget); }

double ReadPlan::needed_evaluations(double target) const { return best().work_times_variance() / (target * target); }

ReadPlan plan_read(std::shared_ptr<const NestedProblem> problem, const ReadPlanOptions& options, const Stream& stream, Context& context) {
  return Search(std::move(problem), options, stream, context).plan();
}

}  // namespace buffon
