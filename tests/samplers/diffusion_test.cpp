// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/samplers/diffusion.hpp>

#include <cmath>
#include <limits>
#include <string>

#include <doctest/doctest.h>

#include <buffon/core/error.hpp>
#include <buffon/model/callable_denoiser.hpp>
#include <buffon/model/exact_denoisers.hpp>
#include <buffon/parallel/context.hpp>
#include <buffon/stats/outcome.hpp>
#include <memory_archive.hpp>

#include "../../samplers/src/diffusion/sample_moments.hpp"

using namespace buffon;

namespace {

std::shared_ptr<DiffusionModel> model_of(const std::shared_ptr<const ExactDenoiser>& denoiser, std::shared_ptr<const NoiseSchedule> schedule) {
  auto model = std::make_shared<DiffusionModel>();
  model->denoiser = denoiser;
  model->schedule = std::move(schedule);
  model->law = known_law(denoiser, std::max(1, denoiser->classes()));
  return model;
}
std::shared_ptr<DiffusionModel> g3() { return model_of(named_denoiser("g3"), vp_linear_schedule()); }
std::shared_ptr<DiffusionModel> gaussian() {
  const Eigen::MatrixXd covariance = (Eigen::MatrixXd(2, 2) << 0.8, 0.3, 0.3, 0.5).finished();
  return model_of(gaussian_denoiser(Eigen::Vector2d(1, -0.5), covariance), vp_linear_schedule());
}

std::string bytes(const std::shared_ptr<const DiffusionModel>& model, const DiffusionOptions& options, int threads = 1) {
  Context context(threads);
  return *diffusion(model, options, Stream(7), context).samples.bytes;
}

Outcome outcome_of(const std::shared_ptr<const DiffusionModel>& model, const DiffusionOptions& options) {
  Context context(2);
  Diffusion method(model, options, Stream(7));
  run_to_end(method, context);
  return method.outcome();
}

double diagnostic(const Outcome& outcome, const std::string& name) {
  for (const Diagnostic& d : outcome.diagnostics) {
    if (d.name == name) return std::get<double>(d.value);
  }
  FAIL("no diagnostic " << name);
  return 0;
}

std::string refusal(const std::shared_ptr<const DiffusionModel>& model, const DiffusionOptions& options) {
  try {
    bytes(model, options);
  } catch (const Error& error) {
    return error.what();
  }
  return "accepted";
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

/// g3 that knows no float64.
class Failing : public Denoiser {
 public:
  std::string name() const override { return "failing"; }
  Index dimension() const override { return 2; }
  std::unique_ptr<DenoiserWork> on(backend::Queue& queue, Index columns, buffon_type type) const override {
    if (type == BUFFON_F64) throw Error(ErrorCategory::model, {.doing = "asking failing", .rule = "knows no float64"});
    return g3_->on(queue, columns, type);
  }

 private:
  std::shared_ptr<const ExactDenoiser> g3_ = named_denoiser("g3");
};

}  // namespace

TEST_CASE("samples have the same bytes in batches of 64, 8 and 1, on 1, 2, 3 and 8 threads, and by the loops of the reference") {
  for (const char* solver : {"unipc", "ddpm"}) {
    for (const SamplePrecision precision : {SamplePrecision::float32, SamplePrecision::float64}) {
      DiffusionOptions o{.samples = 130, .solver = solver, .steps = 6, .batch = 64, .precision = precision, .error_curve = false};
      CAPTURE(solver);
      const std::string whole = bytes(g3(), o);
      CHECK(whole.size() == 130 * 2 * (precision == SamplePrecision::float32 ? 4u : 8u));
      for (const int threads : {2, 3, 8}) CHECK(bytes(g3(), o, threads) == whole);
      for (const std::int64_t batch : {8, 1}) {
        o.batch = batch;
        o.round = 5;
        CHECK(bytes(g3(), o, 2) == whole);
      }
      o.backend = "cpu:reference";
      CHECK(bytes(g3(), o, 2) == whole);
      o.samples = 40;  // the first of them are the first of a shorter run
      CHECK(bytes(g3(), o) == whole.substr(0, whole.size() * 40 / 130));
      Context context(1);
      CHECK(*diffusion(g3(), o, Stream(8), context).samples.bytes != whole.substr(0, whole.size() * 40 / 130));
    }
  }
}

TEST_CASE("a run saved and loaded at every round ends with the same state") {
  const DiffusionOptions o{.samples = 100, .steps = 8, .batch = 16, .round = 2, .trajectories = 5};
  Context context(2);
  Diffusion whole(g3(), o, Stream(7));
  run_to_end(whole, context);
  const std::string expected = testing::state_of(whole);
  std::string saved;
  for (;;) {
    Diffusion method(g3(), o, Stream(7));
    if (!saved.empty()) testing::restore(method, saved);
    if (method.finished()) {
      CHECK(testing::state_of(method) == expected);
      const Outcome outcome = method.outcome();
      CHECK(outcome.table("trajectories")->rows.rows() == 5 * 9);
      CHECK(outcome.table("log_log_error")->rows.rows() == 4);
      break;
    }
    method.step(context);
    saved = testing::state_of(method);
  }
}

TEST_CASE("moments agree with the exact law, and the same comparison rejects a law that is a little off") {
  // Level 1e-6 for each of the four numbers: |z| < 4.9. With 20,000 samples the mutants are 0.06 / 0.0063 = 9 and 0.1 / 0.008 = 12 errors off.
  DiffusionOptions o{.samples = 20000, .order = 3, .steps = 60, .precision = SamplePrecision::float64, .error_curve = false};
  for (const bool stochastic : {false, true}) {
    CAPTURE(stochastic);
    if (stochastic) {
      o.solver = "dpmpp_2m_sde";
      o.order = 0;
      o.eta = 1;
      o.steps = 120;
    }
    const auto model = gaussian();
    const Outcome outcome = outcome_of(model, o);
    const auto z = [&](const std::string& name, double exact) {
      const NamedEstimate* e = outcome.find(name);
      return (e->estimate.value - exact) / e->estimate.std_error;
    };
    CHECK(std::abs(z("mean_x1", 1)) < 4.9);
    CHECK(std::abs(z("mean_x2", -0.5)) < 4.9);
    CHECK(std::abs(z("variance_x1", 0.8)) < 4.9);
    CHECK(std::abs(z("variance_x2", 0.5)) < 4.9);
    CHECK(std::abs(z("mean_x1", 1.06)) > 4.9);
    CHECK(std::abs(z("variance_x1", 0.9)) > 4.9);
    CHECK(outcome.warnings.empty());
    CHECK(diagnostic(outcome, "gaussian_w2") < 3 * diagnostic(outcome, "gaussian_w2_by_chance"));
    CHECK(diagnostic(outcome, "covariance_distance") < 3 * diagnostic(outcome, "covariance_distance_by_chance"));

    model->law->covariance(0, 0) += 0.1;
    model->law->squares = {};  // of the Gaussian with this covariance
    const Outcome wrong = outcome_of(model, o);
    CHECK(diagnostic(wrong, "gaussian_w2") > 3 * diagnostic(wrong, "gaussian_w2_by_chance"));
    CHECK(wrong.warnings.size() == 1);
  }
}

TEST_CASE("distances by chance are those of samples without error") {
  // Mean squares over 40 runs of 500 samples each: their standard error is about √(2/40) of them at most, 22 %; four of these.
  double w2 = 0, by_chance = 0, covariance = 0, covariance_by_chance = 0;
  const auto model = gaussian();
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    Context context(1);
    const DiffusionOptions o{.samples = 500, .order = 3, .steps = 40, .precision = SamplePrecision::float64, .trajectories = 0, .error_curve = false};
    const LawDistance d = *diffusion(model, o, Stream(seed), context).distance;
    w2 += d.w2 * d.w2;
    by_chance += d.w2_by_chance * d.w2_by_chance;
    covariance += d.covariance * d.covariance;
    covariance_by_chance += d.covariance_by_chance * d.covariance_by_chance;
  }
  CHECK(w2 / by_chance == doctest::Approx(1).scale(0).epsilon(0.7));
  CHECK(covariance / covariance_by_chance == doctest::Approx(1).scale(0).epsilon(0.7));
}

TEST_CASE("samples that have nothing to do with the law do not widen what chance allows: every seed ends with a warning, and a good solver with none") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    const auto warnings = [&](const DiffusionOptions& o) {
      Context context(2);
      Diffusion method(g3(), o, Stream(seed));
      run_to_end(method, context);
      return method.outcome().warnings.size();
    };
    CHECK(warnings({.samples = 2000, .solver = "dpm_solver_2", .steps = 1, .trajectories = 0, .error_curve = false}) == 1);
    // The end of noise of this schedule shifts means by 0.7 % of themselves: 0.002, a fifth of what chance does.
    if (seed <= 5) CHECK(warnings({.samples = 20000, .order = 3, .steps = 30, .trajectories = 0, .error_curve = false}) == 0);
  }
}

TEST_CASE("few samples without error are told from the law in less than one run of a hundred") {
  // At a rate of 1 % the count of 1000 is binomial: more than 30 have a probability below 1e-6. Of a law ten times as wide most runs are told.
  const auto denoiser = named_denoiser("g3");
  for (const Index count : {2, 3, 10}) {
    CAPTURE(count);
    int told = 0, wrong = 0;
    for (std::uint64_t seed = 0; seed < 1000; ++seed) {
      Eigen::MatrixXd x(2, count);
      denoiser->sample(Stream(seed), 0, {0, 1, 0, 0}, x);
      const auto beyond = [&](const Eigen::MatrixXd& points) {
        SampleSet samples{count, 2, {2}, false, nullptr};
        samples.bytes = std::make_shared<const std::string>(reinterpret_cast<const char*>(points.data()), static_cast<std::size_t>(points.size()) * 8);
        Context context(1);
        const LawDistance d = sample_moments(samples, known_law(denoiser, 3), context).distance;
        return d.mean > 3 * d.mean_by_chance || d.w2 > 3 * d.w2_by_chance;
      };
      told += beyond(x) ? 1 : 0;
      wrong += beyond(10 * x) ? 1 : 0;
    }
    CHECK(told <= 30);
    CHECK(wrong > 700);
  }
}

TEST_CASE("fourth moments of a law agree with those of its draws, in any basis") {
  // Level 1e-6 for each entry: 4.9 standard errors. Of moments 20 % larger an entry of each law lies beyond.
  const Index n = 200000;
  const Eigen::MatrixXd basis = (Eigen::MatrixXd(2, 2) << 0.6, -0.8, 0.8, 0.6).finished();
  for (const char* name : {"g3", "f4", "p2"}) {
    CAPTURE(name);
    const auto law = named_denoiser(name);
    Eigen::MatrixXd x(2, n);
    law->sample(Stream(5), 0, {0, 1, 0, 0}, x);
    const Eigen::ArrayXXd squares = (basis.transpose() * (x.colwise() - law->mean())).array().square();
    const Eigen::MatrixXd exact = law->squares(basis);
    bool other_told = false;
    for (Index i = 0; i < 2; ++i) {
      for (Index j = 0; j < 2; ++j) {
        const Eigen::ArrayXd products = (squares.row(i) * squares.row(j)).transpose();
        const double mean = products.mean(), error = std::sqrt((products - mean).square().mean() / static_cast<double>(n));
        CHECK(std::abs(mean - exact(i, j)) < 4.9 * error);
        other_told = other_told || std::abs(mean - 1.2 * exact(i, j)) > 4.9 * error;
      }
    }
    CHECK(other_told);
    CHECK(law->total_variance() == doctest::Approx(law->covariance().trace()).scale(0).epsilon(1e-12));
  }
}

TEST_CASE("a model that fails on the grids of the error curve leaves the samples, with a warning") {
  // The curve is measured in float64, the samples are drawn in float32.
  auto model = g3();
  model->denoiser = std::make_shared<Failing>();
  const Outcome outcome = outcome_of(model, {.samples = 200, .order = 3, .steps = 20, .batch = 8});
  CHECK(outcome.table("log_log_error") == nullptr);
  REQUIRE(outcome.warnings.size() == 1);
  CHECK(contains(outcome.warnings[0], "The error curve could not be measured: asking failing"));
  CHECK(outcome.stop_reason == "all samples were drawn");
}

TEST_CASE("memory counts the registers of all batches that are worked on at once") {
  const auto need = [](DiffusionOptions o) { return Diffusion(g3(), o, Stream(1)).memory_need(); };
  const MemoryNeed few = need({.samples = 1000000, .batch = 1}), many = need({.samples = 1000000, .batch = 500000});
  CHECK(few.option == "samples");
  CHECK(few.bytes == doctest::Approx(3.0 * 4 * 2 * 1000000).scale(0).epsilon(1e-3));
  CHECK(many.bytes > few.bytes + 500000.0 * 2 * 4 * 3);  // unipc holds three states at least
  CHECK(need({.samples = 1000000, .solver = "ddim", .batch = 500000}).bytes < many.bytes);
}

TEST_CASE("the error curve has the order of the solver, against a formula and against the flow of a mixture") {
  for (const auto& model : {gaussian(), g3()}) {
    const auto slope = [&](const std::string& solver) {
      const Outcome outcome = outcome_of(model, {.samples = 10, .solver = solver, .steps = 80, .trajectories = 0});
      const auto& rows = outcome.table("log_log_error")->rows;
      REQUIRE(rows.rows() == 4);
      CHECK(rows(3, 0) == 160);
      return std::log2(rows(2, 1) / rows(3, 1));
    };
    CHECK(slope("ddim") == doctest::Approx(1).scale(0).epsilon(0.2));
    CHECK(slope("dpmpp_2m") == doctest::Approx(2).scale(0).epsilon(0.1));
    CHECK(slope("dpmpp_3m") > 2.7);
  }
  CHECK(outcome_of(g3(), {.samples = 10, .solver = "ddpm", .steps = 10}).table("log_log_error") == nullptr);
  CHECK(outcome_of(g3(), {.samples = 10, .steps = 10, .error_curve = false}).table("log_log_error") == nullptr);
}

TEST_CASE("classes are taken in turn: samples lie at their components") {
  auto model = std::make_shared<DiffusionModel>();
  model->denoiser = named_denoiser("f4");
  model->schedule = flow_schedule();
  model->labels = {0, 3};
  Context context(2);
  const SampleSet samples =
      diffusion(model, {.samples = 51, .solver = "flow_heun", .steps = 40, .batch = 7, .precision = SamplePrecision::float64}, Stream(3), context).samples;
  const Eigen::MatrixXd x = samples.columns(0, 51);
  int at_home = 0;
  for (Index i = 0; i < 51; ++i) at_home += (x(0, i) > 0) == (i % 2 == 0) && (x(1, i) > 0) == (i % 2 == 0) ? 1 : 0;
  CHECK(at_home >= 50);  // component 3 has deviation 0.9 at distance 3 from the axes: one in 600 lies beyond
  model->labels = {};
  const Eigen::MatrixXd any =
      diffusion(model, {.samples = 51, .solver = "flow_heun", .steps = 40, .precision = SamplePrecision::float64}, Stream(3), context).samples.columns(0, 51);
  CHECK((any.row(0).array() * any.row(1).array() < 0).count() > 5);  // the components 1 and 2
}

TEST_CASE("a run ended early gives the first samples of the whole one") {
  const DiffusionOptions o{.samples = 100, .steps = 5, .batch = 10, .round = 2};
  const std::string whole = bytes(g3(), o);
  Context context(1);
  Diffusion method(g3(), o, Stream(7));
  method.step(context);
  method.stop("time is over");
  run_to_end(method, context);
  CHECK(*method.result().samples.bytes == whole.substr(0, whole.size() / 5));
  CHECK(method.outcome().stop_reason == "time is over");
  CHECK(method.outcome().evaluations == 20 * 5);
  Diffusion at_once(g3(), o, Stream(7));
  at_once.stop("at once");
  run_to_end(at_once, context);
  CHECK(*at_once.result().samples.bytes == whole.substr(0, whole.size() / 10));
}

TEST_CASE("nodes can be given as times or as a grid, and the grid that the options name gives the same bytes") {
  DiffusionOptions o{.samples = 4, .steps = 6, .spacing = NodeSpacing::time, .error_curve = false};
  const std::string expected = bytes(g3(), o);
  const auto schedule = vp_linear_schedule();
  const auto grid = time_grid(*schedule, GridSpacing::time, 6, 1, 1e-3);
  o.spacing = NodeSpacing::automatic;
  for (const NoiseLevel& level : grid) o.times.push_back(level.time);
  CHECK(bytes(g3(), o) == expected);
  auto model = g3();
  model->grid = grid_text(grid);
  CHECK(contains(refusal(model, o), "schedule.grid_file"));
  o.times.clear();
  Context context(1);
  const Eigen::MatrixXd from_grid = diffusion(model, o, Stream(7), context).samples.columns(0, 4);
  o.steps = DiffusionOptions().steps;
  CHECK(diffusion(model, o, Stream(7), context).samples.columns(0, 4) == from_grid);
  SampleSet by_times{4, 2, {2}, true, std::make_shared<const std::string>(expected)};
  CHECK((by_times.columns(0, 4) - from_grid).cwiseAbs().maxCoeff() < 1e-4);  // lambda and back through time, then float32
}

TEST_CASE("what cannot be run is refused with the key and a remedy") {
  CHECK(contains(refusal(g3(), {.solver = "unipcc"}), "options.solver = unipcc must be one of"));
  CHECK(contains(refusal(g3(), {.solver = "unipc", .eta = 0.5}), "options.eta = 0.5 is no option of the solver unipc"));
  CHECK(contains(refusal(g3(), {.solver = "dpmpp_2m", .order = 3}), "options.order = 3 is no option of the solver dpmpp_2m"));
  CHECK(contains(refusal(g3(), {.solver = "restart", .restarts = {{3, 2, 0.1}}}), "options.restarts[0]"));
  CHECK(refusal(g3(), {.samples = 2, .solver = "dpmpp_2m", .order = 2, .steps = 4}) == "accepted");
  CHECK(refusal(g3(), {.samples = 2, .solver = "ddim", .eta = 0.5, .steps = 4}) == "accepted");
  CHECK(contains(refusal(g3(), {.backend = "tpu"}), "is not known"));
  CHECK(contains(refusal(g3(), {.times = {1.0, 0.5, 0.5, 0.1}}), "times[2]"));
  CHECK(contains(refusal(g3(), {.times = {1.0}}), "must be at least 2"));
  CHECK(contains(refusal(g3(), {.first_time = 0.1, .last_time = 0.5}), "options.last_time = 0.5 must leave less noise"));
  CHECK(contains(refusal(g3(), {.first_time = 1.5}), "options.first_time = 1.5 must be a time of the schedule vp_linear, in [0, 1]"));
  CHECK(contains(refusal(g3(), {.last_time = -1.0}), "options.last_time = -1 must be"));
  CHECK(contains(refusal(g3(), {.times = {1.5, 0.5}}), "times[0] = 1.5 must be a time"));
  auto flow = g3();
  flow->schedule = flow_schedule();
  CHECK(contains(refusal(flow, {.solver = "deis_tab", .steps = 4}), "options.first_time = time 1 must begin where there is data"));
  CHECK(contains(refusal(flow, {.solver = "deis_tab", .times = {1, 0.5, 0.1}}), "options.times = time 1 must begin"));
  CHECK(contains(refusal(flow, {.spacing = NodeSpacing::log_snr}), "options.spacing = log_snr needs ends"));
  CHECK(refusal(flow, {.samples = 2, .solver = "flow_euler", .steps = 4}) == "accepted");
  CHECK(contains(refusal(g3(), {.solver = "dpm_solver_v3"}), "options.solver = dpm_solver_v3 needs statistics of the model, which no job can give"));
  CHECK(contains(refusal(g3(), {.prediction = Prediction::velocity}), "options.prediction = velocity must be one of noise, data"));
  CHECK(contains(refusal(g3(), {.solver = "ghvb", .beta = 0}), "options.beta = 0 must be"));
  CHECK(contains(refusal(g3(), {.solver = "dpmpp_2m", .variant = "huen"}), "must be one of midpoint, heun, or empty"));
  // Options that would have no effect.
  CHECK(contains(refusal(g3(), {.blend_first = true}), "options.blend_first"));
  CHECK(contains(refusal(g3(), {.power = 3}), "options.power = 3"));
  CHECK(contains(refusal(g3(), {.spacing = NodeSpacing::time, .times = {1, 0.5, 0.1}}),
                 "options.spacing = time has no effect beside the nodes of options.times"));
  CHECK(contains(refusal(g3(), {.power = 3, .times = {1, 0.5, 0.1}}), "options.power = 3 has no effect"));
  CHECK(contains(refusal(g3(), {.first_time = 1, .times = {1, 0.5, 0.1}}), "options.first_time = 1 has no effect"));
  CHECK(contains(refusal(g3(), {.last_time = 0.1, .times = {1, 0.5, 0.1}}), "options.last_time = 0.1 has no effect"));
  CHECK(refusal(g3(), {.samples = 2, .steps = 2, .times = {1, 0.5, 0.1}}) == "accepted");
  auto of_grid = g3();
  of_grid->grid = grid_text(time_grid(*g3()->schedule, GridSpacing::time, 4, 1, 1e-3));
  CHECK(contains(refusal(of_grid, {.spacing = NodeSpacing::time}), "options.spacing = time has no effect beside the nodes of schedule.grid_file"));
  CHECK(refusal(of_grid, {.samples = 2, .steps = 4}) == "accepted");
  CHECK(contains(refusal(g3(), {.samples = 0}), "options.samples = 0 must be"));
  const double nan = std::numeric_limits<double>::quiet_NaN();
  auto broken = g3();
  broken->law = {};
  broken->denoiser =
      callable_denoiser({.dimension = 2, .function = [nan](const ConstMatrix& x, std::span<const NoiseLevel>, std::span<const std::int32_t>, MutMatrix answer) {
                           answer = x;
                           answer(0, x.cols() - 1) = nan;
                         }});
  CHECK(contains(refusal(broken, {.samples = 3, .steps = 4}), "not finite"));
}

TEST_CASE("a solver of order 3 on long steps is warned of, one of order 2 is not") {
  const auto warned = [](const DiffusionOptions& o) {
    for (const std::string& warning : outcome_of(g3(), o).warnings) {
      if (contains(warning, "longest step")) return true;
    }
    return false;
  };
  const std::vector<double> times = {1, 0.6, 0.5, 0.4, 1e-3};
  CHECK(warned({.samples = 4, .order = 3, .times = times}));
  CHECK_FALSE(warned({.samples = 4, .order = 2, .times = times}));
  CHECK_FALSE(warned({.samples = 4, .order = 3, .lower_order_final = true, .times = times}));
  CHECK_FALSE(warned({.samples = 4, .order = 3}));
}
