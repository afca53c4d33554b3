// SPDX-License-Identifier: BSD-3-Clause
// A real network, a flow model of handwritten digits, against the outputs, samples and errors of solvers that come with its weights.
#include <buffon/model/denoiser_wrappers.hpp>
#include <buffon/samplers/diffusion/batch_solver.hpp>
#include <buffon/samplers/diffusion/solver_plan.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <filesystem>
#include <string>
#include <vector>

#include "../../data/generators/npy_array.hpp"
#include "../samplers/exact_denoiser.hpp"
#include "../support/shared_data.hpp"
#include "torch_network.hpp"

using namespace buffon;

namespace {

constexpr Index pixels = 784;

/// A reference array, one sample a column.
Eigen::MatrixXd reference(const std::filesystem::path& data, const std::string& name) {
  const generators::NpyArray array = generators::read_npy_array(data / "reference" / (name + ".npy"));
  const auto columns = static_cast<Index>(array.shape[0]);
  return Eigen::Map<const Eigen::MatrixXd>(array.values.data(), static_cast<Index>(array.values.size()) / columns, columns);
}

/// The network on the linear flow, whose data lie at time 0: it counts from noise to data.
TorchScriptOptions flow_network(const std::string& file) {
  TorchScriptOptions o;
  o.file = file;
  o.image = ImageShape{1, 28, 28};
  o.classes = 10;
  o.time_factor = -1;
  o.time_offset = 1;
  return o;
}

std::string source() { return test::text_of(BUFFON_SOURCE_DIR "/data/networks/mnist_flow_vit.txt"); }

std::string with(std::string text, const std::string& was, const std::string& is) {
  const std::size_t at = text.find(was);
  REQUIRE(at != std::string::npos);
  return text.replace(at, was.size(), is);
}

/// Largest difference to the reference outputs.
double output_error(const std::filesystem::path& data, const std::string& file, buffon_type type) {
  const Eigen::MatrixXd x = reference(data, "fwd_x"), t = reference(data, "fwd_t"), y = reference(data, "fwd_y");
  std::vector<NoiseLevel> levels;
  std::vector<std::int32_t> labels;
  for (Index c = 0; c < x.cols(); ++c) {
    levels.push_back(flow_schedule(0)->at_time(1 - t(0, c)));
    labels.push_back(static_cast<std::int32_t>(y(0, c)));
  }
  test::Asked network(torchscript_denoiser(flow_network(file)), x.cols(), type);
  return (network(x, levels, labels) - reference(data, "fwd_out")).cwiseAbs().maxCoeff();
}

/// Ten digits through a plan, from the reference noise; guided by w strictly inside (0.3, 0.7).
class Digits {
 public:
  Digits(const std::filesystem::path& data, const std::string& file, buffon_type type)
      : network_(torchscript_denoiser(flow_network(file)), 10, type), noise_(reference(data, "sample_z")) {
    for (std::int32_t y = 0; y < 10; ++y) labels_.push_back(y);
  }

  Eigen::MatrixXd run(const SolverPlan& plan, double w = 1) {
    const test::Denoiser denoiser = [&](const Eigen::VectorXd& all, const NoiseLevel& level) {
      const Eigen::MatrixXd x = Eigen::Map<const Eigen::MatrixXd>(all.data(), pixels, 10);
      Eigen::MatrixXd answer = network_(x, {&level, 1}, labels_);
      if (w != 1 && level.time > 0.3 + 1e-9 && level.time < 0.7 - 1e-9) {
        const Eigen::MatrixXd free = network_(x, {&level, 1});
        answer = free + w * (answer - free);
      }
      return Eigen::VectorXd(answer.reshaped());
    };
    const Eigen::VectorXd end = test::run_plan(plan, denoiser, *flow_schedule(0), noise_.reshaped());
    return Eigen::Map<const Eigen::MatrixXd>(end.data(), pixels, 10);
  }

 private:
  test::Asked network_;
  Eigen::MatrixXd noise_;
  std::vector<std::int32_t> labels_;
};

SolverPlan flow_plan(const std::string& solver, int steps, double last) {
  const auto flow = flow_schedule(0);
  SolverSetting setting;
  setting.solver = solver;
  return plan_solver(setting, *flow, time_grid(*flow, GridSpacing::time, steps, 1, last));
}

double rms(const Eigen::MatrixXd& a, const Eigen::MatrixXd& b) { return std::sqrt((a - b).squaredNorm() / static_cast<double>(a.size())); }

}  // namespace

TEST_CASE("the flow network answers as its reference, and changed networks do not") {
  const auto data = test::shared_data("models/mnist-flow-vit");
  if (data.empty() || !test::torch_is_there()) return;
  test::Networks networks;
  const std::string weights = (data / "weights").string();
  const auto error = [&](const std::string& text, buffon_type type) { return output_error(data, networks.make(text, weights), type); };
  // The tolerances of the reference: rounding of float32, and of the stored outputs.
  CHECK(error(source(), BUFFON_F32) < 2e-5);
  CHECK(error(source(), BUFFON_F64) < 1e-6);
  for (const auto& change : std::vector<std::array<std::string, 2>>{{"torch.gelu(", "torch.relu("},
                                                                    {"* 0.25", "* 0.2500125"},
                                                                    {"1e-5", "2e-5"},
                                                                    {"full_like(y, 10)", "full_like(y, 9)"},
                                                                    {"permute([0, 1, 3, 2, 4])", "permute([0, 3, 1, 2, 4])"},
                                                                    {"torch.sin(angle), torch.cos(angle)", "torch.sin(angle), torch.sin(angle)"}}) {
    CAPTURE(change[1]);
    CHECK(error(with(source(), change[0], change[1]), BUFFON_F64) > 1e-6);
  }
}

TEST_CASE("the flow network's samples and errors of solvers are those of its reference") {
  const auto data = test::shared_data("models/mnist-flow-vit");
  if (data.empty() || !test::torch_is_there()) return;
  test::Networks networks;
  const std::string weights = (data / "weights").string();
  const std::string file = networks.make(source(), weights);
  {
    Digits digits(data, file, BUFFON_F32);
    CHECK((digits.run(flow_plan("flow_euler", 50, 0)) - reference(data, "euler50_w1")).cwiseAbs().maxCoeff() < 1e-4);
    CHECK((digits.run(flow_plan("flow_euler", 50, 0), 2) - reference(data, "euler50_w2")).cwiseAbs().maxCoeff() < 1e-4);
    CHECK((digits.run(flow_plan("flow_euler", 50, 0), 1.99) - reference(data, "euler50_w2")).cwiseAbs().maxCoeff() > 1e-4);
  }
  Digits digits(data, file, BUFFON_F64);
  // Errors at 8, 16, 32, 64 and 128 calls; four digits are given. In float64: float32 adds about 1e-6, a percent of the smallest.
  const auto agree = [](double error, double wanted) { return std::abs(error - wanted) < 1e-3 * wanted + 1e-7; };
  const Eigen::MatrixXd end = reference(data, "ode_t095");
  struct Row {
    std::string solver;
    std::vector<double> errors;
    int order;
  };
  const std::vector<Row> table = {
      {"flow_euler", {3.468e-2, 2.028e-2, 1.125e-2, 6.040e-3, 3.166e-3}, 1},   {"ddim", {3.468e-2, 2.028e-2}, 1},
      {"flow_heun", {4.640e-2, 1.206e-2, 3.140e-3, 7.961e-4, 1.988e-4}, 2},    {"flow_pseudo_corrector", {2.020e-2, 5.644e-3, 1.534e-3, 3.952e-4, 9.961e-5}, 2},
      {"flow_adams_2", {1.831e-2, 6.881e-3, 2.255e-3, 6.667e-4, 1.839e-4}, 2}, {"dpmpp_2m", {2.150e-2, 7.553e-3, 2.386e-3, 6.888e-4, 1.882e-4}, 2}};
  const auto steps_of = [](const std::string& solver, int calls) {
    return solver == "flow_heun" ? calls / 2 : (solver == "flow_pseudo_corrector" ? calls - 1 : calls);
  };
  for (const Row& row : table) {
    CAPTURE(row.solver);
    double before = 0;
    for (std::size_t i = 0; i < row.errors.size(); ++i) {
      const int calls = 8 << i;
      const SolverPlan plan = flow_plan(row.solver, steps_of(row.solver, calls), 0.05);
      CAPTURE(calls);
      CHECK(plan.calls == calls);
      const double error = rms(digits.run(plan), end);
      CAPTURE(error / row.errors[i] - 1);
      CHECK(agree(error, row.errors[i]));
      if (calls == 128) CHECK(std::log2(before / error) > row.order - 0.25);
      before = error;
    }
  }
  // A second-order step with its history weighted one percent too much is not the reference's.
  SolverPlan wrong = flow_plan("flow_adams_2", 32, 0.05);
  for (SolverPlan::Operation& operation : wrong.operations) {
    auto* combine = std::get_if<SolverPlan::Combine>(&operation);
    if (combine != nullptr && combine->terms.size() == 3) combine->terms[2].factor *= 1.01;
  }
  CHECK_FALSE(agree(rms(digits.run(wrong), end), 2.255e-3));
}

TEST_CASE("batches of the flow network on a backend have the errors of the reference") {
  const auto data = test::shared_data("models/mnist-flow-vit");
  if (data.empty() || !test::torch_is_there()) return;
  test::Networks networks;
  const DiffusionModel plain{torchscript_denoiser(flow_network(networks.make(source(), (data / "weights").string()))), flow_schedule(0)};
  const Eigen::MatrixXd end = reference(data, "ode_t095");
  std::vector<std::int32_t> labels;
  for (std::int32_t y = 0; y < 10; ++y) labels.push_back(y);
  const auto run = [&](const DiffusionModel& model, const SolverPlan& plan) {
    backend::Queue queue(backend::Device::open("cpu"), 2);
    BatchSolver batches(model, queue, 10, BUFFON_F32);
    const backend::Matrix x(queue.device(), pixels, 10);
    queue.upload(x, reference(data, "sample_z"));
    batches.run(plan, x, Stream(1), 0, labels);
    CHECK(batches.calls() == plan.calls);
    return queue.download(x);
  };
  const auto error = [&](const char* solver) { return rms(run(plain, flow_plan(solver, 16, 0.05)), end); };
  // Four digits are given; float32 adds less than 1e-6.
  CHECK(std::abs(error("flow_adams_2") - 6.881e-3) < 5e-6);
  CHECK(std::abs(error("dpmpp_2m") - 7.553e-3) < 5e-6);
  // Guided strictly inside (0.3, 0.7).
  const DiffusionModel guided_model{guided(plain.denoiser, 2, 0.3 + 1e-9, 0.7 - 1e-9), plain.schedule};
  CHECK((run(guided_model, flow_plan("flow_euler", 50, 0)) - reference(data, "euler50_w2")).cwiseAbs().maxCoeff() < 1e-4);
  labels[3] = 4;
  CHECK(std::abs(error("flow_adams_2") - 6.881e-3) > 5e-6);
}

TEST_CASE("a sample of the flow network hardly depends on its batch, and not at all where samples are given one at a time") {
  const auto data = test::shared_data("models/mnist-flow-vit");
  if (data.empty() || !test::torch_is_there()) return;
  test::Networks networks;
  TorchScriptOptions options = flow_network(networks.make(source(), (data / "weights").string()));
  Eigen::MatrixXd x(pixels, 64);
  Stream(1).normals(0, x);
  const std::vector<std::int32_t> labels(64, 3);
  const NoiseLevel level = flow_schedule(0)->at_time(0.5);
  const auto ask = [&](const Eigen::MatrixXd& states) {
    test::Asked network(torchscript_denoiser(options));
    return network(states, {&level, 1}, std::span(labels).first(static_cast<std::size_t>(states.cols())));
  };
  const Eigen::MatrixXd all = ask(x), eight = ask(x.middleCols(5, 8)), one = ask(x.col(7));
  const double worst = std::max((eight.col(2) - all.col(7)).cwiseAbs().maxCoeff(), (one - all.col(7)).cwiseAbs().maxCoeff());
  MESSAGE("largest difference between batches of 64, 8 and 1: ", worst);
  CHECK(worst < 2e-5);  // of outputs about 1, as between float32 and float64
  options.together = 1;
  const Eigen::MatrixXd apart = ask(x);
  CHECK(ask(x.middleCols(5, 8)).col(2) == apart.col(7));
  CHECK(ask(x.col(7)) == apart.col(7));
}
