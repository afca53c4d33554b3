// SPDX-License-Identifier: BSD-3-Clause
// Networks in TorchScript files: what they are given, what is refused, and with which words.
#include <buffon/core/error.hpp>
#include <buffon/model/denoiser_wrappers.hpp>
#include <buffon/model/exact_denoisers.hpp>
#include <buffon/random/stream.hpp>
#include <buffon/samplers/diffusion/batch_solver.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <tuple>
#include <vector>

#include "torch_network.hpp"

using namespace buffon;

namespace {

TorchScriptOptions plain(const std::string& file, Index dimension) {
  TorchScriptOptions o;
  o.file = file;
  o.dimension = dimension;
  return o;
}

const NoiseLevel level{0.25, 0.8, 0.6, std::log(0.8 / 0.6)};

}  // namespace

TEST_CASE("a network is given states, its own kind of time and labels") {
  if (!test::torch_is_there()) return;
  test::Networks networks;
  Eigen::MatrixXd x(2, 3);
  x << 1, 2, 3, 4, 5, 6;

  TorchScriptOptions of_time = plain(networks.make("def forward(self, x, t):\n    return x + t.reshape([-1, 1])\n"), 2);
  const std::vector<std::tuple<NetworkTime, double>> kinds = {
      {NetworkTime::time, 0.25}, {NetworkTime::lambda, level.lambda}, {NetworkTime::sigma, 0.6}, {NetworkTime::log_ratio, -level.lambda}};
  for (const auto& [kind, value] : kinds) {
    of_time.time = kind;
    of_time.time_factor = 2;
    of_time.time_offset = -1;
    test::Asked network(torchscript_denoiser(of_time));
    CHECK((network(x, {&level, 1}) - (x.array() + 2 * value - 1).matrix()).cwiseAbs().maxCoeff() < 1e-6);
  }
  // Levels of every column.
  of_time.time = NetworkTime::time;
  const std::vector<NoiseLevel> levels = {{0.5, 1, 1, 0}, {0.75, 1, 1, 0}, {1, 1, 1, 0}};
  test::Asked each(torchscript_denoiser(of_time));
  CHECK(each(x, levels) == x + Eigen::Vector2d(1, 1) * Eigen::RowVector3d(0, 0.5, 1));

  TorchScriptOptions of_label = plain(networks.make("def forward(self, x, y):\n    return x * 0 + y.reshape([-1, 1])\n"), 2);
  of_label.time = NetworkTime::none;
  of_label.classes = 4;
  of_label.no_label = 17;
  const std::vector<std::int32_t> labels = {3, -1, 0};
  test::Asked labelled(torchscript_denoiser(of_label));
  CHECK(labelled(x, {&level, 1}, labels).row(1) == Eigen::RowVector3d(3, 17, 0));
  CHECK(labelled(x, {&level, 1}).row(0) == Eigen::RowVector3d(17, 17, 17));

  TorchScriptOptions scaled = plain(networks.make("def forward(self, x):\n    return x\n"), 2);
  scaled.time = NetworkTime::none;
  scaled.answers = Answer::edm;
  test::Asked karras(torchscript_denoiser(scaled));
  CHECK((karras(x, {&level, 1}) - x / std::sqrt(0.6 * 0.6 + 0.25 * 0.8 * 0.8)).cwiseAbs().maxCoeff() < 1e-6);

  scaled.answers = Answer::velocity;
  scaled.answer_factor = -1;
  test::Asked backwards(torchscript_denoiser(scaled));
  CHECK(backwards(x, {&level, 1}) == -x);

  // Samples are images, the width fastest; states and answers may have room between their columns.
  TorchScriptOptions image =
      plain(networks.make("def forward(self, x):\n    return x.transpose(2, 3) if x.size(2) == x.size(3) else x * x[:, :, 0:1, 0:1]\n"), 0);
  image.time = NetworkTime::none;
  image.image = ImageShape{2, 3, 3};
  for (const buffon_type type : {BUFFON_F32, BUFFON_F64}) {
    test::Asked turned(torchscript_denoiser(image), 5, type);
    backend::Queue& queue = turned.queue();
    Eigen::MatrixXd padded(21, 5);
    for (Index i = 0; i < padded.size(); ++i) padded.data()[i] = static_cast<double>(i);
    const backend::Matrix given(queue.device(), 21, 5, type), answer(queue.device(), 21, 5, type);
    queue.upload(given, padded);
    queue.upload(answer, Eigen::MatrixXd::Constant(21, 5, -7));
    backend::View from = given, to = answer;
    from.rows = to.rows = 18;
    turned.work()({from, {&level, 1}}, to);
    const Eigen::MatrixXd out = queue.download(answer);
    CHECK((out.bottomRows(3).array() == -7).all());
    for (Index c = 0; c < 5; ++c) {
      for (Index k = 0; k < 2; ++k) {
        for (Index i = 0; i < 3; ++i) {
          for (Index j = 0; j < 3; ++j) CHECK(out(9 * k + 3 * i + j, c) == padded(9 * k + 3 * j + i, c));
        }
      }
    }
  }
}

TEST_CASE("networks scaled as Karras and others do, and velocities along another time, give the samples of the exact model") {
  if (!test::torch_is_there()) return;
  test::Networks networks;
  const Index n = 3, samples = 5;
  const auto samples_of = [&](const DiffusionModel& model) {
    backend::Queue queue(backend::Device::open("cpu"), 1);
    BatchSolver batches(model, queue, samples, BUFFON_F64);
    const backend::Matrix x(queue.device(), n, samples, BUFFON_F64);
    SolverSetting setting;
    setting.solver = "dpmpp_2m";
    const double first = 0.95 * model.schedule->first_time();
    const auto grid = time_grid(*model.schedule, GridSpacing::log_snr, 12, first, 0.05 * first);
    batches.start(x, grid.front(), Stream(2), 0);
    batches.run(plan_solver(setting, *model.schedule, grid), x, Stream(2), 0);
    return queue.download(x);
  };
  const auto exact = gaussian_denoiser(Eigen::VectorXd(Eigen::VectorXd::Zero(n)), Eigen::VectorXd(Eigen::VectorXd::Ones(n)));
  // Data N(0, 1): D = y / (1 + rho²), so F(u, c) = (1 / (1 + rho²) − d² / (rho² + d²)) (rho² + d²) / (rho d) u with rho = exp(4 c), d = 1/2.
  const std::string karras = networks.make(
      "def forward(self, u, c):\n    r = torch.exp(4 * c).reshape([-1, 1])\n    s = r * r + 0.25\n    return (1 / (1 + r * r) - 0.25 / s) * s / (0.5 * r) * "
      "u\n");
  TorchScriptOptions options = plain(karras, n);
  options.answers = Answer::edm;
  options.time = NetworkTime::log_ratio;
  options.time_factor = 0.25;
  for (const auto& schedule : {vp_linear_schedule(), ve_schedule(), flow_schedule()}) {
    CAPTURE(schedule->name());
    const Eigen::MatrixXd wanted = samples_of({exact, schedule});
    const double close = 1e-10 * wanted.cwiseAbs().maxCoeff();
    CHECK((samples_of({torchscript_denoiser(options), schedule}) - wanted).cwiseAbs().maxCoeff() < close);
    CHECK((samples_of({edm_denoiser(torchscript_denoiser(plain(karras, n))), schedule}) - wanted).cwiseAbs().maxCoeff() < close);
    TorchScriptOptions wrong = options;
    wrong.time_factor = 0.26;
    CHECK((samples_of({torchscript_denoiser(wrong), schedule}) - wanted).cwiseAbs().maxCoeff() > 1e3 * close);
  }
  // On the flow x = (1 − t) x₀ + t ε: D = a x / (a² + t²), a = 1 − t, and the velocity x₀ − ε along the time 1 − t is (D − x) / t.
  TorchScriptOptions forwards =
      plain(networks.make("def forward(self, x, a):\n    b = a.reshape([-1, 1])\n    t = 1 - b\n    return (b / (b * b + t * t) - 1) / t * x\n"), n);
  forwards.answers = Answer::velocity;
  forwards.answer_factor = -1;
  forwards.time_factor = -1;
  forwards.time_offset = 1;
  const Eigen::MatrixXd wanted = samples_of({exact, flow_schedule()});
  CHECK((samples_of({torchscript_denoiser(forwards), flow_schedule()}) - wanted).cwiseAbs().maxCoeff() < 1e-10);
}

TEST_CASE("a network computes with the numbers that it is told to") {
  if (!test::torch_is_there()) return;
  test::Networks networks;
  const std::string file = networks.make("def forward(self, x):\n    return x / 3\n");
  const Eigen::MatrixXd x = Eigen::MatrixXd::Ones(1, 1);
  const auto third = [&](NetworkNumbers numbers, buffon_type type) {
    TorchScriptOptions o = plain(file, 1);
    o.time = NetworkTime::none;
    o.numbers = numbers;
    return test::Asked(torchscript_denoiser(o), 1, type)(x, {&level, 1})(0, 0);
  };
  const double in_float = static_cast<double>(1.0F / 3.0F);
  CHECK(third(NetworkNumbers::of_run, BUFFON_F64) == 1.0 / 3);
  CHECK(third(NetworkNumbers::of_run, BUFFON_F32) == in_float);
  CHECK(third(NetworkNumbers::float32, BUFFON_F64) == in_float);
  CHECK(third(NetworkNumbers::float64, BUFFON_F32) == in_float);
}

TEST_CASE("files and networks that do not fit are refused before a run") {
  TorchScriptOptions absent = plain("nowhere.pt", 2);
  CHECK_THROWS_WITH_AS(torchscript_denoiser(absent), doctest::Contains("file = \"nowhere.pt\" does not exist"), Error);
  absent.dimension = 0;
  CHECK_THROWS_WITH_AS(torchscript_denoiser(absent), doctest::Contains("dimension = 0 must be at least 1. give dimension or image"), Error);
  absent.image = ImageShape{1, 0, 4};
  CHECK_THROWS_WITH_AS(torchscript_denoiser(absent), doctest::Contains("image = [1, 0, 4] must be three positive numbers"), Error);
  absent.image = ImageShape{1, 2, 4};
  absent.dimension = 9;
  CHECK_THROWS_WITH_AS(torchscript_denoiser(absent), doctest::Contains("dimension = 9 must be that of the image, 8"), Error);
  test::Networks networks;
  if (!test::torch_is_there()) {
    if (torchscript_component().starts_with("libtorch ")) return;  // of another build
    const std::string file = (networks.folder() / "network.txt").string();
    std::ofstream(file) << "any";
    CHECK_THROWS_WITH_AS(torchscript_denoiser(plain(file, 2)), doctest::Contains("install the package libtorch-dev and build buffon again"), Error);
    return;
  }
  const auto refused = [&](const std::string& file, const std::string& words) {
    CAPTURE(words);
    CHECK_THROWS_WITH_AS(torchscript_denoiser(plain(file, 2)), doctest::Contains(words.c_str()), Error);
  };
  const auto text = networks.folder() / "text.pt";
  std::ofstream(text) << "not a network";
  refused(text.string(), "text.pt\" cannot be loaded: ");
  refused(networks.make("def backward(self, x):\n    return x\n"), "cannot be loaded: has no method forward");
  refused(networks.make("def forward(self, x):\n    return x\n"), "its method is forward(x), which must take what it is given: states, times");
  refused(networks.make("def forward(self, x, t, y):\n    return x\n"), "its method is forward(x, t, y)");
  refused(networks.make("def forward(self, x, t):\n    return x[:, 0]\n"), "forward answers in the shape 2, which must be 2 x 2");
  refused(networks.make("def forward(self, x, t):\n    return (x, t)\n"), "forward answers with Tuple, which must be a tensor");
  refused(networks.make("def forward(self, x, t):\n    return x.long()\n"), "forward answers with numbers of type Long");
  refused(networks.make("def forward(self, x, t):\n    return x / 0\n"), "not finite");
  refused(networks.make("def forward(self, x, t):\n    return torch.matmul(x, torch.ones([5, 5]))\n"),
          "mat1 and mat2 shapes cannot be multiplied (2x2 and 5x5)");
  refused(networks.make("def forward(self, x, t):\n    assert x.size(0) == 1, 'two are too many'\n    return x\n"), "two are too many");
  // An argument with a default may be left out.
  CHECK_NOTHROW(torchscript_denoiser(plain(networks.make("def forward(self, x, t, y: int = 3):\n    return x * y\n"), 2)));
}

TEST_CASE("a network that fails during a run is told with the time") {
  if (!test::torch_is_there()) return;
  test::Networks networks;
  const NoiseLevel early{0.25, 1, 1, 0};
  const Eigen::MatrixXd x = Eigen::MatrixXd::Ones(2, 3);
  test::Asked logarithm(torchscript_denoiser(plain(networks.make("def forward(self, x, t):\n    return x + torch.log(t - 0.3).reshape([-1, 1])\n"), 2)));
  CHECK_THROWS_WITH_AS(logarithm(x, {&early, 1}), doctest::Contains("time = 0.25 forward answers with numbers that are not finite"), Error);
  CHECK_THROWS_WITH_AS(logarithm(x / 0.0, {&early, 1}), doctest::Contains("the states are not finite in 3 of 3 samples of a call"), Error);
  const std::vector<NoiseLevel> some = {{0.5, 1, 1, 0}, {0.25, 1, 1, 0}, {0.5, 1, 1, 0}};
  CHECK_THROWS_WITH_AS(logarithm(x, some), doctest::Contains("not finite in 1 of 3 samples of a call. check `time`"), Error);
  const NoiseLevel later{0.5, 1, 1, 0};
  CHECK(logarithm(x, {&later, 1})(0, 0) == doctest::Approx(1 + std::log(0.2)));
  TorchScriptOptions infinite = plain(networks.make("def forward(self, x, t):\n    return x\n"), 2);
  infinite.time = NetworkTime::lambda;
  const NoiseLevel noise{1, 0, 1, -INFINITY};
  test::Asked at_noise(torchscript_denoiser(infinite));
  CHECK_THROWS_WITH_AS(at_noise(x, {&noise, 1}), doctest::Contains("time = 1 gives the network -inf, which must be a finite number"), Error);
  CHECK_THROWS_WITH_AS(test::Asked(torchscript_denoiser(plain(
                           networks.make("def forward(self, x, t):\n    assert x.size(0) < 3, 'three are too many'\n    return x\n"), 2)))(x, {&later, 1}),
                       doctest::Contains("three are too many"), Error);
}

TEST_CASE("a run that a network ends tells the step, the level and the share of samples") {
  if (!test::torch_is_there()) return;
  test::Networks networks;
  TorchScriptOptions options = plain(networks.make("def forward(self, x, t):\n    return x + torch.log(t - 0.3).reshape([-1, 1])\n"), 2);
  const auto schedule = flow_schedule();
  const std::vector<NoiseLevel> grid = {schedule->at_time(0.8), schedule->at_time(0.4), schedule->at_time(0.2), schedule->at_time(0.1)};
  SolverSetting setting;
  setting.solver = "flow_euler";
  for (const Index together : {0, 1}) {
    options.together = together;
    backend::Queue queue(backend::Device::open("cpu"), 1);
    BatchSolver batches({torchscript_denoiser(options), schedule}, queue, 4, BUFFON_F64);
    const backend::Matrix x(queue.device(), 2, 4, BUFFON_F64);
    batches.start(x, grid.front(), Stream(2), 0);
    std::string said = "nothing";
    try {
      batches.run(plan_solver(setting, *schedule, grid), x, Stream(2), 0);
    } catch (const Error& error) {
      said = error.what();
    }
    CAPTURE(said);
    CHECK(said.find("in step 3 of 3, time 0.2, lambda ") != std::string::npos);
    CHECK(said.find(together == 0 ? "in 4 of 4 samples" : "in 1 of 1 samples") != std::string::npos);
  }
}

TEST_CASE("whole numbers of a network stay whole numbers") {
  if (!test::torch_is_there()) return;
  test::Networks networks;
  const auto folder = networks.folder() / "weights";
  std::filesystem::create_directory(folder);
  {
    std::string header = "{'descr': '<i8', 'fortran_order': False, 'shape': (3,), }";
    header.resize(117, ' ');
    header += '\n';
    std::ofstream out(folder / "order.npy", std::ios::binary);
    out << std::string("\x93NUMPY\x01\x00", 8) << static_cast<char>(header.size()) << '\0' << header;
    for (const std::int64_t number : {2, 0, 1}) out.write(reinterpret_cast<const char*>(&number), sizeof number);
  }
  TorchScriptOptions options = plain(networks.make("def forward(self, x):\n    return torch.index_select(x, 1, self.order)\n", folder.string()), 3);
  options.time = NetworkTime::none;
  for (const buffon_type type : {BUFFON_F32, BUFFON_F64}) {
    test::Asked network(torchscript_denoiser(options), 1, type);
    CHECK(network(Eigen::Vector3d(5, 6, 7), {&level, 1}) == Eigen::Vector3d(7, 5, 6));
  }
}

TEST_CASE("a network without a class for none works on samples with labels") {
  if (!test::torch_is_there()) return;
  test::Networks networks;
  TorchScriptOptions options = plain(networks.make("def forward(self, x, y):\n    return x + torch.embedding(torch.eye(3).to(x.dtype), y)\n"), 3);
  options.time = NetworkTime::none;
  options.classes = 3;
  test::Asked network(torchscript_denoiser(options));
  const Eigen::MatrixXd zeros = Eigen::MatrixXd::Zero(3, 2);
  const std::vector<std::int32_t> labels = {2, 0}, half = {2, -1};
  CHECK(network(zeros, {&level, 1}, labels) == (Eigen::MatrixXd(3, 2) << 0, 1, 0, 0, 1, 0).finished());
  CHECK_THROWS_WITH_AS(network(zeros, {&level, 1}, half), doctest::Contains("give every sample a label, or `no_label`"), Error);
  CHECK_THROWS_WITH_AS(network(zeros, {&level, 1}), doctest::Contains("give every sample a label, or `no_label`"), Error);
  options.file = networks.make("def forward(self, x, y):\n    return x + torch.embedding(torch.eye(3).to(x.dtype), y - 1)\n");  // counts from 1
  CHECK_THROWS_WITH_AS(torchscript_denoiser(options), doctest::Contains("`classes` and `no_label`"), Error);
}
