// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/samplers/diffusion/picard_solver.hpp>

#include <algorithm>
#include <cmath>
#include <utility>

#include <buffon/core/error.hpp>

#include "columns.hpp"
#include "plan_builder.hpp"

namespace buffon {

using backend::Matrix;
using backend::View;

/// Sample b has the columns b window … of states and answers.
struct PicardSolver::Memory {
  Memory(backend::Queue& queue, Index rows, Index columns, Index window, buffon_type type)
      : states(queue.device(), rows, columns * window, type),
        newer(queue.device(), rows, columns * window, type),
        asked(queue.device(), rows, columns * window, type),
        data(queue.device(), rows, columns * window, type),
        moved(queue.device(), rows, columns * window, type),
        starts(queue.device(), rows, columns, type),
        index(queue.device(), 1, columns * window, BUFFON_I32),
        changes(queue.device(), 1, columns * window, BUFFON_F64),
        factors(queue, columns, 2 * window) {}
  Matrix states, newer;  ///< at the nodes 1 … window, before and after
  Matrix asked;          ///< at the nodes 0 … window − 1
  Matrix data, moved;    ///< D there
  Matrix starts;         ///< at node 0
  Matrix index, changes;
  ColumnFactors factors;
};

PicardSolver::PicardSolver(DiffusionModel model, backend::Queue& queue, Index columns, buffon_type type, PicardOptions options)
    : model_(model), queue_(&queue), options_(options), solver_(std::move(model), queue, columns * std::max<Index>(options.window, 1), type) {
  if (options.window < 1) refuse_solver("picard", "window", std::to_string(options.window), "must be at least 1", "take 8");
  if (!(options.tolerance >= 0)) refuse_solver("picard", "tolerance", to_text(options.tolerance), "must not be negative", "take 1e-4");
  memory_ = std::make_unique<Memory>(queue, model_.denoiser->dimension(), columns, options.window, type);
}
PicardSolver::~PicardSolver() = default;

PicardCost PicardSolver::run(View x, const std::vector<NoiseLevel>& grid, std::span<const std::int32_t> labels) {
  Memory& m = *memory_;
  check_states("picard", x, model_.denoiser->dimension(), m.starts.view().columns);
  const Index count = x.columns, window = options_.window;
  const auto steps = static_cast<Index>(grid.size()) - 1;
  // Node j of every sample: a view with the stride of a window.
  const auto node = [&](View all, Index j) {
    View part = column_of(all, j);
    part.columns = count;
    part.stride = all.stride * window;
    return part;
  };
  std::vector<Index> position(static_cast<std::size_t>(count), 0);  // node 0 of the windows
  std::vector<std::int32_t> classes;
  for (const std::int32_t label : labels) classes.insert(classes.end(), static_cast<std::size_t>(window), label);
  const auto level_of = [&](Index sample, Index j) -> const NoiseLevel& {
    return grid[static_cast<std::size_t>(std::min(position[static_cast<std::size_t>(sample)] + j, steps))];
  };
  const View starts = first_columns(m.starts, count), states = first_columns(m.states, count * window), newer = first_columns(m.newer, count * window),
             asked = first_columns(m.asked, count * window), data = first_columns(m.data, count * window), moved = first_columns(m.moved, count * window);
  copy(*queue_, starts, x);
  // x_{j + 1} = c_x x_j + c_D D_j down the window, with nodes beyond the last equal to it
  const auto set_factors = [&] {
    for (Index b = 0; b < count; ++b) {
      for (Index j = 0; j < window; ++j) {
        const bool real = position[static_cast<std::size_t>(b)] + j < steps;
        const FirstOrder step = real ? first_order(level_of(b, j), level_of(b, j + 1), Prediction::data) : FirstOrder{1, 0};
        m.factors.values(b, 2 * j) = step.x;
        m.factors.values(b, 2 * j + 1) = step.model;
      }
    }
    m.factors.send();
  };
  const auto sweep = [&](View target, View answers) {
    for (Index j = 0; j < window; ++j) {
      const View from = j == 0 ? starts : node(target, j - 1);
      queue_->combine(node(target, j), std::vector<buffon_term>{m.factors.term(from, 2 * j), m.factors.term(node(answers, j), 2 * j + 1)});
    }
  };
  PicardCost cost;
  cost.rounds.assign(static_cast<std::size_t>(count), 0);
  const auto ask = [&](bool begins) {  // D at the nodes 0 … window − 1
    std::vector<NoiseLevel> levels;
    for (Index b = 0; b < count; ++b) {
      for (Index j = 0; j < window; ++j) {
        const NoiseLevel& level = level_of(b, j);
        levels.push_back(begins ? grid[0] : (level.sigma > 0 ? level : grid[static_cast<std::size_t>(steps - 1)]));
      }
    }
    for (Index j = 0; j < window; ++j) copy(*queue_, node(asked, j), begins || j == 0 ? starts : node(states, j - 1));
    solver_.predict(data, Prediction::data, {asked, levels, classes});
    ++cost.parallel_calls;
  };
  // To begin with D is the same at all nodes.
  set_factors();
  ask(true);
  sweep(states, data);
  const auto open = [&] { return std::any_of(position.begin(), position.end(), [&](Index p) { return p < steps; }); };
  while (open()) {
    ask(false);
    sweep(newer, data);
    queue_->combine(states, std::vector<buffon_term>{plain_term(newer), plain_term(states, -1)});
    const View changes = first_columns(m.changes, count * window);
    queue_->reduce(changes, states, BUFFON_SUM_SQUARES);
    const Eigen::MatrixXd change = queue_->download(changes);
    std::vector<std::int32_t> of_state, of_data;
    for (Index b = 0; b < count; ++b) {
      Index& at = position[static_cast<std::size_t>(b)];
      Index move = 0;
      if (at < steps) {
        ++cost.rounds[static_cast<std::size_t>(b)];
        move = 1;  // the state after node 0 is final
        while (move < window && at + move < steps) {
          const double bound = options_.tolerance * level_of(b, move + 1).sigma;
          if (!(change(0, b * window + move) <= static_cast<double>(x.rows) * bound * bound)) break;
          ++move;
        }
        at += move;
      }
      of_state.push_back(static_cast<std::int32_t>(move == 0 ? -1 : b * window + move - 1));
      for (Index j = 0; j < window; ++j) of_data.push_back(static_cast<std::int32_t>(b * window + std::min(j + move, window - 1)));
    }
    for (Index b = 0; b < count; ++b) {
      if (of_state[static_cast<std::size_t>(b)] >= 0) copy(*queue_, column_of(starts, b), column_of(newer, of_state[static_cast<std::size_t>(b)]));
    }
    gather(*queue_, moved, data, m.index, of_data);
    set_factors();
    sweep(states, moved);
  }
  copy(*queue_, x, starts);
  return cost;
}

}  // namespace buffon
