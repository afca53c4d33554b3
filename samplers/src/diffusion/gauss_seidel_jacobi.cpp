// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/samplers/diffusion/gauss_seidel_jacobi.hpp>

#include <algorithm>
#include <cmath>

#include <buffon/core/error.hpp>

#include "columns.hpp"

namespace buffon {

using backend::Matrix;
using backend::View;

Sweeps solve_triangular(backend::Queue& queue, View x, const TriangularMap& map, const GaussSeidelJacobiOptions& options) {
  const Index rows = x.rows, count = x.columns, block = options.block == 0 ? rows : options.block;
  if (block < 1 || !(options.tolerance >= 0)) {
    throw Error(ErrorCategory::configuration, {.doing = "solving a triangular map",
                                               .key = block < 1 ? "block" : "tolerance",
                                               .value = block < 1 ? std::to_string(options.block) : to_text(options.tolerance),
                                               .rule = "must not be negative",
                                               .remedy = "leave it out for its default"});
  }
  // State and next state in one matrix, so that each sample takes the one or the other.
  const Matrix both(queue.device(), rows, 2 * count, x.type), taken(queue.device(), rows, count, x.type), index(queue.device(), 1, count, BUFFON_I32),
      changes(queue.device(), 1, count, BUFFON_F64);
  const View state = both.columns(0, count), next = both.columns(count, count);
  const auto rows_of = [&](View view, Index first, Index number) {
    view.data = static_cast<char*>(view.data) + first * (view.type == BUFFON_F64 ? 8 : 4);
    view.rows = number;
    return view;
  };
  copy(queue, state, x);
  Sweeps sweeps;
  sweeps.of_samples.assign(static_cast<std::size_t>(count), 0);
  for (Index first = 0; first < rows; first += block) {
    const Index size = std::min(block, rows - first);
    std::vector<bool> moving(static_cast<std::size_t>(count), true);
    for (Index k = 0; k < size && std::find(moving.begin(), moving.end(), true) != moving.end(); ++k) {
      map(next, state);
      ++sweeps.total;
      const View target = rows_of(taken, first, size), old = rows_of(state, first, size);
      queue.combine(target, std::vector<buffon_term>{plain_term(rows_of(next, first, size)), plain_term(old, -1)});
      queue.reduce(changes, target, BUFFON_SUM_SQUARES);
      const Eigen::MatrixXd change = queue.download(changes);
      std::vector<std::int32_t> columns;
      for (Index c = 0; c < count; ++c) {
        const bool moves = moving[static_cast<std::size_t>(c)];
        columns.push_back(static_cast<std::int32_t>(moves ? count + c : c));
        if (!moves) continue;
        ++sweeps.of_samples[static_cast<std::size_t>(c)];
        const double bound = options.tolerance * options.tolerance * static_cast<double>(size);
        if (change(0, c) <= bound) moving[static_cast<std::size_t>(c)] = false;
      }
      gather(queue, target, rows_of(both, first, size), index, columns);
      copy(queue, old, target);
    }
  }
  copy(queue, x, state);
  queue.synchronise();  // before memory of its own goes
  return sweeps;
}

}  // namespace buffon
