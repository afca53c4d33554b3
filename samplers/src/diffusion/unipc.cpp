// SPDX-License-Identifier: BSD-3-Clause
// UniPC (Zhao and others, 2023): predictor of order p, corrector of order p + 1, one call per step.
#include "plan_builder.hpp"

#include <Eigen/LU>

#include <algorithm>
#include <cmath>

namespace buffon {
namespace {

using Term = SolverPlan::Term;

/// Solves R q = b for the nodes r_1 … r_n: R_ij = r_j^{i−1}, b_i = i! z phi_{i+1}(z) / B.
std::vector<double> coefficients(const std::vector<double>& r, double z, double b_scale) {
  const auto n = static_cast<Eigen::Index>(r.size());
  Eigen::MatrixXd matrix(n, n);
  Eigen::VectorXd right(n);
  double factorial = 1;
  for (Eigen::Index i = 0; i < n; ++i) {
    factorial *= static_cast<double>(i + 1);
    right(i) = factorial * z * phi(static_cast<int>(i) + 2, z) / b_scale;
    for (Eigen::Index j = 0; j < n; ++j) matrix(i, j) = std::pow(r[static_cast<std::size_t>(j)], static_cast<double>(i));
  }
  const Eigen::VectorXd q = matrix.partialPivLu().solve(right);
  return {q.data(), q.data() + n};
}

}  // namespace

bool unipc_family(const SolverSetting& setting, const NoiseSchedule&, const std::vector<NoiseLevel>& grid, PlanBuilder& plan) {
  const std::string& name = setting.solver;
  if (name != "unipc" && name != "unip") return false;
  const bool corrects = name == "unipc", bh1 = setting.variant == "bh1";
  const int order = setting.order > 0 ? setting.order : 3;
  if (order > 6) refuse_solver(name, "order", std::to_string(setting.order), "must be at most 6", "take 2 or 3");
  const bool data = setting.prediction == Prediction::data;
  if (setting.prediction == Prediction::velocity) refuse_solver(name, "prediction", "velocity", "must be data or noise", "take data");
  std::vector<int> answers;
  std::vector<double> lambdas;
  int x = 0;
  const auto remember = [&](int answer, double lambda) {
    answers.insert(answers.begin(), answer);
    lambdas.insert(lambdas.begin(), lambda);
    if (answers.size() > static_cast<std::size_t>(order)) {
      answers.pop_back();
      lambdas.pop_back();
    }
  };
  if (!data && grid[0].alpha == 0) refuse_solver(name, "prediction", "noise", "needs a first node with data in it (alpha > 0)", "take prediction = \"data\"");
  remember(plan.call(x, grid[0], setting.prediction), grid[0].lambda);
  for (std::size_t i = 0; i + 1 < grid.size(); ++i) {
    const NoiseLevel &s = grid[i], &t = grid[i + 1];
    const double h = t.lambda - s.lambda, z = data ? -h : h, b_scale = bh1 ? z : std::expm1(z), c = data ? -t.alpha : -t.sigma;
    const FirstOrder base = first_order(s, t, setting.prediction);
    std::size_t used = allowed_answers(setting, answers.size(), i, grid.size() - 1);
    while (used > 1 && !std::isfinite(lambdas[used - 1])) --used;
    if (t.sigma == 0 || !std::isfinite(h)) used = 1;
    std::vector<double> r;
    for (std::size_t j = 1; j < used; ++j) r.push_back((lambdas[j] - s.lambda) / h);

    // Σ_j q_j (m_j − m_0) / r_j
    const auto step = [&](const std::vector<double>& q, int newest) {
      std::vector<Term> terms = {{x, base.x}};
      double on_current = base.model;
      for (std::size_t j = 0; j < r.size(); ++j) {
        terms.push_back({answers[j + 1], c * b_scale * q[j] / r[j]});
        on_current -= c * b_scale * q[j] / r[j];
      }
      if (newest >= 0) {
        terms.push_back({newest, c * b_scale * q.back()});
        on_current -= c * b_scale * q.back();
      }
      terms.push_back({answers[0], on_current});
      return plan.combine(terms);
    };
    std::vector<double> q = r.size() == 1 ? std::vector<double>{0.5} : (r.empty() ? std::vector<double>{} : coefficients(r, z, b_scale));
    const int predicted = step(q, -1);
    if (i + 2 == grid.size()) {
      plan.reached(predicted);
      break;
    }
    const int answer = plan.call(predicted, t, setting.prediction);
    if (corrects && std::isfinite(h)) {
      std::vector<double> nodes = r;
      nodes.push_back(1);
      q = r.empty() ? std::vector<double>{0.5} : coefficients(nodes, z, b_scale);
      x = step(q, answer);
    } else {
      x = predicted;
    }
    plan.reached(x);
    remember(answer, t.lambda);
  }
  return true;
}

}  // namespace buffon
