// SPDX-License-Identifier: BSD-3-Clause
// Plans run in batches on a backend: against plain loops on the coefficients, with every kind of answer, whatever batch a sample sits in.
#include <buffon/core/error.hpp>
#include <buffon/model/callable_denoiser.hpp>
#include <buffon/model/exact_denoisers.hpp>
#include <buffon/samplers/diffusion/batch_solver.hpp>
#include <buffon/samplers/diffusion/exact_law.hpp>
#include <buffon/samplers/diffusion/probability_flow.hpp>

#include <cmath>
#include <fstream>
#include <limits>
#include <sstream>
#include <string>

#include "exact_denoiser.hpp"
#include "shared_data.hpp"
#include "statistical.hpp"

using namespace buffon;

namespace {

using Levels = std::span<const NoiseLevel>;
using Labels = std::span<const std::int32_t>;

Eigen::MatrixXd starts() {
  const auto list = test::starts_g3();
  Eigen::MatrixXd x(2, static_cast<Index>(list.size()));
  for (std::size_t i = 0; i < list.size(); ++i) x.col(static_cast<Index>(i)) = list[i];
  return x;
}

/// A model that answers otherwise than with data, by the formulas of the answers, one sample at a time.
std::shared_ptr<const Denoiser> answering(Answer answer, std::shared_ptr<const NoiseSchedule> schedule) {
  const auto function = [answer, schedule](const ConstMatrix& x, Levels levels, Labels, MutMatrix out) {
    for (Index c = 0; c < x.cols(); ++c) {
      const NoiseLevel& l = levels[levels.size() == 1 ? 0 : static_cast<std::size_t>(c)];
      const Eigen::VectorXd data = test::denoise_g3(x.col(c), l), noise = (x.col(c) - l.alpha * data) / l.sigma;
      const NoiseSchedule::Slopes slope = schedule->slopes(l.time);
      const double rho = l.sigma / l.alpha, d = 0.5;
      if (answer == Answer::data) out.col(c) = data;
      if (answer == Answer::noise) out.col(c) = noise;
      if (answer == Answer::v) out.col(c) = l.alpha * noise - l.sigma * data;
      if (answer == Answer::velocity) out.col(c) = slope.alpha * data + slope.sigma * noise;
      if (answer == Answer::score) out.col(c) = -noise / l.sigma;
      // D = c_skip y + c_out F
      if (answer == Answer::edm) out.col(c) = (data - d * d / (rho * rho + d * d) * x.col(c) / l.alpha) / (rho * d / std::sqrt(rho * rho + d * d));
    }
  };
  return callable_denoiser({.dimension = 2, .answers = answer, .function = function});
}

/// Samples of a plan on a backend, in batches.
Eigen::MatrixXd solved(const DiffusionModel& model, const SolverPlan& plan, const NoiseLevel& level, Index count, Index batch,
                       const std::string& device = "cpu", int threads = 1, buffon_type type = BUFFON_F64) {
  backend::Queue queue(backend::Device::open(device), threads);
  BatchSolver solver(model, queue, batch, type);
  const backend::Matrix x(queue.device(), model.denoiser->dimension(), batch, type);
  Eigen::MatrixXd out(model.denoiser->dimension(), count);
  const Stream stream(17);
  for (Index first = 0; first < count; first += batch) {
    const auto part = x.columns(0, std::min(batch, count - first));
    solver.start(part, level, stream, static_cast<std::uint64_t>(first));
    solver.run(plan, part, stream, static_cast<std::uint64_t>(first));
    out.middleCols(first, part.columns) = queue.download(part);
  }
  return out;
}

SolverPlan planned(const std::string& name, const NoiseSchedule& schedule, int steps, double eta = 0, GridSpacing spacing = GridSpacing::log_snr) {
  return plan_solver({.solver = name, .eta = eta}, schedule, time_grid(schedule, spacing, steps, schedule.first_time(), schedule.last_time()));
}

double worst(const Eigen::MatrixXd& a, const Eigen::MatrixXd& b) {
  return a.allFinite() && b.allFinite() ? (a - b).cwiseAbs().maxCoeff() : std::numeric_limits<double>::infinity();
}

}  // namespace

TEST_CASE("plans on a backend give the samples of plain loops over their coefficients") {
  const auto schedule = vp_linear_schedule();
  for (const char* name : {"unipc", "dpmpp_3m", "dpm_solver_3", "deis_tab", "ipndm", "rho_heun"}) {
    CAPTURE(name);
    const SolverPlan plan = planned(name, *schedule, 12);
    for (const char* device : {"cpu", "cpu:reference"}) {
      backend::Queue queue(backend::Device::open(device), 1);
      BatchSolver solver({named_denoiser("g3"), schedule}, queue, 64, BUFFON_F64);
      const backend::Matrix x(queue.device(), 2, 64, BUFFON_F64);
      for (int run = 0; run < 2; ++run) {  // nothing is left of the run before
        queue.upload(x, starts());
        solver.run(plan, x, Stream(1), 0);
        const Eigen::MatrixXd ours = queue.download(x);
        double far = 0;
        for (Index i = 0; i < 64; ++i) far = std::max(far, worst(ours.col(i), test::run_plan(plan, test::denoise_g3, *schedule, starts().col(i))));
        CHECK(far < 1e-11);  // rounding, amplified by the flow about 30 times
      }
      CHECK(solver.calls() == 2 * plan.calls);
    }
  }
}

TEST_CASE("every kind of answer gives the same samples, and a wrong conversion does not") {
  const auto vp = vp_linear_schedule();
  for (const char* name : {"dpmpp_2m", "deis_tab", "flow_heun"}) {
    CAPTURE(name);
    const auto spacing = std::string(name) == "flow_heun" ? GridSpacing::time : GridSpacing::log_snr;
    const SolverPlan plan = planned(name, *vp, 20, 0, spacing);
    const NoiseLevel first = vp->at_time(1);
    const Eigen::MatrixXd wanted = solved({named_denoiser("g3"), vp}, plan, first, 32, 32);
    for (const Answer answer : {Answer::data, Answer::noise, Answer::v, Answer::velocity, Answer::score, Answer::edm}) {
      CAPTURE(static_cast<int>(answer));
      CHECK(worst(solved({answering(answer, vp), vp}, plan, first, 32, 32), wanted) < 1e-10);
    }
    // Answers taken for what they are not.
    for (const Answer answer : {Answer::noise, Answer::v, Answer::velocity, Answer::score, Answer::edm}) {
      const auto model = answering(answer, vp);
      const auto mistaken = callable_denoiser({.dimension = 2,
                                               .answers = answer == Answer::v ? Answer::velocity : Answer::v,
                                               .function = [model](const ConstMatrix& x, Levels levels, Labels labels, MutMatrix out) {
                                                 backend::Queue queue(backend::Device::open("cpu"), 1);
                                                 const backend::Matrix states(queue.device(), x.rows(), x.cols(), BUFFON_F64),
                                                     answers(queue.device(), x.rows(), x.cols(), BUFFON_F64);
                                                 queue.upload(states, x);
                                                 (*model->on(queue, x.cols(), BUFFON_F64))({states, levels, labels}, answers);
                                                 out = queue.download(answers);
                                               }});
      CHECK(worst(solved({mistaken, vp}, plan, first, 32, 32), wanted) > 1e-2);
    }
  }
  // The linear flow from pure noise, where alpha = 0.
  const auto flow = flow_schedule();
  const SolverPlan plan = planned("flow_heun", *flow, 20, 0, GridSpacing::time);
  CHECK(worst(solved({answering(Answer::velocity, flow), flow}, plan, flow->at_time(1), 32, 32),
              solved({named_denoiser("g3"), flow}, plan, flow->at_time(1), 32, 32)) < 1e-10);
}

TEST_CASE("a conversion that cannot be is refused") {
  const auto flow = flow_schedule();
  CHECK_THROWS_WITH_AS(conversion(Answer::noise, Prediction::data, flow->at_time(1), *flow), doctest::Contains("begin where alpha > 0"), Error);
  CHECK_THROWS_WITH_AS(conversion(Answer::data, Prediction::noise, flow->at_time(0), *flow), doctest::Contains("end where sigma > 0"), Error);
  CHECK_THROWS_WITH_AS(conversion(Answer::v, Prediction::data, flow->at_time(0.5), *flow), doctest::Contains("alpha² + sigma² = 1"), Error);
  const Conversion c = conversion(Answer::velocity, Prediction::data, flow->at_time(1), *flow);  // D = x − t u
  CHECK(c.x_factor == 1);
  CHECK(c.answer_factor == -1);
}

TEST_CASE("reference endpoints are those of an independent program") {
  for (const auto& schedule : {vp_linear_schedule(), flow_schedule()}) {
    const std::string file = schedule->name() == "flow" ? "g3_flow_endpoints.csv" : "g3_vp_endpoints.csv";
    CAPTURE(file);
    const auto path = test::shared_data("diffusion-ref/" + file);
    if (path.empty()) return;
    std::ifstream in(path);
    Eigen::MatrixXd table(4, 64);
    Index row = 0;
    for (std::string line; std::getline(in, line);) {
      if (line.find_first_of("0123456789") != 0 && line[0] != '-') continue;
      std::istringstream fields(line);
      std::string value;
      for (Index k = 0; k < 4 && std::getline(fields, value, ','); ++k) table(k, row) = std::stod(value);
      ++row;
    }
    REQUIRE(row == 64);
    const Eigen::MatrixXd ends = reference_endpoints({named_denoiser("g3"), schedule}, table.topRows(2), schedule->at_time(1), schedule->at_time(1e-3));
    // Twelve digits stand in the file.
    CHECK(worst(ends, table.bottomRows(2)) < 5e-12);
  }
}

TEST_CASE("sample 7 has the same bits in every batch, on every number of threads, and on the reference") {
  const auto schedule = vp_linear_schedule();
  for (const auto& [solver, eta] : {std::pair{"unipc", 0.0}, {"dpmpp_2m_sde", 1.0}, {"ddim", 0.5}, {"edm", 0.0}}) {
    const std::string name = solver;
    CAPTURE(name);
    const SolverPlan plan = plan_solver({.solver = name, .eta = eta, .churn = 20}, *schedule, time_grid(*schedule, GridSpacing::log_snr, 8, 1, 1e-3));
    const NoiseLevel first = schedule->at_time(1);
    for (const char* denoiser : {"g3", "f4"}) {
      for (const buffon_type type : {BUFFON_F32, BUFFON_F64}) {
        const DiffusionModel model{named_denoiser(denoiser), schedule};
        const Eigen::VectorXd wanted = solved(model, plan, first, 64, 64, "cpu:reference", 1, type).col(7);
        CHECK(wanted.allFinite());
        for (const Index batch : {64, 8, 1}) {
          for (const int threads : {1, 2, 3}) CHECK(solved(model, plan, first, 8, batch, "cpu", threads, type).col(7) == wanted);
        }
        CHECK(solved(model, plan, first, 64, 64, "cpu", 2, type).col(7) == wanted);
      }
    }
  }
}

TEST_CASE("levels of their own for every column give the bits of common levels") {
  const auto schedule = vp_linear_schedule();
  backend::Queue queue(backend::Device::open("cpu"), 1);
  BatchSolver solver({answering(Answer::noise, schedule), schedule}, queue, 64, BUFFON_F64);
  const backend::Matrix x(queue.device(), 2, 64, BUFFON_F64), together(queue.device(), 2, 64, BUFFON_F64), alone(queue.device(), 2, 64, BUFFON_F64);
  queue.upload(x, starts());
  std::vector<NoiseLevel> levels;
  for (int i = 0; i < 64; ++i) levels.push_back(schedule->at_time(0.01 + 0.015 * i));
  solver.predict(together, Prediction::data, {x, levels});
  for (Index i = 0; i < 64; ++i) solver.predict(alone.columns(i, 1), Prediction::data, {x.columns(i, 1), {&levels[static_cast<std::size_t>(i)], 1}});
  CHECK(queue.download(together) == queue.download(alone));
}

TEST_CASE("questions beyond the columns of a solver are refused, and errors of a model tell the step") {
  const auto schedule = vp_linear_schedule();
  const NoiseLevel level = schedule->at_time(0.5);
  const std::vector<NoiseLevel> nine(9, level), two(2, level);
  const std::vector<std::int32_t> labels(7, 0);
  backend::Queue queue(backend::Device::open("cpu"), 1);
  BatchSolver solver({named_denoiser("p1"), schedule}, queue, 8, BUFFON_F64);
  const backend::Matrix x(queue.device(), 2, 9, BUFFON_F64), answer(queue.device(), 2, 9, BUFFON_F64);
  queue.fill(x, BUFFON_NORMAL, 0, Stream(1), 0);
  const auto refused = [&](Index columns, Levels levels, Labels classes, const char* words) {
    CHECK_THROWS_WITH_AS(solver.predict(answer.columns(0, columns), Prediction::data, {x.columns(0, columns), levels, classes}), doctest::Contains(words),
                         Error);
  };
  refused(9, nine, {}, "columns, levels and labels = 9, 9 and 0 must be at most 8 columns");
  refused(9, {&level, 1}, {}, "= 9, 1 and 0 must be");
  refused(8, two, {}, "= 8, 2 and 0 must be");
  refused(8, {&level, 1}, labels, "= 8, 1 and 7 must be");
  CHECK(solver.calls() == 0);
  CHECK_NOTHROW(solver.predict(answer.columns(0, 7), Prediction::data, {x.columns(0, 7), Levels(nine).first(7), labels}));

  int calls = 0;
  const auto failing = callable_denoiser({.dimension = 2, .function = [&](const ConstMatrix& states, Levels, Labels, MutMatrix out) {
                                            if (++calls == 3) throw Error(ErrorCategory::model, {.doing = "asking", .rule = "is out of order"});
                                            out = 0 * states;
                                          }});
  CHECK_THROWS_WITH_AS(solved({failing, schedule}, planned("dpmpp_2m", *schedule, 5), schedule->at_time(1), 8, 8),
                       doctest::Contains("asking in step 3 of 5, time 0.4934"), Error);
}

TEST_CASE("a model that answers NaN ends the run with step, level and share of samples") {
  const auto schedule = vp_linear_schedule();
  int calls = 0;
  const auto model = callable_denoiser({.dimension = 2, .function = [&](const ConstMatrix& x, Levels, Labels, MutMatrix out) {
                                          out = 0 * x;
                                          if (++calls >= 3) out.leftCols(x.cols() / 4)(0, 0) = NAN;
                                        }});
  CHECK_THROWS_WITH_AS(solved({model, schedule}, planned("dpmpp_2m", *schedule, 5), schedule->at_time(1), 8, 8),
                       doctest::Contains("in step 3 of 5, time 0.4934"), Error);
  calls = 0;
  CHECK_THROWS_WITH_AS(solved({model, schedule}, planned("dpmpp_2m", *schedule, 5), schedule->at_time(1), 8, 8), doctest::Contains("12.5 % of 8 samples"),
                       Error);
}

TEST_CASE("numbers over the coordinates in a plan count on a backend") {
  const auto schedule = vp_linear_schedule();
  const auto rows = std::make_shared<const Eigen::VectorXd>(Eigen::Vector2d(0.5, -2)), offset = std::make_shared<const Eigen::VectorXd>(Eigen::Vector2d(3, 4));
  SolverPlan plan;
  plan.operations = {SolverPlan::Evaluate{1, 0, schedule->at_time(0.5), Prediction::data}, SolverPlan::Combine{0, {{0, 0.25, rows}, {1, -1.5}}, 0, 0, offset}};
  plan.ends = {2};
  plan.states = {0};
  plan.registers = 2;
  plan.calls = 1;
  for (const char* device : {"cpu", "cpu:reference"}) {
    backend::Queue queue(backend::Device::open(device), 1);
    BatchSolver solver({named_denoiser("g3"), schedule}, queue, 64, BUFFON_F64);
    const backend::Matrix x(queue.device(), 2, 64, BUFFON_F64);
    queue.upload(x, starts());
    solver.run(plan, x, Stream(1), 0);
    for (Index i = 0; i < 64; ++i) CHECK(worst(queue.download(x).col(i), test::run_plan(plan, test::denoise_g3, *schedule, starts().col(i))) < 1e-12);
  }
}

TEST_CASE("samples of solvers with noise have the mean and variance of the plan's exact law") {
  const auto schedule = vp_linear_schedule();
  const Eigen::VectorXd mean = Eigen::Vector3d(0.5, -1, 0.2), variances = Eigen::Vector3d(1, 0.25, 0.01);
  const auto grid = time_grid(*schedule, GridSpacing::log_snr, 6, 1, 1e-3);
  const Index count = 40000;
  for (const auto& [solver, eta] : {std::pair{"ddim", 1.0}, {"ddim", 0.5}, {"dpmpp_2m_sde", 1.0}, {"edm", 0.0}}) {
    const std::string name = solver;
    CAPTURE(name);
    SolverPlan plan = plan_solver({.solver = name, .eta = eta, .churn = 4}, *schedule, grid);
    REQUIRE(plan.noises > 0);
    const Eigen::MatrixXd x = solved({gaussian_denoiser(mean, variances), schedule}, plan, grid.front(), count, 5000, "cpu", 2, BUFFON_F32);
    // 24 checks of level 1e-6; the variance of a sample variance of normals is 2 v² / N.
    double least = 1;
    const auto compare = [&] {
      least = 1;
      for (Index j = 0; j < 3; ++j) {
        const GaussianLaw law = exact_law(plan, *schedule, {mean(j), variances(j)}, {0, grid.front().sigma * grid.front().sigma}, j);
        const double sample_mean = x.row(j).mean(), spread = (x.row(j).array() - sample_mean).square().sum() / static_cast<double>(count - 1);
        least = std::min(least, testing::z_test_p(sample_mean, law.mean, std::sqrt(law.variance / static_cast<double>(count))));
        least = std::min(least, testing::z_test_p(spread, law.variance, law.variance * std::sqrt(2.0 / static_cast<double>(count))));
      }
    };
    compare();
    CHECK(least > testing::level / 24);
    // A twentieth too much noise is seen.
    for (SolverPlan::Operation& operation : plan.operations) {
      if (auto* combine = std::get_if<SolverPlan::Combine>(&operation)) combine->noise *= 1.05;
    }
    compare();
    CHECK(least < testing::level / 24);
  }
}
