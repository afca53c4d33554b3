// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/core/archive.hpp>
#include <buffon/core/check_options.hpp>
#include <buffon/core/error.hpp>
#include <buffon/parallel/context.hpp>
#include <buffon/samplers/kmeans_seeding.hpp>
#include <buffon/samplers/row_distances.hpp>
#include <buffon/stats/outcome.hpp>
#include <buffon/stats/sum.hpp>

#include <algorithm>
#include <array>
#include <functional>
#include <limits>
#include <span>
#include <type_traits>
#include <utility>

#include "seeding/centre_rule.hpp"
#include "seeding/projection.hpp"
#include "seeding/rejection_rule.hpp"
#include "seeding/seeding_outcome.hpp"

namespace buffon {
namespace {

/// Distances of a round: it ends with the centre that reaches them, or with the 64th part of the centres.
constexpr std::int64_t round_distances = 1 << 26;
constexpr std::int64_t rounds = 64;
/// Of Lloyd's iteration, whose rounds are done several at a time: each time costs one more assignment.
constexpr std::int64_t lloyd_distances = std::int64_t{1} << 31;

std::unique_ptr<CentreRule> make_rule(RuleParts parts) {
  switch (parts.options.algorithm) {
    case SeedingAlgorithm::snapshot:
      return make_snapshot_rule(std::move(parts));
    case SeedingAlgorithm::exact:
      return make_exact_rule(std::move(parts));
    case SeedingAlgorithm::pruned:
      return make_pruned_rule(std::move(parts));
    case SeedingAlgorithm::rejection:
    case SeedingAlgorithm::capped_rejection:
      return make_rejection_rule(std::move(parts));
    case SeedingAlgorithm::greedy:
      return make_greedy_rule(std::move(parts));
    case SeedingAlgorithm::kmeans_parallel:
      return make_kmeans_parallel_rule(std::move(parts));
    case SeedingAlgorithm::afk_mc2:
      return make_afk_mc2_rule(std::move(parts));
  }
  throw Error(ErrorCategory::internal, {.doing = "setting up kmeans_seeding", .key = "options.algorithm", .rule = "has no rule"});
}

[[noreturn]] void refuse_seeding(std::string key, std::string value, std::string rule, std::string remedy) {
  throw Error(ErrorCategory::configuration, {.doing = "setting up kmeans_seeding",
                                             .key = "options." + std::move(key),
                                             .value = std::move(value),
                                             .rule = std::move(rule),
                                             .remedy = std::move(remedy)});
}

/// Position of the row with this number in the source.
Index position_of(const DataSet& data, double number) {
  for (Index i = 0; i < data.rows(); ++i) {
    if (static_cast<double>(data.row_number(i)) == number) return i;
  }
  refuse_seeding("first", to_text(number), "is no row of " + data.about().source,
                 "give the number of one of its " + std::to_string(data.rows()) + " rows, of which the first is " + std::to_string(data.row_number(0)) +
                     ", the last " + std::to_string(data.row_number(data.rows() - 1)));
}

/// An option that the chosen algorithm does not read must not be given another value than its own.
void refuse_foreign(const KmeansSeedingOptions& o) {
  using enum SeedingAlgorithm;
  const KmeansSeedingOptions own;
  const auto check = [&](const char* key, auto value, auto usual, SeedingAlgorithm reads, const char* name) {
    if (value != usual && o.algorithm != reads) {
      refuse_seeding(key, std::is_same_v<decltype(value), bool> ? "true" : to_text(static_cast<double>(value)),
                     std::string("goes with options.algorithm = \"") + name + "\" only", "leave it out, or choose that algorithm");
    }
  };
  check("max_trials", o.max_trials, own.max_trials, capped_rejection, "capped_rejection");
  check("exclude_chosen", o.exclude_chosen, own.exclude_chosen, capped_rejection, "capped_rejection");
  check("local_trials", o.local_trials, own.local_trials, greedy, "greedy");
  check("rounds", o.rounds, own.rounds, kmeans_parallel, "kmeans_parallel");
  check("oversampling", o.oversampling, own.oversampling, kmeans_parallel, "kmeans_parallel");
  check("chain_length", o.chain_length, own.chain_length, afk_mc2, "afk_mc2");
}

}  // namespace

void describe(OptionVisitor& v, KmeansSeedingOptions& o) {
  static constexpr std::array<std::string_view, 8> algorithms = {"snapshot",         "exact",  "pruned",          "rejection",
                                                                 "capped_rejection", "greedy", "kmeans_parallel", "afk_mc2"};
  static constexpr std::array<std::string_view, 3> policies = {"error", "fewer", "duplicates"};
  v.on({.name = "k", .meaning = "Centres, as many as the data have distinct rows at most.", .unit = "rows", .range = between(1, 1e9), .required = true}, o.k);
  v.on({.name = "algorithm",
        .meaning = "How the next centre is chosen. The same law, exactly D²: snapshot (fast on any data), exact, pruned, rejection; of lower cost: greedy; "
                   "approximate: capped_rejection, kmeans_parallel, afk_mc2."},
       o.algorithm, algorithms);
  v.on({.name = "too_few", .meaning = "What to do when the data have fewer distinct rows of positive weight than k: fewer centres, or rows chosen again."},
       o.too_few, policies);
  v.on({.name = "first", .meaning = "Row of the first centre, as numbered in the source; drawn by weight if not given.", .range = at_least(0)}, o.first);
  v.on({.name = "max_trials",
        .meaning = "Trials per centre of capped_rejection, after which a row is taken by weight.",
        .unit = "trials",
        .range = between(1, 1e15)},
       o.max_trials);
  v.on({.name = "exclude_chosen", .meaning = "Whether that row of capped_rejection is one that was not chosen before."}, o.exclude_chosen);
  v.on({.name = "local_trials", .meaning = "Candidates per centre of greedy; 0 = 2 + the whole part of ln k.", .unit = "rows", .range = between(0, 1e4)},
       o.local_trials);
  v.on({.name = "rounds", .meaning = "Rounds of kmeans_parallel, each a pass over the data.", .unit = "rounds", .range = between(1, 1e6)}, o.rounds);
  v.on({.name = "oversampling",
        .meaning = "Rows that kmeans_parallel expects of a round, in multiples of k.",
        .range = {.min = 0, .max = 1e6, .open_min = true}},
       o.oversampling);
  v.on({.name = "chain_length", .meaning = "Steps of the Markov chain of afk_mc2 for every centre.", .unit = "steps", .range = between(1, 1e15)},
       o.chain_length);
  v.on({.name = "labels", .meaning = "Whether every row is assigned to its nearest centre, which also gives the cost; k distances a row."}, o.labels);
  v.on({.name = "lloyd_rounds",
        .meaning = "Rounds of Lloyd's iteration afterwards, at most; 0 = the centres stay rows.",
        .unit = "rounds",
        .range = between(0, 1e9)},
       o.lloyd_rounds);
  v.on({.name = "lloyd_tolerance",
        .meaning = "Lloyd's iteration ends when the centres' squared moves add up to at most this part of a column's mean variance.",
        .range = at_least(0)},
       o.lloyd_tolerance);
}

struct KmeansSeeding::State {
  std::shared_ptr<const DataSet> data;
  KmeansSeedingOptions options;
  Stream stream;
  std::shared_ptr<const RowDistances> distances;
  std::unique_ptr<CentreRule> rule;

  SeedingRecord record;
  bool over = false;                     ///< there will be no more centres
  std::string asked;                     ///< why somebody asked to stop; empty = nobody did
  std::optional<Assignment> assignment;  ///< to the final centres; not saved: 8 bytes a row that one pass gives back

  State(std::shared_ptr<const DataSet> data_, const KmeansSeedingOptions& options_, const Stream& stream_)
      : data(std::move(data_)), options(options_), stream(stream_.child("kmeans_seeding")), distances(std::make_shared<RowDistances>(data)) {
    check_options("kmeans_seeding", options);
    refuse_foreign(options);
    if (options.k > data->rows() && options.too_few == TooFewRows::error) {
      refuse_seeding("k", std::to_string(options.k), "must be at most the " + std::to_string(data->rows()) + " rows of " + data->about().source,
                     "ask for fewer centres, or set options.too_few = \"fewer\" or \"duplicates\"");
    }
    if (options.first && !(data->weight(position_of(*data, *options.first)) > 0)) {
      refuse_seeding("first", to_text(*options.first), "has weight 0", "take a row of positive weight");
    }
    rule = make_rule({distances, options, stream.child("rule")});
  }

  bool refining() const { return options.lloyd_rounds > 0 && record.lloyd_stop.empty() && asked.empty(); }
  bool assigning() const { return (options.labels || options.lloyd_rounds > 0) && !assignment; }
  bool finished() const { return over && !refining() && !assigning(); }

  void step(Context& context) {
    if (!over) {
      choose(context);
    } else if (refining()) {
      refine(context);
    } else if (assigning()) {
      assign_rows(context);
    }
  }

  void add(Index row, std::int64_t trials) {
    record.rows.push_back(row);
    record.trials.push_back(trials);
    if (static_cast<std::int64_t>(record.rows.size()) == options.k) over = true;
  }

  void choose(Context& context) {
    if (record.rows.empty()) {
      measure_spread(context);
      add(options.first ? position_of(*data, *options.first) : WeightedRows(*data).draw(stream.peek("first"), 0), 0);
    }
    const std::int64_t distances_before = record.counts.distances;
    const std::size_t centres = record.rows.size() + static_cast<std::size_t>(options.k / rounds + 1);
    while (!over && record.rows.size() < centres && record.counts.distances - distances_before < round_distances) {
      const std::int64_t trials = record.counts.trials;
      const std::optional<Index> row = rule->next(record.rows, record.counts, context);
      if (const auto known = rule->known_total();
          known && (record.curve_centres.empty() || static_cast<double>(known->centres) > record.curve_centres.back())) {
        record.curve_centres.push_back(static_cast<double>(known->centres));
        record.curve_totals.push_back(known->total);
      }
      if (row) {
        add(*row, record.counts.trials - trials);
      } else {
        run_out();
      }
    }
    if (!asked.empty()) over = true;
  }

  /// Every row of positive weight lies on a centre.
  void run_out() {
    record.distinct = distinct_centres();
    over = true;
    if (options.too_few == TooFewRows::error) {
      throw Error(ErrorCategory::data, {.doing = "choosing the centres of kmeans_seeding",
                                        .key = "options.k",
                                        .value = std::to_string(options.k),
                                        .rule = data->about().source + " has only " + std::to_string(record.distinct) + " distinct rows" +
                                                (data->weighted() ? " of positive weight" : ""),
                                        .remedy = "ask for at most so many centres, or set options.too_few = \"fewer\" or \"duplicates\""});
    }
    if (options.too_few == TooFewRows::fewer) return;
    const WeightedRows rows(*data);
    const Stream again = stream.peek("duplicates");
    while (static_cast<std::int64_t>(record.rows.size()) < options.k) add(rows.draw(again, record.rows.size()), 0);
  }

  std::int64_t distinct_centres() const {
    const std::vector<Index>& rows = record.rows;
    if (options.algorithm != SeedingAlgorithm::capped_rejection) return static_cast<std::int64_t>(rows.size());
    std::int64_t distinct = 0;  // rows taken by weight alone may be equal to earlier ones
    for (auto i = rows.begin(); i != rows.end(); ++i) {
      distinct += std::none_of(rows.begin(), i, [&](Index earlier) { return distances->between(*i, earlier) == 0; });
    }
    return distinct;
  }

  /// Σ w s, s the squared distances to the mean, and the part of it in the heaviest thousandth of the rows.
  void measure_spread(Context& context) {
    distances->require_range(context, "kmeans_seeding");
    std::vector<double> shares = distances->squared_from_mean(context);
    if (data->weighted()) {
      for (Index i = 0; i < data->rows(); ++i) shares[static_cast<std::size_t>(i)] *= data->weight(i);
    }
    record.spread = sum(context, shares);
    const auto heavy = static_cast<std::ptrdiff_t>(std::min(shares.size() - 1, std::max<std::size_t>(1, shares.size() / 1000)));
    std::nth_element(shares.begin(), shares.begin() + heavy, shares.end(), std::greater<>());
    record.outlier_share = sum(std::span(shares).first(static_cast<std::size_t>(heavy))) / record.spread;
  }

  Eigen::MatrixXd centres() const { return record.refined.size() > 0 ? record.refined : data->points(record.rows); }

  void refine(Context& context) {
    const auto k = static_cast<std::int64_t>(record.rows.size());
    const std::int64_t done = record.lloyd_costs.empty() ? 0 : static_cast<std::int64_t>(record.lloyd_costs.size()) - 1;
    const std::int64_t now = std::clamp<std::int64_t>(lloyd_distances / (data->rows() * k), 4, 1000);
    LloydResult result = lloyd(*data, centres(), {.max_rounds = std::min(now, options.lloyd_rounds - done), .tolerance = options.lloyd_tolerance}, context);
    if (!record.lloyd_costs.empty()) record.lloyd_costs.pop_back();
    record.lloyd_costs.insert(record.lloyd_costs.end(), result.costs.begin(), result.costs.end());
    record.refined = std::move(result.centres);
    record.converged = result.converged;
    record.assigned += result.assignment.evaluations;
    record.cost = result.assignment.cost;
    if (!result.converged && static_cast<std::int64_t>(record.lloyd_costs.size()) <= options.lloyd_rounds) return;
    record.lloyd_stop = result.stop_reason;
    assignment = std::move(result.assignment);
  }

  void assign_rows(Context& context) {
    assignment = assign(*data, centres(), context);
    if (record.cost == assignment->cost) return;  // counted before the state was loaded
    record.cost = assignment->cost;
    record.assigned += assignment->evaluations;
  }

  std::string stop_reason() const {
    if (!asked.empty()) return asked;
    if (!over) return "";
    return record.distinct > 0 ? "every row lies on a centre" : "all centres were chosen";
  }
};

KmeansSeeding::KmeansSeeding(std::shared_ptr<const DataSet> data, const KmeansSeedingOptions& options, const Stream& stream)
    : state_(std::make_unique<State>(std::move(data), options, stream)) {}

KmeansSeeding::~KmeansSeeding() = default;

void KmeansSeeding::step(Context& context) { state_->step(context); }
bool KmeansSeeding::finished() const { return state_->finished(); }

void KmeansSeeding::stop(const std::string& reason) {
  if (state_->finished()) return;
  state_->asked = reason;
  if (!state_->record.rows.empty()) state_->over = true;
}

Progress KmeansSeeding::progress() const {
  const State& s = *state_;
  Progress p;
  p.evaluations = s.record.counts.distances + s.record.assigned;
  p.phase = !s.over ? "choosing centres" : s.refining() ? "Lloyd's iteration" : "assigning rows";
  p.fraction = s.finished() ? 1 : 0.99 * static_cast<double>(s.record.rows.size()) / static_cast<double>(s.options.k);
  return p;
}

Outcome KmeansSeeding::outcome() const {
  const State& s = *state_;
  Outcome out = seeding_outcome(*s.data, s.options, s.record, s.assignment ? &*s.assignment : nullptr, s.stop_reason());
  if (s.finished() && !s.record.rows.empty()) {
    if (auto picture = projection_table(*s.data, s.centres(), s.stream.peek("picture"))) out.tables.push_back(std::move(*picture));
  }
  return out;
}

MemoryNeed KmeansSeeding::memory_need() const {
  const State& s = *state_;
  // centres as rows, as columns and in files; labels and distances of all rows do not depend on k
  const double of_centre = 4 * 8 * static_cast<double>(s.data->columns()) + 64;
  return {s.options.k, static_cast<double>(s.options.k) * of_centre, "k", "choose from fewer columns"};
}

void KmeansSeeding::describe_state(Archive& archive) {
  State& s = *state_;
  archive.item("record", s.record);
  archive.item("over", s.over);
  archive.item("asked", s.asked);
  archive.item("rule", *s.rule);
  if (archive.loading()) s.assignment.reset();
}

KmeansSeedingResult KmeansSeeding::result() const {
  const State& s = *state_;
  KmeansSeedingResult r{s.record.rows, s.record.trials, s.record.counts, {}, {}};
  if (!s.assignment) return r;
  if (s.record.refined.size() > 0) r.refined = LloydResult{s.record.refined, *s.assignment, s.record.lloyd_costs, s.record.converged, s.record.lloyd_stop};
  if (s.options.labels) r.assignment = s.assignment;
  return r;
}

KmeansSeedingResult kmeans_seeding(std::shared_ptr<const DataSet> data, const KmeansSeedingOptions& options, const Stream& stream, Context& context) {
  KmeansSeeding method(std::move(data), options, stream);
  run_to_end(method, context);
  return method.result();
}

}  // namespace buffon
