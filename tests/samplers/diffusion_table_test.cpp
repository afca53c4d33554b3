// SPDX-License-Identifier: BSD-3-Clause
// What the table of solvers says: orders, calls, noise; and that the documentation has it.
#include <buffon/core/error.hpp>
#include <buffon/samplers/diffusion/empirical_statistics.hpp>
#include <buffon/samplers/diffusion/exact_law.hpp>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>

#include <doctest/doctest.h>

#include "exact_denoiser.hpp"

using namespace buffon;

namespace {

Eigen::MatrixXd data_g3(const Eigen::MatrixXd& x, const NoiseLevel& level) {
  Eigen::MatrixXd data(x.rows(), x.cols());
  for (Eigen::Index i = 0; i < x.cols(); ++i) data.col(i) = test::denoise_g3(x.col(i), level);
  return data;
}

const NoiseSchedule& schedule() {
  static const auto vp = vp_linear_schedule();
  return *vp;
}

std::vector<NoiseLevel> grid_of(int steps, bool in_time) { return time_grid(schedule(), in_time ? GridSpacing::time : GridSpacing::log_snr, steps, 1, 1e-3); }

/// The setting that a name stands for, with noise or without.
SolverSetting setting_of(const std::string& name, bool noise) {
  static const NoiseLevel first = schedule().at_time(1), last = schedule().at_time(1e-3);
  static const auto tables = std::make_shared<const EmpiricalStatistics>(constant_statistics(2, first.lambda, last.lambda, 4000, 1, 0, 0));
  SolverSetting setting;
  setting.solver = name;
  setting.statistics = tables;
  if (noise) {
    const auto& names = solver_names();
    const SolverName& solver = *std::find_if(names.begin(), names.end(), [&](const SolverName& s) { return s.name == name; });
    if (solver.options.starts_with("eta")) setting.eta = 1;
    setting.churn = 10;
    setting.restarts = {{3, 2, 0.06, 0.3}};
  }
  return setting;
}

bool on_velocity(const std::string& name) { return name.starts_with("flow_") || name == "interpolant_sde"; }

double mixture_error(const SolverSetting& setting, int steps) {
  Eigen::MatrixXd start(2, 16);
  const auto all = test::starts_g3();
  for (Eigen::Index i = 0; i < 16; ++i) start.col(i) = all[static_cast<std::size_t>(4 * i)];
  static const Eigen::MatrixXd ends = teacher_states(data_g3, schedule(), {schedule().at_time(1), schedule().at_time(1e-3)}, start, 3000).back();
  const SolverPlan plan = plan_solver(setting, schedule(), grid_of(steps, on_velocity(setting.solver)));
  return (states_at_nodes(plan, data_g3, schedule(), start).back() - ends).norm();
}

/// Wasserstein distance on Gaussian data.
double law_error(const SolverSetting& setting, int steps) {
  const auto grid = grid_of(steps, on_velocity(setting.solver) || setting.solver == "euler_maruyama");
  const SolverPlan plan = plan_solver(setting, schedule(), grid);
  const std::vector<GaussianLaw> data = {{0.5, 1}, {-1, 0.25}, {0.2, 0.01}};
  std::vector<GaussianLaw> ours, wanted;
  for (const GaussianLaw& law : data) {
    ours.push_back(exact_law(plan, schedule(), law, law_at(law, grid.front())));
    wanted.push_back(law_at(law, grid.back()));
  }
  return wasserstein_distance(ours, wanted);
}

}  // namespace

TEST_CASE("every solver of the table asks the model as often as it says and has noise where it says so") {
  constexpr int steps = 60;
  for (const SolverName& solver : solver_names()) {
    CAPTURE(solver.name);
    for (const bool noise : {false, true}) {
      SolverSetting setting = setting_of(solver.name, noise);
      const SolverPlan plan = plan_solver(setting, schedule(), grid_of(steps, true));
      const int more =
          solver.name == "f_pndm" ? 9 : (solver.name == "s_pndm" || solver.name == "flow_pseudo_corrector" ? 1 : (solver.name == "restart" && noise ? 8 : 0));
      CHECK(plan.calls == steps * std::stoi(solver.calls) + more);
      CHECK((plan.noises > 0) == (solver.noise == "always" || (noise && !solver.noise.empty())));
      CHECK(plan.ends.size() == steps);
      CHECK(plan.states.size() == steps);
    }
  }
}

TEST_CASE("every solver of the table has the order that it says") {
  for (const SolverName& solver : solver_names()) {
    CAPTURE(solver.name);
    if (solver.order.empty()) continue;
    SolverSetting setting = setting_of(solver.name, false);
    double claimed = 0;
    if (solver.order[0] == 'p') {
      setting.order = 2;
      claimed = solver.order == "p + 1" ? 3 : 2;
    } else {
      claimed = std::stod(solver.order);
    }
    // Lists of orders: numbers of nodes that end on a step of order 2.
    const int coarse = solver.name.ends_with("_fast") ? 191 : 192, fine = solver.name.ends_with("_fast") ? 383 : 384;
    const bool random = solver.noise == "always";
    const double found =
        random ? std::log2(law_error(setting, coarse) / law_error(setting, fine)) : std::log2(mixture_error(setting, coarse) / mixture_error(setting, fine));
    CHECK(std::abs(found - claimed) < 0.2);
    if (random || solver.noise.empty() || solver.noise == "churn" || solver.noise == "restarts") continue;
    setting = setting_of(solver.name, true);
    CHECK(std::abs(std::log2(law_error(setting, coarse) / law_error(setting, fine)) - claimed) < 0.2);
  }
}

namespace {

/// All that a plan does, as numbers.
std::vector<double> written_out(const SolverSetting& setting) {
  std::vector<double> numbers;
  const SolverPlan plan = plan_solver(setting, schedule(), grid_of(12, true));
  for (const SolverPlan::Operation& operation : plan.operations) {
    if (const auto* call = std::get_if<SolverPlan::Evaluate>(&operation)) {
      numbers.insert(numbers.end(), {call->level.lambda, static_cast<double>(call->prediction)});
    } else {
      const auto& combine = std::get<SolverPlan::Combine>(operation);
      numbers.push_back(combine.noise);
      for (const SolverPlan::Term& term : combine.terms) {
        numbers.push_back(term.factor);
        if (term.rows) numbers.insert(numbers.end(), term.rows->begin(), term.rows->end());
      }
    }
  }
  return numbers;
}

}  // namespace

TEST_CASE("every solver of the table reads the options that it says and no others") {
  using Change = std::function<void(SolverSetting&)>;
  const auto variant = [](std::string word) { return [word](SolverSetting& s) { s.variant = word; }; };
  const std::vector<std::pair<std::string, std::vector<Change>>> options = {
      {"order", {[](SolverSetting& s) { s.order = 1; }, [](SolverSetting& s) { s.order = 2; }, [](SolverSetting& s) { s.order = 3; }}},
      {"eta", {[](SolverSetting& s) { s.eta = 0.5; }}},
      {"variant", {variant("taylor"), variant("heun"), variant("large"), variant("compat"), variant("bh1"), variant("pseudo"), variant("corrector")}},
      {"prediction", {[](SolverSetting& s) { s.prediction = Prediction::noise; }}},
      {"beta", {[](SolverSetting& s) { s.beta = 0.5; }}},
      {"churn", {[](SolverSetting& s) { s.churn = 2; }}},
      {"churn_from", {[](SolverSetting& s) { s.churn_from = 1; }}},
      {"churn_to", {[](SolverSetting& s) { s.churn_to = 1; }}},
      {"churn_noise", {[](SolverSetting& s) { s.churn_noise = 1.1; }}},
      {"restarts", {[](SolverSetting& s) {
         s.restarts = {{2, 1, 0.06, 0.3}};
       }}},
      {"lower_order_final", {[](SolverSetting& s) { s.lower_order_final = true; }}},
      {"ratios", {[](SolverSetting& s) {
         s.ratios.assign(12, 1.1);
         s.ratios[0] = s.ratios[1] = 1;
       }}}};
  for (const SolverName& solver : solver_names()) {
    for (const auto& option : options) {
      const std::string& key = option.first;
      CAPTURE(solver.name);
      CAPTURE(key);
      bool read = false;
      for (const Change& change : option.second) {
        SolverSetting setting = setting_of(solver.name, solver.name == "edm" || solver.name == "restart" || key == "variant");
        const std::vector<double> before = written_out(setting);
        change(setting);
        try {
          read = read || written_out(setting) != before;
        } catch (const Error&) {  // variants that are not the solver's
        }
      }
      const std::string said = " " + solver.options + " ";
      CHECK(read == (said.find(" " + key + " ") != std::string::npos || said.find(" " + key + ",") != std::string::npos));
    }
  }
}

TEST_CASE("every variant of the table is named in its explanation and changes the plan, or is the solver's own") {
  for (const SolverName& solver : solver_names()) {
    for (const std::string& word : solver.variants) {
      CAPTURE(solver.name);
      CAPTURE(word);
      CHECK((solver.meaning + solver.options).find(word) != std::string::npos);
      SolverSetting setting = setting_of(solver.name, true);
      const std::vector<double> own = written_out(setting);
      setting.variant = word;
      CHECK((written_out(setting) == own) == (word == "midpoint" || word == "bh2"));
    }
  }
}

TEST_CASE("the table of solvers in the documentation is the generated one") {
  std::ifstream stream(std::string(BUFFON_SOURCE_DIR) + "/docs/design/diffusion_solvers.md", std::ios::binary);
  const std::string page{std::istreambuf_iterator<char>(stream), {}};
  INFO("cmake --build BUILD --target update_generated");
  CHECK(page.find("<!-- solvers:begin -->\n" + solver_markdown_table() + "<!-- solvers:end -->") != std::string::npos);
  for (const SolverName& solver : solver_names()) CHECK(page.find("`" + solver.name + "`") != std::string::npos);
}
