// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/core/archive.hpp>
#include <buffon/core/check_options.hpp>
#include <buffon/core/constants.hpp>
#include <buffon/core/error.hpp>
#include <buffon/parallel/blocks.hpp>
#include <buffon/random/alias.hpp>
#include <buffon/samplers/lightweight_coreset.hpp>
#include <buffon/samplers/row_distances.hpp>
#include <buffon/stats/accumulators.hpp>
#include <buffon/stats/outcome.hpp>
#include <buffon/stats/sum.hpp>

#include <cmath>
#include <utility>

#include "draws/chosen_rows.hpp"

namespace buffon {
namespace {

constexpr std::int64_t rows_per_block = 4096;
using constants::nan;

}  // namespace

void describe(OptionVisitor& v, LightweightCoresetOptions& o) {
  v.on({.name = "size", .meaning = "Rows drawn, with replacement; 0 = as many as epsilon and delta need.", .unit = "rows", .range = between(0, 1e9)}, o.size);
  v.on({.name = "epsilon",
        .meaning = "For size = 0: the cost of any centres fixed beforehand is kept within (epsilon / 2) (cost + spread around the mean).",
        .range = {.min = 1e-4, .max = 1e3}},
       o.epsilon);
  v.on({.name = "delta", .meaning = "Probability with which that bound may fail.", .range = strictly_between(0, 1)}, o.delta);
}

double lightweight_coreset_epsilon(double draws, double delta) {
  const double l = 64 * std::log(2 / delta);  // draws ε² = l (1 + ε / 6)
  return (l / 6 + std::sqrt(l / 6 * (l / 6) + 4 * draws * l)) / (2 * draws);
}

double lightweight_coreset_size(double epsilon, double delta) { return std::ceil(64 * (1 + epsilon / 6) * std::log(2 / delta) / (epsilon * epsilon)); }

struct LightweightCoreset::State {
  std::shared_ptr<const DataSet> data;
  LightweightCoresetOptions options;
  Stream draws;
  std::int64_t size;
  bool done = false;
  draws::ChosenRows chosen;
  double spread = nan;
  Moments mass, squares;  ///< of w / q and of w s / q

  State(std::shared_ptr<const DataSet> data_, const LightweightCoresetOptions& options_, const Stream& stream)
      : data(std::move(data_)), options(options_), draws(stream.child("lightweight_coreset").child("draws")) {
    check_options("lightweight_coreset", options);
    size = options.size > 0 ? options.size : static_cast<std::int64_t>(lightweight_coreset_size(options.epsilon, options.delta));
  }

  void draw(Context& context) {
    const RowDistances distances(data);
    distances.require_range(context, "lightweight_coreset");
    const std::vector<double>& squared = distances.squared_from_mean(context);
    const Index n = data->rows();
    std::vector<double> q(static_cast<std::size_t>(n));
    for_blocks(context, n, rows_per_block, [&](const Block& block) {
      for (Index i = block.begin; i < block.end; ++i) q[static_cast<std::size_t>(i)] = data->weight(i) * squared[static_cast<std::size_t>(i)];
    });
    spread = sum(context, q);
    const double total = draws::total_weight(*data);
    // of rows that are all one point the second half is left out
    const double by_weight = (spread > 0 ? 0.5 : 1) / total, by_distance = spread > 0 ? 0.5 / spread : 0;
    for_blocks(context, n, rows_per_block, [&](const Block& block) {
      for (Index i = block.begin; i < block.end; ++i) {
        auto& share = q[static_cast<std::size_t>(i)];
        share = by_weight * data->weight(i) + by_distance * share;
      }
    });
    std::vector<Index> drawn(static_cast<std::size_t>(size));
    AliasTable(q).draw(draws, 0, drawn);
    std::vector<double> weights;
    weights.reserve(drawn.size());
    for (const Index row : drawn) {
      const double term = data->weight(row) / q[static_cast<std::size_t>(row)];
      weights.push_back(term / static_cast<double>(size));
      mass.add(term);
      squares.add(term * squared[static_cast<std::size_t>(row)]);
    }
    chosen = draws::ChosenRows::merged(drawn, weights);
    done = true;
  }
};

LightweightCoreset::LightweightCoreset(std::shared_ptr<const DataSet> data, const LightweightCoresetOptions& options, const Stream& stream)
    : state_(std::make_unique<State>(std::move(data), options, stream)) {}

LightweightCoreset::~LightweightCoreset() = default;

void LightweightCoreset::step(Context& context) {
  if (!state_->done) state_->draw(context);
}

bool LightweightCoreset::finished() const { return state_->done; }

void LightweightCoreset::stop(const std::string&) {}  // the one round that there is gives the result

Progress LightweightCoreset::progress() const {
  Progress p;
  p.fraction = state_->done ? 1 : 0;
  p.phase = "drawing the coreset";
  return p;
}

Outcome LightweightCoreset::outcome() const {
  const State& s = *state_;
  Outcome out;
  const double total = draws::total_weight(*s.data);
  const auto known = [](double value) { return "known: " + to_text(value); };
  out.estimates.push_back({"total_weight", s.done ? s.mass.estimate() : normal_estimate(nan, nan), "check", known(total)});
  out.estimates.push_back({"spread", s.done ? s.squares.estimate() : normal_estimate(nan, nan), "check", s.done ? known(s.spread) : ""});
  if (!s.done) return out;
  const auto tell = [&](std::string name, auto value, std::string meaning) { out.diagnostics.push_back({std::move(name), value, std::move(meaning)}); };
  tell("draws", s.size, "Rows drawn with replacement.");
  tell("distinct_rows", static_cast<std::int64_t>(s.chosen.rows.size()), "Different rows among them: the size of the coreset.");
  tell("spread_of_all_rows", s.spread, "Weighted squared distances of all rows to their mean, the second part of the bound.");
  tell("epsilon", lightweight_coreset_epsilon(static_cast<double>(s.size), s.options.delta),
       "For any centres that were fixed beforehand, the coreset's cost is within (epsilon / 2) (cost + spread) of the cost of all rows, with probability "
       "1 - delta.");
  tell("effective_size", s.chosen.effective_size(), "Rows of equal weights that would carry as much as these.");
  if (static_cast<double>(s.chosen.rows.size()) > 0.5 * static_cast<double>(s.data->rows())) {
    out.warnings.push_back("The coreset holds more than half of the rows: working with all rows costs little more and is exact.");
  }
  out.stop_reason = "all rows were drawn";
  out.selection = s.chosen.selection(*s.data);
  return out;
}

MemoryNeed LightweightCoreset::memory_need() const { return {state_->size, 64 * static_cast<double>(state_->size), "size", "draw fewer rows"}; }

void LightweightCoreset::describe_state(Archive& archive) {
  State& s = *state_;
  archive.item("done", s.done);
  archive.item("chosen", s.chosen);
  archive.item("spread", s.spread);
  archive.item("mass", s.mass);
  archive.item("squares", s.squares);
}

LightweightCoresetResult LightweightCoreset::result() const {
  const State& s = *state_;
  return {s.chosen.rows, s.chosen.counts, s.chosen.weights, s.spread, lightweight_coreset_epsilon(static_cast<double>(s.size), s.options.delta)};
}

LightweightCoresetResult lightweight_coreset(std::shared_ptr<const DataSet> data, const LightweightCoresetOptions& options, const Stream& stream,
                                             Context& context) {
  LightweightCoreset method(std::move(data), options, stream);
  run_to_end(method, context);
  return method.result();
}

}  // namespace buffon
