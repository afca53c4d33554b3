// SPDX-License-Identifier: BSD-3-Clause
// DPM-Solver-v3 (Zheng and others, 2023): multistep in f = (sigma ε − l x) / alpha = (1 − l) x / alpha − D, with tables l, s, b of the model.
//
// With L, S, B~ the integrals from s of l, s and e^{−S} b, and g_j = e^{S(s) − S(j)} f_j moved to the node s,
//   x_t = alpha_t/alpha_s e^{−L} x − alpha_t e^{−L} (Σ_k g^{(k)} ∫ e^{L + S} (z − s)^k / k! dz + ∫ e^{L + S} B~ dz),
// integrals over the step by trapezoids on the nodes of the table and the ends of the step.
#include <buffon/samplers/diffusion/empirical_statistics.hpp>

#include <Eigen/LU>

#include <algorithm>
#include <cmath>

#include <buffon/core/error.hpp>

#include "plan_builder.hpp"

namespace buffon {
namespace {

using Array = Eigen::ArrayXd;
using Term = SolverPlan::Term;

RowNumbers rows(const Array& values) { return std::make_shared<const Eigen::VectorXd>(values.matrix()); }

/// Column of a table at a lambda, linear between nodes.
Array at(const EmpiricalStatistics& table, const Eigen::MatrixXd& values, double lambda) {
  const double place = std::clamp((lambda - table.first) / table.spacing(), 0.0, static_cast<double>(values.cols() - 1));
  const auto left = std::min(static_cast<Eigen::Index>(place), values.cols() - 2);
  const double share = place - static_cast<double>(left);
  return (1 - share) * values.col(left).array() + share * values.col(left + 1).array();
}

/// Integrals over a step.
struct Integrals {
  Array l, s, b;               ///< of l, of s, of e^{−S} b
  std::vector<Array> moments;  ///< of e^{L + S} (z − s)^k / k!
  Array shift;                 ///< of e^{L + S} B~
};
Integrals integrate(const EmpiricalStatistics& table, double from, double to, std::size_t moments) {
  std::vector<double> nodes = {from};
  const double spacing = table.spacing(), margin = 1e-9 * spacing;
  for (auto k = static_cast<Eigen::Index>(std::floor((from - table.first) / spacing)); k < table.l.cols(); ++k) {
    const double node = table.first + static_cast<double>(k) * spacing;
    if (node > from + margin && node < to - margin) nodes.push_back(node);
  }
  nodes.push_back(to);
  const Eigen::Index n = table.l.rows();
  const Array zero = Array::Zero(n);
  Integrals sum{zero, zero, zero, std::vector<Array>(moments, zero), zero};
  Array l = at(table, table.l, from), s = at(table, table.s, from), b = at(table, table.b, from), shift = zero;
  std::vector<Array> powers(moments, zero);
  powers[0] = Array::Ones(n);
  for (std::size_t i = 1; i < nodes.size(); ++i) {
    const double half = 0.5 * (nodes[i] - nodes[i - 1]), z = nodes[i] - from;
    const Array next_l = at(table, table.l, nodes[i]), next_s = at(table, table.s, nodes[i]);
    sum.l += half * (l + next_l);
    sum.s += half * (s + next_s);
    const Array next_b = (-sum.s).exp() * at(table, table.b, nodes[i]);
    sum.b += half * (b + next_b);
    const Array kernel = (sum.l + sum.s).exp();
    double power = 1;
    for (std::size_t k = 0; k < moments; ++k) {
      if (k > 0) power *= z / static_cast<double>(k);
      const Array next = power * kernel;
      sum.moments[k] += half * (powers[k] + next);
      powers[k] = next;
    }
    const Array next_shift = kernel * sum.b;
    sum.shift += half * (shift + next_shift);
    l = next_l;
    s = next_s;
    b = next_b;
    shift = next_shift;
  }
  return sum;
}

/// An earlier f, and how it moves to the current node: e^S (f + B~) with the integrals from its node to the current one.
struct Known {
  int f;
  double lambda;
};

/// Weights A with g^{(k)} = Σ_j A(k − 1, j) (g_j − g_0), k >= 1: by solving for a polynomial through all nodes, or by divided differences alone.
Eigen::MatrixXd derivative_weights(const std::vector<double>& nodes, bool pseudo) {
  const auto n = static_cast<Eigen::Index>(nodes.size());
  if (n == 0) return {};
  if (!pseudo) {
    Eigen::MatrixXd system(n, n);  // Σ_k g^{(k)} z_j^k / k! = g_j − g_0
    for (Eigen::Index j = 0; j < n; ++j) {
      double power = 1;
      for (Eigen::Index k = 0; k < n; ++k) {
        power *= nodes[static_cast<std::size_t>(j)] / static_cast<double>(k + 1);
        system(j, k) = power;
      }
    }
    return system.inverse();
  }
  // k! times the divided difference of 0, z_1, …, z_k
  Eigen::MatrixXd weights = Eigen::MatrixXd::Zero(n, n);
  double factorial = 1;
  for (Eigen::Index k = 1; k <= n; ++k) {
    factorial *= static_cast<double>(k);
    for (Eigen::Index j = 1; j <= k; ++j) {
      double bottom = nodes[static_cast<std::size_t>(j - 1)];
      for (Eigen::Index m = 1; m <= k; ++m) {
        if (m != j) bottom *= nodes[static_cast<std::size_t>(j - 1)] - nodes[static_cast<std::size_t>(m - 1)];
      }
      weights(k - 1, j - 1) = factorial / bottom;
    }
  }
  return weights;
}

}  // namespace

bool v3_family(const SolverSetting& setting, const NoiseSchedule&, const std::vector<NoiseLevel>& grid, PlanBuilder& plan) {
  const std::string& name = setting.solver;
  if (name != "dpm_solver_v3") return false;
  if (!setting.statistics) refuse_solver(name, "statistics", "none", "are needed: tables of the model", "estimate them with estimate_statistics");
  const EmpiricalStatistics& table = *setting.statistics;
  const double slack = 1e-6;
  if (!(grid.front().lambda >= table.first - slack) || !(grid.back().lambda <= table.last + slack)) {
    refuse_solver(name, "grid", "lambda from " + to_text(grid.front().lambda) + " to " + to_text(grid.back().lambda),
                  "must lie in the tables, from " + to_text(table.first) + " to " + to_text(table.last), "estimate the statistics on the ends of the grid");
  }
  const int order = setting.order > 0 ? setting.order : 3;
  if (order > 4) refuse_solver(name, "order", std::to_string(setting.order), "must be at most 4", "take 3");
  const bool corrects = setting.variant == "corrector" || setting.variant == "pseudo_corrector";
  const bool pseudo = setting.variant == "pseudo" || setting.variant == "pseudo_corrector";

  const auto f_of = [&](int state, const NoiseLevel& level) {
    const int data = plan.call(state, level, Prediction::data);
    return plan.combine({{state, 1 / level.alpha, rows(1 - at(table, table.l, level.lambda))}, {data, -1}});
  };
  std::vector<Known> known = {{f_of(0, grid[0]), grid[0].lambda}};
  int x = 0;
  for (std::size_t i = 0; i + 1 < grid.size(); ++i) {
    const NoiseLevel &s = grid[i], &t = grid[i + 1];
    const std::size_t used = allowed_answers(setting, known.size(), i, grid.size() - 1);
    // The step from the newest `used` values of f, and f at t where `ahead` holds it.
    const auto step = [&, from = x](int ahead) {
      std::vector<double> nodes;
      for (std::size_t j = 1; j < used; ++j) nodes.push_back(known[j].lambda - s.lambda);
      if (ahead >= 0) nodes.push_back(t.lambda - s.lambda);
      const Integrals over = integrate(table, s.lambda, t.lambda, nodes.size() + 1);
      const Eigen::MatrixXd weights = derivative_weights(nodes, pseudo);
      const Array scale = -t.alpha * (-over.l).exp();
      Array offset = scale * over.shift, on_current = scale * over.moments[0];
      std::vector<Term> terms = {{from, t.alpha / s.alpha, rows((-over.l).exp())}};
      for (std::size_t j = 0; j < nodes.size(); ++j) {
        Array weight = Array::Zero(scale.size());
        for (std::size_t k = 0; k < nodes.size(); ++k) weight += over.moments[k + 1] * weights(static_cast<Eigen::Index>(k), static_cast<Eigen::Index>(j));
        weight *= scale;
        on_current -= weight;
        if (ahead >= 0 && j + 1 == nodes.size()) {  // back from t: g = e^{−S} f − B~
          offset -= weight * over.b;
          terms.push_back({ahead, 1, rows(weight * (-over.s).exp())});
        } else {
          const Integrals since = integrate(table, known[j + 1].lambda, s.lambda, 1);
          offset += weight * since.s.exp() * since.b;
          terms.push_back({known[j + 1].f, 1, rows(weight * since.s.exp())});
        }
      }
      terms.push_back({known[0].f, 1, rows(on_current)});
      return plan.combine(terms, 0, rows(offset));
    };
    x = step(-1);
    if (i + 2 < grid.size()) {
      const int f = f_of(x, t);
      if (corrects) x = step(f);
      known.insert(known.begin(), {f, t.lambda});
      if (known.size() > static_cast<std::size_t>(order)) known.pop_back();
    }
    plan.reached(x);
  }
  return true;
}

}  // namespace buffon
