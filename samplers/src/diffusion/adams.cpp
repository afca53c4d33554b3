// SPDX-License-Identifier: BSD-3-Clause
// Adams-Bashforth methods for dy/d rho = noise, y = x / alpha: DEIS (tAB, rhoAB), improved PNDM, PNDM, momentum (HB, NT, GHVB).
#include "plan_builder.hpp"

#include <array>
#include <cmath>

#include <buffon/core/error.hpp>

namespace buffon {
namespace {

using Term = SolverPlan::Term;

/// 16-point Gauss-Legendre rule on [−1, 1], positive nodes.
constexpr std::array<double, 8> gauss_nodes = {0.0950125098376374, 0.2816035507792589, 0.4580167776572274, 0.6178762444026438,
                                               0.7554044083550030, 0.8656312023878318, 0.9445750230732326, 0.9894009349916499};
constexpr std::array<double, 8> gauss_weights = {0.1894506104550685, 0.1826034150449236, 0.1691565193950025, 0.1495959888165767,
                                                 0.1246289712555339, 0.0951585116824928, 0.0622535239386479, 0.0271524594117541};

/// ∫ L_j(time) d rho over a step, in pieces of lambda no longer than 1/2.
std::vector<double> time_weights(const NoiseSchedule& schedule, const NoiseLevel& s, const NoiseLevel& t, const std::vector<double>& times) {
  const double h = t.lambda - s.lambda;
  const int pieces = std::max(1, static_cast<int>(std::ceil(2 * h)));
  std::vector<double> weights(times.size(), 0.0);
  const auto add = [&](double lambda, double weight) {
    const double time = schedule.at_lambda(lambda).time, slope = -std::exp(-lambda);
    for (std::size_t j = 0; j < times.size(); ++j) {
      double value = 1;
      for (std::size_t m = 0; m < times.size(); ++m) value *= m == j ? 1 : (time - times[m]) / (times[j] - times[m]);
      weights[j] += weight * slope * value;
    }
  };
  for (int p = 0; p < pieces; ++p) {
    const double half = 0.5 * h / pieces, middle = s.lambda + (2 * p + 1) * half;
    for (std::size_t k = 0; k < gauss_nodes.size(); ++k) {
      add(middle - half * gauss_nodes[k], half * gauss_weights[k]);
      add(middle + half * gauss_nodes[k], half * gauss_weights[k]);
    }
  }
  return weights;
}

/// ∫ L_j(rho) d rho over a step.
std::vector<double> rho_weights(const NoiseLevel& s, const NoiseLevel& t, const std::vector<double>& rhos) {
  std::vector<double> weights;
  const double d = t.rho() - s.rho();
  for (std::size_t j = 0; j < rhos.size(); ++j) {
    std::vector<double> polynomial = {1};  // in rho − rho_s
    for (std::size_t m = 0; m < rhos.size(); ++m) {
      if (m == j) continue;
      std::vector<double> next(polynomial.size() + 1, 0.0);
      const double scale = 1 / (rhos[j] - rhos[m]), root = rhos[m] - s.rho();
      for (std::size_t k = 0; k < polynomial.size(); ++k) {
        next[k + 1] += scale * polynomial[k];
        next[k] -= scale * root * polynomial[k];
      }
      polynomial = std::move(next);
    }
    double integral = 0;
    for (std::size_t k = 0; k < polynomial.size(); ++k) integral += polynomial[k] * std::pow(d, static_cast<double>(k + 1)) / static_cast<double>(k + 1);
    weights.push_back(integral);
  }
  return weights;
}

/// Adams-Bashforth for equal steps.
std::vector<double> bashforth(std::size_t k) {
  if (k == 1) return {1};
  if (k == 2) return {1.5, -0.5};
  if (k == 3) return {23.0 / 12, -16.0 / 12, 5.0 / 12};
  return {55.0 / 24, -59.0 / 24, 37.0 / 24, -9.0 / 24};
}

/// Generalised heavy ball (Wizadwongsa and others, 2023): (1/b) times these weigh the velocities.
std::vector<double> heavy_ball(std::size_t k, double b) {
  if (k == 1) return {b};
  if (k == 2) return {(2 + b) / 2, -(2 - b) / 2};
  if (k == 3) return {(18 + 5 * b) / 12, -(24 - 8 * b) / 12, (6 - b) / 12};
  if (k == 4) return {(46 + 9 * b) / 24, -(78 - 19 * b) / 24, (42 - 5 * b) / 24, -(10 - b) / 24};
  return {(1650 + 251 * b) / 720, -(3420 - 646 * b) / 720, (2880 - 264 * b) / 720, -(1380 - 106 * b) / 720, (270 - 19 * b) / 720};
}

/// The newest of a few registers first.
void keep(std::vector<int>& list, int newest, std::size_t most) {
  list.insert(list.begin(), newest);
  if (list.size() > most) list.resize(most);
}

/// x_t = (alpha_t / alpha_s) x + alpha_t Σ w_j e_j, the weights in units of rho.
int advance(PlanBuilder& plan, int x, const NoiseLevel& s, const NoiseLevel& t, const std::vector<int>& e, const std::vector<double>& w) {
  std::vector<Term> terms = {{x, t.alpha / s.alpha}};
  for (std::size_t j = 0; j < w.size(); ++j) terms.push_back({e[j], t.alpha * w[j]});
  return plan.combine(terms);
}

std::vector<double> scaled(std::vector<double> weights, double factor) {
  for (double& w : weights) w *= factor;
  return weights;
}

}  // namespace

bool adams_family(const SolverSetting& setting, const NoiseSchedule& schedule, const std::vector<NoiseLevel>& grid, PlanBuilder& plan) {
  const std::string& name = setting.solver;
  const bool tab = name == "deis_tab", rab = name == "deis_rhoab", improved = name == "ipndm", s_pndm = name == "s_pndm", f_pndm = name == "f_pndm";
  const bool ghvb = name == "ghvb", hb = name == "plms_hb", nt = name == "plms_nt";
  if (!tab && !rab && !improved && !s_pndm && !f_pndm && !ghvb && !hb && !nt) return false;
  if (grid[0].alpha == 0) {
    refuse_solver(name, "nodes", "time " + to_text(grid[0].time), "must begin where there is data (alpha > 0): this solver works on the noise",
                  "set first_time a little later, or take a solver of the data: dpmpp_2m, unipc");
  }
  const int given = setting.order > 0 ? setting.order : (tab || rab ? 4 : (s_pndm ? 2 : (ghvb ? 2 : 4)));
  const int most = ghvb ? 5 : 4;
  if (given > most) refuse_solver(name, "order", std::to_string(setting.order), "must be at most " + std::to_string(most), "lower the order");
  const auto order = static_cast<std::size_t>(given);
  const double b = setting.beta;
  std::vector<int> answers, velocities;
  std::vector<double> times, rhos;
  int x = 0;
  for (std::size_t i = 0; i + 1 < grid.size(); ++i) {
    const NoiseLevel &s = grid[i], &t = grid[i + 1];
    const double d = t.rho() - s.rho();
    const int e = plan.call(x, s, Prediction::noise);
    keep(answers, e, allowed_answers(setting, order, i, grid.size() - 1));
    times.insert(times.begin(), s.time);
    rhos.insert(rhos.begin(), s.rho());
    times.resize(answers.size());
    rhos.resize(answers.size());
    if (t.sigma == 0) {
      x = advance(plan, x, s, t, {e}, {d});
    } else if (tab) {
      x = advance(plan, x, s, t, answers, time_weights(schedule, s, t, times));
    } else if (rab) {
      x = advance(plan, x, s, t, answers, rho_weights(s, t, rhos));
    } else if (s_pndm && i == 0) {
      const int e2 = plan.call(advance(plan, x, s, t, {e}, {d}), t, Prediction::noise);
      x = advance(plan, x, s, t, {e, e2}, {0.5 * d, 0.5 * d});
    } else if (f_pndm && i < 3) {
      const NoiseLevel m = schedule.at_time(0.5 * (s.time + t.time));
      const double half = m.rho() - s.rho();
      const int e2 = plan.call(advance(plan, x, s, m, {e}, {half}), m, Prediction::noise);
      const int e3 = plan.call(advance(plan, x, s, m, {e2}, {half}), m, Prediction::noise);
      const int e4 = plan.call(advance(plan, x, s, t, {e3}, {d}), t, Prediction::noise);
      x = advance(plan, x, s, t, {e, e2, e3, e4}, {d / 6, d / 3, d / 3, d / 6});
    } else if (ghvb) {
      const int v = velocities.empty() ? e : plan.combine({{velocities[0], 1 - b}, {e, b}});
      keep(velocities, v, order);
      x = advance(plan, x, s, t, velocities, scaled(heavy_ball(velocities.size(), b), d / b));
    } else if (hb || nt) {
      const std::vector<double> weights = bashforth(answers.size());
      std::vector<Term> terms;
      for (std::size_t j = 0; j < weights.size(); ++j) terms.push_back({answers[j], weights[j]});
      const int p = plan.combine(terms);
      const int v = velocities.empty() ? e : plan.combine({{velocities[0], 1 - b}, {p, b}});
      velocities = {v};
      const int u = hb ? v : plan.combine({{v, 1 - b}, {p, b}});
      x = advance(plan, x, s, t, {u}, {d});
    } else {
      x = advance(plan, x, s, t, answers, scaled(bashforth(answers.size()), d));
    }
    plan.reached(x);
  }
  return true;
}

}  // namespace buffon
