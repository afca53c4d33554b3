// SPDX-License-Identifier: BSD-3-Clause
// Grids as paths through a fine grid: dynamic programming, costs of klub, evolution.
#include <buffon/core/constants.hpp>
#include <buffon/samplers/diffusion/schedule_search.hpp>

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include <buffon/core/error.hpp>
#include <buffon/random/item_draws.hpp>

namespace buffon::schedule {
namespace {

using constants::infinity;

void check_steps(Index fine_steps, int steps) {
  if (steps >= 1 && steps <= fine_steps) return;
  throw Error(ErrorCategory::configuration, {.doing = "searching a schedule",
                                             .key = "steps",
                                             .value = std::to_string(steps),
                                             .rule = "must be from 1 to the " + std::to_string(fine_steps) + " steps of the fine grid",
                                             .remedy = "take fewer steps or a finer grid"});
}

/// Draws of one candidate.
class Chance {
 public:
  Chance(ItemDraws& draws, std::uint64_t candidate) : draws_(&draws) { draws.begin(candidate); }
  bool happens(double probability) { return draws_->uniform() < probability; }
  Index below(Index n) { return std::min(n - 1, static_cast<Index>(draws_->uniform() * static_cast<double>(n))); }

 private:
  ItemDraws* draws_;
};

/// Inner nodes of a path made distinct and sorted: repetitions are replaced by unused nodes at random.
std::vector<Index> repaired(std::vector<Index> inner, Index fine_steps, Chance& chance) {
  std::vector<bool> used(static_cast<std::size_t>(fine_steps), false);
  std::vector<Index> kept;
  for (const Index node : inner) {
    if (!used[static_cast<std::size_t>(node)]) kept.push_back(node);
    used[static_cast<std::size_t>(node)] = true;
  }
  while (kept.size() < inner.size()) {
    const Index node = 1 + chance.below(fine_steps - 1);
    if (used[static_cast<std::size_t>(node)]) continue;
    used[static_cast<std::size_t>(node)] = true;
    kept.push_back(node);
  }
  std::sort(kept.begin(), kept.end());
  return kept;
}

struct Candidate {
  std::vector<Index> inner;
  double fitness;
  bool operator<(const Candidate& other) const { return std::pair(fitness, inner) < std::pair(other.fitness, other.inner); }
};

}  // namespace

Path cheapest_path(const ConstMatrix& costs, int steps) {
  const Index k = costs.rows() - 1;
  check_steps(k, steps);
  // value(i): least cost from i to K in the arcs that are left; next(arcs left − 1, i): the first of them.
  Eigen::VectorXd value = costs.col(k);
  value(k) = infinity;
  Eigen::Matrix<Index, Eigen::Dynamic, Eigen::Dynamic> next(steps, k + 1);
  next.setConstant(k);
  for (int arcs = 2; arcs <= steps; ++arcs) {
    Eigen::VectorXd better = Eigen::VectorXd::Constant(k + 1, infinity);
    for (Index i = 0; i < k; ++i) {
      Index chosen = k;
      for (Index j = i + 1; j < k; ++j) {
        const double cost = costs(i, j) + value(j);
        if (cost < better(i)) better(i) = cost, chosen = j;
      }
      next(arcs - 1, i) = chosen;
    }
    value = better;
  }
  if (!std::isfinite(value(0))) {
    throw Error(ErrorCategory::model, {.doing = "searching a schedule",
                                       .key = "cost",
                                       .value = to_text(value(0)),
                                       .rule = "must be finite for one path of " + std::to_string(steps) + " steps through the fine grid at least",
                                       .remedy = "see what the model answers at the nodes of the fine grid, or take more steps"});
  }
  Path path{{0}, value(0)};
  for (int left = steps; left > 0; --left) path.nodes.push_back(next(left - 1, path.nodes.back()));
  return path;
}

Eigen::MatrixXd klub_costs(const ConstMatrix& changes, const std::vector<NoiseLevel>& fine) {
  const Index k = static_cast<Index>(fine.size()) - 1;
  if (fine.back().sigma == 0) {
    throw Error(ErrorCategory::configuration, {.doing = "searching a schedule",
                                               .key = "last_time",
                                               .value = to_text(fine.back().time),
                                               .rule = "must leave some noise, the bound of klub is infinite without",
                                               .remedy = "end at a later time, or take another method"});
  }
  Eigen::VectorXd u(k + 1);  // ∫ e^{2 lambda} dlambda = e^{2 lambda} / 2
  for (Index i = 0; i <= k; ++i) u(i) = 0.5 * std::exp(2 * fine[static_cast<std::size_t>(i)].lambda);
  Eigen::MatrixXd costs = Eigen::MatrixXd::Constant(k + 1, k + 1, infinity);
  for (Index i = 0; i < k; ++i) {
    double sum = 0;
    for (Index j = i + 1; j <= k; ++j) {
      sum += 0.5 * (u(j) - u(j - 1)) * (changes(i, j - 1) + changes(i, j));
      costs(i, j) = sum;
    }
  }
  return costs;
}

Path evolve(const Fitness& fitness, const std::vector<std::vector<Index>>& seeds, Index fine_steps, int steps, std::int64_t budget, const Stream& stream,
            std::int64_t* runs) {
  constexpr std::size_t population = 50, parents = 10, mutated = 20, crossed = 15;
  check_steps(fine_steps, steps);
  const auto inner_nodes = static_cast<std::size_t>(steps - 1);
  std::map<std::vector<Index>, double> known;
  std::uint64_t number = 0;
  const auto with_ends = [&](const std::vector<Index>& inner) {
    std::vector<Index> nodes = {0};
    nodes.insert(nodes.end(), inner.begin(), inner.end());
    nodes.push_back(fine_steps);
    return nodes;
  };
  std::vector<Candidate> all;  // of one generation
  const auto add = [&](std::vector<Index> inner) {
    auto place = known.find(inner);
    if (place == known.end()) {
      const double value = fitness(with_ends(inner));
      place = known.emplace(inner, std::isnan(value) ? infinity : value).first;
    }
    all.push_back({std::move(inner), place->second});
  };
  const auto mutate = [&](std::vector<Index> inner, Chance& chance) {
    std::vector<bool> used(static_cast<std::size_t>(fine_steps) + 1, false);
    for (const Index node : inner) used[static_cast<std::size_t>(node)] = true;
    for (Index& node : inner) {
      if (!chance.happens(0.1) || inner.size() + 1 >= static_cast<std::size_t>(fine_steps)) continue;
      Index other = node;
      while (used[static_cast<std::size_t>(other)]) other = 1 + chance.below(fine_steps - 1);
      used[static_cast<std::size_t>(other)] = true;
      used[static_cast<std::size_t>(node)] = false;
      node = other;
    }
    std::sort(inner.begin(), inner.end());
    return inner;
  };
  const auto random = [&](Chance& chance) { return repaired(std::vector<Index>(inner_nodes, 1), fine_steps, chance); };
  const auto spent = [&] { return static_cast<std::int64_t>(number) >= budget; };

  ItemDraws draws(stream, 0);
  std::vector<std::vector<Index>> first;
  for (const std::vector<Index>& seed : seeds) {
    Chance chance(draws, number++);
    first.push_back(repaired(std::vector<Index>(seed.begin() + 1, seed.end() - 1), fine_steps, chance));
    add(first.back());
  }
  while (all.size() < population && !spent()) {
    Chance chance(draws, number++);
    add(!first.empty() && all.size() % 2 == 0 ? mutate(first[all.size() / 2 % first.size()], chance) : random(chance));
  }
  std::vector<Candidate> best;
  for (;;) {
    best.insert(best.end(), all.begin(), all.end());
    std::sort(best.begin(), best.end());
    best.erase(std::unique(best.begin(), best.end(), [](const Candidate& a, const Candidate& b) { return a.inner == b.inner; }), best.end());
    if (best.size() > parents) best.erase(best.begin() + parents, best.end());
    if (spent() || inner_nodes == 0) break;
    all.clear();
    const auto parent = [&](Chance& chance) -> const std::vector<Index>& {
      return best[static_cast<std::size_t>(chance.below(static_cast<Index>(best.size())))].inner;
    };
    for (std::size_t c = parents; c < population && !spent(); ++c) {
      Chance chance(draws, number++);
      if (c < parents + mutated) {
        add(mutate(parent(chance), chance));
      } else if (c < parents + mutated + crossed) {
        std::vector<Index> child = parent(chance);
        const std::vector<Index>& other = parent(chance);
        for (std::size_t i = 0; i < inner_nodes; ++i) {
          if (chance.happens(0.5)) child[i] = other[i];
        }
        add(repaired(std::move(child), fine_steps, chance));
      } else {
        add(random(chance));
      }
    }
  }
  if (runs != nullptr) *runs = static_cast<std::int64_t>(known.size());
  return {with_ends(best.front().inner), best.front().fitness};
}

}  // namespace buffon::schedule
