// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/core/archive.hpp>
#include <buffon/core/check_options.hpp>
#include <buffon/core/constants.hpp>
#include <buffon/core/error.hpp>
#include <buffon/parallel/blocks.hpp>
#include <buffon/random/alias.hpp>
#include <buffon/random/variates.hpp>
#include <buffon/samplers/clustering_sensitivity.hpp>
#include <buffon/samplers/kmeans_seeding.hpp>
#include <buffon/samplers/nearest_centres.hpp>
#include <buffon/stats/accumulators.hpp>
#include <buffon/stats/outcome.hpp>
#include <buffon/stats/sum.hpp>

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "draws/chosen_rows.hpp"
#include "draws/columns.hpp"

namespace buffon {
namespace {

constexpr std::int64_t rows_per_block = 4096;
constexpr std::size_t losses_of_round = 1024;
using constants::nan;
constexpr std::int64_t most_centres = 1'000'000'000;

double distance_power(double squared, double power) { return power == 2 ? squared : power == 1 ? std::sqrt(squared) : std::pow(squared, 0.5 * power); }

/// A draw: its row, its chance, and what it was expected to lose.
struct Draws {
  std::vector<std::int64_t> rows;
  std::vector<double> weights;  ///< w / π
  std::vector<double> proxies, distances;

  void describe_state(Archive& archive) {
    archive.item("rows", rows);
    archive.item("weights", weights);
    archive.item("proxies", proxies);
    archive.item("distances", distances);
  }
};

}  // namespace

void describe(OptionVisitor& v, ClusteringSensitivityOptions& o) {
  v.on({.name = "k", .meaning = "Centres, whose losses stand for the rows around them.", .unit = "rows", .range = between(1, most_centres), .required = true},
       o.k);
  v.on({.name = "size", .meaning = "Rows drawn, with replacement; 0 = as many as epsilon and delta need.", .unit = "rows", .range = between(0, 1e9)}, o.size);
  v.on({.name = "epsilon",
        .meaning = "For size = 0: the estimate is kept within epsilon times the total score, which is at most the total loss plus 2 lambda times the cost.",
        .range = {.min = 1e-4, .max = 1e3}},
       o.epsilon);
  v.on({.name = "delta", .meaning = "Probability with which that bound may fail.", .range = strictly_between(0, 1)}, o.delta);
  v.on({.name = "power",
        .meaning = "Power z of the distance to the centre that bounds the change of the loss: 1 or 2, usually.",
        .range = {.min = 0, .max = 100, .open_min = true}},
       o.power);
  v.on({.name = "lambda",
        .meaning = "How much the loss may change per distance to the power z; estimated from losses of a few rows if not given.",
        .range = at_least(0)},
       o.lambda);
  v.on({.name = "lambda_pairs", .meaning = "Rows whose losses estimate lambda.", .unit = "rows", .range = between(1, 1e6)}, o.lambda_pairs);
  v.on({.name = "lambda_quantile",
        .meaning = "Quantile of their changes of loss per distance that is taken for lambda.",
        .range = {.min = 0, .max = 1, .open_min = true}},
       o.lambda_quantile);
  v.on({.name = "members",
        .meaning = "Losses of rows of a cluster, drawn by weight, whose mean stands for the cluster; 0 = the loss of the centre.",
        .unit = "rows",
        .range = between(0, 1e6)},
       o.members);
  v.on({.name = "lloyd_rounds",
        .meaning = "Rounds of Lloyd's iteration at most, after which each centre goes to the nearest row of its cluster.",
        .unit = "rounds",
        .range = between(0, 1e9)},
       o.lloyd_rounds);
  v.on({.name = "loss", .meaning = "Column of the losses, by name or number in the file, the last one if not given; the other columns are the coordinates."},
       o.loss);
}

double sensitivity_size(double epsilon, double delta) { return std::ceil((2 + 2 * epsilon / 3) * std::log(2 / delta) / (epsilon * epsilon)); }

double sensitivity_epsilon(double draws, double delta) {
  const double l = std::log(2 / delta);  // draws ε² = (2 + 2 ε / 3) l
  return (2 * l / 3 + std::sqrt(4 * l * l / 9 + 8 * draws * l)) / (2 * draws);
}

SensitivityScores sensitivity_scores(const NearestCentres& nearest, std::span<const double> proxies, double lambda, double power, Context& context) {
  const DataSet& data = nearest.distances().data();
  SensitivityScores s;
  s.scores.resize(static_cast<std::size_t>(data.rows()));
  const auto fill = [&](auto value) {
    for_blocks(context, data.rows(), rows_per_block, [&](const Block& block) {
      for (Index i = block.begin; i < block.end; ++i)
        s.scores[static_cast<std::size_t>(i)] = data.weight(i) * value(i, distance_power(nearest.squared(i), power));
    });
    return sum(context, s.scores);
  };
  s.phi = fill([](Index, double v) { return v; });
  s.total = fill([&](Index i, double v) { return proxies[static_cast<std::size_t>(nearest.label(i))] + lambda * v; });
  return s;
}

struct ClusteringSensitivity::State {
  enum class Phase { seeding, scoring, losses, done };

  std::shared_ptr<const DataSet> data;
  std::vector<double> column;  ///< losses, when they are a column
  RowLoss loss;
  ClusteringSensitivityOptions options;
  Stream stream;
  std::shared_ptr<const RowDistances> distances;
  std::unique_ptr<KmeansSeeding> seeding;

  Phase phase = Phase::seeding;
  std::string asked;
  std::map<Index, double> known;  ///< losses evaluated
  std::vector<std::int64_t> centres;
  std::vector<double> proxies;
  double lambda = nan, phi = nan, total_score = nan;
  bool estimated = false, by_weight = false, every_row = false;
  Draws draws_made;
  std::int64_t next = 0;  ///< draws whose loss is known
  Moments terms, squares;
  std::int64_t violations = 0;

  State(std::shared_ptr<const DataSet> data_, RowLoss loss_, const ClusteringSensitivityOptions& options_, const Stream& stream_)
      : loss(std::move(loss_)), options(options_), stream(stream_.child("clustering_sensitivity")) {
    const std::string doing = "setting up clustering_sensitivity";
    check_options("clustering_sensitivity", options);
    if (loss) {
      data = std::move(data_);
    } else {
      if (options.loss.empty() && data_->about().scale.size() > 0) {
        throw Error(ErrorCategory::configuration, {.doing = doing,
                                                   .key = "options.loss",
                                                   .rule = "must be given where data.scale = \"standardise\", which leaves constant columns out",
                                                   .remedy = "name the column of the losses"});
      }
      const Index at = options.loss.empty() ? data_->columns() - 1 : draws::find_column(*data_, options.loss, "options.loss", doing);
      if (data_->columns() == 1) {
        throw Error(ErrorCategory::configuration, {.doing = doing,
                                                   .key = "options.loss",
                                                   .value = draws::column_name(*data_, at),
                                                   .rule = "is the only column of " + data_->about().source,
                                                   .remedy = "give coordinates too"});
      }
      column = draws::column_values(*data_, at);
      data = draws::without_column(*data_, at);
      loss = [this](Index row) { return column[static_cast<std::size_t>(row)]; };
    }
    distances = std::make_shared<RowDistances>(data);
    KmeansSeedingOptions seed;
    seed.k = std::min<std::int64_t>(options.k, data->rows());
    seed.too_few = TooFewRows::fewer;
    seed.labels = false;
    seed.lloyd_rounds = options.lloyd_rounds;
    seeding = std::make_unique<KmeansSeeding>(data, seed, stream.child("seeding"));
    if (options.k >= data->rows()) phase = Phase::scoring;
  }

  double loss_of(Index row) {
    const auto [at, fresh] = known.try_emplace(row, 0);
    if (!fresh) return at->second;
    const double value = loss(row);
    if (!(value >= 0) || !std::isfinite(value)) {
      known.erase(at);
      throw Error(column.empty() ? ErrorCategory::model : ErrorCategory::data,
                  {.doing = "evaluating losses for clustering_sensitivity",
                   .key = "loss of row " + std::to_string(data->row_number(row)) +
                          (std::find(centres.begin(), centres.end(), row) != centres.end() ? ", a centre" : ""),
                   .value = to_text(value),
                   .rule = "must be finite and not negative",
                   .remedy = column.empty() ? "shift or repair the losses"
                                            : "options.loss names the column of the losses, otherwise the last one is taken: name another, or repair it"});
    }
    return at->second = value;
  }

  void step(Context& context) {
    switch (phase) {
      case Phase::seeding:
        seeding->step(context);
        if (seeding->finished()) phase = Phase::scoring;
        break;
      case Phase::scoring:
        if (options.k >= data->rows()) {
          take_every_row();
        } else {
          score(context);
        }
        phase = Phase::losses;
        break;
      case Phase::losses:
        evaluate();
        break;
      case Phase::done:
        break;
    }
  }

  /// Distinct rows for the centres: the seeds, or the rows of their clusters that are nearest to the refined centres.
  void round_centres() {
    const KmeansSeedingResult seeds = seeding->result();
    if (!seeds.refined) {
      centres.assign(seeds.rows.begin(), seeds.rows.end());
      return;
    }
    const Assignment& assignment = seeds.refined->assignment;
    std::vector<std::int64_t> best(static_cast<std::size_t>(seeds.refined->centres.cols()), -1);
    for (std::size_t i = 0; i < assignment.labels.size(); ++i) {
      auto& row = best[static_cast<std::size_t>(assignment.labels[i])];
      if (row < 0 || assignment.squared[i] < assignment.squared[static_cast<std::size_t>(row)]) row = static_cast<std::int64_t>(i);
    }
    for (const std::int64_t row : best) {
      if (row >= 0) centres.push_back(row);
    }
  }

  void find_proxies(const NearestCentres& nearest) {
    if (options.members == 0) {
      for (const std::int64_t centre : centres) proxies.push_back(loss_of(static_cast<Index>(centre)));
      return;
    }
    const Stream drawing = stream.child("members");
    std::vector<std::vector<Index>> rows(centres.size());
    for (Index i = 0; i < data->rows(); ++i) {
      if (data->weight(i) > 0) rows[static_cast<std::size_t>(nearest.label(i))].push_back(i);
    }
    for (std::size_t c = 0; c < rows.size(); ++c) {
      if (rows[c].empty()) rows[c].push_back(static_cast<Index>(centres[c]));  // a centre among rows of weight 0
      std::vector<double> w;
      for (const Index row : rows[c]) w.push_back(data->weight(row) > 0 ? data->weight(row) : 1);
      const CumulativeTable table(w);
      double total = 0;
      for (std::int64_t j = 0; j < options.members; ++j) {
        const auto item = static_cast<std::uint64_t>(c) * static_cast<std::uint64_t>(options.members) + static_cast<std::uint64_t>(j);
        total += loss_of(rows[c][static_cast<std::size_t>(table.draw(drawing, item))]);
      }
      proxies.push_back(total / static_cast<double>(options.members));
    }
  }

  /// A quantile of |l(x) − proxy| / v(x) over rows drawn uniformly.
  double estimated_lambda(const NearestCentres& nearest) {
    const Stream pairs = stream.child("pairs");
    std::vector<double> slopes;
    for (std::int64_t j = 0; j < options.lambda_pairs; ++j) {
      const auto row = static_cast<Index>(uniform_integer(pairs, static_cast<std::uint64_t>(j), static_cast<std::uint64_t>(data->rows())));
      const double v = distance_power(nearest.squared(row), options.power);
      if (v > 0) slopes.push_back(std::abs(loss_of(row) - proxies[static_cast<std::size_t>(nearest.label(row))]) / v);
    }
    if (slopes.empty()) return 0;
    std::sort(slopes.begin(), slopes.end());
    const auto rank = static_cast<std::size_t>(std::ceil(options.lambda_quantile * static_cast<double>(slopes.size())));
    return slopes[std::max<std::size_t>(rank, 1) - 1];
  }

  void score(Context& context) {
    round_centres();
    NearestCentres nearest(distances, true);
    nearest.add(context, std::vector<Index>(centres.begin(), centres.end()));
    find_proxies(nearest);
    estimated = !options.lambda;
    lambda = options.lambda ? *options.lambda : estimated_lambda(nearest);
    const auto zero = std::find(proxies.begin(), proxies.end(), 0.0);
    SensitivityScores s = sensitivity_scores(nearest, proxies, lambda, options.power, context);
    if (lambda == 0 && zero != proxies.end() && s.total > 0 && nearest.total() > 0) {
      if (!estimated) {
        throw Error(ErrorCategory::configuration,
                    {.doing = "scoring rows for clustering_sensitivity",
                     .key = "options.lambda",
                     .value = "0",
                     .rule = "must be positive, since the loss of the centre in row " +
                             std::to_string(data->row_number(static_cast<Index>(centres[static_cast<std::size_t>(zero - proxies.begin())]))) +
                             " is 0 and no row of its cluster would ever be drawn",
                     .remedy = "give a positive value, or leave it out to have it estimated"});
      }
      lambda = s.total / s.phi;  // half of the draws by distance
      s = sensitivity_scores(nearest, proxies, lambda, options.power, context);
    }
    total_score = s.total;
    phi = s.phi;
    by_weight = !(s.total > 0);
    if (by_weight) {
      for (Index i = 0; i < data->rows(); ++i) s.scores[static_cast<std::size_t>(i)] = data->weight(i);
    }
    const double total = by_weight ? draws::total_weight(*data) : s.total;
    const auto size = static_cast<std::size_t>(options.size > 0 ? options.size : static_cast<std::int64_t>(sensitivity_size(options.epsilon, options.delta)));
    std::vector<Index> rows(size);
    AliasTable(s.scores).draw(stream.child("draws"), 0, rows);
    for (const Index row : rows) {
      draws_made.rows.push_back(row);
      draws_made.weights.push_back(data->weight(row) * (total / s.scores[static_cast<std::size_t>(row)]));
      draws_made.proxies.push_back(proxies[static_cast<std::size_t>(nearest.label(row))]);
      draws_made.distances.push_back(distance_power(nearest.squared(row), options.power));
    }
  }

  void take_every_row() {
    every_row = true;
    lambda = phi = total_score = 0;
    for (Index i = 0; i < data->rows(); ++i) {
      if (!(data->weight(i) > 0)) continue;
      draws_made.rows.push_back(i);
      draws_made.weights.push_back(data->weight(i));
      draws_made.proxies.push_back(0);
      draws_made.distances.push_back(0);
    }
  }

  void evaluate() {
    const std::size_t size = draws_made.rows.size();
    if (!asked.empty() && next > 1 && !every_row) {
      phase = Phase::done;
      return;
    }
    for (const std::size_t end = std::min(size, static_cast<std::size_t>(next) + losses_of_round); static_cast<std::size_t>(next) < end; ++next) {
      const auto j = static_cast<std::size_t>(next);
      const double l = loss_of(static_cast<Index>(draws_made.rows[j]));
      terms.add(draws_made.weights[j] * l);
      squares.add(draws_made.weights[j] * l * l);
      violations += !every_row && std::abs(l - draws_made.proxies[j]) > lambda * draws_made.distances[j] * (1 + 1e-9);
    }
    if (static_cast<std::size_t>(next) == size) phase = Phase::done;
  }

  draws::ChosenRows chosen() const {
    const auto drawn = static_cast<std::size_t>(phase == Phase::done ? next : 0);
    const double share = every_row ? 1 : static_cast<double>(drawn);
    std::vector<Index> rows(draws_made.rows.begin(), draws_made.rows.begin() + static_cast<std::ptrdiff_t>(drawn));
    std::vector<double> weights;
    for (std::size_t j = 0; j < drawn; ++j) weights.push_back(draws_made.weights[j] / share);
    return draws::ChosenRows::merged(rows, weights);
  }

  Estimate total_loss() const {
    if (every_row) return normal_estimate(phase == Phase::done ? terms.mean() * static_cast<double>(terms.count()) : nan, phase == Phase::done ? 0 : nan);
    return next > 1 ? terms.estimate() : normal_estimate(nan, nan);
  }

  double epsilon() const { return every_row ? 0 : sensitivity_epsilon(static_cast<double>(next), options.delta); }
};

ClusteringSensitivity::ClusteringSensitivity(std::shared_ptr<const DataSet> data, const ClusteringSensitivityOptions& options, const Stream& stream)
    : state_(std::make_unique<State>(std::move(data), RowLoss{}, options, stream)) {}

ClusteringSensitivity::ClusteringSensitivity(std::shared_ptr<const DataSet> data, RowLoss loss, const ClusteringSensitivityOptions& options,
                                             const Stream& stream)
    : state_(std::make_unique<State>(std::move(data), std::move(loss), options, stream)) {}

ClusteringSensitivity::~ClusteringSensitivity() = default;

void ClusteringSensitivity::step(Context& context) { state_->step(context); }
bool ClusteringSensitivity::finished() const { return state_->phase == State::Phase::done; }

void ClusteringSensitivity::stop(const std::string& reason) {
  if (finished()) return;
  state_->asked = reason;
  if (state_->phase == State::Phase::seeding) state_->seeding->stop(reason);
}

Progress ClusteringSensitivity::progress() const {
  const State& s = *state_;
  Progress p;
  p.evaluations = static_cast<std::int64_t>(s.known.size());
  p.phase = s.phase == State::Phase::seeding ? "choosing centres" : s.phase == State::Phase::scoring ? "scoring rows" : "evaluating losses";
  p.name = "total_loss";
  if (s.phase == State::Phase::seeding) {
    p.fraction = 0.5 * s.seeding->progress().fraction;
  } else if (s.phase != State::Phase::scoring) {
    p.fraction = finished() ? 1 : 0.5 + 0.5 * static_cast<double>(s.next) / static_cast<double>(s.draws_made.rows.size());
    p.current = s.total_loss();
  }
  return p;
}

Outcome ClusteringSensitivity::outcome() const {
  const State& s = *state_;
  Outcome out;
  const Estimate total = s.total_loss();
  const double weight = draws::total_weight(*s.data);
  out.estimates.push_back({"total_loss", total, "loss", s.every_row ? "all losses were evaluated" : ""});
  out.estimates.push_back({"mean_loss", normal_estimate(total.value / weight, total.std_error / weight, total.effective_size), "loss"});
  out.evaluations = static_cast<std::int64_t>(s.known.size());
  if (!finished()) return out;

  const draws::ChosenRows chosen = s.chosen();
  const auto tell = [&](std::string name, auto value, std::string meaning) { out.diagnostics.push_back({std::move(name), value, std::move(meaning)}); };
  tell("draws", s.next, "Rows drawn with replacement.");
  tell("distinct_rows", static_cast<std::int64_t>(chosen.rows.size()), "Different rows among them.");
  tell("loss_queries", static_cast<std::int64_t>(s.known.size()), "Losses evaluated: of centres, of the rows that estimate lambda, and of the draws.");
  if (!s.every_row) {
    tell("centres", static_cast<std::int64_t>(s.centres.size()), "Rows whose losses stand for the rows nearest to them.");
    tell("lambda", s.lambda,
         s.estimated ? "Change of the loss per distance to the centre, estimated." : "Change of the loss per distance to the centre, as given.");
    tell("phi", s.phi, "Sum of the distances to the centres, to the power that was asked for.");
    tell("total_score", s.total_score, "Sum of all scores: at most the total loss plus 2 lambda phi, where the assumption holds.");
    tell("epsilon", s.epsilon(), "What the number of draws reaches at the given delta.");
    tell("bound", s.epsilon() * s.total_score,
         "With probability 1 - delta the estimate of the total loss is so near to it, if no loss differs from its proxy by more than lambda times the "
         "distance.");
    const double violated = static_cast<double>(s.violations) / static_cast<double>(s.next);
    tell("assumption_violated", violated,
         "Share of the draws whose loss differs from its proxy by more than that. The estimate and its standard error do not rest on it.");
    const double uniform = weight * s.squares.mean() - total.value * total.value, ours = s.terms.variance();
    if (uniform > 0 && ours > 0) tell("gain_over_uniform", uniform / ours, "Draws by weight alone that would be needed for the same standard error, per draw.");
    if (violated > 0.1) {
      out.warnings.push_back(
          "The assumption of the bound fails for more than a tenth of the draws: do not rely on the bound, but on the standard error; more centres, or a "
          "larger options.lambda, help.");
    }
    if (s.by_weight) out.warnings.push_back("All scores are 0, since every loss that was looked at is: rows were drawn by weight alone.");
  }
  out.stop_reason = !s.asked.empty() ? s.asked : s.every_row ? "there are no more rows than centres asked for: all were taken" : "all rows were drawn";
  const auto selection = chosen.selection(*s.data);
  if (!s.every_row) {
    selection->centres = s.data->points(std::vector<Index>(s.centres.begin(), s.centres.end()));
    selection->columns = draws::column_names(*s.data);
    selection->centre = s.data->about().centre;
    selection->scale = s.data->about().scale;
  }
  out.selection = selection;
  return out;
}

MemoryNeed ClusteringSensitivity::memory_need() const {
  return {state_->options.size, 200 * static_cast<double>(state_->options.size), "size", "draw fewer rows"};
}

void ClusteringSensitivity::describe_state(Archive& archive) {
  State& s = *state_;
  archive.item("phase", s.phase);
  archive.item("asked", s.asked);
  if (s.phase == State::Phase::seeding || s.phase == State::Phase::scoring) archive.item("seeding", *s.seeding);
  std::vector<std::int64_t> rows;
  std::vector<double> losses;
  for (const auto& [row, value] : s.known) {
    rows.push_back(row);
    losses.push_back(value);
  }
  archive.item("known_rows", rows);
  archive.item("known_losses", losses);
  if (archive.loading()) {
    s.known.clear();
    for (std::size_t i = 0; i < std::min(rows.size(), losses.size()); ++i) s.known[static_cast<Index>(rows[i])] = losses[i];
  }
  archive.item("centres", s.centres);
  archive.item("proxies", s.proxies);
  archive.item("lambda", s.lambda);
  archive.item("phi", s.phi);
  archive.item("total_score", s.total_score);
  archive.item("estimated", s.estimated);
  archive.item("by_weight", s.by_weight);
  archive.item("every_row", s.every_row);
  archive.item("draws", s.draws_made);
  archive.item("next", s.next);
  archive.item("terms", s.terms);
  archive.item("squares", s.squares);
  archive.item("violations", s.violations);
}

ClusteringSensitivityResult ClusteringSensitivity::result() const {
  const State& s = *state_;
  const draws::ChosenRows chosen = s.chosen();
  const Estimate total = s.total_loss();
  return {.rows = chosen.rows,
          .counts = chosen.counts,
          .weights = chosen.weights,
          .centres = {s.centres.begin(), s.centres.end()},
          .proxies = s.proxies,
          .lambda = s.lambda,
          .phi = s.phi,
          .total_score = s.total_score,
          .epsilon = s.epsilon(),
          .bound = s.epsilon() * s.total_score,
          .total_loss = total.value,
          .std_error = total.std_error,
          .queries = static_cast<std::int64_t>(s.known.size())};
}

ClusteringSensitivityResult clustering_sensitivity(std::shared_ptr<const DataSet> data, RowLoss loss, const ClusteringSensitivityOptions& options,
                                                   const Stream& stream, Context& context) {
  ClusteringSensitivity method(std::move(data), std::move(loss), options, stream);
  run_to_end(method, context);
  return method.result();
}

}  // namespace buffon
