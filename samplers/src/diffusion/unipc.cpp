// SPDX-License-Identifier: BSD-3-Clause
// UniPC (Zhao and others, 2023): predictor of order p, corrector of order p + 1, one call per step. DC-Solver (Zhao and others, 2024): the same with the
// newest answer moved in time by given ratios.
#include "plan_builder.hpp"

#include <Eigen/LU>

#include <algorithm>
#include <cmath>

#include <buffon/core/error.hpp>

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
  const bool compensates = name == "dc_solver";
  if (name != "unipc" && name != "unip" && !compensates) return false;
  const bool corrects = name != "unip", bh1 = setting.variant == "bh1";
  const int order = setting.order > 0 ? setting.order : 3;
  if (order > 6) refuse_solver(name, "order", std::to_string(setting.order), "must be at most 6", "take 2 or 3");
  const bool data = setting.prediction == Prediction::data;
  if (setting.prediction == Prediction::velocity) refuse_solver(name, "prediction", "velocity", "must be data or noise", "take data");
  if (compensates && !setting.ratios.empty() && setting.ratios.size() + 1 != grid.size()) {
    refuse_solver(name, "ratios", std::to_string(setting.ratios.size()) + " ratios", "must be one for each of " + std::to_string(grid.size() - 1) + " steps",
                  "fit the ratios on this grid");
  }
  for (std::size_t i = 0; compensates && i < std::min<std::size_t>(2, setting.ratios.size()); ++i) {
    if (setting.ratios[i] != 1) {
      refuse_solver(name, "ratios[" + std::to_string(i) + "]", to_text(setting.ratios[i]), "must be 1: answers are moved from the third step on",
                    "set the first two ratios to 1");
    }
  }
  std::vector<int> answers;
  std::vector<double> lambdas, times;
  int x = 0;
  constexpr std::size_t compensating = 3;  // answers that a moved one is interpolated from
  const std::size_t most = compensates ? std::max<std::size_t>(static_cast<std::size_t>(order), compensating) : static_cast<std::size_t>(order);
  const auto remember = [&](int answer, const NoiseLevel& level) {
    answers.insert(answers.begin(), answer);
    lambdas.insert(lambdas.begin(), level.lambda);
    times.insert(times.begin(), level.time);
    if (answers.size() > most) {
      answers.pop_back();
      lambdas.pop_back();
      times.pop_back();
    }
  };
  // Lagrange's polynomial through the last three answers in the model's time, at t = r t_0 + (1 − r) t_1, takes the place of the newest.
  const auto compensate = [&](double ratio) {
    const double time = ratio * times[0] + (1 - ratio) * times[1];
    std::vector<Term> terms;
    for (std::size_t j = 0; j < compensating; ++j) {
      double weight = 1;
      for (std::size_t m = 0; m < compensating; ++m) weight *= m == j ? 1 : (time - times[m]) / (times[j] - times[m]);
      terms.push_back({answers[j], weight});
    }
    answers[0] = plan.combine(terms);
  };
  if (!data && grid[0].alpha == 0) refuse_solver(name, "prediction", "noise", "needs a first node with data in it (alpha > 0)", "take prediction = \"data\"");
  remember(plan.call(x, grid[0], setting.prediction), grid[0]);
  for (std::size_t i = 0; i + 1 < grid.size(); ++i) {
    const NoiseLevel &s = grid[i], &t = grid[i + 1];
    const double h = t.lambda - s.lambda, z = data ? -h : h, b_scale = bh1 ? z : std::expm1(z), c = data ? -t.alpha : -t.sigma;
    const FirstOrder base = first_order(s, t, setting.prediction);
    if (compensates && !setting.ratios.empty() && setting.ratios[i] != 1 && answers.size() >= compensating) compensate(setting.ratios[i]);
    std::size_t used = allowed_answers(setting, std::min(answers.size(), static_cast<std::size_t>(order)), i, grid.size() - 1);
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
    remember(answer, t);
  }
  return true;
}

}  // namespace buffon
