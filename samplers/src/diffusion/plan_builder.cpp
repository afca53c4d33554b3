// SPDX-License-Identifier: BSD-3-Clause
#include "plan_builder.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <string_view>

#include <buffon/core/error.hpp>

namespace buffon {

int PlanBuilder::evaluate(int state, const NoiseLevel& level, Prediction prediction) {
  plan_.operations.push_back(SolverPlan::Evaluate{next_, state, level, prediction});
  ++plan_.calls;
  return next_++;
}

int PlanBuilder::call(int state, const NoiseLevel& level, Prediction prediction) {
  if (blend_ == 0) return evaluate(state, level, prediction);
  if (prediction == Prediction::velocity) {
    refuse_solver("on velocities", "blend", to_text(blend_), "is for solvers of noise or data", "take another solver or blend = 0");
  }
  // ε̃ = (1 − c) ε + c ε_before; the first node has none before.
  int noise = 0, data = -1;
  if (level.alpha == 0) {
    data = evaluate(state, level, Prediction::data);
    noise = combine({{state, 1 / level.sigma}});
  } else {
    noise = evaluate(state, level, Prediction::noise);
  }
  if (newest_noise_ < 0 || level.lambda != newest_lambda_) {
    if (kept_noise_ < 0 || !blend_first_) kept_noise_ = newest_noise_;
    newest_noise_ = noise;
    newest_lambda_ = level.lambda;
  }
  if (kept_noise_ >= 0) noise = combine({{noise, 1 - blend_}, {kept_noise_, blend_}});
  if (prediction == Prediction::noise) return noise;
  return data >= 0 ? data : combine({{state, 1 / level.alpha}, {noise, -level.sigma / level.alpha}});
}

int PlanBuilder::combine(std::vector<Term> terms, double noise, RowNumbers offset) {
  terms.erase(std::remove_if(terms.begin(), terms.end(), [](const Term& term) { return term.factor == 0; }), terms.end());
  SolverPlan::Combine operation{next_, std::move(terms), noise, 0, std::move(offset)};
  if (noise != 0) operation.number = static_cast<std::uint32_t>(plan_.noises++);
  plan_.operations.push_back(std::move(operation));
  return next_++;
}

void PlanBuilder::reached(int state) {
  plan_.ends.push_back(plan_.operations.size());
  states_.push_back(state);
}

void PlanBuilder::denoise_last(const NoiseLevel& level) {
  states_.back() = evaluate(states_.back(), level, Prediction::data);
  plan_.ends.back() = plan_.operations.size();
}

SolverPlan PlanBuilder::finish() {
  const auto count = plan_.operations.size();
  std::vector<std::size_t> last(static_cast<std::size_t>(next_), 0);  // operation that reads a register last
  for (std::size_t k = 0; k < count; ++k) {
    std::visit(
        [&](const auto& operation) {
          if constexpr (std::is_same_v<std::decay_t<decltype(operation)>, SolverPlan::Evaluate>) {
            last[static_cast<std::size_t>(operation.source)] = k;
          } else {
            for (const Term& term : operation.terms) last[static_cast<std::size_t>(term.source)] = k;
          }
        },
        plan_.operations[k]);
  }
  // A state at a node lives beyond the node; the final one for ever.
  for (std::size_t i = 0; i < states_.size(); ++i) {
    std::size_t& end = last[static_cast<std::size_t>(states_[i])];
    end = std::max(end, plan_.ends[i]);
  }
  if (!states_.empty()) last[static_cast<std::size_t>(states_.back())] = std::numeric_limits<std::size_t>::max();
  std::vector<int> place(static_cast<std::size_t>(next_), -1);
  std::vector<int> idle;
  place[0] = 0;
  int places = 1;
  for (std::size_t k = 0; k < count; ++k) {
    std::vector<int> read;
    int* target = nullptr;
    bool elementwise = false;
    std::visit(
        [&](auto& operation) {
          target = &operation.target;
          if constexpr (std::is_same_v<std::decay_t<decltype(operation)>, SolverPlan::Evaluate>) {
            read.push_back(operation.source);
            operation.source = place[static_cast<std::size_t>(operation.source)];
          } else {
            elementwise = true;
            for (Term& term : operation.terms) {
              read.push_back(term.source);
              term.source = place[static_cast<std::size_t>(term.source)];
            }
          }
        },
        plan_.operations[k]);
    const auto release = [&] {
      for (const int r : read) {
        const auto i = static_cast<std::size_t>(r);
        if (last[i] == k && place[i] >= 0 && std::find(idle.begin(), idle.end(), place[i]) == idle.end()) idle.push_back(place[i]);
      }
    };
    if (elementwise) release();  // may be written over what it reads
    int own = places;
    if (idle.empty()) {
      ++places;
    } else {
      own = idle.back();
      idle.pop_back();
    }
    place[static_cast<std::size_t>(*target)] = own;
    *target = own;
    if (!elementwise) release();
  }
  for (const int state : states_) plan_.states.push_back(place[static_cast<std::size_t>(state)]);
  // The result lies in register 0.
  if (!states_.empty()) {
    plan_.states.back() = 0;
    const int from = place[static_cast<std::size_t>(states_.back())];
    if (from != 0) plan_.operations.push_back(SolverPlan::Combine{0, {{from, 1.0}}, 0, 0, {}});
    plan_.ends.back() = plan_.operations.size();
  }
  plan_.registers = places;
  return std::move(plan_);
}

FirstOrder first_order(const NoiseLevel& s, const NoiseLevel& t, Prediction prediction) {
  if (t.sigma == 0) {  // x ← D
    if (prediction == Prediction::data) return {0, t.alpha};
    return {t.alpha / s.alpha, -t.alpha * s.sigma / s.alpha};
  }
  const double h = t.lambda - s.lambda;
  if (prediction == Prediction::data) return {t.sigma / s.sigma, s.alpha == 0 ? t.alpha : -t.alpha * std::expm1(-h)};
  return {t.alpha / s.alpha, -t.sigma * std::expm1(h)};
}

int heun_step(PlanBuilder& plan, int x, const NoiseLevel& s, const NoiseLevel& t) {
  if (s.alpha == 0) {  // rho is infinite: the first step goes by the data
    const FirstOrder c = first_order(s, t, Prediction::data);
    return plan.combine({{x, c.x}, {plan.call(x, s, Prediction::data), c.model}});
  }
  const double d = t.rho() - s.rho(), scale = t.alpha / s.alpha;
  const int e0 = plan.call(x, s, Prediction::noise), euler = plan.combine({{x, scale}, {e0, t.alpha * d}});
  if (t.sigma == 0) return euler;
  const int e1 = plan.call(euler, t, Prediction::noise);
  return plan.combine({{x, scale}, {e0, 0.5 * t.alpha * d}, {e1, 0.5 * t.alpha * d}});
}

std::size_t allowed_answers(const SolverSetting& setting, std::size_t answers, std::size_t step, std::size_t steps) {
  return setting.lower_order_final ? std::min(answers, steps - step) : answers;
}

double phi(int k, double z) {
  double factorial = 1;
  for (int j = 2; j <= k; ++j) factorial *= j;
  if (std::abs(z) < 0.3) {  // Σ z^j / (j + k)!
    double term = 1 / factorial, sum = 0;
    for (int j = 0; j < 20; ++j) {
      sum += term;
      term *= z / (j + k + 1);
    }
    return sum;
  }
  if (k == 0) return std::exp(z);
  double value = std::expm1(z) / z;
  factorial = 1;
  for (int j = 1; j < k; ++j) {
    factorial *= j;
    value = (value - 1 / factorial) / z;
  }
  return value;
}

std::vector<double> exponential_weights(const std::vector<double>& nodes, double h) {
  const std::size_t n = nodes.size();
  std::vector<double> moments(n);  // ∫ e^{−(h − z)} z^k dz = k! h^{k+1} phi_{k+1}(−h)
  double factorial = 1, power = h;
  for (std::size_t k = 0; k < n; ++k) {
    if (k > 0) factorial *= static_cast<double>(k);
    moments[k] = factorial * power * phi(static_cast<int>(k) + 1, -h);
    power *= h;
  }
  std::vector<double> weights(n);
  for (std::size_t j = 0; j < n; ++j) {
    std::vector<double> polynomial = {1};
    for (std::size_t m = 0; m < n; ++m) {
      if (m == j) continue;
      std::vector<double> next(polynomial.size() + 1, 0.0);
      const double scale = 1 / (nodes[j] - nodes[m]);
      for (std::size_t k = 0; k < polynomial.size(); ++k) {
        next[k + 1] += scale * polynomial[k];
        next[k] -= scale * nodes[m] * polynomial[k];
      }
      polynomial = std::move(next);
    }
    for (std::size_t k = 0; k < n; ++k) weights[j] += polynomial[k] * moments[k];
  }
  return weights;
}

void refuse_solver(const std::string& solver, std::string key, std::string value, std::string rule, std::string remedy) {
  throw Error(
      ErrorCategory::configuration,
      {.doing = "planning the solver " + solver, .key = std::move(key), .value = std::move(value), .rule = std::move(rule), .remedy = std::move(remedy)});
}

namespace {

bool has_option(const SolverName& solver, const std::string& key) {
  const std::string read = " " + solver.options + " ";
  return read.find(" " + key + " ") != std::string::npos || read.find(" " + key + ",") != std::string::npos;
}

const SolverName& named_solver(const std::string& name) {
  std::string all;
  std::vector<std::string_view> words;
  for (const SolverName& solver : solver_names()) {
    if (solver.name == name) return solver;
    all += (all.empty() ? "" : ", ") + solver.name;
    words.emplace_back(solver.name);
  }
  const std::string_view near = nearest(name, words);
  refuse_solver(name, "solver", name, "is not known", (near.empty() ? "" : "did you mean " + std::string(near) + "? ") + "Take one of " + all);
}

/// The rules that hold for all solvers, from what `solver_names` says of each.
void check_setting(const SolverSetting& setting, const SolverName& solver, const std::vector<NoiseLevel>& grid) {
  const std::string& name = solver.name;
  if (!setting.variant.empty() && solver.variants.empty()) {
    refuse_solver(name, "variant", setting.variant, "is given, but the solver has no variants", "leave it out");
  }
  if (!setting.variant.empty() && std::find(solver.variants.begin(), solver.variants.end(), setting.variant) == solver.variants.end()) {
    std::string all;
    for (const std::string& word : solver.variants) all += (all.empty() ? "" : ", ") + word;
    const std::string_view near = nearest(setting.variant, solver.variants);
    refuse_solver(name, "variant", setting.variant, "must be one of " + all + ", or empty for the solver's own",
                  near.empty() ? "leave it out" : "did you mean " + std::string(near) + "?");
  }
  if (!(setting.eta >= 0) || !std::isfinite(setting.eta)) refuse_solver(name, "eta", to_text(setting.eta), "must be a number from 0", "take 0 for no noise");
  if (setting.eta != 0 && !has_option(solver, "eta")) refuse_solver(name, "eta", to_text(setting.eta), "is no option of this solver", "leave it out");
  if (name == "ddim" && setting.eta > 1) {
    refuse_solver(name, "eta", to_text(setting.eta), "must be at most 1: there is no more noise in its formula", "for more take dpmpp_1_sde or dpmpp_2m_sde");
  }
  if (name == "ddim" && setting.variant == "large" && setting.eta != 1) {
    refuse_solver(name, "variant", "large", "is the other variance of ddpm and needs eta = 1", "set eta = 1, or leave the variant out");
  }
  if (has_option(solver, "beta") && !(setting.beta > 0 && setting.beta <= 1)) {
    refuse_solver(name, "beta", to_text(setting.beta), "must be in (0, 1]: at 0 the momentum never changes", "take 0.8");
  }
  if (grid.size() < 2) {
    refuse_solver(name, "grid", std::to_string(grid.size()) + (grid.size() == 1 ? " node" : " nodes"), "must have 2 nodes or more", "give both ends");
  }
  for (std::size_t i = 0; i < grid.size(); ++i) {
    const NoiseLevel& level = grid[i];
    if (!std::isnan(level.lambda) && (i == 0 || level.lambda > grid[i - 1].lambda)) continue;
    refuse_solver(name, "grid[" + std::to_string(i) + "]", "lambda " + to_text(level.lambda) + " at time " + to_text(level.time),
                  i == 0 ? std::string("must be a number") : "must lie above lambda " + to_text(grid[i - 1].lambda) + " of the node before",
                  "give every node once, from noise to data");
  }
  if (grid.front().sigma == 0 || !std::isfinite(grid.front().alpha) || !std::isfinite(grid.front().sigma)) {
    refuse_solver(name, "grid[0]", "sigma = " + to_text(grid.front().sigma), "must have noise, alpha and sigma finite", "begin where there is noise");
  }
  const auto steps = static_cast<int>(grid.size()) - 1;
  if (steps < solver.least_steps && !setting.any_steps) {
    refuse_solver(name, "steps", std::to_string(steps), "must be at least " + std::to_string(solver.least_steps) + " for this solver",
                  "take more steps, or a solver for few: unipc, dpmpp_2m");
  }
}

}  // namespace

std::string warn_of_long_steps(const SolverSetting& setting, const std::vector<NoiseLevel>& grid) {
  const SolverName& solver = named_solver(setting.solver);
  if (solver.order.empty() || solver.name.starts_with("flow_")) return "";
  const int order = solver.order[0] == 'p' ? (setting.order > 0 ? setting.order : 3) : solver.order[0] - '0';
  const bool multistep = has_option(solver, "lower_order_final");
  double longest = 0;
  for (std::size_t i = 0; i + 1 < grid.size(); ++i) {
    const double h = grid[i + 1].lambda - grid[i].lambda;
    const std::size_t most =
        multistep ? allowed_answers(setting, std::min(static_cast<std::size_t>(order), i + 1), i, grid.size() - 1) : static_cast<std::size_t>(order);
    if (std::isfinite(h) && most >= 3) longest = std::max(longest, h);
  }
  if (!(longest > 3)) return "";
  return "The longest step of the grid is " + to_text(longest) + " in log(alpha / sigma), which may throw a solver of order 3 or more off: take more steps, " +
         "another spacing, order 2" + (multistep ? " or lower_order_final." : ".");
}

SolverPlan plan_solver(const SolverSetting& setting, const NoiseSchedule& schedule, const std::vector<NoiseLevel>& grid) {
  static constexpr std::array<SolverFamily, 7> families = {single_step_family, multistep_family, adams_family,     unipc_family,
                                                           flow_family,        v3_family,        stochastic_family};
  check_setting(setting, named_solver(setting.solver), grid);
  for (const SolverFamily family : families) {
    PlanBuilder builder(setting.blend, setting.blend_first);
    if (!family(setting, schedule, grid, builder)) continue;
    if (setting.denoise_to_zero && grid.back().sigma > 0) builder.denoise_last(grid.back());
    return builder.finish();
  }
  throw Error(ErrorCategory::internal, {.doing = "planning the solver " + setting.solver, .key = "solver", .rule = "belongs to no family"});
}

}  // namespace buffon
